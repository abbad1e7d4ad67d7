"""What a query asks for and its data cannot hold: of things that are not there, or have no value on those days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.format import count, first_of
from portfolio.chosen import benchmarks, not_known
from portfolio.data import Line, PortfolioData
from portfolio.given import said_of
from portfolio.query import FREQUENCY_NAMES, LAST_DAY, NO_BENCHMARK, PortfolioQuery, said_days

if TYPE_CHECKING:
    from storage.stores import Stores


def warnings(stores: Stores, data: PortfolioData, asked: PortfolioQuery | None = None) -> list[str]:
    """Return a sentence for each: field, what is wrong with it, what is used instead.

    asked: the query that `data` answers; None where it is the one that it has.
    Raises StorageUnavailable or StorageRejected.
    """
    return [
        *_portfolio(data),
        *_window(data, asked or data.query),
        *_frequency(data),
        *_rolling(data),
        *_benchmark(stores, data),
        *_as_of(data),
        *_range(data),
        *_compared(data),
    ]


def _portfolio(data: PortfolioData) -> list[str]:
    return [*not_known(data.query.portfolio, data.portfolio)]


def _window(data: PortfolioData, asked: PortfolioQuery) -> list[str]:
    if asked.window == data.query.window:
        return []
    rhythm = data.own.cadence.rhythm
    return [f"Window: {asked.window} is too short for {rhythm} values, those of {data.portfolio.name}; "
            f"{data.query.window} is used."]  # fmt: skip


def _rolling(data: PortfolioData) -> list[str]:
    wanted, there = data.query.rolling, max(len(data.whole) - 1, 0)
    if wanted is None or wanted < there:
        return []
    known = count(there, "return")
    return [f"Rolling: {wanted} {data.units} are more than the {known} there are; no rolling figure is shown."]


def _frequency(data: PortfolioData) -> list[str]:
    wanted = data.query.frequency
    if wanted is None or wanted == data.frequency:
        return []
    finer = f"{FREQUENCY_NAMES[wanted]} ones are finer than the {data.own.cadence.rhythm} values"
    return [f"Returns: {finer} of {data.portfolio.name}; those of its values are used."]


def _benchmark(stores: Stores, data: PortfolioData) -> list[str]:
    wanted = data.query.benchmark or data.portfolio.benchmark
    if data.benchmark is not None:
        return _no_prices(data, data.benchmark)
    if wanted in ("", NO_BENCHMARK):
        return []
    name = benchmarks(stores, data.portfolio).get(wanted)
    if name is not None:
        why = next(iter(data.reference.told[-1:]), "") if data.reference else ""
        return [
            f"Benchmark: {why}; none is used." if why else f"Benchmark: {name} has no price that early; none is used."
        ]
    return [f"Benchmark: there are no prices of “{wanted}”; none is used."]


def _no_prices(data: PortfolioData, benchmark: Line) -> list[str]:
    days = data.reference.none if data.reference else ()
    if not len(days):
        return []
    which = first_of([str(day) for day in days])
    return [f"Benchmark: the price of {benchmark.name} is zero or negative on {which}; it is left out there."]


def _as_of(data: PortfolioData) -> list[str]:
    day = data.query.as_of
    values = data.fund.history(data.portfolio.id, said_of(data.portfolio)).nav
    if day is None or not len(values):
        return []
    first, last = values.dates[[0, -1]]
    if day > last:
        return [f"As of: {day} is later than the last value, {last}, which is used."]
    if day < first:
        return [f"As of: {day} is before the first value, {first}."]
    return []


def _range(data: PortfolioData) -> list[str]:
    span, day = data.query.span, data.query.as_of
    if span is None or not len(data.nav):
        return []
    if not len(data.part):
        return [f"Range: no value {said_days(span)}; the values run from {data.nav.dates[0]} to {data.nav.dates[-1]}."]
    if day is not None and day < span[1] < LAST_DAY:
        return [f"Range: it ends with the as-of day, {day}, not on {span[1]}."]
    return []


def _compared(data: PortfolioData) -> list[str]:
    name, there = data.portfolio.name, {line.key for line in data.compared}
    gone = [key for key in data.query.compared if key not in there and key != data.own.key]
    alone = [line.name for line in data.compared if len(data.part) and not len(line.part)]
    return [
        *(f"Compare: there is no portfolio “{key}”." for key in gone),
        *([f"Compare: {name} is the portfolio itself; it counts once."] if data.own.key in data.query.compared else []),
        *(f"Compare: {other} has no day in common with {name} here; it has no line." for other in alone),
    ]
