"""On the sample fund everything ties: positions to NAV, contributions to return, parts to wholes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analytics import backtest, contribution, execution, exposure, fees, holdings_risk, linking
from sample.fund import Fund, build
from sample.prices import load_prices
from sample.strategies import STRATEGIES

EXACT = 1e-9


@cache
def fund() -> Fund:
    return build(load_prices())


@cache
def daily_returns() -> np.ndarray:
    found = fund()
    return np.asarray(found.nav[1:].sum(axis=1) / (found.nav[:-1] + found.flow[1:]).sum(axis=1) - 1)


def test_positions_and_cash_are_the_nav() -> None:
    found = fund()
    values = (found.shares * found.prices.close[:, None, :]).sum(axis=1)
    nav = found.nav.sum(axis=1)
    held = exposure.exposure(values, nav)
    assert held.net + found.cash.sum(axis=1) == pytest.approx(nav, rel=EXACT)
    parts = exposure.exposure_by_group(values, nav, [name[0] for name in found.prices.instruments])
    assert parts.exposure.gross.sum(axis=1) == pytest.approx(held.gross, rel=EXACT, abs=EXACT)


def test_contributions_by_instrument_and_month_are_the_funds_return() -> None:
    found = fund()
    pnl = found.shares[:-1].sum(axis=1) * np.diff(found.prices.close, axis=0)
    capital = (found.nav[:-1] + found.flow[1:]).sum(axis=1)
    months = found.prices.dates[1:].astype("datetime64[M]").astype(str)
    added = contribution.contributions(pnl, capital, found.prices.instruments, months, found.costs[1:].sum(axis=1))
    whole = np.prod(1 + daily_returns()) - 1
    assert added.total.sum() + added.total_costs == pytest.approx(whole, abs=EXACT)
    assert np.prod(1 + added.returns) - 1 == pytest.approx(whole, abs=EXACT)
    assert added.total_costs < 0


@pytest.mark.parametrize("method", ["carino", "menchero", "grap"])
def test_strategies_linked_are_the_return_beyond_the_benchmark(method: linking.Linking) -> None:
    found = fund()
    invested = found.nav[:-1] + found.flow[1:]
    weights = invested / invested.sum(axis=1, keepdims=True)
    gained = (found.nav[1:] - invested) / np.where(invested == 0, 1.0, invested)
    index = np.diff(found.prices.benchmark) / found.prices.benchmark[:-1]
    effects = weights * (gained - index[:, None])
    linked = linking.linked(effects, daily_returns(), index, method)
    assert len(linked) == len(STRATEGIES)
    assert linked.sum() == pytest.approx(np.prod(1 + daily_returns()) - np.prod(1 + index), abs=EXACT)


def test_parts_of_todays_risk_are_the_whole_and_its_past_is_told_by_the_back_test() -> None:
    found = fund()
    values = (found.shares[-1] * found.prices.close[-1]).sum(axis=0)
    days = np.diff(found.prices.close, axis=0) / found.prices.close[:-1]
    for risk in (holdings_risk.historical_risk(values, days, 0.99), holdings_risk.parametric_risk(values, days, 0.99)):
        assert risk.component_var.sum() == pytest.approx(risk.value_at_risk, rel=EXACT)
        assert risk.component_es.sum() == pytest.approx(risk.expected_shortfall, rel=EXACT)
        assert 0 < risk.value_at_risk < risk.expected_shortfall < np.abs(values).sum()
    pnl = holdings_risk.hypothetical_pnl(values, days)
    risk = holdings_risk.historical_risk(values, days, 0.99)
    told = backtest.backtest(pnl, np.full(len(pnl), risk.value_at_risk), 0.99)
    assert told.exceedances == pytest.approx(told.expected, abs=1)
    assert told.kupiec_p > 0.9


def test_parts_of_every_orders_shortfall_are_paper_less_real_profit() -> None:
    orders, close = fund().orders, fund().prices.close
    ordered, side = np.abs(orders.quantity), np.sign(orders.quantity)
    filled = np.where(orders.filled, ordered, 0.0)
    at_close = close[orders.day, orders.instrument]
    parts = execution.implementation_shortfall(
        ordered, filled, orders.decision, at_close, orders.price, at_close, orders.commission, side
    )
    paper = side * ordered * (at_close - orders.decision)
    real = np.where(orders.filled, side * filled * (at_close - np.nan_to_num(orders.price)), 0.0) - orders.commission
    assert parts.total == pytest.approx((paper - real) / parts.paper, abs=EXACT)
    half_spread = execution.mean_slippage(
        side[orders.filled], orders.price[orders.filled], at_close[orders.filled], filled[orders.filled]
    )
    assert half_spread.value == pytest.approx(2.0)


def test_net_of_two_and_twenty_comes_back_to_the_funds_return() -> None:
    dates = fund().prices.dates
    gross = np.concatenate([[0.0], daily_returns()])
    terms = fees.Terms(management=0.02, performance=0.2, hurdle=0.03, crystallisation="year")
    net = fees.net_of_fees(dates, gross, terms)
    assert fees.gross_of_fees(dates, net.net, terms).gross == pytest.approx(gross, abs=EXACT)
    assert net.net_value[-1] < np.prod(1 + gross)
