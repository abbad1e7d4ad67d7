"""When a report of positions tells until."""

from __future__ import annotations

from storage.clickhouse.reads.portfolio import DAY_SECONDS


def covers(at: int) -> int:
    """Return the last second that a report tells of: one stamped midnight is of the whole day."""
    return at + DAY_SECONDS - 1 if at and at % DAY_SECONDS == 0 else at
