"""Inputs that make other libraries lie or fall over: each has one answer."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analytics import calendar, drawdown, money_weighted, ratios, returns, risk
from tests.analytics.figures import COMPOUNDED, FIGURES, PLAIN, Figure

DAYS = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
SOME = np.array([0.02, -0.01, 0.03, -0.05, 0.01, 0.0, 0.04, -0.02, 0.01, 0.02, -0.03, 0.05, 0.01])
ALL = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())


@ALL
@pytest.mark.parametrize("missing", [0, 1, 30], ids=["empty", "one missing", "all missing"])
def test_nothing_gives_no_figure_and_no_error(figure: Figure, missing: int) -> None:
    assert math.isnan(figure(np.full(missing, np.nan)))
    assert figure(np.full((missing, 3), np.nan)).shape == (3,)


def test_nothing_has_no_course_and_no_calendar() -> None:
    empty = np.array([])
    assert returns.observations(empty) == 0
    assert drawdown.episodes(empty) == []
    assert len(returns.cumulative_returns(empty)) == len(returns.simple_returns(empty)) == 0
    assert math.isnan(calendar.to_date(DAYS[:0], empty, "MTD"))
    assert math.isnan(calendar.trailing_months(DAYS[:0], empty, 12))
    assert math.isnan(calendar.best(DAYS[:0], empty, "M"))
    assert calendar.monthly_table(DAYS[:0], empty).years == ()
    assert list(returns.total_return(pd.DataFrame({"A": [], "B": []}, dtype=float)).index) == ["A", "B"]


def test_one_good_day_has_a_return_and_neither_a_year_nor_a_ratio() -> None:
    assert returns.total_return([0.01]) == pytest.approx(0.01)
    assert drawdown.max_drawdown([0.01]) == 0.0
    for name in ("annual_return", "volatility", "sharpe", "sortino", "calmar", "martin", "omega", "kelly"):
        assert math.isnan(FIGURES[name](np.array([0.01]))), name


@pytest.mark.parametrize("daily", [0.0, 0.0001, -0.0003, 0.1, 1e-9])
def test_a_constant_return_has_no_risk_and_no_ratio(daily: float) -> None:
    constant = np.full(300, daily)
    assert risk.volatility(constant, 252) == 0.0
    assert math.isnan(ratios.sharpe(constant, 0.0, 252))
    assert math.isnan(ratios.kelly(constant))
    assert math.isnan(ratios.adjusted_sharpe(constant))


def test_a_constant_excess_may_be_asked_for_as_infinite() -> None:
    assert ratios.sharpe(np.full(9, 0.01), unbounded=True) == math.inf
    assert ratios.sharpe(np.full(9, -0.01), unbounded=True) == -math.inf
    assert math.isnan(ratios.sharpe(np.zeros(9), unbounded=True))
    assert math.isnan(ratios.sharpe([0.01], unbounded=True))


def test_a_flat_portfolio_never_drew_down_and_has_no_ratios() -> None:
    flat = np.zeros(300)
    zero = "total_return annual_return max_drawdown current_drawdown ulcer_index longest_duration current_duration"
    zero += " episode_count time_under_water longest_win_streak hit_rate volatility"
    assert {name: FIGURES[name](flat) for name in zero.split()} == dict.fromkeys(zero.split(), 0.0)
    for name in ("calmar", "burke", "martin", "profit_factor", "tail_ratio", "average_episode_depth", "recovery_time"):
        assert math.isnan(FIGURES[name](flat)), name
    assert math.isnan(ratios.omega(flat)) and math.isnan(ratios.sortino(flat))


def test_a_first_day_loss_is_a_drawdown() -> None:
    assert drawdown.max_drawdown([-0.1, 0.05]) == pytest.approx(-0.1)
    assert drawdown.current_duration([-0.1, 0.05]) == 2
    assert drawdown.episodes(returns.wealth([-0.1, 0.05]))[0].peak == 0


@ALL
def test_a_missing_day_is_left_out_and_not_taken_for_zero(figure: Figure) -> None:
    gaps = np.insert(SOME, [0, 0, 3, 7, 7, len(SOME)], np.nan)
    assert figure(gaps) == pytest.approx(figure(SOME), rel=1e-12, nan_ok=True)


@ALL
def test_after_a_total_loss_nothing_is_measured(figure: Figure) -> None:
    lost = np.append(SOME, -1.0)
    assert figure(np.append(lost, [0.2, 0.3])) == pytest.approx(figure(lost), rel=1e-12, nan_ok=True)


def test_a_total_loss_is_all_that_is_left_of_it() -> None:
    assert returns.total_return([0.1, -1.0, 0.2]) == -1.0
    assert drawdown.max_drawdown([0.1, -1.0, 0.2]) == -1.0
    assert returns.annual_return(np.append(SOME, -1.0), 12) == -1.0
    assert math.isnan(drawdown.recovery_time([0.1, -1.0, 0.2]))


@pytest.mark.parametrize("figure", COMPOUNDED.values(), ids=COMPOUNDED.keys())
def test_nothing_compounds_through_a_debt(figure: Figure) -> None:
    assert math.isnan(figure(np.append(SOME, [-1.4, 0.2])))
    beside = figure(np.column_stack([np.append(SOME, [-1.4, 0.2]), np.append(SOME, [0.0, 0.0])]))
    assert math.isnan(beside[0])
    assert np.array_equal(beside[1], figure(np.append(SOME, [0.0, 0.0])), equal_nan=True)


def test_a_negative_value_gives_no_return() -> None:
    assert np.isnan(returns.flow_returns([100.0, -20.0, 30.0], [0.0, 0.0, 0.0])).all()
    np.testing.assert_allclose(
        returns.simple_returns([100.0, -20.0, 30.0, 0.0, 5.0]), [np.nan, -0.7, np.nan, 5 / 30 - 1]
    )


def test_a_missing_price_hides_no_fall() -> None:
    prices = [100, 101, np.nan, 120, 121, 122, np.nan, 90, 91, 92]
    assert drawdown.max_drawdown(returns.simple_returns(prices)) == pytest.approx(90 / 122 - 1)
    assert returns.total_return(returns.simple_returns(prices)) == pytest.approx(-0.08)
    frame = pd.DataFrame({"A": prices, "B": prices[::-1]}, pd.date_range("2024-01-01", periods=10))
    assert drawdown.max_drawdown(returns.simple_returns(frame))["A"] == pytest.approx(90 / 122 - 1)


def test_an_infinite_return_is_refused_with_its_date_and_portfolio() -> None:
    index = pd.date_range("2024-03-01", periods=3)
    both = pd.DataFrame({"A": [0.1, 0.2, 0.1], "B": [0.1, math.inf, 0.1]}, index=index)
    with pytest.raises(ValueError, match="the return of B on 2024-03-02 is infinite"):
        risk.volatility(both, 252)
    with pytest.raises(ValueError, match="the return of B on 2024-03-02 is infinite"):
        drawdown.max_drawdown(both["B"])
    with pytest.raises(ValueError, match="at position 1"):
        ratios.sharpe([0.1, -math.inf])


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (["2024-01-01", "2024-01-03", "2024-01-03"], "2024-01-03.* is there twice"),
        (["2024-01-01", "2024-01-03", "2024-01-02"], "2024-01-02.* comes after 2024-01-03"),
        (["2024-01-01", None, "2024-01-02"], "row 1 has no date"),
    ],
)
def test_dates_out_of_order_are_refused_by_name(days: list[str | None], message: str) -> None:
    index = pd.DatetimeIndex(days)
    with pytest.raises(ValueError, match=message):
        ratios.sharpe(pd.Series([0.1, 0.2, 0.3], index=index))
    with pytest.raises(ValueError, match=message):
        returns.simple_returns(pd.Series([1.0, 2.0, 3.0], index=index))
    with pytest.raises(ValueError, match=message):
        calendar.period_returns(index, [0.1, 0.2, 0.3], "M")


def test_a_rate_by_date_counts_on_the_days_both_have() -> None:
    own = pd.Series([0.1, 0.2, 0.05, 0.3], index=pd.date_range("2024-01-01", periods=4))
    rate = pd.Series([0.01, 0.02, 0.5], index=pd.to_datetime(["2024-01-02", "2024-01-04", "2024-02-01"]))
    assert ratios.sharpe(own, rate) == pytest.approx(ratios.sharpe([0.2 - 0.01, 0.3 - 0.02]))
    assert list(returns.excess(own, rate).index) == list(rate.index[:2])


def test_time_zones_are_joined_as_instants_and_never_guessed() -> None:
    index = pd.date_range("2024-01-01", periods=3, tz="UTC")
    own = pd.Series([0.1, 0.2, 0.3], index=index)
    same = pd.Series([0.01, 0.02, 0.03], index=index.tz_convert("Asia/Tokyo"))
    assert ratios.sharpe(own, same) == pytest.approx(ratios.sharpe([0.09, 0.18, 0.27]))
    with pytest.raises(ValueError, match="has no time zone"):
        ratios.sharpe(own, same.tz_localize(None))


def test_a_day_belongs_to_the_month_it_is_in_where_the_fund_is() -> None:
    evening = pd.DatetimeIndex(["2024-01-31 20:00", "2024-02-01 20:00"], tz="America/New_York")
    numbers, found = calendar.period_returns(evening, [0.1, 0.2], "M")
    assert len(numbers) == 2
    assert found == pytest.approx([0.1, 0.2])


def test_windows_do_not_care_how_often_a_portfolio_is_valued() -> None:
    monthly = np.array(["2020-10-31", "2020-11-30", "2020-12-31"], dtype="datetime64[D]")
    dates = np.concatenate([monthly, DAYS[366:380]])
    index = np.concatenate([[90.0, 95.0, 100.0], np.linspace(101.0, 114.0, 14)])
    assert calendar.to_date(dates, index, "YTD") == pytest.approx(0.14)
    assert calendar.trailing_months(dates, index, 1) == pytest.approx(114 / 95 - 1)


def test_money_that_only_goes_one_way_has_no_rate() -> None:
    with pytest.raises(ValueError, match="one way"):
        money_weighted.xirr(["2024-01-01", "2024-06-01"], [-100.0, -50.0])
    with pytest.raises(ValueError, match="2024-06-01 is nan"):
        money_weighted.xirr(["2024-01-01", "2024-06-01"], [-100.0, math.nan])
    with pytest.raises(ValueError, match="two days"):
        money_weighted.xirr(["2024-01-01", "2024-01-01"], [-100.0, 110.0])


@pytest.mark.parametrize("figure", PLAIN.values(), ids=PLAIN.keys())
def test_portfolios_of_different_ages_do_not_touch_each_other(figure: Figure) -> None:
    young = np.concatenate([np.full(5, np.nan), SOME[5:]])
    together = figure(pd.DataFrame({"old": SOME, "young": young, "none": np.nan}))
    alone = [figure(SOME), figure(SOME[5:]), math.nan]
    assert together.to_numpy() == pytest.approx(alone, nan_ok=True)
