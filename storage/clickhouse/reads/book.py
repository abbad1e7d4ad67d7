"""What portfolios held and paid for it: positions of single days, sums of trades, the history of one instrument."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from core.currency import CASH
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.daily import POINT, scattered
from storage.clickhouse.reads.prices import DailyPrices


@dataclass(frozen=True, slots=True)
class Position:
    """One position as it was told; what nobody told is NaN or empty."""

    portfolio: str
    ts: int
    """Epoch seconds."""
    instrument: str
    quantity: float
    price: float
    value: float
    """As it was told, without what has accrued."""
    average_cost: float
    currency: str
    accrued: float
    multiplier: float = math.nan
    """That its value was worked out with; NaN: the value was told."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What trades and transactions in one currency came to, a sum for each of the moments that were asked for."""

    portfolio: str
    instrument: str
    currency: str
    """Empty: the one that it is wanted in."""
    day: int
    """Days since 1970 on which it was; 0: on several, where no rate is needed."""
    quantity: tuple[float, ...]
    """Bought less sold, since each moment."""
    cost: tuple[float, ...]
    """Paid less received, with commission and fees and less dividends, since each moment."""
    splits: tuple[float, ...]
    """Logarithm of new ones for an old one, since each moment; `quantity` counts in ones of after the splits."""


