"""What fires, put together: which incident each condition is part of, and what became of those that are open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from alerting.asked import answered, refused
from alerting.changes import Changes, Firing
from alerting.incidents import Incident, Member, Turn, ignored, open_incident, tick
from alerting.memory import Memory, Rules
from core.alerts.conditions import Condition
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.format import first_of
from core.model import Labels
from storage.state.alert_requests import Request

Route = Callable[[Rule, Labels], tuple[str, Plan]]
"""Returns the group of a condition, and the plan of an incident that opens for it."""
Mute = Callable[[Rule, Labels, Condition], str]
"""Returns what keeps a condition from being told; empty: nothing."""
Inhibit = Callable[[Sequence[Firing]], Mapping[str, str]]
"""Returns what is not told because something else that fires is its cause: by its key, with the reason."""


def nothing_inhibited(firing: Sequence[Firing]) -> Mapping[str, str]:
    """Return that nothing has a cause."""
    return {}


@dataclass(frozen=True, slots=True)
class Grouping:
    """Where what fires belongs, and what keeps it quiet."""

    route: Route
    mute: Mute
    inhibit: Inhibit = nothing_inhibited

    def turn(
        self, memory: Memory, rules: Rules, asked: Sequence[Request], at: float, ahead: float, changes: Changes
    ) -> None:
        """Note in `changes` what became of every incident, those that open now included.

        asked: what people ask of incidents. at: the engine's time, of which the machine's clock is `ahead`.
        """
        firing = self._members_by_group(memory, rules, changes)
        for group, (id, known) in memory.incidents.items():
            mine = [each for each in asked if each.incident == id]
            turn = answered(known, mine, at, ahead, changes)
            why = first_of([*dict.fromkeys(changes.unproven[key] for key in known.members if key in changes.unproven)])
            members = firing.pop(group, {})
            is_unread = _is_unread(members, memory, changes, at)
            then = Turn(turn.incident) if is_unread else tick(turn.incident, members, at, why)
            if then.incident != known:
                incident = _with_earlier(memory.by_hand.get(group), then.incident)
                changes.turns.append((id, group, Turn(incident, (*turn.messages, *then.messages))))
        open_ids = {id for id, _ in memory.incidents.values()}
        refused([each for each in asked if each.incident not in open_ids], changes)
        for group, members in firing.items():
            if members:
                first = memory.now(next(iter(members)), changes)
                assert first is not None
                _, plan = self.route(rules[first.rule], first.labels)
                changes.turns.append((0, group, open_incident(plan, members, at, at + ahead)))

    def _members_by_group(self, memory: Memory, rules: Rules, changes: Changes) -> dict[str, dict[str, Member]]:
        """Return what fires now, group by group, without what a person has resolved and fires ever since."""
        firing = memory.fires_now(rules, changes)
        seen = [
            Firing(key, rule, each.labels, each.condition.severity or rule.conditions[-1][0])
            for key, each in firing.items()
            if (rule := rules[each.rule])
        ]
        inhibited = self.inhibit(seen)
        groups: dict[str, str] = {}
        muted: dict[str, str] = {}
        found: defaultdict[str, dict[str, Member]] = defaultdict(dict)
        for each in seen:
            group = memory.groups.get(each.key)
            if group is None:
                group, _ = self.route(each.rule, each.labels)
            groups[each.key] = group
            condition = firing[each.key].condition
            muted_by = self.mute(each.rule, each.labels, condition) or inhibited.get(each.key, "")
            if muted_by:
                muted[each.key] = muted_by
            found[group][each.key] = Member(each.severity, condition.fires_since or condition.since, muted_by)
        changes.groups, changes.muted = groups, muted
        for group, closed in memory.by_hand.items():
            members = found.get(group, {})
            held = ignored(closed, members)
            if not held:
                changes.cleared.append(group)
            for key in held:
                del members[key]
        return found


def _is_unread(members: Mapping[str, Member], memory: Memory, changes: Changes, at: float) -> bool:
    """Return whether nothing of what fires was read yet, just after a start: nobody is reminded of what may be over."""
    found = (memory.now(key, changes) for key in members)
    return bool(members) and all(
        each is not None and each.condition.is_stale and at < each.condition.grace_until for each in found
    )


def _with_earlier(earlier: Incident | None, incident: Incident) -> Incident:
    """Return an incident, if a person resolved it, with what he had resolved of its group before."""
    if not incident.closed_by or earlier is None:
        return incident
    return replace(incident, members={**earlier.members, **incident.members})
