"""Returns: from values and flows to period returns, and from those to what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Block, Floats, over
from analytics.calendar import SHORTEST_YEAR
from analytics.linking import carino_factors
from analytics.runs import runs
from analytics.shapes import Figure, enter, figure


def observed(returns: ArrayLike) -> Floats:
    """Return the returns that are there: NaN left out. Infinite ones raise ValueError, they are never a measurement."""
    values = np.asarray(returns, dtype=np.float64).ravel()
    if np.isinf(values).any():
        raise ValueError("a return is infinite")
    kept: Floats = values[~np.isnan(values)]
    return kept


def simple_returns(prices: Any) -> Figure:
    """Return p_t / p_{t−1} − 1, one row shorter than `prices`, in kind; NaN at a missing, zero or negative price.

    The return after such a price spans it, from the last that is known: nothing of the way is lost. Pairs of returns
    are compounded over what only one of them misses (block.Pair).
    Takes a Series, a DataFrame (time × portfolios) or an array likewise. Raises ValueError naming a date that is there
    twice or out of order.
    """
    shape, (values,), _ = enter((prices,), {})
    levels = np.atleast_2d(np.asarray(values, dtype=np.float64))
    known = np.where(levels > 0, levels, np.nan)
    index = None if shape.index is None else shape.index[1:]
    return replace(shape, index=index).leave(known[:, 1:] / _last_known(known)[:, :-1] - 1.0)


def _last_known(levels: Floats) -> Floats:
    """Return the levels with each missing one as the last before it; NaN before the first."""
    there = ~np.isnan(levels)
    if there.all():
        return levels
    at = np.maximum.accumulate(np.where(there, np.arange(levels.shape[1]), 0), axis=1)
    return np.take_along_axis(levels, at, axis=1)


def log_returns(prices: Any) -> Figure:
    """Return ln(p_t / p_{t−1}), one row shorter than `prices`, in kind; NaN where simple_returns is."""
    found: Figure = np.log1p(simple_returns(prices))
    return found


def flow_returns(nav: Any, flow: Any, opening: float = np.nan) -> Figure:
    """Return the time-weighted return of each day, as long as `nav`: (V_t + out_t) / (V_{t−1} + in_t) − 1.

    `nav` is the value at the end of the day, `flow` the day's external money: in (+) at the start of the day, out (−)
    at its end (GIPS, daily valuation); of one portfolio, or time × portfolios. `opening` is the value before the first
    day; without one the first return is NaN. Nothing at work (V_{t−1} + in_t = 0) earns 0. A value below zero, or
    missing, gives NaN: nothing compounds through it. Raises ValueError when they differ in length.
    """
    shape, (values, flows), _ = enter((nav, flow), {})
    value = np.atleast_2d(np.asarray(values, dtype=np.float64))
    money = np.atleast_2d(np.asarray(flows, dtype=np.float64))
    if value.shape != money.shape:
        raise ValueError("nav and flow differ in length")
    before = np.concatenate([np.full((len(value), 1), opening), value[:, :-1]], axis=1)[:, : value.shape[1]]
    start = before + np.maximum(money, 0.0)
    end = value + np.maximum(-money, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = end / start - 1.0
    result[(start == 0) & (end == 0)] = 0.0
    result[(start < 0) | (end < 0) | ((start == 0) & (end != 0))] = np.nan
    return shape.leave(result)


def linked_return(opening: float, closing: float, moves: Sequence[tuple[float, float, float]]) -> float:
    """Return the time-weighted return of a span whose money moved within it, linked at each move.

    `moves`, in order, are (value before the move, value after it, flow); a value before that is not known (NaN) is the
    last one known. Each move is a sub-period of its own: money in (+) is at work from the value before it on, money out
    (−) until the value after it (GIPS 2020: revalue at the time of each flow). NaN where nothing compounds.
    """
    grown, last = 1.0, opening
    for before, after, flow in moves:
        known = last if np.isnan(before) else before
        grown *= _step(last, known, 0.0) * _step(known, after, flow)
        last = after
    return grown * _step(last, closing, 0.0) - 1.0


def _step(start: float, end: float, flow: float) -> float:
    return 1.0 + float(flow_returns(np.array([end]), np.array([flow]), start)[0])


def modified_dietz(opening: float, closing: float, days: int, flows: Sequence[tuple[float, float]]) -> float:
    """Return the Modified Dietz return of a span of `days` days with `flows` of (day, amount).

    (V₁ − V₀ − ΣF) / (V₀ + Σ w_i F_i) with w_i = (days − day_i) / days (GIPS 2020; Bacon 2008). NaN when the
    average capital is not positive.
    """
    total = sum(amount for _, amount in flows)
    average = opening + sum(amount * (days - day) / days for day, amount in flows)
    return (closing - opening - total) / average if average > 0 else float("nan")


def wealth(returns: ArrayLike, compounded: bool = True) -> Floats:
    """Return W_0 = 1 and the wealth after each return of one portfolio, one longer than `returns`.

    A NaN return leaves wealth as it was. After −100 % it stays 0; from a return below that on it is NaN, since nothing
    compounds through a debt. `compounded=False` adds returns instead, as some libraries do.
    """
    block = Block(np.atleast_2d(np.asarray(returns, dtype=np.float64)))
    after = block.wealth if compounded else 1.0 + np.cumsum(block.filled, axis=1)
    return np.concatenate([[1.0], after[0]])


@figure
def cumulative_returns(returns: Block) -> Floats:
    """Return ∏(1 + r) − 1 up to and including each return; NaN where the return is missing."""
    found = returns.wealth - 1.0
    return found if returns.is_complete else np.where(returns.there, found, np.nan)


@figure
def total_return(returns: Block, geometric: bool = True) -> Floats:
    """Return ∏(1 + r) − 1, or Σr when not `geometric`; NaN without observations or with a loss of more than 100 %."""
    return returns.total if geometric else returns.mean * returns.count


@figure
def annual_return(
    returns: Block,
    periods: float,
    geometric: bool = True,
    minimum_years: float = 1.0,
    count_missing: bool = False,
    years: Floats | None = None,
) -> Floats:
    """Return the annualised return ∏(1 + r)^(periods / n) − 1, or mean · periods when not `geometric`.

    With `years`, the elapsed time of each portfolio (calendar.years_of), ∏(1 + r)^(1 / years) − 1: what GIPS asks for
    (GIPS 2020; Bacon 2008). NaN below `minimum_years` of observations, or of elapsed time, of which 365 days are a
    year: less than a year is not annualised (GIPS). `count_missing` counts NaN rows in n, as empyrical does.
    """
    if years is not None:
        is_long = years >= minimum_years * SHORTEST_YEAR
        return np.where(is_long, (1.0 + returns.total) ** over(1.0, years) - 1.0, np.nan)
    count = np.full_like(returns.count, returns.values.shape[1]) if count_missing else returns.count
    found = (1.0 + returns.total) ** over(periods, count) - 1.0 if geometric else returns.mean * periods
    return np.where(count >= minimum_years * periods, found, np.nan)


@figure
def mean_return(returns: Block, periods: float = 1.0) -> Floats:
    """Return the arithmetic mean a period, times `periods`."""
    return returns.mean * periods


@figure
def geometric_mean(returns: Block) -> Floats:
    """Return ∏(1 + r)^(1 / n) − 1, the constant return a period that comes to the same total."""
    found: Floats = annual_return(returns, 1.0, minimum_years=0.0)
    return found


@figure
def excess(returns: Block, rate: ArrayLike) -> Floats:
    """Return r − rate a period, in kind: over a number or a series of rates, or a benchmark's returns by date."""
    return returns.minus(rate).values