def report_days(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], end: int
) -> dict[str, NDArray[np.int64]]:
    """Return when each portfolio told its positions, before `end`, oldest first. Raises StorageUnavailable."""
    sql = """
        SELECT portfolio, arraySort(groupUniqArray(toUnixTimestamp(ts))) FROM positions
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND ts < toDateTime({end:UInt32})
        GROUP BY portfolio
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios), "end": end}, kind="report days")
    return {str(name): np.array(days, dtype=np.int64) for name, days in rows}


def positions_at(
    clickhouse: ClickHouse, origin: str, moments: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], list[Position]]:
    """Return the positions that portfolios told at moments, by (portfolio, epoch seconds)."""
    if not moments:
        return {}
    sql = """
        SELECT portfolio, toUnixTimestamp(p.ts) AS at, instrument, quantity, price, market_value, average_cost,
            currency, accrued, multiplier
        FROM positions AS p FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            AND (portfolio, toUnixTimestamp(p.ts)) IN (
                SELECT arrayJoin(arrayZip({of:Array(String)}, {at:Array(UInt32)}))
            )
            AND quantity != 0
        ORDER BY portfolio, at, instrument
    """
    asked = {
        "origin": origin, "names": sorted({name for name, _ in moments}), "of": [name for name, _ in moments],
        "at": [int(at) for _, at in moments],
    }  # fmt: skip
    found: dict[tuple[str, int], list[Position]] = {(name, int(at)): [] for name, at in moments}
    for row in clickhouse.rows(sql, asked, kind="positions of days"):
        quantity, price, value, cost, accrued = (float(row[at]) for at in (3, 4, 5, 6, 8))
        position = Position(
            str(row[0]), int(row[1]), str(row[2]), quantity, price, value, cost, str(row[7]), accrued, float(row[9])
        )  # fmt: skip
        found[position.portfolio, position.ts].append(position)
    return found


def paid_since(
    clickhouse: ClickHouse,
    origin: str,
    since: Mapping[str, Sequence[int]],
    until: Mapping[str, int],
    currencies: Mapping[str, str],
    wanted: str,
    multipliers: Mapping[str, float],
) -> list[Paid]:
    """Return what each portfolio paid for each instrument after moments up to one (epoch seconds).

    since: by portfolio, as many moments of each. currencies: of the portfolios, for trades that do not tell theirs.
    What was paid in another currency than the `wanted` one is told day by day. multipliers: of instruments, else 1.
    """
    names = list(since)
    if not names:
        return []
    count = len(since[names[0]])
    bounds = [f"transform(portfolio, {{names:Array(String)}}, {{m{at}:Array(Int64)}}, 0)" for at in range(count)]
    product = "arrayProduct(arrayMap((s, r) -> if(s > at AND s <= upto, r, 1.), z.split_at, z.ratios))"
    later = f"if(empty(z.ratios), 1., {product})"
    sums = ", ".join(
        f"[{', '.join(f'sumIf({what}, at > {bound})' for bound in bounds)}]"
        for what in (f"bought * {later}", "paid", "split")
    )
    own = "transform(portfolio, {names:Array(String)}, {own:Array(String)}, '')"
    sql = f"""
        SELECT portfolio, instrument, if(t.currency = '', {own}, t.currency) AS told,
            if(told = {{wanted:String}}, '', told) AS foreign_currency,
            transform(portfolio, {{names:Array(String)}}, {{until:Array(Int64)}}, 0) AS upto,
            if(foreign_currency = '', 0, intDiv(at, {DAY_SECONDS})) AS day, {sums}
        FROM (
            SELECT portfolio, instrument, toString(currency) AS currency, toUnixTimestamp(r.ts) AS at,
                if(side = 'buy', quantity, -quantity) AS bought,
                bought * price * transform(instrument, {{priced:Array(String)}}, {{multiplier:Array(Float64)}}, 1.)
                    + commission + fees AS paid,
                0. AS split
            FROM trades AS r FINAL WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            UNION ALL
            SELECT portfolio, instrument, toString(currency), toUnixTimestamp(x.ts), ifNotFinite(quantity, 0),
                if(action = 'transfer', sign(quantity) * abs(amount), ifNotFinite(-amount, 0)),
                if(action = 'split', log(split_ratio), 0.)
            FROM transactions AS x FINAL WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
                AND instrument != ''
        ) AS t LEFT JOIN (
            SELECT portfolio, instrument, groupArray(toUnixTimestamp(s.ts)) AS split_at,
                groupArray(split_ratio) AS ratios
            FROM transactions AS s FINAL WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
                AND action = 'split'
            GROUP BY portfolio, instrument
        ) AS z USING (portfolio, instrument)
        WHERE at <= upto
        GROUP BY portfolio, instrument, told, foreign_currency, upto, day
    """
    asked: dict[str, object] = {
        "origin": origin, "names": names, "own": [currencies[name] for name in names], "wanted": wanted,
        "until": [int(until[name]) for name in names], "priced": list(multipliers) or [""],
        "multiplier": [float(each) for each in multipliers.values()] or [1.0],
        **{f"m{at}": [int(since[name][at]) for name in names] for at in range(count)},
    }  # fmt: skip
    return [
        Paid(str(row[0]), str(row[1]), str(row[3]), int(row[5]), tuple(row[6]), tuple(row[7]), tuple(row[8]))
        for row in clickhouse.rows(sql, asked, kind="paid for holdings")
    ]


def sides_held(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], instruments: Sequence[str], end: int
) -> dict[tuple[str, str], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return when each portfolio told that it holds each instrument, and its side (1 long, −1 short), oldest first."""
    sql = """
        SELECT portfolio, instrument, arraySort(groupArray((toUnixTimestamp(p.ts), toInt8(sign(quantity))))) AS held
        FROM positions AS p FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND instrument IN {held:Array(String)}
            AND p.ts < toDateTime({end:UInt32}) AND quantity != 0
        GROUP BY portfolio, instrument
    """
    asked = {"origin": origin, "names": list(portfolios), "held": list(instruments), "end": end}
    return {
        (str(name), str(instrument)): (
            np.array([at for at, _ in held], dtype=np.int64), np.array([side for _, side in held], dtype=np.int64)
        )
        for name, instrument, held in clickhouse.rows(sql, asked, kind="sides held")
    }  # fmt: skip


