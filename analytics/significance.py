"""How sure a figure is: errors, intervals and probabilities of Sharpe ratios, and of any figure by resampling.

Sharpe ratios compared or tested here are of a period, not of a year, unless `periods` is given. "Kurtosis" is the raw
one, 3 for a normal distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analytics.block import Block, Floats, Pair, over
from analytics.resampling import Scheme, resampled
from analytics.risk import kurtosis, skewness
from analytics.shapes import Figure, Returns, enter, figure, on_common_dates, pair_figure

EULER = 0.5772156649015329
ErrorMethod: TypeAlias = Literal["mertens", "lo", "newey_west"]
IntervalMethod: TypeAlias = Literal["mertens", "lo", "newey_west", "bootstrap"]
Counted: TypeAlias = Literal["all", "skewness", "none"]


@figure
def sharpe_standard_error(
    returns: Block, risk_free: ArrayLike = 0.0, periods: float = 1.0, method: ErrorMethod = "mertens"
) -> Floats:
    """Return the standard error of mean(r − rf) / std(r − rf, ddof 1) · √periods.

    mertens: √((1 − γ₃ SR + (γ₄ − 1) / 4 · SR²) / n), whatever the distribution (Mertens 2002).
    lo: √((1 + SR² / 2) / n), normal returns (Lo 2002).
    newey_west: as mertens, for returns that depend on those before (Lo 2002 by GMM; Newey & West 1994 lags).

    NaN for a constant series or fewer than two observations.
    """
    excess = returns.minus(risk_free)
    if method == "newey_west":
        return np.asarray(_long_run_error(_pull(excess), excess) * np.sqrt(periods))
    if method not in ("mertens", "lo"):
        raise ValueError(f"method: {method!r} is not one of mertens, lo, newey_west")
    return np.sqrt(_spread(excess, "all" if method == "mertens" else "none") / excess.known * periods)


def sharpe_interval(
    returns: Returns,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    level: float = 0.95,
    method: IntervalMethod = "mertens",
    samples: int = 1000,
    length: float | None = None,
    seed: int = 0,
) -> tuple[Figure, Figure]:
    """Return the ends of the two-sided confidence interval of the Sharpe ratio, each in the kind of the returns.

    SR ± z · its standard error (see there), or, "bootstrap", the quantiles of resampled ones (see bootstrap_interval,
    for a risk-free rate that is a number).
    """
    _check_level(level)
    if method == "bootstrap":
        rate = float(np.asarray(risk_free))
        by = lambda block: _ratio(block.minus(rate)) * np.sqrt(periods)  # noqa: E731
        return bootstrap_interval(returns, by, level, samples=samples, length=length, seed=seed)
    ratio = sharpe_ratio(returns, risk_free, periods)
    reach = sharpe_standard_error(returns, risk_free, periods, method) * float(ndtri((1.0 + level) / 2.0))
    return ratio - reach, ratio + reach


@figure
def sharpe_ratio(returns: Block, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return mean(r − rf) / std(r − rf, ddof 1) · √periods (Sharpe 1994); NaN where nothing varies."""
    return np.asarray(_ratio(returns.minus(risk_free)) * np.sqrt(periods))


@figure
def probabilistic_sharpe(
    returns: Block, reference: float | Floats = 0.0, risk_free: ArrayLike = 0.0, counted: Counted = "all"
) -> Floats:
    """Return the probability that the true Sharpe ratio is above `reference`, one or one a portfolio, a period's.

    Φ((SR − SR*) √(n − 1) / √(1 − γ₃ SR + (γ₄ − 1) / 4 · SR²)) (Bailey & López de Prado 2012). counted: "skewness"
    takes the kurtosis as 3, "none" the skewness as 0 as well.
    """
    excess = returns.minus(risk_free)
    freedom = np.where(excess.count > 1, excess.count - 1.0, np.nan)
    return np.asarray(ndtr((_ratio(excess) - reference) * np.sqrt(over(freedom, _spread(excess, counted)))))


