"""One tick of alerting: rules that are due, what became of conditions and incidents, and all of it in one transaction.

What is in memory is what the state database holds: it is taken over after the transaction, never before.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import orjson
from pydantic import TypeAdapter

from alerting.asked import answered, refused
from alerting.changes import Changes, Firing, Known, key_of
from alerting.incidents import About, Incident, Member, Stage, Turn, ignored, open_incident, tick
from alerting.incidents import moved as incident_moved
from alerting.outbox import rows_of
from alerting.words import message_of
from core.alerts.conditions import (
    REMOVED,
    SWITCHED_OFF,
    Condition,
    News,
    Outcome,
    Phase,
    Step,
    edited,
    evaluated,
    jumped,
    moved,
    removed,
    restarted,
    why_forgotten,
)
from core.alerts.evaluate import Read
from core.alerts.figures import SENT_ALERT, awaited
from core.alerts.judge import Judged, failed, judge
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.clock import Clock
from core.errors import StorageError
from core.format import first_of
from core.model import Labels
from storage.state import alerts as kept
from storage.state.alert_requests import Request, answer_in, waiting_in
from storage.state.alerts import HistoryRow, KeptCondition, KeptIncident
from storage.state.database import State, Transaction

JUMP_SECONDS = 5.0
"""By so much the machine's clock may differ from the steady one before that counts as a jump."""
NO_DATA_YET, NO_DATA = "no data yet", "no data"
HURRY_SECONDS = 60.0
"""After the clock was set back what waits to be sent does not wait longer."""
CONDITIONS, INCIDENTS = TypeAdapter(Condition), TypeAdapter(Incident)

log = logging.getLogger(__name__)

Route = Callable[[Rule, Labels], tuple[str, Plan]]
"""Returns the group of a condition, and the plan of an incident that opens for it."""
Mute = Callable[[Rule, Labels, Condition], str]
"""Returns what keeps a condition from being told; empty: nothing."""
Inhibit = Callable[[Sequence[Firing]], Mapping[str, str]]
"""Returns what is not told because something else that fires is its cause: by its key, with the reason."""

Gone = Callable[[Rule, Labels], str]
"""Returns why labels that are not reported any more are gone on purpose; empty: nobody wanted that."""


def nothing_gone(rule: Rule, labels: Labels) -> str:
    """Return that nothing was taken away on purpose."""
    return ""


def nothing_inhibited(firing: Sequence[Firing]) -> Mapping[str, str]:
    """Return that nothing has a cause."""
    return {}


