"""Until when something stamped with a time tells of: a report of positions, a value of a day."""

from __future__ import annotations

from typing import TypeVar

from core.clock import DAY_SECONDS

Stamp = TypeVar("Stamp", int, float)


def covers(stamp: Stamp) -> Stamp:
    """Return the last second (epoch seconds) that something tells of: what is stamped midnight is of its whole day."""
    return stamp + DAY_SECONDS - 1 if stamp and stamp % DAY_SECONDS == 0 else stamp


def as_of(stamp: Stamp, now: float) -> Stamp:
    """Return of when something stamped with a time is: of all that it covers, or of its stamp while that goes on."""
    return covers(stamp) if covers(stamp) <= now else stamp
