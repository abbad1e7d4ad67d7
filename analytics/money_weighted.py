"""Money-weighted returns: what the money earned, given when it came and went."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats

DAYS_A_YEAR = 365.0
LOWEST_RATE, HIGHEST_RATE = -0.999999999, 1e6
"""Rates a year between which a rate is looked for."""
_STEPS = 800


def xirr(dates: ArrayLike, amounts: ArrayLike, bracket: tuple[float, float] | None = None) -> float:
    """Return the annual rate r at which Σ amount · (1 + r)^(−days / 365) = 0; days since the first date.

    amounts: money in (−) and out (+), the closing value among the latter. Where several rates solve it, the one
    nearest to 0. `bracket` limits the rates that are looked at. Raises ValueError when dates and amounts differ in
    number, one is missing, all lie on one day, or no rate within the bracket solves it: money went one way only.
    """
    days = np.asarray(dates, dtype="datetime64[D]")
    money = np.asarray(amounts, dtype=np.float64)
    _check(days, money)
    years = (days - days.min()).astype(np.float64) / DAYS_A_YEAR
    low, high = bracket or (LOWEST_RATE, HIGHEST_RATE)
    # In logs of 1 + r so that a rate near −100 % is found as well as one of 1,000 %.
    logs = np.linspace(np.log1p(max(low, LOWEST_RATE)), np.log1p(high), _STEPS)
    values = np.array([_value(log, years, money)[0] for log in logs])
    places = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) <= 0)
    if not len(places):
        raise ValueError(f"no rate between {low:.6g} and {high:.6g} a year brings these amounts to 0")
    roots = [_root(logs[place], logs[place + 1], years, money) for place in places]
    return float(np.expm1(min(roots, key=abs)))


def money_weighted_return(dates: ArrayLike, nav: ArrayLike, flow: ArrayLike, annualise: bool = False) -> float:
    """Return the money-weighted return from the first value to the last; a year's when `annualise`.

    `nav` is the value at the end of each date and `flow` the money that came in (+) or went out (−) on it; the first
    day's flow is in its value already. NaN when a first or last value is missing or no time has passed. Raises
    ValueError when there is no rate, see xirr.
    """
    days = np.asarray(dates, dtype="datetime64[D]")
    value = np.asarray(nav, dtype=np.float64)
    if len(days) < 2 or not (np.isfinite(value[0]) and np.isfinite(value[-1])):
        return float("nan")
    money = -np.asarray(flow, dtype=np.float64)
    money[0] = -value[0]
    money[-1] += value[-1]
    moved = money != 0
    rate = xirr(days[moved], money[moved])
    years = float((days[-1] - days[0]).astype(np.float64)) / DAYS_A_YEAR
    return rate if annualise else float((1.0 + rate) ** years - 1.0)


def _check(days: NDArray[np.datetime64], money: Floats) -> None:
    if days.shape != money.shape or days.ndim != 1:
        raise ValueError("dates and amounts differ in number")
    unknown = np.flatnonzero(np.isnat(days) | ~np.isfinite(money))
    if len(unknown):
        raise ValueError(f"the amount on {days[unknown[0]]} is {money[unknown[0]]}")
    if not len(money) or days.min() == days.max():
        raise ValueError("a rate needs amounts on two days or more")
    if (money >= 0).all() or (money <= 0).all():
        raise ValueError("money only ever goes one way: no rate brings these amounts to 0")


def _value(log: float, years: Floats, money: Floats) -> tuple[float, float]:
    """Return the sum at a rate, and its slope; scaled so that no power overflows."""
    times = years - years.max() if log < 0 else years
    terms = money * np.exp(-log * times)
    return float(terms.sum()), float(-(terms * times).sum())


def _root(low: float, high: float, years: Floats, money: Floats) -> float:
    """Return the root between two values of opposite sign: Newton's steps, halved where they would leave."""
    falls = _value(low, years, money)[0] > 0
    at = (low + high) / 2.0
    for _ in range(200):
        value, slope = _value(at, years, money)
        if value == 0 or high - low < 1e-15 * max(1.0, abs(at)):
            break
        low, high = (at, high) if (value > 0) == falls else (low, at)
        step = at - value / slope if slope else low
        at = step if low < step < high else (low + high) / 2.0
    return at
