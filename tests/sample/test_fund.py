"""The sample fund's books: they balance, repeat exactly and never look ahead."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample.execution import carried_out
from sample.facts import fund_facts
from sample.fund import FLOWS, INITIAL_CAPITAL, Fund, build
from sample.prices import Prices, first_days, load_prices
from sample.strategies import PAIRS, STRATEGIES


@pytest.fixture(scope="module")
def prices() -> Prices:
    return load_prices()


@pytest.fixture(scope="module")
def fund(prices: Prices) -> Fund:
    return build(prices)


def column(fund: Fund, table: str, name: str, first: int = 0, last: int = 10_000) -> np.ndarray:
    facts = next(facts for facts in fund_facts(fund, "sample", first, last, 1) if facts.table == table)
    return np.array(facts.data[facts.columns.index(name)])


def test_the_whole_period_is_there(prices: Prices, fund: Fund) -> None:
    assert (str(prices.dates[0]), str(prices.dates[-1]), len(prices)) == ("2014-01-02", "2022-12-28", 2_264)
    assert len(prices.instruments) == 25
    assert (np.abs(fund.shares).sum(axis=(0, 2)) > 0).all()


def test_cash_and_positions_are_the_nav_every_day(fund: Fund) -> None:
    nav, portfolio, ts = (column(fund, "nav", name) for name in ("nav", "portfolio", "ts"))
    value, owner, when = (column(fund, "positions", name) for name in ("market_value", "portfolio", "ts"))
    for strategy in STRATEGIES:
        days, first = np.unique(when[owner == strategy.id], return_index=True)
        held = np.add.reduceat(value[owner == strategy.id], first)
        mine = portfolio == strategy.id
        assert (days == ts[mine]).all()
        assert held == pytest.approx(nav[mine], rel=1e-9)


def test_nav_moves_by_flows_gains_and_costs_and_nothing_else(fund: Fund) -> None:
    gain = (fund.shares[:-1] * np.diff(fund.prices.close, axis=0)[:, None, :]).sum(axis=2)
    assert np.diff(fund.nav, axis=0) - fund.flow[1:] == pytest.approx(gain - fund.costs[1:], abs=1e-4)
    assert (fund.costs >= 0).all()
    assert fund.costs.sum() > 0


def test_the_fund_is_the_sum_of_its_strategies(fund: Fund) -> None:
    portfolio, nav, flow = (column(fund, "nav", name) for name in ("portfolio", "nav", "flow"))
    parts = [portfolio == strategy.id for strategy in STRATEGIES]
    assert nav[portfolio == "fund"] == pytest.approx(sum(nav[part] for part in parts), rel=1e-12)
    assert flow[portfolio == "fund"] == pytest.approx(sum(flow[part] for part in parts), abs=0.005)


def test_transfers_between_strategies_are_no_flow_of_the_fund(fund: Fund) -> None:
    total = np.round(fund.flow.sum(axis=1), 2)
    assert total[total != 0] == pytest.approx([INITIAL_CAPITAL, *FLOWS.values()])
    moved = (fund.flow != 0).any(axis=1) & (total == 0)
    assert moved.sum() >= 6


def test_trades_belong_to_orders_and_add_up_to_positions(fund: Fund) -> None:
    orders = dict(zip(column(fund, "orders", "order_id"), column(fund, "orders", "quantity"), strict=True))
    filled: Counter[str] = Counter()
    for order, quantity in zip(column(fund, "trades", "order_id"), column(fund, "trades", "quantity"), strict=True):
        filled[order] += quantity
    assert all(orders[order] == quantity for order, quantity in filled.items())
    status = Counter(column(fund, "orders", "status").tolist())
    assert status["filled"] == len(filled)
    assert status["filled"] + status["expired"] == len(fund.orders.day)
    assert min(status[each] for each in ("expired", "rejected", "cancelled")) > 10

    names, traded = column(fund, "trades", "instrument"), column(fund, "trades", "quantity")
    signed = traded * np.where(column(fund, "trades", "side") == "buy", 1, -1)
    owner = column(fund, "trades", "portfolio")
    for number, strategy in enumerate(STRATEGIES):
        for at, instrument in enumerate(fund.prices.instruments):
            mine = (owner == strategy.id) & (names == instrument)
            assert signed[mine].sum() == fund.shares[-1, number, at]


def test_each_strategy_keeps_its_promise(fund: Fund) -> None:
    value = fund.shares * fund.prices.close[:, None, :] / fund.nav[:, :, None]
    equity, pairs, trend, parity = (value[:, number] for number in range(4))
    assert (fund.shares[:, [0, 3]] >= 0).all()
    assert (fund.cash[:, [0, 3]] >= 0).all()
    assert (np.count_nonzero(equity[300:], axis=1) <= 20).all()
    assert np.abs(pairs.sum(axis=1)).max() < 0.35
    assert np.abs(pairs).sum(axis=1).max() < 2 * len(PAIRS) * 0.2
    assert np.abs(trend).sum(axis=1).max() < 1.7
    assert (trend[-250:].sum(axis=1) < 0).any()
    assert (np.count_nonzero(parity[2:], axis=1) == 5).all()


def test_a_fill_costs_the_stated_spread_and_commission(fund: Fund) -> None:
    orders = fund.orders
    close = fund.prices.close[orders.day, orders.instrument]
    done = orders.filled
    slip = (orders.price / close - 1) * np.sign(orders.quantity)
    assert slip[done] == pytest.approx(0.0002, abs=1e-9)
    assert orders.commission[done] == pytest.approx((np.abs(orders.quantity) * orders.price * 0.0001)[done])
    assert (orders.price <= np.where(np.isnan(orders.limit), np.inf, orders.limit))[done].all()


def test_fills_sum_to_what_the_books_have_of_their_order(fund: Fund) -> None:
    order, number = fund.orders, np.arange(len(fund.orders.day))
    _, fills = carried_out(fund, number)
    sums = [np.bincount(fills.order, weights=each, minlength=len(number)) for each in (
        fills.quantity, fills.quantity * fills.price, fills.commission + fills.fees)]  # fmt: skip
    size = np.where(order.filled, np.abs(order.quantity), 0.0)
    assert (sums[0] == size).all()
    assert sums[1] == pytest.approx(size * np.nan_to_num(order.price), rel=1e-12)
    assert sums[2] == pytest.approx(order.commission, rel=1e-12)
    assert (fills.price <= np.where(np.isnan(order.limit), np.inf, order.limit)[fills.order] * (1 + 1e-12)).all()


def test_an_order_is_decided_sent_taken_and_filled_in_this_order_within_a_session(fund: Fund) -> None:
    names = ("decided_at", "submitted_at", "acknowledged_at", "first_filled_at", "last_filled_at", "ended_at")
    at = {name: column(fund, "orders", name) for name in names}
    status = column(fund, "orders", "status")
    filled = status == "filled"
    for before, after in pairwise(names[:5]):
        assert (at[before] <= at[after])[filled].all()
    assert (at["ended_at"] > 0)[~filled].all()
    assert (at["acknowledged_at"] == 0)[status == "rejected"].all()
    assert (column(fund, "orders", "reject_reason") != "")[np.isin(status, ("rejected", "cancelled"))].all()
    hours = (at["submitted_at"] // 3_600_000_000) % 24
    assert {14, 15, 16, 17, 18, 19} <= set(hours.tolist()) <= set(range(13, 21))


def test_positions_cost_what_their_trades_paid(fund: Fund) -> None:
    """Long positions of one strategy, built again trade by trade."""
    rows = zip(*(column(fund, "trades", name).tolist() for name in
                 ("portfolio", "instrument", "side", "quantity", "price", "ts")), strict=True)  # fmt: skip
    held, cost = Counter[str](), Counter[str]()
    for portfolio, name, side, quantity, price, _ in sorted(rows, key=lambda row: row[5]):
        if portfolio != "equity":
            continue
        if side == "buy":
            cost[name] += quantity * price
        else:
            cost[name] *= 1 - quantity / held[name]
        held[name] += quantity if side == "buy" else -quantity
    for number, name in enumerate(fund.prices.instruments):
        told = fund.average_cost[-1, 0, number]
        assert np.isnan(told) == (held[name] == 0)
        if held[name]:
            assert told == pytest.approx(cost[name] / held[name])


def test_the_same_prices_give_the_same_bytes(prices: Prices, fund: Fund) -> None:
    assert fund_facts(build(prices), "sample", 0, len(prices), 1) == fund_facts(fund, "sample", 0, len(prices), 1)


@settings(max_examples=12, deadline=None)
@given(days=st.integers(2, 2_263))
def test_the_past_does_not_know_the_future(prices: Prices, fund: Fund, days: int) -> None:
    short = build(first_days(prices, days))
    assert fund_facts(short, "sample", 0, days, 1) == fund_facts(fund, "sample", 0, days, 1)


def test_orders_are_sized_before_the_day_they_fill(prices: Prices, fund: Fund) -> None:
    """Tomorrow's close may decide whether an order fills and at what price, never which order is sent."""
    day = int(fund.orders.day[fund.orders.day > 1_500][0])
    other = prices.close.copy()
    other[day] *= 1.5
    changed = build(Prices(prices.dates, prices.instruments, other, prices.benchmark))
    before, after = fund.orders.day == day, changed.orders.day == day
    for name in ("strategy", "instrument", "quantity", "decision"):
        assert (getattr(fund.orders, name)[before] == getattr(changed.orders, name)[after]).all()


def test_spans_of_days_add_up_to_the_whole(fund: Fund) -> None:
    whole = column(fund, "orders", "order_id")
    parts = [column(fund, "orders", "order_id", first, first + 600) for first in (0, 600, 1_200, 1_800)]
    assert (np.concatenate(parts) == whole).all()
