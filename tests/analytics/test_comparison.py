"""Shares and differences with their intervals: the published ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t, ttest_ind

from analytics import comparison
from analytics.comparison import (
    Moments,
    WeightedMoments,
    difference_of,
    mean_difference,
    mean_of,
    total_difference,
    total_difference_of,
    weighted_mean,
    weighted_mean_of,
)

values = st.lists(st.floats(-100.0, 100.0).map(lambda value: round(value, 3)), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_published_interval(successes: int, trials: int, low: float, high: float) -> None:
    found = comparison.share_interval([successes], [trials])
    assert (found.low[0], found.high[0]) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert found.value[0] == successes / trials


@pytest.mark.parametrize(
    ("given", "low", "high"),
    # Newcombe, Interval estimation for the difference between independent proportions (1998), table II, method 10.
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 10), 0.6075, 1.0)],
)
def test_a_difference_of_shares_has_the_published_interval(
    given: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = comparison.share_difference(*given)
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert found.is_told_apart


def test_nothing_tried_has_no_share() -> None:
    found = comparison.share_interval([0, 3], [0, 3])
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()
    assert (found.value[1], found.high[1]) == (1.0, 1.0)
    assert not comparison.share_difference(1, 2, 0, 0).is_told_apart


@given(values, values)
def test_a_difference_of_means_is_scipys(one: list[float], other: list[float]) -> None:
    found = comparison.mean_difference(one, other, 0.9)
    # SciPy warns of its own rounding where values hardly differ.
    assume(min(np.std(one), np.std(other)) > 0.01)
    interval = ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == (pytest.approx(interval.low, abs=1e-9), pytest.approx(interval.high, abs=1e-9))
    mirror = comparison.mean_difference(other, one, 0.9)
    assert (mirror.value, mirror.low) == (pytest.approx(-found.value), pytest.approx(-found.high))


def test_what_outages_cost_in_currency() -> None:
    inside, outside = [12.0, 14.0, 13.0, 15.0], [1.0, 2.0, 3.0, 2.0, 2.0]
    found = comparison.total_difference(inside, outside)
    assert found.value == pytest.approx(4 * 11.5)
    assert found.low < found.value < found.high
    assert found.is_told_apart
    few = comparison.total_difference([5.0], outside)
    assert few.value == pytest.approx(3.0)
    assert math.isnan(few.low)
    assert comparison.mean_difference([2.0, 2.0], [1.0, 1.0]).low == 1.0
    assert math.isnan(comparison.mean_difference([], [1.0, 2.0]).value)


@given(values, st.floats(0.1, 10.0))
def test_equal_weights_are_students_interval_of_the_mean(given_values: list[float], weight: float) -> None:
    found = comparison.weighted_mean(given_values, np.full(len(given_values), weight))
    error = np.std(given_values, ddof=1) / math.sqrt(len(given_values))
    assert found.value == pytest.approx(np.mean(given_values), abs=1e-9)
    reach = t.ppf(0.975, len(given_values) - 1) * error
    assert (found.high - found.low) / 2 == pytest.approx(reach, abs=1e-9)


def test_a_weighted_interval_covers_as_often_as_it_says() -> None:
    draw, hits = np.random.default_rng(17), 0
    for _ in range(400):
        sizes = draw.lognormal(0.0, 1.0, 200)
        found = comparison.weighted_mean(3.0 + draw.normal(0.0, 5.0, 200), sizes)
        hits += found.low <= 3.0 <= found.high
    assert 0.90 <= hits / 400 <= 0.98


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(ValueError, match="successes: below 0 or above trials"):
        comparison.share_interval([3], [2])
    with pytest.raises(ValueError, match=r"trials\[0\]: is missing"):
        comparison.share_interval([1], [math.nan])
    with pytest.raises(ValueError, match="level: 95"):
        comparison.mean_difference([1.0, 2.0], [1.0, 3.0], 95)
    with pytest.raises(ValueError, match=r"values\[1\]: is missing"):
        comparison.mean_difference([1.0, math.nan], [1.0, 3.0])
    with pytest.raises(ValueError, match="weights: one is below 0"):
        comparison.weighted_mean([1.0, 2.0], [1.0, -1.0])
    assert math.isnan(comparison.weighted_mean([1.0, 2.0], [0.0, 0.0]).value)


@given(st.integers(0, 40), st.integers(2, 40), st.integers(0, 1_000))
def test_sums_say_what_the_values_say(many: int, others: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    values, weights = draw.normal(3, 10, (2, many + others)), draw.lognormal(2, 1, many + others)
    one, other = values[0][:many], values[0][many:]
    sums = [Moments(len(each), float(each.sum()), float((each**2).sum())) for each in (one, other)]
    for found, told in (
        (difference_of(*sums), mean_difference(one, other)),
        (total_difference_of(*sums), total_difference(one, other)),
        (weighted_mean_of(weighted(values[1], weights)), weighted_mean(values[1], weights)),
        (mean_of(sums[1]), weighted_mean(other, np.ones(others))),
    ):
        assert (found.value, found.low, found.high, found.count) == pytest.approx(
            (told.value, told.low, told.high, told.count), rel=1e-9, abs=1e-9, nan_ok=True
        )


def weighted(values: Any, weights: Any) -> WeightedMoments:
    squares = weights**2
    return WeightedMoments(
        len(values), float(weights.sum()), float(weights @ values), float(squares.sum()), float(squares @ values),
        float(squares @ values**2),
    )  # fmt: skip


def test_what_no_order_weighs_is_not_known_and_alike_values_have_no_width() -> None:
    nothing = weighted_mean_of(WeightedMoments(0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert math.isnan(nothing.value) and math.isnan(nothing.low)
    alike = weighted_mean_of(weighted(np.full(5, 2.0), np.ones(5)))
    assert (alike.value, alike.low, alike.high) == (2.0, 2.0, 2.0)
    assert math.isnan(difference_of(Moments(1, 2.0, 4.0), Moments(9, 9.0, 9.0)).low)
