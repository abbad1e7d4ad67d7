"""From stores to what the Portfolio tab shows: one portfolio beside its benchmark, others, and the fund's parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.performance import (
    Track,
    Window,
    anchor_day,
    at_frequency,
    at_window,
    between_dates,
    common,
    on_dates,
    until,
)
from dashboard.portfolio.histories import Nav, fund, marks, price_track
from dashboard.portfolio.query import DAY_SECONDS, FREQUENCY_NAMES, NO_BENCHMARK, PERIODS, Asked, Days, Frequency, asked
from dashboard.views.tab import Choices
from storage.clickhouse.reads.portfolio import intraday_nav, priced_instruments
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

INTRADAY_POINTS = 900
FEWEST_INTRADAY = 2
NAMES = {"SP500": "S&P 500"}
"""How instruments are called on the page, where the symbol is not their name."""


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One portfolio or benchmark: what one line of a chart and one column of a table are made of."""

    key: str
    """Value in the URL: origin:id of a portfolio, the symbol of a benchmark."""
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


@dataclass(frozen=True, eq=False, slots=True)
class Restatement:
    """A value that was replaced by another."""

    day: np.datetime64
    was: float
    now: float
    flow_was: float
    flow_now: float
    at: float
    """Epoch seconds when the new value came."""
    source: str
    """What brought it."""


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """What the page shows. Every line is cut at the as-of day; windows are those of `own`."""

    own: Line
    benchmark: Line | None
    """On the days of `own` that it has; with weeks or months, in the periods of `own` that it has."""
    compared: tuple[Line, ...]
    """Other portfolios, six at most, in the window of `own` on their own days."""
    family: tuple[Line, ...]
    """The parts of the chosen portfolio, else those that have the same parent, itself among them; on their own days."""
    head: Line | None
    """The portfolio that `family` are the parts of; None when they have no parent."""
    window: Window
    span: Days | None
    """A zoom or custom range; instead of the window."""
    frequency: Frequency
    """D, W or M: how often `whole` and `part` have a return."""
    risk_free: float
    """A year, as a ratio."""
    as_of: np.datetime64 | None
    """The chosen day, None for the newest; `last_day` is the day that everything is anchored at."""
    highlight: np.datetime64 | None
    """Peak day of a drawdown to shade."""
    intraday: tuple[list[int], list[float]] | None
    """Epoch seconds and values of the last day, external money taken out, beginning with the close before; None
    unless the window is 1D and that day has several values."""
    restatements: tuple[Restatement, ...]
    """Of `own`, newest first."""
    problems: tuple[str, ...]
    """Choices that could not be read, in words."""

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
        if self.frequency != "D":
            return PERIODS[self.frequency]
        return (line.portfolio or self.portfolio).periods_per_year

    def pair(self, line: Line) -> tuple[Track, Track]:
        """Return the window of `line` and that of the benchmark on their common days. Only with a benchmark."""
        assert self.benchmark is not None
        return common(line.part, self.benchmark.part, self.frequency)

    @property
    def frequency_name(self) -> str:
        """Return daily, weekly or monthly."""
        return FREQUENCY_NAMES[self.frequency]

    @property
    def is_zoomed(self) -> bool:
        """Return whether a custom range is shown instead of a window."""
        return self.span is not None

    @property
    def window_name(self) -> str:
        """Return the window in a word."""
        return "range" if self.is_zoomed else self.window

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
    def whole_benchmark(self) -> Track | None:
        """Return the whole history of the benchmark."""
        return self.benchmark.whole if self.benchmark else None

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
    """Return the value that stands for a portfolio in the URL."""
    return f"{portfolio.origin}:{portfolio.id}"


def find(stores: Stores, choices: Choices) -> Portfolio | None:
    """Return the chosen portfolio, else the first; None when there is none at all."""
    known = list_portfolios(stores.state)
    wanted = choices.get("portfolio", "")
    return next((each for each in known if key_of(each) == wanted), known[0] if known else None)


def benchmarks(stores: Stores, portfolio: Portfolio | None) -> list[tuple[str, str]]:
    """Return (symbol, name) of every instrument of the portfolio's origin, its own benchmark first, and "none"."""
    origin = portfolio.origin if portfolio else ""
    symbols = [symbol for of, symbol in priced_instruments(stores.clickhouse) if of == origin]
    own = portfolio.benchmark if portfolio else ""
    ordered = sorted(symbols, key=lambda symbol: (symbol != own, symbol))
    return [*((symbol, instrument_name(symbol)) for symbol in ordered), (NO_BENCHMARK, "no benchmark")]


def default_benchmark(portfolio: Portfolio | None) -> str:
    """Return the benchmark that the portfolio was given."""
    return (portfolio.benchmark if portfolio else "") or NO_BENCHMARK


def read(stores: Stores, portfolio: Portfolio, choices: Choices) -> Shown:
    """Return what the page shows of `portfolio`. Raises StorageUnavailable or StorageRejected."""
    wanted = asked(choices)
    known = list_portfolios(stores.state)
    own = _line(stores, portfolio, wanted)
    by_key = {key_of(each): each for each in known}
    others = [by_key[key] for key in wanted.compared if key in by_key and key != own.key]
    unknown = [f"Compare: there is no portfolio {key}." for key in wanted.compared if key not in by_key]
    parts = family(known, portfolio)
    symbol = choices.get("benchmark", default_benchmark(portfolio))
    return Shown(
        own=own,
        benchmark=_benchmark(stores, portfolio.origin, "" if symbol == NO_BENCHMARK else symbol, own, wanted),
        compared=tuple(_line(stores, each, wanted, beside=own) for each in others),
        family=tuple(_line(stores, each, wanted) for each in parts),
        head=next((_line(stores, each, wanted) for each in known if is_head(each, parts)), None),
        window=wanted.window,
        span=wanted.span,
        frequency=wanted.frequency,
        risk_free=wanted.risk_free,
        as_of=wanted.as_of,
        highlight=wanted.highlight,
        intraday=_intraday(stores, own, wanted),
        restatements=_restated(stores, own, wanted),
        problems=(*wanted.problems, *unknown, *_too_late(stores, own, wanted)),
    )


