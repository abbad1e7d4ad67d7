"""What is held: shares of capital, long and short, leverage, by group, and to the market. Values are market values.

Days are the first axis and positions the last. Where the course of days is asked for, a position that is not held is 0
and a missing one is refused: it would count as not held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over
from analytics.inputs import Groups, Labels, numbers, refuse


@dataclass(frozen=True, slots=True)
class Extremes:
    """Largest and median share of capital, long (positive) and short (negative); NaN where there is no position."""

    max_long: float
    median_long: float
    max_short: float
    median_short: float


@dataclass(frozen=True, eq=False)
class Exposure:
    """Long (≥ 0) and short (≤ 0) in currency, by day, or by day and group; NAV by day beside them."""

    long: Floats
    short: Floats
    nav: Floats
    """Of as many axes as the others, to divide by."""

    @property
    def gross(self) -> Floats:
        """Return long + |short|."""
        return self.long - self.short

    @property
    def net(self) -> Floats:
        """Return long − |short|."""
        return self.long + self.short

    @property
    def leverage(self) -> Floats:
        """Return gross over NAV."""
        return self.gross / self.nav

    @property
    def net_share(self) -> Floats:
        """Return net over NAV."""
        return self.net / self.nav


@dataclass(frozen=True, eq=False)
class GroupedExposure:
    """Exposure by day and group: they add up to that of all positions."""

    names: tuple[str, ...]
    exposure: Exposure


def exposure(values: ArrayLike, nav: ArrayLike) -> Exposure:
    """Return long, short, gross and net of each day. values: (days, positions); nav: (days,).

    Raises ValueError when lengths differ, a value is missing or NAV is not above 0: leverage means nothing then.
    """
    held = numbers("values", values, None, None)
    return _parted(held.sum(axis=1), np.abs(held).sum(axis=1), _capital(nav, len(held)))


def exposure_by_group(values: ArrayLike, nav: ArrayLike, groups: Labels) -> GroupedExposure:
    """Return exposure by day and group: sector, asset class, currency, strategy, or whatever `groups` names.

    groups: a label a position. A group that holds equal longs and shorts has gross and no net. Raises as `exposure`.
    """
    held = numbers("values", values, None, None)
    by_group = Groups.of("groups", groups, held.shape[1])
    net, gross = by_group.summed(held), by_group.summed(np.abs(held))
    return GroupedExposure(by_group.names, _parted(net, gross, _capital(nav, len(held))[:, None]))


def beta_adjusted(values: ArrayLike, nav: ArrayLike, betas: ArrayLike) -> Floats:
    """Return Σ value · beta / NAV by day: what the fund moves when the market moves by one.

    betas: (positions,) or (days, positions). Raises ValueError as `exposure`; a position without a beta is refused,
    give 1 or 0 as the house has it.
    """
    held = numbers("values", values, None, None)
    capital, slope = _capital(nav, len(held)), numbers("betas", betas)
    if slope.shape not in (held.shape[1:], held.shape):
        raise ValueError(f"betas: {slope.shape} for values of {held.shape}; give one a position, or one a day as well")
    moved: Floats = held @ slope if slope.ndim == 1 else np.vecdot(held, slope)
    return moved / capital


def allocation(values: ArrayLike) -> Floats:
    """Return each value over the sum of all, cash among them; a missing one stays missing. NaN when the sum is 0."""
    held = np.asarray(values, dtype=np.float64)
    return over(held, np.nansum(held))


def gross_leverage(positions: ArrayLike, cash: float) -> float:
    """Return Σ|position| over net liquidation value (positions and cash); NaN when that is 0."""
    held = np.nan_to_num(np.asarray(positions, dtype=np.float64), nan=0.0)
    return float(over(np.abs(held).sum(), held.sum() + cash))


def extremes(positions: ArrayLike, cash: float) -> Extremes:
    """Return the largest and the median position as shares of net liquidation value, longs and shorts apart."""
    held = np.asarray(positions, dtype=np.float64)
    shares = over(held, np.nansum(held) + cash)
    longs, shorts = shares[shares > 0], shares[shares < 0]
    nan = float("nan")
    return Extremes(
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


def _parted(net: Floats, gross: Floats, nav: Floats) -> Exposure:
    # Halves of the sums: two passes over the positions instead of four, and long and short add up to both.
    return Exposure((gross + net) / 2.0, (net - gross) / 2.0, nav)


def _capital(nav: ArrayLike, days: int) -> Floats:
    found = numbers("nav", nav, days)
    refuse("nav", found <= 0, "is not above 0: there is no capital to measure positions against")
    return found
