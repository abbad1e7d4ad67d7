"""Inputs that make other libraries lie or fall over, and what must hold for any input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import calendar, drawdown, ratios, returns, risk

some_returns = st.lists(st.floats(-0.5, 0.5, allow_subnormal=False), min_size=1, max_size=80)
DAYS = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")


def test_nothing_gives_no_figure_and_no_error() -> None:
    empty = np.array([])
    figures = (
        returns.total_return(empty),
        returns.annual_return(empty, 252),
        risk.volatility(empty, 252),
        ratios.sharpe(empty, 0.0, 252),
        ratios.sortino(empty, 0.0, 252),
        ratios.calmar(empty, 252),
        drawdown.max_drawdown(empty),
        calendar.to_date(DAYS[:0], empty, "MTD"),
        calendar.trailing_months(DAYS[:0], empty, 12),
    )
    assert all(math.isnan(figure) for figure in figures)
    assert drawdown.episodes(empty) == []
    assert calendar.monthly_table(DAYS[:0], empty).years == ()


def test_one_good_day_is_not_annualised() -> None:
    assert returns.total_return([0.01]) == pytest.approx(0.01)
    assert math.isnan(returns.annual_return([0.01], 252))
    assert math.isnan(ratios.sharpe([0.01], 0.0, 252))


@pytest.mark.parametrize("daily", [0.0, 0.0001, -0.0003, 0.1])
def test_a_constant_return_has_no_risk_and_no_ratio(daily: float) -> None:
    constant = np.full(300, daily)
    assert risk.volatility(constant, 252) == 0.0
    assert math.isnan(ratios.sharpe(constant, 0.0, 252))


def test_a_flat_portfolio_never_drew_down_and_has_no_ratios() -> None:
    flat = np.zeros(300)
    assert drawdown.max_drawdown(flat) == 0.0
    assert returns.annual_return(flat, 252) == 0.0
    assert math.isnan(ratios.calmar(flat, 252))
    assert math.isnan(ratios.sortino(flat, 0.0, 252))


def test_a_first_day_loss_is_a_drawdown() -> None:
    assert drawdown.max_drawdown([-0.1, 0.05]) == pytest.approx(-0.1)


def test_a_missing_day_is_left_out_and_not_taken_for_zero() -> None:
    gap = np.array([0.02, np.nan, -0.01, 0.03])
    whole = np.array([0.02, -0.01, 0.03])
    assert ratios.sharpe(gap, 0.0, 252) == ratios.sharpe(whole, 0.0, 252)
    assert risk.downside_deviation(gap) == risk.downside_deviation(whole)
    assert returns.total_return(gap) == pytest.approx(returns.total_return(whole))


def test_after_a_total_loss_nothing_is_measured() -> None:
    lost = np.array([0.1, -1.0, 0.2, 0.3])
    assert returns.total_return(lost) == -1.0
    assert drawdown.max_drawdown(lost) == -1.0
    assert len(returns.through_total_loss(lost)) == 2


def test_nothing_compounds_through_a_debt() -> None:
    assert math.isnan(returns.total_return([0.1, -1.4, 0.2]))
    daily = returns.flow_returns([100.0, -20.0, 30.0], [0.0, 0.0, 0.0])
    assert np.isnan(daily).all()


def test_an_infinite_return_is_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        risk.volatility([0.1, math.inf], 252)


def test_a_subscription_is_not_a_gain() -> None:
    nav, flow = [100.0, 160.0, 110.0], [0.0, 50.0, -44.0]
    daily = returns.flow_returns(nav, flow)
    assert math.isnan(daily[0])
    assert daily[1:] == pytest.approx([160 / 150 - 1, 154 / 160 - 1])


def test_an_annual_rate_compounds_back_to_itself() -> None:
    assert (1 + returns.per_period_rate(0.05, 252)) ** 252 - 1 == pytest.approx(0.05)


@given(some_returns)
def test_drawdown_lies_between_total_loss_and_zero_and_matches_its_episodes(values: list[float]) -> None:
    path = drawdown.drawdown_path(values)
    assert ((path <= 0) & (path >= -1)).all()
    levels = returns.wealth(values)
    spells = drawdown.episodes(levels)
    deepest = min((spell.depth for spell in spells), default=0.0)
    assert deepest == pytest.approx(drawdown.max_drawdown(values))
    for spell in spells:
        assert spell.peak < spell.trough <= spell.last
        assert levels[spell.trough] == pytest.approx(levels[spell.peak] * (1 + spell.depth))


@given(some_returns, st.floats(0.01, 1_000_000))
def test_returns_do_not_depend_on_the_currency(values: list[float], scale: float) -> None:
    levels = returns.wealth(values)
    assert returns.simple_returns(levels * scale) == pytest.approx(returns.simple_returns(levels), abs=1e-9)


@given(some_returns)
def test_months_compound_to_years_and_years_to_the_total(values: list[float]) -> None:
    dates = DAYS[:: len(DAYS) // 80][: len(values)]
    table = calendar.monthly_table(dates, values)
    by_year = [returns.total_return(row) for row in table.months]
    assert by_year == pytest.approx(list(table.totals), nan_ok=True)
    assert returns.total_return(table.totals) == pytest.approx(returns.total_return(values))


@pytest.mark.parametrize(
    ("period", "anchor"),
    [("WTD", "2021-08-15"), ("MTD", "2021-07-31"), ("QTD", "2021-06-30"), ("YTD", "2020-12-31")],
)
def test_a_running_period_starts_from_the_last_value_before_it(period: calendar.ToDate, anchor: str) -> None:
    dates = np.arange("2020-01-01", "2021-08-19", dtype="datetime64[D]")
    index = np.arange(len(dates), dtype=float) + 100
    expected = index[-1] / index[list(dates).index(np.datetime64(anchor))] - 1
    assert calendar.to_date(dates, index, period) == pytest.approx(expected)


def test_a_trailing_year_reaches_back_to_the_same_day_or_the_last_one_before() -> None:
    dates = np.array(["2020-02-27", "2020-02-28", "2020-03-02", "2021-02-26", "2021-03-01"], dtype="datetime64[D]")
    assert calendar.trailing_months(dates, [1.0, 2.0, 3.0, 4.0, 5.0], 12) == pytest.approx(5 / 2 - 1)
    assert math.isnan(calendar.trailing_months(dates, [1.0, 2.0, 3.0, 4.0, 5.0], 13))
    assert calendar.months_before(np.datetime64("2021-03-31"), 1) == np.datetime64("2021-02-28")
