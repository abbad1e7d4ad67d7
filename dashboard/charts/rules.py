"""Thresholds of rules on the charts of what they watch: a thin line that is labelled with the rule's name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.alerts.severity import Severity
from core.alerts.thresholds import Threshold, thresholds_of
from core.errors import StorageError
from core.metrics import MACHINE
from core.model import Labels
from dashboard.charts.timeseries import LimitLine
from portfolio.alerts import sight_of
from portfolio.rule_files import rule_set

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

MOST_LINES = 3
"""Of rules on a chart, the gravest: more would be no lines any more."""
COLOURS = {Severity.INFO: "@unknown", Severity.WARNING: "@warning"}


@dataclass(frozen=True, slots=True)
class RuleLines:
    """What rules compare each metric with."""

    by_metric: Mapping[str, Sequence[Threshold]] = field(default_factory=dict)
    machine: str = ""
    """Of which the charts are; empty: what they show is of no machine."""

    def beside(
        self, own: Sequence[LimitLine], shown: Mapping[str, Iterable[Labels]], by: float = 1.0
    ) -> list[LimitLine]:
        """Return the lines of a chart with those of rules about its series; where one stands already, there is one.

        own: what the chart draws by itself. shown: by metric, the labels of the series that it draws. by: what it
        divides the base unit by.
        """
        drawn = [*own]
        found = [
            each
            for metric, series in shown.items()
            for each in self.by_metric.get(metric, ())
            if each.is_of(self._as_rules_see(series))
        ]
        for each in sorted(found, key=lambda one: one.severity)[-MOST_LINES:]:
            value = each.value / by
            if not any(math.isclose(value, line.value, rel_tol=1e-6) for line in drawn):
                drawn.append(LimitLine(value, each.title, COLOURS.get(each.severity, "@critical")))
        return drawn

    def _as_rules_see(self, series: Iterable[Labels]) -> list[Labels]:
        of_machine = ((MACHINE, self.machine),) if self.machine else ()
        return [(*each, *of_machine) for each in series]


NO_RULES = RuleLines()


def rule_lines(stores: Stores, limits: Limits, machine: str = "") -> RuleLines:
    """Return what the rules in force compare metrics with, of those that may be told.

    None while it is not known what may be: a chart does without. machine: of which the charts are, if they are of one.
    """
    try:
        sight = sight_of(stores, limits)
    except StorageError:
        return NO_RULES
    found = thresholds_of(each for each in rule_set(stores).in_force() if sight.sees_rule(each))
    return RuleLines(found, machine)
