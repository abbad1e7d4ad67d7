"""What all checks of services share: retries before down, upside-down mode, pause, and the record of changes.

A kind gives a probe: it returns what it found or raises SourceUnavailable or SourceRejected with the reason. That a
service is down is what was found out here, not a failure of the collector: a reading says so, `<kind>_up` is 0, and
the next check comes at the next interval, not later.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.base import Context, Done, gauges
from collectors.judging.checks import Check, checks_table, judged, summed
from core.errors import SourceError, SourceRejected, SourceUnavailable, StorageError
from core.format import count, duration
from core.kinds.base import Source
from core.kinds.service import ServiceSource
from core.kinds.service_spec import About, Actions, Checks, States, failed_tries, response_seconds
from core.limits import Limit
from core.metrics import Metric
from core.model import Component, Reading, Sample, Status, Table
from core.net.certificates import Certificate
from core.net.reach import GRACE_SECONDS, Deadline
from core.tables import table_of
from status.states import CHANGES_SECONDS, state_history
from storage.clickhouse.reads.state_changes import StateChange
from storage.state.actions import newest_done

NAMES = {Status.DOWN: States.DOWN, Status.NOT_CONFIGURED: States.PAUSED}
"""What the history's states say of a service; any other says that it was up. The retries begin anew."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What a probe found out about a service that answers."""

    fine: str
    """In a few words, for when nothing is wrong: "200 OK in 34 ms"."""
    seconds: float | None = None
    """How long it took to answer."""
    values: Mapping[Metric, float | None] = field(default_factory=dict)
    """Gauges by metric; they get the label `instance`."""
    checks: Sequence[Check] = ()
    certificate: Certificate | None = None
    """The one that ends first of those that it shows; None without any."""
    samples: Sequence[Sample] = ()
    tables: Sequence[Table] = ()


class WrongAnswer(SourceUnavailable):
    """It answered, and not as it should: down, yet `found` was measured. Without a time, which is for good answers."""

    def __init__(self, why: str, found: Found) -> None:
        super().__init__(why)
        self.found = replace(found, seconds=None, checks=())


Probe = Callable[[Deadline, float], Found]
"""Checks once: deadline, epoch seconds."""


@dataclass(frozen=True, slots=True)
class State:
    """How a service is, since when, and how many checks in a row have failed."""

    name: str = ""
    """One of States; empty before the first check."""
    since: float = 0.0
    why: str = ""
    failed: int = 0

    def after(self, is_good: bool, why: str, now: float, retries: int) -> State:
        """Return the state after one more check."""
        failed = 0 if is_good else self.failed + 1
        # Down stays down until a check succeeds; the retries are for what was up, or not known yet.
        is_down = self.name == States.DOWN or failed > retries
        name = States.UP if is_good else States.DOWN if is_down else States.PENDING
        return State(name, self.since if name == self.name else now, why, failed)


