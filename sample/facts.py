"""The fund's history as rows for storage: NAV, positions, orders, trades and prices of a span of days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.currency import CASH
from core.model import Facts
from sample.execution import BROKER_OF, BROKERS, ON_CLOSE, Fills, Sent, carried_out
from sample.fund import FUND_ID, Fund
from sample.prices import BENCHMARK, Prices
from sample.strategies import STRATEGIES

NAV = ("origin", "portfolio", "ts", "nav", "flow", "version")
POSITIONS = (
    *("origin", "portfolio", "ts", "instrument", "quantity", "price", "market_value", "average_cost", "currency"),
    "version",
)
ORDERS = (
    *("origin", "portfolio", "order_id", "ts", "placed", "instrument", "side", "quantity", "order_type"),
    *("limit_price", "decision_price", "arrival_price", "status", "decided_at", "submitted_at", "acknowledged_at"),
    *("first_filled_at", "last_filled_at", "ended_at", "reject_reason", "broker", "strategy", "version"),
)
TRADES = (
    *("origin", "portfolio", "trade_id", "order_id", "ts", "instrument", "side", "quantity"),
    *("price", "commission", "fees", "currency", "venue", "version"),
)
PRICES = ("origin", "instrument", "ts", "price", "version")

IDS = tuple(strategy.id for strategy in STRATEGIES)


def fund_facts(fund: Fund, origin: str, first: int, last: int, version: int) -> tuple[Facts, ...]:
    """Return the rows of day numbers `first` up to but not with `last`, a table each; tables without rows are left out.

    Daily rows are stamped midnight UTC of their day. Positions, orders and trades belong to the strategies,
    whose sum the fund is; cash is a position named CASH at price 1.
    """
    days = np.arange(first, min(last, len(fund.prices)))
    sent, fills = carried_out(fund, np.flatnonzero(_inside(fund.orders.day, days)))
    tables = (
        ("nav", NAV, _nav(fund, days)),
        ("positions", POSITIONS, _positions(fund, days)),
        ("orders", ORDERS, _orders(fund, sent)),
        ("trades", TRADES, _trades(fund, fills)),
        ("prices", PRICES, _prices(fund.prices, days)),
    )
    made = []
    for table, columns, data in tables:
        count = len(data[0])
        if count:
            whole = ([origin] * count, *data, [version] * count)
            made.append(Facts(table, columns, whole, token=f"{origin}-{table}-{first}-{last}-{version}"))
    return tuple(made)


def day_seconds(prices: Prices) -> NDArray[np.int64]:
    """Return each trading day's midnight as epoch seconds, UTC."""
    seconds: NDArray[np.int64] = prices.dates.astype("datetime64[s]").astype(np.int64)
    return seconds


def _nav(fund: Fund, days: NDArray[np.int64]) -> tuple[Sequence[Any], ...]:
    nav = np.column_stack([fund.nav, fund.nav.sum(axis=1)])[days]
    flow = np.column_stack([fund.flow, np.round(fund.flow.sum(axis=1), 2)])[days]
    ids = (*IDS, FUND_ID)
    ts = np.repeat(day_seconds(fund.prices)[days], len(ids))
    return list(ids) * len(days), ts.tolist(), nav.ravel().tolist(), flow.ravel().tolist()


def _positions(fund: Fund, days: NDArray[np.int64]) -> tuple[Sequence[Any], ...]:
    cash = fund.cash[days][:, :, None]
    quantity = np.concatenate([fund.shares[days], cash], axis=2)
    price = np.column_stack([fund.prices.close, np.ones(len(fund.prices))])[days]
    held = quantity != 0
    day, strategy, instrument = np.nonzero(held)
    quantity, price = quantity[held], price[day, instrument]
    names = (*fund.prices.instruments, CASH)
    return (
        _named(IDS, strategy),
        day_seconds(fund.prices)[days][day].tolist(),
        _named(names, instrument),
        quantity.tolist(),
        price.tolist(),
        (quantity * price).tolist(),
        np.concatenate([fund.average_cost[days], np.ones_like(cash)], axis=2)[held].tolist(),
        ["USD"] * len(quantity),
    )


