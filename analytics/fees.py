"""From gross returns to net ones and back: management and performance fees as a fund's terms state them.

Of one unit of a fund: it comes in at the start at 1, and no flows move the high-water mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Bools, Floats
from analytics.inputs import numbers, refuse

DAYS_A_YEAR = 365.0
Crystallisation: TypeAlias = Literal["month", "quarter", "halfyear", "year"]
MONTHS: dict[Crystallisation, int] = {"month": 1, "quarter": 3, "halfyear": 6, "year": 12}
Accrual: TypeAlias = Literal["daily", "daily_360", "month", "month_advance", "quarter", "quarter_advance"]
YEAR_OF_DAYS: dict[Accrual, float] = {"daily": DAYS_A_YEAR, "daily_360": 360.0}
MONTHS_OF_FEE: dict[Accrual, int] = {"month": 1, "month_advance": 1, "quarter": 3, "quarter_advance": 3}


@dataclass(frozen=True, slots=True)
class Terms:
    """Rates are shares a year: 0.02 and 0.2 for "2 and 20"."""

    management: float = 0.0
    """As `accrual` has it, before the performance fee."""
    performance: float = 0.0
    """Of what NAV is above the mark."""
    hurdle: float = 0.0
    """The mark grows by it, simply, from each crystallisation on: the fee is on what is above only (hard hurdle)."""
    has_high_water_mark: bool = True
    """Whether losses of a period before are made good first; False: each period starts anew."""
    crystallisation: Crystallisation = "year"
    """When the accrued performance fee is paid: at the last value of each calendar period."""
    accrual: Accrual = "daily"
    """How the management fee is charged. daily, daily_360: each day on the NAV of the day before, days / 365 or / 360.
    month, quarter: in arrears, 1/12 or 1/4 of the rate on the NAV of the period's last value before the fee. In
    advance: the same on the NAV that the period before ended with, at the period's first value. A period that the unit
    comes into counts by its calendar days that are left."""


@dataclass(frozen=True, eq=False)
class Series:
    """Of one unit, by day; `dates[0]` is its start."""

    gross: Floats
    """(n,) returns before fees; the first is 0."""
    net: Floats
    """(n,) returns after fees, accrued ones among them."""
    net_value: Floats
    """(n,) value of a unit after fees, 1 at the start."""
    management: Floats
    """(n,) fee of each day, per unit."""
    performance: Floats
    """(n,) what each day adds to the accrued performance fee, or takes back from it, per unit."""
    crystallised: Floats
    """(n,) performance fee that is paid, on the days it is."""
    mark: Floats
    """(n,) value above which a performance fee is due, the hurdle in it."""


def net_of_fees(dates: ArrayLike, gross: ArrayLike, terms: Terms) -> Series:
    """Return the series after fees. dates: (n,) in order; gross: (n,) returns, the first of which is not used.

    Raises ValueError when lengths differ, dates are out of order, a return is missing or −100 % or less, or the terms
    cannot be meant.
    """
    days, returns = _given(dates, gross, terms)
    return _walk(days, terms, returns, None)


def gross_of_fees(dates: ArrayLike, net: ArrayLike, terms: Terms) -> Series:
    """Return the series before fees, from one after fees: the inverse of `net_of_fees`. Raises as it does."""
    days, returns = _given(dates, net, terms)
    return _walk(days, terms, None, returns)


def crystallises(dates: ArrayLike, every: Crystallisation) -> Bools:
    """Return on which dates a performance fee is paid: the last of each calendar period that has ended."""
    months = np.asarray(dates, dtype="datetime64[M]").astype(np.int64) // MONTHS[every]
    # What follows the last date is not known: its period may still go on.
    return np.concatenate([months[1:] != months[:-1], np.zeros(min(len(months), 1), dtype=bool)])


@dataclass(slots=True)
class _Unit:
    """One unit as it goes: its value before the accrued performance fee, and what it has to exceed."""

    value: float = 1.0
    mark: float = 1.0
    since: float = 0.0
    """Days since the mark was set."""
    accrued: float = 0.0


def _walk(days: NDArray[np.datetime64], terms: Terms, gross: Floats | None, net: Floats | None) -> Series:
    count = len(days)
    found, values, management, performance, paid, marks = np.zeros((6, count))
    values[:1] = marks[:1] = 1.0
    unit, is_paid = _Unit(), crystallises(days, terms.crystallisation)
    elapsed = np.diff(days).astype(np.float64)
    on_before, on_after = _charged(days, terms)
    for day in range(1, count):
        before, old = unit.value, unit.accrued
        unit.since += elapsed[day - 1]
        marks[day] = unit.mark * (1.0 + terms.hurdle * unit.since / DAYS_A_YEAR)
        if gross is not None:
            grown = before * (1.0 + gross[day])
            management[day] = on_before[day] * before + on_after[day] * grown
            unit.value = grown - management[day]
        elif net is not None:
            unit.value = _before_performance(values[day - 1] * (1.0 + net[day]), marks[day], terms.performance)
            left = 1.0 - on_after[day]
            management[day] = (on_before[day] * before + on_after[day] * unit.value) / left
        if unit.value <= 0:
            raise ValueError(f"returns[{day}]: nothing is left of a unit after fees")
        found[day] = (unit.value + management[day]) / before - 1.0
        unit.accrued = terms.performance * max(unit.value - marks[day], 0.0)
        performance[day] = unit.accrued - old
        values[day] = unit.value - unit.accrued
        if is_paid[day]:
            paid[day] = unit.accrued
            _crystallise(unit, terms)
    after = np.concatenate([np.zeros(min(count, 1)), values[1:] / values[:-1] - 1.0])
    return Series(found if gross is None else _started(gross), after, values, management, performance, paid, marks)


def _charged(days: NDArray[np.datetime64], terms: Terms) -> tuple[Floats, Floats]:
    """Return (n,) (n,) the management fee of each day as a share of the NAV before it, and of its own."""
    on_before, on_after = np.zeros((2, len(days)))
    if terms.accrual in YEAR_OF_DAYS:
        on_before[1:] = terms.management * np.diff(days).astype(np.float64) / YEAR_OF_DAYS[terms.accrual]
        return on_before, on_after
    months = MONTHS_OF_FEE[terms.accrual]
    period = days.astype("datetime64[M]").astype(np.int64) // months
    is_advance = terms.accrual.endswith("_advance")
    charged_on = np.ones(len(days), dtype=np.bool_) if is_advance else _ends(days, months)
    charged_on[:1] = False
    # Periods until the end of the one that a day is in, less what has been charged or was before the unit came in.
    until = np.where(charged_on, period + 1.0, 0.0)
    until[:1] = period[:1] + _passed(days[:1], period[:1], months)
    share = np.diff(np.maximum.accumulate(until), prepend=until[:1]) * terms.management * months / 12.0
    (on_before if is_advance else on_after)[:] = share
    return on_before, on_after


def _ends(days: NDArray[np.datetime64], months: int) -> Bools:
    """Return which is the last of its period: of the running one where no weekday follows in it."""
    following = np.append(days[1:], np.busday_offset(days[-1:] + 1, 0, roll="forward"))
    one, other = (each.astype("datetime64[M]").astype(np.int64) // months for each in (days, following))
    return np.asarray(one != other, dtype=np.bool_)


def _passed(days: NDArray[np.datetime64], period: NDArray[np.int64], months: int) -> Floats:
    """Return the share of its period's calendar days that has passed at the end of each day."""
    first, after = ((each * months).astype("datetime64[M]").astype("datetime64[D]") for each in (period, period + 1))
    return np.asarray((days - first + 1) / (after - first), dtype=np.float64)


