"""Whether the machine that trading data goes through has a right clock and room on its disks."""

from __future__ import annotations

from alerting.readiness.found import Found
from core.format import coarse_duration, duration, percent
from core.limits import Limit
from core.machine import metrics
from core.model import LiveReading
from core.readiness import Checks, State
from status.freshness import why_unknown

WHERE = "/system"
FULL_RATIO = 0.98
"""One that grows no more may be full: it has no trend then."""
OFF = "the collector of the machine is off"
LOST = "the clock cannot be asked any more"


def clock(reading: LiveReading | None, is_watched: bool, limit: Limit, now: float, *, was_known: bool) -> Found:
    """Return whether the clock is off by less than the critical value of `limit`, in seconds.

    was_known: whether it could be asked before: that it cannot be any more is not known to be well.
    """
    if unknown := _unknown(Checks.CLOCK, reading, is_watched, now):
        return unknown
    assert reading is not None
    assert limit.critical is not None
    synchronised, offset = reading.value(metrics.CLOCK_SYNCHRONISED), reading.value(metrics.CLOCK_OFFSET)

    def found(state: State, why: str) -> Found:
        return Found(Checks.CLOCK, state, f"{why} on {reading.host}", reading.ts, WHERE)

    if synchronised is None and was_known:
        return found(State.UNKNOWN, LOST)
    if synchronised is None:
        return found(State.NOT_WATCHED, "the clock is set from outside, or cannot be asked,")
    if not synchronised or offset is None:
        return found(State.NOT_READY, "the clock is not synchronised with a time server")
    why = f"the clock is {duration(abs(offset))} off, {duration(limit.critical)} allowed"
    return found(State.NOT_READY if abs(offset) >= limit.critical else State.READY, why)


def disk(reading: LiveReading | None, is_watched: bool, limit: Limit, now: float) -> Found:
    """Return whether no disk is full, or will be at its trend before the critical value of `limit`, in seconds."""
    if unknown := _unknown(Checks.DISK, reading, is_watched, now):
        return unknown
    assert reading is not None
    assert limit.critical is not None

    def found(state: State, why: str) -> Found:
        return Found(Checks.DISK, state, f"{why} on {reading.host}", reading.ts, WHERE)

    def by_mount(metric: str) -> dict[str, float]:
        return {dict(pairs)["mount"]: value for pairs, value in reading.series(metric).items()}

    if not by_mount(metrics.DISK_USED_RATIO):
        return found(State.UNKNOWN, "no disk is known")
    if lost := [mount for mount, value in by_mount(metrics.DISK_BECAME_READ_ONLY).items() if value]:
        return found(State.NOT_READY, f"{', '.join(lost)} turned read-only")
    fixed = by_mount(metrics.DISK_READ_ONLY)
    for metric, what in ((metrics.DISK_USED_RATIO, "full"), (metrics.DISK_INODES_USED_RATIO, "full of files")):
        shares = {mount: share for mount, share in by_mount(metric).items() if not fixed.get(mount)}
        mount = max(shares, key=shares.__getitem__, default=None)
        if mount is not None and shares[mount] >= FULL_RATIO:
            return found(State.NOT_READY, f"{mount} is {percent(shares[mount])} {what}")
    full = by_mount(metrics.DISK_FULL)
    soonest = min(full, key=full.__getitem__, default=None)
    if soonest is None:
        return found(State.READY, "no disk fills up")
    why = f"{soonest} is full in {coarse_duration(full[soonest])} at its trend"
    return found(State.NOT_READY if full[soonest] <= limit.critical else State.READY, why)


def _unknown(check: Checks, reading: LiveReading | None, is_watched: bool, now: float) -> Found | None:
    if not is_watched:
        return Found(check, State.NOT_WATCHED, OFF, where=WHERE)
    why = why_unknown(reading, now)
    return Found(check, State.UNKNOWN, why, reading.ts if reading else None, WHERE) if why else None
