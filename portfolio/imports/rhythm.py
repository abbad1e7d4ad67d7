"""How often a series has a point: its period, whether it rests at weekends, and the period before its first point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_SECONDS = 86_400
FEWEST_STEPS = 4
"""Steps from one day to the next from which on a period is known."""
_PERIODS = ((1, 3, "daily"), (5, 9, "weekly"), (12, 17, "twice a month"), (26, 33, "monthly"), (84, 96, "quarterly"))


def period_days(days: NDArray[np.int64]) -> int:
    """Return the usual step between days (sorted, days since 1970-01-01); 0: too few to tell."""
    steps = np.diff(days)
    return int(np.sort(steps)[(len(steps) - 1) // 2]) if len(steps) >= FEWEST_STEPS else 0


def frequency(days: NDArray[np.int64], points: int) -> str:
    """Return how often a series of so many points on these days comes, in a word."""
    if points > 1.5 * len(days):
        return "intraday"
    step = period_days(days)
    if step == 0:
        return "too few to tell"
    return next((name for low, high, name in _PERIODS if low <= step <= high), "yearly" if step > 350 else "irregular")


def weekday(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0 (Monday) to 6 (Sunday)."""
    # 1970-01-01 was a Thursday.
    return (days + 3) % 7


def weekend_days(days: NDArray[np.int64], calendar: np.busdaycalendar | None = None) -> NDArray[np.int64]:
    """Return which of the days of a daily series are Saturdays or Sundays on which it usually has none.

    With a `calendar`: those that are none of its days.
    """
    if calendar is not None:
        return days[(weekday(days) >= 5) & ~np.is_busday(_day(days), busdaycal=calendar)]
    if period_days(days) != 1:
        return days[:0]
    every = np.arange(days[0], days[-1] + 1)
    there = {of: int((weekday(days) == of).sum()) for of in (5, 6)}
    could = {of: int((weekday(every) == of).sum()) for of in (5, 6)}
    rare = [
        of
        for of, other in ((5, 6), (6, 5))
        if there[of] and (2 * there[of] < could[of] or (there[other] == 0 and could[other] and there[of] < 3))
    ]
    return days[np.isin(weekday(days), rare)]


def steps_between(
    earlier: NDArray[np.int64],
    later: NDArray[np.int64],
    days: NDArray[np.int64],
    calendar: np.busdaycalendar | None = None,
) -> NDArray[np.float64]:
    """Return how many periods of the series on `days` lie between each pair of days; NaN where it has no period.

    Those of a daily series are days of the `calendar`, where there is one.
    """
    step = period_days(days)
    if step == 0:
        return np.full(len(earlier), np.nan)
    if step == 1 and calendar is not None:
        return np.busday_count(_day(earlier), _day(later), busdaycal=calendar).astype(np.float64)
    if step == 1 and (weekday(days) >= 5).mean() < 0.1:
        return np.busday_count(_day(earlier), _day(later)).astype(np.float64)
    return (later - earlier) / max(step, 31 if 26 <= step <= 33 else 1)


def day_before(days: NDArray[np.int64]) -> int:
    """Return the day one period before the first of a series: where an index of its returns begins."""
    first, step = int(days[0]), period_days(days)
    if 26 <= step <= 33:
        month = _day(days[:1]).astype("datetime64[M]")
        of_month = int((_day(days[:1]) - month.astype("datetime64[D]")).astype(np.int64)[0])
        ends = (_day(days + 1).astype("datetime64[M]") > _day(days).astype("datetime64[M]")).mean() > 0.5
        before = (month - 1).astype("datetime64[D]").astype(np.int64)[0]
        last = int(month.astype("datetime64[D]").astype(np.int64)[0]) - 1
        return last if ends else min(int(before) + of_month, last)
    if step <= 1:
        if (weekday(days) >= 5).mean() < 0.1:
            return int(np.busday_offset(_day(days[:1]), -1, roll="forward").astype(np.int64)[0])
        return first - 1
    return first - step


def _day(days: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]")
