"""From stores to what a query asks for: one portfolio beside its benchmark, others, and the fund's parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.performance import Track, anchor_day, at_frequency, at_window, between_dates, common, on_dates, until
from core.errors import NoPortfolio
from portfolio.histories import Nav, fund, marks, price_track
from portfolio.query import DAY_SECONDS, NO_BENCHMARK, PERIODS, PortfolioQuery
from storage.clickhouse.reads.portfolio import Restatement, intraday_nav, priced_instruments
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

INTRADAY_POINTS = 900
FEWEST_INTRADAY = 2
NAMES = {"SP500": "S&P 500"}
"""What instruments are called, where the symbol is not their name."""


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
    daily: Track
    """The whole history by day, for calendar figures."""
    whole: Track
    """The whole history in the chosen frequency."""
    part: Track
    """The window in the chosen frequency; its index begins at 1."""


@dataclass(frozen=True, slots=True)
class Intraday:
    """Values within a day, oldest first, external money taken out."""

    ts: list[int]
    """Epoch seconds."""
    values: list[float]


@dataclass(frozen=True, eq=False, slots=True)
class PortfolioData:
    """What a query asks for. Every line is cut at the as-of day; windows are those of `own`."""

    query: PortfolioQuery
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
    def periods(self) -> int:
        """Return how many returns a year has in the chosen frequency."""
        return self.periods_of(self.own)

    def periods_of(self, line: Line) -> int:
        """Return how many returns a year a portfolio has in the chosen frequency."""
        if self.query.frequency != "D":
            return PERIODS[self.query.frequency]
        return (line.portfolio or self.portfolio).periods_per_year

    def pair(self, line: Line) -> tuple[Track, Track]:
        """Return the window of `line` and that of the benchmark on their common days. Only with a benchmark."""
        assert self.benchmark is not None
        return common(line.part, self.benchmark.part, self.query.frequency)

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


def instrument_name(symbol: str) -> str:
    """Return what an instrument is called."""
    return NAMES.get(symbol, symbol)


def key_of(portfolio: Portfolio) -> str:
    """Return the key of a portfolio in a query."""
    return f"{portfolio.origin}:{portfolio.id}"


def find(known: Sequence[Portfolio], key: str) -> Portfolio | None:
    """Return the portfolio of this key, else the first; None when there is none at all."""
    return next((each for each in known if key_of(each) == key), known[0] if known else None)


def benchmarks(stores: Stores, portfolio: Portfolio) -> list[str]:
    """Return the symbol of every instrument of the portfolio's origin, its own benchmark first.

    Raises StorageUnavailable or StorageRejected.
    """
    symbols = [symbol for origin, symbol in priced_instruments(stores.clickhouse) if origin == portfolio.origin]
    return sorted(symbols, key=lambda symbol: (symbol != portfolio.benchmark, symbol))


def default_benchmark(portfolio: Portfolio | None) -> str:
    """Return the benchmark that the portfolio was given."""
    return (portfolio.benchmark if portfolio else "") or NO_BENCHMARK


def read(stores: Stores, query: PortfolioQuery) -> PortfolioData:
    """Return what `query` asks for; of what is not there, what stands in for it (see warnings.py).

    Raises NoPortfolio when there is none at all, StorageUnavailable or StorageRejected.
    """
    known = list_portfolios(stores.state)
    portfolio = find(known, query.portfolio)
    if portfolio is None:
        raise NoPortfolio("there is no portfolio yet")
    own = _line(stores, portfolio, query)
    by_key = {key_of(each): each for each in known}
    others = [by_key[key] for key in query.compared if key in by_key and key != own.key]
    parts = family(known, portfolio)
    return PortfolioData(
        query=query,
        own=own,
        benchmark=_benchmark(stores, portfolio.origin, query.benchmark or portfolio.benchmark, own, query),
        compared=tuple(_line(stores, each, query, beside=own) for each in others),
        family=tuple(_line(stores, each, query) for each in parts),
        head=next((_line(stores, each, query) for each in known if is_head(each, parts)), None),
        intraday=_intraday(stores, own, query),
        restatements=_restatements(stores, own, query),
    )


def family(known: list[Portfolio], portfolio: Portfolio) -> list[Portfolio]:
    """Return the parts of a portfolio; of one that has none, those with the same parent, itself among them."""
    of_origin = [each for each in known if each.origin == portfolio.origin]
    parts = [each for each in of_origin if each.parent == portfolio.id]
    return parts or [each for each in of_origin if each.parent == portfolio.parent]


def is_head(portfolio: Portfolio, parts: list[Portfolio]) -> bool:
    """Return whether `parts` are those of a portfolio."""
    return (portfolio.origin, portfolio.id) == (parts[0].origin, parts[0].parent)


def _line(stores: Stores, portfolio: Portfolio, query: PortfolioQuery, beside: Line | None = None) -> Line:
    """Return a portfolio's line in its own window or, `beside` another, in that one's; on its own days."""
    found = fund(stores, portfolio.origin).history(portfolio.id)
    nav, daily = found.nav, found.track
    if query.as_of is not None:
        nav, daily = nav.until(query.as_of), until(daily, query.as_of)
    whole = at_frequency(daily, query.frequency)
    part = at_frequency(_window(daily, query) if beside is None else _beside(daily, beside, query), query.frequency)
    return Line(key_of(portfolio), portfolio.name, portfolio, nav, daily, whole, part)


def _window(daily: Track, query: PortfolioQuery) -> Track:
    return between_dates(daily, *query.span) if query.span else at_window(daily, query.window)


def _beside(daily: Track, own: Line, query: PortfolioQuery) -> Track:
    """Return the window of `own` of another history."""
    if not len(own.part):
        return between_dates(daily, *query.span) if query.span else until(daily, np.datetime64("0001-01-01"))
    start = query.span[0] if query.span else anchor_day(own.daily.dates, query.window)
    return between_dates(daily, max(start, own.part.dates[0]), own.part.dates[-1])


def _benchmark(stores: Stores, origin: str, symbol: str, own: Line, query: PortfolioQuery) -> Line | None:
    if symbol in ("", NO_BENCHMARK):
        return None
    prices = price_track(stores, origin, symbol)
    if query.as_of is not None:
        prices = until(prices, query.as_of)
    if not len(prices):
        return None
    return Line(
        key=symbol,
        name=instrument_name(symbol),
        portfolio=None,
        nav=None,
        daily=on_dates(prices, own.daily.dates),
        whole=_in_periods(prices, own.daily, own.whole, query),
        part=_in_periods(prices, _window(own.daily, query), own.part, query),
    )


def _in_periods(prices: Track, days: Track, own: Track, query: PortfolioQuery) -> Track:
    """Return the prices over `days` in the periods of `own`, which is `days` in the chosen frequency."""
    if query.frequency == "D" or not len(days):
        return on_dates(prices, own.dates)
    inside = at_frequency(between_dates(prices, days.dates[0], days.dates[-1]), query.frequency)
    return common(own, inside, query.frequency)[1]


def _intraday(stores: Stores, own: Line, query: PortfolioQuery) -> Intraday | None:
    if query.window != "1D" or query.span or own.portfolio is None or own.nav is None or len(own.nav) < 2:
        return None
    start = int(own.nav.dates[-1].astype(np.int64)) * DAY_SECONDS
    found = intraday_nav(
        stores.clickhouse, own.portfolio.origin, own.portfolio.id, start, start + DAY_SECONDS - 1, INTRADAY_POINTS
    )
    if len(found.ts) < FEWEST_INTRADAY:
        return None
    values = found.values - np.cumsum(found.flows)
    return Intraday([start, *found.ts.tolist()], [float(own.nav.value[-2]), *values.tolist()])


def _restatements(stores: Stores, own: Line, query: PortfolioQuery) -> tuple[Restatement, ...]:
    assert own.portfolio is not None
    found = marks(stores, own.portfolio.origin, own.portfolio.id)
    return tuple(each for each in found if query.as_of is None or each.day <= query.as_of)
