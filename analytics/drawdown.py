"""Drawdowns: how far below its best day a portfolio is, and the spells it spent there.

They are negative. W_0 = 1, before the first return, counts as a peak. Durations are in observations: a missing return
neither ends a spell nor lengthens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import RESIDUE, Block, Floats, over, smallest
from analytics.expected_drawdown import expected_max_drawdown
from analytics.runs import Runs, observed, runs
from analytics.shapes import figure

__all__ = ["RESIDUE", "expected_max_drawdown"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One spell under water, as positions in the wealth series (0 is W_0, before the first return)."""

    depth: float
    """Negative, as a ratio of the peak."""
    peak: int
    trough: int
    recovery: int | None
    """First position back at the peak; None while it is still under water."""
    last: int
    """Recovery, or the last position of the series."""


@dataclass(frozen=True, eq=False)
class Spells:
    """Every spell under water of several portfolios."""

    runs: Runs
    depth: Floats
    """The lowest of each."""
    duration: Floats
    """Observations from the peak to the recovery, or to the last one."""


@figure
def drawdown_path(returns: Block, compounded: bool = True) -> Floats:
    """Return the drawdown after each return, D_t = W_t / max(W_0 … W_t) − 1; NaN where the return is missing.

    `compounded=False` measures the fall of summed returns in units of the start, as some libraries do.
    """
    found = _depths(returns, compounded)
    return found if returns.is_complete else np.where(returns.there, found, np.nan)


@figure
def max_drawdown(returns: Block, compounded: bool = True) -> Floats:
    """Return the deepest drawdown, W_0 = 1 included; 0 when there was none, NaN without observations."""
    deepest = returns.keep(("deepest", compounded), lambda: _depths(returns, compounded).min(axis=1, initial=0.0))
    return np.where(returns.count > 0, deepest, np.nan)


@figure
def current_drawdown(returns: Block) -> Floats:
    """Return the drawdown after the last return; NaN without observations."""
    if not returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    return np.where(returns.count > 0, returns.depths[:, -1], np.nan)


@figure
def average_drawdown(returns: Block, compounded: bool = True) -> Floats:
    """Return ΣD / n over all observations: negative or 0. The mean depth of spells is average_episode_depth."""
    return over(_sum(returns, compounded), returns.known)


@figure
def ulcer_index(returns: Block, compounded: bool = True) -> Floats:
    """Return √(Σ D² / n) over all observations (Martin & McCann 1989)."""
    depths = _depths(returns, compounded)
    squares = np.vecdot(depths, depths if returns.is_complete else np.where(returns.there, depths, 0.0))
    return np.sqrt(over(squares, returns.known))


@figure
def pain_index(returns: Block, compounded: bool = True) -> Floats:
    """Return Σ|D| / n over all observations (Becker 2006)."""
    return over(-_sum(returns, compounded), returns.known)


@figure
def time_under_water(returns: Block) -> Floats:
    """Return the share of observations below an earlier peak."""
    found = spells(returns).runs
    return over(found.total(found.length.astype(np.float64)), returns.known) + _debt(returns)


@figure
def episode_count(returns: Block) -> Floats:
    """Return how many spells under water there were, the running one included."""
    return np.where(returns.count > 0, spells(returns).runs.count, np.nan) + _debt(returns)


@figure
def average_episode_depth(returns: Block) -> Floats:
    """Return the mean depth of the spells under water, negative; NaN without one."""
    found = spells(returns)
    return over(found.runs.total(found.depth), found.runs.count) + _debt(returns)


@figure
def average_duration(returns: Block) -> Floats:
    """Return the mean observations from a peak to its recovery, or to the last one; NaN without a drawdown."""
    found = spells(returns)
    return over(found.runs.total(found.duration), found.runs.count) + _debt(returns)


@figure
def longest_duration(returns: Block) -> Floats:
    """Return the most observations from a peak to its recovery, or to the last one; 0 without a drawdown."""
    found = spells(returns)
    return np.where(returns.count > 0, found.runs.most(found.duration), np.nan) + _debt(returns)


