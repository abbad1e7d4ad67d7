"""Figures over a window that moves with time: one a period, of the last `window` periods, that one included.

A window is `window` rows, not observations. It has a figure from the portfolio's first full window to its last return,
where at least half of its rows (and two) have a return; the figure is then of those returns. Everywhere else it is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import RESIDUE, Block, Floats, Pair, over
from analytics.shapes import Returns, enter, figure, on_common_dates, pair_figure
from analytics.windows import (
    Windows,
    by_parts,
    central_moment,
    check_window,
    deepest,
    pairs_by_parts,
    parts_of,
    products_of,
    quantiles,
    squares_below,
    windows_of,
)


@dataclass(frozen=True, eq=False)
class Moments:
    """Rolling figures that share their sums, each in the kind that the returns were given in."""

    volatility: Any
    sharpe: Any
    beta: Any
    """None without a benchmark."""


@figure
def rolling_return(returns: Block, window: int) -> Floats:
    """Return the compounded return of each window; NaN through a loss of more than 100 %."""
    check_window(window)

    def of(part: Block) -> Floats:
        levels = _levels(part)
        return windows_of(part, window).only_given(levels[:, window:] / levels[:, :-window] - 1.0)

    return by_parts(returns, window, of)


@figure
def rolling_mean(returns: Block, window: int) -> Floats:
    """Return the mean return a period of each window."""
    check_window(window)
    return by_parts(returns, window, lambda part: windows_of(part, window).mean)


@figure
def rolling_volatility(returns: Block, window: int, periods: float = 1.0, ddof: int = 1) -> Floats:
    """Return the standard deviation of each window times √periods; exactly 0 where nothing varies."""
    check_window(window, 2)
    return by_parts(returns, window, lambda part: _volatility(windows_of(part, window), periods, ddof))


@figure
def rolling_sharpe(returns: Block, window: int, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return mean(r − rf) / std(r − rf, ddof 1) · √periods of each window (Sharpe 1994); NaN where nothing varies.

    risk_free: a period, a number or a series.
    """
    check_window(window, 2)
    is_number = not np.ndim(risk_free)
    rate = float(np.asarray(risk_free)) if is_number else 0.0
    excess = returns if is_number else returns.minus(risk_free)
    return by_parts(excess, window, lambda part: _sharpe(windows_of(part, window), rate, periods))


@figure
def rolling_sortino(returns: Block, window: int, target: ArrayLike = 0.0, periods: float = 1.0) -> Floats:
    """Return mean(r − target) · √periods over the downside deviation of each window, all of its returns counted.

    Sortino & van der Meer 1991. NaN where no return of the window is below the target.
    """
    check_window(window)

    def of(part: Block) -> Floats:
        found = windows_of(part, window)
        below = np.sqrt(squares_below(part, window) / found.count / periods)
        return over(found.mean, below)

    return by_parts(returns.minus(target), window, of)


@pair_figure
def rolling_beta(pair: Pair, window: int, risk_free: ArrayLike = 0.0) -> Floats:
    """Return cov(r − rf, b − rf) / var(b − rf) of each window; NaN where the benchmark does not vary.

    risk_free: a period; only a series makes a difference.
    """
    check_window(window, 2)
    return pairs_by_parts(pair.minus(risk_free) if np.ndim(risk_free) else pair, window, lambda p: _beta(p, window))


@pair_figure
def rolling_correlation(pair: Pair, window: int) -> Floats:
    """Return the correlation with the benchmark in each window; NaN where either does not vary."""
    check_window(window, 2)

    def of(part: Pair) -> Floats:
        own, other = windows_of(part.own, window).squares, windows_of(part.other, window).squares
        return np.clip(over(products_of(part, window), np.sqrt(own) * np.sqrt(other)), -1.0, 1.0)

    return pairs_by_parts(pair, window, of)


