"""Calendar periods: returns since an anchor (week, month, quarter, year) and by month.

Dates are numpy datetime64[D], ascending. An index is a wealth or price series on those dates, without NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats

Dates = NDArray[np.datetime64]
Frequency = Literal["W", "M", "Q", "Y"]
ToDate = Literal["WTD", "MTD", "QTD", "YTD"]

_FREQUENCY: dict[ToDate, Frequency] = {"WTD": "W", "MTD": "M", "QTD": "Q", "YTD": "Y"}


@dataclass(frozen=True)
class MonthlyTable:
    """Returns by year (rows, oldest first) and month (12 columns), NaN where there is none, and by whole year."""

    years: tuple[int, ...]
    months: Floats
    totals: Floats


def buckets(dates: Dates, frequency: Frequency) -> NDArray[np.int64]:
    """Return a number a date that rises by one a calendar period: ISO weeks, months, quarters, years."""
    days = np.asarray(dates, dtype="datetime64[D]")
    if frequency == "W":
        return (days.astype(np.int64) + 3) // 7
    if frequency == "Y":
        return days.astype("datetime64[Y]").astype(np.int64) + 1970
    months = days.astype("datetime64[M]").astype(np.int64)
    return months // 3 if frequency == "Q" else months


def period_returns(dates: Dates, returns: ArrayLike, frequency: Frequency) -> tuple[NDArray[np.int64], Floats]:
    """Return the buckets that have observations and the compounded return of each. NaN returns are left out."""
    values = np.asarray(returns, dtype=np.float64)
    there = ~np.isnan(values)
    numbers, first = np.unique(buckets(dates[there], frequency), return_index=True)
    if not len(numbers):
        return numbers, np.array([], dtype=np.float64)
    return numbers, np.multiply.reduceat(1.0 + values[there], first) - 1.0


def to_date(dates: Dates, index: ArrayLike, period: ToDate) -> float:
    """Return the return of the running period: last value over the last one before the period began, − 1.

    NaN when the series does not reach back to an earlier period.
    """
    levels = np.asarray(index, dtype=np.float64)
    if not len(levels):
        return float("nan")
    numbers = buckets(dates, _FREQUENCY[period])
    return _since(levels, int(np.searchsorted(numbers, numbers[-1])) - 1)


def trailing_months(dates: Dates, index: ArrayLike, months: int) -> float:
    """Return the return since the last value on or before the same day `months` months earlier.

    A day that month does not have is its last day. NaN when the series is younger than that.
    """
    levels = np.asarray(index, dtype=np.float64)
    if not len(levels):
        return float("nan")
    anchor = months_before(dates[-1], months)
    return _since(levels, int(np.searchsorted(dates, anchor, side="right")) - 1)


def months_before(day: np.datetime64, months: int) -> np.datetime64:
    """Return the same day of the month `months` earlier, or that month's last day when it is shorter."""
    date = day.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    earlier = month - np.timedelta64(months, "M")
    shifted = earlier.astype("datetime64[D]") + (date - month.astype("datetime64[D]"))
    last = (earlier + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    return min(shifted, last)


def monthly_table(dates: Dates, returns: ArrayLike) -> MonthlyTable:
    """Return compounded returns by year and month, and by year. NaN returns are left out."""
    numbers, by_month = period_returns(dates, returns, "M")
    years, totals = period_returns(dates, returns, "Y")
    if not len(years):
        return MonthlyTable((), np.empty((0, 12)), np.array([], dtype=np.float64))
    table = np.full((int(years[-1] - years[0]) + 1, 12), np.nan)
    table[numbers // 12 + 1970 - years[0], numbers % 12] = by_month
    whole = np.full(len(table), np.nan)
    whole[years - years[0]] = totals
    return MonthlyTable(tuple(range(int(years[0]), int(years[-1]) + 1)), table, whole)


def _since(levels: Floats, start: int) -> float:
    if start < 0 or not levels[start] > 0:
        return float("nan")
    return float(levels[-1] / levels[start] - 1.0)
