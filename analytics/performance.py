"""A portfolio's track record: its returns and index, cut to a window, and the figures of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Bools, Floats
from analytics.cadence import Cadence
from analytics.calendar import Dates, Frequency, buckets, months_before, period_start
from analytics.drawdown import Episode, underwater, worst_episodes
from analytics.returns import flow_returns, wealth

Window = Literal["1D", "WTD", "MTD", "QTD", "YTD", "1Y", "3Y", "5Y", "ITD"]
WINDOWS: tuple[Window, ...] = ("1D", "WTD", "MTD", "QTD", "YTD", "1Y", "3Y", "5Y", "ITD")
_TO_DATE: dict[str, Frequency] = {"WTD": "W", "MTD": "M", "QTD": "Q", "YTD": "Y"}
_MONTHS = {"1Y": 12, "3Y": 36, "5Y": 60}


@dataclass(frozen=True)
class Track:
    """Values of a history. `returns` and `index` are as long as `dates`; the first return is NaN, the first index 1.

    A return across a gap is NaN too, since it is none of a period; the index goes on across it.
    """

    dates: Dates
    returns: Floats
    index: Floats

    def __len__(self) -> int:
        return len(self.dates)


def track(
    dates: Dates, values: ArrayLike, flow: ArrayLike | None = None, linked: Mapping[int, float] | None = None
) -> Track:
    """Return the track of daily values with the external money of each day (none when left out).

    Returns are time-weighted (see returns.flow_returns); `linked` has those of days whose money moved within them, by
    position (see returns.linked_return). It ends with the day of a total loss, and before a day with
    a value below zero: nothing compounds through a debt.
    """
    levels = np.asarray(values, dtype=np.float64)
    money = np.zeros(len(levels)) if flow is None else np.asarray(flow, dtype=np.float64)
    returns = flow_returns(levels, money)
    for place, value in (linked or {}).items():
        returns[place] = value
    lost, owed = np.flatnonzero(returns <= -1.0), np.flatnonzero(levels < 0)
    end = min(int(lost[0]) + 1 if len(lost) else len(levels), int(owed[0]) if len(owed) else len(levels))
    return Track(dates[:end], returns[:end], wealth(returns[1:end]) if end else levels)


def without_gaps(whole: Track, cadence: Cadence) -> Track:
    """Return the track without the returns across gaps; its index goes on across them."""
    gaps = cadence.gaps(whole.dates)
    return replace(whole, returns=np.where(gaps, np.nan, whole.returns)) if gaps.any() else whole


def spanning_returns(part: Track) -> Floats:
    """Return the returns from each value to the next, those across gaps as well: what compounds to the index."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(part.index[1:] / part.index[:-1] - 1.0)


def between(whole: Track, start: int, end: int | None = None) -> Track:
    """Return the track from position `start` to `end`, its index starting at 1 again."""
    index = whole.index[start:end]
    part = replace(whole, dates=whole.dates[start:end], returns=whole.returns[start:end].copy(), index=index)
    if not len(part):
        return part
    part.returns[0] = np.nan
    return replace(part, index=index / index[0] if index[0] > 0 else index)


def between_dates(whole: Track, start: np.datetime64, end: np.datetime64) -> Track:
    """Return the track from the last date on or before `start` to the last on or before `end`."""
    first = max(int(np.searchsorted(whole.dates, start, side="right")) - 1, 0)
    return between(whole, first, int(np.searchsorted(whole.dates, end, side="right")))


def until(whole: Track, day: np.datetime64) -> Track:
    """Return the track up to and including `day`; a value restated later counts as restated."""
    return between(whole, 0, int(np.searchsorted(whole.dates, day, side="right")))


def at_frequency(whole: Track, frequency: Frequency | Literal["D"]) -> Track:
    """Return the track on the last day of each week, month, quarter or year (the running one included), and its first.

    "D" is the track itself.
    """
    if frequency == "D" or not len(whole):
        return whole
    numbers = buckets(whole.dates, frequency)
    last = np.flatnonzero(np.diff(numbers, append=numbers[-1] + 1))
    kept = last if last[0] == 0 else np.concatenate([[0], last])
    index = whole.index[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[np.nan], index[1:] / index[:-1] - 1.0])
    returns[1:][_hides_unknown(whole, kept)] = np.nan
    return Track(whole.dates[kept], returns, index)


