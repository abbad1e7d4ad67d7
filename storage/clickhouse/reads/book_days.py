"""What portfolios held day by day, and what they paid meanwhile: for courses over years, as arrays of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from core.currency import CASH
from storage.clickhouse.client import ClickHouse

REPORTED = (
    *(("portfolio", "<u2"), ("ts", "<u4"), ("instrument", "<u4"), ("currency", "<u2")),
    *(("quantity", "<f8"), ("price", "<f8"), ("value", "<f8"), ("accrued", "<f8")),
    ("multiplier", "<f8"),
)
"""A position: places in the lists that were asked for, and numbers as they were told."""
PAID = (
    *(("portfolio", "<u2"), ("instrument", "<u4"), ("currency", "<u2"), ("day", "<u2"), ("late", "u1")),
    *(("bought", "<f8"), ("paid", "<f8"), ("costs", "<f8"), ("traded", "<f8"), ("split", "<f8")),
)
"""What was paid on a day (days since 1970), `late`: after the day's last report. Oldest first, of a part of a day its
splits, in rows of their own.

bought: less sold, in ones of after the splits of its part of the day; paid: less received, with costs and less
dividends; costs: commission, fees and taxes; traded: bought and sold; split: logarithm of new ones for an old one.
"""
_NUMBERED = "transform({of}, {{{name}:Array(String)}}, range(length({{{name}:Array(String)}})), {none})"
_LAST_OF_DAY = """
    SELECT portfolio, toDate(ts) AS day, max(ts) AS last FROM positions
    WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND ts < toDateTime({end:UInt32})
    GROUP BY portfolio, day
"""


def instruments_of(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], start: int, end: int
) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return portfolio, instrument and currency of what was held or traded between two times (epoch seconds).

    The currency is that of the newest position, else trade, else transaction, and then every one that was told; one is
    empty where it was not told. Raises StorageUnavailable or StorageRejected.
    """
    where = """
        origin = {origin:String} AND portfolio IN {names:Array(String)} AND instrument != ''
            AND ts >= toDateTime({start:UInt32}) AND ts < toDateTime({end:UInt32})
    """
    told = " UNION ALL ".join(
        f"""
            SELECT portfolio, instrument, {rank} AS rank, argMax(toString(currency), (ts, version)) AS last,
                groupUniqArray(toString(currency)) AS every
            FROM {table} WHERE {where} GROUP BY portfolio, instrument
        """
        for rank, table in enumerate(("transactions", "trades", "positions"))
    )
    sql = f"""
        SELECT portfolio, instrument, argMax(last, rank), arraySort(groupUniqArrayArray(every)) FROM ({told})
        GROUP BY portfolio, instrument ORDER BY portfolio, instrument
    """
    asked = {"origin": origin, "names": list(portfolios), "start": max(start, 0), "end": end}
    rows = clickhouse.rows(sql, asked, kind="instruments of portfolios")
    return [
        (str(name), str(symbol), str(currency), tuple(str(each) for each in every))
        for name, symbol, currency, every in rows
        if symbol != CASH
    ]


def reported_by_day(
    clickhouse: ClickHouse,
    origin: str,
    portfolios: Sequence[str],
    instruments: Sequence[str],
    currencies: Sequence[str],
    start: int,
    end: int,
) -> NDArray[Any]:
    """Return the positions of each day's last report between two times (epoch seconds), as REPORTED; cash is none."""
    sql = f"""
        SELECT toUInt16({_NUMBERED.format(of="portfolio", name="names", none=65535)}), toUnixTimestamp(p.ts),
            toUInt32({_NUMBERED.format(of="instrument", name="instruments", none=65535)}),
            toUInt16({_NUMBERED.format(of="toString(currency)", name="currencies", none=65535)}),
            quantity, price, market_value, accrued, multiplier
        FROM positions AS p FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            AND instrument IN {{instruments:Array(String)}}
            AND p.ts >= toDateTime({{start:UInt32}}) AND p.ts < toDateTime({{end:UInt32}}) AND quantity != 0
            AND (portfolio, p.ts) IN (SELECT portfolio, last FROM ({_LAST_OF_DAY}))
    """
    asked = {
        "origin": origin, "names": list(portfolios), "instruments": list(instruments),
        "currencies": list(currencies), "start": max(start, 0), "end": end,
    }  # fmt: skip
    return clickhouse.records(sql, REPORTED, asked, kind="positions by day")


