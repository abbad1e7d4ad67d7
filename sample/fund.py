"""The sample fund's book-keeping: from plans to orders, trades, positions, cash and NAV, day by day."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sample.prices import Dates, Floats, Prices
from sample.strategies import STRATEGIES, month_starts

FUND_ID = "fund"

HALF_SPREAD = 0.0002
COMMISSION = 0.0001
"""Both as a share of the traded value."""

SMALLEST_ORDER = 0.001
"""Orders below this share of the strategy's capital are not worth their costs; closing one out always is."""

INITIAL_CAPITAL = 10_000_000.0
FLOWS = {
    "2014-10": 1_500_000.0,
    "2015-07": 2_000_000.0,
    "2016-04": -1_200_000.0,
    "2017-02": 2_500_000.0,
    "2018-03": 1_500_000.0,
    "2019-01": -2_000_000.0,
    "2019-11": 1_000_000.0,
    "2020-04": -2_500_000.0,
    "2020-11": 3_000_000.0,
    "2021-07": 2_000_000.0,
    "2022-06": -3_000_000.0,
    "2022-10": -1_000_000.0,
}
"""Subscriptions (+) and redemptions (−) in dollars, on the first trading day of the month."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Orders:
    """Orders, oldest first, a column each. An order that is `filled` is one trade at `price`, else it expired."""

    day: Integers
    strategy: Integers
    instrument: Integers
    quantity: Floats
    """Signed shares: bought +, sold −."""
    limit: Floats
    """Limit price, NaN for a market-on-close order."""
    decision: Floats
    """Close of the day before, on which the order was decided."""
    filled: NDArray[np.bool_]
    price: Floats
    """Price paid or received, half-spread included; NaN when not filled."""
    commission: Floats


@dataclass(frozen=True)
class Fund:
    """The whole history. Axes: days, then strategies in the order of STRATEGIES, then instruments."""

    prices: Prices
    cash: Floats
    """(days, strategies), at the end of the day, after the day's flow."""
    shares: Floats
    """(days, strategies, instruments), at the end of the day."""
    nav: Floats
    """(days, strategies)."""
    flow: Floats
    """(days, strategies): money in +, out −, subscriptions and transfers between strategies alike."""
    costs: Floats
    """(days, strategies): half-spreads and commissions of the day."""
    average_cost: Floats
    """(days, strategies, instruments): what one of the shares held cost on average, without commission; NaN: none."""
    orders: Orders


def build(prices: Prices) -> Fund:
    """Return the fund's history on `prices`: a pure function, the same bytes for the same prices."""
    plans = [strategy.plan(prices) for strategy in STRATEGIES]
    weights = np.stack([plan.weights for plan in plans], axis=1)
    trade = np.stack([plan.trade for plan in plans], axis=1)
    shape = (len(prices), len(STRATEGIES))
    cash, nav, flow, costs = (np.zeros(shape) for _ in range(4))
    shares = np.zeros((*shape, len(prices.instruments)))
    average_cost = np.full(shares.shape, np.nan)
    external = _external_flows(prices)
    januaries = month_starts(prices.dates) & (prices.dates.astype("datetime64[M]").astype(np.int64) % 12 == 0)
    target = np.array([strategy.capital_share for strategy in STRATEGIES])
    orders: list[Orders] = []
    flow[0] = cash[0] = nav[0] = _shared_out(target * external[0], external[0])
    resend = np.zeros(shares.shape[1:], dtype=np.bool_)
    for day in range(1, len(prices)):
        wanted = target * external[day]
        if januaries[day]:
            wanted += target * nav[day - 1].sum() - nav[day - 1]
        flow[day] = _shared_out(wanted, external[day])
        due = trade[day] | resend | (flow[day] != 0)[:, None]
        sent = _send(day, prices, nav[day - 1] + flow[day], weights[day], shares[day - 1], due)
        orders.append(sent)
        resend = np.zeros_like(resend)
        resend[sent.strategy[~sent.filled], sent.instrument[~sent.filled]] = True
        bought = np.zeros_like(shares[day])
        paid, costs[day] = _settle(sent, prices.close[day], bought)
        shares[day] = shares[day - 1] + bought
        average_cost[day] = _average_cost(average_cost[day - 1], shares[day - 1], bought, sent)
        cash[day] = cash[day - 1] + flow[day] - paid
        nav[day] = cash[day] + (shares[day] * prices.close[day]).sum(axis=1)
    return Fund(prices, cash, shares, nav, flow, costs, average_cost, _joined(orders))


