"""Dispersion and shape of returns: volatility, downside, moments, autocorrelation. What may be lost is in `tails`."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Block, Floats, over
from analytics.shapes import figure

DECAY = 0.94
"""Of exponential weights a day (RiskMetrics 1996)."""
WARM_UP = 20
"""Observations before an exponentially weighted volatility is used to judge the next return."""
PART = 32
"""Returns discounted at a time."""


@figure
def deviation(returns: Block, ddof: int = 1) -> Floats:
    """Return the standard deviation a period: exactly 0 for a constant series, NaN below ddof + 1 observations."""
    return returns.deviation(ddof)


@figure
def variance(returns: Block, ddof: int = 1, periods: float = 1.0) -> Floats:
    """Return the variance, times `periods`."""
    return returns.variance(ddof) * periods


@figure
def volatility(returns: Block, periods: float, ddof: int = 1) -> Floats:
    """Return the standard deviation a year, std · √periods; NaN with fewer than two observations."""
    return np.asarray(returns.deviation(ddof) * np.sqrt(periods))


@figure
def downside_deviation(returns: Block, target: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return √(Σ min(r − target, 0)² / n) · √periods over all n observations (Sortino & van der Meer 1991).

    `target` is a rate a period, or a series of them; a row where either is missing is left out.
    """
    excess = returns.minus(target)
    return np.sqrt(over(excess.sides.losses_squared, excess.known) * periods)


