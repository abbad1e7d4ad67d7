"""Returns over windows of the calendar, the same wherever they are shown, and what must be told of them.

A return is only told of a window whose first value is there. One that begins before the history does is since inception
and says so; one that would begin in a gap, or in a period without a value, has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.block import Bools, Floats
from analytics.cadence import Cadence, Rhythm
from analytics.calendar import Dates, buckets
from analytics.calendar import Frequency as Period
from analytics.performance import Track, Window, anchor_day

ToDate = Literal["WTD", "MTD", "QTD", "YTD"]
PERIOD: dict[Window, Period] = {"WTD": "W", "MTD": "M", "QTD": "Q", "YTD": "Y"}
NAMES: dict[Period, str] = {"W": "week", "M": "month", "Q": "quarter", "Y": "year"}
LAST_OF_YEAR_DAYS: dict[Rhythm, int] = {"daily": 0, "weekly": 6, "monthly": 30, "quarterly": 91, "irregular": 6}
"""So long before a year's last day its last value may stand."""
TOO_SHORT = "the history does not reach back that far"


@dataclass(frozen=True, slots=True)
class Since:
    """A return over a window, as a ratio; NaN where there is none."""

    value: float
    told: str = ""
    """What must be known beside it: that it is since inception, or across a gap."""
    reason: str = ""
    """Why it is missing."""


@dataclass(frozen=True, eq=False, slots=True)
class Periods:
    """Returns of calendar periods that have a value, oldest first."""

    numbers: NDArray[np.int64]
    """As analytics.calendar.buckets has them."""
    returns: Floats
    """NaN where a period has no return of its own: the one before it has no value, or a gap lies between."""


def since(track: Track, cadence: Cadence, window: Window) -> Since:
    """Return the return of a window of a history by day, which ends with its last value."""
    return between_days(track, cadence, anchor_day(track.dates, window), PERIOD.get(window)) if len(track) else NOTHING


def between_days(track: Track, cadence: Cadence, day: np.datetime64, period: Period | None = None) -> Since:
    """Return the return since the last value on or before a day, until which `period` ran, if it is one to date."""
    dates = track.dates
    if len(dates) < 2:
        return NOTHING
    start = int(np.searchsorted(dates, day, side="right")) - 1
    if start < 0:
        if period is None:
            return Since(math.nan, reason=TOO_SHORT)
        return Since(_over(track, 0), _joined(f"since inception, {dates[0]}", _across(gap_within(dates, cadence))))
    if not cadence.is_near(dates[start], day):
        return Since(math.nan, reason=gap_of(dates, start + 1))
    if period is not None and buckets(dates[start : start + 1], period)[0] < buckets(np.array([day]), period)[0]:
        return Since(math.nan, reason=f"no value in the {NAMES[period]} before")
    return Since(_over(track, start), _across(gap_within(dates[start:], cadence)))


def last_return(track: Track, cadence: Cadence) -> Since:
    """Return the return since the value before the last."""
    if len(track) < 2:
        return NOTHING
    reason = "" if math.isfinite(track.returns[-1]) else gap_within(track.dates[-2:], cadence)
    return Since(float(track.returns[-1]), reason=reason)


def whole_return(track: Track, cadence: Cadence) -> Since:
    """Return the return from the first value to the last."""
    return Since(_over(track, 0), _across(gap_within(track.dates, cadence))) if len(track) > 1 else NOTHING


def by_period(track: Track, cadence: Cadence, period: Period) -> Periods:
    """Return the return of each week, month, quarter or year; the first and the last as far as they go."""
    dates = track.dates
    if len(dates) < 2:
        return Periods(np.array([], dtype=np.int64), np.array([]))
    numbers = buckets(dates, period)
    last = np.flatnonzero(np.append(np.diff(numbers) != 0, True))
    start = np.append(0, last[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = track.index[last] / track.index[start] - 1.0
    claimed = np.ones(len(last), dtype=np.bool_)
    claimed[1:] = (np.diff(numbers[last]) == 1) & _near_end(dates[start[1:]], numbers[start[1:]], period, cadence)
    claimed &= track.index[start] > 0
    # The first value stands alone in its period: no return yet.
    some = slice(1 if last[0] == 0 else 0, None)
    return Periods(numbers[last][some], np.where(claimed, found, np.nan)[some])


def full_years(track: Track, cadence: Cadence) -> Floats:
    """Return the returns of the calendar years that a history covers from end to end, oldest first.

    NaN where a year has no return of its own. The first year is left out where its first value came after it had begun,
    the last one while it may still have values to come.
    """
    found = by_period(track, cadence, "Y").returns
    if not len(found):
        return found
    first, last = track.dates[[0, -1]].astype("datetime64[D]")
    begins, ends = first.astype("datetime64[Y]"), last.astype("datetime64[Y]") + 1
    opening = np.busday_offset(begins.astype("datetime64[D]"), 0, "forward", busdaycal=cadence.calendar)
    closing = np.busday_offset(ends.astype("datetime64[D]") - 1, 0, "backward", busdaycal=cadence.calendar)
    has_own_start = begins == track.dates[1].astype("datetime64[Y]")
    is_cut = has_own_start and not (cadence.rhythm == "daily" and first <= opening)
    is_running = last < closing - np.timedelta64(LAST_OF_YEAR_DAYS[cadence.rhythm], "D")
    return found[1 if is_cut else 0 : len(found) - (1 if is_running else 0)]


def gap_within(dates: Dates, cadence: Cadence) -> str:
    """Return what to say of the gaps among some days; empty without one."""
    places = np.flatnonzero(cadence.gaps(dates))
    if not len(places):
        return ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{gap_of(dates, int(places[0]))}{more}"


def _across(gaps: str) -> str:
    return f"across a gap: {gaps}" if gaps else ""


def gap_of(dates: Dates, place: int) -> str:
    """Return what to say of the gap before the value at `place`."""
    return f"no value between {dates[place - 1]} and {dates[place]}"


NOTHING = Since(math.nan, reason="needs two values")


def _over(track: Track, start: int) -> float:
    first = float(track.index[start])
    return float(track.index[-1]) / first - 1.0 if first > 0 else math.nan


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)


def _near_end(dates: Dates, numbers: NDArray[np.int64], period: Period, cadence: Cadence) -> Bools:
    """Return whether the last values of periods are near the ends of these."""
    return np.asarray(~cadence.are_gaps(dates, _ends(numbers, period)))


def _ends(numbers: NDArray[np.int64], period: Period) -> Dates:
    """Return the last days of calendar periods."""
    after = numbers + 1
    if period == "W":
        return (after * 7 - 4).astype("datetime64[D]")
    if period == "Y":
        starts = (after - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    else:
        starts = (after * (3 if period == "Q" else 1)).astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(starts - np.timedelta64(1, "D"))
