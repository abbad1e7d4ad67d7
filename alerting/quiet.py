"""What keeps a condition from being told: everything is muted, a silence, maintenance; or its cause is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from alerting.changes import Firing
from alerting.words import title_of
from core.alerts.causes import RestsOn, last_causes
from core.alerts.conditions import Condition
from core.alerts.inhibition import Fires, Inhibition, hidden_by_others
from core.alerts.labels import alert_labels
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.silence import Silence, When, Window
from core.model import Labels
from storage.state.database import State
from storage.state.silences import silences_in, windows_in

MINUTE_SECONDS = 60.0
"""Cron lines open at whole minutes: which windows are open is asked once in each, and when one was made or ended."""
MOST_KEPT = 100_000
ENOUGH = Severity.CRITICAL
"""What is told of a cause that is so grave is told in time. What rests on it is often urgent where it is not."""
COMPONENT = "component"
"""The label that names the component of an alert."""


class Quiet:
    """The silences and windows of now; `look` before each tick. Its methods are called by the engine's thread."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._windows: list[Window] = []
        self._open: list[Window] = []
        self._looked: tuple[int, list[Window]] = (-1, [])
        self._known: dict[tuple[str, Labels, Severity], tuple[Rule, str]] = {}
        """What was answered, and for which rule: one that was changed has other labels."""
        self.active: Sequence[Silence | Window] = ()
        """Those that keep something quiet now; what keeps everything quiet stands first."""

    def look(self, now: float) -> None:
        """Read what holds at a time (epoch seconds). Raises StorageUnavailable: what was known holds on."""
        with self._state.reading() as connection:
            silences = [each for each in silences_in(connection, now) if each.when(now) is When.ACTIVE]
            windows = windows_in(connection, now)
        active: list[Silence | Window] = [
            *sorted(silences, key=lambda each: not each.is_of_all),
            *self._open_windows(windows, now),
        ]
        if active != self.active:
            self.active = active
            self._known.clear()

    def why(self, rule: Rule, labels: Labels, condition: Condition) -> str:
        """Return what keeps a condition quiet; empty: nothing does."""
        if not self.active:
            return ""
        key = rule.name, labels, condition.severity or rule.conditions[-1][0]
        if (known := self._known.get(key)) is not None and known[0] is rule:
            return known[1]
        of = alert_labels(rule, labels, key[2])
        found = next((each.reason for each in self.active if each.hides(of)), "")
        if len(self._known) < MOST_KEPT:
            self._known[key] = rule, found
        return found

    def _open_windows(self, windows: list[Window], now: float) -> list[Window]:
        minute = int(now // MINUTE_SECONDS)
        once = [each for each in windows if not each.cron and each.open_at(now)]
        again = [each for each in windows if each.cron]
        if self._looked != (minute, again):
            self._looked = minute, again
            self._open = [each for each in again if each.open_at(now)]
        # One that closes within the minute closes at its second.
        return [*once, *(each for each in self._open if each.open_at(now))]


class Causes:
    """Which conditions are not told because what their component rests on fires, or another one that hides them."""

    def __init__(self, rests_on: RestsOn, inhibitions: Sequence[Inhibition] = ()) -> None:
        self._rests_on = rests_on
        self._inhibitions = inhibitions
        self._names: frozenset[str] = frozenset()
        self._causes: Mapping[str, Sequence[str]] = {}
        """Of the components that fired last: what each rests on that has no cause itself."""

    def why(self, firing: Sequence[Firing]) -> Mapping[str, str]:
        """Return what is not told, by its key, with the cause.

        A cause has no cause itself: of two that rest on each other both are told. One that is critical, or matters as
        much, keeps quiet what it causes, however urgent that is; no warning does. One that is silenced does so, too.
        """
        of: defaultdict[str, list[Firing]] = defaultdict(list)
        for each in firing:
            if name := dict(each.labels).get(COMPONENT) or each.rule.labels.get(COMPONENT):
                of[name].append(each)
        if of.keys() != self._names:
            self._names, self._causes = frozenset(of), last_causes(of.keys(), self._rests_on)
        told: dict[str, str] = {}
        for name, causes in self._causes.items():
            weights = {cause: max(each.severity for each in of[cause]) for cause in causes}
            cause = max(weights, key=lambda each: (weights[each], each))
            told |= {
                each.key: f"caused by {cause}" for each in of[name] if weights[cause] >= min(each.severity, ENOUGH)
            }
        return self._hidden(firing) | told

    def _hidden(self, firing: Sequence[Firing]) -> dict[str, str]:
        if not self._inhibitions:
            return {}
        found = [
            Fires(each.key, title_of(each.rule, each.labels), alert_labels(each.rule, each.labels, each.severity))
            for each in firing
        ]
        return {key: f"hidden by {name}" for key, name in hidden_by_others(self._inhibitions, found).items()}