@figure
def upside_risk(returns: Block, target: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return √(Σ max(r − target, 0)² / n) · √periods over all n observations (Bacon 2008)."""
    excess = returns.minus(target)
    return np.sqrt(over(excess.sides.gains_squared, excess.known) * periods)


@figure
def semi_deviation(
    returns: Block, ddof: int = 0, target: ArrayLike | None = None, periods: float = 1.0, whole: bool = True
) -> Floats:
    """Return √(Σ min(r − mean, 0)² / (n − ddof)) · √periods; `target` takes the place of the mean.

    n counts all observations, or, when not `whole`, only those below.
    """
    excess = _around_mean(returns) if target is None else returns.minus(target)
    count = (returns.known if target is None else excess.known) if whole else excess.sides.lost
    return np.sqrt(over(excess.sides.losses_squared, np.where(count > ddof, count - ddof, np.nan)) * periods)


@figure
def lower_partial_moment(returns: Block, target: ArrayLike | None = None, order: int = 1) -> Floats:
    """Return Σ max(target − r, 0)^order / n; the mean is the target when none is given (Fishburn 1977)."""
    if order < 1:
        raise ValueError(f"order: {order} is not 1 or more")
    excess = _around_mean(returns) if target is None else returns.minus(target)
    if order == 1:
        return over(excess.sides.losses, returns.known)
    if order == 2:
        return over(excess.sides.losses_squared, returns.known)
    below = np.maximum(-excess.filled, 0.0)
    powers = below * below
    # A product of a few factors is far faster than a power.
    for _ in range(order - 2):
        powers *= below
    return over(powers.sum(axis=1), returns.known)


@figure
def downside_potential(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return Σ max(target − r, 0) / n: what is lost below the target in the mean (Bacon 2008)."""
    excess = returns.minus(target)
    return over(excess.sides.losses, excess.known)


@figure
def upside_potential(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return Σ max(r − target, 0) / n: what is gained above the target in the mean (Bacon 2008)."""
    excess = returns.minus(target)
    return over(excess.sides.gains, excess.known)


@figure
def downside_frequency(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return the share of returns below the target."""
    excess = returns.minus(target)
    return over(excess.sides.lost, excess.known)


@figure
def upside_frequency(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return the share of returns above the target."""
    excess = returns.minus(target)
    return over(excess.sides.gained, excess.known)


@figure
def gain_deviation(returns: Block, ddof: int = 1) -> Floats:
    """Return the standard deviation a period of the gains alone; NaN with ddof gains or fewer."""
    return _only(returns, 1.0).deviation(ddof)


@figure
def loss_deviation(returns: Block, ddof: int = 1) -> Floats:
    """Return the standard deviation a period of the losses alone; NaN with ddof losses or fewer."""
    return _only(returns, -1.0).deviation(ddof)


@figure
def mean_absolute_deviation(returns: Block) -> Floats:
    """Return Σ|r − mean| / n."""
    # The distances above and below the mean are equally long.
    return over(2.0 * _around_mean(returns).sides.losses, returns.known)


@figure
def gini_mean_difference(returns: Block) -> Floats:
    """Return the mean of |r_i − r_j| over all pairs: 2 / (n (n − 1)) · Σ (2 i − n − 1) r_(i) (Yitzhaki 2003)."""
    count, length = returns.count, returns.values.shape[1]
    ordered = returns.ordered if returns.is_complete else np.nan_to_num(returns.ordered, nan=0.0)
    weighted = ordered @ (2.0 * np.arange(1, length + 1)) - (count + 1.0) * ordered.sum(axis=1)
    found = over(2.0 * weighted, count * (count - 1.0))
    return np.where(returns.squares == 0, np.where(count > 1, 0.0, np.nan), found)


@figure
def skewness(returns: Block, method: Literal["moment", "sample"] = "moment") -> Floats:
    """Return the skewness: of the population, m₃ / m₂^1.5, or of the sample, n² / ((n − 1)(n − 2)) · m₃ / m₂^1.5.

    NaN for a constant series; sample: NaN with fewer than three observations.
    """
    n, third = returns.known, returns.powers[0]
    found = over(third / n, (returns.squares / n) ** 1.5)
    if method == "moment":
        return found
    if method == "sample":
        return found * over(n * n, (n - 1.0) * np.where(n > 2, n - 2.0, np.nan))
    raise ValueError(f"method: {method!r} is not one of moment, sample")


@figure
def kurtosis(returns: Block, method: Literal["excess", "moment", "sample", "sample_excess"] = "excess") -> Floats:
    """Return the kurtosis of the population: m₄ / m₂² ("moment", 3 for a normal), or that − 3 ("excess").

    sample: n² (n + 1) / ((n − 1)(n − 2)(n − 3)) · m₄ / m₂² scaled to the unbiased variance, as in Bacon 2008;
    sample_excess: that − 3 (n − 1)² / ((n − 2)(n − 3)) (Fisher's G₂). NaN for a constant series; sample: NaN with
    fewer than four observations.
    """
    n, fourth = returns.known, returns.powers[1]
    raw = over(fourth / n, (returns.squares / n) ** 2)
    if method == "moment":
        return raw
    if method == "excess":
        return raw - 3.0
    if method not in ("sample", "sample_excess"):
        raise ValueError(f"method: {method!r} is not one of excess, moment, sample, sample_excess")
    enough = np.where(n > 3, n, np.nan)
    below = (enough - 2.0) * (enough - 3.0)
    found = raw * (n + 1.0) * (n - 1.0) / below
    return found if method == "sample" else found - 3.0 * (n - 1.0) ** 2 / below


@figure
def skewness_kurtosis_ratio(returns: Block) -> Floats:
    """Return the skewness over the kurtosis, both of the population (Bacon 2008)."""
    return over(skewness(returns), kurtosis(returns, "moment"))


@figure
def quantile(returns: Block, share: float) -> Floats:
    """Return the value below which `share` of the returns lie, linear between two (Hyndman & Fan 1996, type 7)."""
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: {share} is not between 0 and 1")
    return returns.quantile(share)


@figure
def log_volatility(returns: Block, periods: float | None = None, semi: bool = False) -> Floats:
    """Return the deviation of log returns, ddof 1, over `periods` of them, or over all that there are.

    `semi` counts only those below the mean. 0 for a single return: nothing varied. NaN with a loss of 100 % or more.
    """
    logs = returns.keep("logs", lambda: Block(np.log1p(returns.values)))
    squares = _around_mean(logs).sides.losses_squared if semi else logs.squares
    span = logs.count if periods is None else periods
    found = np.sqrt(over(squares, logs.known - 1.0) * span)
    return np.where((logs.squares == 0) & (logs.count > 0), 0.0, found)


@figure
def ewma_volatility(returns: Block, periods: float = 1.0, decay: float = DECAY) -> Floats:
    """Return √(Σ λ^j r²_{n−j} / Σ λ^j) · √periods: the volatility now, newest return first (RiskMetrics 1996).

    Around 0, not the mean. A missing return has no weight, and the others age past it.
    """
    if not 0.0 < decay < 1.0:
        raise ValueError(f"decay: {decay} is not between 0 and 1")
    # Beyond this many periods a weight is lost in the rounding of the sum.
    last = min(returns.values.shape[1], int(np.ceil(np.log(1e-18) / np.log(decay)))) if returns.is_complete else None
    recent = returns.filled if last is None else returns.filled[:, returns.values.shape[1] - last :]
    weights = decay ** np.arange(recent.shape[1] - 1, -1, -1.0)
    total = weights.sum() if last is not None else returns.there @ weights
    return np.sqrt(over((recent * recent) @ weights, total) * periods)


@figure
def ewma_course(returns: Block, periods: float = 1.0, decay: float = DECAY) -> Floats:
    """Return, for each period, the exponentially weighted volatility that the returns before it gave.

    NaN until WARM_UP observations are there.
    """
    if not 0.0 < decay < 1.0:
        raise ValueError(f"decay: {decay} is not between 0 and 1")
    length = returns.values.shape[1]
    found = np.full(returns.values.shape, np.nan)
    squares = discounted(returns.filled * returns.filled, decay)
    if returns.is_complete:
        weights = _weight_sums(decay, length)
        np.sqrt(squares[:, WARM_UP - 1 : -1] * (periods / weights[WARM_UP - 1 : -1]), out=found[:, WARM_UP:])
        return found
    weights = discounted(returns.there.astype(np.float64), decay)
    found[:, 1:] = np.sqrt(over(squares, weights)[:, :-1] * periods)
    seen: Floats = np.cumsum(returns.there, axis=1, dtype=np.float64) - returns.there
    return np.where(seen >= WARM_UP, found, np.nan)


@figure
def autocorrelation(returns: Block, lag: int = 1) -> Floats:
    """Return Σ (r_t − mean)(r_{t−lag} − mean) / Σ (r − mean)²; NaN for a constant series or one of `lag` rows."""
    if lag < 0:
        raise ValueError(f"lag: {lag} is negative")
    if lag >= returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    away = returns.centred
    return over(np.vecdot(away[:, lag:], away[:, : away.shape[1] - lag]), returns.squares)


@figure
def lo_scale(returns: Block, periods: float, lags: int | None = None) -> Floats:
    """Return √(q + 2 Σ_{k=1}^{lags} (q − k) ρ_k), q = periods: what a period's deviation grows by in a year (Lo 2002).

    √q when returns are independent. Lo counts q − 1 lags; of daily returns those are mostly noise, so that without
    `lags` the smaller of q − 1 and 4 (n / 100)^(2/9) is taken (Newey & West 1994). NaN where the sum is not positive.
    """
    q = float(periods)
    length = returns.values.shape[1]
    rule = int(4.0 * (length / 100.0) ** (2.0 / 9.0))
    most = min(max(int(np.ceil(q)) - 1, 0), rule if lags is None else lags, max(length - 1, 0))
    total = np.full(len(returns.values), q)
    for lag in range(1, most + 1):
        total += 2.0 * (q - lag) * autocorrelation(returns, lag)
    return np.sqrt(np.where(total > 0, total, np.nan))


@figure
def lo_volatility(returns: Block, periods: float, lags: int | None = None) -> Floats:
    """Return the annual volatility with autocorrelation counted, std · √(q + 2 Σ (q − k) ρ_k) (Lo 2002)."""
    scale = returns.keep(("lo", periods, lags), lambda: lo_scale(returns, periods, lags))
    return np.where(returns.deviation() == 0, 0.0, returns.deviation() * scale)


def discounted(values: Floats, decay: float) -> Floats:
    """Return y_t = values_t + decay · y_{t−1} along the last axis."""
    rows, length = values.shape
    parts = -(-length // PART)
    padded = np.zeros((rows, parts * PART))
    padded[:, :length] = values
    # Within a part by a triangle of weights; what each part ends with is then handed on, by doubling.
    found = (padded.reshape(rows * parts, PART) @ _triangle(decay)).reshape(rows, parts, PART)
    ends, factor, step = found[:, :, -1].copy(), decay**PART, 1
    while step < parts and factor > 0:
        ends[:, step:] = ends[:, step:] + factor * ends[:, :-step]
        step, factor = step * 2, factor * factor
    found[:, 1:] += ends[:, :-1, None] * decay ** np.arange(1.0, PART + 1.0)
    joined: Floats = found.reshape(rows, parts * PART)[:, :length]
    return joined


@lru_cache(maxsize=8)
def _triangle(decay: float) -> Floats:
    """Return the weight in y_j of value i of the same part: decay^(j − i), 0 for later ones."""
    ages = np.arange(PART)[None, :] - np.arange(PART)[:, None]
    return np.where(ages >= 0, decay ** np.maximum(ages, 0.0), 0.0)


@lru_cache(maxsize=8)
def _weight_sums(decay: float, length: int) -> Floats:
    """Return Σ_{j < n} decay^j for n = 1 … length."""
    return np.asarray((1.0 - decay ** np.arange(1.0, length + 1.0)) / (1.0 - decay))


def _around_mean(returns: Block) -> Block:
    def make() -> Block:
        away = returns.centred
        if (returns.squares == 0).any():
            away = np.where(returns.squares[:, None] == 0, 0.0, away)
        return Block(away if returns.is_complete else np.where(returns.there, away, np.nan))

    return returns.keep("around mean", make)


def _only(returns: Block, sign: float) -> Block:
    return returns.keep(("only", sign), lambda: Block(np.where(returns.filled * sign > 0, returns.filled, np.nan)))
