"""Drawdowns: how far below its best day a portfolio is, and the spells it spent there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.returns import Floats, observed, wealth

TOLERANCE = 1e-12
"""Wealth within this of its peak is back at it: rounding is not a drawdown."""


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


def underwater(values: ArrayLike) -> Floats:
    """Return D_t = W_t / max(W_0 … W_t) − 1 of a wealth or price series, as long as it. NaN stays NaN."""
    levels = np.asarray(values, dtype=np.float64)
    peak = np.fmax.accumulate(levels) if len(levels) else levels
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = levels / peak - 1.0
    result[np.abs(result) <= TOLERANCE] = 0.0
    return result


def drawdown_path(returns: ArrayLike, compounded: bool = True) -> Floats:
    """Return the drawdown after each return, as long as `returns`, from W_0 = 1 on; NaN where the return is NaN.

    `compounded=False` measures the fall of summed returns in units of the start, as some libraries do.
    """
    values = np.asarray(returns, dtype=np.float64)
    levels = wealth(values, compounded)
    path = underwater(levels) if compounded else levels - np.maximum.accumulate(levels)
    result: Floats = np.where(np.isnan(values), np.nan, path[1:])
    return result


def max_drawdown(returns: ArrayLike, compounded: bool = True) -> float:
    """Return the deepest drawdown, W_0 = 1 included; 0 when there was none, NaN without observations."""
    path = observed(drawdown_path(returns, compounded))
    return float(path.min()) if len(path) else float("nan")


def ulcer_index(returns: ArrayLike) -> float:
    """Return √(Σ D² / n) over all observations (Martin & McCann 1989)."""
    path = observed(drawdown_path(returns))
    return float(np.sqrt(np.mean(path**2))) if len(path) else float("nan")


def pain_index(returns: ArrayLike) -> float:
    """Return Σ|D| / n over all observations (Becker 2006)."""
    path = observed(drawdown_path(returns))
    return float(np.abs(path).mean()) if len(path) else float("nan")


def average_drawdown(returns: ArrayLike, compounded: bool = True) -> float:
    """Return ΣD / n over all observations: negative or 0."""
    path = observed(drawdown_path(returns, compounded))
    return float(path.mean()) if len(path) else float("nan")


def episodes(values: ArrayLike) -> list[Episode]:
    """Return every spell under water of a wealth or price series without NaN, oldest first.

    The peak is the last position at the top before the fall. Raises ValueError when a value is missing.
    """
    levels = np.asarray(values, dtype=np.float64)
    if np.isnan(levels).any():
        raise ValueError("a value is missing")
    path = underwater(levels)
    below = path < 0
    edges = np.diff(below.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [_episode(path, int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def worst_episodes(values: ArrayLike, count: int) -> list[Episode]:
    """Return the `count` deepest spells, deepest first; equal depths oldest first."""
    return sorted(episodes(values), key=lambda episode: episode.depth)[:count]


def _episode(path: NDArray[np.float64], start: int, end: int) -> Episode:
    trough = start + int(np.argmin(path[start:end]))
    recovered = end < len(path)
    return Episode(
        depth=float(path[trough]),
        peak=start - 1,
        trough=trough,
        recovery=end if recovered else None,
        last=end if recovered else end - 1,
    )
