"""What groups of positions added in each calendar period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from core.format import count

Every = Literal["day", "month", "quarter", "year"]
PERIODS: tuple[Every, ...] = get_args(Every)
OTHER, COSTS, UNEXPLAINED, TOTAL = "Cash and other", "Costs", "Unexplained", "Total"
"""What is no group of positions."""
RESTS = (OTHER, COSTS, UNEXPLAINED)
RESERVED = (*RESTS, TOTAL)
"""Names that no group of positions has."""
MOST_PERIODS, MOST_GROUPS = 130, 16
"""Periods before the newest ones, and groups beside the largest, are told together on a page."""


@dataclass(frozen=True, eq=False, slots=True)
class ByPeriod:
    """What each group added in each period; rows add up to the period's, columns to the window's."""

    periods: tuple[str, ...]
    groups: tuple[str, ...]
    """With OTHER, COSTS and UNEXPLAINED at the end, where there is any."""
    added: Floats
    """(periods, groups), shares of the window's return."""
    money: Floats
    """(periods, groups)."""
    returns: Floats
    """(periods,), of each period by itself."""

    def shown(self) -> ByPeriod:
        """Return the newest periods, those before them as one, and the largest groups, the others as one."""
        return self._newest()._largest()

    def _newest(self) -> ByPeriod:
        over = len(self.periods) - MOST_PERIODS
        if over <= 0:
            return self
        grown = float(np.prod(1.0 + self.returns[:over]) - 1.0)
        before = (f"before {self.periods[over]}", *self.periods[over:])
        added, money = (
            np.concatenate([each[:over].sum(axis=0, keepdims=True), each[over:]]) for each in (self.added, self.money)
        )
        return ByPeriod(before, self.groups, added, money, np.concatenate([[grown], self.returns[over:]]))

    def _largest(self) -> ByPeriod:
        places = [at for at, name in enumerate(self.groups) if name not in RESTS]
        if len(places) <= MOST_GROUPS:
            return self
        sizes = np.abs(self.added[:, places]).sum(axis=0)
        kept = sorted(np.asarray(places)[np.argsort(-sizes, kind="stable")[: MOST_GROUPS - 1]].tolist())
        others = [at for at in places if at not in kept]
        rests = [at for at, name in enumerate(self.groups) if name in RESTS]
        names = (
            *(self.groups[at] for at in kept), count(len(others), "other"), *(self.groups[at] for at in rests)
        )  # fmt: skip
        added, money = (
            np.concatenate([each[:, kept], each[:, others].sum(axis=1, keepdims=True), each[:, rests]], axis=1)
            for each in (self.added, self.money)
        )
        return ByPeriod(self.periods, names, added, money, self.returns)


def period_names(days: Dates, every: Every) -> list[str]:
    """Return the calendar period that each day belongs to."""
    if every == "day":
        return [str(day) for day in days]
    if every == "year":
        return [str(day) for day in days.astype("datetime64[Y]")]
    months = days.astype("datetime64[M]")
    if every == "month":
        return [str(month) for month in months]
    numbers = months.astype(np.int64)
    return [f"{1970 + number // 12} Q{number % 12 // 3 + 1}" for number in numbers.tolist()]
