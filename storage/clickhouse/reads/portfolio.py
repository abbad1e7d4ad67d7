"""Portfolios as stored: daily closes and flows, intraday NAV, and cash.

A day is a UTC day. `until` is the last day that counts (None: all): what is read is exactly what the points up to that
day give. A restated value takes the place of the old one on every earlier as-of day too (`restatements`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from core.currency import CASH
from core.format import count
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.daily import NOTHING, POINT, day_number, days_of, scattered, wanted_names

if TYPE_CHECKING:
    from storage.clickhouse.reads.daily import Days, Floats, Integers

MOVES_AT_ONCE = 500
"""Times listed in one statement."""
MOVE = (("number", "<u2"), ("ts", "<u4"), ("nav", "<f8"), ("flow", "<f8"))
POINT_BEFORE = (("since", "<u4"), ("ts", "<u4"), ("nav", "<f8"))
"""A row of the points that moved money."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Points at which money moved, by portfolio and then oldest first; all as long as each other."""

    number: NDArray[np.intp]
    """Which portfolio."""
    ts: Integers
    """Epoch seconds."""
    values: Floats
    """NAV at the point, the money counted."""
    flows: Floats
    before: Floats
    """NAV at the point before on the same day; NaN where it is the day's first."""


@dataclass(frozen=True, slots=True)
class DailyNavs:
    """Closes and external flows of k portfolios on the union of their n days, oldest first."""

    portfolios: tuple[str, ...]
    days: Days
    """(n,), datetime64[D]."""
    values: Floats
    """(k, n): the last NAV of the day, NaN where the portfolio has none."""
    flows: Floats
    """(k, n): money in (+) and out (−) of the day, 0 where none moved."""
    newest: Integers
    """(k,): epoch seconds of the newest point, 0 where there is none."""
    moves: Moves
    """The points that moved money."""


@dataclass(frozen=True, slots=True)
class IntradayNav:
    """NAV points, oldest first, at most one a bucket of `bucket_seconds`: the bucket's last, and its flows' sum."""

    ts: Integers
    """Epoch seconds of the point itself."""
    values: Floats
    flows: Floats
    bucket_seconds: int


def daily_navs(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str] | None = None, until: date | None = None
) -> DailyNavs:
    """Return closes and flows of `portfolios` of `origin`, in their order; None: of all that have a point, by name.

    Raises ValueError when a portfolio is named twice, StorageUnavailable or StorageRejected.
    """
    names = wanted_names(clickhouse, "nav_daily", "portfolio", origin, portfolios, until)
    parameters = {"origin": origin, "names": list(names), "until": day_number(until)}
    closes = """
        WITH {names:Array(String)} AS names
        SELECT toUInt16(transform(portfolio, names, range(length(names)), 65535)), toUnixTimestamp(ts), nav
        FROM nav_daily FINAL
        WHERE origin = {origin:String} AND portfolio IN names AND day <= toDate({until:UInt16})
    """
    flows = """
        WITH {names:Array(String)} AS names
        SELECT toUInt16(transform(portfolio, names, range(length(names)), 65535)), toUnixTimestamp(ts), nav, flow
        FROM nav FINAL
        WHERE origin = {origin:String} AND flow != 0 AND (portfolio, ts) GLOBAL IN (
            SELECT portfolio, ts FROM nav_flows
            WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
                AND toDate(ts) <= toDate({until:UInt16})
        )
    """
    found = clickhouse.records(closes, POINT, parameters, kind="portfolio nav") if names else NOTHING
    moved = clickhouse.records(flows, MOVE, parameters, kind="portfolio flows") if names else _NO_MOVE
    days, values, newest = scattered(found, len(names))
    summed = np.zeros_like(values)
    day = days_of(moved["ts"])
    column = np.searchsorted(days, day)
    # A flow younger than the closes, read a moment before, has no day yet.
    there = np.isin(day, days)
    moved, column = moved[there], column[there]
    np.add.at(summed, (moved["number"], column), moved["flow"])
    order = np.lexsort((moved["ts"], moved["number"]))
    moved = moved[order]
    moves = Moves(
        moved["number"].astype(np.intp), moved["ts"].astype(np.int64), moved["nav"], moved["flow"],
        _before(clickhouse, origin, names, moved),
    )  # fmt: skip
    return DailyNavs(names, days, values, summed, newest, moves)


