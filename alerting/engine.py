"""One tick of alerting: rules that are due, what became of conditions and incidents, and all of it in one transaction.

What is in memory is what the state database holds: it is taken over after the transaction, never before.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from alerting.changes import Changes, Known, key_of
from alerting.grouping import Grouping, Inhibit, Mute, Route, nothing_inhibited
from alerting.incidents import Incident, Member, ignored
from alerting.keeping import Moment, incident_of, known_of, take_over, write
from alerting.memory import Memory
from alerting.words import message_of
from core.alerts.conditions import (
    HELD_LONGER,
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
    removed,
    restarted,
    why_forgotten,
)
from core.alerts.evaluate import Read
from core.alerts.figures import SENT_ALERT, awaited
from core.alerts.judge import Judged, failed, judge
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.clock import Clock
from core.errors import StorageError
from core.model import Labels
from storage.state.alert_requests import waiting_in
from storage.state.alerts import HistoryRow, check_token
from storage.state.database import State

__all__ = ["Engine", "Route"]

JUMP_SECONDS = 5.0
"""By so much the machine's clock may differ from the steady one before that counts as a jump."""
NO_DATA_YET, NO_DATA = "no data yet", "no data"

log = logging.getLogger(__name__)

Gone = Callable[[Rule, Labels], str]
"""Returns why labels that are not reported any more are gone on purpose; empty: nobody wanted that."""


