"""Reward for risk: Sharpe, Sortino, Calmar and their kin.

Risk-free and target rates are given a period, as a number or a series by date; `returns.per_period_rate` makes them of
annual ones. A ratio over nothing (no dispersion, no loss, no drawdown) is NaN, never infinite.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Block, Floats, over
from analytics.drawdown import max_drawdown, pain_index, spells, ulcer_index
from analytics.returns import annual_rate, annual_return
from analytics.risk import downside_deviation, kurtosis, lower_partial_moment, skewness
from analytics.runs import observed, runs
from analytics.shapes import figure

LOSS_AVERSION = 2.25
"""How much more a loss weighs than a gain of the same size (Tversky & Kahneman 1992)."""


@figure
def sharpe(
    returns: Block,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    geometric: bool = False,
    unbounded: bool = False,
) -> Floats:
    """Return mean(r − rf) / std(r − rf, ddof 1) · √periods (Sharpe 1994).

    NaN with fewer than two observations or when nothing varies. `geometric` takes the compounded annual excess return
    over the annual deviation instead; `unbounded` gives a constant excess of its sign ±inf, as empyrical does.
    """
    excess = returns.minus(risk_free)
    yearly = annual_return(excess, periods, minimum_years=0.0) if geometric else excess.mean * periods
    found = over(yearly, excess.deviation() * np.sqrt(periods))
    if not unbounded:
        return found
    return np.where((excess.deviation() == 0) & (excess.mean != 0), np.copysign(np.inf, excess.mean), found)


@figure
def sortino(
    returns: Block, target: ArrayLike = 0.0, periods: float = 1.0, ddof: int = 0, unbounded: bool = False
) -> Floats:
    """Return mean(r − target) · periods over the annual downside deviation of the full sample.

    Sortino & van der Meer 1991; Rollinger & Hoffman, "Sortino: a sharper ratio". NaN with fewer than two observations
    or when no return falls below the target; `unbounded` makes that +inf when the mean is above it.
    """
    excess = returns.minus(target)
    count = np.where(excess.count >= 2, excess.count - ddof, np.nan)
    downside = np.sqrt(over(excess.sides.losses_squared, count) * periods)
    found = over(excess.mean * periods, downside)
    return np.where((downside == 0) & (excess.mean > 0), np.inf, found) if unbounded else found


@figure
def adjusted_sharpe(
    returns: Block, risk_free: ArrayLike = 0.0, periods: float = 1.0, geometric: bool = False
) -> Floats:
    """Return SR · (1 + S/6 · SR − (K − 3)/24 · SR²) (Pezier & White 2006).

    SR is the annual Sharpe ratio, S and K the population skewness and kurtosis of the returns a period.
    """
    ratio = sharpe(returns, risk_free, periods, geometric)
    return np.asarray(ratio * (1.0 + skewness(returns) / 6.0 * ratio - kurtosis(returns) / 24.0 * ratio**2))


@figure
def calmar(
    returns: Block,
    periods: float,
    minimum_years: float = 1.0,
    count_missing: bool = False,
    years: Floats | None = None,
) -> Floats:
    """Return the annual return over the size of the maximum drawdown (Young 1991).

    `years`, here and below: annual by elapsed time, see returns.annual_return. NaN without a drawdown or below
    `minimum_years`.
    """
    return over(_annual(returns, periods, minimum_years, count_missing, years), -max_drawdown(returns))


@figure
def sterling(
    returns: Block, periods: float, excess: float = 0.1, minimum_years: float = 1.0, years: Floats | None = None
) -> Floats:
    """Return the annual return over the size of the maximum drawdown plus `excess` (Kestner 1996).

    NaN without a drawdown or below `minimum_years`.
    """
    deepest = max_drawdown(returns)
    return over(_annual(returns, periods, minimum_years, years=years), np.where(deepest < 0, excess - deepest, np.nan))


@figure
def burke(
    returns: Block,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    modified: bool = False,
    falls: Literal["spells", "losses"] = "spells",
    minimum_years: float = 1.0,
    years: Floats | None = None,
) -> Floats:
    """Return the annual excess return over √Σ(depth of each drawdown)² (Burke 1994); times √n when `modified`.

    falls: "spells" takes each drawdown from its peak to its recovery; "losses" each run of losses in a row, as
    PerformanceAnalytics does: without the first return, and compounded as if returns were in percent. NaN without a
    drawdown or below `minimum_years`.
    """
    squares = _squared_spells(returns) if falls == "spells" else _squared_losses(returns)
    scale = np.sqrt(returns.count) if modified else 1.0
    return over(_annual_excess(returns, risk_free, periods, minimum_years, years), np.sqrt(squares)) * scale


@figure
def martin(
    returns: Block,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    minimum_years: float = 1.0,
    years: Floats | None = None,
) -> Floats:
    """Return the annual excess return over the ulcer index (Martin & McCann 1989)."""
    return over(_annual_excess(returns, risk_free, periods, minimum_years, years), ulcer_index(returns))


@figure
def pain_ratio(
    returns: Block,
    risk_free: ArrayLike = 0.0,
    periods: float = 1.0,
    minimum_years: float = 1.0,
    years: Floats | None = None,
) -> Floats:
    """Return the annual excess return over the pain index (Becker 2006)."""
    return over(_annual_excess(returns, risk_free, periods, minimum_years, years), pain_index(returns))


@figure
def recovery_factor(returns: Block) -> Floats:
    """Return the total return over the size of the maximum drawdown; NaN without a drawdown."""
    return over(returns.total, -max_drawdown(returns))


@figure
def omega(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return Σ max(r − L, 0) / Σ max(L − r, 0) (Keating & Shadwick 2002); NaN when nothing is below L."""
    excess = returns.minus(target)
    return over(excess.sides.gains, excess.sides.losses)


