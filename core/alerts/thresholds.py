"""Where rules draw a line: the values that they compare a figure with, for charts of that figure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.alerts.expression import Absent, All, Compared, Expression, Figure, Matcher, Not, OneOf, Worked
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels

OF_SAME_UNIT = frozenset({"avg", "min", "max"})
"""Work on a figure that has the unit of the figure: its threshold is one of the figure's own course."""
BELOW = frozenset({"<", "<="})


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that a rule compares a figure with."""

    title: str
    """What the rule is called."""
    value: float
    """In the base unit of the figure."""
    severity: Severity
    matchers: tuple[Matcher, ...] = ()
    """Of the figure: which of its series are meant."""
    window: str = ""
    """Of a figure of portfolios; empty: none was said."""

    def is_of(self, series: Iterable[Labels]) -> bool:
        """Return whether one of these series at least is meant; what is of all of them is meant without any, too."""
        return not self.matchers or any(all_hold(self.matchers, dict(each)) for each in series)


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that a rule watches, beside the numbers that it compares it with."""

    figure: Figure
    limits: tuple[float, ...] = ()
    """In the base unit of the figure, the lowest first; empty: it is compared as something else than what it is."""
    is_above: bool = True
    """Whether it is beyond them above."""

    def beyond(self, value: float) -> float:
        """Return by how much a value is beyond the nearest of them, as a share of it; below 0: it is not."""
        if not self.limits:
            return -math.inf
        limit = self.limits[0] if self.is_above else self.limits[-1]
        return (value - limit if self.is_above else limit - value) / (abs(limit) or 1.0)


def thresholds_of(rules: Iterable[Rule]) -> Mapping[str, tuple[Threshold, ...]]:
    """Return the thresholds of rules by the figure that they compare as it is, the gravest last.

    A rule of several figures, of one that is worked on over a span, or asked with settings draws no line: what it
    compares is on no chart.
    """
    found: defaultdict[str, list[Threshold]] = defaultdict(list)
    for rule in rules:
        for severity, expression in rule.conditions:
            match expression:
                case Compared(operand=Figure(settings=()) as one, limit=float(limit)):
                    found[one.name].append(
                        Threshold(rule.title or rule.name, limit, severity, one.matchers, one.window)
                    )
    return {name: tuple(sorted(each, key=lambda one: one.severity)) for name, each in found.items()}


def bounds_of(rule: Rule) -> list[Bound]:
    """Return the figures that a rule watches, in the order in which it names them; not those beside a word."""
    limits: dict[Figure, set[float]] = {}
    is_above: dict[Figure, bool] = {}
    for _, expression in rule.conditions:
        for part, is_not in _parts(expression):
            figure = part.figure
            if isinstance(part, Absent):
                limits.setdefault(figure, set())
            elif isinstance(part.limit, float):
                found = limits.setdefault(figure, set())
                if not isinstance(part.operand, Worked) or part.operand.work in OF_SAME_UNIT:
                    found.add(part.limit)
                    is_above.setdefault(figure, (part.operator in BELOW) == is_not)
    return [Bound(figure, tuple(sorted(some)), is_above.get(figure, True)) for figure, some in limits.items()]


def _parts(expression: Expression, is_not: bool = False) -> Iterator[tuple[Compared | Absent, bool]]:
    """Yield what an expression is made of, and whether it is that this does not hold."""
    match expression:
        case Compared() | Absent():
            yield expression, is_not
        case Not(of=part):
            yield from _parts(part, not is_not)
        case All(of=parts) | OneOf(of=parts):
            for part in parts:
                yield from _parts(part, is_not)


def limit_at(rule: Rule, severity: Severity) -> tuple[Figure | Worked, str, float] | None:
    """Return what a rule compares at a severity, how, and with which number; None: with none."""
    for of, each in rule.conditions:
        if of is severity and isinstance(each, Compared) and isinstance(each.limit, float):
            return each.operand, each.operator, each.limit
    return None
