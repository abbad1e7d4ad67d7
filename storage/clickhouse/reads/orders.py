"""Orders of a day with what came of them, one order with its fills, and what of orders and fills does not fit.

What is many stays in ClickHouse: of a day's fills only sums an order are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.ingest.kinds import FINAL, STATUSES
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.order_states import LIFE

OPEN = tuple(status for status, rank in STATUSES.items() if rank < FINAL)
"""What may still come further."""
MORE_THAN_ORDERED = 1e-9
"""Of an order: fills that are more by less are rounding."""
MOST_OFFERED = 1_000
"""Names of each kind that a day's orders can be narrowed to."""
NOTHING_KNOWN = math.nan
_MICROS = "toUnixTimestamp64Micro"
_KNOWN_TIMES = ", ".join(f"{_MICROS}(o.{name})" for name in ("placed", "submitted_at", "acknowledged_at"))
_BEGUN = f"arrayMin(arrayFilter(each -> each > 0, [{_KNOWN_TIMES}, {_MICROS}(o.first_filled_at), {_MICROS}(o.ts)]))"
"""The first that is known of an order."""
_PLACED = f"arrayMin(arrayFilter(each -> each > 0, [{_MICROS}(o.placed), {_MICROS}(o.submitted_at)]))"
"""When it was placed; 0 where nobody told."""
_STRATEGY = "if(o.strategy = '', toString(o.portfolio), toString(o.strategy))"
_OF_DAY = f"""
    origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND {_BEGUN} < {{end:Int64}}
        AND ({_MICROS}(o.ts) >= {{start:Int64}} OR o.status IN {{open:Array(String)}})
"""
_COLUMNS = f"""
    portfolio, order_id, instrument, side, quantity, if(o.order_type = '', 'market', o.order_type),
    ifNull(limit_price, nan), decision_price, arrival_price, status, {_MICROS}(o.ts), {_BEGUN} AS begun,
    {", ".join(f"{_MICROS}(o.{name})" for name in LIFE)}, reject_reason, broker, {_STRATEGY}
"""
_PLACES = {"instrument": "toString(o.instrument)", "broker": "toString(o.broker)", "strategy": _STRATEGY,
           "status": "toString(o.status)"}  # fmt: skip
NARROWED_BY = tuple(_PLACES)


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of an order."""

    quantity: float = 0.0
    average_price: float = NOTHING_KNOWN
    fills: int = 0
    costs: float = 0.0
    """Commission and fees."""
    currency: str = ""
    """Empty: the portfolio's."""
    first_at: int = 0
    last_at: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its newest state is. Times are microseconds since 1970, 0: not known; prices NaN: not told."""

    portfolio: str
    id: str
    instrument: str
    side: str
    quantity: float
    type: str
    limit_price: float
    decision_price: float
    arrival_price: float
    status: str
    at: int
    """When it came into its state."""
    begun: int
    """The first that is known of it."""
    decided_at: int
    submitted_at: int
    acknowledged_at: int
    first_filled_at: int
    last_filled_at: int
    ended_at: int
    reject_reason: str
    broker: str
    strategy: str
    """The portfolio's id where nobody told one."""
    filled: Filled = field(default_factory=Filled)

    @property
    def is_open(self) -> bool:
        """Return whether it may still be filled."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class DayOfOrders:
    """How many orders a day had, and what they can be narrowed to."""

    count: int
    narrowed: int
    """How many are left of them."""
    by_status: Mapping[str, int]
    """Of those that are left before a status is chosen."""
    offered: Mapping[str, tuple[str, ...]]
    """Names of the day by NARROWED_BY, in their order."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of an order."""

    portfolio: str
    id: str
    at: int
    instrument: str
    side: str
    quantity: float
    price: float
    commission: float
    fees: float
    currency: str
    venue: str


