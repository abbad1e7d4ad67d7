"""How sure a figure is: published worked examples, what intervals hold, and resampling."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics import drawdown, resampling, risk, significance
from analytics.block import Block, Floats

DAILY = Path(__file__).parent.parent / "reference" / "inputs" / "cons_daily10y.csv"


@pytest.fixture(scope="module")
def index() -> pd.Series[float]:
    return pd.read_csv(DAILY, index_col=0, parse_dates=True)["SP500"].dropna()


def returns(count: int = 1000, seed: int = 0, mean: float = 0.0005) -> Floats:
    return np.asarray(np.random.default_rng(seed).normal(mean, 0.01, count))


def test_errors_of_the_sharpe_ratio_are_the_formulas(index: pd.Series[float]) -> None:
    ratio = significance.sharpe_ratio(index)
    lo = significance.sharpe_standard_error(index, periods=252, method="lo")
    assert lo == pytest.approx(math.sqrt((1 + ratio**2 / 2) / len(index) * 252))
    assert lo == pytest.approx(0.317, abs=5e-4)
    skew, kurt = stats.skew(index), stats.kurtosis(index, fisher=False)
    mertens = math.sqrt((1 - skew * ratio + (kurt - 1) / 4 * ratio**2) / len(index))
    assert significance.sharpe_standard_error(index) == pytest.approx(mertens)
    low, high = significance.sharpe_interval(index, periods=252)
    assert (low + high) / 2 == pytest.approx(ratio * math.sqrt(252))
    assert (high - low) / 2 == pytest.approx(1.959964 * mertens * math.sqrt(252), rel=1e-6)


def test_the_worked_example_of_the_paper_on_the_deflated_sharpe() -> None:
    # Bailey & López de Prado (2014): 100 trials, variance 1/2 a year, 1,250 days, annual Sharpe ratio 2.5.
    reference = significance.expected_max_sharpe(100, 0.5 / 250)
    assert reference == pytest.approx(0.1132, abs=6e-5)
    spread = significance.ratio_spread(2.5 / math.sqrt(250), -3, 10)
    probability = stats.norm.cdf((2.5 / math.sqrt(250) - reference) * math.sqrt(1249 / float(spread)))
    assert probability == pytest.approx(0.9004, abs=1.1e-4)


def test_deflating_by_one_trial_changes_nothing() -> None:
    values = returns()
    assert significance.deflated_sharpe(values, 1, 0.01) == significance.probabilistic_sharpe(values)
    assert significance.deflated_sharpe(values, 50, 0.001) < significance.probabilistic_sharpe(values)


def test_a_track_record_of_the_minimum_length_is_sure_at_the_level() -> None:
    values = returns(mean=0.002)
    needed = significance.minimum_track_record(values, 0.01, level=0.95)
    probability = significance.probabilistic_sharpe(values, 0.01)
    z = float(stats.norm.ppf(probability))
    assert needed == pytest.approx(1 + 999 * (1.644854 / z) ** 2, rel=1e-5)
    assert math.isnan(significance.minimum_track_record(-values))


def test_intervals_hold_what_they_say() -> None:
    # Seeded: 95 % intervals of 2,000 histories hold the truth in 93 to 97 of 100.
    histories = np.random.default_rng(1).normal(0.001, 0.01, (500, 2000))
    held: dict[str, float] = {}
    for method in ("lo", "mertens", "newey_west"):
        low, high = significance.sharpe_interval(histories, method=method)
        held[method] = float(((low < 0.1) & (high > 0.1)).mean())
    low, high = significance.mean_interval(histories)
    held["mean"] = float(((low < 0.001) & (high > 0.001)).mean())
    assert all(0.93 < share < 0.97 for share in held.values()), held


def test_dependence_makes_the_interval_wider() -> None:
    noise = returns(3000, mean=0.0)
    trending = np.convolve(noise, np.ones(5) / 5, mode="valid")
    plain = significance.sharpe_standard_error(trending)
    assert significance.sharpe_standard_error(trending, method="newey_west") > 1.5 * plain
    assert significance.sharpe_standard_error(noise, method="newey_west") == pytest.approx(
        significance.sharpe_standard_error(noise), rel=0.15
    )


def test_the_mean_has_the_interval_of_student() -> None:
    values = returns(30)
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    assert significance.mean_interval(values) == pytest.approx(expected)
    t = stats.ttest_1samp(values, 0.0, alternative="less")
    ratio = values.mean() / values.std(ddof=1)
    assert significance.probability_positive(ratio, 30) == pytest.approx(t.pvalue)


def test_the_bootstrap_agrees_with_the_formula_where_that_holds() -> None:
    values = returns(2000)
    low, high = significance.sharpe_interval(values, periods=252, method="bootstrap", seed=3)
    formula = significance.sharpe_interval(values, periods=252)
    assert (low, high) == pytest.approx(formula, abs=0.15)
    assert (low, high) == significance.sharpe_interval(values, periods=252, method="bootstrap", seed=3)
    assert (low, high) != significance.sharpe_interval(values, periods=252, method="bootstrap", seed=4)


def test_any_figure_has_an_interval(index: pd.Series[float]) -> None:
    for figure in (risk.volatility, risk.skewness, drawdown.max_drawdown):
        by: Any = (lambda block: risk.volatility(block, 252)) if figure is risk.volatility else figure
        low, high = significance.bootstrap_interval(index, by, 0.9, samples=200)
        assert low < high
    frame = pd.DataFrame({"a": returns(), "b": returns(seed=1)})
    frame.iloc[:300, 1] = np.nan
    low, high = significance.bootstrap_interval(frame, risk.deviation, samples=200)
    alone = significance.bootstrap_interval(frame["b"], risk.deviation, samples=200)
    assert (low["b"], high["b"]) == alone
    assert list(low.index) == ["a", "b"]


@pytest.mark.parametrize("scheme", ["stationary", "circular"])
def test_neighbours_stay_neighbours(scheme: resampling.Scheme) -> None:
    places = resampling.positions(np.random.default_rng(0), 400, 300, 10, scheme)
    assert places.shape == (400, 300)
    follows = (np.diff(places, axis=1) % 300 == 1).mean()
    assert follows == pytest.approx(0.9, abs=0.01)
    assert np.bincount(places.ravel(), minlength=300).min() > 200


def test_one_that_is_better_is_told_from_one_that_is_the_same() -> None:
    common = returns(2500, mean=0.0)
    better, worse = common + 0.0006 + returns(2500, 1, 0.0) / 5, common + returns(2500, 2, 0.0) / 5
    assert significance.probability_better(better, worse) > 0.999
    assert significance.probability_better_resampled(better, worse, samples=300) > 0.99
    assert significance.probability_better(worse, better) == pytest.approx(
        1 - significance.probability_better(better, worse)
    )
    assert math.isnan(significance.probability_better(common, common))
    assert significance.probability_better_resampled(common, common, samples=50) == 0.5


def test_sameness_is_found_significant_as_often_as_chance_has_it() -> None:
    first, second = np.random.default_rng(6).normal(0.0005, 0.01, (2, 750, 1500))
    probability = significance.probability_better(first, second)
    assert float((probability > 0.95).mean()) == pytest.approx(0.05, abs=0.015)
    assert float((probability < 0.05).mean()) == pytest.approx(0.05, abs=0.015)


def test_many_portfolios_are_what_each_is_alone() -> None:
    values = np.random.default_rng(7).normal(0.001, 0.01, (300, 4))
    values[:90, 2] = np.nan
    for figure in (
        significance.sharpe_standard_error,
        significance.probabilistic_sharpe,
        significance.minimum_track_record,
        significance.mean_standard_error,
    ):
        many = figure(values)
        for column in range(4):
            np.testing.assert_allclose(many[column], figure(values[~np.isnan(values[:, column]), column]))


@pytest.mark.parametrize("values", [[], [0.01], [math.nan, math.nan], [0.01] * 50])
def test_too_little_or_nothing_that_varies_gives_no_figure(values: list[float]) -> None:
    assert math.isnan(significance.sharpe_standard_error(values))
    assert math.isnan(significance.probabilistic_sharpe(values))
    assert math.isnan(significance.minimum_track_record(values))
    assert all(math.isnan(end) for end in significance.sharpe_interval(values, method="bootstrap", samples=20))
    assert math.isnan(significance.probability_better(values, values))


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        significance.sharpe_interval(returns(), level=95)
    with pytest.raises(ValueError, match="method"):
        significance.sharpe_standard_error(returns(), method="x")
    with pytest.raises(ValueError, match="scheme"):
        significance.bootstrap_interval(returns(), risk.deviation, scheme="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="trials"):
        significance.expected_max_sharpe(0, 1.0)
    assert significance.sharpe_ratio(Block.of(returns())).shape == (1,)
