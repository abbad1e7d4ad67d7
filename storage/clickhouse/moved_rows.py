"""All rows of an own portfolio, to be put under another one or deleted. Every function may be called again.

Versions stay what they are, so that an import whose portfolio was merged is still undone by its version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage.clickhouse.change_rows import delete_where, insert_select
from storage.clickhouse.client import ClickHouse, quoted
from storage.clickhouse.import_rows import parts
from storage.clickhouse.reported_tables import REPORTED

KIND = "move portfolio"


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: str
    """Besides origin and portfolio."""
    same: str
    """What of two portfolios may be the same, as an expression; empty: it goes with another table."""


def _reported(name: str, same: str) -> _Table:
    columns = (each for each in REPORTED[name].columns if each != "portfolio")
    return _Table(name, ", ".join((*columns, "version")), same)


_MARKS = _Table("nav_restatements", "ts, was_version, version, was, now, flow_was, flow_now, at, source", "")
_TABLES = (
    _Table("nav", "ts, nav, flow, version", "toString(toDate(ts))"),
    _reported("positions", "toString(toDate(ts))"),
    _reported("cash", "toString(toDate(ts))"),
    _reported("orders", "order_id"),
    _reported("trades", "trade_id"),
    _reported("transactions", "transaction_id"),
)
_RESTATED = _Table("restatements", "kind, key, ts, was_version, version, was, now, is_taken, at, source", "")
_MADE = (("nav_daily", "toString(day)"), ("nav_flows", "toString(toDate(ts))"), (_MARKS.name, "toString(toDate(ts))"))
"""What is made of NAV, and which day it is of."""


def values_of(clickhouse: ClickHouse, origin: str, portfolio: str) -> int:
    """Return how many days a portfolio has a value on. Raises StorageUnavailable or StorageRejected, as all do."""
    sql = "SELECT uniqExact(day) FROM nav_daily WHERE origin = {origin:String} AND portfolio = {name:String}"
    ((count,),) = clickhouse.rows(sql, {"origin": origin, "name": portfolio}, kind=KIND)
    return int(count)


def common_days(clickhouse: ClickHouse, origin: str, one: str, other: str) -> list[str]:
    """Return the days on which both portfolios have a value or a position, and the orders and trades that both have."""
    return sorted({each for table in _TABLES for each in _common(clickhouse, table, origin, one, other)})


def drop_common(clickhouse: ClickHouse, origin: str, loser: str, winner: str) -> None:
    """Delete what `loser` has on days on which `winner` has it too, and orders and trades that both have."""
    for table in _TABLES:
        for part in parts(_common(clickhouse, table, origin, loser, winner)):
            # What is made of the values goes before them: they tell, when this is repeated, what is to go.
            for name, same in (*(_MADE if table.name == "nav" else ()), (table.name, table.same)):
                delete_where(clickhouse, name, f"{_whose(origin, loser)} AND {same} IN ({quoted(part)})", KIND)


def copy_rows(clickhouse: ClickHouse, origin: str, portfolio: str, into: str) -> None:
    """Store every row of `portfolio` once more as one of `into`: marks before the values that they announce."""
    for table in (_MARKS, _RESTATED, *_TABLES):
        whose = _whose(origin, portfolio)
        select = f"SELECT origin, {quoted([into])}, {table.columns} FROM {table.name} FINAL WHERE {whose}"
        insert_select(clickhouse, table.name, f"origin, portfolio, {table.columns}", select, KIND)


def delete_rows(clickhouse: ClickHouse, origin: str, portfolio: str) -> None:
    """Delete every row of a portfolio, and what was made of them."""
    for name in (*(table.name for table in _TABLES), *(name for name, _ in _MADE), _RESTATED.name):
        delete_where(clickhouse, name, _whose(origin, portfolio), KIND)


def _whose(origin: str, portfolio: str) -> str:
    return f"origin = {quoted([origin])} AND portfolio = {quoted([portfolio])}"


def _common(clickhouse: ClickHouse, table: _Table, origin: str, one: str, other: str) -> list[str]:
    def of(portfolio: str) -> set[str]:
        sql = f"""
            SELECT DISTINCT {table.same} FROM {table.name}
            WHERE origin = {{origin:String}} AND portfolio = {{name:String}}
        """
        return set(_texts(clickhouse, sql, {"origin": origin, "name": portfolio}))

    found = of(one)
    return sorted(found & of(other)) if found else []


def _texts(clickhouse: ClickHouse, sql: str, asked: dict[str, str]) -> Iterator[str]:
    return (str(text) for (text,) in clickhouse.rows(sql, asked, kind=KIND))
