"""A rate a year as money in an account: interest by day count, compounded; and what it is over given periods."""

from __future__ import annotations

import math

import numpy as np

from analytics.block import Floats
from analytics.cadence import cadence_of
from analytics.calendar import Dates, carried
from analytics.performance import Track
from storage.state.series import DayCount

ACTUAL_365 = frozenset(
    (
        *("GBP", "JPY", "AUD", "CAD", "NZD", "HKD", "SGD", "ZAR", "PLN", "INR", "KRW", "THB", "TWD", "ILS", "CNY"),
        *("TRY", "AED", "SAR"),
    )
)
"""Currencies whose money market counts 365 days a year (Stigum & Robinson 1996; ISDA 2006, 4.16); others count 360."""
HELD_DAYS = 7
"""How long the last known rate is taken to hold, unless it comes less often."""


def usual_day_count(currency: str) -> DayCount:
    """Return the day count of a currency's money market."""
    return "act/365" if currency in ACTUAL_365 else "act/360"


def year_shares(start: Dates, end: Dates, day_count: DayCount) -> Floats:
    """Return the days from each start to its end as shares of a year (ISDA 2006, section 4.16).

    act/act splits a span by calendar years (b), 30/360 is the bond basis (f).
    """
    days = (end - start).astype(np.float64)
    if day_count == "act/360":
        return np.asarray(days / 360.0)
    if day_count == "act/365":
        return np.asarray(days / 365.0)
    if day_count == "act/act":
        return _of_years(end) - _of_years(start)
    (y1, m1, d1), (y2, m2, d2) = _calendar(start), _calendar(end)
    d1 = np.minimum(d1, 30)
    d2 = np.where((d2 == 31) & (d1 == 30), 30, d2)
    return np.asarray((360 * (y2 - y1) + 30 * (m2 - m1) + (d2 - d1)) / 360.0)


def accumulated(dates: Dates, percents: Floats, day_count: DayCount) -> Track:
    """Return what 1 on the first date grows to, on every calendar day while a rate is known.

    The rate of a date holds from it until the next: I(d) = I(t) · (1 + r(t) · δ(t, d)), which compounds at each date
    that has one (in arrears; ISDA 2021 definitions, section 7.3). Across a gap, and after the last date for longer than
    HELD_DAYS or a period, nothing is known: no days there, and no return after.
    """
    if not len(dates):
        nothing = np.array([], dtype=np.float64)
        return Track(dates, nothing, nothing)
    cadence = cadence_of(dates)
    held = max(HELD_DAYS, 0 if math.isinf(cadence.longest_days) else int(cadence.longest_days))
    gaps = cadence.gaps(dates)
    ends = np.append(dates[1:], dates[-1] + np.timedelta64(held + 1, "D"))
    known_until = np.where(np.append(gaps[1:], False), np.minimum(ends, dates + np.timedelta64(held + 1, "D")), ends)
    # A span that reaches the next date gives it its value; one that ends in a gap hands on what it grew to.
    growth = 1.0 + percents / 100.0 * year_shares(dates, np.where(known_until < ends, known_until - 1, ends), day_count)
    begins = np.concatenate([[1.0], np.cumprod(growth)[:-1]])
    counts = (known_until - dates).astype(np.int64)
    at = np.repeat(np.arange(len(dates)), counts)
    days = dates[at] + (np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts))
    index = begins[at] * (1.0 + percents[at] / 100.0 * year_shares(dates[at], days, day_count))
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[np.nan], index[1:] / index[:-1] - 1.0])
    returns[1:][np.diff(days).astype(np.int64) > 1] = np.nan
    return Track(days, returns, index)


def constant(percent: float, first: np.datetime64, last: np.datetime64) -> Track:
    """Return what 1 grows to by day at a constant rate a year that compounds: (1 + r)^(days / 365)."""
    days = np.arange(first, last + 1)
    index = (1.0 + percent / 100.0) ** ((days - first).astype(np.float64) / 365.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track(days, np.concatenate([[np.nan], index[1:] / index[:-1] - 1.0]), index)


def rate_between(account: Track, dates: Dates) -> Floats:
    """Return the rate from each date to the next, one shorter than `dates`; NaN where it is not known throughout."""
    if len(dates) < 2:
        return np.array([], dtype=np.float64)
    index = carried(account.dates, account.index, dates)
    is_known = np.isin(dates, account.dates)
    unknown = np.cumsum(np.isnan(account.returns[1:])) if len(account) else np.array([], dtype=np.int64)
    hidden = carried(account.dates, np.concatenate([[0.0], unknown.astype(np.float64)]), dates, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = index[1:] / index[:-1] - 1.0
    return np.where(is_known[1:] & is_known[:-1] & (hidden[1:] == hidden[:-1]), found, np.nan)


def _of_years(dates: Dates) -> Floats:
    """Return dates as years: the calendar year, and the share of its days that have passed."""
    years = dates.astype("datetime64[Y]")
    first, following = years.astype("datetime64[D]"), (years + 1).astype("datetime64[D]")
    passed = (dates - first).astype(np.float64) / (following - first).astype(np.float64)
    return np.asarray(years.astype(np.int64) + passed)


def _calendar(dates: Dates) -> tuple[Floats, Floats, Floats]:
    """Return year, month and day of dates."""
    months = dates.astype("datetime64[M]")
    numbers = months.astype(np.int64)
    day = (dates - months.astype("datetime64[D]")).astype(np.float64) + 1
    return (numbers // 12).astype(np.float64), (numbers % 12).astype(np.float64), day
