"""The risk-free rate that figures are told with: typed, else that of the portfolio's currency, else 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from analytics.performance import Track
from analytics.returns import per_period_rate
from core import format as text
from portfolio.histories import account
from portfolio.series.rates import rate_between, usual_day_count
from portfolio.series.reference import catalogue

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores


@dataclass(frozen=True, eq=False, slots=True)
class RiskFreeRate:
    """A constant, or money at a series of rates."""

    said: str
    """What it is, in words."""
    annual: float = 0.0
    """A ratio; of no use with an account."""
    account: Track | None = None
    """What 1 grows to, by calendar day."""
    is_set: bool = True
    """Whether somebody said it."""

    def of(self, dates: Dates) -> float | Floats:
        """Return the rate of returns on `dates`, the first of which is the base: a number a year, or one a period.

        A period in which the series is not known has NaN: its return counts in no figure that needs a rate.
        """
        return self.annual if self.account is None else rate_between(self.account, dates)

    def a_period(self, dates: Dates, periods: float) -> float | Floats:
        """Return the rate a period: a number of `periods` a year, or one for each of the returns on `dates`."""
        rate = self.of(dates)
        return rate if isinstance(rate, np.ndarray) else per_period_rate(rate, periods)

    def missing(self, dates: Dates) -> Dates:
        """Return the dates, but the first, whose period has no rate."""
        rate = self.of(dates)
        return dates[1:][np.isnan(rate)] if isinstance(rate, np.ndarray) else dates[:0]


def risk_free_of(stores: Stores, portfolio: Portfolio, typed: float | None) -> RiskFreeRate:
    """Return the rate for a portfolio. Raises StorageUnavailable or StorageRejected."""
    if typed is not None:
        return RiskFreeRate(f"{text.percent(typed)} a year, as typed", typed)
    known = catalogue(stores, portfolio.origin)
    rate = known.risk_free.get(portfolio.currency)
    if rate is None:
        return RiskFreeRate(f"0 %: none is set for {portfolio.currency}", is_set=False)
    if not rate.series:
        return RiskFreeRate(f"{portfolio.currency}: {text.percent(rate.percent / 100)} a year", rate.percent / 100)
    series = known.series.get(rate.series)
    if series is None:
        return RiskFreeRate(f"0 %: {rate.series}, set for {portfolio.currency}, has no rates")
    if series.kind != "rate":
        return RiskFreeRate(f"0 %: {rate.series}, set for {portfolio.currency}, is no series of rates")
    day_count = series.day_count or usual_day_count(series.currency)
    found = account(stores, portfolio.origin, series.symbol, day_count)
    return RiskFreeRate(f"{portfolio.currency}: {series.name}, {day_count}", account=found)