def family(known: list[Portfolio], portfolio: Portfolio) -> list[Portfolio]:
    """Return the parts of a portfolio; of one that has none, those with the same parent, itself among them."""
    of_origin = [each for each in known if each.origin == portfolio.origin]
    parts = [each for each in of_origin if each.parent == portfolio.id]
    return parts or [each for each in of_origin if each.parent == portfolio.parent]


def is_head(portfolio: Portfolio, parts: list[Portfolio]) -> bool:
    """Return whether `parts` are those of a portfolio."""
    return (portfolio.origin, portfolio.id) == (parts[0].origin, parts[0].parent)


def _line(stores: Stores, portfolio: Portfolio, wanted: Asked, beside: Line | None = None) -> Line:
    """Return a portfolio's line in its own window or, `beside` another, in that one's; on its own days."""
    found = fund(stores, portfolio.origin).history(portfolio.id)
    nav, daily = found.nav, found.track
    if wanted.as_of is not None:
        nav, daily = nav.until(wanted.as_of), until(daily, wanted.as_of)
    whole = at_frequency(daily, wanted.frequency)
    part = at_frequency(_window(daily, wanted) if beside is None else _beside(daily, beside, wanted), wanted.frequency)
    return Line(key_of(portfolio), portfolio.name, portfolio, nav, daily, whole, part)


def _window(daily: Track, wanted: Asked) -> Track:
    return between_dates(daily, *wanted.span) if wanted.span else at_window(daily, wanted.window)


def _beside(daily: Track, own: Line, wanted: Asked) -> Track:
    """Return the window of `own` of another history."""
    if not len(own.part):
        return between_dates(daily, *wanted.span) if wanted.span else until(daily, np.datetime64("0001-01-01"))
    start = wanted.span[0] if wanted.span else anchor_day(own.daily.dates, wanted.window)
    return between_dates(daily, max(start, own.part.dates[0]), own.part.dates[-1])


def _benchmark(stores: Stores, origin: str, symbol: str, own: Line, wanted: Asked) -> Line | None:
    if not symbol:
        return None
    prices = price_track(stores, origin, symbol)
    if wanted.as_of is not None:
        prices = until(prices, wanted.as_of)
    if not len(prices):
        return None
    return Line(
        key=symbol,
        name=instrument_name(symbol),
        portfolio=None,
        nav=None,
        daily=on_dates(prices, own.daily.dates),
        whole=_in_periods(prices, own.daily, own.whole, wanted),
        part=_in_periods(prices, _window(own.daily, wanted), own.part, wanted),
    )


def _in_periods(prices: Track, days: Track, own: Track, wanted: Asked) -> Track:
    """Return the prices over `days` in the periods of `own`, which is `days` in the chosen frequency."""
    if wanted.frequency == "D" or not len(days):
        return on_dates(prices, own.dates)
    inside = at_frequency(between_dates(prices, days.dates[0], days.dates[-1]), wanted.frequency)
    return common(own, inside, wanted.frequency)[1]


def _intraday(stores: Stores, own: Line, wanted: Asked) -> tuple[list[int], list[float]] | None:
    if wanted.window != "1D" or wanted.span or own.portfolio is None or own.nav is None or len(own.nav) < 2:
        return None
    start = int(own.nav.dates[-1].astype(np.int64)) * DAY_SECONDS
    found = intraday_nav(
        stores.clickhouse, own.portfolio.origin, own.portfolio.id, start, start + DAY_SECONDS - 1, INTRADAY_POINTS
    )
    if len(found.ts) < FEWEST_INTRADAY:
        return None
    values = found.values - np.cumsum(found.flows)
    return [start, *found.ts.tolist()], [float(own.nav.value[-2]), *values.tolist()]


def _restated(stores: Stores, own: Line, wanted: Asked) -> tuple[Restatement, ...]:
    assert own.portfolio is not None
    found = tuple(
        Restatement(
            np.datetime64(each.ts // DAY_SECONDS, "D"), each.was, each.now, each.flow_was, each.flow_now, each.at,
            each.source,
        )
        for each in marks(stores, own.portfolio.origin, own.portfolio.id)
    )  # fmt: skip
    return tuple(each for each in found if wanted.as_of is None or each.day <= wanted.as_of)


def _too_late(stores: Stores, own: Line, wanted: Asked) -> list[str]:
    if wanted.as_of is None or own.portfolio is None:
        return []
    known = fund(stores, own.portfolio.origin).history(own.portfolio.id).nav
    if not len(known):
        return []
    if wanted.as_of > known.dates[-1]:
        return [f"As of: {wanted.as_of} is later than the last value, {known.dates[-1]}, which is shown."]
    if wanted.as_of < known.dates[0]:
        return [f"As of: {wanted.as_of} is before the first value, {known.dates[0]}; there is nothing to show."]
    return []
