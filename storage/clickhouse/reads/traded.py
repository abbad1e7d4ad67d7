"""What portfolios traded on their newest day: the money that was bought and sold, and what was bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse


@dataclass(frozen=True, slots=True)
class Traded:
    """What a portfolio traded of an instrument in one currency."""

    portfolio: str
    instrument: str
    currency: str
    """Empty: the portfolio's."""
    day: int
    """Days since 1970 (UTC)."""
    money: float
    """Σ quantity × price of both sides, without the instrument's multiplier."""
    bought: float
    """Quantity."""


def traded_since(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], first: int) -> list[Traded]:
    """Return what portfolios traded on the newest of their days with a trade, from `first` (days since 1970) on.

    Raises StorageUnavailable or StorageRejected.
    """
    sql = """
        SELECT portfolio, instrument, toString(currency), toUInt32(toDate(t.ts)) AS day, sum(abs(quantity) * price),
            sumIf(quantity, side = 'buy')
        FROM trades AS t FINAL
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            AND t.ts >= toDateTime({first:UInt32} * 86400)
            AND toDate(t.ts) = (
                SELECT max(toDate(ts)) FROM trades
                WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            )
        GROUP BY portfolio, instrument, currency, day ORDER BY portfolio, instrument
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios), "first": first}, kind="traded of a day")
    return [Traded(str(row[0]), str(row[1]), str(row[2]), int(row[3]), float(row[4]), float(row[5])) for row in rows]
