"""Thresholds of rules on the charts of what they watch: a thin line that is labelled with the rule's name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.alerts.severity import Severity
from core.alerts.thresholds import Threshold, thresholds_of
from core.errors import StorageError
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

    def beside(self, own: Sequence[LimitLine], metrics: Iterable[str], by: float = 1.0) -> list[LimitLine]:
        """Return the lines of a chart with those of rules about its metrics; where one stands already, there is one.

        own: what the chart draws by itself. by: what it divides the base unit by.
        """
        drawn = [*own]
        found = [each for metric in metrics for each in self.by_metric.get(metric, ())]
        for each in sorted(found, key=lambda one: one.severity)[-MOST_LINES:]:
            value = each.value / by
            if not any(math.isclose(value, line.value, rel_tol=1e-6) for line in drawn):
                drawn.append(LimitLine(value, each.title, COLOURS.get(each.severity, "@critical")))
        return drawn


NO_RULES = RuleLines()


def rule_lines(stores: Stores, limits: Limits) -> RuleLines:
    """Return what the rules in force compare metrics with, of those that may be told.

    None while it is not known what may be: a chart does without.
    """
    try:
        sight = sight_of(stores, limits)
    except StorageError:
        return NO_RULES
    return RuleLines(thresholds_of(each for each in rule_set(stores).in_force() if sight.sees_rule(each)))
