"""Figures against a benchmark and against factors: identities, conventions, hard input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import benchmark, factors
from analytics.block import Block, Floats, Pair
from analytics.returns import simple_returns
from analytics.summary import summarize

FIGURES: dict[str, Any] = {
    figure.__name__: figure
    for figure in (
        benchmark.beta,
        benchmark.alpha,
        benchmark.correlation,
        benchmark.r_squared,
        benchmark.active_return,
        benchmark.geometric_excess,
        benchmark.tracking_error,
        benchmark.information_ratio,
        benchmark.capture,
        benchmark.up_down_number,
        benchmark.up_down_percent,
        benchmark.batting_average,
        benchmark.timing_ratio,
        benchmark.market_timing,
        benchmark.systematic_risk,
        benchmark.specific_risk,
        benchmark.total_risk,
        benchmark.treynor,
        benchmark.treynor_modified,
        benchmark.jensen_alpha,
        benchmark.regression_epsilon,
        benchmark.appraisal_ratio,
        benchmark.m_squared,
        benchmark.m_squared_excess,
        benchmark.fama_beta,
        benchmark.net_selectivity,
        benchmark.omega_excess_return,
    )
}


def market(count: int = 500, seed: int = 0) -> Floats:
    return np.asarray(np.random.default_rng(seed).normal(0.0003, 0.01, count))


def portfolios(count: int = 500, k: int = 5) -> Floats:
    noise = np.random.default_rng(1).normal(0, 0.005, (count, k))
    return np.asarray(noise + np.linspace(-0.5, 1.5, k) * market(count)[:, None])


@pytest.mark.parametrize("name", FIGURES)
def test_many_portfolios_are_what_each_is_alone(name: str) -> None:
    own, other = (np.cumprod(1.0 + given, axis=0) for given in (portfolios(), market()))
    own[:100, 1] = np.nan
    own[110:][np.random.default_rng(2).random((len(own) - 110, own.shape[1])) < 0.03] = np.nan
    other[107] = np.nan
    many = FIGURES[name](simple_returns(own), simple_returns(other))
    for column in range(own.shape[1]):
        together = ~np.isnan(own[:, column]) & ~np.isnan(other)
        alone = FIGURES[name](simple_returns(own[together, column]), simple_returns(other[together]))
        np.testing.assert_allclose(many[column], alone, rtol=1e-9)


def test_a_fund_beside_itself_never_parts_whatever_days_are_missing() -> None:
    days = pd.date_range("2020-01-01", periods=700)
    prices = pd.Series(np.cumprod(1.0 + market(700)), days)
    for other in (
        prices.drop(days[[100, 250, 251]]),
        prices[days.dayofweek < 5],
        prices.where(days != days[9]).dropna(),
    ):
        table = summarize(simple_returns(prices), simple_returns(other))["portfolio"]
        assert table["beta"] == pytest.approx(1.0)
        assert (table["tracking_error"], table["batting_average"]) == (0.0, 0.0)
        assert np.isnan(table["information_ratio"])
        assert benchmark.beta(simple_returns(prices), simple_returns(other)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("length", [0, 1])
def test_too_little_gives_no_figure_and_never_infinity(name: str, length: int) -> None:
    found = FIGURES[name](np.full(length, 0.01), np.full(length, 0.02))
    assert not math.isinf(found)
    assert math.isnan(FIGURES[name](np.full(9, np.nan), np.full(9, 0.01)))


@pytest.mark.parametrize("name", FIGURES)
def test_a_flat_benchmark_gives_no_infinity(name: str) -> None:
    assert not math.isinf(FIGURES[name](market(), np.zeros(500)))
    assert not math.isinf(FIGURES[name](np.zeros(500), market()))


def test_dates_are_joined_before_anything_else() -> None:
    days = pd.bdate_range("2020-01-01", periods=500)
    own, other = pd.Series(portfolios()[:, 4], days), pd.Series(market(), days)
    later = benchmark.beta(own, other.iloc[100:])
    assert later == pytest.approx(benchmark.beta(own.iloc[100:], other.iloc[100:]))
    assert benchmark.beta(own, other.iloc[100:]) != benchmark.beta(own, other)


def test_alpha_and_beta_are_the_line_of_least_squares() -> None:
    own, other, rate = portfolios()[:, 3], market(), 0.0001
    slope, intercept = np.polyfit(other - rate, own - rate, 1)
    assert benchmark.beta(own, other, rate) == pytest.approx(slope)
    assert benchmark.alpha(own, other, rate, 252) == pytest.approx(intercept * 252)
    assert benchmark.alpha(own, other, rate, 252, "compound") == pytest.approx((1 + intercept) ** 252 - 1)
    series = np.full(500, rate)
    assert benchmark.alpha(own, other, series) == pytest.approx(benchmark.alpha(own, other, rate))


def test_what_beta_does_not_explain_is_specific() -> None:
    own, other = portfolios()[:, 3], market()
    slope, intercept = np.polyfit(other, own, 1)
    left = own - intercept - slope * other
    assert benchmark.specific_risk(own, other, 0.0, 252) == pytest.approx(left.std(ddof=1) * math.sqrt(252))
    assert benchmark.total_risk(own, other) == pytest.approx(own.std(ddof=1))
    assert benchmark.r_squared(own, other) == pytest.approx(np.corrcoef(own, other)[0, 1] ** 2)


@given(st.floats(0.2, 3.0), st.floats(-0.001, 0.001))
def test_a_levered_benchmark_has_its_leverage_as_beta_and_no_specific_risk(leverage: float, fee: float) -> None:
    other = market(100)
    own = leverage * other + fee
    assert benchmark.beta(own, other) == pytest.approx(leverage)
    assert benchmark.alpha(own, other) == pytest.approx(fee, abs=1e-12)
    assert benchmark.specific_risk(own, other) == 0.0
    assert math.isnan(benchmark.appraisal_ratio(own, other))
    assert benchmark.correlation(own, other) == pytest.approx(1.0)


def test_the_benchmark_against_itself() -> None:
    other = market()
    assert benchmark.tracking_error(other, other) == 0.0
    assert math.isnan(benchmark.information_ratio(other, other))
    for side in ("all", "up", "down"):
        assert benchmark.capture(other, other, side, 252) == pytest.approx(1.0)
    assert benchmark.up_down_number(other, other, "down") == 1.0
    assert benchmark.batting_average(other, other) == 0.0
    assert benchmark.m_squared(other, other, 0.0001, 252) == pytest.approx(
        (other.mean() - 0.0001) * 252 + 1.0001**252 - 1
    )


def test_capture_leaves_out_periods_in_which_the_benchmark_stood_still() -> None:
    other = np.array([0.01, 0.0, -0.02, 0.01])
    own = np.array([0.02, 0.5, -0.01, 0.02])
    assert benchmark.capture(own, other, "up", 12) == pytest.approx((1.02**12 - 1) / (1.01**12 - 1))
    assert benchmark.capture(own, other, "down", 12) == pytest.approx((0.99**12 - 1) / (0.98**12 - 1))
    assert math.isnan(benchmark.capture(own, np.abs(other), "down", 12))
    assert benchmark.capture(own, other, "down", method="sum", zero_is_down=True) == pytest.approx(0.49 / -0.02)


def test_timing_is_seen_by_both_tests() -> None:
    other = market(2000)
    timed = np.where(other > 0, 1.5, 0.5) * other
    assert benchmark.market_timing(timed, other) == pytest.approx(1.0)
    assert benchmark.market_timing(0.2 * other + 3 * other**2, other, method="treynor_mazuy") == pytest.approx(3.0)
    assert benchmark.timing_ratio(timed, other) == pytest.approx(3.0, rel=0.2)
    assert abs(benchmark.market_timing(0.7 * other, other)) < 1e-9
    assert math.isnan(benchmark.market_timing(market(9), np.full(9, 0.01)))


def test_a_pair_is_told_the_rest_by_keyword_or_in_place() -> None:
    pair = Pair.of(Block.of(portfolios().T), Block.of(market()))
    np.testing.assert_array_equal(benchmark.beta(pair, 0.001), benchmark.beta(portfolios(), market(), 0.001))
    np.testing.assert_array_equal(benchmark.capture(pair, side="up"), benchmark.capture(portfolios(), market(), "up"))


@pytest.mark.parametrize("name", ["beta", "capture", "up_down_number", "alpha", "information_ratio", "appraisal_ratio"])
def test_an_unknown_convention_is_refused(name: str) -> None:
    key = {"alpha": "annualise", "information_ratio": "method", "appraisal_ratio": "method"}.get(name, "side")
    with pytest.raises(ValueError, match="is not one of"):
        FIGURES[name](market(), market(), **{key: "x"})


def test_loadings_are_those_of_least_squares() -> None:
    days = pd.bdate_range("2020-01-01", periods=500)
    drivers = pd.DataFrame(np.random.default_rng(3).normal(0, 0.01, (500, 3)), days, ["value", "size", "momentum"])
    own = pd.DataFrame(portfolios(), days, list("abcde"))
    own.iloc[:60, 2] = np.nan
    found = factors.factor_loadings(own, drivers, 0.0001, 252)
    for name in own:
        there = own[name].notna().to_numpy()
        design = np.column_stack([np.ones(there.sum()), drivers[there]])
        y = own[name][there].to_numpy() - 0.0001
        line, *_ = np.linalg.lstsq(design, y)
        left = y - design @ line
        variance = left @ left / (len(y) - 4)
        errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
        np.testing.assert_allclose(found.loadings.loc[name], line[1:])
        np.testing.assert_allclose(found.t_values.loc[name], (line / errors)[1:])
        assert found.alpha[name] == pytest.approx(line[0] * 252)
        assert found.alpha_t_value[name] == pytest.approx(line[0] / errors[0])
        assert found.specific_risk[name] == pytest.approx(math.sqrt(variance * 252))
        assert found.r_squared[name] == pytest.approx(1 - left @ left / ((y - y.mean()) @ (y - y.mean())))
        assert found.observations[name] == there.sum()


def test_factors_that_say_the_same_give_no_loadings() -> None:
    drivers = np.column_stack([market(), 2 * market()])
    assert np.isnan(factors.factor_loadings(portfolios(), drivers).loadings).all()
    assert np.isnan(factors.factor_loadings(portfolios()[:2], drivers[:2]).alpha).all()
    alone = factors.factor_loadings(portfolios()[:, 4], pd.DataFrame({"market": market()}).to_numpy())
    assert alone.loadings[0] == pytest.approx(benchmark.beta(portfolios()[:, 4], market()))
    assert isinstance(alone.alpha, float)
    with pytest.raises(ValueError, match="length"):
        factors.factor_loadings(portfolios(), drivers[:9])