@dataclass(frozen=True, slots=True)
class Odd:
    """Fills and orders that do not fit each other."""

    of_no_order: int = 0
    """Fills that name no order."""
    of_unknown_order: int = 0
    """Fills that name one that nobody told of."""
    before_order: int = 0
    """Orders with a fill before they were placed."""
    overfilled: int = 0
    """Orders whose fills are more than was ordered."""
    of_another: int = 0
    """Orders with fills of another instrument or side."""


def newest_order(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], end: int, instrument: str = ""
) -> int | None:
    """Return when, before `end`, something was last told of an order (microseconds since 1970); None: never."""
    sql = f"""
        SELECT max(if({_MICROS}(o.ts) < {{end:Int64}}, {_MICROS}(o.ts), {_BEGUN})), count() FROM orders AS o FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND {_BEGUN} < {{end:Int64}}
            AND ({{instrument:String}} = '' OR instrument = {{instrument:String}})
    """
    asked = {"origin": origin, "names": list(portfolios), "end": end, "instrument": instrument}
    ((newest, many),) = clickhouse.rows(sql, asked, kind="newest order")
    return int(newest) if many else None


def day_of_orders(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], start: int, end: int, narrowed: Mapping[str, str]
) -> DayOfOrders:
    """Return how many orders there were from `start` up to `end` (microseconds since 1970), and of which kinds.

    An order is of every day from when it was placed until it ended. narrowed: by some of NARROWED_BY.
    """
    all_but_status = _narrowed([name for name in narrowed if name != "status"])
    names = ", ".join(f"groupUniqArray({MOST_OFFERED})({_PLACES[name]})" for name in NARROWED_BY)
    sql = f"""
        SELECT count(), countIf({_narrowed(list(narrowed))}),
            sumMapIf(map(toString(o.status), toUInt64(1)), {all_but_status}), {names}
        FROM orders AS o FINAL WHERE {_OF_DAY}
    """
    asked = {**_asked(origin, portfolios, start, end), **narrowed}
    ((many, left, by_status, *offered),) = clickhouse.rows(sql, asked, kind="orders of a day, counted")
    told = {name: tuple(sorted(map(str, values))) for name, values in zip(NARROWED_BY, offered, strict=True)}
    return DayOfOrders(int(many), int(left), {str(name): int(each) for name, each in by_status.items()}, told)


def orders_of_day(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], start: int, end: int, narrowed: Mapping[str, str],
    limit: int,
) -> list[Order]:  # fmt: skip
    """Return the newest orders of a day, as `day_of_orders` counts them, with what came of them."""
    sql = f"""
        SELECT {_COLUMNS} FROM orders AS o FINAL WHERE {_OF_DAY} AND {_narrowed(list(narrowed))}
        ORDER BY begun DESC, portfolio, order_id LIMIT {{limit:UInt32}}
    """
    asked = {**_asked(origin, portfolios, start, end), **narrowed, "limit": limit}
    return _with_fills(clickhouse, origin, clickhouse.rows(sql, asked, kind="orders of a day"))


def orders_called(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], id: str) -> list[Order]:
    """Return the order of this id, of each portfolio that has one. Raises StorageUnavailable."""
    sql = f"""
        SELECT {_COLUMNS} FROM orders AS o FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND order_id = {{id:String}}
        ORDER BY portfolio
    """
    asked = {"origin": origin, "names": list(portfolios), "id": id}
    return _with_fills(clickhouse, origin, clickhouse.rows(sql, asked, kind="an order"))


def fills_called(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], order: str, limit: int
) -> tuple[list[Fill], int]:
    """Return the first fills that name an order, oldest first, and how many there are."""
    where = "origin = {origin:String} AND portfolio IN {names:Array(String)} AND order_id = {order:String}"
    sql = f"""
        SELECT portfolio, trade_id, {_MICROS}(t.ts) AS at, instrument, side, quantity, price,
            ifNotFinite(commission, 0), ifNotFinite(fees, 0), toString(currency), venue, count() OVER ()
        FROM trades AS t FINAL WHERE {where} ORDER BY portfolio, at, trade_id LIMIT {{limit:UInt32}}
    """
    asked = {"origin": origin, "names": list(portfolios), "order": order, "limit": limit}
    rows = clickhouse.rows(sql, asked, kind="fills of an order")
    found = [
        Fill(str(row[0]), str(row[1]), int(row[2]), str(row[3]), str(row[4]), float(row[5]), float(row[6]),
             float(row[7]), float(row[8]), str(row[9]), str(row[10]))
        for row in rows
    ]  # fmt: skip
    return found, int(rows[0][11]) if rows else 0


