"""How sure an estimate is: confidence intervals of the headline figures of one portfolio.

All of them hold for many returns and take them as independent of each other; returns that move in runs make the true
interval wider. Where it is not said otherwise the error is that of the estimate's influence function: each return's
pull on the estimate, whose standard deviation over √n is the standard error (Hampel 1974; van der Vaart 1998, ch. 20).
Returns are a 1-D array of simple returns a period, NaN where there is none. An interval is (low, high), both NaN where
there are too few returns or they do not vary.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analytics import significance
from analytics.block import RESIDUE, Floats
from analytics.calendar import SHORTEST_YEAR
from analytics.tails import expected_shortfall

LEVEL = 0.95
FEWEST = 20
"""Returns below which no interval is told: what holds for many does not hold for fewer."""

Interval = tuple[float, float]
NONE: Interval = (math.nan, math.nan)


def annual_return_interval(returns: ArrayLike, years: float, level: float = LEVEL) -> Interval:
    """Return the interval of the annual return by elapsed time: exp(n / years · (mean ± z · std / √n) of logs) − 1.

    NaN below a year, as the figure itself is.
    """
    found = _observed(returns)
    if len(found) < FEWEST or years < SHORTEST_YEAR or (found <= -1.0).any():
        return NONE
    periods = len(found) / years
    logs = np.log1p(found)
    reach = _z(level) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    mean = float(logs.mean())
    return math.expm1(periods * (mean - reach)), math.expm1(periods * (mean + reach))


def volatility_interval(returns: ArrayLike, periods: float, level: float = LEVEL) -> Interval:
    """Return the interval of the annual volatility, whatever the kurtosis of the returns."""
    found = _observed(returns)
    deviation = _deviation(found)
    if math.isnan(deviation):
        return NONE
    pull = ((found - found.mean()) ** 2 - deviation**2) / (2 * deviation)
    low, high = _around(deviation, pull, level)
    return max(low, 0.0) * math.sqrt(periods), high * math.sqrt(periods)


def sharpe_interval(returns: ArrayLike, rate: float, periods: float, level: float = LEVEL) -> Interval:
    """Return the interval of the annual Sharpe ratio as significance.sharpe_interval has it. `rate` is a period's."""
    found = _observed(returns)
    if math.isnan(_deviation(found - rate)):
        return NONE
    low, high = significance.sharpe_interval(found, rate, periods, level)
    return float(low), float(high)


def sortino_interval(returns: ArrayLike, rate: float, periods: float, level: float = LEVEL) -> Interval:
    """Return the interval of the annual Sortino ratio with `rate` a period as rate and target."""
    found = _observed(returns) - rate
    below = np.minimum(found, 0.0) ** 2
    if math.isnan(_deviation(found)) or not below.any():
        return NONE
    downside = math.sqrt(float(below.mean()))
    ratio = float(found.mean()) / downside
    pull = (found - found.mean()) / downside - ratio / 2 * (below / downside**2 - 1)
    return _annual(_around(ratio, pull, level), periods)


def value_at_risk_interval(returns: ArrayLike, share: float = 0.95, level: float = LEVEL) -> Interval:
    """Return the interval of the historical VaR as a positive loss: order statistics, whatever the distribution.

    How many returns lie below the quantile is binomial (David & Nagaraja 2003, 7.1). NaN where the interval would
    reach beyond the worst return.
    """
    ordered = np.sort(_observed(returns))
    count, tail = len(ordered), 1 - share
    reach = _z(level) * math.sqrt(count * tail * share)
    first, last = math.floor(count * tail - reach) - 1, math.ceil(count * tail + reach) - 1
    if count < FEWEST or first < 0 or last >= count:
        return NONE
    return -float(ordered[last]), -float(ordered[first])


def expected_shortfall_interval(returns: ArrayLike, share: float = 0.95, level: float = LEVEL) -> Interval:
    """Return the interval of the historical expected shortfall as a positive loss, around tails.expected_shortfall."""
    found = _observed(returns)
    tail = 1 - share
    if len(found) * tail < 2 or math.isnan(_deviation(found)):
        return NONE
    losses = -found
    edge = float(np.quantile(losses, share))
    pull = edge + np.maximum(losses - edge, 0.0) / tail
    return _around(float(expected_shortfall(found, share)), pull, level)


def beta_interval(returns: ArrayLike, benchmark: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the interval of beta on the periods that both have, whatever the spread of the residuals (White 1980)."""
    own, other = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    both = ~(np.isnan(own) | np.isnan(other))
    own, other = own[both], other[both]
    if math.isnan(_deviation(other)):
        return NONE
    away = other - other.mean()
    spread = float((away**2).mean())
    beta = float((away * own).mean()) / spread
    left = own - own.mean() - beta * away
    return _around(beta, away * left / spread, level)


def _observed(returns: ArrayLike) -> Floats:
    found = np.asarray(returns, dtype=np.float64)
    return found[~np.isnan(found)]


def _deviation(found: Floats) -> float:
    """Return the standard deviation, NaN with too few returns or where they do not vary."""
    if len(found) < FEWEST:
        return math.nan
    deviation = float(found.std(ddof=1))
    return deviation if deviation > RESIDUE * float(np.abs(found).max()) else math.nan


def _around(estimate: float, pull: Floats, level: float) -> Interval:
    reach = _z(level) * float(pull.std(ddof=1)) / math.sqrt(len(pull))
    return estimate - reach, estimate + reach


def _annual(interval: Interval, periods: float) -> Interval:
    return interval[0] * math.sqrt(periods), interval[1] * math.sqrt(periods)


def _z(level: float) -> float:
    return float(ndtri((1 + level) / 2))
