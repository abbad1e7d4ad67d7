"""What each position, group and period added to a return: the parts add up to the whole exactly.

P&L is (days, positions) in currency, capital (days,) what was invested at the start of each day, flows of its start
among it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import RESIDUE, Floats
from analytics.inputs import Groups, Labels, numbers, positive


@dataclass(frozen=True, eq=False)
class Contributions:
    """Shares of the return by period and group. Each period's, costs with them, add up to its compounded return."""

    groups: tuple[str, ...]
    periods: tuple[str, ...]
    """In the order of the days; one, "", when none were asked for."""
    by_period: Floats
    """(periods, groups), within each period."""
    costs: Floats
    """(periods,), what costs took, negative where they hurt."""
    growth: Floats
    """(periods,), of the whole from the first day to the start of each period."""

    @property
    def returns(self) -> Floats:
        """Return the return of each period."""
        found: Floats = self.by_period.sum(axis=1) + self.costs
        return found

    @property
    def total(self) -> Floats:
        """Return the contributions of all periods by group; with total_costs they add up to the total return."""
        return self.growth @ self.by_period

    @property
    def total_costs(self) -> float:
        """Return what costs took of the total return."""
        return float(self.growth @ self.costs)


@dataclass(frozen=True, eq=False)
class Segments:
    """Weight and return by segment, (days, segments) each: what Brinson's models take."""

    names: tuple[str, ...]
    weights: Floats
    returns: Floats


def contributions(
    pnl: ArrayLike,
    capital: ArrayLike,
    groups: Labels,
    periods: Sequence[str] | None = None,
    costs: ArrayLike = 0.0,
) -> Contributions:
    """Return what each group added in each period, every gain staying invested: Σ_t P&L_t / C_t ∏_{s<t} (1 + R_s).

    groups: a label a position (its own name, its sector, its strategy). periods: a label a day ("2024-03"); days of a
    period lie together. costs: (days,) paid, positive; they are not in the P&L. Raises ValueError when lengths differ,
    a value is missing, or capital is not above 0.
    """
    gained = numbers("pnl", pnl, None, None)
    days, count = gained.shape
    invested = positive("capital", capital, days)
    by_group = Groups.of("groups", groups, count)
    parts = by_group.summed(gained) / invested[:, None]
    paid = np.broadcast_to(numbers("costs", costs), (days,)) / invested
    names, starts = _periods(periods, days)
    wealth = np.concatenate([[1.0], np.cumprod(1.0 + parts.sum(axis=1) - paid)])
    rows, taken, growth = np.zeros((len(starts), len(by_group.names))), np.zeros(len(starts)), wealth[starts]
    for at, (start, end) in enumerate(pairwise([*starts, days])):
        own = parts[start:end]
        before = np.concatenate([[1.0], np.cumprod(1.0 + own.sum(axis=1) - paid[start:end])])[:-1]
        rows[at], taken[at] = before @ own, -float(before @ paid[start:end])
    return Contributions(by_group.names, names, rows, taken, growth)


def segments(weights: ArrayLike, returns: ArrayLike, groups: Labels) -> Segments:
    """Return weights and returns of groups of positions: Σ w and Σ w r / Σ w, by day; the return is 0 at weight 0.

    weights: (days, positions) at the start of each day; returns: of the positions in it. Raises ValueError when
    lengths differ, a value is missing, or a group of weight 0 gained something: then it has no return.
    """
    held = numbers("weights", weights, None, None)
    gained = numbers("returns", returns, *held.shape)
    by_group = Groups.of("groups", groups, held.shape[1])
    weight, added, gross = (by_group.summed(values) for values in (held, held * gained, np.abs(held)))
    is_empty = np.abs(weight) <= RESIDUE * gross
    lost = is_empty & (np.abs(added) > RESIDUE * gross)
    if lost.any():
        day, group = map(int, np.argwhere(lost)[0])
        raise ValueError(
            f"groups: {by_group.names[group]!r} has a net weight of 0 on day {day} and no return; "
            "give its longs and shorts a label of their own"
        )
    return Segments(by_group.names, weight, added / np.where(is_empty, 1.0, weight) * ~is_empty)


def _periods(labels: Sequence[str] | None, days: int) -> tuple[tuple[str, ...], list[int]]:
    """Return the periods and the day each begins on."""
    if labels is None:
        return ("",), [0]
    given = np.asarray(labels, dtype=np.str_)
    if given.shape != (days,):
        raise ValueError(f"periods: {given.size}, not {days}; give each day one label")
    starts = [0, *(np.flatnonzero(given[1:] != given[:-1]) + 1).tolist()] if days else []
    names = tuple(str(given[start]) for start in starts)
    if len(set(names)) < len(names):
        raise ValueError("periods: a period has days apart from each other; give the days in order")
    return names, starts
