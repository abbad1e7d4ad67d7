"""Rolling figures against pandas and against the plain figure of each window."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import risk, rolling
from analytics.block import Block, Floats, Pair

DAYS = pd.bdate_range("2012-01-02", periods=700)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    found = pd.DataFrame(
        np.random.default_rng(3).standard_t(4, size=(700, 9)) * 0.01, index=DAYS, columns=list("abcdefghi")
    )
    found.iloc[:40, 1] = np.nan
    return found


@pytest.fixture(scope="module")
def benchmark() -> pd.Series[float]:
    return pd.Series(np.random.default_rng(4).normal(size=700) * 0.01, index=DAYS)


def drawdown(values: Floats) -> float:
    levels = np.concatenate([[1.0], np.cumprod(1.0 + values)])
    return float((levels / np.maximum.accumulate(levels) - 1.0).min())


def sortino(values: Floats) -> float:
    return float(values.mean() / np.sqrt(np.mean(np.minimum(values, 0.0) ** 2)))


PLAIN: dict[str, tuple[Callable[[Any, int], Any], Callable[[Floats], float]]] = {
    "return": (rolling.rolling_return, lambda r: float(np.prod(1.0 + r) - 1.0)),
    "mean": (rolling.rolling_mean, lambda r: float(r.mean())),
    "volatility": (rolling.rolling_volatility, lambda r: float(r.std(ddof=1))),
    "sharpe": (rolling.rolling_sharpe, lambda r: float(r.mean() / r.std(ddof=1))),
    "sortino": (rolling.rolling_sortino, sortino),
    "drawdown": (rolling.rolling_drawdown, drawdown),
    "value at risk": (rolling.rolling_value_at_risk, lambda r: -float(np.quantile(r, 0.05))),
    "skewness": (rolling.rolling_skewness, risk.skewness),
    "kurtosis": (rolling.rolling_kurtosis, risk.kurtosis),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("window", [21, 63])
def test_each_window_has_the_figure_of_its_returns(returns: pd.DataFrame, name: str, window: int) -> None:
    course, plain = PLAIN[name]
    expected = returns.rolling(window).apply(plain, raw=True)
    pd.testing.assert_frame_equal(course(returns, window), expected, rtol=1e-8, atol=1e-12)


def test_beta_and_correlation_are_those_of_pandas(returns: pd.DataFrame, benchmark: pd.Series[float]) -> None:
    beta = rolling.rolling_beta(returns, benchmark, 63)
    correlation = rolling.rolling_correlation(returns, benchmark, 63)
    for name in returns:
        together = returns[name].rolling(63).cov(benchmark)
        own = beta[name].where(returns[name].notna())
        np.testing.assert_allclose(own, together / benchmark.rolling(63).var(), rtol=1e-9)
        np.testing.assert_allclose(correlation[name], returns[name].rolling(63).corr(benchmark), rtol=1e-9)


def test_together_they_are_what_they_are_alone(returns: pd.DataFrame, benchmark: pd.Series[float]) -> None:
    together = rolling.rolling_moments(returns, benchmark, 63, 0.0001, 252)
    pd.testing.assert_frame_equal(together.volatility, rolling.rolling_volatility(returns, 63, 252))
    pd.testing.assert_frame_equal(together.sharpe, rolling.rolling_sharpe(returns, 63, 0.0001, 252))
    pd.testing.assert_frame_equal(together.beta, rolling.rolling_beta(returns, benchmark, 63))
    assert rolling.rolling_moments(returns["a"], window=63).beta is None


def test_many_portfolios_are_what_each_is_alone() -> None:
    values = np.random.default_rng(5).normal(size=(400, 300)) * 0.01
    values[np.random.default_rng(6).random(values.shape) < 0.02] = np.nan
    for course, _ in PLAIN.values():
        many = course(values, 30)
        for column in (0, 137, 299):
            np.testing.assert_allclose(many[:, column], course(values[:, column], 30), rtol=1e-9, equal_nan=True)


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_drawdown_of_any_window_is_that_of_its_returns(window: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=60) * 0.05
    found = rolling.rolling_drawdown(values, window)
    assert np.isnan(found[: window - 1]).all()
    for end in range(window, 61):
        assert found[end - 1] == pytest.approx(drawdown(values[end - window : end]), abs=1e-12)


def test_a_calm_stretch_after_a_storm_is_measured_from_its_own_returns() -> None:
    storm, calm = 0.1 * np.random.default_rng(7).normal(size=(2, 300))
    values = np.concatenate([storm, 1e-6 * calm, np.full(100, 0.0001), np.zeros(100)])
    volatility = rolling.rolling_volatility(values, 20)
    assert volatility[599] == pytest.approx(float(np.std(values[580:600], ddof=1)), rel=1e-9)
    assert volatility[699] == 0.0
    assert volatility[799] == 0.0
    sharpe = rolling.rolling_sharpe(values, 20)
    assert math.isnan(sharpe[699])
    assert math.isnan(sharpe[799])
    beta = rolling.rolling_beta(storm, values[300:600], 20)
    assert beta[299] == pytest.approx(
        np.cov(storm[280:], values[580:600])[0, 1] / values[580:600].var(ddof=1), rel=1e-7
    )


def test_a_gap_leaves_the_figure_to_the_returns_that_are_there_until_half_are_missing() -> None:
    values = np.random.default_rng(8).normal(size=60) * 0.01
    values[20:31] = np.nan
    volatility = rolling.rolling_volatility(values, 20)
    assert volatility[24] == pytest.approx(float(np.nanstd(values[5:25], ddof=1)))
    assert volatility[29] == pytest.approx(float(np.nanstd(values[10:30], ddof=1)))
    assert math.isnan(volatility[30])
    assert not math.isnan(volatility[40])


def test_a_portfolio_has_no_figure_before_its_first_full_window_nor_after_its_end() -> None:
    values = np.full(100, np.nan)
    values[10:60] = np.random.default_rng(9).normal(size=50) * 0.01
    there = np.flatnonzero(~np.isnan(rolling.rolling_volatility(values, 20)))
    assert (there[0], there[-1]) == (29, 59)
    assert np.isnan(rolling.rolling_drawdown(values, 20)[60:]).all()


def test_after_a_total_loss_there_is_nothing_and_through_a_debt_nothing_compounds() -> None:
    lost = np.concatenate([np.full(30, 0.01), [-1.0], np.full(30, 0.01)])
    assert rolling.rolling_drawdown(lost, 10)[30] == -1.0
    assert rolling.rolling_return(lost, 10)[30] == -1.0
    assert np.isnan(rolling.rolling_return(lost, 10)[31:]).all()
    lost[30] = -1.5
    assert math.isnan(rolling.rolling_return(lost, 10)[30])


@pytest.mark.parametrize("length", [0, 1, 19])
def test_a_history_shorter_than_the_window_has_no_figure(length: int) -> None:
    for course, _ in PLAIN.values():
        found = course(np.full(length, 0.01), 20)
        assert len(found) == length
        assert np.isnan(found).all()
    assert len(rolling.rolling_beta(np.zeros(length), np.zeros(length), 20)) == length
    assert np.isnan(rolling.rolling_volatility(np.full(50, np.nan), 20)).all()


def test_a_window_too_short_to_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="window: 1 is below 2"):
        rolling.rolling_volatility(np.zeros(9), 1)
    with pytest.raises(ValueError, match="level"):
        rolling.rolling_value_at_risk(np.zeros(9), 5, 95)


def test_a_pair_gives_what_its_returns_give(returns: pd.DataFrame, benchmark: pd.Series[float]) -> None:
    pair = Pair.of(Block.of(returns.to_numpy().T), Block.of(benchmark.to_numpy()))
    expected = rolling.rolling_beta(returns, benchmark, 63).to_numpy()
    np.testing.assert_array_equal(rolling.rolling_beta(pair, 63).T, expected)
