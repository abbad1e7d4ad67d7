"""What portfolios traded since a day: the money that was bought and sold, and what was bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse


@dataclass(frozen=True, slots=True)
class Traded:
    """What a portfolio traded of an instrument in one currency on a day."""

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


def traded_since(clickhouse: ClickHouse, origin: str, since: Mapping[str, int]) -> list[Traded]:
    """Return what portfolios traded, each from a day of its own on (days since 1970), by day.

    Raises StorageUnavailable or StorageRejected.
    """
    sql = f"""
        SELECT portfolio, instrument, toString(currency), toUInt32(toDate(t.ts)) AS day, sum(abs(quantity) * price),
            sumIf(quantity, side = 'buy')
        FROM trades AS t FINAL
        WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}}
            AND t.ts >= toDateTime({{first:UInt32}} * {DAY_SECONDS})
            AND day >= transform(portfolio, {{names:Array(String)}}, {{days:Array(UInt32)}}, toUInt32(0))
        GROUP BY portfolio, instrument, currency, day ORDER BY portfolio, instrument, day
    """
    asked = {"origin": origin, "names": [*since], "days": [*since.values()], "first": min(since.values(), default=0)}
    rows = clickhouse.rows(sql, asked, kind="traded since reports")
    return [Traded(str(row[0]), str(row[1]), str(row[2]), int(row[3]), float(row[4]), float(row[5])) for row in rows]