def on_dates(other: Track, dates: Dates) -> Track:
    """Return `other` on those of `dates` that it has, its returns spanning what lies between them."""
    kept, _, at = np.intersect1d(dates, other.dates, assume_unique=True, return_indices=True)
    return _picked(other, at, kept)


def before_dates(other: Track, dates: Dates) -> Track:
    """Return `other` on those of `dates` that it has a value on or up to a week before: the last one there is."""
    at = np.searchsorted(other.dates, dates, side="right") - 1
    has = at >= 0
    has[has] = dates[has] - other.dates[at[has]] <= np.timedelta64(7, "D")
    return _picked(other, at[has], dates[has])


def known_beside(other: Track, own: Track) -> Track:
    """Return `other`, which is on days of `own`, without the returns of spans in which a return of `own` is missing."""
    if not np.isnan(own.returns[1:]).any() or len(other) < 2:
        return other
    unknown = np.cumsum(np.isnan(own.returns))[np.searchsorted(own.dates, other.dates, side="right") - 1]
    returns = other.returns.copy()
    returns[1:][unknown[1:] > unknown[:-1]] = np.nan
    return replace(other, returns=returns)


def common(own: Track, other: Track, frequency: Frequency | Literal["D"] = "D") -> tuple[Track, Track]:
    """Return both on their common days, each return spanning from one common day to the next.

    With weeks, months … what is common is the period, whichever its last day: both have the dates of `own`.
    """
    _, at, beside = np.intersect1d(
        _periods(own.dates, frequency), _periods(other.dates, frequency), assume_unique=True, return_indices=True
    )
    return _picked(own, at, own.dates[at]), _picked(other, beside, own.dates[at])


def drawdowns(part: Track) -> Floats:
    """Return how far below its best each day of the track is, as long as it."""
    return underwater(part.index)


def worst(part: Track, count: int) -> list[Episode]:
    """Return the deepest drawdowns of the track, as positions in its dates."""
    return worst_episodes(part.index, count)


def anchor_day(dates: Dates, window: Window) -> np.datetime64:
    """Return the day that the window of a history with these dates begins with: a value then or before is its base."""
    day: np.datetime64
    if window in _MONTHS:
        day = months_before(dates[-1], _MONTHS[window])
    elif window in _TO_DATE:
        day = period_start(dates[-1:], _TO_DATE[window])[0] - np.timedelta64(1, "D")
    else:
        day = dates[0] if window == "ITD" else dates[max(len(dates) - 2, 0)]
    return day


def _picked(whole: Track, at: NDArray[np.intp], dates: Dates) -> Track:
    """Return the track at positions `at`, called `dates`."""
    if len(at) == len(whole) and (np.diff(at) == 1).all():
        return replace(whole, dates=dates)
    index = whole.index[at]
    if not len(index):
        return Track(dates, index, index)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[np.nan], index[1:] / index[:-1] - 1.0])
    returns[1:][_hides_unknown(whole, at)] = np.nan
    return Track(dates, returns, index / index[0] if index[0] > 0 else index)


def _hides_unknown(whole: Track, at: NDArray[np.intp]) -> Bools:
    """Return whether a return that is not known lies between one of the positions and the next."""
    unknown = np.cumsum(np.isnan(whole.returns))[at]
    return np.asarray(unknown[1:] > unknown[:-1])


def _periods(dates: Dates, frequency: Frequency | Literal["D"]) -> NDArray[np.int64]:
    """Return a number a date by which those of the same period are found: even, of a start within the first odd."""
    if frequency == "D":
        return dates.astype("datetime64[D]").astype(np.int64)
    numbers = 2 * buckets(dates, frequency)
    if len(numbers) > 1 and numbers[0] == numbers[1]:
        numbers[0] -= 1
    return numbers
