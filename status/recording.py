"""When a component's state becomes a row of its history: at every change, and of one that flaps at some of them.

Unchanged states give no row, so that the history of years is read at once. One that changes time and again would fill
it all the same: after FLAP_ROWS rows within FLAP_SECONDS only a worse state is recorded at once, a calmer one when it
has held for SETTLE_SECONDS, with the time at which it began. So the history never tells of a calmer state than the
worst of those that it leaves out, and says how many it has left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.format import count
from core.model import SEVERITY, Status
from storage.clickhouse.reads.state_changes import ComponentId, StateChange

FLAP_ROWS, FLAP_SECONDS = 10, 600.0
SETTLE_SECONDS = 60.0
REPEAT_SECONDS = 30 * 86_400.0
"""A state that holds is told again this often: the row that is in force must not be older than what is kept."""
TICK_SECONDS = 0.001
"""Of the time of a row."""


@dataclass(frozen=True, slots=True)
class Settling:
    """The worst of the calmer states that a flapping component has shown since, and why."""

    state: Status
    since: float
    why: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the history says of a component, and what is known beyond it."""

    id: ComponentId
    state: Status
    since: float
    """When it came into the state, epoch seconds."""
    written: float
    """The time of its newest row."""
    why: str
    """The newest reason for the state."""
    rows: tuple[float, ...] = ()
    """Times of its newest rows."""
    settling: Settling | None = None
    left_out: int = 0
    """Changes since the newest row that are not recorded."""


def recorded_as(change: StateChange) -> Recorded:
    """Return what the history says of a component whose newest row is `change`."""
    since = change.ts - change.held_seconds if change.before is change.state else change.ts
    return Recorded(change.id, change.state, since, change.ts, change.why)


def first_recorded(
    id: ComponentId, state: Status, why: str, ts: float, stale_after_seconds: float
) -> tuple[Recorded, StateChange]:
    """Return the first row of a component that the history knows nothing of."""
    at = round(ts, 3)
    row = StateChange(at, id, state, None, 0.0, why, "", stale_after_seconds)
    return Recorded(id, state, at, at, why, (at,)), row


def recorded_after(
    known: Recorded, state: Status, why: str, ts: float, stale_after_seconds: float, *, at_once: bool = False
) -> tuple[Recorded, StateChange | None]:
    """Return what the history says after a component was found in `state` at `ts`, and the row that is new in it.

    at_once: whether to record a change however often it has changed. A clock that was set back puts no change before
    another one.
    """
    if state is known.state:
        left_out = known.left_out + (2 if known.settling else 0)  # there and back
        same = replace(known, why=why, settling=None, left_out=left_out)
        return _repeated(same, ts, stale_after_seconds) if ts - known.written >= REPEAT_SECONDS else (same, None)
    at = round(max(ts, known.written + TICK_SECONDS), 3)
    # What has begun to flap goes on to do so until it has settled.
    is_flapping = known.left_out or known.settling or sum(at - row < FLAP_SECONDS for row in known.rows) >= FLAP_ROWS
    if not is_flapping or at_once or SEVERITY[state] > SEVERITY[known.state]:
        return _changed(known, state, why, at, stale_after_seconds)
    settling = known.settling or Settling(state, at, why)
    if SEVERITY[state] > SEVERITY[settling.state]:
        settling = replace(settling, state=state, why=why)
    if at - settling.since >= SETTLE_SECONDS:
        return _changed(known, settling.state, settling.why, settling.since, stale_after_seconds)
    return replace(known, settling=settling), None


def _changed(
    known: Recorded, state: Status, why: str, at: float, stale_after_seconds: float
) -> tuple[Recorded, StateChange]:
    told = f"{why} ({count(known.left_out, 'change')} before it left out: it flapped)" if known.left_out else why
    row = StateChange(at, known.id, state, known.state, at - known.since, told, known.why, stale_after_seconds)
    return Recorded(known.id, state, at, at, why, (*known.rows, at)[-FLAP_ROWS:]), row


def _repeated(known: Recorded, ts: float, stale_after_seconds: float) -> tuple[Recorded, StateChange]:
    at = round(ts, 3)
    held = at - known.since
    row = StateChange(at, known.id, known.state, known.state, held, known.why, known.why, stale_after_seconds)
    return replace(known, written=at), row