class Engine:
    """The one engine that runs. Its methods are called by one thread."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        read: Read,
        route: Route,
        mute: Mute,
        token: int,
        inhibit: Inhibit = nothing_inhibited,
        gone: Gone = nothing_gone,
    ) -> None:
        self._state = state
        self._clock = clock
        self._read = read
        self._route = route
        self._mute = mute
        self._inhibit = inhibit
        self._gone = gone
        self._token = token
        self._offset = clock.now() - clock.monotonic()
        self._wall_offset = self._offset
        self._rules: dict[str, Rule] = {}
        self._off: frozenset[str] = frozenset()
        """Rules that are there, and are not evaluated."""
        self._due: dict[str, float] = {}
        self._known: dict[str, Known] = {}
        self._series: defaultdict[str, dict[Labels, Known]] = defaultdict(dict)
        """The same, by rule and labels."""
        self._calm: defaultdict[str, set[Labels]] = defaultdict(set)
        """Of each rule the labels of what is calm (`Condition.is_calm`)."""
        self._firing: dict[str, Known] = {}
        self._groups: Mapping[str, str] = {}
        """Of what fires: a group stays what it was, whatever becomes of the routes meanwhile."""
        self._muted: Mapping[str, str] = {}
        self._incidents: dict[str, tuple[int, Incident]] = {}
        """Those that are open, by group."""
        self._by_hand: dict[str, Incident] = {}
        """Of groups of which something fires that a person has resolved: that incident."""
        self.costs_seconds: dict[str, float] = {}
        self.evaluated_at: dict[str, float] = {}
        """When each rule was evaluated last, by the engine's own time."""
        """What the last evaluation of each rule took."""
        self.problems: dict[str, str] = {}
        """Why the last evaluation of a rule failed."""
        self.has_happened = False
        """Whether the last tick wrote history."""
        self.has_turned = False
        """Whether the last tick changed an incident, so that there may be messages to send."""

    @property
    def ahead_seconds(self) -> float:
        """Return by how much the machine's clock is ahead of the engine's own time: it changes where that was set."""
        return self._wall_offset - self._offset

    @property
    def firing(self) -> Sequence[tuple[Known, Rule]]:
        """Return what fires, as of the last tick."""
        return [(each, rule) for each in self._firing.values() if (rule := self._rules.get(each.rule))]

    @property
    def conditions(self) -> Mapping[str, int]:
        """Return how many conditions are known of each rule."""
        return {name: len(self._series.get(name, ())) for name in self._rules}

    @property
    def pending(self) -> Mapping[str, int]:
        """Return how many conditions of each rule hold, not yet for long enough; rules without one are left out."""
        return Counter(each.rule for each in self._known.values() if each.condition.phase is Phase.PENDING)

    @property
    def lacking(self) -> Mapping[str, str]:
        """Return the rules of which nothing that they watch has data, as of their last evaluation, with what to say."""
        found = {}
        for name, rule in self._rules.items():
            series = self._series.get(name, {})
            # A Prometheus sends what fires, and nothing else.
            if name in self.costs_seconds and SENT_ALERT not in rule.figures:
                never = {awaited(figure) for figure in rule.figures}
                if series.keys() <= never:
                    found[name] = NO_DATA_YET
                elif all(each.condition.is_stale for each in series.values()):
                    found[name] = NO_DATA
        return found

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """Return the incidents that are open, by their ids."""
        return dict(self._incidents.values())

    @property
    def groups(self) -> Mapping[int, str]:
        """Return the groups of the incidents that are open, by their ids."""
        return {id: group for group, (id, _) in self._incidents.items()}

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Return the rules that are evaluated, by their names."""
        return self._rules

    def muted_by(self, key: str) -> str:
        """Return what keeps a condition that fires from being told, also where it is part of no incident."""
        return self._muted.get(key, "")

    def incident_of(self, key: str) -> tuple[int, Incident] | None:
        """Return the open incident that a condition is part of, with its id; None: it is part of none."""
        found = self._incidents.get(self._groups.get(key, ""))
        return found if found and key in found[1].members else None

    def start(self, rules: Sequence[Rule]) -> None:
        """Take over, and take up what was known as of when an engine last ticked.

        Raises StorageUnavailable, and Overtaken: a later engine has begun.
        """
        at = self.steady()
        with self._state.begin() as connection:
            last, last_steady = kept.last_tick(connection)
            kept.claim(connection, self._token)
            conditions = kept.read_conditions(connection)
            incidents = kept.read_incidents(connection)
            resolved = kept.read_resolved(connection)
            if last and abs(last - last_steady) > JUMP_SECONDS:
                conditions, incidents, resolved = _moved(
                    connection, conditions, incidents, resolved, last - last_steady
                )
        last = last or at
        timings = {rule.name: rule.timing for rule in rules}
        self.use(rules)
        for row in conditions:
            labels = tuple((str(name), str(value)) for name, value in orjson.loads(row.labels))
            condition = CONDITIONS.validate_json(row.body)
            if row.rule in timings:
                condition = restarted(condition, at, max(0.0, at - last), timings[row.rule])
            self._remember(Known(row.rule, labels, condition, row.key))
        for each in incidents:
            incident = INCIDENTS.validate_json(each.body)
            # An earlier version kept the time by which people know it beside it alone.
            self._incidents[each.group] = each.id, replace(incident, began_at=incident.began_at or each.opened_at)
        self._by_hand = {each.group: INCIDENTS.validate_json(each.body) for each in resolved}
        firing = self._as_members()
        self._groups = {
            **{key: group for group, closed in self._by_hand.items() for key in ignored(closed, firing)},
            **{key: group for group, (_, known) in self._incidents.items() for key in known.members},
        }

    def _as_members(self) -> dict[str, Member]:
        """Return what fires as members that nothing keeps quiet."""
        return {
            key: Member(each.condition.severity or Severity.INFO, each.condition.since)
            for key, each in self._firing.items()
        }

    def use(self, rules: Sequence[Rule]) -> None:
        """Take these rules from the next tick on: those that are gone, or are off, resolve what they had told."""
        before = self._rules
        self._rules = {rule.name: rule for rule in rules if rule.is_enabled}
        self._off = frozenset(rule.name for rule in rules if not rule.is_enabled)
        for name, rule in self._rules.items():
            if name in before and before[name].watches_for != rule.watches_for:
                # All is looked at once: of what is still reported that is written down.
                self._calm.pop(name, None)
        self._due = {name: self._due.get(name, 0.0) for name in self._rules}
        for name in (self.costs_seconds.keys() | self.problems.keys()) - self._rules.keys():
            self.costs_seconds.pop(name, None)
            self.evaluated_at.pop(name, None)
            self.problems.pop(name, None)

    def steady(self) -> float:
        """Return the engine's own time, in epoch seconds as of its start."""
        return self._clock.monotonic() + self._offset

    def tick(self) -> int:
        """Evaluate what is due and return how many rules that were.

        Raises StorageUnavailable (nothing has changed: the next tick does it again) and Overtaken.
        """
        at = self.steady()
        changes = Changes()
        with self._state.reading() as connection:
            asked = waiting_in(connection)
        self._notice_jump(at, changes)
        self._drop_removed(at, changes)
        due = [rule for name, rule in self._rules.items() if self._due[name] <= at]
        for rule in due:
            self._evaluate(rule, at, changes)
        self._turn_incidents(asked, at, changes)
        with self._state.begin() as connection:
            kept.check_token(connection, self._token, at + self.ahead_seconds, at)
            ids = self._write(connection, at, changes)
        self._adopt(changes, ids)
        for rule in due:
            self._due[rule.name] = at + rule.every
            self.evaluated_at[rule.name] = at
        return len(due)

    def _now(self, key: str, changes: Changes) -> Known | None:
        return changes.values.get(key) or changes.conditions.get(key) or self._known.get(key)

    def _notice_jump(self, at: float, changes: Changes) -> None:
        wall = self._clock.now() - self._clock.monotonic()
        if abs(wall - self._wall_offset) <= JUMP_SECONDS:
            return
        detail = f"the clock was set by {wall - self._wall_offset:+.0f} s"
        changes.went_back = wall < self._wall_offset
        self._wall_offset = wall
        changes.history.append(HistoryRow(at, "clock_jump", detail=detail))
        for key, each in self._known.items():
            if each.rule in self._rules:
                changes.conditions[key] = each.turned(jumped(each.now, at, self._rules[each.rule].timing))

    def _drop_removed(self, at: float, changes: Changes) -> None:
        for name in self._series.keys() - self._rules.keys():
            why = SWITCHED_OFF if name in self._off else REMOVED
            for each in self._series[name].values():
                self._drop(each, removed(each.condition, at, why), at, changes)

    def _drop(self, each: Known, step: Step, at: float, changes: Changes) -> None:
        self._tell(each, step, at, changes)
        changes.conditions.pop(each.key, None)
        changes.gone.append(each.key)

    def _evaluate(self, rule: Rule, at: float, changes: Changes) -> None:
        began = time.perf_counter()
        gone: dict[Labels, str] = {}
        series = self._series[rule.name]
        try:
            found = judge(rule, self._read, series.keys(), at, self._calm[rule.name])
            gone = {each.labels: self._gone(rule, each.labels) for each in found if each.is_missing}
            self.problems.pop(rule.name, None)
        except StorageError as error:
            found = self._failed(rule, str(error), at)
        except Exception as error:  # one rule that cannot be evaluated blinds no other one
            if rule.name not in self.problems:
                log.exception("rule %s cannot be evaluated", rule.name)
            found = self._failed(rule, f"{type(error).__name__}: {error}", at)
        timing = rule.timing if found else None
        for each in found:
            assert timing is not None
            known = series.get(each.labels)
            if known is None:
                new = Condition(since=at, known_since=at)
                known = Known(rule.name, each.labels, new, key_of(rule.name, each.labels))
            known = changes.conditions.get(known.key, known)
            if each.is_missing and (why := gone[each.labels] or self._why_forgotten(known, rule, at)):
                self._drop(known, removed(known.condition, at, why), at, changes)
                continue
            is_reported = not each.is_missing and each.evaluation.outcome is not Outcome.ERROR
            if is_reported and known.condition.watched_for != rule.watches_for:
                known = known.turned(replace(known.now, watched_for=rule.watches_for))
            elif known.condition.goes_on(each.evaluation, timing):
                changes.values[known.key] = known.seen(each.evaluation)
                continue
            longer = edited(known.now, at, timing)
            if longer.news:
                self._tell(known, longer, at, changes)
            step = evaluated(longer.condition, each.evaluation, timing)
            self._tell(known, step, at, changes)
        self.costs_seconds[rule.name] = time.perf_counter() - began

    def _why_forgotten(self, each: Known, rule: Rule, at: float) -> str:
        group = self._groups.get(each.key, "")
        _, open_one = self._incidents.get(group, (0, None))
        resolved = self._by_hand.get(group)
        is_acknowledged = open_one is not None and open_one.is_held
        is_in_hand = is_acknowledged or (resolved is not None and each.key in resolved.members)
        return why_forgotten(each.condition, rule.watches_for, at, rule.timing, is_in_hand)

    def _failed(self, rule: Rule, why: str, at: float) -> list[Judged]:
        self.problems[rule.name] = why
        return failed(rule, self._series[rule.name].keys(), why, at)

    def _tell(self, known: Known, step: Step, at: float, changes: Changes) -> None:
        """Note what became of a condition, and write down what is news of it."""
        changes.conditions[known.key] = known.turned(step.condition)
        worth = [news for news in step.news if news is not News.MOVED]
        if not worth:
            return
        severity = step.condition.severity or known.condition.severity
        rule = self._rules.get(known.rule)
        # Of what held for a moment is told what did.
        of = known.condition if News.NEAR_MISS in step.news else step.condition
        detail = message_of(rule, known.labels, of) if rule else of.why
        labels = orjson.dumps(dict(known.labels)).decode()
        word = severity.word if severity else ""
        changes.history += [HistoryRow(at, news.value, known.rule, labels, word, detail=detail) for news in worth]

    def _turn_incidents(self, asked: Sequence[Request], at: float, changes: Changes) -> None:
        firing = self._members_by_group(changes)
        for group, (id, known) in self._incidents.items():
            mine = [each for each in asked if each.incident == id]
            turn = answered(known, mine, at, self.ahead_seconds, changes)
            then = tick(turn.incident, firing.pop(group, {}), at)
            if then.incident != known:
                incident = self._with_earlier(group, then.incident)
                changes.turns.append((id, group, Turn(incident, (*turn.messages, *then.messages))))
        open_ids = {id for id, _ in self._incidents.values()}
        refused([each for each in asked if each.incident not in open_ids], changes)
        for group, members in firing.items():
            if members:
                first = self._now(next(iter(members)), changes)
                assert first is not None
                _, plan = self._route(self._rules[first.rule], first.labels)
                changes.turns.append((0, group, open_incident(plan, members, at, at + self.ahead_seconds)))

    def _with_earlier(self, group: str, incident: Incident) -> Incident:
        """Return an incident, if a person resolved it, with what he had resolved of its group before."""
        earlier = self._by_hand.get(group)
        if not incident.closed_by or earlier is None:
            return incident
        return replace(incident, members={**earlier.members, **incident.members})

    def _members_by_group(self, changes: Changes) -> dict[str, dict[str, Member]]:
        """Return what fires now, group by group, without what a person has resolved and fires ever since."""
        firing = self._fires_now(changes)
        seen = [
            Firing(key, rule, each.labels, each.condition.severity or rule.conditions[-1][0])
            for key, each in firing.items()
            if (rule := self._rules[each.rule])
        ]
        inhibited = self._inhibit(seen)
        groups: dict[str, str] = {}
        muted: dict[str, str] = {}
        found: defaultdict[str, dict[str, Member]] = defaultdict(dict)
        for each in seen:
            group = self._groups.get(each.key)
            if group is None:
                group, _ = self._route(each.rule, each.labels)
            groups[each.key] = group
            condition = firing[each.key].condition
            muted_by = self._mute(each.rule, each.labels, condition) or inhibited.get(each.key, "")
            if muted_by:
                muted[each.key] = muted_by
            found[group][each.key] = Member(each.severity, condition.since, muted_by)
        changes.groups, changes.muted = groups, muted
        for group, closed in self._by_hand.items():
            members = found.get(group, {})
            held = ignored(closed, members)
            if not held:
                changes.cleared.append(group)
            for key in held:
                del members[key]
        return found

    def _fires_now(self, changes: Changes) -> dict[str, Known]:
        gone = {*changes.gone}
        firing = {key: each for key, each in self._firing.items() if each.rule in self._rules and key not in gone}
        for key, each in changes.conditions.items():
            if each.condition.fires:
                firing[key] = each
            else:
                firing.pop(key, None)
        return {**firing, **changes.values}

    def _write(self, connection: Transaction, at: float, changes: Changes) -> list[int]:
        """Write everything and return the ids of the incidents that turned."""
        # Who reads these rows has the machine's clock, which may have been set since the engine's began.
        now, ahead = self._clock.now(), self.ahead_seconds
        if changes.went_back:
            kept.hurry_messages(connection, now + HURRY_SECONDS)
        rows = [_kept(each) for key, each in changes.conditions.items() if self._is_worth_keeping(key, each)]
        kept.write_conditions(connection, rows, changes.gone)
        ids = []
        for id, group, turn in changes.turns:
            ids.append(kept.write_incident(connection, _kept_incident(id, group, turn.incident, ahead)))
            messages = rows_of(
                ids[-1], turn, now, ahead, lambda key: self._now(key, changes), self._rules,
                partial(kept.messages_of, connection, id),
            )  # fmt: skip
            kept.add_messages(connection, messages)
            further = [each for each in turn.messages if each.about in (About.ESCALATED, About.EXHAUSTED)]
            changes.history += [
                HistoryRow(at, each.about.value, incident=ids[-1], detail=first_of(each.receivers)) for each in further
            ]
        for answer in changes.answers:
            answer_in(connection, answer.request, answer.why_not, now)
        of = self._incidents_by_key(changes, ids) if changes.history else {}
        history = [replace(each, incident=_incident_of(each, of)) for each in changes.history]
        kept.add_history(connection, history, now - at)
        return ids

    def _incidents_by_key(self, changes: Changes, ids: Sequence[int]) -> dict[str, int]:
        """Return of which incident each condition is part, as of now; what has just left one is still of that."""
        before = {key: id for id, known in self._incidents.values() for key in known.members}
        turned = zip(changes.turns, ids, strict=True)
        return before | {key: id for (_, _, turn), id in turned for key in turn.incident.members}

    def _is_worth_keeping(self, key: str, each: Known) -> bool:
        """Return whether a condition has to be written: not where only its value is another one."""
        before = self._known.get(key)
        return before is None or not before.condition.is_but_for_value(each.condition)

    def _adopt(self, changes: Changes, ids: Sequence[int]) -> None:
        for each in changes.conditions.values():
            self._remember(each)
        for key, each in changes.values.items():
            self._known[key] = self._firing[key] = self._series[each.rule][each.labels] = each
        for key in changes.gone:
            self._forget(key)
        self._groups, self._muted = changes.groups, changes.muted
        for group in changes.cleared:
            del self._by_hand[group]
        self.has_turned, self.has_happened = bool(changes.turns), bool(changes.history)
        for (_, group, turn), id in zip(changes.turns, ids, strict=True):
            if turn.incident.stage is not Stage.CLOSED:
                self._incidents[group] = id, turn.incident
                continue
            self._incidents.pop(group, None)
            if turn.incident.closed_by:
                self._by_hand[group] = turn.incident

    def _remember(self, each: Known) -> None:
        self._known[each.key] = each
        self._series[each.rule][each.labels] = each
        rule = self._rules.get(each.rule)
        if each.condition.is_calm and rule is not None and each.condition.watched_for == rule.watches_for:
            self._calm[each.rule].add(each.labels)
        else:
            self._calm[each.rule].discard(each.labels)
        if each.condition.fires:
            self._firing[each.key] = each
        else:
            self._firing.pop(each.key, None)

    def _forget(self, key: str) -> None:
        gone = self._known.pop(key, None)
        self._firing.pop(key, None)
        if gone is not None:
            self._series[gone.rule].pop(gone.labels, None)
            self._calm[gone.rule].discard(gone.labels)
            if not self._series[gone.rule]:
                del self._series[gone.rule], self._calm[gone.rule]


