"""THE history of states: how components came to be as they are, and how long they were in which state.

`state_history` is the one way to ask; uptimes, bands of incidents and trends are worked out of its answer by the pure
functions here. Time of which nothing is known is `unknown`, and never counts as up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from core.model import SourceId, Status
from status.freshness import SILENT, reading_stale_after_seconds, stale_after_seconds
from storage.clickhouse.reads.heard import last_heard
from storage.clickhouse.reads.state_changes import (
    ComponentId,
    StateChange,
    nth_newest_change,
    read_state_changes,
)
from storage.stores import Stores

OLDER_STALE_AFTER_SECONDS = stale_after_seconds(60, 10)
"""Of rows of older versions that do not tell it, while nobody else does."""
UP = (Status.OK, Status.WARNING, Status.CRITICAL)
"""States in which a component does its work, well or badly."""
CHANGES_SECONDS = 90 * 86_400.0
MOST_CHANGES = 60


@dataclass(frozen=True, slots=True)
class Band:
    """A time in one state."""

    start: float
    """Epoch seconds."""
    end: float
    state: Status
    why: str


@dataclass(frozen=True, slots=True)
class TimeInStates:
    """How long a component was in which state over a span."""

    seconds: Mapping[Status, float]
    """By state; a state that did not occur is not in it."""

    @property
    def up_seconds(self) -> float:
        """How long it did its work."""
        return sum(self.seconds.get(state, 0.0) for state in UP)

    @property
    def known_seconds(self) -> float:
        """How long it is known whether it did: neither unknown nor paused."""
        return self.up_seconds + self.seconds.get(Status.DOWN, 0.0)

    @property
    def up_share(self) -> float | None:
        """Share of the known time in which it did its work, 0 to 1; None without any."""
        return self.up_seconds / self.known_seconds if self.known_seconds else None


def state_history(
    stores: Stores, sources: Sequence[str], start: float, end: float, *, host: str = ""
) -> dict[ComponentId, list[StateChange]]:
    """Return by component the changes of state of these collectors from `start` to `end` (epoch seconds), oldest first.

    The first one of each is that which was in force at `start`, if there is one. No two in a row are of the same state,
    and silence is among them: a component is unknown from when the newest reading of its collector became stale.

    host: the machine, of collectors that do not watch a source. Raises StorageUnavailable.
    """
    if not sources:
        return {}
    found: dict[ComponentId, list[StateChange]] = {}
    for row in read_state_changes(stores.clickhouse, sources, ("", host), start, end):
        found.setdefault(row.id, []).append(row)
    alive = _alive(stores, sorted({id.source for id in found}), host)
    now = stores.clock.now()
    return {
        id: with_silence(without_repeats(rows), *alive.get(id.source, (0.0, 0.0)), min(now, end))
        for id, rows in found.items()
    }


def history_of_any_host(stores: Stores, source: str, start: float, end: float) -> dict[ComponentId, list[StateChange]]:
    """Return what `state_history` does of a collector that one machine after the other runs, as if it were one.

    Raises StorageUnavailable.
    """
    hosts = sorted({host for host, _ in last_heard(stores.clickhouse, [source], stores.clock.now())})
    found: dict[ComponentId, list[Sequence[StateChange]]] = {}
    for host in hosts:
        for id, changes in state_history(stores, [source], start, end, host=host).items():
            found.setdefault(id._replace(host=""), []).append(changes)
    return {id: merged(id, each, start, end) for id, each in found.items()}


def merged(id: ComponentId, histories: Sequence[Sequence[StateChange]], start: float, end: float) -> list[StateChange]:
    """Return the histories of a component that several machines told of as one: what one of them knew counts.

    Of several that knew it the last that came into its state does.
    """
    of_all = [band for changes in histories for band in bands(changes, begins(changes, start), end)]
    found: list[StateChange] = []
    for since, until in pairwise(sorted({edge for band in of_all for edge in (band.start, band.end)})):
        inside = [band for band in of_all if band.start <= since and band.end >= until]
        known = [band for band in inside if band.state is not Status.UNKNOWN] or inside
        if not known:
            continue
        now = max(known, key=lambda band: band.start)
        if not found:
            found.append(StateChange(since, id, now.state, None, 0.0, now.why))
        elif now.state is not found[-1].state:
            last = found[-1]
            found.append(StateChange(since, id, now.state, last.state, since - last.ts, now.why, last.why))
    return found


def begins(changes: Sequence[StateChange], start: float) -> float:
    """Return from when on, not before `start`, anything is known of a component; changes: its own, oldest first."""
    return max(changes[0].ts, start) if changes and changes[0].before is None else start


def _alive(stores: Stores, sources: Sequence[str], host: str) -> dict[str, tuple[float, float]]:
    """Return when each collector was last heard of, and the age beyond which that is stale (0: not known)."""
    watched = [source for source in sources if SourceId.parse(source)]
    readings = dict(stores.live.readings(watched)) if watched else {}
    for source in sources:
        if source not in watched and (reading := stores.live.reading(source, host)) is not None:
            readings[source] = reading
    alive = {name: (each.ts, reading_stale_after_seconds(each) or 0.0) for name, each in readings.items()}
    missing = [source for source in sources if source not in alive]
    if missing:
        for (machine, source), ts in last_heard(stores.clickhouse, missing, stores.clock.now()).items():
            if SourceId.parse(source) or machine == host:
                alive[source] = (max(ts, alive.get(source, (0.0, 0.0))[0]), 0.0)
    return alive


def without_repeats(rows: Sequence[StateChange]) -> list[StateChange]:
    """Return those of a component's rows, oldest first, that change its state.

    Two processes may have recorded the same change, and a state that holds is told again now and then.
    """
    changes: list[StateChange] = []
    for row in rows:
        if not changes:
            changes.append(_as_it_began(row) if row.before is row.state else row)
        elif row.state is not changes[-1].state:
            changes.append(replace(row, before=changes[-1].state, held_seconds=row.ts - changes[-1].ts))
    return changes


def _as_it_began(repeat: StateChange) -> StateChange:
    return replace(repeat, ts=repeat.ts - repeat.held_seconds, before=None, held_seconds=0.0)


def with_silence(changes: list[StateChange], heard: float, stale_after: float, end: float) -> list[StateChange]:
    """Return a component's changes, and that it is unknown by `end` when its collector has been silent for too long.

    heard: when the collector was last heard of. stale_after: seconds for which that says something; 0: the row knows.
    """
    last = changes[-1]
    stale = max(heard, last.ts) + (stale_after or last.stale_after_seconds or OLDER_STALE_AFTER_SECONDS)
    if last.state is Status.UNKNOWN or stale >= end:
        return changes
    silent = StateChange(stale, last.id, Status.UNKNOWN, last.state, stale - last.ts, SILENT)
    return [*changes, silent]


def bands(changes: Sequence[StateChange], start: float, end: float) -> list[Band]:
    """Return the states of a component over a span without a hole, oldest first; changes: its own, oldest first.

    Before its first change it was in the state that ended then, as long as that held, and unknown before.
    """
    found: list[Band] = []

    def add(until: float, state: Status, why: str) -> None:
        since = found[-1].end if found else start
        if min(until, end) > since:
            found.append(Band(since, min(until, end), state, why))

    known = [change for change in changes if change.ts < end]
    for number, change in enumerate(known):
        if number == 0:
            add(change.ts - change.held_seconds, Status.UNKNOWN, "")
            add(change.ts, change.before or Status.UNKNOWN, change.before_why)
        following = known[number + 1].ts if number + 1 < len(known) else end
        add(following, change.state, change.why)
    if not known:
        add(end, Status.UNKNOWN, "")
    return found


def time_in_states(changes: Sequence[StateChange], start: float, end: float) -> TimeInStates:
    """Return how long a component was in which state over a span; changes: its own, oldest first."""
    seconds: dict[Status, float] = {}
    for band in bands(changes, start, end):
        seconds[band.state] = seconds.get(band.state, 0.0) + band.end - band.start
    return TimeInStates(seconds)


def recent_changes(stores: Stores, sources: Sequence[str], *, host: str = "") -> list[StateChange]:
    """Return the newest MOST_CHANGES changes of state of these collectors within CHANGES_SECONDS, newest first.

    host: the machine, of collectors that do not watch a source. Raises StorageUnavailable.
    """
    if not sources:
        return []
    now = stores.clock.now()
    start = nth_newest_change(stores.clickhouse, sources, ("", host), now - CHANGES_SECONDS, MOST_CHANGES)
    history = state_history(stores, sources, start, now, host=host)
    every = (change for changes in history.values() for change in changes if change.ts >= start)
    return sorted(every, key=lambda change: change.ts, reverse=True)[:MOST_CHANGES]
