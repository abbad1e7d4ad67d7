"""What reads of daily values share: names and days as ClickHouse gets them, and rows as arrays by name and day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse

if TYPE_CHECKING:
    Days = NDArray[np.datetime64]
    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LAST_DAY = 49_709
"""2106-02-06, days since 1970-01-01: the last whole day of ClickHouse's DateTime."""
POINT = (("number", "<u2"), ("ts", "<u4"), ("value", "<f8"))
"""A row of every daily read: which portfolio or instrument, when (epoch seconds), how much."""
NOTHING: NDArray[Any] = np.empty(0, dtype=list(POINT))


def wanted_names(
    clickhouse: ClickHouse, table: str, column: str, origin: str, wanted: Sequence[str] | None, until: date | None
) -> tuple[str, ...]:
    """Return what is wanted, or everything of `origin` that has a row up to `until`."""
    if wanted is not None:
        twice = next((name for name, count in Counter(wanted).items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"{column} {twice} is named twice: name it once")
        return tuple(wanted)
    day = "day" if table == "nav_daily" else "toDate(ts)"
    sql = f"""
        SELECT DISTINCT {column} FROM {table}
        WHERE origin = {{origin:String}} AND {day} <= toDate({{until:UInt16}}) ORDER BY {column}
    """
    found = clickhouse.rows(sql, {"origin": origin, "until": day_number(until)}, kind=f"{column} names")
    return tuple(str(name) for (name,) in found)


def day_number(day: date | None) -> int:
    """Return the day as days since 1970-01-01, within what ClickHouse holds."""
    return LAST_DAY if day is None else min(max(int(np.datetime64(day, "D").astype(np.int64)), 0), LAST_DAY)


def days_of(ts: NDArray[Any]) -> Days:
    """Return the UTC day of each moment (epoch seconds)."""
    return (ts.astype(np.int64) // DAY_SECONDS).astype("datetime64[D]")


def scattered(found: NDArray[Any], count: int) -> tuple[Days, Floats, Integers]:
    """Return days (n,), values (count, n) and newest (count,) of rows that have one point a number and day."""
    day = found["ts"] // np.uint32(DAY_SECONDS)
    is_there = np.zeros(int(day.max(initial=0)) + 1, dtype=np.bool_)
    is_there[day] = True
    days = np.flatnonzero(is_there)
    at = (found["number"], (np.cumsum(is_there) - 1)[day])
    values = np.full((count, len(days)), np.nan)
    values[at] = found["value"]
    moments = np.zeros((count, len(days)), dtype=np.int64)
    moments[at] = found["ts"]
    return days.astype("datetime64[D]"), values, moments.max(axis=1, initial=0)
