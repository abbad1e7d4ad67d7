"""How orders fared, added up where they are stored: counts, sums of squares and quantiles, never single orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.orders_worked import (
    NO_SIZE,
    SENT,
    UNFILLED,
    Asked,
    By,
    label_of,
    multiplier_of,
    parameters_of,
    within_window,
    worked_orders,
)

MICROSECONDS = 1_000_000
MOST_REASONS = 200
Step = Literal["day", "week", "month"]
STARTS: Mapping[Step, str] = {"day": "toDate", "week": "toMonday", "month": "toStartOfMonth"}
SUMS: Mapping[str, str] = {
    "orders": "count()",
    "ended": "countIf(is_ended)",
    **{name: f"countIf(status = '{name}')" for name in ("filled", "rejected", "cancelled", "expired")},
    "ordered_quantity": "sumIf(quantity, is_ended)",
    "filled_quantity": "sumIf(least(done, quantity), is_ended)",
    **{
        f"{of}_{name}": sql
        for of, w, x in (("arrival", "aw", "ax"), ("decision", "dw", "dx"))
        for name, sql in (
            ("count", f"countIf({w} > 0)"), ("weight", f"sum({w})"), ("value", f"sum({w} * {x})"),
            ("weight_squares", f"sum({w} * {w})"), ("cross", f"sum({w} * {w} * {x})"),
            ("squares", f"sum({w} * {w} * {x} * {x})"),
        )
    },
    "costed": "countIf(is_costed)",
    **{name: f"sum({name})" for name in ("paper", "delay", "impact", "missed", "explicit", "lost")},
    "lost_squares": "sum(lost * lost)",
    "arrival_lost": "sum(aw * ax) / 10000",
    "sent_again": "countIf(is_again)",
    "without_arrival": "countIf(done > 0 AND NOT arrival > 0)",
    "without_decision": "countIf(is_ended AND NOT decision > 0)",
    "without_close": "countIf(is_ended AND rest > 0 AND NOT close > 0 AND NOT is_again)",
    "without_rate": "countIf(NOT isFinite(unit))",
    "sized": f"countIf(size_class != {NO_SIZE})",
    **{
        f"impact_{name}": f"sum({sql})"
        for name, sql in (
            ("x", "ix"), ("xx", "ix * ix"), ("xxx", "ix * ix * ix"), ("xxxx", "ix * ix * ix * ix"), ("y", "iy"),
            ("yy", "iy * iy"), ("xy", "ix * iy"), ("xyy", "ix * iy * iy"), ("xxy", "ix * ix * iy"),
            ("xxyy", "ix * ix * iy * iy"), ("xxxy", "ix * ix * ix * iy"), ("share", "part"),
        )
    },
}  # fmt: skip
"""What is summed of each group of orders, by name."""
PLACE = {name: at for at, name in enumerate(SUMS)}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """Sums over a group of orders. Which keys it has depends on what it is a group of."""

    of: Literal["period", "label", "size"]
    period: int
    """First day, since 1970."""
    is_inside: bool
    """Whether they were sent within a band."""
    label: str
    size_class: int
    """Filled quantity of about 2**this of a day's volume."""
    sums: Floats


@dataclass(frozen=True, slots=True)
class Leg:
    """How long a leg took, in seconds."""

    name: str
    count: int
    quantiles: tuple[float, ...]
    """NaN where no order went it."""
    backward: int
    """Orders whose end of the leg is before its start: they count in none."""


@dataclass(frozen=True, slots=True)
class DayTraded:
    """What a portfolio traded on a day in a currency, in that currency."""

    day: int
    """Since 1970."""
    currency: str
    bought: float
    sold: float
    commission: float
    fees: float
    fills: int
    without_order: int


