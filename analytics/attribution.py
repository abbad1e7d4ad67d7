"""Where a return came from: effects of a period against a benchmark (Brinson), by factor, by part.

Segments are the last axis. Weights are shares of the whole at the start of the period. Effects of many periods are put
together by linking.linked.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats
from analytics.inputs import numbers

Model = Literal["BHB", "BF"]


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects by segment. `selection` is apart from `interaction` unless they were folded together."""

    allocation: Floats
    selection: Floats
    interaction: Floats

    @property
    def total(self) -> Floats:
        """Return the three together, by segment."""
        return self.allocation + self.selection + self.interaction


@dataclass(frozen=True, eq=False)
class FactorEffects:
    """What each factor and the rest added to a return."""

    exposure: Floats
    by_factor: Floats
    common: float
    specific: float


def brinson(
    weights: ArrayLike,
    benchmark_weights: ArrayLike,
    returns: ArrayLike,
    benchmark_returns: ArrayLike,
    model: Model = "BF",
    fold: bool = False,
) -> Effects:
    """Return the arithmetic effects by segment; they add up to the active return R − B.

    BF: allocation (w − W)(b − B), BHB: (w − W) b; selection W (r − b), interaction (w − W)(r − b) (Brinson & Fachler
    1985; Brinson, Hood & Beebower 1986). `fold` counts interaction as selection: w (r − b). A segment that one side
    does not hold has weight 0 and any return. Raises ValueError when lengths differ or a value is missing.
    """
    own, other, gained, passive = _segments(weights, benchmark_weights, returns, benchmark_returns)
    whole = (other * passive).sum(axis=-1, keepdims=True) if model == "BF" else 0.0
    allocation = (own - other) * (passive - whole)
    if fold:
        selection = own * (gained - passive)
        return Effects(allocation, selection, np.zeros_like(selection))
    return Effects(allocation, other * (gained - passive), (own - other) * (gained - passive))


def brinson_geometric(
    weights: ArrayLike, benchmark_weights: ArrayLike, returns: ArrayLike, benchmark_returns: ArrayLike
) -> Effects:
    """Return the geometric effects by segment; (1 + ΣA)(1 + ΣS) − 1 = (1 + R) / (1 + B) − 1 (Bacon 2008).

    With the semi-notional return N = Σ w b: allocation (w − W)((1 + b) / (1 + B) − 1), selection
    w ((1 + r) / (1 + b) − 1)(1 + b) / (1 + N).
    """
    own, other, gained, passive = _segments(weights, benchmark_weights, returns, benchmark_returns)
    whole = (other * passive).sum(axis=-1, keepdims=True)
    notional = (own * passive).sum(axis=-1, keepdims=True)
    allocation = (own - other) * ((1.0 + passive) / (1.0 + whole) - 1.0)
    selection = own * (gained - passive) / (1.0 + notional)
    return Effects(allocation, selection, np.zeros_like(selection))


def excess_geometric(own: float, benchmark: float) -> float:
    """Return (1 + R) / (1 + B) − 1; NaN when the benchmark lost everything."""
    return (1.0 + own) / (1.0 + benchmark) - 1.0 if benchmark > -1.0 else float("nan")


def factor_attribution(
    weights: ArrayLike, loadings: ArrayLike, factor_returns: ArrayLike, total_return: float
) -> FactorEffects:
    """Return exposure_f = Σ w_i β_if, exposure_f · F_f, their sum (common), and what is left (specific).

    weights: (instruments,); loadings: (instruments, factors); factor_returns: (factors,).
    """
    exposure = np.asarray(weights, dtype=np.float64) @ np.asarray(loadings, dtype=np.float64)
    by_factor = exposure * np.asarray(factor_returns, dtype=np.float64)
    common = float(by_factor.sum())
    return FactorEffects(exposure, by_factor, common, total_return - common)


def drifting_weights(returns: ArrayLike, weights: ArrayLike, resets: NDArray[np.bool_]) -> Floats:
    """Return the weights at the start of each period (periods, parts) when they are only reset where `resets` is True.

    In between each part grows with its own return. The first period starts with `weights`. Missing returns count as 0.
    """
    growth = 1.0 + np.nan_to_num(np.asarray(returns, dtype=np.float64), nan=0.0)
    target = np.asarray(weights, dtype=np.float64)
    starts = np.flatnonzero(np.concatenate([[True], np.asarray(resets, dtype=bool)[1:]])[: len(growth)])
    found = np.empty_like(growth)
    bounds = [*starts.tolist(), len(growth)]
    for start, end in pairwise(bounds):
        before = np.cumprod(np.vstack([np.ones_like(target), growth[start : end - 1]]), axis=0)
        value = target * before
        # What was not invested at the reset stays as cash.
        found[start:end] = value / (value.sum(axis=1, keepdims=True) + 1.0 - target.sum())
    return found


def compounded_contribution(weights: ArrayLike, returns: ArrayLike) -> Floats:
    """Return what each part added when every gain stays invested: Σ_t w_t r_t ∏_{s<t} (1 + R_s), by part.

    weights, returns: (periods, parts). The parts add up to the total return of the whole.
    """
    parts = np.asarray(weights, dtype=np.float64) * np.nan_to_num(np.asarray(returns, dtype=np.float64), nan=0.0)
    before = np.cumprod(np.concatenate([[1.0], 1.0 + parts.sum(axis=1)]))[:-1]
    found: Floats = before @ parts
    return found


def _segments(
    weights: ArrayLike, benchmark_weights: ArrayLike, returns: ArrayLike, benchmark_returns: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    own = numbers("weights", weights)
    return (
        own,
        numbers("benchmark_weights", benchmark_weights, *own.shape),
        numbers("returns", returns, *own.shape),
        numbers("benchmark_returns", benchmark_returns, *own.shape),
    )
