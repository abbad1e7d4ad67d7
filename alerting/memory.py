"""What the engine has in memory of conditions and incidents, to be looked up: what the state database holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from alerting.changes import Changes, Known
from alerting.incidents import Incident, Stage
from core.alerts.rule import Rule
from core.model import Labels

Rules = Mapping[str, Rule]
"""Those that are evaluated, by their names."""


class Memory:
    """It is as of the last tick: what a tick is about to change is in its `Changes` until that is written."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.series: defaultdict[str, dict[Labels, Known]] = defaultdict(dict)
        """The same, by rule and labels."""
        self.calm: defaultdict[str, set[Labels]] = defaultdict(set)
        """Of each rule the labels of what is calm (`Condition.is_calm`)."""
        self.firing: dict[str, Known] = {}
        self.groups: Mapping[str, str] = {}
        """Of what fires: a group stays what it was, whatever becomes of the routes meanwhile."""
        self.muted: Mapping[str, str] = {}
        self.incidents: dict[str, tuple[int, Incident]] = {}
        """Those that are open, by group."""
        self.by_hand: dict[str, Incident] = {}
        """Of groups of which something fires that a person has resolved: that incident."""

    def now(self, key: str, changes: Changes) -> Known | None:
        """Return a condition as it is after a tick; None: there is none of this key."""
        return changes.values.get(key) or changes.conditions.get(key) or self.known.get(key)

    def fires_now(self, rules: Rules, changes: Changes) -> dict[str, Known]:
        """Return what fires after a tick, of rules that are evaluated, by its keys."""
        gone = {*changes.gone}
        firing = {key: each for key, each in self.firing.items() if each.rule in rules and key not in gone}
        for key, each in changes.conditions.items():
            if each.condition.fires:
                firing[key] = each
            else:
                firing.pop(key, None)
        return {**firing, **changes.values}

    def is_worth_keeping(self, each: Known) -> bool:
        """Return whether a condition has to be written: not where only its value is another one."""
        before = self.known.get(each.key)
        return before is None or not before.condition.is_but_for_value(each.condition)

    def incidents_by_key(self, changes: Changes, ids: Sequence[int]) -> dict[str, int]:
        """Return of which incident each condition is part after a tick; what has just left one is still of that."""
        before = {key: id for id, known in self.incidents.values() for key in known.members}
        turned = zip(changes.turns, ids, strict=True)
        return before | {key: id for (_, _, turn), id in turned for key in turn.incident.members}

    def adopt(self, rules: Rules, changes: Changes, ids: Sequence[int]) -> None:
        """Take over what a tick has written. ids: of the incidents that turned, in their order."""
        for each in changes.conditions.values():
            self.remember(each, rules.get(each.rule))
        for key, each in changes.values.items():
            self.known[key] = self.firing[key] = self.series[each.rule][each.labels] = each
        for key in changes.gone:
            self._forget(key)
        self.groups, self.muted = changes.groups, changes.muted
        for group in changes.cleared:
            del self.by_hand[group]
        for (_, group, turn), id in zip(changes.turns, ids, strict=True):
            if turn.incident.stage is not Stage.CLOSED:
                self.incidents[group] = id, turn.incident
                continue
            self.incidents.pop(group, None)
            if turn.incident.closed_by:
                self.by_hand[group] = turn.incident

    def remember(self, each: Known, rule: Rule | None) -> None:
        """Take over a condition of a rule; None: that is not evaluated any more."""
        self.known[each.key] = each
        self.series[each.rule][each.labels] = each
        if each.condition.is_calm and rule is not None and each.condition.watched_series == rule.watches_for:
            self.calm[each.rule].add(each.labels)
        else:
            self.calm[each.rule].discard(each.labels)
        if each.condition.fires:
            self.firing[each.key] = each
        else:
            self.firing.pop(each.key, None)

    def _forget(self, key: str) -> None:
        gone = self.known.pop(key, None)
        self.firing.pop(key, None)
        if gone is not None:
            self.series[gone.rule].pop(gone.labels, None)
            self.calm[gone.rule].discard(gone.labels)
            if not self.series[gone.rule]:
                del self.series[gone.rule], self.calm[gone.rule]