def paid_by_day(
    clickhouse: ClickHouse,
    origin: str,
    since: Mapping[str, int],
    until: Mapping[str, int],
    instruments: Sequence[str],
    currencies: Sequence[str],
    multipliers: Mapping[str, float],
) -> NDArray[Any]:
    """Return what each portfolio paid after one moment up to another (epoch seconds), as PAID.

    multipliers: of instruments, else 1.
    """
    end = max(until.values()) + 1
    same_part = f"intDiv(s, {DAY_SECONDS}) = day AND (s > report AND report % {DAY_SECONDS} != 0) = late"
    later = f"arrayProduct(arrayMap((s, r) -> if(s > at AND {same_part}, r, 1.), z.split_at, z.ratios))"
    whose = "origin = {origin:String} AND portfolio IN {names:Array(String)}"
    sql = f"""
        SELECT toUInt16({_NUMBERED.format(of="portfolio", name="names", none=65535)}),
            toUInt32({_NUMBERED.format(of="instrument", name="instruments", none=65535)}),
            toUInt16({_NUMBERED.format(of="told", name="currencies", none=65535)}), day, toUInt8(late),
            sum(bought * if(empty(z.ratios), 1., {later})), sum(paid), sum(costs), sum(traded), sum(split)
        FROM (
            SELECT portfolio, instrument, toString(currency) AS told, toUnixTimestamp(r.ts) AS at,
                toUInt16(intDiv(at, {DAY_SECONDS})) AS day, if(side = 'buy', quantity, -quantity) AS bought,
                bought * price * transform(instrument, {{priced:Array(String)}}, {{multiplier:Array(Float64)}}, 1.)
                    + commission + fees AS paid,
                commission + fees AS costs, abs(paid - costs) AS traded, 0. AS split
            FROM trades AS r FINAL WHERE {whose}
                AND r.ts >= toDateTime({{start:UInt32}}) AND r.ts < toDateTime({{end:UInt32}})
            UNION ALL
            SELECT portfolio, instrument, toString(currency), toUnixTimestamp(x.ts) AS at,
                toUInt16(intDiv(at, {DAY_SECONDS})), ifNotFinite(quantity, 0),
                if(action = 'transfer', sign(quantity) * abs(amount), ifNotFinite(-amount, 0)),
                if(action IN ('fee', 'tax'), ifNotFinite(-amount, 0), 0.), 0.,
                if(action = 'split', log(split_ratio), 0.)
            FROM transactions AS x FINAL WHERE {whose} AND instrument != ''
                AND x.ts >= toDateTime({{start:UInt32}}) AND x.ts < toDateTime({{end:UInt32}})
        ) AS t LEFT JOIN (
            SELECT portfolio, instrument, groupArray(toUnixTimestamp(s.ts)) AS split_at,
                groupArray(split_ratio) AS ratios
            FROM transactions AS s FINAL WHERE {whose} AND action = 'split'
            GROUP BY portfolio, instrument
        ) AS z USING (portfolio, instrument) LEFT JOIN (
            SELECT portfolio, toUInt16(day) AS day, toUnixTimestamp(last) AS report FROM ({_LAST_OF_DAY})
        ) AS m USING (portfolio, day)
        WHERE at > transform(portfolio, {{names:Array(String)}}, {{since:Array(Int64)}}, 0)
            AND at <= transform(portfolio, {{names:Array(String)}}, {{until:Array(Int64)}}, 0)
        GROUP BY portfolio, instrument, told, day, at > report AND report % {DAY_SECONDS} != 0 AS late,
            split = 0 AS is_no_split
        ORDER BY day, late, is_no_split
    """
    names = list(since)
    asked: dict[str, object] = {
        "origin": origin, "names": names, "instruments": list(instruments), "currencies": list(currencies),
        "since": [int(since[name]) for name in names], "until": [int(until[name]) for name in names],
        "start": max(min(since.values()), 0), "end": min(end, 2**32 - 1),
        "priced": list(multipliers) or [""], "multiplier": [float(each) for each in multipliers.values()] or [1.0],
    }  # fmt: skip
    return clickhouse.records(sql, PAID, asked, kind="paid by day")


def cash_by_day(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], end: int
) -> list[tuple[str, str, int, float]]:
    """Return portfolio, currency, day (since 1970) and the last amount of cash told on it, oldest first.

    A row of cash, or a position named CASH; empty currency: the portfolio's.
    """
    sql = f"""
        SELECT portfolio, currency, intDiv(at, {DAY_SECONDS}) AS day, argMax(amount, at) FROM (
            SELECT portfolio, toString(currency) AS currency, toUnixTimestamp(c.ts) AS at, amount FROM cash AS c FINAL
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
                AND c.ts < toDateTime({{end:UInt32}})
            UNION ALL
            SELECT portfolio, toString(currency), toUnixTimestamp(p.ts), market_value FROM positions AS p FINAL
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND instrument = '{CASH}'
                AND p.ts < toDateTime({{end:UInt32}})
        ) GROUP BY portfolio, currency, day ORDER BY day
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios), "end": end}, kind="cash by day")
    return [(str(name), str(currency), int(day), float(amount)) for name, currency, day, amount in rows]
