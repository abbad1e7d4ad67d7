"""What size costs: slippage fitted to the square root of an order's share of the day's volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from analytics.block import RESIDUE, Floats, over
from analytics.inputs import numbers, refuse, share


@dataclass(frozen=True, eq=False)
class ImpactFit:
    """cost = intercept + coefficient · σ √(quantity / volume), in basis points; NaN where it cannot be fitted."""

    coefficient: float
    """About 1 in most markets (Tóth et al. 2011)."""
    coefficient_error: float
    low: float
    high: float
    intercept: float
    """What any size costs: half the spread and the like."""
    intercept_error: float
    r_squared: float
    residual: float
    """Deviation of what is left, in basis points."""
    observations: int

    def cost(self, volatility: ArrayLike, participation: ArrayLike) -> Floats:
        """Return the fitted cost in basis points at so much of the day's volume."""
        spread, part = numbers("volatility", volatility), numbers("participation", participation)
        return np.asarray(self.intercept + self.coefficient * spread * np.sqrt(part))


def square_root_impact(
    cost: ArrayLike, volatility: ArrayLike, quantity: ArrayLike, volume: ArrayLike, level: float = 0.95
) -> ImpactFit:
    """Return the least-squares fit of costs by order, an intercept with it (Torre & Ferrari 1998).

    cost and volatility (of a day) in basis points; quantity and what trades a day in the same unit. Errors hold
    whatever the spread of the residuals (White 1980, scaled by n / (n − 2)), the interval is Student's. NaN with fewer
    than three orders or when all are alike. Raises ValueError when lengths differ, a value is missing, a volume is not
    above 0, or a quantity or volatility is below 0.
    """
    paid = numbers("cost", cost, None)
    restless, size, traded = (
        numbers(name, given, len(paid))
        for name, given in (("volatility", volatility), ("quantity", quantity), ("volume", volume))
    )
    refuse("volatility", restless < 0, "is below 0")
    refuse("quantity", size < 0, "is below 0; impact has no side")
    refuse("volume", traded <= 0, "is not above 0")
    return _fit(restless * np.sqrt(size / traded), paid, share("level", level))


def _fit(explaining: Floats, paid: Floats, level: float) -> ImpactFit:
    count = len(paid)
    away = explaining - explaining.mean() if count else explaining
    spread = float(away @ away)
    if count < 3 or spread <= (RESIDUE * float(np.abs(explaining).max())) ** 2 * count:
        nan = float("nan")
        return ImpactFit(nan, nan, nan, nan, nan, nan, nan, nan, count)
    slope = float(away @ paid) / spread
    base = float(paid.mean() - slope * explaining.mean())
    left = paid - base - slope * explaining
    squares, freedom = float(left @ left), count - 2.0
    # Of each order's pull on the slope and on the intercept.
    on_slope = away / spread
    on_base = 1.0 / count - explaining.mean() * on_slope
    error, base_error = (float(np.sqrt(count / freedom * (pull**2 @ left**2))) for pull in (on_slope, on_base))
    reach = float(stdtrit(freedom, (1.0 + level) / 2.0)) * error
    whole = float(((paid - paid.mean()) ** 2).sum())
    return ImpactFit(
        coefficient=slope,
        coefficient_error=error,
        low=slope - reach,
        high=slope + reach,
        intercept=base,
        intercept_error=base_error,
        r_squared=1.0 - float(over(squares, whole)),
        residual=float(np.sqrt(squares / freedom)),
        observations=count,
    )
