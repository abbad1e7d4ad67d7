"""Where rules draw a line: the values that they compare a figure with, for charts of that figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.alerts.expression import Compared, Figure, Matcher
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels


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
