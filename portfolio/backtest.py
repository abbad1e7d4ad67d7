"""VaR backtest of a portfolio: each return of the window against the VaR of the returns before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.backtest import Backtest, backtest, var_forecast
from analytics.block import Floats
from analytics.calendar import Dates
from portfolio.data import PortfolioData
from portfolio.query import Frequency

MEMORY: dict[Frequency, int] = {"D": 252, "W": 104, "M": 36, "Q": 20}
"""Returns before a period that its VaR is estimated from."""


@dataclass(frozen=True, eq=False, slots=True)
class ValueAtRiskTest:
    """The returns of the window, what was forecast of each, and the test of the forecast."""

    days: Dates
    returns: Floats
    forecast: Floats
    """VaR as a positive loss; NaN where too few returns came before."""
    result: Backtest
    """Its positions are those of `days`."""


def has_memory(data: PortfolioData) -> bool:
    """Return whether the history is long enough for a forecast."""
    return len(data.whole) > MEMORY[data.frequency] + 1


def value_at_risk_test(data: PortfolioData) -> ValueAtRiskTest | None:
    """Return the test over the window; None when no return of it has a forecast."""
    if not has_memory(data):
        return None
    days, returns = data.part.dates[1:], data.part.returns[1:]
    said = forecast(data)[np.searchsorted(data.whole.dates, days)]
    result = backtest(returns, said, data.query.confidence)
    return ValueAtRiskTest(days, returns, said, result) if result.observations else None


def forecast(data: PortfolioData) -> Floats:
    """Return the VaR of the returns before each period of the whole history, as a positive loss."""
    memory = MEMORY[data.frequency]
    found = var_forecast(data.whole.returns, data.query.confidence, memory, "historical")
    return np.asarray(found, dtype=np.float64).reshape(-1)
