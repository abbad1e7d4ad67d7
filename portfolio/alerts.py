"""Which alerts, rules and silences somebody is told of who may see some portfolios alone.

An alert of a portfolio is told to those who may see it. What a rule of the fund's own is called and says may name any
portfolio: without a label that says of which it is, it is told to those who may see every one. An incident is seen by
who sees one of its alerts, with those alone, and is acted on by who sees all of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from core.alerts.expression import Matcher
from core.alerts.rule import Rule
from core.alerts.rule_set import SHIPPED
from core.alerts.sent import RULE as SENT
from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert, OpenIncident, RuleCost
from core.readiness import READINESS
from portfolio.allowed import Limits, own_ids
from portfolio.rule_files import rule_set
from portfolio.withheld import WITHHELD, is_naming
from storage.state.alerts import HistoryRow
from storage.state.portfolios import NOT_TRADED, OWN, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

PORTFOLIO, ORIGIN, COMPONENT = "portfolio", "origin", "component"
"""Labels of an alert that say which portfolio it is of, or which component."""
MUTED = "muted"
HIDDEN_BY = "hidden by "
"""What `muted_by` begins with where another alert is named."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may be told of alerts."""

    portfolios: frozenset[str] | None
    """Ids of the own ones that may be seen; None: every one."""
    shipped: frozenset[str] = frozenset()
    """Rules that are as they come with Fundwatch."""

    @property
    def is_whole(self) -> bool:
        """Whether everything may be told."""
        return self.portfolios is None

    def sees(self, rule: str, labels: Mapping[str, str]) -> bool:
        """Return whether an alert of a rule with these labels may be told."""
        if self.portfolios is None:
            return True
        portfolio = labels.get(PORTFOLIO, "")
        if not portfolio:
            # Whether the whole fund may trade is told to those who may see all of it.
            return rule in self.shipped and labels.get("collector") != READINESS
        origin, _, id = portfolio.rpartition(":")
        # What a program or a Prometheus calls an origin is its own word.
        is_of_sample = rule != SENT and (origin or labels.get(ORIGIN, OWN)) in NOT_TRADED
        return is_of_sample or id in self.portfolios

    def sees_rule(self, rule: Rule) -> bool:
        """Return whether a rule may be told: of the fund's own none may."""
        return self.is_whole or rule.name in self.shipped

    def names_hidden(self, matchers: Iterable[Matcher]) -> bool:
        """Return whether a silence or a maintenance window of these matchers may be about portfolios that are hidden.

        It is not where it says which one it is about, and that one may be seen: all else of it may name any.
        """
        seen = self.portfolios
        return seen is not None and not any(
            each.label == PORTFOLIO and each.operator == "=" and each.value.rpartition(":")[2] in seen
            for each in matchers
        )

    def acts_on(self, incident: int, known: Iterable[OpenIncident], seen: Iterable[FiringAlert]) -> bool:
        """Return whether somebody may act on an incident: on one whose alerts may all be seen.

        known: the open incidents as the engine tells them. seen: what `seen` returned.
        """
        if self.is_whole:
            return True
        whole = next((each.alerts for each in known if each.incident == incident), None)
        return whole is not None and sum(each.incident == incident for each in seen) == whole

    def seen(self, firing: Sequence[FiringAlert]) -> list[FiringAlert]:
        """Return the alerts that may be told, as they may be."""
        if self.is_whole:
            return [*firing]
        found = [(each, orjson.loads(each.labels)) for each in firing]
        return [_told(each, labels) for each, labels in found if self.sees(each.rule, labels)]

    def fires(self, rules: Iterable[RuleCost], firing: Sequence[FiringAlert]) -> dict[str, int | None]:
        """Return of each rule how many alerts fire that may be told; None: that is not known.

        Of more than a reading tells the gravest stand in it, and the rest is counted by rule.
        """
        if self.is_whole:
            return {each.rule: each.firing for each in rules}
        told, seen = (Counter(each.rule for each in some) for some in (firing, self.seen(firing)))
        return {
            each.rule: seen[each.rule] if seen[each.rule] or told[each.rule] >= each.firing else None for each in rules
        }

    def incidents(self, known: Iterable[OpenIncident], seen: Iterable[FiringAlert]) -> list[OpenIncident]:
        """Return the incidents that may be told, as by their alerts that may be; `seen`: of `seen`."""
        if self.is_whole:
            return [*known]
        of: defaultdict[int, list[FiringAlert]] = defaultdict(list)
        for each in seen:
            of[each.incident].append(each)
        return [_as_of(each, of[each.incident]) for each in known if of[each.incident]]

    def history(self, row: HistoryRow) -> HistoryRow | None:
        """Return something that happened as it may be told; None: it may not be.

        What was done with incidents is not told: those may have been about other portfolios too.
        """
        if self.is_whole:
            return row
        labels = orjson.loads(row.labels)
        if not row.is_of_alert or not self.sees(row.rule, labels):
            return None
        return replace(row, detail=self.sentence(labels, row.detail))

    def sentence(self, labels: Mapping[str, str], text: str) -> str:
        """Return what is said of an alert that may be told, as it may be: of some components the state alone."""
        return text if self.is_whole or not _names_others(labels) else WITHHELD


def sight_of(stores: Stores, limits: Limits) -> Sight:
    """Return what somebody with these limits may be told. Raises StorageUnavailable."""
    if limits is None:
        return Sight(None)
    rules = [each.rule.name for each in rule_set(stores).rules if each.file == SHIPPED]
    # What a Prometheus sends says whatever its own rules say.
    shipped = frozenset(rules) - {SENT}
    return Sight(own_ids(list_portfolios(stores.state), limits), shipped)


def _as_of(incident: OpenIncident, seen: Sequence[FiringAlert]) -> OpenIncident:
    severity = max(Severity.of(each.severity) for each in seen)
    # What mutes it may be another alert, or a silence, that names others.
    reason = MUTED if incident.reason.startswith(MUTED) else incident.reason
    return replace(incident, alerts=len(seen), severity=severity.word, reason=reason)


def _told(alert: FiringAlert, labels: Mapping[str, str]) -> FiringAlert:
    text = WITHHELD if _names_others(labels) else alert.text
    muted_by = f"{HIDDEN_BY}another alert" if alert.muted_by.startswith(HIDDEN_BY) else alert.muted_by
    return replace(alert, text=text, muted_by=muted_by)


def _names_others(labels: Mapping[str, str]) -> bool:
    return any(is_naming(labels.get(name, "")) for name in (COMPONENT, "collector"))
