"""From stores to tracks: which portfolio, benchmark and window a page shows, and their histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.performance import WINDOWS, Track, Window, at_window, between_dates, on_dates, track
from dashboard.tab import Choices
from storage.portfolios import Portfolio, list_portfolios
from storage.reads.portfolio import DailySeries, daily_nav, daily_prices, priced_instruments

if TYPE_CHECKING:
    from storage.stores import Stores

PERIODS = 252
"""Returns a year: NAV is daily on trading days."""
DEFAULT_WINDOW: Window = "ITD"
NO_BENCHMARK = "none"
DAY_SECONDS = 86_400
NAMES = {"SP500": "S&P 500"}
"""How instruments are called on the page, where the symbol is not their name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: one portfolio's whole history and its window, beside a benchmark on the same days."""

    portfolio: Portfolio
    benchmark: str
    """Symbol, empty for none."""
    window: Window
    is_zoomed: bool
    series: DailySeries
    whole: Track
    part: Track
    whole_benchmark: Track | None
    part_benchmark: Track | None

    @property
    def benchmark_name(self) -> str:
        """Return what the benchmark is called."""
        return instrument_name(self.benchmark)

    @property
    def window_name(self) -> str:
        """Return the window in a word."""
        return "zoom" if self.is_zoomed else self.window


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


def read(stores: Stores, portfolio: Portfolio, choices: Choices, benchmark: str | None = None) -> Shown:
    """Return what the page shows of `portfolio`, beside `benchmark` or, when None, the chosen one.

    Raises StorageUnavailable or StorageRejected.
    """
    series = daily_nav(stores.clickhouse, portfolio.origin, portfolio.id)
    whole = track(_dates(series), series.value, series.flow)
    window = chosen_window(choices)
    span = zoomed(choices)
    part = between_dates(whole, *span) if span else at_window(whole, window)
    symbol = benchmark or choices.get("benchmark", default_benchmark(portfolio))
    other = _benchmark(stores, portfolio.origin, "" if symbol == NO_BENCHMARK else symbol)
    return Shown(
        portfolio=portfolio,
        benchmark=symbol if other is not None else "",
        window=window,
        is_zoomed=span is not None,
        series=series,
        whole=whole,
        part=part,
        whole_benchmark=on_dates(other, whole.dates) if other is not None else None,
        part_benchmark=on_dates(other, part.dates) if other is not None else None,
    )


def chosen_window(choices: Choices) -> Window:
    """Return the chosen window, the default when the URL names none that exists."""
    wanted = choices.get("window", DEFAULT_WINDOW)
    return next((window for window in WINDOWS if window == wanted), DEFAULT_WINDOW)


def zoomed(choices: Choices) -> tuple[np.datetime64, np.datetime64] | None:
    """Return the first and last day of a zoom, or None."""
    start, end = choices.seconds("from"), choices.seconds("to")
    if start is None or end is None or not 0 < start < end < 2**33:
        return None
    return _day(start), _day(end)


def _benchmark(stores: Stores, origin: str, symbol: str) -> Track | None:
    if not symbol:
        return None
    prices = daily_prices(stores.clickhouse, origin, symbol)
    return track(_dates(prices), prices.value) if prices.days else None


def _dates(series: DailySeries) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.asarray(series.days, dtype="int64").astype("datetime64[D]")


def _day(seconds: float) -> np.datetime64:
    """Return the day whose midnight UTC is nearest: the reader's midnight is at most half a day from it."""
    return np.datetime64(int((seconds + DAY_SECONDS / 2) // DAY_SECONDS), "D")
