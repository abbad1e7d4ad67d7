"""The sample fund's rules: which weights each strategy wants, from closes up to the day before.

Row t of every plan is made of closes 0…t−1 alone; tests cut the prices short and expect the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample.prices import ETFS, Dates, Floats, Prices

Flags = NDArray[np.bool_]

MONTH, QUARTER, HALF_YEAR, YEAR = 21, 63, 126, 252
"""Trading days."""

TOP_STOCKS = 8
EQUITY_INVESTED = 0.97
PARITY_INVESTED = 0.97

PAIRS = (
    ("KO", "PEP"),
    ("CVX", "XOM"),
    ("BAC", "JPM"),
    ("JNJ", "PFE"),
    ("LLY", "MRK"),
    ("AAPL", "MSFT"),
    ("PG", "WMT"),
)
PAIR_WINDOW_DAYS = 60
PAIR_LEG_WEIGHT = 0.14
PAIR_OPEN, PAIR_CLOSE, PAIR_STOP = 2.0, 0.5, 4.0
"""In standard deviations of the log price ratio."""

TREND_RISK = 0.008
"""Annual volatility that each instrument of the trend strategy may add, as a share of capital."""
TREND_GROSS_LIMIT = 1.5


@dataclass(frozen=True)
class Plan:
    """What a strategy wants: `weights` (days, instruments) as shares of its capital, `trade` where an order is due."""

    weights: Floats
    trade: Flags


@dataclass(frozen=True)
class Strategy:
    """A strategy of the sample fund: `capital_share` is its part of the fund; it pays at most `limit_ratio` above the
    last close, or any price when that is None.
    """

    id: str
    name: str
    note: str
    capital_share: float
    limit_ratio: float | None
    plan: Callable[[Prices], Plan]


def month_starts(dates: Dates) -> Flags:
    """Return where a new month begins; the first day of all is not one, since nothing is known before it."""
    return _changes(dates.astype("datetime64[M]").astype(np.int64))


def week_starts(dates: Dates) -> Flags:
    """Return where a new ISO week begins."""
    return _changes((dates.astype("datetime64[D]").astype(np.int64) + 3) // 7)


def equity(prices: Prices) -> Plan:
    """Return the plan of momentum equity: monthly, the best stocks by 12-1 month return, equal weights."""
    stocks = prices.columns(tuple(name for name in prices.instruments if name not in ETFS))
    days = _decision_days(month_starts(prices.dates))
    weights = np.zeros((len(days), len(prices.instruments)))
    for row, day in enumerate(days):
        chosen = stocks
        if day > YEAR:
            momentum = prices.close[day - 1 - MONTH, stocks] / prices.close[day - 1 - YEAR, stocks]
            chosen = stocks[np.argsort(-momentum, kind="stable")[:TOP_STOCKS]]
        weights[row, chosen] = EQUITY_INVESTED / len(chosen)
    return _held_between(days, weights, prices)


def parity(prices: Prices) -> Plan:
    """Return the plan of risk parity: monthly, the factor ETFs by inverse volatility; equal until it is known."""
    etfs = prices.columns(ETFS)
    days = _decision_days(month_starts(prices.dates))
    volatility = _volatility_before(prices.close[:, etfs], QUARTER)[days]
    inverse = np.where(np.isfinite(volatility), 1.0 / volatility, 1.0)
    weights = np.zeros((len(days), len(prices.instruments)))
    weights[:, etfs] = PARITY_INVESTED * inverse / inverse.sum(axis=1, keepdims=True)
    return _held_between(days, weights, prices)


def trend(prices: Prices) -> Plan:
    """Return the plan of trend following: weekly, long what rose and short what fell, equal risk for each."""
    days = _decision_days(week_starts(prices.dates))
    days = days[days > HALF_YEAR]
    last = prices.close[days - 1]
    signs = [np.sign(last / prices.close[days - 1 - back] - 1.0) for back in (MONTH, QUARTER, HALF_YEAR)]
    signal = (signs[0] + signs[1] + signs[2]) / 3.0
    annual_volatility = _volatility_before(prices.close, QUARTER)[days] * np.sqrt(YEAR)
    weights = signal * TREND_RISK / annual_volatility
    gross = np.abs(weights).sum(axis=1, keepdims=True)
    return _held_between(days, weights * np.minimum(1.0, TREND_GROSS_LIMIT / np.maximum(gross, 1e-12)), prices)


def pairs(prices: Prices) -> Plan:
    """Return the plan of sector pairs: short the rich leg and buy the cheap one, until the ratio is back."""
    left, right = (prices.columns(tuple(pair[side] for pair in PAIRS)) for side in (0, 1))
    ratio = np.log(prices.close[:, left] / prices.close[:, right])
    score = _before((ratio - _rolling_mean(ratio, PAIR_WINDOW_DAYS)) / _rolling_deviation(ratio, PAIR_WINDOW_DAYS))
    side = _pair_sides(score)
    shape = prices.close.shape
    weights, trade = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    changed = np.diff(side, axis=0, prepend=0.0) != 0
    weights[:, left], weights[:, right] = side * PAIR_LEG_WEIGHT, -side * PAIR_LEG_WEIGHT
    trade[:, left] = trade[:, right] = changed
    return Plan(weights, trade)


STRATEGIES = (
    Strategy("equity", "Momentum equity", "Long only, 8 of 20 US large caps, monthly", 0.35, 0.03, equity),
    Strategy("pairs", "Sector pairs", "Market neutral, seven pairs of like companies", 0.20, None, pairs),
    Strategy("trend", "Trend following", "Long and short, 25 instruments, weekly", 0.25, None, trend),
    Strategy("parity", "Factor risk parity", "Long only, five factor ETFs, monthly", 0.20, None, parity),
)


def _changes(numbers: NDArray[np.int64]) -> Flags:
    """Return where a number differs from the one before it."""
    changes: Flags = np.diff(numbers, prepend=numbers[:1]) != 0
    return changes


def _decision_days(starts: Flags) -> NDArray[np.intp]:
    """Return the days on which a calendar strategy trades: its period starts and the second day of all."""
    starts = starts.copy()
    starts[1:2] = True
    return np.flatnonzero(starts)


def _held_between(days: NDArray[np.intp], weights: Floats, prices: Prices) -> Plan:
    """Return the plan that holds each decision's weights until the next decision."""
    spread = np.zeros(prices.close.shape)
    if len(days):
        decision = np.searchsorted(days, np.arange(len(prices)), side="right") - 1
        spread[decision >= 0] = weights[decision[decision >= 0]]
    trade = np.zeros(prices.close.shape, dtype=np.bool_)
    trade[days] = True
    return Plan(spread, trade)


