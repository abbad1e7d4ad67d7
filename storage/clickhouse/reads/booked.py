"""What moved a portfolio's holdings and cash, oldest first: its trades and its transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.portfolio import DAY_SECONDS

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Booked:
    """One transaction, or trades of an instrument on one side that nothing else of it came between. NaN: not told."""

    seconds: float
    """Since 1970; of several trades that of the first."""
    action: str
    """buy or sell, else as transactions have it."""
    instrument: str
    quantity: float
    price: float
    """Of one, on average."""
    amount: float
    """Of a transaction: money that came (+) or went (−)."""
    costs: float
    """Commission and fees of trades."""
    ratio: float
    """New ones for an old one, of a split."""
    currency: str
    """Empty: the portfolio's."""
    id: str
    """Of the trade, the first of several, or the transaction."""


def booked(clickhouse: ClickHouse, origin: str, portfolio: str, ends: Sequence[int]) -> list[Booked]:
    """Return everything booked up to the last of `ends`; trades are taken together within a span between two of them.

    ends: epoch seconds, oldest first, one a day at most. Raises StorageUnavailable or StorageRejected.
    """
    if not len(ends):
        return []
    end = f"transform(intDiv(toUnixTimestamp(r.ts), {DAY_SECONDS}), {{days:Array(Int64)}}, {{ends:Array(Int64)}}, -1)"
    of_portfolio = """origin = {origin:String} AND portfolio = {portfolio:String}
                AND toUnixTimestamp(r.ts) <= {until:Int64}"""
    following = "PARTITION BY instrument ORDER BY at, is_trade, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    sql = f"""
        SELECT min(at) AS first, any(action), instrument, sum(moved), sumIf(moved * price, is_trade) / sum(moved),
            any(amount), sum(costs), any(ratio), any(currency), min(id) AS name
        FROM (
            SELECT *, sum(is_new) OVER ({following}) AS run
            FROM (
                SELECT *, sort != lagInFrame(sort, 1, '') OVER ({following}) AS is_new
                FROM (
                    SELECT toUnixTimestamp64Micro(r.ts) AS at, 1 AS is_trade, trade_id AS id, toString(side) AS action,
                        toString(instrument) AS instrument, quantity AS moved, price, nan AS amount,
                        commission + fees AS costs, nan AS ratio, toString(currency) AS currency,
                        concat(side, currency, toString(intDiv(toUnixTimestamp(r.ts), {DAY_SECONDS})),
                            toString(toUnixTimestamp(r.ts) > {end})) AS sort
                    FROM trades AS r FINAL WHERE {of_portfolio}
                    UNION ALL
                    SELECT toUnixTimestamp64Micro(r.ts), 0, transaction_id, toString(action), toString(instrument),
                        quantity, nan, amount, 0., split_ratio, toString(currency), concat('\\n', transaction_id)
                    FROM transactions AS r FINAL WHERE {of_portfolio}
                )
            )
        )
        GROUP BY instrument, is_trade, run
        ORDER BY first, is_trade, name
    """
    asked = {
        "origin": origin, "portfolio": portfolio, "until": int(ends[-1]),
        "days": [int(at) // DAY_SECONDS for at in ends], "ends": [int(at) for at in ends],
    }  # fmt: skip
    return [
        Booked(
            int(row[0]) / MICROSECONDS, str(row[1]), str(row[2]), float(row[3]), _number(row[4]), _number(row[5]),
            float(row[6]), _number(row[7]), str(row[8]), str(row[9]),
        )
        for row in clickhouse.rows(sql, asked, kind="booked")
    ]  # fmt: skip


def first_booked(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str]) -> dict[str, int]:
    """Return when each portfolio's first trade was (epoch seconds); one that told none is not there."""
    sql = """
        SELECT portfolio, toUnixTimestamp(min(t.ts)) FROM trades AS t
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
        GROUP BY portfolio
    """
    rows = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="first booked")
    return {str(name): int(at) for name, at in rows}


def _number(value: object) -> float:
    return float(str(value)) if value is not None else np.nan