@figure
def minimum_track_record(
    returns: Block,
    reference: float = 0.0,
    risk_free: ArrayLike = 0.0,
    level: float = 0.95,
    counted: Counted = "all",
) -> Floats:
    """Return how many returns it takes to be sure at `level` that the Sharpe ratio is above `reference`.

    1 + (1 − γ₃ SR + (γ₄ − 1) / 4 · SR²) (z / (SR − SR*))² (Bailey & López de Prado 2012). NaN where SR is not above:
    no length is enough.
    """
    _check_level(level)
    excess = returns.minus(risk_free)
    return track_record_needed(_ratio(excess), reference, _spread(excess, counted), level)


@figure
def deflated_sharpe(
    returns: Block, trials: float, variance: float, risk_free: ArrayLike = 0.0, counted: Counted = "all"
) -> Floats:
    """Return the probability that the Sharpe ratio is above what the best of `trials` useless strategies would show.

    `variance` is that of the Sharpe ratios a period of the trials (Bailey & López de Prado 2014).
    """
    reference = expected_max_sharpe(trials, variance)
    return np.asarray(probabilistic_sharpe(returns, reference, risk_free, counted))


@pair_figure
def probability_better(pair: Pair, risk_free: ArrayLike = 0.0) -> Floats:
    """Return the probability that the portfolio's true Sharpe ratio is above the other's, on the periods of both.

    Φ(difference / its standard error), by the delta method with the dependence between them and over time counted
    (Ledoit & Wolf 2008; Newey & West 1994 lags). NaN where either does not vary or they never part.
    """
    beside = pair.minus(risk_free)
    pull = _pull(beside.own) - _pull(beside.other)
    error = _long_run_error(pull, beside.own)
    return np.asarray(ndtr(over(_ratio(beside.own) - _ratio(beside.other), error)))


def probability_better_resampled(
    returns: Returns,
    benchmark: Returns,
    by: Callable[[Block], Floats] | None = None,
    scheme: Scheme = "stationary",
    samples: int = 1000,
    length: float | None = None,
    seed: int = 0,
) -> Figure:
    """Return the share of resampled histories in which the portfolio's figure is above the other's.

    by: the figure, the Sharpe ratio when none is given. Both are resampled on the same periods, those that both have
    (paired block bootstrap). NaN where the figure of either is.
    """
    shape, (own, other), _ = enter(on_common_dates(returns, benchmark), {})
    pair = Pair.of(Block.of(own, shape.index, shape.names), Block.of(other, shape.index))
    of = by or _ratio
    found = np.full(len(pair.own.values), np.nan)
    for row, values in enumerate(pair.own.values):
        theirs = pair.other.values[min(row, len(pair.other.values) - 1)]
        both = ~np.isnan(values)
        mine, rival = (resampled(one[both], of, scheme, samples, length, seed) for one in (values, theirs))
        is_known = ~(np.isnan(mine) | np.isnan(rival))
        if is_known.any():
            found[row] = ((mine > rival)[is_known].mean() + (mine >= rival)[is_known].mean()) / 2.0
    return shape.leave(found)


def bootstrap_interval(
    returns: Returns,
    by: Callable[[Block], Any],
    level: float = 0.95,
    scheme: Scheme = "stationary",
    samples: int = 1000,
    length: float | None = None,
    seed: int = 0,
) -> tuple[Figure, Figure]:
    """Return the ends of the interval of any figure: the quantiles of it over histories put together of spans of ours.

    by: the figure of a Block (any function of `analytics` is one). scheme: spans of random length around `length`
    ("stationary", Politis & Romano 1994) or of that length ("circular", Politis & Romano 1992); n^(1/3) without one.
    The same seed gives the same interval. NaN where there are fewer than two observations or no figure.
    """
    _check_level(level)
    shape, (own,), _ = enter((returns,), {})
    ends = np.full((2, len(np.atleast_2d(own))), np.nan)
    for row, values in enumerate(Block.of(own, shape.index, shape.names).values):
        drawn = resampled(values[~np.isnan(values)], by, scheme, samples, length, seed)
        drawn = drawn[~np.isnan(drawn)]
        if len(drawn):
            ends[:, row] = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return shape.leave(ends[0]), shape.leave(ends[1])


@figure
def mean_standard_error(returns: Block) -> Floats:
    """Return std(r, ddof 1) / √n, the standard error of the mean return of independent returns."""
    return np.asarray(returns.deviation() / np.sqrt(returns.known))


