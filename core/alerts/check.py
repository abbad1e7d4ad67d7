"""Whether a rule can be: it names what there is, compares it in a unit that it has, and says what can be said."""

from __future__ import annotations

import difflib
import string
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.alerts.contradictions import check_clear, contradictions
from core.alerts.expression import UNITS, Absent, All, Compared, Expression, Figure, Not, OneOf, Worked
from core.alerts.figures import STATE, FigureKind, Of, Vocabulary
from core.alerts.rule import Rule
from core.errors import RuleRejected
from core.model import Status

WEEK_SECONDS = 604_800.0
ZSCORE_WEEKS = (2, 12)
"""So many past weeks are looked at."""
SHORTEST_SECONDS, LONGEST_SECONDS = 10.0, 31 * 86_400.0
"""Of a span that is worked over."""
WORDS = tuple(status.value for status in Status if status is not Status.UNKNOWN)
SAID = ("value", "percent", "lost", "title", "why")
"""What a message may name in every rule."""
FARTHEST_RATIO = 3.0
"""A share is hardly compared with more: percent were meant."""
CheckFigure = Callable[[Figure], object]


def check(rule: Rule, vocabulary: Vocabulary, check_figure: CheckFigure = lambda figure: None) -> None:
    """Raise RuleRejected for the first thing that cannot be.

    check_figure raises it for a window or a setting that figures of portfolios do not have.
    """
    for field, expression in _expressions(rule):
        for part in _parts(expression):
            try:
                _check(part, vocabulary, check_figure)
            except RuleRejected as error:
                raise RuleRejected(field, error.reason, error.fix) from error
    check_clear(rule)
    _check_message(rule, vocabulary)


def hints(rule: Rule, vocabulary: Vocabulary) -> list[str]:
    """Return what can be and is hardly meant, a sentence each."""
    found = [*contradictions(rule)]
    for field, expression in _expressions(rule):
        for part in _parts(expression):
            if isinstance(part, Compared) and not isinstance(part.limit, str):
                kind = vocabulary.get(part.figure.name)
                far = abs(part.limit) > FARTHEST_RATIO and not part.unit and not _changes_unit(part)
                if kind is not None and kind.unit == "ratio" and far:
                    found.append(
                        f"{field}: {part}: {part.limit:g} is {100 * part.limit:g} %; is {part.limit:g} % meant?"
                    )
    if rule.keep_firing_for == 0 and rule.clears is None and rule.for_ == 0:
        found.append("for: it fires and ends with each single value; say how long it must hold")
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what to write instead of a word: "Did you mean …?", empty where nothing is near."""
    match = difflib.get_close_matches(word, [*known], n=1, cutoff=0.5)
    return f"Did you mean {match[0]}?" if match else ""


def _expressions(rule: Rule) -> Iterator[tuple[str, Expression]]:
    for severity, expression in rule.conditions:
        yield f"levels.{severity.word}" if rule.levels else "when", expression
    if rule.clears is not None:
        yield "clear", rule.clears


def _parts(expression: Expression) -> Iterator[Compared | Absent]:
    match expression:
        case Not():
            yield from _parts(expression.of)
        case All() | OneOf():
            for each in expression.of:
                yield from _parts(each)
        case _:
            yield expression


def _check(part: Compared | Absent, vocabulary: Vocabulary, check_figure: CheckFigure) -> None:
    figure = part.figure
    kind = vocabulary.get(figure.name)
    if kind is None:
        instead = nearest(figure.name, vocabulary) or "docs/metrics.md and docs/rules.md have all."
        exporters = "What an exporter or a program names is listed under metrics of the file."
        raise RuleRejected("when", f"there is no figure {figure.name}", f"{instead} {exporters}")
    _check_labels(figure, kind)
    if figure.window and kind.of is not Of.PORTFOLIO:
        fix = "Write avg(x, 5 min), or leave [ ] out."
        raise RuleRejected("when", f"{figure}: only figures of portfolios have a window", fix)
    if kind.of is Of.PORTFOLIO:
        check_figure(figure)
    if isinstance(part, Compared):
        if isinstance(part.operand, Worked):
            _check_work(part.operand, kind)
        _check_limit(part, kind)


def _check_labels(figure: Figure, kind: FigureKind) -> None:
    for matcher in figure.matchers:
        if kind.labels is not None and matcher.label not in kind.labels:
            instead = nearest(matcher.label, kind.labels)
            there = f"It has {_listed(kind.labels)}." if kind.labels else "It has none."
            reason = f"{figure.name} has no label {matcher.label}"
            raise RuleRejected("when", reason, f"{instead} {there}".strip())


def _check_work(operand: Worked, kind: FigureKind) -> None:
    if kind.of is not Of.COLLECTED:
        raise RuleRejected("when", f"{operand}: only metrics that are collected are worked on over time")
    if operand.work == "zscore":
        fewest, most = ZSCORE_WEEKS
        if not fewest * WEEK_SECONDS <= operand.seconds <= most * WEEK_SECONDS:
            reason = f"{operand}: the same hour of past weeks needs {fewest} to {most} weeks"
            raise RuleRejected("when", reason, "Write zscore(x, 4 w).")
    elif not SHORTEST_SECONDS <= operand.seconds <= LONGEST_SECONDS:
        raise RuleRejected("when", f"{operand}: {operand.written} is not between 10 s and 31 d")


def _check_limit(part: Compared, kind: FigureKind) -> None:
    if isinstance(part.limit, str):
        if kind.unit != STATE:
            raise RuleRejected("when", f"{part}: {part.figure.name} is a number, not a word", "Compare it with one.")
        if part.limit == Status.UNKNOWN.value:
            fix = f"Write absent({part.figure})."
            raise RuleRejected("when", f"{part}: what is unknown is no state, there are no data", fix)
        if part.limit not in WORDS:
            there = f"There are {_listed(WORDS)}."
            reason = f"{part}: there is no state {part.limit}"
            raise RuleRejected("when", reason, f"{nearest(part.limit, WORDS)} {there}".strip())
        return
    if kind.unit == STATE:
        raise RuleRejected("when", f"{part}: it is a state, not a number", f"Compare it with {_listed(WORDS)}.")
    if part.unit and not _fits(part, kind):
        units = [name for name, (_, of) in UNITS.items() if of == _unit(kind)]
        fix = f"Write {_listed(units)}." if units and not _changes_unit(part) else "Write the number alone."
        raise RuleRejected("when", f"{part}: {part.figure.name} is not measured in {part.unit}", fix)


def _fits(part: Compared, kind: FigureKind) -> bool:
    return not _changes_unit(part) and UNITS[part.unit][1] == _unit(kind)


def _unit(kind: FigureKind) -> str:
    """Return the unit of a limit; what is a second is left out: `> 10 MB` of bytes a second."""
    return "bytes" if kind.unit == "bytes/s" else kind.unit


def _changes_unit(part: Compared) -> bool:
    """Return whether the work makes a number without a unit of it."""
    return isinstance(part.operand, Worked) and part.operand.work == "zscore"


def _check_message(rule: Rule, vocabulary: Vocabulary) -> None:
    kinds = [vocabulary[name] for name in rule.figures]
    if any(kind.labels is None for kind in kinds):
        return
    known = {*SAID, *rule.labels, *rule.figures[:1], *(label for kind in kinds for label in kind.labels or ())}
    for _, field, _, _ in string.Formatter().parse(rule.message):
        if field is not None and field not in known:
            there = f"There are {_listed(sorted(known))}."
            raise RuleRejected("message", f"{{{field}}} is not known", f"{nearest(field, known)} {there}".strip())


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