class ServiceCollector:
    """Checks one service."""

    def __init__(
        self,
        source: ServiceSource,
        probe: Probe,
        *,
        is_paused: Callable[[], bool] = lambda: False,
        history: Callable[[], Sequence[StateChange]] = lambda: (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._probe = probe
        self._is_paused = is_paused
        self._history = history
        self._monotonic = monotonic
        self._state: State | None = None
        self._certificate: Certificate | None = None
        self._response, self._failed_tries = response_seconds(source.KIND), failed_tries(source.KIND)

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`; a service that is down gives one too."""
        before = self._state = self._state or self._remembered()
        if self._source.paused or self._is_paused():
            why = "paused in the settings" if self._source.paused else "paused by hand"
            self._state = State(States.PAUSED, before.since if before.name == States.PAUSED else now, why)
            return self._reading(before, self._state, None, Component("", Status.NOT_CONFIGURED, why))
        found, error, measured = self._checked(now)
        is_good = (found is None) if self._source.upside_down else (found is not None)
        why = self._why(found, error)
        state = self._state = before.after(is_good, why, now, self._source.retries)
        return self._reading(before, state, measured, self._judged(state, found, why))

    def _checked(self, now: float) -> tuple[Found | None, str, Found | None]:
        """Return what was found when the service is fine, what is wrong else, and what was measured either way."""
        try:
            found = self._probe(Deadline(self._source.timeout_seconds), now)
            return found, "", found
        except WrongAnswer as wrong:
            return None, str(wrong), wrong.found
        except SourceError as error:
            return None, str(error), None
        except TimeoutError:
            return None, f"{self._source.target}: no result within {self._source.timeout_seconds:g} s", None

    def _why(self, found: Found | None, error: str) -> str:
        if not self._source.upside_down:
            return found.fine if found else error
        return f"answers and should not: {found.fine}" if found else f"does not answer, as expected: {error}"

    def _judged(self, state: State, found: Found | None, why: str) -> Component:
        if state.name == States.DOWN:
            return Component("", Status.DOWN, why)
        if state.name == States.PENDING:
            tries = count(self._source.retries + 1, "try", "tries")
            return Component("", Status.WARNING, f"{state.failed} of {tries} failed: {why}")
        return summed("", why, self._checks(found))

    def _checks(self, found: Found | None) -> list[Check]:
        if found is None or self._source.upside_down:
            return []
        slow = self._source.slow_seconds
        if slow is None or found.seconds is None:
            return list(found.checks)
        why = f"answered in {duration(found.seconds)}, slow from {duration(slow)}"
        return [judged(Checks.SLOW, found.seconds, why, Limit(slow), found.seconds / slow), *found.checks]

    def _reading(self, before: State, state: State, found: Found | None, judged: Component) -> Reading:
        source = self._source
        if found is not None:
            self._certificate = found.certificate
        about = About(
            state=state.name,
            since=state.since,
            target=source.target,
            group=source.group,
            seconds=found.seconds if found else None,
            paused_by_hand=state.name == States.PAUSED and not source.paused,
            certificate_ends=self._certificate.ends if self._certificate else None,
            certificate=self._certificate.name if self._certificate else "",
        )
        values = {
            self._response: found.seconds if found else None,
            self._failed_tries: None if state.name == States.PAUSED else float(state.failed),
        }
        return Reading(
            samples=[
                *gauges({**values, **(found.values if found else {})}, instance=source.name),
                *(found.samples if found else ()),
            ],
            components=[replace(judged, name=source.component)],
            tables=[
                checks_table(self._checks(found)),
                table_of(About, [about]),
                *(found.tables if found else ()),
            ],
            is_up=_is_up(before, state),
        )

    def _remembered(self) -> State:
        """Return the state as it was before this process, so that "since" outlives a restart."""
        return remembered(self._history())


def remembered(changes: Sequence[StateChange]) -> State:
    """Return the state that a service was in last, since when; changes: of its state, oldest first."""
    state = State()
    for change in changes:
        name = NAMES.get(change.state, States.UP)
        if change.state is not Status.UNKNOWN and name != state.name:
            state = State(name, change.ts)
        state = replace(state, why=change.why)
    return state


def _is_up(before: State, state: State) -> bool | None:
    """Return whether a service counts as up, which pending changes nothing about; None: not known."""
    if state.name == States.PENDING:
        return True if before.name in (States.UP, States.PENDING) else None
    return {States.UP: True, States.DOWN: False}.get(States(state.name))


def make_service(context: Context, source: ServiceSource, probe: Probe) -> ServiceCollector:
    """Return the collector of a service; whether it is paused is what was last done to it."""
    stores = context.stores
    was_paused = False

    def is_paused() -> bool:
        nonlocal was_paused
        try:
            action = newest_done(stores.state, source.collector, tuple(Actions))
        except StorageError:
            return was_paused
        was_paused = action is not None and action.action == Actions.PAUSE
        return was_paused

    def history() -> Sequence[StateChange]:
        try:
            now = stores.clock.now()
            found = state_history(stores, [source.collector], now - CHANGES_SECONDS, now)
        except StorageError as error:
            log.warning("%s: what it was before is not known: %s", source.collector, error)
            return ()
        return [change for changes in found.values() for change in changes]

    return ServiceCollector(source, probe, is_paused=is_paused, history=history)


def act(source: Source, action: str, target: str) -> Done:
    """Pause or resume the checks of a service: the collector looks at what was last done."""
    del target
    if action == Actions.PAUSE:
        return Done(f"paused within {source.interval_seconds:g} s, until resumed")
    if action == Actions.RESUME:
        return Done(f"resumed: checked again within {source.interval_seconds:g} s")
    raise SourceRejected(f"a service knows no action {action}")


def certificate_check(certificate: Certificate | None, now: float, limit: Limit) -> list[Check]:
    """Return the check of the certificate that ends first; none without one."""
    if certificate is None:
        return []
    return [judged(Checks.CERTIFICATE, certificate.ends - now, certificate.told(now), limit)]
