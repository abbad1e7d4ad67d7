"""Stale means unknown: the one rule for everything that says how something is now.

A reading is stale when it is older than two intervals, the longest time that a reading may take, and a few seconds: a
run may be late or slow, and one may get lost, before that is a sign that nobody reads any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.format import duration
from core.model import Component, LiveReading, Status, worst

STALE_INTERVALS = 2
AHEAD_SECONDS = 30.0
"""A reading that is further in the future was stamped by a clock that is wrong: when it was taken is not known."""
SPARE_SECONDS = 3.0
"""For the way of a reading from its collector to whoever looks at it."""
NO_READING = "status unknown: no reading yet"
SILENT = "no reading came any more"


def stale_after_seconds(interval_seconds: float, timeout_seconds: float = 0.0) -> float:
    """Return the age in seconds beyond which what comes every `interval_seconds` is stale.

    timeout_seconds: longest time that a reading may take.
    """
    return STALE_INTERVALS * interval_seconds + timeout_seconds + SPARE_SECONDS


def reading_stale_after_seconds(reading: LiveReading | None) -> float | None:
    """Return the age in seconds beyond which a reading is stale; None without a reading."""
    return _stale_after(reading) if reading else None


def is_stale(reading: LiveReading, now: float) -> bool:
    """Return whether a reading is too old at `now` (epoch seconds), or too far ahead, to say how something is."""
    return not -AHEAD_SECONDS <= now - reading.ts <= _stale_after(reading)


def next_stale_at(readings: Iterable[LiveReading | None], now: float) -> float | None:
    """Return when (epoch seconds) the first of those that are not stale at `now` turns stale; None: never."""
    fresh = (reading for reading in readings if reading is not None and not is_stale(reading, now))
    return min((reading.ts + _stale_after(reading) for reading in fresh), default=None)


def why_unknown(reading: LiveReading | None, now: float) -> str:
    """Return why nothing is known at `now` (epoch seconds); empty when the reading is recent."""
    if reading is None:
        return NO_READING
    if not is_stale(reading, now):
        return ""
    if reading.ts > now:
        return f"status unknown: the newest reading is {duration(reading.ts - now)} ahead of the clock here"
    return f"status unknown: newest reading is {duration(now - reading.ts)} old"


def components_at(reading: LiveReading | None, now: float) -> Sequence[Component]:
    """Return the components as they are at `now` (epoch seconds): those of a stale reading are unknown, and say why."""
    if reading is None:
        return ()
    why = why_unknown(reading, now)
    return [replace(part, status=Status.UNKNOWN, why=why) for part in reading.components] if why else reading.components


def status_at(reading: LiveReading | None, now: float) -> Status:
    """Return the worst status at `now` (epoch seconds); unknown without a reading, or with a stale one."""
    return worst([part.status for part in components_at(reading, now)])


def _stale_after(reading: LiveReading) -> float:
    return stale_after_seconds(reading.interval_seconds, reading.timeout_seconds)
