"""Which alerts, rules and silences somebody may see who is limited to some portfolios.

An alert is about a portfolio where it has the label `portfolio`, and about an own one unless its label `origin` says
another. What is about none all see. An incident is seen by who sees one of its alerts, with those alone, and is acted
on by who sees all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from core.alerts.expression import Matcher, figures_of
from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert, OpenIncident
from portfolio.allowed import Limits, own_ids
from portfolio.withheld import why_for
from storage.state.alerts import HistoryRow
from storage.state.portfolios import OWN, list_portfolios

if TYPE_CHECKING:
    from core.alerts.rule import Rule
    from storage.stores import Stores

PORTFOLIO, ORIGIN, COMPONENT = "portfolio", "origin", "component"


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see of alerts."""

    limits: Limits
    ids: frozenset[str] | None
    """Of the own portfolios that may be seen; None: every one."""

    def sees(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert of these labels may be seen."""
        id = labels.get(PORTFOLIO, "")
        if self.ids is None or not id:
            return True
        origin, _, rest = id.rpartition(":")
        if (origin or labels.get(ORIGIN, OWN)) != OWN:
            return True
        return rest in self.ids

    def names_hidden(self, matchers: Iterable[Matcher]) -> bool:
        """Return whether matchers name portfolios that may not be seen, or may mean one."""
        return self.ids is not None and any(
            each.label == PORTFOLIO and (each.operator != "=" or each.value.rpartition(":")[2] not in self.ids)
            for each in matchers
        )

    def sees_rule(self, rule: Rule) -> bool:
        """Return whether a rule may be seen: it names no portfolio that may not be."""
        expressions = [each for _, each in rule.conditions] + ([rule.clears] if rule.clears else [])
        matchers = [matcher for each in expressions for figure in figures_of(each) for matcher in figure.matchers]
        return self.sees(rule.labels) and not self.names_hidden(matchers)

    def alerts(self, firing: Iterable[FiringAlert]) -> list[FiringAlert]:
        """Return the alerts that may be seen, as they may be read."""
        if self.ids is None:
            return [*firing]
        told = [(each, orjson.loads(each.labels)) for each in firing]
        return [
            replace(each, text=why_for(labels.get(COMPONENT, ""), each.text, self.limits))
            for each, labels in told
            if self.sees(labels)
        ]

    def incidents(self, known: Iterable[OpenIncident], seen: Iterable[FiringAlert]) -> list[OpenIncident]:
        """Return the incidents that may be seen, as by their alerts that may be; `seen`: of `alerts`."""
        if self.ids is None:
            return [*known]
        of: defaultdict[int, list[FiringAlert]] = defaultdict(list)
        for each in seen:
            of[each.incident].append(each)
        return [_told(each, of[each.incident]) for each in known if of[each.incident]]

    def history(self, row: HistoryRow) -> HistoryRow | None:
        """Return something that happened as it may be read; None: it may not be.

        Who is limited is not told what was done with incidents: those may have been about other portfolios too.
        """
        if self.ids is None:
            return row
        labels = orjson.loads(row.labels)
        if row.incident or not self.sees(labels):
            return None
        return replace(row, detail=why_for(labels.get(COMPONENT, ""), row.detail, self.limits))


def sight_of(stores: Stores, limits: Limits) -> Sight:
    """Return what somebody with these limits may see. Raises StorageUnavailable."""
    return Sight(limits, None if limits is None else own_ids(list_portfolios(stores.state), limits))


def _told(incident: OpenIncident, seen: Sequence[FiringAlert]) -> OpenIncident:
    severity = max(Severity[each.severity.upper()] for each in seen)
    return replace(incident, alerts=len(seen), severity=severity.word)
