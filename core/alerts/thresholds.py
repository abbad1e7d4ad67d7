"""Where rules draw a line: the values that they compare a figure with, for charts of that figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.alerts.expression import Compared, Figure, Matcher, Worked
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels

OF_SAME_UNIT = frozenset({"avg", "min", "max"})
"""Work on a figure that has the unit of the figure: its threshold is one of the figure's own course."""


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

    def is_of(self, series: Iterable[Labels]) -> bool:
        """Return whether one of these series at least is meant; what is of all of them is meant without any, too."""
        return not self.matchers or any(all_hold(self.matchers, dict(each)) for each in series)


def thresholds_of(rules: Iterable[Rule]) -> Mapping[str, tuple[Threshold, ...]]:
    """Return the thresholds of rules by the figure that they compare as it is, the gravest last.

    A rule of several figures, or of one that is worked on over a span, draws no line: what it compares is on no chart.
    """
    found: defaultdict[str, list[Threshold]] = defaultdict(list)
    for rule in rules:
        for severity, expression in rule.conditions:
            match expression:
                case Compared(operand=Figure(name=name, matchers=matchers), limit=limit) if not isinstance(limit, str):
                    found[name].append(Threshold(rule.title or rule.name, limit, severity, matchers))
    return {name: tuple(sorted(each, key=lambda one: one.severity)) for name, each in found.items()}


def charted(rule: Rule) -> Figure | None:
    """Return the figure whose course tells what a rule watches for; None: it is no single one beside a number."""
    operand = rule.only_operand
    if operand is None or not limits_of(rule):
        return None
    if isinstance(operand, Worked):
        return operand.figure if operand.work in OF_SAME_UNIT else None
    return operand


def limits_of(rule: Rule) -> list[float]:
    """Return the numbers that a rule compares with, the lowest first."""
    compared = [each for _, each in rule.conditions if isinstance(each, Compared)]
    return sorted({each.limit for each in compared if isinstance(each.limit, float)})


def limit_at(rule: Rule, severity: Severity) -> tuple[Figure | Worked, str, float] | None:
    """Return what a rule compares at a severity, how, and with which number; None: with none."""
    for of, each in rule.conditions:
        if of is severity and isinstance(each, Compared) and isinstance(each.limit, float):
            return each.operand, each.operator, each.limit
    return None
