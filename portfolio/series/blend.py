"""A benchmark made of others: their weights drift with their prices until they are restored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import Dates, Frequency, buckets
from analytics.performance import Track, on_dates
from storage.state.series import Rebalancing

_BUCKETS: dict[str, Frequency] = {"monthly": "M", "quarterly": "Q", "yearly": "Y"}


def blended(parts: Sequence[Track], weights: Sequence[float], rebalancing: Rebalancing) -> Track:
    """Return the index of parts held with `weights` (ratios that sum to 1), on the days that all of them have.

    I(t) = I(s) · Σ w_i · P_i(t) / P_i(s), with s the last day on which the weights were restored: the last common day
    of the period before (buy and hold within a period, as PerformanceAnalytics Return.portfolio has it; Bacon 2008,
    chapter 3). A day that one part lacks is none of the blend: nothing is invented. A return that one part does not
    know, the blend does not know either. It ends with the day on which it is worth nothing.
    """
    days: Dates = reduce(np.intersect1d, [part.dates for part in parts])
    if not len(days):
        nothing = np.array([], dtype=np.float64)
        return Track(days, nothing, nothing)
    found = [on_dates(part, days) for part in parts]
    levels = np.stack([part.index for part in found])
    restored = restored_at(days, rebalancing)
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.asarray(weights, dtype=np.float64) @ (levels / levels[:, restored])
    grown[0] = 1.0
    starts = np.unique(restored)
    index = np.cumprod(np.concatenate([[1.0], grown[starts[1:]]]))[np.searchsorted(starts, restored)] * grown
    lost = np.flatnonzero(~(index > 0))
    end = int(lost[0]) + 1 if len(lost) else len(index)
    unknown = np.isnan([part.returns for part in found]).any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[np.nan], index[1:] / index[:-1] - 1.0])
    returns[unknown] = np.nan
    return Track(days[:end], returns[:end], index[:end])


def restored_at(days: Dates, rebalancing: Rebalancing) -> NDArray[np.intp]:
    """Return of each day the place of the day on which the weights were last restored before it; 0 of the first."""
    places = np.arange(len(days))
    if rebalancing == "never":
        return np.zeros_like(places)
    if rebalancing == "daily":
        return np.maximum(places - 1, 0)
    numbers = buckets(days, _BUCKETS[rebalancing])
    first_of_period = np.searchsorted(numbers, numbers)
    return np.maximum(first_of_period - 1, 0)