def span_told(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> tuple[int, int] | None:
    """Return the first and the last time of any order or trade (epoch seconds); None: there is none."""
    sql = f"""
        SELECT min(at), max(at), count() FROM (
            SELECT toUnixTimestamp({SENT}) AS at FROM orders
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            UNION ALL
            SELECT toUnixTimestamp(ts) FROM trades
            WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
        )
    """
    ((first, last, count),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="span of orders")
    return (int(first), int(last)) if count else None


def order_sums(clickhouse: ClickHouse, asked: Asked, step: Step, by: By) -> list[Group]:
    """Return the sums over orders by period and band, by size, and by what is asked for but a venue.

    Raises StorageUnavailable or StorageRejected.
    """
    labels = ("label",) if by != "venue" else ()
    sets = ", ".join(f"({each})" for each in ("period, inside", "size_class", *labels))
    sql = f"""
        SELECT grouping(period) AS no_period, grouping(size_class) AS no_size, toUInt16(period), inside,
            {"label" if labels else "''"}, size_class, {", ".join(SUMS.values())}
        FROM ({worked_orders(asked, label_of(by))})
        GROUP BY GROUPING SETS ({sets})
    """
    asked_for = parameters_of(asked)
    found = [_group(row) for row in clickhouse.rows(sql % {"period": STARTS[step]}, asked_for, kind="sums of orders")]
    if by != "venue":
        return found
    by_venue = f"""
        SELECT 1, 1, 0, 0, label, 0, {", ".join(SUMS.values())}
        FROM ({worked_orders(asked, "venue", by_venue=True)}) GROUP BY label
    """
    rows = clickhouse.rows(by_venue % {"period": "toDate"}, asked_for, kind="sums of venues")
    return [*found, *map(_group, rows)]


def reasons_told(clickhouse: ClickHouse, asked: Asked) -> list[tuple[str, str, int]]:
    """Return status, reason and count of orders that ended unfilled, the most frequent first."""
    sql = f"""
        SELECT status, reject_reason, count() AS many FROM orders FINAL
        WHERE {within_window(SENT)} AND {UNFILLED}
        GROUP BY status, reject_reason ORDER BY many DESC, status, reject_reason LIMIT {MOST_REASONS}
    """
    rows = clickhouse.rows(sql, parameters_of(asked), kind="reasons of orders")
    return [(str(status), str(reason), int(many)) for status, reason, many in rows]


def latencies_of(clickhouse: ClickHouse, asked: Asked, quantiles: Sequence[float]) -> list[Leg]:
    """Return what each leg of orders took; one of which a time is not known is none of its count.

    Quantiles are linear between ranks.
    """
    stamps = {
        "decision": "decided_at", "submit": "submitted_at", "acknowledge": "acknowledged_at",
        "first fill": "first_filled_at", "last fill": "last_filled_at",
    }  # fmt: skip
    names = list(stamps)
    legs = [(one, other) for one, other in pairwise(names)]
    columns = []
    levels = ", ".join(map(str, quantiles))
    for one, other in legs:
        start, end = (f"toUnixTimestamp64Micro({stamps[name]})" for name in (one, other))
        known = f"{start} != 0 AND {end} >= {start}"
        columns += [
            f"countIf({known})",
            f"quantilesExactInclusiveIf({levels})(({end} - {start}) / {MICROSECONDS}, {known})",
            f"countIf({start} != 0 AND {end} != 0 AND {end} < {start})",
        ]
    sql = f"SELECT {', '.join(columns)} FROM orders FINAL WHERE {within_window(SENT)}"
    (row,) = clickhouse.rows(sql, parameters_of(asked), kind="latencies of orders")
    return [
        Leg(f"{one} → {other}", int(row[3 * at]), tuple(map(float, row[3 * at + 1])), int(row[3 * at + 2]))
        for at, (one, other) in enumerate(legs)
    ]


def traded_by_day(clickhouse: ClickHouse, asked: Asked) -> list[DayTraded]:
    """Return what was traded and what it cost by day, portfolio and currency, oldest first."""
    value = f"quantity * price * {multiplier_of(asked)}"
    sql = f"""
        SELECT toUInt16(toDate(t.ts)) AS day, portfolio, t.currency AS told, sumIf({value}, side = 'buy'),
            sumIf({value}, side = 'sell'), sum(commission), sum(fees), count(), countIf(order_id = '')
        FROM trades AS t FINAL WHERE {within_window("t.ts")} GROUP BY day, portfolio, told ORDER BY day, portfolio, told
    """
    rows = clickhouse.rows(sql, parameters_of(asked), kind="traded by day")
    return [
        DayTraded(
            int(day),
            str(told) or asked.currencies[portfolio],
            float(bought),
            float(sold),
            float(commission),
            float(fees),
            int(fills),
            int(without_order),
        )
        for day, portfolio, told, bought, sold, commission, fees, fills, without_order in rows
    ]


def volatilities(
    clickhouse: ClickHouse, origin: str, instruments: Sequence[str], first: int, last: int, fewest: int
) -> dict[str, float]:
    """Return the standard deviation of each instrument's daily log returns between two days since 1970, both included.

    Of those alone that have so many returns.
    """
    sql = f"""
        SELECT instrument, arrayReduce('stddevSamp', returns) FROM (
            SELECT instrument, arraySort(groupArray((day, close))) AS closes,
                arrayPopFront(arrayDifference(arrayMap(each -> log(each.2), closes))) AS returns
            FROM (
                SELECT instrument, intDiv(toUnixTimestamp(p.ts), {DAY_SECONDS}) AS day, argMax(price, p.ts) AS close
                FROM prices AS p FINAL
                WHERE origin = {{origin:String}} AND instrument IN {{names:Array(String)}} AND price > 0
                    AND p.ts >= toDateTime({{first:UInt32}}) AND p.ts < toDateTime({{last:UInt32}})
                GROUP BY instrument, day
            ) GROUP BY instrument
        ) WHERE length(returns) >= {{fewest:UInt32}}
    """
    asked = {
        "origin": origin, "names": list(instruments), "first": first * DAY_SECONDS, "last": (last + 1) * DAY_SECONDS,
        "fewest": fewest,
    }  # fmt: skip
    rows = clickhouse.rows(sql, asked, kind="volatilities")
    return {str(name): float(value) for name, value in rows}


def _group(row: Sequence[Any]) -> Group:
    no_period, no_size, period, inside, label, size_class = row[:6]
    of: Literal["period", "label", "size"] = "period" if not no_period else "label" if no_size else "size"
    return Group(of, int(period), bool(inside), str(label), int(size_class), np.array(row[6:], dtype=np.float64))
