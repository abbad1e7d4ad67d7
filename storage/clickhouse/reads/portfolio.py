"""Portfolios as stored: daily closes and flows, intraday NAV, prices, and the marks of restatements.

A day is a UTC day. `until` is the last day that counts (None: all): what is read is exactly what the points up to that
day give. A restated value takes the place of the old one on every earlier as-of day too; its mark says when that was
and what stood there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from core.currency import CASH
from core.format import count
from storage.clickhouse.client import ClickHouse

if TYPE_CHECKING:
    Days = NDArray[np.datetime64]
    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LAST_DAY = 49_709
"""2106-02-06, days since 1970-01-01: the last whole day of ClickHouse's DateTime."""
MOST_MARKS = 1_000
MOVES_AT_ONCE = 500
"""Times listed in one statement."""
POINT = (("number", "<u2"), ("ts", "<u4"), ("value", "<f8"))
"""A row of every daily read: which portfolio or instrument, when (epoch seconds), how much."""
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
class DailyPrices:
    """Closes of k instruments on the union of their n days, oldest first; shapes as in DailyNavs."""

    instruments: tuple[str, ...]
    days: Days
    values: Floats
    newest: Integers


@dataclass(frozen=True, slots=True)
class IntradayNav:
    """NAV points, oldest first, at most one a bucket of `bucket_seconds`: the bucket's last, and its flows' sum."""

    ts: Integers
    """Epoch seconds of the point itself."""
    values: Floats
    flows: Floats
    bucket_seconds: int


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


def daily_navs(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str] | None = None, until: date | None = None
) -> DailyNavs:
    """Return closes and flows of `portfolios` of `origin`, in their order; None: of all that have a point, by name.

    Raises ValueError when a portfolio is named twice, StorageUnavailable or StorageRejected.
    """
    names = _names(clickhouse, "nav_daily", "portfolio", origin, portfolios, until)
    parameters = {"origin": origin, "names": list(names), "until": _day_number(until)}
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
    found = clickhouse.records(closes, POINT, parameters, kind="portfolio nav") if names else _NOTHING
    moved = clickhouse.records(flows, MOVE, parameters, kind="portfolio flows") if names else _NO_MOVE
    days, values, newest = scattered(found, len(names))
    summed = np.zeros_like(values)
    day = _days(moved["ts"])
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


def daily_prices_many(
    clickhouse: ClickHouse,
    origin: str,
    instruments: Sequence[str] | None = None,
    until: date | None = None,
    since: date | None = None,
) -> DailyPrices:
    """Return closes of `instruments` of `origin`, in their order; None: of all that have a price, by name.

    since: the first day that counts; None: all.
    Raises ValueError when an instrument is named twice, StorageUnavailable or StorageRejected.
    """
    names = _names(clickhouse, "prices", "instrument", origin, instruments, until)
    sql = """
        WITH {names:Array(String)} AS names
        SELECT toUInt16(transform(instrument, names, range(length(names)), 65535)),
               toUnixTimestamp(max(p.ts)), argMax(price, p.ts)
        FROM prices AS p FINAL
        WHERE origin = {origin:String} AND instrument IN names AND toDate(p.ts) <= toDate({until:UInt16})
            AND toDate(p.ts) >= toDate({since:UInt16})
        GROUP BY instrument, toDate(p.ts)
    """
    first = 0 if since is None else _day_number(since)
    parameters = {"origin": origin, "names": list(names), "until": _day_number(until), "since": first}
    found = clickhouse.records(sql, POINT, parameters, kind="portfolio prices") if names else _NOTHING
    return DailyPrices(names, *scattered(found, len(names)))


def newest_prices(
    clickhouse: ClickHouse, origin: str, instruments: Sequence[str], since: date, until: date
) -> dict[str, tuple[int, float]]:
    """Return when the newest price of each instrument came, in epoch seconds, and what it is; none: it is not there.

    since, until: the first and the last day that count. Raises StorageUnavailable or StorageRejected.
    """
    sql = """
        SELECT instrument, toUnixTimestamp(max(p.ts)), argMax(price, p.ts) FROM prices AS p FINAL
        WHERE origin = {origin:String} AND instrument IN {names:Array(String)}
            AND toDate(p.ts) BETWEEN toDate({since:UInt16}) AND toDate({until:UInt16})
        GROUP BY instrument
    """
    asked = {
        "origin": origin, "names": list(instruments), "since": _day_number(since), "until": _day_number(until),
    }  # fmt: skip
    rows = clickhouse.rows(sql, asked, kind="newest prices") if instruments else ()
    return {str(name): (int(ts), float(price)) for name, ts, price in rows}


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
    asked = {"origin": origin, "names": list(portfolios), "cash": CASH, "day": _day_number(day)}
    rows = clickhouse.rows(sql, asked, kind="portfolio cash")
    return {str(name): (float(value), str(currency)) for name, value, currency in rows}


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
        "until": _day_number(until),
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


def priced_instruments(clickhouse: ClickHouse) -> list[tuple[str, str]]:
    """Return every (origin, instrument) that has a price, sorted. Raises StorageUnavailable or StorageRejected."""
    sql = "SELECT DISTINCT origin, instrument FROM prices ORDER BY origin, instrument"
    return [(str(origin), str(name)) for origin, name in clickhouse.rows(sql, kind="portfolio instruments")]


class PriceSpan(NamedTuple):
    """The prices, or rates, of an instrument. `first` and `last` are epoch seconds."""

    instrument: str
    values: int
    first: int
    last: int
    value: float
    """The last one."""


def price_spans(clickhouse: ClickHouse, origin: str) -> list[PriceSpan]:
    """Return what there is of every instrument of `origin`, by name. Raises StorageUnavailable or StorageRejected."""
    sql = """
        SELECT instrument, count(), toUnixTimestamp(min(p.ts)), toUnixTimestamp(max(p.ts)), argMax(price, p.ts)
        FROM prices AS p FINAL WHERE origin = {origin:String} GROUP BY instrument ORDER BY instrument
    """
    return [PriceSpan(*row) for row in clickhouse.rows(sql, {"origin": origin}, kind="portfolio instruments")]


_NOTHING: NDArray[Any] = np.empty(0, dtype=list(POINT))
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


def _names(
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
    found = clickhouse.rows(sql, {"origin": origin, "until": _day_number(until)}, kind=f"{column} names")
    return tuple(str(name) for (name,) in found)


def _day_number(day: date | None) -> int:
    """Return the day as days since 1970-01-01, within what ClickHouse holds."""
    return LAST_DAY if day is None else min(max(int(np.datetime64(day, "D").astype(np.int64)), 0), LAST_DAY)


def _days(ts: NDArray[Any]) -> Days:
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