@figure
def omega_sharpe(returns: Block, target: ArrayLike = 0.0) -> Floats:
    """Return mean(r − L) / mean(max(L − r, 0)), Omega − 1 (Bacon 2008); NaN when nothing is below L."""
    excess = returns.minus(target)
    return over(excess.mean * excess.count, excess.sides.losses)


@figure
def kappa(returns: Block, order: int = 3, target: ArrayLike = 0.0) -> Floats:
    """Return mean(r − target) over the `order`-th root of the lower partial moment (Kaplan & Knowles 2004)."""
    excess = returns.minus(target)
    return over(excess.mean, lower_partial_moment(excess, 0.0, order) ** (1.0 / order))


@figure
def upside_potential_ratio(returns: Block, target: ArrayLike = 0.0, whole: bool = True) -> Floats:
    """Return the mean of max(r − target, 0) over the downside deviation (Sortino, van der Meer & Plantinga 1999).

    `whole` takes both over all n; otherwise each over its own side only, as PerformanceAnalytics does.
    """
    sides, count = returns.minus(target).sides, returns.minus(target).known
    gained, lost = (count, count) if whole else (sides.gained, sides.lost)
    return over(over(sides.gains, gained), np.sqrt(over(sides.losses_squared, lost)))


@figure
def bernardo_ledoit(returns: Block) -> Floats:
    """Return Σ gains / Σ|losses|, Omega at 0 (Bernardo & Ledoit 2000)."""
    return over(returns.sides.gains, returns.sides.losses)


@figure
def gain_to_pain(returns: Block) -> Floats:
    """Return Σ r / Σ|negative r| (Schwager 2012)."""
    return over(returns.mean * returns.count, returns.sides.losses)


@figure
def d_ratio(returns: Block) -> Floats:
    """Return n_losses Σ|losses| / (n_gains Σ gains) (Bacon 2008): 0 without a loss, low is good."""
    return over(returns.sides.lost * returns.sides.losses, returns.sides.gained * returns.sides.gains)


@figure
def prospect_ratio(returns: Block, target: ArrayLike = 0.0, target_once: bool = False) -> Floats:
    """Return (Σ(gains − 2.25 |losses|) / n − target) over the downside deviation (Watanabe 2006; Bacon 2008).

    `target_once` takes the target off the sum once, not off each return, as PerformanceAnalytics does.
    """
    felt = over(returns.sides.gains - LOSS_AVERSION * returns.sides.losses, returns.known)
    mean_target = returns.mean - returns.minus(target).mean
    wanted = over(mean_target, returns.known) if target_once else mean_target
    return over(felt - wanted, downside_deviation(returns, target))


