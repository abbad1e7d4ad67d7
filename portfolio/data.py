"""From stores to what a query asks for: one portfolio beside its benchmark, others, and the fund's parts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import Cadence, cadence_of
from analytics.performance import (
    Track,
    anchor_day,
    at_frequency,
    before_dates,
    between,
    between_dates,
    common,
    known_beside,
    on_dates,
    until,
)
from core.errors import NoPortfolio
from portfolio.cash import cash_of
from portfolio.frequency import PERIODS, measured_in, windows_offered
from portfolio.given import said_of, sentences
from portfolio.histories import Fund, fund, marks
from portfolio.history import History, Nav
from portfolio.intraday import Intraday, growth_within
from portfolio.query import (
    DEFAULT_ROLLING,
    DEFAULT_WINDOW,
    FREQUENCY_NAMES,
    NO_BENCHMARK,
    UNIT,
    UNITS,
    Frequency,
    PortfolioQuery,
)
from portfolio.series.reference import Reference, catalogue, reference
from portfolio.series.risk_free import RiskFreeRate, risk_free_of
from portfolio.tree.names import ids_by_name
from storage.clickhouse.reads.portfolio import Restatement
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores


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


def key_of(portfolio: Portfolio) -> str:
    """Return the key of a portfolio in a query."""
    return f"{portfolio.origin}:{portfolio.id}"


def find(known: Sequence[Portfolio], key: str) -> Portfolio | None:
    """Return the portfolio of this key, else the first that is no part of another; None when there is none at all."""
    tops = [each for each in known if not each.parent] or [*known]
    return next((each for each in known if key_of(each) == key), tops[0] if tops else None)


def _key_now(stores: Stores, known: Sequence[Portfolio], key: str) -> str:
    """Return the key of the portfolio that an own one became part of when it was merged; any other key stays."""
    origin, _, id = key.partition(":")
    if origin != OWN or any(key_of(each) == key for each in known):
        return key
    return f"{OWN}:{ids_by_name(stores.state).get(id, id)}"


def benchmarks(stores: Stores, portfolio: Portfolio) -> dict[str, str]:
    """Return the name of every benchmark of the portfolio's origin by key, its own first.

    Raises StorageUnavailable or StorageRejected.
    """
    known = catalogue(stores, portfolio.origin)
    keys = sorted(known.benchmarks(), key=lambda key: (key != portfolio.benchmark, known.name(key)))
    return {key: known.name(key) for key in keys}


def default_benchmark(portfolio: Portfolio | None) -> str:
    """Return the benchmark that the portfolio was given."""
    return (portfolio.benchmark if portfolio else "") or NO_BENCHMARK


def read(stores: Stores, query: PortfolioQuery) -> PortfolioData:
    """Return what `query` asks for; of what is not there, what stands in for it (see warnings.py).

    Raises NoPortfolio when there is none at all, StorageUnavailable or StorageRejected.
    """
    known = list_portfolios(stores.state)
    portfolio = find(known, _key_now(stores, known, query.portfolio))
    if portfolio is None:
        raise NoPortfolio("there is no portfolio yet")
    own = _line(stores, portfolio, query)
    if query.window not in windows_offered(own.cadence):
        query = replace(query, window=DEFAULT_WINDOW)
        own = _line(stores, portfolio, query)
    frequency = measured_in(own.cadence, query.frequency)
    by_key = {key_of(each): each for each in known}
    others = [by_key[key] for key in query.compared if key in by_key and key != own.key]
    parts = family(known, portfolio)
    head = next((each for each in known if is_head(each, parts)), None)
    common_currency = (head or portfolio).currency
    compared = tuple(_line(stores, each, query, frequency, beside=own) for each in others)
    beside = _reference(stores, portfolio, query.benchmark or portfolio.benchmark)
    return PortfolioData(
        query=query,
        frequency=frequency,
        own=own,
        benchmark=_benchmark(beside, query.benchmark or portfolio.benchmark, own, query, frequency),
        compared=compared,
        family=tuple(_line(stores, each, query, frequency, currency=common_currency) for each in parts),
        head=_line(stores, head, query, frequency) if head else None,
        intraday=_intraday(stores, own, query),
        restatements=_restatements(stores, own, query),
        cash=_cash(stores, [own, *compared]),
        risk_free=risk_free_of(stores, portfolio, query.risk_free),
        reference=beside,
        fund=fund(stores, portfolio.origin),
    )


def family(known: list[Portfolio], portfolio: Portfolio) -> list[Portfolio]:
    """Return the parts of a portfolio; of one that has none, those with the same parent, itself among them."""
    of_origin = [each for each in known if each.origin == portfolio.origin]
    parts = [each for each in of_origin if each.parent == portfolio.id]
    return parts or [each for each in of_origin if each.parent == portfolio.parent]


def is_head(portfolio: Portfolio, parts: list[Portfolio]) -> bool:
    """Return whether `parts` are those of a portfolio."""
    return (portfolio.origin, portfolio.id) == (parts[0].origin, parts[0].parent)


def _line(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, frequency: Frequency | None = None,
    beside: Line | None = None, currency: str = "",
) -> Line:  # fmt: skip
    """Return a portfolio's line in its own window or, `beside` another, in that one's; on its own days.

    In `currency`, or in its own where that is left out or there is no rate.
    """
    said, whole = said_of(portfolio), fund(stores, portfolio.origin)
    found = whole.history(portfolio.id, said)
    if currency not in ("", portfolio.currency):
        converted = whole.history(portfolio.id, said, currency)
        currency = currency if len(converted.nav) else portfolio.currency
        found = converted if len(converted.nav) else found
    if query.as_of is not None:
        found = found.until(query.as_of, said)
    daily, cadence = found.track, found.cadence
    measured = frequency or measured_in(cadence, query.frequency)
    part = _window(daily, cadence, query) if beside is None else _beside(daily, beside, query)
    return Line(
        key=key_of(portfolio),
        name=portfolio.name,
        portfolio=portfolio,
        nav=found.nav,
        cadence=cadence,
        daily=daily,
        whole=at_frequency(daily, measured),
        part=at_frequency(part, measured),
        currency=currency or portfolio.currency,
        made_of=found.made_of,
        told=(
            *sentences(portfolio, cadence_of(daily.dates).rhythm, cadence.rhythm, found.left_out, stores.clock.now()),
            *found.told,
        ),
    )


def _window(daily: Track, cadence: Cadence, query: PortfolioQuery) -> Track:
    """Return the days asked for. A window that would begin in a gap begins after it: before it lies another time."""
    if query.span:
        return between_dates(daily, *query.span)
    if not len(daily):
        return daily
    day = anchor_day(daily.dates, query.window)
    start = max(int(np.searchsorted(daily.dates, day, side="right")) - 1, 0)
    is_in_gap = daily.dates[start] < day and not cadence.is_near(daily.dates[start], day)
    return between(daily, start + 1 if is_in_gap else start)


def _beside(daily: Track, own: Line, query: PortfolioQuery) -> Track:
    """Return the window of `own` of another history."""
    if not len(own.part):
        return between_dates(daily, *query.span) if query.span else until(daily, np.datetime64("0001-01-01"))
    start = query.span[0] if query.span else anchor_day(own.daily.dates, query.window)
    return between_dates(daily, max(start, own.part.dates[0]), own.part.dates[-1])


def _reference(stores: Stores, portfolio: Portfolio, key: str) -> Reference | None:
    return None if key in ("", NO_BENCHMARK) else reference(stores, portfolio.origin, key, portfolio.currency)


def _benchmark(
    found: Reference | None, key: str, own: Line, query: PortfolioQuery, frequency: Frequency
) -> Line | None:
    if found is None:
        return None
    prices = found.track if query.as_of is None else until(found.track, query.as_of)
    if not len(prices):
        return None
    is_daily = own.cadence.rhythm == "daily"
    beside = on_dates if is_daily else before_dates
    daily = beside(prices, own.daily.dates)
    days = prices if is_daily else daily
    window = _window(own.daily, own.cadence, query)
    return Line(
        key=key,
        name=found.name,
        portfolio=None,
        nav=None,
        cadence=own.cadence,
        daily=known_beside(daily, own.daily),
        whole=known_beside(_in_periods(days, own.daily, own.whole, frequency), own.whole),
        part=known_beside(_in_periods(days, window, own.part, frequency), own.part),
    )


def _in_periods(prices: Track, days: Track, own: Track, frequency: Frequency) -> Track:
    """Return the prices over `days` in the periods of `own`, which is `days` in the chosen frequency."""
    if frequency == "D" or not len(days):
        return on_dates(prices, own.dates)
    inside = at_frequency(between_dates(prices, days.dates[0], days.dates[-1]), frequency)
    return common(own, inside, frequency)[1]


def _intraday(stores: Stores, own: Line, query: PortfolioQuery) -> Intraday | None:
    if query.window != "1D" or query.span or own.portfolio is None or own.nav is None:
        return None
    return growth_within(stores, own.portfolio, own.nav)


def _cash(stores: Stores, lines: Sequence[Line]) -> dict[str, float]:
    """Return the cash of each line on its last day where it is known, in its currency: its own, else its parts'."""
    found: dict[str, float] = {}
    for line in lines:
        if line.portfolio is None or line.nav is None or not len(line.nav):
            continue
        amount = cash_of(stores, line.portfolio, line.nav.dates[-1].item(), line.portfolio.currency)
        if not math.isnan(amount):
            found[line.key] = amount
    return found


def _restatements(stores: Stores, own: Line, query: PortfolioQuery) -> tuple[Restatement, ...]:
    """Return those of a portfolio, or of the portfolios that it is the sum of, newest first."""
    assert own.portfolio is not None
    whole, origin = fund(stores, own.portfolio.origin), own.portfolio.origin
    found = [mark for id in whole.sources(own.portfolio.id) for mark in marks(stores, origin, id)]
    kept = [each for each in found if query.as_of is None or each.day <= query.as_of]
    return tuple(sorted(kept, key=lambda mark: -mark.at))