def intraday_nav(clickhouse: ClickHouse, origin: str, portfolio: str, start: int, end: int, points: int) -> IntradayNav:
    """Return the NAV from `start` to `end` (epoch seconds, both included) in at most `points` points.

    Raises ValueError for a span or a number of points that is none, StorageUnavailable or StorageRejected.
    """
    if points < 1 or not 0 <= start <= end:
        raise ValueError(
            f"intraday NAV: {count(points, 'point')} from {start} to {end}; give 1 point or more and start ≤ end"
        )
    width = -(-(end - start + 1) // points)
    sql = """
        SELECT toUnixTimestamp(max(n.ts)), argMax(nav, n.ts), sum(flow)
        FROM nav AS n FINAL
        WHERE origin = {origin:String} AND portfolio = {portfolio:String}
            AND n.ts BETWEEN toDateTime({start:UInt32}) AND toDateTime({end:UInt32})
        GROUP BY intDiv(toUnixTimestamp(n.ts) - {start:UInt32}, {width:UInt32})
        ORDER BY 1
    """
    parameters = {"origin": origin, "portfolio": portfolio, "start": start, "end": min(end, 2**32 - 1), "width": width}
    layout = (("ts", "<u4"), ("nav", "<f8"), ("flow", "<f8"))
    found = clickhouse.records(sql, layout, parameters, kind="portfolio intraday")
    return IntradayNav(found["ts"].astype(np.int64), found["nav"].copy(), found["flow"].copy(), width)


Cash = tuple[float, str]
"""An amount and its currency; empty: the portfolio's."""


def cash(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], day: date) -> dict[str, Cash]:
    """Return the cash among the positions of a day, by portfolio, where there is a row of it.

    Raises StorageUnavailable or StorageRejected.
    """
    sql = """
        SELECT portfolio, argMax(market_value, (ts, version)), argMax(toString(currency), (ts, version))
        FROM positions AS p
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND instrument = {cash:String}
            AND toDate(p.ts) = toDate({day:UInt16})
        GROUP BY portfolio
    """
    asked = {"origin": origin, "names": list(portfolios), "cash": CASH, "day": day_number(day)}
    rows = clickhouse.rows(sql, asked, kind="portfolio cash")
    return {str(name): (float(value), str(currency)) for name, value, currency in rows}


_NO_MOVE: NDArray[Any] = np.empty(0, dtype=list(MOVE))


def _before(clickhouse: ClickHouse, origin: str, names: Sequence[str], moved: NDArray[Any]) -> Floats:
    """Return the NAV at the point before each of `moved` on the same day; NaN where there is none.

    Nothing comes before midnight: the moves of portfolios that are valued by day ask for nothing.
    """
    found = np.full(len(moved), np.nan)
    later = np.flatnonzero(moved["ts"] % DAY_SECONDS)
    for number in np.unique(moved["number"][later]).tolist():
        of = later[moved["number"][later] == number]
        for first in range(0, len(of), MOVES_AT_ONCE):
            some = of[first : first + MOVES_AT_ONCE]
            found[some] = _points_before(clickhouse, origin, names[number], moved["ts"][some].astype(np.int64))
    return found


def _points_before(clickhouse: ClickHouse, origin: str, portfolio: str, times: Integers) -> Floats:
    """Return a portfolio's NAV at the last point before each of some ascending times, on the same day."""
    starts = times // DAY_SECONDS * DAY_SECONDS
    edges = np.unique(np.concatenate([starts, times]))
    spans = " OR ".join(f"(n.ts >= {start} AND n.ts < {end})" for start, end in zip(starts, times, strict=True))
    sql = f"""
        SELECT toUInt32(roundDown(toUnixTimestamp(n.ts), {edges.tolist()})) AS since,
               toUnixTimestamp(max(n.ts)), argMax(nav, (n.ts, version))
        FROM nav AS n WHERE origin = {{origin:String}} AND portfolio = {{portfolio:String}}
            AND ({spans})
        GROUP BY since ORDER BY since
    """
    asked = {"origin": origin, "portfolio": portfolio}
    points = clickhouse.records(sql, POINT_BEFORE, asked, kind="portfolio flows")
    at = np.searchsorted(points["ts"], times) - 1
    known = (at >= 0) & (points["ts"][np.maximum(at, 0)] >= starts) if len(points) else np.zeros(len(times), dtype=bool)
    return np.where(known, points["nav"][np.maximum(at, 0)] if len(points) else np.nan, np.nan)