@figure
def current_duration(returns: Block) -> Floats:
    """Return the observations since the last peak; 0 at a peak."""
    found = spells(returns)
    running = found.runs.total(np.where(found.runs.is_open, found.duration, 0.0))
    return np.where(returns.count > 0, running, np.nan) + _debt(returns)


@figure
def recovery_time(returns: Block) -> Floats:
    """Return the observations from the lowest point of the deepest drawdown to its recovery.

    NaN without a drawdown or while it lasts.
    """
    if not returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    found, rows = spells(returns).runs, np.arange(len(returns.values))
    trough = returns.depths.argmin(axis=1)
    before = trough if returns.is_complete else np.cumsum(returns.there, axis=1)[rows, trough] - 1
    counts = returns.count.astype(np.intp)
    place = np.cumsum(counts) - counts + before
    # The spell that a portfolio's lowest point lies in; without a drawdown it is somebody else's.
    spell = np.searchsorted(found.first, place, side="right") - 1
    has_fallen = max_drawdown(returns) < 0
    lasted = np.full(len(rows), np.nan)
    chosen = spell[has_fallen]
    lasted[has_fallen] = np.where(found.is_open[chosen], np.nan, found.last[chosen] + 1.0 - place[has_fallen])
    return lasted + _debt(returns)


@figure
def conditional_drawdown_at_risk(returns: Block, level: float = 0.95, compounded: bool = True) -> Floats:
    """Return the mean of the worst 1 − level of all D_t, negative (Chekhlov, Uryasev & Zabarankin 2005).

    The observation on the edge counts for its fraction (Rockafellar & Uryasev 2002).
    """
    ordered, share = _worst(returns, compounded, level), (1.0 - _checked(level)) * returns.known
    place = np.arange(ordered.shape[1])
    weights = np.clip(share[:, None] - place, 0.0, 1.0)
    total = np.where(weights > 0, weights * ordered, 0.0).sum(axis=1)
    found = over(total, share) if level < 1 else max_drawdown(returns, compounded)
    return np.asarray(found + _debt(returns) if compounded else found)


@figure
def drawdown_at_risk(returns: Block, level: float = 0.95, compounded: bool = True) -> Floats:
    """Return the D_t that is not undercut in `level` of the observations, negative: the lower empirical quantile."""
    ordered = _worst(returns, compounded, level)
    if not ordered.shape[1]:
        return np.full(len(returns.values), np.nan)
    # The smallest loss whose share of observations at or below reaches the level.
    place = np.maximum(returns.count - np.ceil(_near(_checked(level) * returns.count)), 0.0).astype(np.intp)
    place = np.minimum(place, ordered.shape[1] - 1)
    found = np.where(returns.count > 0, ordered[np.arange(len(ordered)), place], np.nan)
    return np.asarray(found + _debt(returns) if compounded else found)


@figure
def current_drawdown_rank(returns: Block) -> Floats:
    """Return the share of observations with a shallower drawdown than today's: 0 at a peak, near 1 at the deepest."""
    now = current_drawdown(returns)
    shallower = returns.depths > now[:, None]
    if not returns.is_complete:
        shallower &= returns.there
    return over(shallower.sum(axis=1), returns.known) + np.where(np.isnan(now), np.nan, 0.0)


def spells(returns: Block) -> Spells:
    """Return every spell under water of a block; worked out once."""
    return returns.keep("spells", lambda: _spells(returns))


def underwater(values: ArrayLike) -> Floats:
    """Return D_t = W_t / max(W_0 … W_t) − 1 of one wealth or price series, as long as it. NaN stays NaN."""
    levels = np.asarray(values, dtype=np.float64)
    peak = np.fmax.accumulate(levels) if len(levels) else levels
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = levels / peak - 1.0
    result[np.abs(result) <= RESIDUE] = 0.0
    return result