@figure
def volatility_skewness(
    returns: Block, target: ArrayLike = 0.0, stat: Literal["volatility", "variability"] = "volatility"
) -> Floats:
    """Return the upside over the downside variance around the target, or deviation for "variability" (Bacon 2008)."""
    sides = returns.minus(target).sides
    found = over(sides.gains_squared, sides.losses_squared)
    return found if stat == "volatility" else np.sqrt(found)


@figure
def downside_sharpe(returns: Block, risk_free: ArrayLike = 0.0) -> Floats:
    """Return mean(r − rf) / (√2 · √(Σ min(r − mean, 0)² / n)) (Ziemba 2005)."""
    below = returns.keep("below mean", lambda: np.minimum(returns.centred, 0.0))
    return over(returns.minus(risk_free).mean, np.sqrt(2.0 * over(np.vecdot(below, below), returns.known)))


@figure
def tail_ratio(returns: Block, level: float = 0.95) -> Floats:
    """Return the size of the 95 % quantile over that of the 5 % one."""
    make = lambda: over(np.abs(returns.quantile(level)), np.abs(returns.quantile(1.0 - level)))  # noqa: E731
    return returns.keep(("tail ratio", level), make)


@figure
def common_sense_ratio(returns: Block) -> Floats:
    """Return the profit factor times the tail ratio."""
    tails: Floats = tail_ratio(returns)
    found = over(returns.sides.gains, returns.sides.losses) * tails
    return np.where(np.isinf(found), np.nan, found)


@figure
def kelly(returns: Block, risk_free: ArrayLike = 0.0, share: float = 1.0) -> Floats:
    """Return mean(r − rf) / var(r, ddof 1) · share: of capital, what grows it fastest at 1 (Thorp 2006)."""
    there = returns.minus(risk_free)
    return over(there.mean, returns.variance()) * share


@figure
def stability(returns: Block) -> Floats:
    """Return R² of log wealth against time: 1 for steady growth; NaN with fewer than two observations.

    Time counts observations. NaN where a loss is of 100 % or more, or where wealth never changes.
    """
    logs = np.log(returns.wealth)
    time = np.cumsum(returns.there, axis=1, dtype=np.float64)
    mean_time, mean_log = (over(_there(returns, values).sum(axis=1), returns.known) for values in (time, logs))
    late, high = (_there(returns, v - m[:, None]) for v, m in ((time, mean_time), (logs, mean_log)))
    found = over(np.vecdot(late, high) ** 2, np.vecdot(late, late) * np.vecdot(high, high))
    return np.where((returns.squares == 0) & (returns.mean != 0) & (returns.count > 1), 1.0, found)


def _annual(
    returns: Block,
    periods: float,
    minimum_years: float,
    count_missing: bool = False,
    years: Floats | None = None,
) -> Floats:
    name = ("annual", periods, minimum_years, count_missing, None if years is None else years.tobytes())
    make = lambda: annual_return(returns, periods, True, minimum_years, count_missing, years)  # noqa: E731
    found: Floats = returns.keep(name, make)
    return found


def _annual_excess(
    returns: Block, risk_free: ArrayLike, periods: float, minimum_years: float, years: Floats | None
) -> Floats:
    """Return the annual return less the annual rate."""
    return _annual(returns, periods, minimum_years, years=years) - annual_rate(risk_free, periods)


def _squared_spells(returns: Block) -> Floats:
    found = spells(returns)
    lost = np.where(returns.lowest < -1.0, np.nan, 0.0)
    return np.asarray(found.runs.total(found.depth**2) + lost, dtype=np.float64)


def _squared_losses(returns: Block) -> Floats:
    if not returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    after_first = returns.filled < 0
    after_first[np.arange(len(after_first)), returns.there.argmax(axis=1)] = False
    found = runs(returns, after_first)
    if not len(found.first):
        return np.zeros(len(returns.values))
    logs = np.append(np.log1p(observed(returns, returns.filled) / 100.0), 0.0)
    sums = np.add.reduceat(logs, np.column_stack([found.first, found.last + 1]).ravel())[::2]
    depth: Floats = 100.0 * np.expm1(sums)
    return found.total(depth**2)


def _there(returns: Block, values: Floats) -> Floats:
    return values if returns.is_complete else np.where(returns.there, values, 0.0)