def _moved(
    connection: Transaction,
    conditions: Sequence[KeptCondition],
    incidents: Sequence[KeptIncident],
    resolved: Sequence[KeptIncident],
    seconds: float,
) -> tuple[list[KeptCondition], list[KeptIncident], list[KeptIncident]]:
    """Keep all with times that are later by so much, and return it so: the clock was set while the last engine ran."""
    moved_conditions = [
        replace(each, body=CONDITIONS.dump_json(moved(CONDITIONS.validate_json(each.body), seconds)).decode())
        for each in conditions
    ]
    kept.times_are_moved(connection)
    kept.write_conditions(connection, moved_conditions)
    of_both = [
        [
            replace(
                each, body=INCIDENTS.dump_json(incident_moved(INCIDENTS.validate_json(each.body), seconds)).decode()
            )
            for each in some
        ]
        for some in (incidents, resolved)
    ]
    for each in (*of_both[0], *of_both[1]):
        kept.write_incident(connection, each)
    return moved_conditions, of_both[0], of_both[1]


def _kept_incident(id: int, group: str, known: Incident, ahead: float) -> KeptIncident:
    """Return the row of an incident: its body has the engine's time, its columns are epoch seconds."""
    body = INCIDENTS.dump_json(known).decode()
    closed_at = None if known.closed_at is None else known.closed_at + ahead
    return KeptIncident(group, known.stage.value, known.began_at, closed_at, body, id, known.closed_by, known.severity)


def _incident_of(row: HistoryRow, incidents: Mapping[str, int]) -> int:
    """Return the incident of a row: its own, or that of the condition that it is about; 0: none."""
    if row.incident or not row.rule:
        return row.incident
    return incidents.get(key_of(row.rule, tuple(orjson.loads(row.labels).items())), 0)


def _kept(each: Known) -> KeptCondition:
    body = CONDITIONS.dump_json(each.condition).decode()
    return KeptCondition(each.key, each.rule, orjson.dumps(each.labels).decode(), body)