def _pair_sides(score: Floats) -> Floats:
    """Return, a row a day, +1 long the left leg, −1 short it, 0 flat, from the ratio's score known that morning."""
    size = np.abs(score)
    opens = (size > PAIR_OPEN) & (size <= PAIR_STOP)
    opens[1:] &= ~(size[:-1] > PAIR_OPEN)
    closes = (size < PAIR_CLOSE) | (size > PAIR_STOP)
    side = np.zeros_like(score)
    for day in range(1, len(score)):
        held = np.where(closes[day], 0.0, side[day - 1])
        side[day] = np.where((held == 0) & opens[day], -np.sign(score[day]), held)
    return side


def _volatility_before(close: Floats, window: int) -> Floats:
    """Return the daily volatility (ddof 1) over the `window` returns before each day; NaN until there are enough."""
    returns = np.full(close.shape, np.nan)
    returns[1:] = close[1:] / close[:-1] - 1.0
    result = np.full(close.shape, np.nan)
    result[1:] = _rolling_deviation(returns[1:], window)
    return _before(result)


def _before(values: Floats) -> Floats:
    """Return `values` a day later: what was known on the evening before."""
    shifted = np.full(values.shape, np.nan)
    shifted[1:] = values[:-1]
    return shifted


def _rolling_mean(values: Floats, window: int) -> Floats:
    """Return the mean of the last `window` rows; NaN until there are enough.

    Running sums, so that a row depends on nothing after it, to the last bit.
    """
    total = np.cumsum(values, axis=0)
    result = np.full(values.shape, np.nan)
    result[window - 1 :] = total[window - 1 :]
    result[window:] -= total[:-window]
    return result / window


def _rolling_deviation(values: Floats, window: int) -> Floats:
    """Return the standard deviation (ddof 1) of the last `window` rows; NaN until there are enough."""
    mean = _rolling_mean(values, window)
    square = _rolling_mean(values * values, window)
    variance = np.maximum(square - mean * mean, 0.0) * window / (window - 1)
    return np.sqrt(variance)
