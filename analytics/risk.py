"""Dispersion of returns: volatility and downside deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analytics.returns import observed

SMALLEST_RELATIVE_DEVIATION = 1e-12
"""A deviation at or below this share of the largest return is rounding residue of a constant series."""


def deviation(returns: ArrayLike, ddof: int = 1) -> float:
    """Return the standard deviation a period: exactly 0 for a constant series, NaN below ddof + 1 observations."""
    values = observed(returns)
    if len(values) <= ddof:
        return float("nan")
    sigma = float(values.std(ddof=ddof))
    return 0.0 if sigma <= SMALLEST_RELATIVE_DEVIATION * float(np.abs(values).max()) else sigma


def volatility(returns: ArrayLike, periods: float, ddof: int = 1) -> float:
    """Return the standard deviation a year, std · √periods; NaN with fewer than two observations."""
    return deviation(returns, ddof) * float(np.sqrt(periods))


def downside_deviation(returns: ArrayLike, target: ArrayLike = 0.0, periods: float = 1.0) -> float:
    """Return √(Σ min(r − target, 0)² / n) · √periods over all n observations (Sortino & van der Meer 1991).

    `target` is a rate a period or a series as long as `returns`; a row where either is NaN is left out.
    """
    values = observed(np.asarray(returns, dtype=np.float64) - np.asarray(target, dtype=np.float64))
    if not len(values):
        return float("nan")
    return float(np.sqrt(np.mean(np.minimum(values, 0.0) ** 2) * periods))
