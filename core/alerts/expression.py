"""What a rule watches for, as people write it, and as data: `system_cpu_busy_ratio > 80 % and not absent(feed_age)`.

figure                 system_disk_used_ratio   daily_return   status
of which series        system_disk_used_ratio{mount="/data"}   status{component=~"Redis.*"}
over which window      max_drawdown[1y]   beta[1y, benchmark=SPY, frequency=weekly]
compared               < <= > >= == !=   with a number (−0.05, 80 %, 2 GB, 15 min) or a word (down)
there at all           absent(feed_age{feed="L1"})
worked on              avg(x, 5 min)  min  max  change(x, 1 h)  zscore(x, 4 w)  forecast(x, 4 h)
joined                 and, or, not, ( )
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from core.errors import RuleRejected
from core.format import cut
from core.regular import check_pattern, full_match

if TYPE_CHECKING:
    from lark import Lark, Transformer

UNITS: Mapping[str, tuple[float, str]] = {
    "%": (0.01, "ratio"),
    "ms": (0.001, "seconds"),
    "s": (1.0, "seconds"),
    "min": (60.0, "seconds"),
    "h": (3_600.0, "seconds"),
    "d": (86_400.0, "seconds"),
    "w": (604_800.0, "seconds"),
    "B": (1.0, "bytes"),
    "KiB": (1024.0, "bytes"),
    "MiB": (1024.0**2, "bytes"),
    "GiB": (1024.0**3, "bytes"),
    "TiB": (1024.0**4, "bytes"),
    "kB": (1e3, "bytes"),
    "MB": (1e6, "bytes"),
    "GB": (1e9, "bytes"),
    "TB": (1e12, "bytes"),
}
"""What a unit is worth, and the unit of the metrics that it is for."""
OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
WORKS = ("avg", "min", "max", "change", "zscore", "forecast")
GRAMMAR = r"""
    ?start: either
    ?either: both ("or" both)*
    ?both: one ("and" one)*
    ?one: "not" one -> negated
        | "(" either ")"
        | "absent" "(" figure ")" -> absent
        | operand OPERATOR limit -> compared
    ?operand: figure
        | WORK "(" figure "," NUMBER UNIT ")" -> worked
    figure: NAME matchers? window?
    matchers: "{" matcher ("," matcher)* "}"
    matcher: NAME MATCH STRING
    window: "[" CHOICE ("," setting)* "]"
    setting: NAME "=" CHOICE
    ?limit: NUMBER UNIT? -> number
        | NAME -> word
    OPERATOR: "<=" | ">=" | "==" | "!=" | "<" | ">"
    MATCH: "=~" | "!~" | "!=" | "="
    WORK.2: /(WORKS)(?=\s*\()/
    NAME: /[a-zA-Z_][a-zA-Z0-9_]*/
    CHOICE: /[A-Za-z0-9_.:^-]+/
    UNIT: /(UNITS)(?![A-Za-z])/
    NUMBER: /[+−-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/
    STRING: /"[^"\n]*"/
    %ignore /\s+/
""".replace("WORKS", "|".join(WORKS)).replace("UNITS", "|".join(sorted(UNITS, key=len, reverse=True)))
"""In the form of lark."""
LONGEST = 2_000
"""Characters of an expression."""
SAID = {
    "OPERATOR": "a comparison such as > or <=", "NUMBER": "a number", "NAME": "a name", "STRING": 'a text in "quotes"',
    "UNIT": "a unit such as % or min", "MATCH": "=, !=, =~ or !~", "CHOICE": "a window such as 1y",
    "WORK": "avg, min, max …",
    "LPAR": "(", "RPAR": ")", "LBRACE": "{", "RBRACE": "}", "LSQB": "[", "RSQB": "]", "COMMA": "a comma", "AND": "and",
    "OR": "or", "NOT": "not", "ABSENT": "absent", "EQUAL": "=", "$END": "the end",
}  # fmt: skip
"""What the grammar calls a thing, in words."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label must be."""

    label: str
    operator: str
    """=, !=, =~ (the whole value matches a regular expression) or !~."""
    value: str

    def holds(self, value: str) -> bool:
        """Return whether a label with this value is meant; a label that is not there is empty."""
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return full_match(self.value, value) == (self.operator == "=~")

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Figure:
    """A collected metric, a figure of portfolios, or one of Fundwatch's own words such as status and age."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    window: str = ""
    """Of a figure of portfolios; empty: none was said."""
    settings: tuple[tuple[str, str], ...] = ()
    """Of a figure of portfolios: benchmark, frequency."""

    def __str__(self) -> str:
        matchers = f"{{{', '.join(map(str, self.matchers))}}}" if self.matchers else ""
        settings = "".join(f", {name}={value}" for name, value in self.settings)
        return f"{self.name}{matchers}{f'[{self.window}{settings}]' if self.window else ''}"


@dataclass(frozen=True, slots=True)
class Worked:
    """A figure that is worked on over a span of time."""

    work: str
    figure: Figure
    seconds: float
    written: str
    """The span as it was written: "5 min"."""

    def __str__(self) -> str:
        return f"{self.work}({self.figure}, {self.written})"


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure beside a number, or beside a word such as down."""

    operand: Figure | Worked
    operator: str
    limit: float | str
    unit: str = ""
    """As it was written; empty: a bare number or a word."""

    @property
    def figure(self) -> Figure:
        """Return the figure that is compared."""
        return self.operand.figure if isinstance(self.operand, Worked) else self.operand

    def __str__(self) -> str:
        if isinstance(self.limit, str):
            return f"{self.operand} {self.operator} {self.limit}"
        factor = UNITS[self.unit][0] if self.unit else 1.0
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.operand} {self.operator} {self.limit / factor:.10g}{unit}"


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that is not there."""

    figure: Figure

    def __str__(self) -> str:
        return f"absent({self.figure})"


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    of: Expression

    def __str__(self) -> str:
        return f"not {_in_brackets(self.of, (All, OneOf))}"


@dataclass(frozen=True, slots=True)
class All:
    """What holds when all of these do."""

    of: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(_in_brackets(each, (OneOf,)) for each in self.of)


@dataclass(frozen=True, slots=True)
class OneOf:
    """What holds when one of these does."""

    of: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.of))


Expression = Compared | Absent | Not | All | OneOf


def read_expression(text: str, field: str = "when") -> Expression:
    """Return what a text says. Raises RuleRejected: where it is not understood, and what could stand there."""
    from lark.exceptions import UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

    if len(text) > LONGEST:
        raise RuleRejected(field, f"is longer than {LONGEST} characters", "Make two rules of it.")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        expected = error.accepts if isinstance(error, UnexpectedToken) else getattr(error, "allowed", None)
        words = sorted({SAID.get(name, name) for name in expected or ()})
        is_end = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
        where = "it ends too soon" if is_end else f"at {cut(text[error.pos_in_stream or 0 :], 20)!r}"
        reason = f"{cut(text, 80)!r} is not understood: {where}"
        raise RuleRejected(field, reason, f"There could stand {', '.join(words)}." if words else "") from error
    try:
        return _made().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, RuleRejected):
            raise RuleRejected(field, error.orig_exc.reason, error.orig_exc.fix) from error
        raise


def figures_of(expression: Expression) -> Iterator[Figure]:
    """Yield every figure that an expression reads, in the order in which they stand."""
    for each in operands_of(expression):
        yield each.figure if isinstance(each, Worked) else each


def operands_of(expression: Expression) -> Iterator[Figure | Worked]:
    """Yield every figure that an expression reads, as it reads it, in the order in which they stand."""
    match expression:
        case Compared():
            yield expression.operand
        case Absent():
            yield expression.figure
        case Not():
            yield from operands_of(expression.of)
        case All() | OneOf():
            for each in expression.of:
                yield from operands_of(each)


def _in_brackets(each: Expression, kinds: tuple[type, ...]) -> str:
    return f"({each})" if isinstance(each, kinds) else str(each)


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@cache
def _made() -> Transformer[Any, Expression]:
    """Return what makes data of the parts of a text."""
    from lark import Transformer

    class Made(Transformer[Any, Expression]):
        def either(self, parts: list[Any]) -> OneOf:
            return OneOf(tuple(parts))

        def both(self, parts: list[Any]) -> All:
            return All(tuple(parts))

        def negated(self, parts: list[Any]) -> Not:
            return Not(parts[0])

        def absent(self, parts: list[Any]) -> Absent:
            return Absent(parts[0])

        def compared(self, parts: list[Any]) -> Compared:
            operand, operator, (limit, unit) = parts
            return Compared(operand, str(operator), limit, unit)

        def worked(self, parts: list[Any]) -> Worked:
            work, figure, number, unit = parts
            return Worked(str(work), figure, _number(number) * _seconds(unit), f"{number} {unit}")

        def figure(self, parts: list[Any]) -> Figure:
            name, *rest = parts
            matchers = next((each for kind, each in rest if kind == "matchers"), ())
            window, settings = next((each for kind, each in rest if kind == "window"), ("", ()))
            return Figure(str(name), matchers, window, settings)

        def matchers(self, parts: list[Any]) -> tuple[str, tuple[Matcher, ...]]:
            return "matchers", tuple(parts)

        def matcher(self, parts: list[Any]) -> Matcher:
            label, operator, value = map(str, parts)
            return _checked(Matcher(label, operator, value[1:-1]))

        def window(self, parts: list[Any]) -> tuple[str, tuple[str, tuple[tuple[str, str], ...]]]:
            return "window", (str(parts[0]), tuple(parts[1:]))

        def setting(self, parts: list[Any]) -> tuple[str, str]:
            return str(parts[0]), str(parts[1])

        def number(self, parts: list[Any]) -> tuple[float, str]:
            unit = str(parts[1]) if len(parts) > 1 else ""
            return _number(parts[0]) * (UNITS[unit][0] if unit else 1.0), unit

        def word(self, parts: list[Any]) -> tuple[str, str]:
            return str(parts[0]), ""

    return Made()


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _seconds(unit: str) -> float:
    factor, kind = UNITS[unit]
    if kind != "seconds":
        raise RuleRejected("when", f"{unit} is no span of time", "Write s, min, h, d or w.")
    return factor


def _checked(matcher: Matcher) -> Matcher:
    if matcher.operator in ("=~", "!~"):
        try:
            check_pattern(matcher.value)
        except ValueError as error:
            raise RuleRejected("when", f"{matcher} is no regular expression: {error}") from error
    return matcher
