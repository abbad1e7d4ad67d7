"""What a query asks for: one portfolio beside its benchmark, others, and the fund's parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import Cadence
from analytics.performance import Track, anchor_day, common
from portfolio.frequency import PERIODS
from portfolio.fund import Fund
from portfolio.given import said_of
from portfolio.history import History, Nav
from portfolio.intraday import Intraday
from portfolio.query import DEFAULT_ROLLING, FREQUENCY_NAMES, UNIT, UNITS, Frequency, PortfolioQuery
from portfolio.series.reference import Reference
from portfolio.series.risk_free import RiskFreeRate
from storage.clickhouse.reads.restatements import Restatement
from storage.state.portfolios import Portfolio

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One portfolio or benchmark: what one line of a chart and one column of a table are made of."""

    key: str
    """origin:id of a portfolio, the symbol of a benchmark."""
    name: str
    portfolio: Portfolio | None
    """None for a benchmark."""
    nav: Nav | None
    """Value and flows by day up to the as-of day; None for a benchmark."""
    cadence: Cadence
    """How often it is valued; of a benchmark: how often the portfolio is that it stands beside."""
    daily: Track
    """The whole history as it is valued, by day at most, for calendar figures."""
    whole: Track
    """The whole history in the chosen frequency."""
    part: Track
    """The window in the chosen frequency; its index begins at 1."""
    currency: str = ""
    """Of a portfolio's values and returns: its own; of a part beside others that of the fund, where there is a rate."""
    made_of: tuple[str, ...] = ()
    """Ids of the parts that a portfolio is the sum of; empty: its values are its own."""
    built: tuple[str, ...] = ()
    """Ids of those, itself or parts of it, whose values are built from trades, since nobody reported any."""
    told: tuple[str, ...] = ()
    """What is set of the portfolio that its figures depend on, and what of its parts could not be converted."""


@dataclass(frozen=True, eq=False, slots=True)
class PortfolioData:
    """What a query asks for. Every line is cut at the as-of day; windows are those of `own`."""

    query: PortfolioQuery
    """As asked for, but for a window that is too short for how often `own` is valued: the default one."""
    frequency: Frequency
    """How often returns are measured: as asked for, unless that is finer than `own` is valued."""
    own: Line
    benchmark: Line | None
    """On the days of `own` that it has; with weeks or months, in the periods of `own` that it has."""
    compared: tuple[Line, ...]
    """Other portfolios, six at most, in the window of `own` on their own days."""
    family: tuple[Line, ...]
    """The parts of the chosen portfolio, else those that have the same parent, itself among them; on their own days."""
    head: Line | None
    """The portfolio that `family` are the parts of; None when they have no parent."""
    intraday: Intraday | None
    """The last day, beginning with the close before; None unless the window is 1D and that day has several values."""
    restatements: tuple[Restatement, ...]
    """Of `own`, newest first."""
    cash: Mapping[str, float]
    """Of `own` and those compared, by key, where their positions of the last day are known."""
    risk_free: RiskFreeRate
    """That of every figure that needs one, of all lines."""
    reference: Reference | None
    """What the benchmark is made of; None when none is wanted."""
    fund: Fund
    """Every portfolio of the origin, for values in another currency."""

    @property
    def portfolio(self) -> Portfolio:
        """Return the chosen portfolio."""
        assert self.own.portfolio is not None
        return self.own.portfolio

    @property
    def nav(self) -> Nav:
        """Return value and flows of the chosen portfolio by day."""
        assert self.own.nav is not None
        return self.own.nav

    @property
    def periods(self) -> float:
        """Return how many returns a year has in the chosen frequency."""
        return self.periods_of(self.own)

    def periods_of(self, line: Line) -> float:
        """Return how many returns a year a portfolio has in the chosen frequency."""
        return min(PERIODS[self.frequency], line.cadence.periods)

    @property
    def rolling(self) -> int:
        """Return how many returns a rolling figure has."""
        return self.query.rolling or DEFAULT_ROLLING[self.frequency]

    @property
    def frequency_name(self) -> str:
        """Return daily, weekly, monthly, quarterly or irregular."""
        return "irregular" if self._is_irregular else FREQUENCY_NAMES[self.frequency]

    @property
    def unit(self) -> str:
        """Return what one period is called."""
        return "period" if self._is_irregular else UNIT[self.frequency]

    @property
    def units(self) -> str:
        """Return what several periods are called."""
        return "periods" if self._is_irregular else UNITS[self.frequency]

    @property
    def counted(self) -> str:
        """Return what a number of returns is told in: values where they are daily, for they are no calendar days."""
        return "values" if self.frequency == "D" else self.units

    @property
    def _is_irregular(self) -> bool:
        return self.frequency == "D" and self.own.cadence.rhythm == "irregular"

    def pair(self, line: Line) -> tuple[Track, Track]:
        """Return the window of `line` and that of the benchmark on their common days. Only with a benchmark."""
        assert self.benchmark is not None
        return common(line.part, self.benchmark.part, self.frequency)

    @property
    def family_currency(self) -> str:
        """Return the currency that the family is added up in: of the portfolio that it is the parts of."""
        assert self.own.portfolio is not None
        whole = self.head.portfolio if self.head else None
        return (whole or self.own.portfolio).currency

    @property
    def told(self) -> Line:
        """Return the line whose drawdowns and months are told: the chosen portfolio or one of those compared."""
        return next((line for line in self.compared if line.key == self.query.line), self.own)

    @property
    def last_day(self) -> np.datetime64 | None:
        """Return the last day with a value on or before the as-of day: every calendar window ends there."""
        return self.nav.dates[-1] if len(self.nav) else None

    @property
    def whole(self) -> Track:
        """Return the whole history of the chosen portfolio."""
        return self.own.whole

    @property
    def part(self) -> Track:
        """Return the window of the chosen portfolio."""
        return self.own.part

    @property
    def part_benchmark(self) -> Track | None:
        """Return the window of the benchmark."""
        return self.benchmark.part if self.benchmark else None

    @property
    def benchmark_name(self) -> str:
        """Return what the benchmark is called, empty for none."""
        return self.benchmark.name if self.benchmark else ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return the chosen portfolio and those it is compared with, in the order of the series colours."""
        return (self.own, *self.compared)


def history_in(data: PortfolioData, line: Line, currency: str) -> History:
    """Return the history of a portfolio's line, up to the as-of day, in a currency."""
    assert line.portfolio is not None
    found = whole_history_in(data, line, currency)
    return found if data.query.as_of is None else found.until(data.query.as_of, said_of(line.portfolio))


def whole_history_in(data: PortfolioData, line: Line, currency: str) -> History:
    """Return the history of a portfolio's line in a currency, whatever the as-of day: made once for all viewers."""
    portfolio = line.portfolio
    assert portfolio is not None
    own = "" if portfolio.currency == currency else currency
    return data.fund.history(portfolio.id, said_of(portfolio), own)


def is_whole(data: PortfolioData) -> bool:
    """Return whether the window would begin before the first value."""
    dates = data.own.daily.dates
    if not len(dates):
        return False
    start = data.query.span[0] if data.query.span else anchor_day(dates, data.query.window)
    return bool(start < dates[0])


def begins_in_gap(data: PortfolioData) -> bool:
    """Return whether the window begins after a gap that its first day lies in."""
    dates = data.own.daily.dates
    if data.query.span or not len(data.part):
        return False
    return bool(data.part.dates[0] > max(anchor_day(dates, data.query.window), dates[0]))
