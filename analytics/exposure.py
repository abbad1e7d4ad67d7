"""What is held: shares of capital, leverage, concentration and how long it takes to sell. Values are market values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over


@dataclass(frozen=True, slots=True)
class Concentration:
    """Largest and median share of capital, long (positive) and short (negative); NaN where there is no position."""

    max_long: float
    median_long: float
    max_short: float
    median_short: float


def allocation(values: ArrayLike) -> Floats:
    """Return each value over the sum of all, cash among them; a missing one stays missing. NaN when the sum is 0."""
    held = np.asarray(values, dtype=np.float64)
    return over(held, np.nansum(held))


def gross_leverage(positions: ArrayLike, cash: float) -> float:
    """Return Σ|position| over net liquidation value (positions and cash); NaN when that is 0."""
    held = np.nan_to_num(np.asarray(positions, dtype=np.float64), nan=0.0)
    return float(over(np.abs(held).sum(), held.sum() + cash))


def concentration(positions: ArrayLike, cash: float) -> Concentration:
    """Return the largest and the median position as shares of net liquidation value, longs and shorts apart."""
    held = np.asarray(positions, dtype=np.float64)
    shares = over(held, np.nansum(held) + cash)
    longs, shorts = shares[shares > 0], shares[shares < 0]
    nan = float("nan")
    return Concentration(
        max_long=float(longs.max()) if len(longs) else nan,
        median_long=float(np.median(longs)) if len(longs) else nan,
        max_short=float(shorts.min()) if len(shorts) else nan,
        median_short=float(np.median(shorts)) if len(shorts) else nan,
    )


def by_group(positions: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float]:
    """Return the sum of positions by group (sector, country); those without a group are under ""."""
    found: dict[str, float] = {}
    for name, value in positions.items():
        group = groups.get(name, "")
        found[group] = found.get(group, 0.0) + value
    return found


def days_to_liquidate(
    share: float, capital: float, price: float, mean_volume: float, max_share_of_volume: float = 0.2
) -> float:
    """Return the days it takes to sell (or buy back) a position of `share` of capital.

    |share| · capital / (price · daily volume · share of volume one dares to be). NaN when nothing trades.
    """
    return float(over(abs(share) * capital, price * mean_volume * max_share_of_volume))
