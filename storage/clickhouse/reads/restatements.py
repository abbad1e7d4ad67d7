"""Marks of restated NAV: when a value took the place of another one, and what stood there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.daily import day_number

MOST_MARKS = 1_000


@dataclass(frozen=True, slots=True)
class Restatement:
    """The mark of a NAV that another one replaced. `ts` is of the point, `at` of its replacement; epoch seconds."""

    portfolio: str
    ts: int
    was: float
    now: float
    flow_was: float
    flow_now: float
    at: float
    source: str
    """What brought it: a file's name, or who."""

    @property
    def day(self) -> np.datetime64:
        """Return the day of the point."""
        return np.datetime64(self.ts // DAY_SECONDS, "D")


def restatements(
    clickhouse: ClickHouse,
    origin: str,
    portfolios: Sequence[str] | None = None,
    *,
    until: date | None = None,
    since: float = 0.0,
    limit: int = MOST_MARKS,
) -> list[Restatement]:
    """Return the marks of restated points up to the day `until`, restated at or after `since`; the newest first.

    Raises StorageUnavailable or StorageRejected.
    """
    if portfolios is not None and not portfolios:
        return []
    sql = """
        WITH marks AS (
            SELECT * FROM nav_restatements FINAL
            WHERE origin = {origin:String} AND (empty({names:Array(String)}) OR portfolio IN {names:Array(String)})
                AND toDate(ts) <= toDate({until:UInt16}) AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
                AND (was != now OR flow_was != flow_now)
            ORDER BY version DESC, portfolio, ts DESC LIMIT {limit:UInt32}
        )
        SELECT portfolio, toUnixTimestamp(ts), was, now, flow_was, flow_now, toUnixTimestamp64Milli(at) / 1000, source,
               points.nav, points.flow
        FROM marks GLOBAL INNER JOIN (
            SELECT portfolio, ts, nav, flow FROM nav FINAL
            WHERE origin = {origin:String} AND (portfolio, ts) GLOBAL IN (SELECT portfolio, ts FROM marks)
        ) AS points USING (portfolio, ts)
        ORDER BY version DESC, portfolio, ts DESC
    """
    parameters = {
        "origin": origin,
        "names": list(portfolios or ()),
        "until": day_number(until),
        "since": int(since * 1000),
        "limit": limit,
    }
    rows = clickhouse.rows(sql, parameters, kind="portfolio restatements")
    return _that_happened([(Restatement(*row[:-2]), row[-2:]) for row in rows])


def _that_happened(marks: Sequence[tuple[Restatement, tuple[float, ...]]]) -> list[Restatement]:
    """Return the marks whose value was stored, of all with what is stored now, the newest first.

    A mark is written before its value. Where that failed, neither what is stored now nor the next mark knows the value.
    """
    happened = []
    next_was: dict[tuple[str, int], tuple[float, ...]] = {}
    for mark, stored in marks:
        if (mark.now, mark.flow_now) == next_was.get((mark.portfolio, mark.ts), stored):
            next_was[mark.portfolio, mark.ts] = (mark.was, mark.flow_was)
            happened.append(mark)
    return happened