def nothing_gone(rule: Rule, labels: Labels) -> str:
    """Return that nothing was taken away on purpose."""
    return ""


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
        self._grouping = Grouping(route, mute, inhibit)
        self._gone = gone
        self._token = token
        self._offset = clock.now() - clock.monotonic()
        self._wall_offset = self._offset
        self._rules: dict[str, Rule] = {}
        self._off: frozenset[str] = frozenset()
        """Rules that are there, and are not evaluated."""
        self._due: dict[str, float] = {}
        self._memory = Memory()
        self.costs_seconds: dict[str, float] = {}
        """What the last evaluation of each rule took."""
        self.evaluated_at: dict[str, float] = {}
        """When each rule was evaluated last, by the engine's own time."""
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
        return [(each, rule) for each in self._memory.firing.values() if (rule := self._rules.get(each.rule))]

    @property
    def conditions(self) -> Mapping[str, int]:
        """Return how many conditions are known of each rule."""
        return {name: len(self._memory.series.get(name, ())) for name in self._rules}

    @property
    def pending(self) -> Mapping[str, int]:
        """Return how many conditions of each rule hold, not yet for long enough; rules without one are left out."""
        return Counter(each.rule for each in self._memory.known.values() if each.condition.phase is Phase.PENDING)

    @property
    def lacking(self) -> Mapping[str, str]:
        """Return the rules of which nothing that they watch has data, as of their last evaluation, with what to say."""
        found = {}
        for name, rule in self._rules.items():
            series = self._memory.series.get(name, {})
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
        return dict(self._memory.incidents.values())

    @property
    def groups(self) -> Mapping[int, str]:
        """Return the groups of the incidents that are open, by their ids."""
        return {id: group for group, (id, _) in self._memory.incidents.items()}

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Return the rules that are evaluated, by their names."""
        return self._rules

    def muted_by(self, key: str) -> str:
        """Return what keeps a condition that fires from being told, also where it is part of no incident."""
        return self._memory.muted.get(key, "")

    def incident_of(self, key: str) -> tuple[int, Incident] | None:
        """Return the open incident that a condition is part of, with its id; None: it is part of none."""
        found = self._memory.incidents.get(self._memory.groups.get(key, ""))
        return found if found and key in found[1].members else None

    def start(self, rules: Sequence[Rule]) -> None:
        """Take over, and take up what was known as of when an engine last ticked.

        Raises StorageUnavailable, and Overtaken: a later engine has begun.
        """
        at = self.steady()
        with self._state.begin() as connection:
            left = take_over(connection, self._token, at, JUMP_SECONDS)
        last = left.ticked_at or at
        timings = {rule.name: rule.timing for rule in rules}
        self.use(rules)
        memory = self._memory
        for row in left.conditions:
            known = known_of(row)
            if known.rule in timings:
                known = known.turned(restarted(known.condition, at, max(0.0, at - last), timings[known.rule]))
            memory.remember(known, self._rules.get(known.rule))
        memory.incidents = {row.group: (row.id, incident_of(row)) for row in left.incidents}
        memory.by_hand = {row.group: incident_of(row) for row in left.resolved}
        firing = self._as_members()
        memory.groups = {
            **{key: group for group, closed in memory.by_hand.items() for key in ignored(closed, firing)},
            **{key: group for group, (_, incident) in memory.incidents.items() for key in incident.members},
        }

    def _as_members(self) -> dict[str, Member]:
        """Return what fires as members that nothing keeps quiet."""
        return {
            key: Member(each.condition.severity or Severity.INFO, each.condition.fires_since or each.condition.since)
            for key, each in self._memory.firing.items()
        }

    def use(self, rules: Sequence[Rule]) -> None:
        """Take these rules from the next tick on: those that are gone, or are off, resolve what they had told."""
        before = self._rules
        self._rules = {rule.name: rule for rule in rules if rule.is_enabled}
        self._off = frozenset(rule.name for rule in rules if not rule.is_enabled)
        for name, rule in self._rules.items():
            if name in before and before[name].watches_for != rule.watches_for:
                # All is looked at once: of what is still reported that is written down.
                self._memory.calm.pop(name, None)
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
        ahead = self.ahead_seconds
        self._grouping.turn(self._memory, self._rules, asked, at, ahead, changes)
        with self._state.begin() as connection:
            check_token(connection, self._token, at + ahead, at)
            moment = Moment(at, ahead, self._clock.now())
            ids = write(connection, self._memory, self._rules, moment, changes)
        self._memory.adopt(self._rules, changes, ids)
        self.has_turned, self.has_happened = bool(changes.turns), bool(changes.history)
        for rule in due:
            self._due[rule.name] = at + rule.every
            self.evaluated_at[rule.name] = at
        return len(due)

    def _notice_jump(self, at: float, changes: Changes) -> None:
        wall = self._clock.now() - self._clock.monotonic()
        if abs(wall - self._wall_offset) <= JUMP_SECONDS:
            return
        detail = f"the clock was set by {wall - self._wall_offset:+.0f} s"
        changes.went_back = wall < self._wall_offset
        self._wall_offset = wall
        changes.history.append(HistoryRow(at, "clock_jump", detail=detail))
        for key, each in self._memory.known.items():
            if each.rule in self._rules:
                changes.conditions[key] = each.turned(jumped(each.now, at, self._rules[each.rule].timing))

    def _drop_removed(self, at: float, changes: Changes) -> None:
        for name in self._memory.series.keys() - self._rules.keys():
            why = SWITCHED_OFF if name in self._off else REMOVED
            for each in self._memory.series[name].values():
                self._drop(each, removed(each.condition, at, why), at, changes)

    def _drop(self, each: Known, step: Step, at: float, changes: Changes) -> None:
        self._tell(each, step, at, changes)
        changes.unproven[each.key] = step.condition.why
        changes.conditions.pop(each.key, None)
        changes.gone.append(each.key)

    def _evaluate(self, rule: Rule, at: float, changes: Changes) -> None:
        began = time.perf_counter()
        gone: dict[Labels, str] = {}
        series = self._memory.series[rule.name]
        try:
            found = judge(rule, self._read, series.keys(), at, self._memory.calm[rule.name])
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
            is_unmarked = not known.condition.watched_series
            if (is_reported or is_unmarked) and known.condition.watched_series != rule.watches_for:
                known = known.turned(replace(known.now, watched_series=rule.watches_for))
            elif known.condition.goes_on(each.evaluation, timing):
                changes.values[known.key] = known.seen(each.evaluation)
                continue
            longer = edited(known.now, at, timing)
            if longer.news:
                changes.unproven[known.key] = HELD_LONGER
                self._tell(known, longer, at, changes)
            step = evaluated(longer.condition, each.evaluation, timing)
            self._tell(known, step, at, changes)
        self.costs_seconds[rule.name] = time.perf_counter() - began

    def _why_forgotten(self, each: Known, rule: Rule, at: float) -> str:
        group = self._memory.groups.get(each.key, "")
        _, open_one = self._memory.incidents.get(group, (0, None))
        resolved = self._memory.by_hand.get(group)
        is_acknowledged = open_one is not None and open_one.is_held
        is_in_hand = is_acknowledged or (resolved is not None and each.key in resolved.members)
        return why_forgotten(each.condition, rule.watches_for, at, rule.timing, is_in_hand)

    def _failed(self, rule: Rule, why: str, at: float) -> list[Judged]:
        self.problems[rule.name] = why
        return failed(rule, self._memory.series[rule.name].keys(), why, at)

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
