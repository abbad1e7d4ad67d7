"""What moved a portfolio's holdings and cash, oldest first: its trades and its transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Booked:
    """One transaction, or trades of an instrument on one side that count together. NaN: not told."""

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


def booked(
    clickhouse: ClickHouse, origin: str, portfolio: str, ends: Sequence[int], *, by_run: bool = False
) -> list[Booked]:
    """Return everything booked up to the last of `ends`, oldest first.

    Trades of an instrument on one side are taken together between two ends, where no split or transfer of it came
    between: what is held and paid at each end is the same. by_run: where none on the other side came between either,
    so that what it cost is the same, too. ends: epoch seconds, oldest first, one a day at most. Raises
    StorageUnavailable or StorageRejected.
    """
    if not len(ends):
        return []
    found = [*_transactions(clickhouse, origin, portfolio, ends), *_trades(clickhouse, origin, portfolio, ends, by_run)]
    return sorted(found, key=lambda each: (each.seconds, each.action in ("buy", "sell"), each.id))


def _trades(clickhouse: ClickHouse, origin: str, portfolio: str, ends: Sequence[int], by_run: bool) -> list[Booked]:
    last = np.array([int(at) // DAY_SECONDS for at in ends])
    days = np.arange(last[0], last[-1] + 1)
    at = "toUnixTimestamp(r.ts)"
    day = f"toInt64(intDiv({at}, {DAY_SECONDS}))"
    # Trades before it less those of its own side among them: the same for all of a run, and no other run of its side.
    in_order = "instrument {side} ORDER BY r.ts, trade_id"
    run = " - ".join(f"row_number() OVER (PARTITION BY {in_order.format(side=side)})" for side in ("", ", side"))
    sql = f"""
        SELECT toUnixTimestamp64Micro(min(r.ts)), toString(side), toString(instrument), sum(quantity),
            sum(quantity * price) / sum(quantity), sum(commission + fees), toString(currency),
            argMin(trade_id, (r.ts, trade_id)),
            transform({day}, {{days:Array(Int64)}}, {{spans:Array(Int64)}}, 0)
                + ({at} > transform({day}, {{last:Array(Int64)}}, {{ends:Array(Int64)}}, {at})) AS span,
            arrayCount(moved -> moved <= toUnixTimestamp64Micro(r.ts), z.times) AS after
        FROM (
            SELECT r.ts AS ts, side, instrument, quantity, price, commission, fees, currency, trade_id,
                {run if by_run else "0"} AS run
            FROM trades AS r FINAL
            WHERE origin = {{origin:String}} AND portfolio = {{portfolio:String}} AND {at} <= {{until:Int64}}
        ) AS r LEFT JOIN (
            SELECT instrument, groupArray(toUnixTimestamp64Micro(x.ts)) AS times FROM transactions AS x FINAL
            WHERE origin = {{origin:String}} AND portfolio = {{portfolio:String}} AND action IN ('split', 'transfer')
            GROUP BY instrument
        ) AS z USING (instrument)
        GROUP BY instrument, side, currency, span, after, run
    """
    asked = {
        "origin": origin, "portfolio": portfolio, "until": int(ends[-1]), "days": days.tolist(),
        "spans": np.searchsorted(last, days).tolist(), "last": last.tolist(), "ends": [int(at) for at in ends],
    }  # fmt: skip
    return [
        Booked(
            int(row[0]) / MICROSECONDS, str(row[1]), str(row[2]), float(row[3]), float(row[4]), np.nan, float(row[5]),
            np.nan, str(row[6]), str(row[7]),
        )
        for row in clickhouse.rows(sql, asked, kind="booked trades")
    ]  # fmt: skip


def _transactions(clickhouse: ClickHouse, origin: str, portfolio: str, ends: Sequence[int]) -> list[Booked]:
    sql = """
        SELECT toUnixTimestamp64Micro(r.ts), toString(action), toString(instrument), quantity, amount, split_ratio,
            toString(currency), transaction_id
        FROM transactions AS r FINAL
        WHERE origin = {origin:String} AND portfolio = {portfolio:String} AND toUnixTimestamp(r.ts) <= {until:Int64}
    """
    asked = {"origin": origin, "portfolio": portfolio, "until": int(ends[-1])}
    return [
        Booked(
            int(row[0]) / MICROSECONDS, str(row[1]), str(row[2]), float(row[3]), np.nan, float(row[4]), 0.0,
            float(row[5]), str(row[6]), str(row[7]),
        )
        for row in clickhouse.rows(sql, asked, kind="booked transactions")
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


def traded_days(clickhouse: ClickHouse, origin: str, portfolio: str, end: int) -> list[tuple[str, int, float]]:
    """Return instrument, day (since 1970) and last price of each day on which it was traded, or transferred (NaN).

    Before `end` (epoch seconds), oldest first. Raises StorageUnavailable or StorageRejected.
    """
    whose = "origin = {origin:String} AND portfolio = {portfolio:String} AND toUnixTimestamp(r.ts) < {end:Int64}"
    sql = f"""
        SELECT instrument, day, argMax(price, at) FROM (
            SELECT toString(instrument) AS instrument, intDiv(toUnixTimestamp(r.ts), {DAY_SECONDS}) AS day, price,
                r.ts AS at
            FROM trades AS r FINAL WHERE {whose}
            UNION ALL
            SELECT toString(instrument), intDiv(toUnixTimestamp(r.ts), {DAY_SECONDS}), nan, toDateTime64(0, 6, 'UTC')
            FROM transactions AS r FINAL WHERE {whose} AND action = 'transfer'
        ) GROUP BY instrument, day ORDER BY day
    """
    rows = clickhouse.rows(sql, {"origin": origin, "portfolio": portfolio, "end": end}, kind="traded days")
    return [(str(name), int(day), float(price)) for name, day, price in rows]
