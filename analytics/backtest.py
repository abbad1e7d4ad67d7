"""Value at risk against what came: forecasts from the days before, and whether losses exceed them by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, chdtrc, ndtri, xlogy

from analytics.block import Block, Floats, over
from analytics.risk import DECAY, ewma_course
from analytics.rolling import (
    rolling_kurtosis,
    rolling_mean,
    rolling_quantile,
    rolling_skewness,
    rolling_volatility,
)
from analytics.shapes import figure
from analytics.tails import Method, cornish_fisher, is_monotone
from analytics.windows import check_window

Zone: TypeAlias = Literal["green", "yellow", "red"]
GREEN, YELLOW = 0.95, 0.9999
REACH_BACK = 250
"""Days that a forecast is made from: about a year, as the Basel back-test has it."""


@dataclass(frozen=True)
class Backtest:
    """A forecast of losses against the losses. The p-values are NaN where nothing can be tested.

    A p-value below 0.05 says that the forecast is wrong in that respect.
    """

    level: float
    observations: int
    exceedances: int
    expected: float
    positions: NDArray[np.intp]
    """Of the exceedances, in the returns."""
    kupiec_p: float
    """That exceedances come as often as the level says (Kupiec 1995, proportion of failures)."""
    christoffersen_p: float
    """That one exceedance does not make the next more likely (Christoffersen 1998, independence)."""
    conditional_p: float
    """Both at once (Christoffersen 1998, conditional coverage)."""


@figure
def var_forecast(
    returns: Block, level: float = 0.95, window: int = REACH_BACK, method: Method = "historical", decay: float = DECAY
) -> Floats:
    """Return, for each period, the value at risk that the `window` periods before it gave, as a positive loss.

    Methods as in tails.value_at_risk, a period ahead, ddof 1; "ewma" is the quantile of the filtered returns of the
    window times the volatility of the moment. NaN until the window is full, and where less than half of it is there.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: {level} is not between 0 and 1; give 0.95 for 95 %")
    check_window(window, 2)
    share = round(1.0 - level, 12)
    found = np.full(returns.values.shape, np.nan)
    if returns.values.shape[1] > window:
        found[:, 1:] = -_quantile_now(returns, share, window, method, decay)[:, :-1]
    if method == "ewma":
        found *= ewma_course(returns, 1.0, decay)
    return found


def backtest(returns: ArrayLike, forecast: ArrayLike, level: float = 0.95) -> Backtest:
    """Return how often losses exceeded a forecast of them and what chance makes of it; both 1-D, losses positive.

    Periods without a return or a forecast are left out. Raises ValueError when the lengths differ.
    """
    got, said = np.asarray(returns, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if got.shape != said.shape or got.ndim != 1:
        raise ValueError(f"returns and forecast differ in length: {got.shape} and {said.shape}")
    there = np.flatnonzero(~(np.isnan(got) | np.isnan(said)))
    hits = -got[there] > said[there]
    count, total = int(hits.sum()), len(there)
    coverage = coverage_statistic(count, total, level)
    independence = independence_statistic(hits)
    return Backtest(
        level=level,
        observations=total,
        exceedances=count,
        expected=expected_exceedances(total, level),
        positions=there[hits],
        kupiec_p=float(chdtrc(1, coverage)),
        christoffersen_p=float(chdtrc(1, independence)),
        conditional_p=float(chdtrc(2, coverage + independence)),
    )


def expected_exceedances(observations: float, level: float) -> float:
    """Return how many of the losses should exceed a value at risk of that level: n (1 − level)."""
    return observations * round(1.0 - level, 12)


def traffic_light(exceedances: int, observations: int, level: float = 0.99) -> Zone:
    """Return the zone of the back-test (Basel Committee 1996): how likely so few exceedances are of a right forecast.

    "green" below 95 %, "yellow" below 99.99 %, "red" from there; of 250 days at 99 % up to 4, up to 9, from 10.
    """
    below = float(bdtr(exceedances, observations, round(1.0 - level, 12)))
    if below < GREEN:
        return "green"
    return "yellow" if below < YELLOW else "red"


def coverage_statistic(exceedances: float, observations: float, level: float) -> float:
    """Return −2 ln of the likelihood at the level over that at the observed rate, χ²₁ (Kupiec 1995)."""
    if observations <= 0:
        return float("nan")
    share, rate = 1.0 - level, exceedances / observations
    return max(
        0.0, -2.0 * (_likelihood(exceedances, observations, share) - _likelihood(exceedances, observations, rate))
    )


def independence_statistic(hits: NDArray[np.bool_]) -> float:
    """Return −2 ln of the likelihood of one rate over that of a rate after a hit and another after none, χ²₁.

    Christoffersen 1998. NaN without any exceedance or with fewer than two observations.
    """
    if len(hits) < 2 or not hits.any():
        return float("nan")
    before, after = hits[:-1], hits[1:]
    hit_after_none, none = float((~before & after).sum()), float((~before).sum())
    hit_after_hit, hit = float((before & after).sum()), float(before.sum())
    all_hits, total = hit_after_none + hit_after_hit, none + hit
    one = _likelihood(all_hits, total, all_hits / total)
    two = sum(_likelihood(x, n, x / n) for x, n in ((hit_after_none, none), (hit_after_hit, hit)) if n > 0)
    return max(0.0, -2.0 * (one - two))


def _likelihood(successes: float, count: float, rate: float) -> float:
    """Return the log of the likelihood of that many successes; 0 · ln 0 is 0."""
    return float(xlogy(successes, rate) + xlogy(count - successes, 1.0 - rate))


def _quantile_now(returns: Block, share: float, window: int, method: Method, decay: float) -> Floats:
    """Return the quantile of the window up to and including each period."""
    if method == "historical":
        return np.asarray(rolling_quantile(returns, window, share))
    if method == "ewma":
        # The window's returns by the volatility of their day; what is not yet known of it is missing.
        filtered = Block(over(returns.values, ewma_course(returns, 1.0, decay)))
        return np.asarray(rolling_quantile(filtered, window, share))
    if method not in ("gaussian", "cornish_fisher"):
        raise ValueError(f"method: {method!r} is not one of historical, gaussian, cornish_fisher, ewma")
    z = float(ndtri(share))
    mean, sigma = rolling_mean(returns, window), rolling_volatility(returns, window)
    if method == "gaussian":
        return np.asarray(mean + z * sigma)
    skew, kurt = rolling_skewness(returns, window), rolling_kurtosis(returns, window)
    return np.where(is_monotone(skew, kurt), mean + cornish_fisher(z, skew, kurt) * sigma, np.nan)
