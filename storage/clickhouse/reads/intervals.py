"""What the market was while orders were worked: the mean of the prices from an order's sending to its last fill."""

from __future__ import annotations

from collections.abc import Sequence

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.orders_worked import (
    ORDER,
    SENT,
    Asked,
    currency_of,
    fills,
    multiplier_of,
    parameters_of,
    rate_of,
    within_window,
)

FEWEST_PRICES = 2
"""Within an order's interval, from which on their mean is taken."""
OFTEN = 3
"""Prices on a day from which on an instrument's are looked up within orders' intervals."""


def priced_within_days(clickhouse: ClickHouse, asked: Asked) -> list[str]:
    """Return the instruments whose prices are told several times on a day of the window. Raises StorageUnavailable."""
    sql = f"""
        SELECT DISTINCT instrument FROM prices AS p
        WHERE origin = {{origin:String}} AND p.ts >= toDateTime({{start:UInt32}}) AND p.ts < toDateTime({{end:UInt32}})
        GROUP BY instrument, toDate(p.ts) HAVING uniq(p.ts) >= {OFTEN}
    """
    asked_for = {"origin": asked.origin, "start": asked.start, "end": asked.end}
    return [str(name) for (name,) in clickhouse.rows(sql, asked_for, kind="priced within days")]


def interval_sums(clickhouse: ClickHouse, asked: Asked, priced: Sequence[str]) -> tuple[int, tuple[float, ...]]:
    """Return of how many orders the interval's mean price is known, and sums of slippage against it.

    Slippage x in basis points, weight w is filled quantity × mean price: Σ w, Σ w x, Σ w², Σ w² x, Σ w² x².
    """
    course = """
        SELECT instrument, toUnixTimestamp(p.ts) AS at, sum(price) OVER running AS total, count() OVER running AS many
        FROM prices AS p FINAL
        WHERE origin = {origin:String} AND instrument IN {priced:Array(String)} AND price > 0
            AND p.ts >= toDateTime({start:UInt32}) AND p.ts < toDateTime({later:UInt32})
        WINDOW running AS (PARTITION BY instrument ORDER BY p.ts ROWS UNBOUNDED PRECEDING)
    """
    sql = f"""
        SELECT count(), sum(w), sum(w * x), sum(w * w), sum(w * w * x), sum(w * w * x * x) FROM (
            SELECT done * mean * {rate_of(asked)} * {multiplier_of(asked)} AS w,
                if(side = 'buy', 1., -1.) * (spent / done / mean - 1) * 10000 AS x
            FROM (
                SELECT o.instrument AS instrument, o.side AS side, o.done AS done, o.spent AS spent, o.sent AS sent,
                    o.currency AS currency, (o.total - b.total) / (o.many - b.many) AS mean
                FROM (
                    SELECT o.*, e.total AS total, e.many AS many
                    FROM (
                        SELECT o.instrument AS instrument, o.side AS side, o.sent_at AS sent, o.begun AS begun,
                            o.ended AS ended, f.done AS done, f.spent AS spent, {currency_of(asked)} AS currency
                        FROM (
                            SELECT {ORDER} AS id, portfolio, instrument, side, {SENT} AS sent_at,
                                toUnixTimestamp({SENT}) AS begun, toUnixTimestamp(last_filled_at) AS ended
                            FROM orders FINAL
                            WHERE {within_window(SENT)} AND instrument IN {{priced:Array(String)}} AND ended >= begun
                        ) AS o INNER JOIN ({fills(asked)}) AS f ON f.id = o.id
                    ) AS o ASOF INNER JOIN ({course}) AS e ON e.instrument = o.instrument AND e.at <= o.ended
                ) AS o ASOF LEFT JOIN ({course}) AS b ON b.instrument = o.instrument AND b.at < o.begun
                WHERE o.many - b.many >= {FEWEST_PRICES}
            )
        ) WHERE isFinite(w)
    """
    asked_for = parameters_of(asked) | {"priced": list(priced), "later": min(asked.end + 30 * 86_400, 2**32 - 1)}
    ((many, *sums),) = clickhouse.rows(sql, asked_for, kind="prices within orders")
    return int(many), tuple(map(float, sums))
