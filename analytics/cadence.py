"""How often a portfolio is valued, found from its dates or given, and what follows: returns a year, what is a gap,
which days it rests on, and where its first period begins."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.block import Bools
from analytics.calendar import DAYS_A_YEAR, Dates
from core.trading_days import OF_EVERY_DAY, OF_WEEKDAYS

Rhythm = Literal["daily", "weekly", "monthly", "quarterly", "irregular"]

TRADING_DAYS, ALL_DAYS = 252, 365
SATURDAY, SUNDAY = 5, 6
MOST_OVERSTATED = 2.0
"""How many times the returns a year of an irregular history a rhythm may claim that is given to it."""
GAP_PERIODS = 5
"""A hole longer than this many expected periods is a gap: nothing is known of what happened in it."""
FEWEST_SPACES = 2
"""Spaces between values below which no rhythm can be told."""
FEWEST_DAILY = 10
"""Values below which the first days of a history do not tell alone whether weekends belong to it."""
WEEKEND_SHARE = 0.1
"""Share of Sundays that follow a Saturday among the days from which all days count; open all week it is 1 in 7."""
REGULAR_SHARE = 0.8
"""Share of the spaces that must be as the rhythm has them: holidays and a hole do not change it."""


@dataclass(frozen=True, slots=True)
class _Kind:
    rhythm: Rhythm
    periods: float
    median: tuple[float, float]
    """Days between two values in the median."""
    usual: tuple[float, float]
    """Days between two values that holidays and the lengths of months make of it."""
    longest_days: float
    """Of one period."""


_KINDS = (
    _Kind("daily", TRADING_DAYS, (1, 1), (1, 5), 1),
    _Kind("weekly", 52, (6, 8), (4, 10), 7),
    _Kind("monthly", 12, (28, 31), (25, 36), 31),
    _Kind("quarterly", 4, (89, 92), (80, 101), 92),
)


@dataclass(frozen=True, slots=True)
class Cadence:
    """The rhythm of a history."""

    rhythm: Rhythm
    periods: float
    """Returns a year."""
    longest_days: float
    """Of an expected period; infinite where too few values tell what is expected."""
    calendar: np.busdaycalendar = field(default=OF_WEEKDAYS, compare=False)
    """Days on which a daily history is expected to have a value."""

    def are_gaps(self, earlier: Dates, later: Dates) -> Bools:
        """Return where more than GAP_PERIODS expected periods lie between two days; days of its calendar when daily."""
        if math.isinf(self.longest_days):
            return np.zeros(len(earlier), dtype=np.bool_)
        if self.rhythm == "daily":
            return np.asarray(np.busday_count(earlier, later, busdaycal=self.calendar) > GAP_PERIODS)
        days = (later - earlier).astype("timedelta64[D]").astype(np.int64)
        return np.asarray(days > GAP_PERIODS * self.longest_days)

    def gaps(self, dates: Dates) -> Bools:
        """Return whether each date comes after a gap; the first does not."""
        found = np.zeros(len(dates), dtype=np.bool_)
        if len(dates) > 1:
            found[1:] = self.are_gaps(dates[:-1], dates[1:])
        return found

    def is_near(self, value: np.datetime64, day: np.datetime64) -> bool:
        """Return whether a value is young enough to stand for a later day."""
        return not bool(self.are_gaps(np.array([value]), np.array([day]))[0])


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of a history's rhythm; what is left empty is found from its dates."""

    rhythm: Rhythm | None = None
    periods: float = 0
    """Returns a year; 0: not said."""
    calendar: np.busdaycalendar | None = field(default=None, compare=False)


NOTHING_GIVEN = Given()


def cadence_of(dates: Dates, given: Given = NOTHING_GIVEN) -> Cadence:
    """Return the rhythm of a history: 252 or 365 returns a year by day, 52 by week, 12 by month, 4 by quarter.

    Where no rhythm holds for four in five of the spaces between values it is irregular, with as many returns a year as
    there were outside gaps. What is `given` counts instead of what is found, apart from a rhythm that is finer than the
    dates: it would call the values between two of them missing.
    """
    made = _found(dates)
    kind = next((kind for kind in _KINDS if kind.rhythm == given.rhythm), None)
    if kind is not None and not is_finer(kind.rhythm, made):
        periods = made.periods if made.rhythm == kind.rhythm else kind.periods
        made = replace(made, rhythm=kind.rhythm, periods=periods, longest_days=kind.longest_days)
    if given.calendar is not None and made.rhythm == "daily":
        periods = ALL_DAYS if all(given.calendar.weekmask) else TRADING_DAYS
        made = replace(made, periods=periods, calendar=given.calendar)
    return replace(made, periods=given.periods) if given.periods else made


