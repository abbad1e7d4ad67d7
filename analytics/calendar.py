"""Calendar periods: returns since an anchor (week, month, quarter, year), by period, and at a coarser frequency.

Dates are in order, each there once, and as long as the returns; those of a pandas index count in its own time zone.
Returns are a Block (answers by portfolio) or an array, one portfolio or time × portfolios. The row before a portfolio's
first return is taken for the date of its first value. Windows end at each portfolio's last return.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Block, Floats, over
from analytics.shapes import check_dates

Dates: TypeAlias = NDArray[np.datetime64]
Places: TypeAlias = NDArray[np.intp]
Frequency = Literal["W", "M", "Q", "Y"]
ToDate = Literal["WTD", "MTD", "QTD", "YTD"]

DAYS_A_YEAR = 365.25
"""Days that make a year of a span of days, leap years in the mean."""
SHORTEST_YEAR = 365.0 / DAYS_A_YEAR
"""Years from which a span is not less than a year: one without a leap day."""

_FREQUENCY: dict[ToDate, Frequency] = {"WTD": "W", "MTD": "M", "QTD": "Q", "YTD": "Y"}


@dataclass(frozen=True)
class MonthlyTable:
    """Returns by year (rows, oldest first) and month (12 columns), NaN where there is none, and by whole year."""

    years: tuple[int, ...]
    months: Floats
    totals: Floats


def as_days(dates: Any) -> Dates:
    """Return dates as datetime64[D]; those with a time zone as the days they are there."""
    local = dates.tz_localize(None) if getattr(dates, "tz", None) is not None else dates
    return np.asarray(local, dtype="datetime64[D]")


def buckets(dates: Any, frequency: Frequency) -> NDArray[np.int64]:
    """Return a number a date that rises by one a calendar period: ISO weeks, months, quarters, years."""
    days = as_days(dates)
    if frequency == "W":
        return (days.astype(np.int64) + 3) // 7
    if frequency == "Y":
        return days.astype("datetime64[Y]").astype(np.int64) + 1970
    months = days.astype("datetime64[M]").astype(np.int64)
    return months // 3 if frequency == "Q" else months


def period_start(dates: Any, frequency: Frequency) -> Dates:
    """Return the first day of the calendar period that each date is in."""
    days, numbers = as_days(dates), buckets(dates, frequency)
    if frequency == "W":
        return (numbers * 7 - 3).astype("datetime64[D]")
    if frequency == "Y":
        return days.astype("datetime64[Y]").astype("datetime64[D]")
    months = numbers * 3 if frequency == "Q" else numbers
    return months.astype("datetime64[M]").astype("datetime64[D]")


def years_between(first: Any, last: Any) -> Any:
    """Return the years from one day to another by elapsed time: days / 365.25. A float, or an array for arrays."""
    days = np.asarray(last, dtype="datetime64[D]") - np.asarray(first, dtype="datetime64[D]")
    return (days.astype(np.float64) / DAYS_A_YEAR)[()]


def years_of(dates: Dates, block: Block, since: Any = None) -> Floats:
    """Return the years of each portfolio's history: from the date of its first value to that of its last return.

    `since` is the date of the value before the first row; without it that lies the mean distance of two rows earlier.
    0 without observations.
    """
    length = block.values.shape[1]
    if not length:
        return np.zeros(len(block.values))
    days = as_days(dates)
    first, last = first_places(block), last_places(block)
    apart = float((days[-1] - days[0]).astype(np.float64)) / (length - 1) if length > 1 else 1.0
    before = float((days[0] - np.datetime64(since, "D")).astype(np.float64)) if since is not None else apart
    passed = (days - days[0]).astype(np.float64)
    begun = np.where(first > 0, passed[np.maximum(first - 1, 0)], -before)
    return np.where(block.count > 0, passed[last] - begun, 0.0) / DAYS_A_YEAR


def months_before(day: Any, months: int) -> Any:
    """Return the same day of the month `months` earlier, or that month's last day when it is shorter.

    A datetime64[D] for one day, an array for several.
    """
    dates = np.asarray(day, dtype="datetime64[D]")
    month = dates.astype("datetime64[M]")
    earlier = month - np.timedelta64(months, "M")
    shifted = earlier.astype("datetime64[D]") + (dates - month.astype("datetime64[D]"))
    last = (earlier + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(shifted, last)[()]


def period_returns(dates: Any, returns: ArrayLike | Block, frequency: Frequency) -> tuple[NDArray[np.int64], Floats]:
    """Return the buckets of calendar periods and the compounded return of each, a row a portfolio for a Block.

    An array gives them in kind: (periods,), or periods × portfolios. A period without returns is NaN, or left out when
    no portfolio has one. NaN returns are left out; a loss of more than 100 % leaves no return of its period or later.
    """
    if isinstance(returns, Block):
        return _by_period(dates, returns, frequency)
    check_dates(dates)
    values = np.asarray(returns, dtype=np.float64)
    numbers, found = _by_period(dates, Block.of(values.T, as_days(dates)), frequency)
    there = ~np.isnan(found).all(axis=0)
    return numbers[there], found[0, there] if values.ndim == 1 else found[:, there].T


def resample(dates: Any, returns: ArrayLike | Block, frequency: Frequency) -> tuple[Dates, Floats]:
    """Return the last date of each calendar period that has returns, and the returns as period_returns gives them."""
    numbers, found = period_returns(dates, returns, frequency)
    own = buckets(dates, frequency)
    return as_days(dates)[np.searchsorted(own, numbers, side="right") - 1], found


def last_return(dates: Any, returns: ArrayLike | Block) -> Any:
    """Return the newest return, by portfolio; NaN without one."""
    return _each(returns, lambda block: _at(block.values, last_places(block)))


def to_date(dates: Any, index: ArrayLike | Block, period: ToDate) -> Any:
    """Return the return of the running period: last value over the last one before the period began, − 1.

    `index`: the returns of several portfolios as a Block, or the wealth or prices of one without NaN, which gives a
    float. NaN when it does not reach back to an earlier period.
    """
    days = as_days(dates)
    starts = lambda ends: np.searchsorted(days, period_start(ends, _FREQUENCY[period])) - 1  # noqa: E731
    return _since(days, index, starts)


def trailing_months(dates: Any, index: ArrayLike | Block, months: int) -> Any:
    """Return the return since the last value on or before the same day `months` months earlier.

    A day that month does not have is its last day. `index` as for to_date. NaN when it is younger than that.
    """
    days = as_days(dates)
    starts = lambda ends: np.searchsorted(days, months_before(ends, months), side="right") - 1  # noqa: E731
    return _since(days, index, starts)


def carried(dates: Dates, found: Floats, days: Dates, missing: float = np.nan) -> Floats:
    """Return `found`, which is known on `dates`, on `days`: the last on or before each; `missing` before the first."""
    if not len(dates):
        return np.full(len(days), missing)
    at = np.searchsorted(dates, days, side="right") - 1
    return np.where(at >= 0, found[np.maximum(at, 0)], missing)


def best(dates: Any, returns: ArrayLike | Block, frequency: Frequency) -> Any:
    """Return the highest return of a calendar period, the first and last as far as they go."""
    return _each(returns, lambda block: _periods(dates, block, frequency).highest)


def worst(dates: Any, returns: ArrayLike | Block, frequency: Frequency) -> Any:
    """Return the lowest return of a calendar period, the first and last as far as they go."""
    return _each(returns, lambda block: _periods(dates, block, frequency).lowest)


def positive_share(dates: Any, returns: ArrayLike | Block, frequency: Frequency) -> Any:
    """Return the share of calendar periods with a return above 0, of those that have one."""

    def share(block: Block) -> Floats:
        found = _periods(dates, block, frequency)
        return over(np.count_nonzero(found.filled > 0, axis=1), found.known)

    return _each(returns, share)


def monthly_table(dates: Any, returns: ArrayLike) -> MonthlyTable:
    """Return compounded returns of one portfolio by year and month, and by year. NaN returns are left out."""
    numbers, by_month = period_returns(dates, returns, "M")
    years, totals = period_returns(dates, returns, "Y")
    if not len(years):
        return MonthlyTable((), np.empty((0, 12)), np.array([], dtype=np.float64))
    table = np.full((int(years[-1] - years[0]) + 1, 12), np.nan)
    table[numbers // 12 + 1970 - years[0], numbers % 12] = by_month
    whole = np.full(len(table), np.nan)
    whole[years - years[0]] = totals
    return MonthlyTable(tuple(range(int(years[0]), int(years[-1]) + 1)), table, whole)


def _by_period(dates: Any, block: Block, frequency: Frequency) -> tuple[NDArray[np.int64], Floats]:
    numbers = buckets(dates, frequency)
    if not len(numbers):
        return numbers, np.empty((len(block.values), 0))
    last = np.flatnonzero(np.append(numbers[1:] != numbers[:-1], True))
    after = block.wealth[:, last]
    before = np.concatenate([np.ones((len(after), 1)), after[:, :-1]], axis=1)
    found = over(after, before) - 1.0
    if not block.is_complete:
        counted = np.add.reduceat(block.there, np.append(0, last[:-1] + 1), axis=1, dtype=np.intp)
        found[counted == 0] = np.nan
    return numbers[last], found


def _periods(dates: Any, block: Block, frequency: Frequency) -> Block:
    """Return the returns of calendar periods as a block; worked out once for the same dates."""
    make = lambda: (dates, Block(_by_period(dates, block, frequency)[1]))  # noqa: E731
    # The dates are kept with it, so that no other array takes their place in memory.
    return block.keep(("periods", frequency, id(dates)), make)[1]


def _each(returns: ArrayLike | Block, of: Callable[[Block], Floats]) -> Any:
    """Return the figure by portfolio; a float for a one-dimensional array."""
    if isinstance(returns, Block):
        return of(returns)
    values = np.asarray(returns, dtype=np.float64)
    found = of(Block.of(values.T))
    return found if values.ndim == 2 else float(found[0])


def _since(days: Dates, index: ArrayLike | Block, starts: Callable[[Dates], Any]) -> Any:
    """Return the last value over the one at the place that `starts` finds for the last date, − 1."""
    if isinstance(index, Block):
        return _since_block(days, index, starts)
    levels = np.asarray(index, dtype=np.float64)
    if not len(levels):
        return float("nan")
    start = int(starts(days[-1:])[0])
    return float(levels[-1] / levels[start] - 1.0) if start >= 0 and levels[start] > 0 else float("nan")


def _since_block(days: Dates, block: Block, starts: Callable[[Dates], Any]) -> Floats:
    if not block.values.shape[1]:
        return np.full(len(block.values), np.nan)
    last = last_places(block)
    start = np.asarray(starts(days[last]))
    reaches = (start >= np.maximum(first_places(block) - 1, 0)) & (block.count > 0)
    value, base = _at(block.wealth, last), _at(block.wealth, np.maximum(start, 0))
    return np.where(reaches, over(value, base) - 1.0, np.nan)


def last_places(block: Block) -> Places:
    """Return the place of the last return, by portfolio; the last place without one."""
    length = block.values.shape[1]
    if block.is_complete or not length:
        return np.full(len(block.values), length - 1)
    return np.asarray(length - 1 - block.there[:, ::-1].argmax(axis=1), dtype=np.intp)


def first_places(block: Block) -> Places:
    """Return the place of the first return, by portfolio; 0 without one."""
    if block.is_complete:
        return np.zeros(len(block.values), dtype=np.intp)
    return np.asarray(block.there.argmax(axis=1), dtype=np.intp)


def _at(values: Floats, places: Places) -> Floats:
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    return values[np.arange(len(values)), places]
