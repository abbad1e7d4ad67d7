"""Rolling Sharpe ratio, volatility and beta: over the last returns of each day, whatever the window shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics.calendar import carried
from analytics.performance import Track, common
from analytics.rolling import Moments, rolling_moments
from portfolio.data import Line, PortfolioData


def span_name(data: PortfolioData) -> str:
    """Return how the returns of a rolling figure are called."""
    return f"{data.rolling} {data.units}"


def rolling(line: Line, data: PortfolioData) -> Moments:
    """Return the rolling figures on the days of the line's whole history, its beta against the benchmark shown.

    Beta is of the days that both have; between them it stays as it was.
    """
    periods, whole = data.periods_of(line), line.whole
    found = _moments(whole, None, data, periods)
    if data.benchmark is None:
        return found
    own, other = common(whole, data.benchmark.whole, data.frequency)
    beside = _moments(own, other, data, periods)
    last = own.dates[-1] if len(own) else whole.dates[0]
    beta = carried(own.dates, np.asarray(beside.beta, dtype=np.float64), whole.dates)
    return replace(found, beta=np.where(whole.dates <= last, beta, np.nan))


def _moments(own: Track, other: Track | None, data: PortfolioData, periods: float) -> Moments:
    """Return the rolling figures of a track; a series of rates is taken off each return, but for volatility."""
    span, rate = data.rolling, data.risk_free.a_period(own.dates, periods)
    beside = None if other is None else other.returns
    if not isinstance(rate, np.ndarray):
        return rolling_moments(own.returns, beside, span, rate, periods)
    each = np.concatenate([[0.0], rate])[: len(own)]
    excess = rolling_moments(own.returns - each, None if beside is None else beside - each, span, 0.0, periods)
    return replace(excess, volatility=rolling_moments(own.returns, None, span, 0.0, periods).volatility)