@figure
def rolling_drawdown(returns: Block, window: int) -> Floats:
    """Return the maximum drawdown within each window, the value at its start included: negative or 0."""
    check_window(window)

    def of(part: Block) -> Floats:
        found = deepest(_levels(part), window + 1) - 1.0
        found[found >= -RESIDUE] = 0.0
        return windows_of(part, window).only_given(found)

    return by_parts(returns, window, of)


@figure
def rolling_quantile(returns: Block, window: int, share: float) -> Floats:
    """Return the value below which `share` of the returns of each window lie (Hyndman & Fan 1996, type 7)."""
    check_window(window)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: {share} is not between 0 and 1")
    return by_parts(returns, window, lambda p: windows_of(p, window).only_given(quantiles(p, window, share)))


@figure
def rolling_value_at_risk(returns: Block, window: int, level: float = 0.95) -> Floats:
    """Return the historical value at risk of each window, a positive loss (see tails.value_at_risk)."""
    if not 0.0 <= level <= 1.0:
        raise ValueError(f"level: {level} is not between 0 and 1; give 0.95 for 95 %")
    return np.asarray(0.0 - rolling_quantile(returns, window, round(1.0 - level, 12)))


@figure
def rolling_skewness(returns: Block, window: int) -> Floats:
    """Return the population skewness m₃ / m₂^1.5 of each window; NaN where nothing varies."""
    check_window(window, 2)

    def of(part: Block) -> Floats:
        found = windows_of(part, window)
        return over(central_moment(part, window, 3) / found.count, (found.squares / found.count) ** 1.5)

    return by_parts(returns, window, of)


@figure
def rolling_kurtosis(returns: Block, window: int) -> Floats:
    """Return the population excess kurtosis m₄ / m₂² − 3 of each window; NaN where nothing varies."""
    check_window(window, 2)

    def of(part: Block) -> Floats:
        found = windows_of(part, window)
        return over(central_moment(part, window, 4) / found.count, (found.squares / found.count) ** 2) - 3.0

    return by_parts(returns, window, of)


def rolling_moments(
    returns: Returns,
    benchmark: Returns | None = None,
    window: int = 63,
    risk_free: float = 0.0,
    periods: float = 252.0,
) -> Moments:
    """Return rolling volatility, Sharpe ratio and, with a benchmark, beta, as the functions so named: in one pass.

    risk_free: a rate a period.
    """
    check_window(window, 2)
    given = (returns,) if benchmark is None else on_common_dates(returns, benchmark)
    shape, arrays, _ = enter(given, {})
    own = Block.of(arrays[0], shape.index, shape.names)
    pair = None if benchmark is None else Pair.of(own, Block.of(arrays[1], shape.index))
    found = [np.full(own.values.shape, np.nan) for _ in range(2)]
    with np.errstate(divide="ignore", invalid="ignore"):
        if own.values.shape[1] >= window:
            for cut, part in parts_of(own):
                found[0][cut, window - 1 :] = _volatility(windows_of(part, window), periods, 1)
                found[1][cut, window - 1 :] = _sharpe(windows_of(part, window), risk_free, periods)
        beta = None if pair is None else shape.leave(pairs_by_parts(pair, window, lambda p: _beta(p, window)))
    return Moments(shape.leave(found[0]), shape.leave(found[1]), beta)


def _volatility(found: Windows, periods: float, ddof: int) -> Floats:
    variance = found.variance(ddof)
    variance *= periods
    return np.sqrt(variance, out=variance)


def _sharpe(found: Windows, rate: float, periods: float) -> Floats:
    ratio: Floats = found.offset + (found.block.mean - rate)[:, None]
    ratio /= _volatility(found, 1.0 / periods, 1)
    if found.may_stand_still:
        ratio[found.squares == 0] = np.nan
    return ratio


def _beta(pair: Pair, window: int) -> Floats:
    return over(products_of(pair, window), windows_of(pair.other, window).squares)


def _levels(part: Block) -> Floats:
    """Return W_0 = 1 and the wealth after each return."""
    return np.concatenate([np.ones((len(part.values), 1)), part.wealth], axis=1)
