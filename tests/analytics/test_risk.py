"""Risk figures: conventions, limits, estimators of the tail, and the back-test of what was forecast."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import backtest, risk, tails
from analytics.block import Floats

EDHEC = Path(__file__).parent.parent / "reference" / "inputs" / "pa_edhec.csv"
METHODS: tuple[tails.Method, ...] = ("historical", "gaussian", "cornish_fisher", "ewma")
some_returns = st.lists(st.floats(-0.5, 0.5, allow_subnormal=False), min_size=2, max_size=60)
ONE_BY_ONE: dict[str, Any] = {
    figure.__name__: figure
    for figure in (
        risk.deviation,
        risk.variance,
        risk.semi_deviation,
        risk.downside_deviation,
        risk.upside_risk,
        risk.lower_partial_moment,
        risk.downside_frequency,
        risk.gain_deviation,
        risk.loss_deviation,
        risk.mean_absolute_deviation,
        risk.gini_mean_difference,
        risk.skewness,
        risk.kurtosis,
        risk.skewness_kurtosis_ratio,
        risk.log_volatility,
        risk.ewma_volatility,
        risk.ewma_course,
        risk.autocorrelation,
        tails.value_at_risk,
        tails.expected_shortfall,
        tails.entropic_value_at_risk,
    )
}


def daily(count: int = 1000, seed: int = 0) -> Floats:
    return np.asarray(np.random.default_rng(seed).standard_t(6, size=count) * 0.01)


@pytest.fixture(scope="module")
def edhec() -> pd.DataFrame:
    return pd.read_csv(EDHEC, index_col=0, parse_dates=True)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_many_portfolios_are_what_each_is_alone(name: str) -> None:
    values = np.random.default_rng(1).normal(size=(300, 7)) * 0.02
    values[:50, 1] = np.nan
    values[np.random.default_rng(2).random(values.shape) < 0.05] = np.nan
    values[:, 5] = np.nan
    many = ONE_BY_ONE[name](values)
    for column in range(7):
        np.testing.assert_allclose(many[..., column], ONE_BY_ONE[name](values[:, column]), rtol=1e-10, equal_nan=True)


@pytest.mark.parametrize("name", sorted(set(ONE_BY_ONE) - {"ewma_course"}))
@pytest.mark.parametrize("values", [[], [math.nan, math.nan]])
def test_nothing_gives_no_figure(name: str, values: list[float]) -> None:
    assert math.isnan(ONE_BY_ONE[name](values))


@given(some_returns, st.floats(0.1, 1.9))
def test_dispersion_scales_with_the_returns(values: list[float], scale: float) -> None:
    scaled = np.asarray(values) * scale
    for figure in (risk.deviation, risk.mean_absolute_deviation, risk.gini_mean_difference, risk.downside_deviation):
        assert figure(scaled) == pytest.approx(scale * figure(values), abs=1e-12)
    assert tails.expected_shortfall(scaled) == pytest.approx(scale * tails.expected_shortfall(values), abs=1e-12)


@given(some_returns, st.sampled_from([0.5, 0.75, 0.9, 0.95, 0.99]))
def test_the_shortfall_is_at_least_the_value_at_risk(values: list[float], level: float) -> None:
    shortfall, bound = tails.expected_shortfall(values, level), tails.entropic_value_at_risk(values, level)
    assert shortfall >= tails.value_at_risk(values, level, between="lower") - 1e-12
    assert -min(values) + 1e-9 >= bound >= shortfall - 1e-9
    assert tails.expected_shortfall(values, level, method="gaussian") >= tails.value_at_risk(
        values, level, method="gaussian"
    ) - 1e-12  # fmt: skip


def test_the_shortfall_counts_the_last_loss_in_part() -> None:
    assert tails.expected_shortfall([-0.10, -0.04, 0.01, 0.02], 0.6) == pytest.approx((0.10 + 0.6 * 0.04) / 1.6)
    assert tails.expected_shortfall([-0.10, -0.04], 1.0) == pytest.approx(0.10)


def test_losses_are_positive_and_a_certain_gain_is_a_negative_loss() -> None:
    for method in METHODS:
        assert 0.01 < tails.value_at_risk(daily(), method=method) < 0.03
        assert tails.expected_shortfall(daily(), method=method) > tails.value_at_risk(daily(), method=method)
    assert tails.value_at_risk([0.01, 0.02, 0.03]) < 0


def test_gaussian_value_at_risk_is_the_formula() -> None:
    values = daily()
    expected = 1.6448536269514722 * values.std(ddof=1) - values.mean()
    assert tails.value_at_risk(values, method="gaussian") == pytest.approx(expected, rel=1e-12)
    ten_days = 1.6448536269514722 * values.std(ddof=1) * math.sqrt(10) - 10 * values.mean()
    assert tails.value_at_risk(values, horizon=10, method="gaussian") == pytest.approx(ten_days, rel=1e-12)


def test_a_horizon_takes_the_compounded_returns_of_overlapping_spans() -> None:
    values = daily(200)
    values[50] = np.nan
    spans = pd.Series(values + 1).rolling(5).apply(np.prod, raw=True).dropna() - 1
    assert tails.value_at_risk(values, horizon=5) == pytest.approx(-np.quantile(spans, 0.05))
    assert math.isnan(tails.value_at_risk(values[:4], horizon=5))


def test_cornish_fisher_is_the_published_figure_and_is_missing_where_it_is_not_monotone(edhec: pd.DataFrame) -> None:
    published = tails.value_at_risk(edhec, 0.99, method="cornish_fisher", ddof=0, guarded=False)
    assert published["Convertible Arbitrage"] == pytest.approx(0.0953, abs=1e-4)
    guarded = tails.value_at_risk(edhec, 0.99, method="cornish_fisher", ddof=0)
    rises = pd.Series(
        {
            name: bool((np.diff(tails.cornish_fisher(np.linspace(-4, 4, 4001), *shape)) > 0).all())
            for name, shape in ((name, (risk.skewness(edhec[name]), risk.kurtosis(edhec[name]))) for name in edhec)
        }
    )
    assert 0 < rises.sum() < len(rises)
    pd.testing.assert_series_equal(guarded, published.where(rises))


@pytest.mark.parametrize(
    ("skew", "excess"), [(0.0, 0.0), (0.0, -0.1), (0.3, 0.5), (-0.55, 15.4), (2.0, 1.0), (0.0, 7.9)]
)
def test_the_domain_is_where_the_quantile_rises(skew: float, excess: float) -> None:
    curve = tails.cornish_fisher(np.linspace(-4, 4, 8001), skew, excess)
    assert tails.is_monotone(skew, excess) == bool((np.diff(curve) > 0).all())


def test_filtered_value_at_risk_follows_the_volatility_of_now() -> None:
    values = daily(1000)
    stormy = np.concatenate([values, 3 * values[:60]])
    assert tails.value_at_risk(stormy, method="ewma") > 2 * tails.value_at_risk(stormy)
    assert tails.value_at_risk(np.zeros(100), method="ewma") == 0.0


def test_ewma_is_the_recursion() -> None:
    values = daily(400)
    variance = values[0] ** 2
    for value in values[1:]:
        variance = 0.94 * variance + 0.06 * value**2
    assert risk.ewma_volatility(values) == pytest.approx(math.sqrt(variance), rel=1e-9)
    course = risk.ewma_course(np.append(values, 0.0))
    assert course[-1] == pytest.approx(risk.ewma_volatility(values))
    assert np.isnan(course[:20]).all()
    assert not np.isnan(course[20:]).any()


def test_autocorrelation_changes_what_a_year_of_volatility_is() -> None:
    noise = np.random.default_rng(5).normal(size=4000) * 0.01
    trending = np.convolve(noise, [0.5, 0.5], mode="valid")
    assert risk.autocorrelation(trending) == pytest.approx(0.5, abs=0.04)
    assert risk.autocorrelation(trending, 0) == pytest.approx(1.0)
    factor = risk.lo_volatility(trending, 12, lags=1) / risk.volatility(trending, 12)
    assert factor == pytest.approx(math.sqrt(1 + 2 * 11 / 12 * risk.autocorrelation(trending)))
    assert risk.lo_volatility(np.full(100, 0.01), 12) == 0.0


@pytest.mark.parametrize(
    "wrong", [{"level": 95}, {"level": 1.0, "method": "gaussian"}, {"horizon": 0}, {"method": "x"}]
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    for figure in (tails.value_at_risk, tails.expected_shortfall):
        with pytest.raises(
            ValueError, match=next(iter(set(wrong) - {"level"}), "level") if len(wrong) == 1 else "level"
        ):
            figure(daily(50), **wrong)


def test_a_forecast_knows_only_the_days_before() -> None:
    values = daily(400)
    for method in METHODS:
        known = backtest.var_forecast(values, 0.95, 250, method)
        changed = values.copy()
        changed[300:] = -0.5
        again = backtest.var_forecast(changed, 0.95, 250, method)
        np.testing.assert_allclose(known[:301], again[:301], rtol=1e-9)
        assert np.isnan(known[:250]).all()
        assert not np.isnan(known[290:]).any()
    plain = backtest.var_forecast(values, 0.95, 250)
    assert plain[300] == pytest.approx(tails.value_at_risk(values[50:300]))
    gaussian = backtest.var_forecast(values, 0.99, 250, "gaussian")
    assert gaussian[300] == pytest.approx(tails.value_at_risk(values[50:300], 0.99, method="gaussian"))


def test_kupiec_is_the_published_statistic() -> None:
    # Jorion, Value at Risk (2006): J.P. Morgan had 20 exceptions of its 95 % value at risk on 252 days of 1998.
    assert backtest.coverage_statistic(20, 252, 0.95) == pytest.approx(3.91, abs=0.005)
    assert backtest.coverage_statistic(0, 255, 0.99) == pytest.approx(-2 * 255 * math.log(0.99))
    assert backtest.expected_exceedances(293, 0.95) == pytest.approx(14.65)


def test_the_zones_are_those_of_the_basel_committee() -> None:
    # Supervisory framework for the use of "backtesting" (1996), table 2: 250 observations at 99 %.
    zones = [backtest.traffic_light(count, 250) for count in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


def test_a_fair_forecast_passes_and_a_wrong_one_does_not() -> None:
    values = np.random.default_rng(11).normal(size=2500) * 0.01
    fair = backtest.backtest(values, np.full(2500, 0.016449), 0.95)
    assert fair.observations == 2500
    assert fair.expected == pytest.approx(125)
    assert min(fair.kupiec_p, fair.christoffersen_p, fair.conditional_p) > 0.05
    assert (values[fair.positions] < -0.016449).all()
    assert backtest.backtest(values, np.full(2500, 0.01), 0.95).kupiec_p < 1e-6


def test_exceedances_in_a_row_are_not_independent() -> None:
    returns = np.full(500, 0.01)
    returns[100:125] = -0.05
    found = backtest.backtest(returns, np.full(500, 0.02), 0.95)
    assert found.exceedances == 25
    assert found.kupiec_p == pytest.approx(1.0)
    assert found.christoffersen_p < 1e-6
    assert found.conditional_p < 1e-6


def test_a_back_test_of_nothing_says_nothing() -> None:
    empty = backtest.backtest([math.nan], [0.02])
    assert (empty.observations, empty.exceedances) == (0, 0)
    assert math.isnan(empty.kupiec_p)
    none = backtest.backtest(np.full(20, 0.01), np.full(20, 0.02))
    assert math.isnan(none.christoffersen_p)
    with pytest.raises(ValueError, match="length"):
        backtest.backtest([0.01], [0.01, 0.02])
