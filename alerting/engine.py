"""One tick of alerting: rules that are due, what became of conditions and incidents, and all of it in one transaction.

What is in memory is what the state database holds: it is taken over after the transaction, never before.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson
from pydantic import TypeAdapter

from alerting.conditions import Condition, Evaluation, News, Step, edited, evaluated, jumped, removed, restarted
from alerting.evaluate import Read
from alerting.incidents import About, Incident, Member, Stage, Turn, ignored, open_incident, tick
from alerting.judge import failed, judge
from alerting.words import message_of, title_of
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.clock import Clock
from core.errors import StorageError
from core.model import Labels
from storage.state import alerts as kept
from storage.state.alerts import HistoryRow, KeptCondition, KeptIncident, KeptMessage, MessageStatus
from storage.state.database import State, Transaction

JUMP_SECONDS = 5.0
"""By so much the machine's clock may differ from the steady one before that counts as a jump."""
CONDITIONS, INCIDENTS = TypeAdapter(Condition), TypeAdapter(Incident)

Route = Callable[[Rule, Labels], tuple[str, Plan]]
"""Returns the group of a condition, and the plan of an incident that opens for it."""
Mute = Callable[[Rule, Labels, Condition], str]
"""Returns what keeps a condition from being told; empty: nothing."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A condition with what it is of."""

    rule: str
    labels: Labels
    condition: Condition

    @property
    def key(self) -> str:
        """Return what tells it from every other one."""
        return key_of(self.rule, self.labels)


@dataclass(slots=True)
class Changes:
    """What a tick is about to write."""

    conditions: dict[str, Known] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    turns: list[tuple[int, str, Turn]] = field(default_factory=list)
    """Id of the incident (0: a new one), its group, and what became of it."""
    history: list[HistoryRow] = field(default_factory=list)


def key_of(rule: str, labels: Labels) -> str:
    """Return what tells a condition of a rule from every other one."""
    return hashlib.blake2b(orjson.dumps([rule, labels]), digest_size=16).hexdigest()