def odd(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> Odd:
    """Return how many fills and orders of the portfolios do not fit each other. Raises StorageUnavailable."""
    sql = f"""
        SELECT sumIf(fills, order_id = ''), sumIf(fills, order_id != '' AND ordered = 0),
            countIf(ordered > 0 AND placed > 0 AND first < placed),
            countIf(ordered > 0 AND filled > ordered * (1 + {MORE_THAN_ORDERED})),
            countIf(ordered > 0 AND (symbols != [instrument] OR sides != [side]))
        FROM (
            SELECT portfolio, order_id, count() AS fills, sum(quantity) AS filled, min({_MICROS}(t.ts)) AS first,
                groupUniqArray(2)(toString(instrument)) AS symbols, groupUniqArray(2)(toString(side)) AS sides
            FROM trades AS t FINAL WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            GROUP BY portfolio, order_id
        ) AS f LEFT JOIN (
            SELECT portfolio, order_id, quantity AS ordered, {_PLACED} AS placed,
                toString(instrument) AS instrument, toString(side) AS side
            FROM orders AS o FINAL WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
        ) AS p USING (portfolio, order_id)
    """
    (row,) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="fills beside orders")
    return Odd(*map(int, row))


def _with_fills(clickhouse: ClickHouse, origin: str, rows: Sequence[Sequence[Any]]) -> list[Order]:
    orders = [_order(row) for row in rows]
    if not orders:
        return orders
    sql = f"""
        SELECT portfolio, order_id, sum(quantity) AS filled, sum(quantity * price) / filled, count(),
            sum(ifNotFinite(commission, 0) + ifNotFinite(fees, 0)), toString(any(currency)),
            min({_MICROS}(t.ts)), max({_MICROS}(t.ts))
        FROM trades AS t FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND order_id IN {{ids:Array(String)}}
        GROUP BY portfolio, order_id
    """
    asked = {"origin": origin, "names": sorted({each.portfolio for each in orders}),
             "ids": sorted({each.id for each in orders})}  # fmt: skip
    filled = {
        (str(row[0]), str(row[1])): Filled(float(row[2]), float(row[3]), int(row[4]), float(row[5]), str(row[6]),
                                           int(row[7]), int(row[8]))
        for row in clickhouse.rows(sql, asked, kind="fills of orders")
    }  # fmt: skip
    return [replace(each, filled=filled.get((each.portfolio, each.id), Filled())) for each in orders]


def _order(row: Sequence[Any]) -> Order:
    portfolio, id, instrument, side, quantity, type, limit, decision, arrival, status, at, begun, *more = row
    decided, submitted, acknowledged, first, last, ended, reason, broker, strategy = more
    return Order(
        str(portfolio), str(id), str(instrument), str(side), float(quantity), str(type), float(limit), float(decision),
        float(arrival), str(status), int(at), int(begun), int(decided), int(submitted), int(acknowledged), int(first),
        int(last), int(ended), str(reason), str(broker), str(strategy),
    )  # fmt: skip


def _narrowed(names: Sequence[str]) -> str:
    return " AND ".join(f"{_PLACES[name]} = {{{name}:String}}" for name in names) or "1"


def _asked(origin: str, portfolios: Sequence[str], start: int, end: int) -> dict[str, object]:
    return {"origin": origin, "names": list(portfolios), "start": start, "end": end, "open": list(OPEN)}