def is_finer(rhythm: Rhythm, found: Cadence) -> bool:
    """Return whether a rhythm would have more values than a history has, by what was found of it."""
    kinds = [kind.rhythm for kind in _KINDS]
    if math.isinf(found.longest_days):
        return False
    if found.rhythm != "irregular":
        return kinds.index(rhythm) < kinds.index(found.rhythm)
    return _KINDS[kinds.index(rhythm)].periods > MOST_OVERSTATED * found.periods


def _found(dates: Dates) -> Cadence:
    spaces = np.diff(dates.astype("datetime64[D]").astype(np.int64)).astype(np.float64)
    days, calendar = (ALL_DAYS, OF_EVERY_DAY) if len(dates) and has_weekends(dates) else (TRADING_DAYS, OF_WEEKDAYS)
    if len(spaces) < FEWEST_SPACES:
        return Cadence("daily", days, math.inf, calendar)
    median = float(np.median(spaces))
    kind = next((kind for kind in _KINDS if kind.median[0] <= median <= kind.median[1]), None)
    if kind is None or np.mean((spaces >= kind.usual[0]) & (spaces <= kind.usual[1])) < REGULAR_SHARE:
        known = spaces[spaces <= GAP_PERIODS * median]
        return Cadence("irregular", DAYS_A_YEAR / float(known.mean()), max(median, 1.0))
    if kind.rhythm != "daily":
        return Cadence(kind.rhythm, kind.periods, kind.longest_days)
    return Cadence("daily", days, 1.0, calendar)


def has_weekends(dates: Dates) -> bool:
    """Return whether Saturdays and Sundays belong to a history of some days: a lone Sunday may be a month's end."""
    numbers = dates.astype("datetime64[D]").astype(np.int64)
    follows = np.diff(numbers, prepend=numbers[0] - 9) == 1
    return float(np.mean((_weekday(dates) == SUNDAY) & follows)) >= WEEKEND_SHARE


def stray_weekends(dates: Dates, calendar: np.busdaycalendar | None = None) -> Dates:
    """Return which dates of a daily history (sorted) are Saturdays or Sundays on which it usually has none.

    With a `calendar`: those that are none of its days.
    """
    weekday = _weekday(dates)
    if calendar is not None:
        return dates[(weekday >= SATURDAY) & ~np.is_busday(dates, busdaycal=calendar)]
    if cadence_of(dates).rhythm != "daily":
        return dates[:0]
    every = _weekday(np.arange(dates[0], dates[-1] + 1))
    there = {of: int((weekday == of).sum()) for of in (SATURDAY, SUNDAY)}
    could = {of: int((every == of).sum()) for of in (SATURDAY, SUNDAY)}
    rare = [
        of
        for of, other in ((SATURDAY, SUNDAY), (SUNDAY, SATURDAY))
        if there[of] and (2 * there[of] < could[of] or (there[other] == 0 and could[other] and there[of] < 3))
    ]
    return dates[np.isin(weekday, rare)]


def day_before(dates: Dates) -> np.datetime64:
    """Return the day one period before the first date of a history: where an index of its returns begins."""
    first, found = dates[0], cadence_of(dates)
    if found.rhythm == "daily":
        return np.datetime64(np.busday_offset(first, -1, roll="forward", busdaycal=found.calendar))
    months = {"monthly": 1, "quarterly": 3}.get(found.rhythm)
    if months is None:
        return np.datetime64(first - np.timedelta64(round(found.longest_days), "D"))
    month = first.astype("datetime64[M]")
    last = (month - months + 1).astype("datetime64[D]") - 1
    are_ends = ((dates + 1).astype("datetime64[M]") > dates.astype("datetime64[M]")).mean() > 0.5
    same_day = (month - months).astype("datetime64[D]") + (first - month.astype("datetime64[D]"))
    return last if are_ends else min(same_day, last)


def _weekday(dates: Dates) -> NDArray[np.int64]:
    """Return 0 (Monday) to 6 (Sunday)."""
    # 1970-01-01 was a Thursday.
    return (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