class Engine:
    """The one engine that runs. Its methods are called by one thread."""

    def __init__(self, state: State, clock: Clock, read: Read, route: Route, mute: Mute, token: int) -> None:
        self._state = state
        self._clock = clock
        self._read = read
        self._route = route
        self._mute = mute
        self._token = token
        self._offset = clock.now() - clock.monotonic()
        self._wall_offset = self._offset
        self._rules: dict[str, Rule] = {}
        self._due: dict[str, float] = {}
        self._known: dict[str, Known] = {}
        self._labels: defaultdict[str, set[Labels]] = defaultdict(set)
        self._incidents: dict[str, tuple[int, Incident]] = {}
        """Those that are open, by group."""
        self._by_hand: dict[str, Incident] = {}
        """Of groups whose last incident a person resolved: that incident."""

    def start(self, rules: Sequence[Rule]) -> None:
        """Take up what was known, as of when an engine last ticked. Raises StorageUnavailable."""
        at = self.steady()
        with self._state.reading() as connection:
            conditions = kept.read_conditions(connection)
            incidents = kept.read_incidents(connection)
        last = kept.ticked_at(self._state) or at
        timings = {rule.name: rule.timing for rule in rules}
        for row in conditions:
            labels = tuple((str(name), str(value)) for name, value in orjson.loads(row.labels))
            condition = CONDITIONS.validate_json(row.body)
            if row.rule in timings:
                condition = restarted(condition, at, max(0.0, at - last), timings[row.rule])
            self._remember(Known(row.rule, labels, condition))
        for each in incidents:
            self._incidents[each.group] = each.id, INCIDENTS.validate_json(each.body)
        self.use(rules)

    def use(self, rules: Sequence[Rule]) -> None:
        """Take these rules from the next tick on: those that are gone, or are off, resolve what they had told."""
        self._rules = {rule.name: rule for rule in rules if rule.is_enabled}
        self._due = {name: self._due.get(name, 0.0) for name in self._rules}

    def steady(self) -> float:
        """Return the engine's own time, in epoch seconds as of its start."""
        return self._clock.monotonic() + self._offset

    def tick(self) -> int:
        """Evaluate what is due and return how many rules that were.

        Raises StorageUnavailable (nothing has changed: the next tick does it again) and Overtaken.
        """
        at = self.steady()
        changes = Changes()
        self._notice_jump(at, changes)
        self._drop_removed(at, changes)
        due = [rule for name, rule in self._rules.items() if self._due[name] <= at]
        for rule in due:
            self._evaluate(rule, at, changes)
        self._turn_incidents(at, changes)
        with self._state.begin() as connection:
            kept.check_token(connection, self._token, at)
            ids = self._write(connection, at, changes)
        self._adopt(changes, ids)
        for rule in due:
            self._due[rule.name] = at + rule.every
        return len(due)

    def _now(self, key: str, changes: Changes) -> Known | None:
        return changes.conditions.get(key) or self._known.get(key)

    def _notice_jump(self, at: float, changes: Changes) -> None:
        wall = self._clock.now() - self._clock.monotonic()
        if abs(wall - self._wall_offset) <= JUMP_SECONDS:
            return
        detail = f"the clock was set by {wall - self._wall_offset:+.0f} s"
        self._wall_offset = wall
        changes.history.append(HistoryRow(at, "clock_jump", detail=detail))
        for key, each in self._known.items():
            if each.rule in self._rules:
                condition = jumped(each.condition, at, self._rules[each.rule].timing)
                changes.conditions[key] = Known(each.rule, each.labels, condition)

    def _drop_removed(self, at: float, changes: Changes) -> None:
        for key, each in self._known.items():
            if each.rule not in self._rules:
                self._tell(each, removed(each.condition, at), at, changes)
                changes.conditions.pop(key, None)
                changes.gone.append(key)

    def _evaluate(self, rule: Rule, at: float, changes: Changes) -> None:
        labels = self._labels[rule.name]
        try:
            found = judge(rule, self._read, labels, at)
        except StorageError as error:
            found = failed(rule, labels, str(error), at)
        for each in found:
            key = key_of(rule.name, each.labels)
            known = self._now(key, changes) or Known(rule.name, each.labels, Condition(since=at))
            longer = edited(known.condition, at, rule.timing)
            if longer.news:
                self._tell(known, longer, at, changes)
            step = evaluated(longer.condition, each.evaluation, rule.timing)
            self._tell(known, step, at, changes, each.evaluation)

    def _tell(self, known: Known, step: Step, at: float, changes: Changes, found: Evaluation | None = None) -> None:
        """Note what became of a condition, and write down what is news of it."""
        changes.conditions[known.key] = Known(known.rule, known.labels, step.condition)
        severity = step.condition.severity or known.condition.severity
        rule = self._rules.get(known.rule)
        detail = message_of(rule, known.labels, step.condition) if rule else step.condition.why
        for news in step.news:
            if news is not News.MOVED:
                labels = orjson.dumps(dict(known.labels)).decode()
                word = severity.word if severity else ""
                changes.history.append(HistoryRow(at, news.value, known.rule, labels, word, detail=detail))

    def _turn_incidents(self, at: float, changes: Changes) -> None:
        firing: defaultdict[str, dict[str, Member]] = defaultdict(dict)
        plans: dict[str, Plan] = {}
        for key, each in ({**self._known, **changes.conditions}).items():
            rule = self._rules.get(each.rule)
            if rule is None or not each.condition.fires or key in changes.gone:
                continue
            group, plan = self._route(rule, each.labels)
            plans.setdefault(group, plan)
            severity = each.condition.severity or rule.conditions[-1][0]
            muted_by = self._mute(rule, each.labels, each.condition)
            firing[group][key] = Member(severity, each.condition.since, muted_by)
        for group, (id, known) in self._incidents.items():
            turn = tick(known, firing.pop(group, {}), at)
            if turn.incident != known:
                changes.turns.append((id, group, turn))
        for group, members in firing.items():
            closed = self._by_hand.get(group)
            held = ignored(closed, members) if closed else {}
            loud = {key: each for key, each in members.items() if key not in held}
            if loud:
                changes.turns.append((0, group, open_incident(plans[group], loud, at)))

    def _write(self, connection: Transaction, at: float, changes: Changes) -> list[int]:
        """Write everything and return the ids of the incidents that turned."""
        rows = [_kept(each) for key, each in changes.conditions.items() if self._is_worth_keeping(key, each, changes)]
        kept.write_conditions(connection, rows, changes.gone)
        ids = []
        for id, group, turn in changes.turns:
            body = INCIDENTS.dump_json(turn.incident).decode()
            incident = turn.incident
            row = KeptIncident(group, incident.stage.value, incident.opened_at, incident.closed_at, body, id)
            ids.append(kept.write_incident(connection, row))
            kept.add_messages(connection, self._messages(ids[-1], turn, at, changes))
            exhausted = [each for each in turn.messages if each.about is About.EXHAUSTED]
            changes.history += [HistoryRow(at, each.about.value, incident=ids[-1]) for each in exhausted]
        kept.add_history(connection, changes.history)
        return ids

    def _is_worth_keeping(self, key: str, each: Known, changes: Changes) -> bool:
        """Return whether a condition has to be written: not where only its value is another one."""
        if key in changes.gone:
            return False
        before = self._known.get(key)
        return before is None or _without_value(before.condition) != _without_value(each.condition)

    def _messages(self, id: int, turn: Turn, at: float, changes: Changes) -> list[KeptMessage]:
        body = orjson.dumps(self._told(turn.incident, changes)).decode()
        return [
            KeptMessage(
                id, each.number, receiver, each.about.value,
                MessageStatus.SUPPRESSED if each.muted_by else MessageStatus.QUEUED,
                at, at, body, each.muted_by,
            )
            for each in turn.messages
            for receiver in each.receivers
        ]  # fmt: skip

    def _told(self, incident: Incident, changes: Changes) -> Mapping[str, object]:
        """Return what a message tells, as it is now: a later one tells what is then."""
        members = []
        for key, member in incident.members.items():
            each = self._now(key, changes)
            rule = self._rules.get(each.rule) if each else None
            if each is None or rule is None:
                continue
            members.append(
                {
                    "rule": rule.name, "title": title_of(rule), "labels": dict(each.labels) | dict(rule.labels),
                    "severity": member.severity.word, "since": member.since, "value": each.condition.value,
                    "text": message_of(rule, each.labels, each.condition), "runbook": rule.runbook,
                    "category": rule.category.value, "muted_by": member.muted_by,
                }
            )  # fmt: skip
        who = incident.closed_by or incident.acknowledged_by
        return {"severity": incident.severity.word, "opened_at": incident.opened_at, "who": who, "members": members}

    def _adopt(self, changes: Changes, ids: Sequence[int]) -> None:
        for each in changes.conditions.values():
            self._remember(each)
        for key in changes.gone:
            if gone := self._known.pop(key, None):
                self._labels[gone.rule].discard(gone.labels)
        for (_, group, turn), id in zip(changes.turns, ids, strict=True):
            self._by_hand.pop(group, None)
            if turn.incident.stage is Stage.CLOSED:
                self._incidents.pop(group, None)
            else:
                self._incidents[group] = id, turn.incident

    def _remember(self, each: Known) -> None:
        self._known[each.key] = each
        self._labels[each.rule].add(each.labels)


def _without_value(condition: Condition) -> Condition:
    return replace(condition, value=None, why="")


def _kept(each: Known) -> KeptCondition:
    body = CONDITIONS.dump_json(each.condition).decode()
    return KeptCondition(each.key, each.rule, orjson.dumps(each.labels).decode(), body)