def mean_interval(returns: Returns, level: float = 0.95) -> tuple[Figure, Figure]:
    """Return the ends of Student's interval of the mean return a period, for independent returns."""
    _check_level(level)
    return _mean_end(returns, -level), _mean_end(returns, level)


def probability_positive(information_ratio: float, count: float) -> float:
    """Return the probability that the true mean is above 0, of `count` returns with that mean over deviation.

    Student's t with n − 1 degrees of freedom.
    """
    return float(stdtr(count - 1.0, information_ratio * np.sqrt(count)))


def expected_max_sharpe(trials: float, variance: float) -> float:
    """Return the Sharpe ratio that the best of `trials` strategies without skill is expected to show.

    √V ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e))), γ Euler's constant and V the variance of the ratios (Bailey &
    López de Prado 2014). 0 for a single trial.
    """
    if trials < 1 or variance < 0:
        raise ValueError(
            f"trials: {trials} and variance: {variance}; there is at least one trial, and variance is not negative"
        )
    if trials == 1:
        return 0.0
    highest = (1.0 - EULER) * ndtri(1.0 - 1.0 / trials) + EULER * ndtri(1.0 - 1.0 / (trials * np.e))
    return float(np.sqrt(variance) * highest)


def ratio_spread(sharpe: ArrayLike, skew: ArrayLike = 0.0, kurt: ArrayLike = 3.0) -> Floats:
    """Return n times the variance of a Sharpe ratio a period, 1 − γ₃ SR + (γ₄ − 1) / 4 · SR² (Mertens 2002)."""
    ratio, third, fourth = (np.asarray(value, dtype=np.float64) for value in (sharpe, skew, kurt))
    return np.asarray(1.0 - third * ratio + (fourth - 1.0) / 4.0 * ratio**2)


def track_record_needed(sharpe: ArrayLike, reference: float, spread: ArrayLike, level: float = 0.95) -> Floats:
    """Return 1 + spread · (z / (SR − SR*))², NaN where SR is not above SR*; see minimum_track_record."""
    ahead = np.asarray(sharpe, dtype=np.float64) - reference
    needed = over(float(ndtri(level)), np.where(ahead > 0, ahead, np.nan)) ** 2
    return np.asarray(1.0 + np.asarray(spread, dtype=np.float64) * needed)


def _ratio(excess: Block) -> Floats:
    return over(excess.mean, excess.deviation())


def _spread(excess: Block, counted: Counted) -> Floats:
    if counted == "none":
        return ratio_spread(_ratio(excess))
    if counted not in ("all", "skewness"):
        raise ValueError(f"counted: {counted!r} is not one of all, skewness, none")
    return ratio_spread(_ratio(excess), skewness(excess), kurtosis(excess, "moment") if counted == "all" else 3.0)


def _pull(excess: Block) -> Floats:
    """Return what each return does to the Sharpe ratio (its influence function), 0 where one is missing."""
    ratio = _ratio(excess)[:, None]
    away = excess.centred / np.where(excess.squares > 0, excess.deviation(0), np.nan)[:, None]
    pull: Floats = away - ratio / 2.0 * (away**2 - 1.0)
    return pull if excess.is_complete else np.where(excess.there, pull, 0.0)


def _long_run_error(pull: Floats, of: Block) -> Floats:
    """Return the standard error of the mean of `pull`, neighbours' dependence counted (Bartlett weights)."""
    length = pull.shape[1]
    lags = min(int(4.0 * (length / 100.0) ** (2.0 / 9.0)), max(length - 1, 0))
    total: Floats = np.vecdot(pull, pull)
    for lag in range(1, lags + 1):
        total = total + 2.0 * (1.0 - lag / (lags + 1.0)) * np.vecdot(pull[:, lag:], pull[:, : length - lag])
    return np.sqrt(np.maximum(total, 0.0)) / of.known


@figure
def _mean_end(returns: Block, share: float) -> Floats:
    """Return the end of the interval: below the mean for a negative share."""
    freedom = np.where(returns.count > 1, returns.count - 1.0, np.nan)
    reach = stdtrit(freedom, (1.0 + abs(share)) / 2.0) * mean_standard_error(returns)
    return np.asarray(returns.mean + np.sign(share) * reach)


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: {level} is not between 0 and 1; give 0.95 for 95 %")