def _orders(fund: Fund, sent: Sent) -> tuple[Sequence[Any], ...]:
    orders = fund.orders
    rows = sent.order
    limit = orders.limit[rows]
    strategy = orders.strategy[rows]
    kinds = np.where(
        np.isnan(limit),
        np.where(ON_CLOSE[strategy], "market_on_close", "market"),
        np.where(ON_CLOSE[strategy], "limit_on_close", "limit"),
    )
    return (
        _named(IDS, strategy),
        [
            f"{name}-{attempt}" if attempt else name
            for name, attempt in zip(_order_ids(fund, rows), sent.attempt.tolist(), strict=True)
        ],
        np.maximum(sent.ended, sent.last_filled).tolist(),
        sent.submitted.tolist(),
        _named(fund.prices.instruments, orders.instrument[rows]),
        _sides(orders.quantity[rows]),
        np.abs(orders.quantity[rows]).tolist(),
        kinds.tolist(),
        [None if np.isnan(price) else price for price in limit.tolist()],
        orders.decision[rows].tolist(),
        sent.arrival.tolist(),
        sent.status.tolist(),
        sent.decided.tolist(),
        sent.submitted.tolist(),
        sent.acknowledged.tolist(),
        sent.first_filled.tolist(),
        sent.last_filled.tolist(),
        sent.ended.tolist(),
        sent.reason.tolist(),
        _named(BROKERS, BROKER_OF[strategy]),
        _named(IDS, strategy),
    )


def _trades(fund: Fund, fills: Fills) -> tuple[Sequence[Any], ...]:
    orders = fund.orders
    order_ids = _order_ids(fund, fills.order)
    return (
        _named(IDS, orders.strategy[fills.order]),
        [f"{order_id}-{number}" for order_id, number in zip(order_ids, fills.number.tolist(), strict=True)],
        order_ids,
        fills.at.tolist(),
        _named(fund.prices.instruments, orders.instrument[fills.order]),
        _sides(orders.quantity[fills.order]),
        fills.quantity.tolist(),
        fills.price.tolist(),
        fills.commission.tolist(),
        fills.fees.tolist(),
        ["USD"] * len(order_ids),
        fills.venue.tolist(),
    )


def _prices(prices: Prices, days: NDArray[np.int64]) -> tuple[Sequence[Any], ...]:
    names = (*prices.instruments, BENCHMARK)
    close = np.column_stack([prices.close, prices.benchmark])[days]
    ts = np.repeat(day_seconds(prices)[days], len(names))
    return list(names) * len(days), ts.tolist(), close.ravel().tolist()


def _order_ids(fund: Fund, rows: NDArray[np.int64]) -> list[str]:
    """Return ids that name strategy, day and instrument: a strategy sends one order a day and instrument."""
    dates = np.datetime_as_string(fund.prices.dates[fund.orders.day[rows]])
    strategies = _named(IDS, fund.orders.strategy[rows])
    instruments = _named(fund.prices.instruments, fund.orders.instrument[rows])
    return [f"{strategy}-{date}-{name}" for strategy, date, name in zip(strategies, dates, instruments, strict=True)]


def _inside(day: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(days):
        return np.zeros(len(day), dtype=np.bool_)
    inside: NDArray[np.bool_] = (day >= days[0]) & (day <= days[-1])
    return inside


def _named(names: Sequence[str], numbers: NDArray[np.int64]) -> list[str]:
    return [names[number] for number in numbers.tolist()]


def _sides(quantity: NDArray[np.float64]) -> list[str]:
    return ["buy" if signed > 0 else "sell" for signed in quantity.tolist()]
