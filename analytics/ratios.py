"""Reward for risk: Sharpe, Sortino, Calmar.

Risk-free and target rates are given a period; `returns.per_period_rate` makes them of annual ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analytics.drawdown import max_drawdown
from analytics.returns import annual_return, observed
from analytics.risk import deviation, downside_deviation


def sharpe(returns: ArrayLike, risk_free: ArrayLike = 0.0, periods: float = 1.0, geometric: bool = False) -> float:
    """Return mean(r − rf) / std(r − rf, ddof 1) · √periods (Sharpe 1994).

    `risk_free` is a rate a period or a series as long as `returns`. NaN with fewer than two observations or when
    nothing varies. `geometric` takes the compounded annual excess return over the annual deviation instead.
    """
    excess = observed(np.asarray(returns, dtype=np.float64) - np.asarray(risk_free, dtype=np.float64))
    sigma = deviation(excess)
    if not sigma > 0:
        return float("nan")
    if geometric:
        return annual_return(excess, periods, minimum_years=0.0) / (sigma * float(np.sqrt(periods)))
    return float(excess.mean()) / sigma * float(np.sqrt(periods))


def sortino(returns: ArrayLike, target: ArrayLike = 0.0, periods: float = 1.0) -> float:
    """Return mean(r − target) · periods over the annual downside deviation of the full sample.

    Sortino & van der Meer 1991; Rollinger & Hoffman, "Sortino: a sharper ratio". NaN with fewer than two observations
    or when no return falls below the target.
    """
    excess = observed(np.asarray(returns, dtype=np.float64) - np.asarray(target, dtype=np.float64))
    downside = downside_deviation(excess, 0.0, periods)
    if len(excess) < 2 or not downside > 0:
        return float("nan")
    return float(excess.mean()) * periods / downside


def calmar(returns: ArrayLike, periods: float, minimum_years: float = 1.0, count_missing: bool = False) -> float:
    """Return the annualised return over the size of the maximum drawdown; NaN without a drawdown or below a year."""
    depth = max_drawdown(returns)
    if not depth < 0:
        return float("nan")
    return annual_return(returns, periods, minimum_years=minimum_years, count_missing=count_missing) / -depth
