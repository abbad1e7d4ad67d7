"""What size costs: slippage fitted to the square root of an order's share of the day's volume."""

from __future__ import annotations

import math
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


@dataclass(frozen=True, slots=True)
class ImpactSums:
    """Sums over orders of powers of x = σ √(quantity / volume) and of the cost y: `xxy` is Σ x² y."""

    count: int
    x: float
    xx: float
    xxx: float
    xxxx: float
    y: float
    yy: float
    xy: float
    xyy: float
    xxy: float
    xxyy: float
    xxxy: float


def square_root_impact_of(sums: ImpactSums, level: float = 0.95) -> ImpactFit:
    """Return what `square_root_impact` returns, from sums: for orders that are added up where they are stored."""
    count, nan = sums.count, float("nan")
    if count < 3:
        return ImpactFit(nan, nan, nan, nan, nan, nan, nan, nan, count)
    mean, cost = sums.x / count, sums.y / count
    # Of what lies away from the means: u = x - mean, v = y - cost; u2v2 is the sum of u² v².
    u2 = sums.xx - count * mean**2
    if u2 <= RESIDUE * max(sums.xx, RESIDUE):
        return ImpactFit(nan, nan, nan, nan, nan, nan, nan, nan, count)
    v2 = max(sums.yy - count * cost**2, 0.0)
    u3 = sums.xxx - 3 * mean * sums.xx + 2 * count * mean**3
    u4 = sums.xxxx - 4 * mean * sums.xxx + 6 * mean**2 * sums.xx - 3 * count * mean**4
    u2y = sums.xxy - 2 * mean * sums.xy + mean**2 * sums.y
    u3y = sums.xxxy - 3 * mean * sums.xxy + 3 * mean**2 * sums.xy - mean**3 * sums.y
    uv2 = sums.xyy - mean * sums.yy - 2 * cost * (sums.xy - mean * sums.y)
    u2y2 = sums.xxyy - 2 * mean * sums.xyy + mean**2 * sums.yy
    u2v, u3v, u2v2 = u2y - cost * u2, u3y - cost * u3, u2y2 - 2 * cost * u2y + cost**2 * u2
    slope = (sums.xy - count * mean * cost) / u2
    squares, freedom = max(v2 - slope**2 * u2, 0.0), count - 2.0
    # Sums of u² e² and u e², where e is what the fit leaves: each order's pull on the slope and on the intercept.
    pull = max(u2v2 - 2 * slope * u3v + slope**2 * u4, 0.0)
    lean = uv2 - 2 * slope * u2v + slope**2 * u3
    base_pull = max(squares / count**2 - 2 * mean / (count * u2) * lean + (mean / u2) ** 2 * pull, 0.0)
    error, base_error = (math.sqrt(count / freedom * each) for each in (pull / u2**2, base_pull))
    reach = float(stdtrit(freedom, (1.0 + share("level", level)) / 2.0)) * error
    return ImpactFit(
        coefficient=slope,
        coefficient_error=error,
        low=slope - reach,
        high=slope + reach,
        intercept=cost - slope * mean,
        intercept_error=base_error,
        r_squared=1.0 - squares / v2 if v2 else nan,
        residual=math.sqrt(squares / freedom),
        observations=count,
    )


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