def episodes(values: ArrayLike) -> list[Episode]:
    """Return every spell under water of one wealth or price series without NaN, oldest first.

    The peak is the last position at the top before the fall. Raises ValueError when a value is missing.
    """
    levels = np.asarray(values, dtype=np.float64)
    if np.isnan(levels).any():
        raise ValueError(f"the value at position {int(np.flatnonzero(np.isnan(levels))[0])} is missing")
    path = underwater(levels)
    found = runs(Block(path[None, :]), path[None, :] < 0)
    ends = (found.last + 1).tolist()
    return [_episode(path, int(start), end) for start, end in zip(found.first, ends, strict=True)]


def worst_episodes(values: ArrayLike, count: int) -> list[Episode]:
    """Return the `count` deepest spells of one wealth or price series, deepest first; equal depths oldest first."""
    return sorted(episodes(values), key=lambda episode: episode.depth)[:count]


def balance_drawdown(
    profits: ArrayLike, start: float, by: Literal["amount", "ratio"] = "amount"
) -> tuple[float, float]:
    """Return the largest fall of a balance after closed trades, as an amount (positive) and as a ratio of its peak.

    `by` says which of the two is largest; the other belongs to the same moment. NaN without trades.
    """
    balance = start + np.cumsum(np.concatenate([[0.0], np.asarray(profits, dtype=np.float64)]))
    if len(balance) < 2:
        return float("nan"), float("nan")
    peak = np.maximum.accumulate(balance)
    amount, ratio = peak - balance, over(peak - balance, peak)
    place = int(np.argmax(amount if by == "amount" else np.nan_to_num(ratio, nan=-np.inf)))
    return float(amount[place]), float(ratio[place])


def _depths(returns: Block, compounded: bool) -> Floats:
    if compounded:
        return returns.depths
    return returns.keep("summed depths", lambda: _summed(returns))


def _summed(returns: Block) -> Floats:
    levels = np.cumsum(returns.filled, axis=1)
    peak: Floats = np.maximum(np.maximum.accumulate(levels, axis=1), 0.0)
    found: Floats = levels - peak
    found[found >= -RESIDUE] = 0.0
    return found


def _sum(returns: Block, compounded: bool) -> Floats:
    """Return Σ D over the observations."""
    depths = _depths(returns, compounded)
    there = depths if returns.is_complete else np.where(returns.there, depths, 0.0)
    return np.asarray(there.sum(axis=1), dtype=np.float64)


def _worst(returns: Block, compounded: bool, level: float) -> Floats:
    """Return the deepest drawdowns in order, deepest first: as many as the share beyond `level` touches."""
    depths: Floats = drawdown_path(returns, compounded)
    most = float(returns.count.max(initial=0.0))
    some = min(int(np.ceil(_near((1.0 - level) * most))) + 1, depths.shape[1])
    if not some:
        return depths
    found: Floats = returns.keep(("tail of depths", compounded, some), lambda: smallest(depths, some))
    return found


def _near(product: Floats | float) -> NDArray[np.float64]:
    """Return a product without the rounding that would push it past the whole number it means."""
    return np.asarray(np.round(product, 9), dtype=np.float64)


def _checked(level: float) -> float:
    if not 0.0 < level <= 1.0:
        raise ValueError(f"level: {level} is not between 0 and 1")
    return level


def _debt(returns: Block) -> Floats:
    """Return NaN for portfolios with a loss of more than 100 %, 0 for others: no path leads through a debt."""
    return np.where(returns.lowest < -1.0, np.nan, 0.0)


def _spells(returns: Block) -> Spells:
    found = runs(returns, returns.depths < 0)
    flat = observed(returns, returns.depths)
    if not len(found.first):
        return Spells(found, np.empty(0), np.empty(0))
    # The last of each spell's neighbours may be one past the end.
    edges = np.column_stack([found.first, found.last + 1]).ravel()
    depth = np.minimum.reduceat(np.append(flat, 0.0), edges)[::2]
    return Spells(found, depth, np.where(found.is_open, found.length, found.length + 1.0))


def _episode(path: Floats, start: int, end: int) -> Episode:
    trough = start + int(np.argmin(path[start:end]))
    recovered = end < len(path)
    return Episode(
        depth=float(path[trough]),
        peak=start - 1,
        trough=trough,
        recovery=end if recovered else None,
        last=end if recovered else end - 1,
    )
