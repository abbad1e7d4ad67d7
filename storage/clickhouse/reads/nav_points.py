"""Values of portfolios as they came within some days: what was known of each at any moment of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYOUT = (("number", "<u2"), ("ts", "<u4"), ("nav", "<f8"), ("version", "<u8"))
NUMBERS = "transform(portfolio, {names:Array(String)}, range(length({names:Array(String)})), 65535)"


@dataclass(frozen=True, slots=True)
class NavPoints:
    """Points of some portfolios, by the time from which they were known; columns as long as each other."""

    number: NDArray[np.intp]
    """Which portfolio."""
    ts: NDArray[np.int64]
    """The time that each has, epoch seconds."""
    known: NDArray[np.int64]
    """Epoch seconds from which on it counts."""
    values: NDArray[np.float64]
    before: NDArray[np.int64]
    """Of each portfolio, not of each point: the time of its newest point before all these; 0: there is none."""


def nav_points(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], start: int, end: int, bucket_seconds: int
) -> NavPoints:
    """Return the points from the beginning of the day of `start` until `end`: the last in each bucket.

    A bucket ends at start + bucket_seconds, start + 2 × bucket_seconds … A point counts from its time on; one that is
    stamped midnight is of its whole day: from when it came, from the end of that day at the latest. All in whole epoch
    seconds. Raises StorageUnavailable or StorageRejected.
    """
    if not portfolios:
        none = np.array([], dtype=np.int64)
        return NavPoints(none.astype(np.intp), none, none, none.astype(np.float64), none)
    first = start // DAY_SECONDS * DAY_SECONDS
    sql = f"""
        SELECT toUInt16({NUMBERS}) AS number, toUnixTimestamp(max(n.ts)) AS at, argMax(nav, n.ts), argMax(version, n.ts)
        FROM nav AS n FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            AND n.ts BETWEEN toDateTime({{first:UInt32}}) AND toDateTime({{end:UInt32}})
        GROUP BY number, toUnixTimestamp(n.ts) % {DAY_SECONDS} = 0,
            if(toUnixTimestamp(n.ts) % {DAY_SECONDS} = 0, toUnixTimestamp(n.ts),
               intDiv(toUnixTimestamp(n.ts) - {{first:UInt32}} + {{ahead:UInt32}}, {{width:UInt32}}))
    """
    # Buckets are counted from the first day on, with an end at `start`: a point on an end belongs to what ends there.
    ahead = (bucket_seconds - 1) - (start - first) % bucket_seconds
    asked = {
        "origin": origin, "names": [*portfolios], "first": first, "end": end, "ahead": ahead % bucket_seconds,
        "width": bucket_seconds,
    }  # fmt: skip
    found = clickhouse.records(sql, LAYOUT, asked, kind="rules past values")
    ts = found["ts"].astype(np.int64)
    came = np.clip(found["version"].astype(np.float64) / 1_000, ts, ts + DAY_SECONDS)
    known = np.where(ts % DAY_SECONDS == 0, np.ceil(came), ts).astype(np.int64)
    order = np.lexsort((ts, known))
    return NavPoints(
        found["number"][order].astype(np.intp), ts[order], known[order], found["nav"][order].astype(np.float64),
        _before(clickhouse, origin, portfolios, first),
    )  # fmt: skip


def _before(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], first: int) -> NDArray[np.int64]:
    sql = f"""
        SELECT toUInt16({NUMBERS}) AS number, toUnixTimestamp(max(ts)) FROM nav_daily FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND ts < toDateTime({{first:UInt32}})
        GROUP BY number
    """
    asked = {"origin": origin, "names": [*portfolios], "first": first}
    newest = np.zeros(len(portfolios), dtype=np.int64)
    for number, ts in clickhouse.rows(sql, asked, kind="rules past values"):
        newest[int(str(number))] = int(str(ts))
    return newest