def redated(fund: Fund, dates: Dates) -> Fund:
    """Return the same history on other days, as if it had been then. Raises ValueError for another number of days."""
    if len(dates) != len(fund.prices):
        raise ValueError(f"{len(dates)} dates for {len(fund.prices)} days")
    return replace(fund, prices=replace(fund.prices, dates=dates))


def _external_flows(prices: Prices) -> Floats:
    """Return the investors' money by day: the initial capital on the first, then FLOWS."""
    flows = np.zeros(len(prices))
    starts = np.flatnonzero(month_starts(prices.dates))
    months = prices.dates[starts].astype("datetime64[M]").astype(str)
    flows[starts] = [FLOWS.get(month, 0.0) for month in months]
    flows[:1] = INITIAL_CAPITAL
    return flows


def _shared_out(amounts: Floats, total: float) -> Floats:
    """Return `amounts` in whole cents, the last one taking what is missing to `total`."""
    cents = np.round(amounts, 2)
    cents[-1] = np.round(total - cents[:-1].sum(), 2)
    return cents


_LIMITS = np.array([np.nan if strategy.limit_ratio is None else strategy.limit_ratio for strategy in STRATEGIES])


def _send(day: int, prices: Prices, capital: Floats, weights: Floats, held: Floats, due: NDArray[np.bool_]) -> Orders:
    """Return the day's orders: sized on the last close and the capital known then, filled or not at today's."""
    last, close = prices.close[day - 1], prices.close[day]
    wanted = np.trunc(weights * capital[:, None] / last)
    quantity = wanted - held
    worth_it = (np.abs(quantity) * last >= SMALLEST_ORDER * capital[:, None]) | (wanted == 0)
    strategy, instrument = np.nonzero(due & worth_it & (quantity != 0))
    quantity = quantity[strategy, instrument]
    side = np.sign(quantity)
    price = close[instrument] * (1.0 + side * HALF_SPREAD)
    limit = np.where(side > 0, last[instrument] * (1.0 + _LIMITS[strategy]), np.nan)
    filled = np.isnan(limit) | (price <= limit)
    return Orders(
        day=np.full(len(strategy), day, dtype=np.int64),
        strategy=strategy.astype(np.int64),
        instrument=instrument.astype(np.int64),
        quantity=quantity,
        limit=limit,
        decision=last[instrument],
        filled=filled,
        price=np.where(filled, price, np.nan),
        commission=np.where(filled, np.abs(quantity) * price * COMMISSION, 0.0),
    )


def _settle(orders: Orders, close: Floats, bought: Floats) -> tuple[Floats, Floats]:
    """Fill `bought` with the filled quantities; return cash paid and costs, by strategy."""
    done = orders.filled
    strategy, instrument, quantity = orders.strategy[done], orders.instrument[done], orders.quantity[done]
    bought[strategy, instrument] = quantity
    value, commission = quantity * orders.price[done], orders.commission[done]
    spread = value - quantity * close[instrument]
    count = len(bought)
    paid: Floats = np.bincount(strategy, weights=value + commission, minlength=count).astype(np.float64)
    costs: Floats = np.bincount(strategy, weights=spread + commission, minlength=count).astype(np.float64)
    return paid, costs


def _average_cost(before: Floats, held: Floats, bought: Floats, orders: Orders) -> Floats:
    """Return what one costs on average: more of the same side adds to it, less leaves it, another side begins anew."""
    paid = np.full(held.shape, np.nan)
    paid[orders.strategy, orders.instrument] = orders.price
    after = held + bought
    grown = (held * before + bought * paid) / np.where(after == 0, np.nan, after)
    is_more = (np.sign(bought) == np.sign(held)) & (bought != 0)
    cost = np.where(is_more, grown, np.where(np.sign(after) == np.sign(held), before, paid))
    return np.where(after == 0, np.nan, cost)


def _joined(parts: list[Orders]) -> Orders:
    """Return the parts as one."""
    names = Orders.__dataclass_fields__
    return Orders(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