@figure
def observations(returns: Block) -> Floats:
    """Return n, how many returns there are."""
    return returns.count


@figure
def best(returns: Block) -> Floats:
    """Return the highest return of a period."""
    return returns.highest


@figure
def worst(returns: Block) -> Floats:
    """Return the lowest return of a period."""
    return returns.lowest


@figure
def hit_rate(returns: Block) -> Floats:
    """Return the share of all observations that are above 0; one of exactly 0 counts as no hit."""
    return over(returns.sides.gained, returns.known)


@figure
def average_gain(returns: Block) -> Floats:
    """Return the mean of the returns above 0; NaN without one."""
    return over(returns.sides.gains, returns.sides.gained)


@figure
def average_loss(returns: Block) -> Floats:
    """Return the mean of the returns below 0, negative; NaN without one."""
    return over(-returns.sides.losses, returns.sides.lost)


@figure
def gain_loss_ratio(returns: Block) -> Floats:
    """Return the average gain over the size of the average loss, the payoff; NaN when either is missing."""
    return over(average_gain(returns), -average_loss(returns))


@figure
def profit_factor(returns: Block) -> Floats:
    """Return Σ gains / Σ|losses|; NaN without a loss."""
    return over(returns.sides.gains, returns.sides.losses)


@figure
def longest_win_streak(returns: Block) -> Floats:
    """Return the most returns above 0 in a row; NaN without observations."""
    return np.where(returns.count > 0, runs(returns, returns.filled > 0).longest(), np.nan)


@figure
def longest_loss_streak(returns: Block) -> Floats:
    """Return the most returns below 0 in a row; NaN without observations."""
    return np.where(returns.count > 0, runs(returns, returns.filled < 0).longest(), np.nan)


def contribution(weights: Any, returns: Any) -> Figure:
    """Return what each part added to the return of the whole; the parts add up to its total return.

    weights: of each part at the start of each period; returns: of each part in it. Arrays are (parts, periods) and give
    (parts,); DataFrames are time × parts and give a Series. Σ_t w r · k_t / k, k_t = ln(1 + R_t) / R_t, k likewise of
    the total return (Carino 1999). A missing return, or no weight, adds nothing. NaN with a loss of 100 % or more.
    """
    if hasattr(returns, "columns"):
        shape, (rates, shares), _ = enter((returns, weights), {})
        return shape.leave(contribution(shares, rates))
    rates, shares = np.asarray(returns, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    parts = np.where(np.isnan(rates) | (shares == 0), 0.0, shares * rates)
    whole = parts.sum(axis=0)
    return parts @ carino_factors(whole, np.zeros_like(whole))


def growth_rate(start: float, final: float, years: float) -> float:
    """Return (final / start)^(1 / years) − 1; NaN when the start is not positive or no time has passed."""
    if not (start > 0 and years > 0 and final >= 0):
        return float("nan")
    return float((final / start) ** (1.0 / years) - 1.0)


def per_period_rate(annual_rate: float, periods: float) -> float:
    """Return the rate a period that compounds to `annual_rate` a year: (1 + rf)^(1 / periods) − 1.

    NaN for a rate below −100 %.
    """
    return float((1.0 + annual_rate) ** (1.0 / periods) - 1.0) if annual_rate >= -1.0 else float("nan")


def annual_rate(rate: ArrayLike, periods: float) -> float:
    """Return a rate a period as one a year, (1 + r)^periods − 1; of a series its mean."""
    return float((1.0 + np.nanmean(np.asarray(rate, dtype=np.float64))) ** periods - 1.0)
