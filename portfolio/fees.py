"""A portfolio before and after its fees: both series, and fees by year, by the terms that are set of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from analytics.fees import Accrual, Crystallisation, Series, Terms, gross_of_fees, net_of_fees
from analytics.performance import spanning_returns
from portfolio.data import PortfolioData

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio


@dataclass(frozen=True, slots=True)
class OfYear:
    """Returns and fees of one calendar year, as far as there are values; fees are shares of the year's first value."""

    year: int
    gross: float
    net: float
    management: float
    performance: float
    """Accrued over the year, paid or not; negative: accrued before and taken back."""

    @property
    def fees(self) -> float:
        """Return both together."""
        return self.management + self.performance


@dataclass(frozen=True, eq=False, slots=True)
class Fees:
    """Both series of a portfolio in the window of a query."""

    terms: Terms
    nav_is: str
    """net or gross: which of the two its values are."""
    days: Dates
    gross: Floats
    """(days,) index, 1 on the first."""
    net: Floats
    years: tuple[OfYear, ...]
    """Of the whole history, oldest first."""

    @property
    def gross_return(self) -> float:
        """Return the return of the window before fees."""
        return float(self.gross[-1] - 1.0)

    @property
    def net_return(self) -> float:
        """Return the return of the window after fees."""
        return float(self.net[-1] - 1.0)


def terms_of(portfolio: Portfolio) -> Terms | None:
    """Return the terms that are set of a portfolio; None: neither of its fees is."""
    management, performance, hurdle = (
        float(each or 0.0) / 100.0 for each in (portfolio.management_fee, portfolio.performance_fee, portfolio.hurdle)
    )
    if not management and not performance:
        return None
    every: Crystallisation = next(
        (each for each in get_args(Crystallisation) if each == portfolio.crystallisation), "year"
    )
    accrual: Accrual = next((each for each in get_args(Accrual) if each == portfolio.management_accrual), "daily")
    return Terms(management, performance, hurdle, portfolio.high_water_mark != "no", every, accrual)


def fees(data: PortfolioData) -> Fees | None:
    """Return a portfolio before and after fees; None without terms, or without a return in the window.

    The unit begins with the first value of all: marks and accruals of before the window count in it. Raises ValueError
    where the terms cannot be applied to its returns.
    """
    terms, whole = terms_of(data.portfolio), data.own.daily
    if terms is None or len(whole) < 2 or len(data.part) < 2:
        return None
    returns = np.concatenate([[0.0], spanning_returns(whole)])
    nav_is = data.portfolio.nav_is or "net"
    series = (net_of_fees if nav_is == "gross" else gross_of_fees)(whole.dates, returns, terms)
    inside = (whole.dates >= data.part.dates[0]) & (whole.dates <= data.part.dates[-1])
    return Fees(
        terms, nav_is, whole.dates[inside], _index(series.gross[inside]), _index(series.net[inside]),
        tuple(_years(whole.dates, series)),
    )  # fmt: skip


def _index(returns: Floats) -> Floats:
    return np.concatenate([[1.0], np.cumprod(1.0 + returns[1:])])


def _years(days: Dates, series: Series) -> list[OfYear]:
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    found = []
    for year in np.unique(years).tolist():
        own = np.flatnonzero(years == year)
        own = own[own > 0]
        if not len(own):
            continue
        before = series.net_value[own[0] - 1]
        found.append(
            OfYear(
                year,
                float(np.prod(1.0 + series.gross[own]) - 1.0),
                float(np.prod(1.0 + series.net[own]) - 1.0),
                float(series.management[own].sum() / before),
                float(series.performance[own].sum() / before),
            )
        )
    return found
