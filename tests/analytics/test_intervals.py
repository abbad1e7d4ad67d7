"""Confidence intervals: they hold the true figure about as often as they say, and say nothing where they cannot."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analytics import intervals
from analytics.block import Floats
from analytics.summary import summarize
from analytics.tails import expected_shortfall

SAMPLES = 400
COUNT = 2_500
MEAN, DEVIATION = 0.0005, 0.01
BETA = 0.8

Z = stats.norm.ppf(0.05)
VAR = -(MEAN + DEVIATION * Z)
SHORTFALL = -(MEAN - DEVIATION * stats.norm.pdf(Z) / 0.05)
DOWNSIDE = math.sqrt(stats.norm(MEAN, DEVIATION).expect(lambda r: min(r, 0.0) ** 2, lb=-1, ub=1))
LOG_MEAN = MEAN - (DEVIATION**2 + MEAN**2) / 2
"""Of log(1 + r), to the second order; the third is 1e-7 of it."""


@pytest.mark.parametrize(
    ("interval", "true"),
    [
        (lambda r, _: intervals.annual_return_interval(r, COUNT / 252), math.expm1(252 * LOG_MEAN)),
        (lambda r, _: intervals.volatility_interval(r, 252), DEVIATION * math.sqrt(252)),
        (lambda r, _: intervals.sharpe_interval(r, 0.0, 252), MEAN / DEVIATION * math.sqrt(252)),
        (lambda r, _: intervals.sortino_interval(r, 0.0, 252), MEAN / DOWNSIDE * math.sqrt(252)),
        (lambda r, _: intervals.value_at_risk_interval(r), VAR),
        (lambda r, _: intervals.expected_shortfall_interval(r), SHORTFALL),
        (lambda r, b: intervals.beta_interval(r, b), BETA),
    ],
    ids=["annual return", "volatility", "Sharpe", "Sortino", "VaR", "shortfall", "beta"],
)
def test_the_true_figure_lies_within_as_often_as_is_said(
    interval: Callable[[Floats, Floats], intervals.Interval], true: float
) -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(SAMPLES):
        other = rng.normal(0.0, DEVIATION, COUNT)
        rest = DEVIATION * math.sqrt(1 - BETA**2)
        own = MEAN + BETA * other + rng.normal(0.0, rest, COUNT)
        low, high = interval(own, other)
        assert low < high
        hits += low <= true <= high
    assert 0.92 <= hits / SAMPLES <= 0.98


def test_fat_tails_make_volatility_less_sure() -> None:
    rng = np.random.default_rng(1)
    thin = rng.normal(size=COUNT)
    fat = rng.standard_t(5, size=COUNT)
    thin_low, thin_high = intervals.volatility_interval(thin / thin.std(ddof=1), 1)
    fat_low, fat_high = intervals.volatility_interval(fat / fat.std(ddof=1), 1)
    assert fat_high - fat_low > 1.3 * (thin_high - thin_low)


@pytest.mark.parametrize("returns", [[], [0.01], [np.nan] * 50, [0.001] * 500, [0.01] * 19])
def test_nothing_is_said_of_too_little(returns: list[float]) -> None:
    for found in (
        intervals.volatility_interval(returns, 252),
        intervals.sharpe_interval(returns, 0.0, 252),
        intervals.sortino_interval(returns, 0.0, 252),
        intervals.expected_shortfall_interval(returns),
        intervals.beta_interval(returns, returns),
    ):
        assert all(math.isnan(end) for end in found)


def test_the_card_and_the_table_tell_one_interval_of_the_sharpe_ratio() -> None:
    returns = np.random.default_rng(5).standard_t(3, 60) * 0.01 + 0.003
    table = summarize(returns, risk_free=0.02)["portfolio"]
    rate = 1.02 ** (1 / 252) - 1
    assert intervals.sharpe_interval(returns, rate, 252) == (table["sharpe_low"], table["sharpe_high"])


@pytest.mark.parametrize("rise", [0.0, 0.01, 0.05])
def test_an_expected_loss_lies_within_its_interval_though_nothing_was_lost(rise: float) -> None:
    returns = 0.0004 + rise + np.random.default_rng(3).random(400) * 0.01
    low, high = intervals.expected_shortfall_interval(returns)
    assert low < expected_shortfall(returns) < high < 0.0
