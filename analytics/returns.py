"""Returns: from values and flows to period returns, and from those to what they add up to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def observed(returns: ArrayLike) -> Floats:
    """Return the returns that are there: NaN left out. Infinite ones raise ValueError, they are never a measurement."""
    values = np.asarray(returns, dtype=np.float64).ravel()
    if np.isinf(values).any():
        raise ValueError("a return is infinite")
    kept: Floats = values[~np.isnan(values)]
    return kept


def simple_returns(prices: ArrayLike) -> Floats:
    """Return p_t / p_{t−1} − 1, one shorter than `prices`; NaN next to a missing, zero or negative price."""
    values = np.asarray(prices, dtype=np.float64)
    known = np.where(values > 0, values, np.nan)
    result: Floats = known[1:] / known[:-1] - 1.0
    return result


def flow_returns(nav: ArrayLike, flow: ArrayLike, opening: float = np.nan) -> Floats:
    """Return the time-weighted return of each day, as long as `nav`: (V_t + out_t) / (V_{t−1} + in_t) − 1.

    `nav` is the value at the end of the day, `flow` the day's external money: in (+) at the start of the day, out (−)
    at its end (GIPS, daily valuation). `opening` is the value before the first day; without one the first return is
    NaN. Nothing at work (V_{t−1} + in_t = 0) earns 0. A value below zero, or missing, gives NaN: nothing compounds
    through it.
    """
    value = np.asarray(nav, dtype=np.float64)
    money = np.asarray(flow, dtype=np.float64)
    if value.shape != money.shape:
        raise ValueError("nav and flow differ in length")
    before = np.concatenate([[opening], value[:-1]])
    start = before + np.maximum(money, 0.0)
    end = value + np.maximum(-money, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = end / start - 1.0
    result[(start == 0) & (end == 0)] = 0.0
    result[(start < 0) | (end < 0) | ((start == 0) & (end != 0))] = np.nan
    return result


def modified_dietz(opening: float, closing: float, days: int, flows: Sequence[tuple[float, float]]) -> float:
    """Return the Modified Dietz return of a span of `days` days with `flows` of (day, amount).

    (V₁ − V₀ − ΣF) / (V₀ + Σ w_i F_i) with w_i = (days − day_i) / days (GIPS 2020; Bacon 2008). NaN when the
    average capital is not positive.
    """
    total = sum(amount for _, amount in flows)
    average = opening + sum(amount * (days - day) / days for day, amount in flows)
    return (closing - opening - total) / average if average > 0 else float("nan")


def wealth(returns: ArrayLike, compounded: bool = True) -> Floats:
    """Return W_0 = 1 and the wealth after each return, one longer than `returns`. A NaN return leaves wealth as it was.

    After −100 % wealth stays 0; from a return below that on it is NaN, since nothing compounds through a debt.
    `compounded=False` adds returns instead, as some libraries do.
    """
    values = np.nan_to_num(np.asarray(returns, dtype=np.float64), nan=0.0)
    if not compounded:
        return np.concatenate([[1.0], 1.0 + np.cumsum(values)])
    return np.concatenate([[1.0], np.cumprod(np.where(values < -1.0, np.nan, 1.0 + values))])


def total_return(returns: ArrayLike, geometric: bool = True) -> float:
    """Return ∏(1 + r) − 1, or Σr when not `geometric`; NaN without observations or with a loss of more than 100 %."""
    values = observed(returns)
    if not len(values):
        return float("nan")
    return float(wealth(values)[-1] - 1.0) if geometric else float(values.sum())


def through_total_loss(returns: ArrayLike) -> Floats:
    """Return the returns up to and including the first of −100 %: what comes after it measures nothing."""
    values = np.asarray(returns, dtype=np.float64)
    lost = np.flatnonzero(values <= -1.0)
    return values[: lost[0] + 1] if len(lost) else values


def annual_return(
    returns: ArrayLike,
    periods: float,
    geometric: bool = True,
    minimum_years: float = 1.0,
    count_missing: bool = False,
) -> float:
    """Return the annualised return ∏(1 + r)^(periods / n) − 1, or mean · periods when not `geometric`.

    NaN below `minimum_years` of observations: less than a year is not annualised (GIPS). `count_missing` counts NaN
    rows in n, as empyrical does.
    """
    values = observed(returns)
    count = int(np.size(returns)) if count_missing else len(values)
    if not len(values) or count < minimum_years * periods:
        return float("nan")
    if not geometric:
        return float(values.mean() * periods)
    return float((1.0 + total_return(values)) ** (periods / count) - 1.0)


def per_period_rate(annual_rate: float, periods: float) -> float:
    """Return the rate a period that compounds to `annual_rate` a year: (1 + rf)^(1 / periods) − 1."""
    return float((1.0 + annual_rate) ** (1.0 / periods) - 1.0)