def _before_performance(value: float, mark: float, rate: float) -> float:
    """Return the value of which so much is left after the performance fee."""
    return value if value <= mark else (value - rate * mark) / (1.0 - rate)


def _crystallise(unit: _Unit, terms: Terms) -> None:
    unit.value -= unit.accrued
    unit.accrued = 0.0
    unit.since = 0.0
    unit.mark = max(unit.mark, unit.value) if terms.has_high_water_mark else unit.value


def _started(returns: Floats) -> Floats:
    found = returns.copy()
    found[:1] = 0.0
    return found


def _given(dates: ArrayLike, returns: ArrayLike, terms: Terms) -> tuple[NDArray[np.datetime64], Floats]:
    days = np.asarray(dates, dtype="datetime64[D]")
    if np.isnat(days).any() or (np.diff(days) <= np.timedelta64(0)).any():
        raise ValueError("dates: one is missing, there twice or out of order")
    found = np.asarray(returns, dtype=np.float64)
    if found.shape != days.shape:
        raise ValueError(f"returns: {found.size}, not {days.size} as there are dates; lengths differ")
    refuse("returns", numbers("returns", _started(found)) <= -1.0, "is −100 % or less")
    for name, most in (("management", 1.0), ("performance", 1.0), ("hurdle", 10.0)):
        if not 0.0 <= getattr(terms, name) < most:
            raise ValueError(f"{name}: {getattr(terms, name)} is not a share a year; give 0.02 for 2 %")
    if terms.accrual not in get_args(Accrual):
        raise ValueError(f"accrual: {terms.accrual!r} is not one of {', '.join(get_args(Accrual))}")
    if terms.crystallisation not in get_args(Crystallisation):
        known = ", ".join(get_args(Crystallisation))
        raise ValueError(f"crystallisation: {terms.crystallisation!r} is not one of {known}")
    return days, _started(found)
