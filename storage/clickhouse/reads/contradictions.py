"""Fills that say something else than the orders that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.orders import MORE_THAN_ORDERED

ORDERS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Contradicted:
    """An order, and its fills, which do not fit it."""

    portfolio: str
    order: str
    instrument: str
    side: str
    ordered: float
    filled: float
    instruments: tuple[str, ...]
    """Of its fills, two at most."""
    sides: tuple[str, ...]


def contradicted(
    clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], ids: Sequence[str]
) -> list[Contradicted]:
    """Return which of these known orders have fills that are more than was ordered, or of another instrument or side.

    Raises StorageUnavailable.
    """
    return [
        each
        for start in range(0, len(ids), ORDERS_AT_ONCE)
        for each in _of(clickhouse, origin, portfolios, ids[start : start + ORDERS_AT_ONCE])
    ]


def _of(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], ids: Sequence[str]) -> list[Contradicted]:
    # One text that is split there: thousands of literals take longer to parse than to look for.
    which = """
        origin = {origin:String} AND portfolio IN {names:Array(String)}
            AND order_id IN (SELECT arrayJoin(splitByChar('\\n', {ids:String})))
    """
    asked = {"origin": origin, "names": list(portfolios), "ids": "\n".join(ids)}
    sql = f"""
        SELECT portfolio, order_id, instrument, side, ordered, filled, symbols, sides
        FROM (
            SELECT portfolio, order_id, sum(quantity) AS filled, groupUniqArray(2)(toString(t.instrument)) AS symbols,
                groupUniqArray(2)(toString(t.side)) AS sides
            FROM trades AS t FINAL WHERE {which} GROUP BY portfolio, order_id
        ) AS f INNER JOIN (
            SELECT portfolio, order_id, quantity AS ordered, toString(o.instrument) AS instrument,
                toString(o.side) AS side
            FROM orders AS o FINAL WHERE {which}
        ) AS p USING (portfolio, order_id)
        WHERE filled > ordered * (1 + {MORE_THAN_ORDERED}) OR symbols != [instrument] OR sides != [side]
        ORDER BY portfolio, order_id
    """
    return [
        Contradicted(str(row[0]), str(row[1]), str(row[2]), str(row[3]), float(row[4]), float(row[5]),
                     tuple(map(str, row[6])), tuple(map(str, row[7])))
        for row in clickhouse.rows(sql, asked, kind="fills beside orders")
    ]  # fmt: skip