def history_of_instrument(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], instrument: str, end: int
) -> list[tuple[str, int, float, float, float]]:
    """Return portfolio, time, quantity, price and value of every position told of an instrument, oldest first."""
    sql = """
        SELECT portfolio, toUnixTimestamp(p.ts) AS at, quantity, price, market_value FROM positions AS p FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND instrument = {instrument:String}
            AND p.ts < toDateTime({end:UInt32})
        ORDER BY at, portfolio
    """
    asked = {"origin": origin, "names": list(portfolios), "instrument": instrument, "end": end}
    rows = clickhouse.rows(sql, asked, kind="history of an instrument")
    return [(str(row[0]), int(row[1]), float(row[2]), float(row[3]), float(row[4])) for row in rows]


def reported_prices(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], instruments: Sequence[str], start: int, end: int
) -> DailyPrices:
    """Return what positions told that one of each instrument is worth, the last of a day, in its own currency.

    start, end: epoch seconds, the second not included.
    """
    sql = """
        WITH {held:Array(String)} AS held
        SELECT toUInt16(transform(instrument, held, range(length(held)), 65535)), toUnixTimestamp(max(p.ts)),
            argMax(price, p.ts)
        FROM positions AS p FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND instrument IN held
            AND p.ts >= toDateTime({start:UInt32}) AND p.ts < toDateTime({end:UInt32}) AND quantity != 0 AND price > 0
        GROUP BY instrument, toDate(p.ts)
    """
    asked = {"origin": origin, "names": list(portfolios), "held": list(instruments), "start": start, "end": end}
    found = clickhouse.records(sql, POINT, asked, kind="prices of positions")
    return DailyPrices(tuple(instruments), *scattered(found, len(instruments)))


def splits_told(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], instruments: Sequence[str], end: int
) -> list[tuple[str, np.datetime64, float]]:
    """Return instrument, day and new ones for an old one of every split that portfolios told, oldest first."""
    sql = f"""
        SELECT DISTINCT instrument, intDiv(toUnixTimestamp(x.ts), {DAY_SECONDS}) AS day, split_ratio
        FROM transactions AS x FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND action = 'split'
            AND instrument IN {{held:Array(String)}} AND x.ts < toDateTime({{end:UInt32}}) AND split_ratio > 0
        ORDER BY day, instrument
    """
    asked = {"origin": origin, "names": list(portfolios), "held": list(instruments), "end": end}
    rows = clickhouse.rows(sql, asked, kind="splits")
    return [(str(name), np.datetime64(int(day), "D"), float(ratio)) for name, day, ratio in rows]


def cash_told(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], end: int
) -> list[tuple[str, str, int, float]]:
    """Return portfolio, currency, time and amount of the newest cash told of each; empty currency: the portfolio's.

    A row of cash, or a position named CASH.
    """
    sql = f"""
        SELECT portfolio, currency, max(at), argMax(amount, at) FROM (
            SELECT portfolio, toString(currency) AS currency, toUnixTimestamp(c.ts) AS at, amount FROM cash AS c FINAL
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
                AND c.ts < toDateTime({{end:UInt32}})
            UNION ALL
            SELECT portfolio, toString(currency), toUnixTimestamp(p.ts), market_value FROM positions AS p FINAL
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND instrument = '{CASH}'
                AND p.ts < toDateTime({{end:UInt32}})
        ) GROUP BY portfolio, currency ORDER BY portfolio, currency
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios), "end": end}, kind="cash told")
    return [(str(name), str(currency), int(at), float(amount)) for name, currency, at, amount in rows]


def instruments_held(clickhouse: ClickHouse, origin: str) -> list[str]:
    """Return every instrument that somebody ever told to hold. Raises StorageUnavailable or StorageRejected."""
    sql = "SELECT DISTINCT instrument FROM positions WHERE origin = {origin:String} ORDER BY instrument"
    return [str(row[0]) for row in clickhouse.rows(sql, {"origin": origin}, kind="ever held")]
