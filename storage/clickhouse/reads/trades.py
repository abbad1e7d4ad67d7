"""Fills, and what else changes how many are held: what round trips are matched from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse

Place = tuple[str, str]
"""A portfolio and an instrument that it traded."""


@dataclass(frozen=True, slots=True)
class Traded:
    """How often an instrument was traded in a portfolio."""

    portfolio: str
    instrument: str
    fills: int
    newest: int
    """Microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills, a column each, by place and then oldest first."""

    place: Sequence[int]
    """Which of the places that were asked for."""
    at: Sequence[int]
    """Microseconds since 1970."""
    side: Sequence[int]
    """1 bought, −1 sold."""
    quantity: Sequence[float]
    price: Sequence[float]
    costs: Sequence[float]
    """Commission and fees."""
    currency: Sequence[str]
    """Empty: the portfolio's."""
    order: Sequence[str]
    strategy: Sequence[str]
    """That the order names; empty: it names none but its portfolio."""


@dataclass(frozen=True, slots=True)
class Change:
    """A split, or a transfer in or out."""

    id: str
    version: int
    portfolio: str
    instrument: str
    at: int
    """Microseconds since 1970."""
    is_split: bool
    ratio: float
    """Of a split: new ones for an old one."""
    quantity: float
    """Of a transfer: in (+) or out (−)."""
    amount: float
    """What it had cost; NaN: nobody told."""
    currency: str


_NAMES_ONE = "strategy NOT IN ('', toString(portfolio))"
_IDS = {"trades": "trade_id", "orders": "order_id"}


def tellers_of(clickhouse: ClickHouse, origin: str, table: str, portfolios: Sequence[str]) -> frozenset[str]:
    """Return which of the portfolios told any trades or orders. Raises StorageUnavailable."""
    sql = f"""
        SELECT DISTINCT portfolio FROM {table} WHERE origin = {{origin:String}}
            AND portfolio IN {{names:Array(String)}}
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind=f"who told {table}")
    return frozenset(str(name) for (name,) in rows)


def stamp_of(clickhouse: ClickHouse, origin: str, table: str, portfolios: Sequence[str]) -> tuple[int, int]:
    """Return what is another one when a row of trades or orders comes, goes or is replaced. Raises StorageUnavailable.

    Also when rows that were replaced are cleared away: then what is worked out again is the same.
    """
    sql = f"""
        SELECT count(), sum(cityHash64({_IDS[table]}, version)) FROM {table}
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
    """
    ((rows, stamp),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind=f"stamp of {table}")
    return int(rows), int(stamp)


def currencies_of(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> tuple[str, ...]:
    """Return the currencies of trades; empty: the portfolio's. Raises StorageUnavailable."""
    sql = """
        SELECT arraySort(groupUniqArray(toString(currency))) FROM trades
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
    """
    ((found,),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="currencies of trades")
    return tuple(map(str, found))


def traded(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> list[Traded]:
    """Return what was traded in the portfolios, that which was traded last first. Raises StorageUnavailable."""
    sql = """
        SELECT portfolio, instrument, count() AS fills, max(toUnixTimestamp64Micro(t.ts)) AS newest
        FROM trades AS t FINAL WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
        GROUP BY portfolio, instrument ORDER BY newest DESC, portfolio, instrument
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="what was traded")
    return [Traded(str(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in rows]


def stamp_of_strategies(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> tuple[int, int]:
    """Return what is another one when an order that names a strategy is; the first is how many there are.

    Raises StorageUnavailable.
    """
    sql = f"""
        SELECT count(), sum(cityHash64(order_id, version)) FROM orders
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND {_NAMES_ONE}
    """
    ((rows, stamp),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="stamp of strategies")
    return int(rows), int(stamp)


def fills_of(clickhouse: ClickHouse, origin: str, places: Sequence[Place], *, of_strategies: bool = False) -> Fills:
    """Return every fill of the places. of_strategies: whether the strategies that orders name are wanted.

    Raises StorageUnavailable.
    """
    if not places:
        return Fills((), (), (), (), (), (), (), (), ())
    join = f"""
        LEFT JOIN (
            SELECT portfolio, order_id, toString(strategy) AS strategy FROM orders FINAL
            WHERE origin = {{origin:String}} AND portfolio IN {{of:Array(String)}} AND {_NAMES_ONE}
        ) AS o USING (portfolio, order_id)
    """
    strategy, named = ("o.strategy", join) if of_strategies else ("''", "")
    sql = f"""
        WITH arrayZip({{of:Array(String)}}, {{symbols:Array(String)}}) AS places
        SELECT toUInt32(indexOf(places, (toString(portfolio), toString(instrument))) - 1) AS place,
            toUnixTimestamp64Micro(t.ts) AS at, if(side = 'buy', 1, -1) AS sign, quantity, price,
            ifNotFinite(commission, 0) + ifNotFinite(fees, 0) AS costs, toString(t.currency) AS told_in, order_id,
            {strategy} AS named
        FROM trades AS t FINAL {named}
        WHERE origin = {{origin:String}} AND portfolio IN {{of:Array(String)}}
            AND (toString(portfolio), toString(instrument)) IN (
                SELECT arrayJoin(arrayZip({{of:Array(String)}}, {{symbols:Array(String)}}))
            )
        ORDER BY place, at, trade_id
    """
    asked = {"origin": origin, "of": [name for name, _ in places], "symbols": [symbol for _, symbol in places]}
    found = clickhouse.columns(sql, asked, kind="fills")
    return Fills(*(found[name] for name in _FILLS))


_FILLS = ("place", "at", "sign", "quantity", "price", "costs", "told_in", "order_id", "named")


def changes_of(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> list[Change]:
    """Return the splits and transfers of the portfolios, oldest first. Raises StorageUnavailable."""
    sql = """
        SELECT transaction_id, x.version, portfolio, instrument, toUnixTimestamp64Micro(x.ts) AS at, action = 'split',
            split_ratio, quantity, amount, toString(currency)
        FROM transactions AS x FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)} AND action IN ('split', 'transfer')
        ORDER BY at, transaction_id
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="splits and transfers")
    return [
        Change(str(row[0]), int(row[1]), str(row[2]), str(row[3]), int(row[4]), bool(row[5]), float(row[6]),
               float(row[7]), float(row[8]), str(row[9]))
        for row in rows
    ]  # fmt: skip
