"""Turns what collectors tell of their components into changes of state, whatever they watch.

What the history says last is read back at the start, when a lease is won and now and then after that: so a state that
holds gives no row at a restart, none at a hand-over, and a row of another process that arrives late is not the last
word. Until it is read, what collectors tell waits in memory; nothing waits for the database but a thread of its own.
Rows go the way of all rows, through the writer's queue and, while ClickHouse is away, its spool.

Silence is a change too: what was not told of for longer than its readings stay fresh is unknown from then on. The row
is made when its collector speaks again; until then whoever reads the history derives it (status/states.py).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.errors import StorageError
from core.model import Component, Facts, SourceId, Status
from status.freshness import SILENT, stale_after_seconds
from status.recording import Recorded, first_recorded, recorded_after, recorded_as
from storage.clickhouse.reads.heard import last_heard
from storage.clickhouse.reads.state_changes import (
    ComponentId,
    StateChange,
    read_state_changes,
    state_change_facts,
)
from storage.stores import Stores

LOOK_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 300.0
UNSURE_SECONDS = 20.0
"""A collector that says itself that it knows nothing of a component is believed after this: at their start many do."""
MOST_WAITING = 5_000
"""Readings that wait at most; of the time of those that are dropped nothing is known, and the history says so."""
LATE_SECONDS = 3_600.0
"""The clock of another machine may be ahead of ours by as much."""
NOT_TOLD = "its collector tells of it no more"

log = logging.getLogger(__name__)

Stored = tuple[Sequence[StateChange], dict[tuple[str, str], float]]
"""The newest change of each component, and when each collector was last heard of, by host and name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a collector told of its components."""

    collector: str
    host: str
    """Empty for a watched source."""
    ts: float
    stale_after_seconds: float
    components: Sequence[Component]
    is_source: bool
    why_missing: str
    """Why it does not tell of what it told of before."""

    def id(self, part: Component) -> ComponentId:
        """Return which component it is. A watched source has one: itself."""
        return ComponentId(self.host, self.collector, "" if self.is_source else part.name)


class StateLog:
    """The changes of state that one process records. Safe to call from any thread."""

    def __init__(
        self,
        host: str,
        clock: Clock,
        put_facts: Callable[[Facts], None],
        stored: Callable[[float], Stored | None],
    ) -> None:
        """Return a log that knows nothing yet.

        stored: returns what the history says, of collectors what it says until a moment (epoch seconds); None: not
        now. Raises StorageError.
        """
        self._host = host
        self._clock = clock
        self._put_facts = put_facts
        self._stored = stored
        self._lock = threading.Lock()
        self._recorded: dict[ComponentId, Recorded] = {}
        self._seen: dict[ComponentId, tuple[float, float]] = {}
        """When each was last known, and how long that stays fresh."""
        self._told: dict[str, float] = {}
        """When each collector spoke last."""
        self._waiting: deque[Told] = deque(maxlen=MOST_WAITING)
        self._is_known = False
        self._began = clock.now()
        self._look_at = 0.0

    def tell(
        self, collector: str | SourceId, ts: float, interval_seconds: float, timeout_seconds: float,
        components: Sequence[Component], why_missing: str = NOT_TOLD,
    ) -> None:  # fmt: skip
        """Take in how the components of a collector are at `ts` (epoch seconds).

        why_missing: why it does not tell of those that it told of before.
        """
        is_source = isinstance(collector, SourceId)
        stale_after = stale_after_seconds(interval_seconds, timeout_seconds)
        host = "" if is_source else self._host
        told = Told(str(collector), host, ts, stale_after, components, is_source, why_missing)
        with self._lock:
            if self._is_known:
                self._record(told)
            else:
                self._waiting.append(told)

    def forget(self) -> None:
        """Read back what the history says before anything is recorded: another process may have gone on with it."""
        with self._lock:
            self._recorded, self._seen, self._told = {}, {}, {}
            self._waiting.clear()
            self._is_known = False
            self._began, self._look_at = self._clock.now(), 0.0

    def run(self, stopping: threading.Event) -> None:
        """Look at what is stored, when it is time, until told to stop."""
        while True:
            try:
                self.look()
            except Exception:  # without it no change would be recorded any more
                log.exception("what the history of states says last could not be read")
            if stopping.wait(LOOK_SECONDS):
                return

    def look(self) -> None:
        """Read back what the history says, if it is time."""
        if self._clock.monotonic() < self._look_at:
            return
        began = self._began
        try:
            stored = self._stored(began)
        except StorageError as error:
            log.warning("changes of state wait: what the history says last is not known: %s", error)
            self._look_at = self._clock.monotonic() + 5 * LOOK_SECONDS
            return
        with self._lock:
            if stored is None or began != self._began:
                return
            self._take(*stored)
            self._look_at = self._clock.monotonic() + LOOK_AGAIN_SECONDS
            self._is_known = True
            for told in self._waiting:
                self._record(told)
            self._waiting.clear()

    def _take(self, newest: Sequence[StateChange], heard: dict[tuple[str, str], float]) -> None:
        """Take over what is stored, where this process has not recorded anything newer."""
        by_source: dict[str, float] = {}
        for (_, source), ts in heard.items():
            by_source[source] = max(ts, by_source.get(source, ts))
        for change in newest:
            mine = self._recorded.get(change.id)
            if mine is not None and mine.written >= change.ts:
                continue
            self._recorded[change.id] = recorded_as(change)
            found = heard.get((change.id.host, change.id.source)) if change.id.host else by_source.get(change.id.source)
            self._seen.setdefault(change.id, (max(found or change.ts, change.ts), change.stale_after_seconds))

    def _record(self, told: Told) -> None:
        parts = {told.id(part): part for part in told.components}
        others = (id for id in self._recorded if (id.host, id.source) == (told.host, told.collector))
        is_back = told.ts - self._told.get(told.collector, 0.0) > told.stale_after_seconds
        rows = []
        for id in dict.fromkeys((*parts, *others)):
            rows += self._after(id, parts.get(id), told, is_back)
        self._told[told.collector] = told.ts
        if rows:
            self._put_facts(state_change_facts(rows))

    def _after(self, id: ComponentId, part: Component | None, told: Told, is_back: bool) -> list[StateChange]:
        """Return the new rows of one component; part: what was told of it; is_back: after a silence."""
        known, fresh = self._recorded.get(id), told.stale_after_seconds
        is_known = part is not None and part.status is not Status.UNKNOWN
        is_unsure = part is not None and not is_known and not is_back
        rows: list[StateChange | None] = []
        if known is not None:
            seen, stale_after = self._seen[id]
            stale_after = max(stale_after, fresh)
            if told.ts - seen > (min(stale_after, UNSURE_SECONDS) if is_unsure else stale_after):
                at = told.ts if is_unsure else seen + stale_after
                why = SILENT if is_back else part.why if part else told.why_missing
                known, row = recorded_after(known, Status.UNKNOWN, why, at, fresh, at_once=True)
                rows.append(row)
        if part is not None and is_known:
            if known is None:
                known, row = first_recorded(id, part.status, part.why, told.ts, fresh)
            else:
                known, row = recorded_after(known, part.status, part.why, told.ts, fresh)
            rows.append(row)
            self._seen[id] = told.ts, fresh
        if known is not None:
            self._recorded[id] = known
        return [row for row in rows if row is not None]


def stored_states(
    stores: Stores, host: str, collectors: Callable[[], Sequence[str]]
) -> Callable[[float], Stored | None]:
    """Return what reads back the history of the collectors of `host`; nothing while rows of ours wait for storage.

    collectors: returns the names of those of now.
    """

    def read(until: float) -> Stored | None:
        stats = stores.writer.stats()
        if stats.spooled_rows or stats.stuck_why:
            return None
        ahead = stores.clock.now() + LATE_SECONDS
        names = collectors()
        changes = read_state_changes(stores.clickhouse, names, ("", host), ahead, ahead)
        return changes, last_heard(stores.clickhouse, names, until)

    return read
