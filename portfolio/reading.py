"""From stores to what a query asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
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
from portfolio.allowed import A_FILE, Limits, seen
from portfolio.cash import cash_of
from portfolio.frequency import measured_in, windows_offered
from portfolio.fund import Fund
from portfolio.given import said_of, sentences
from portfolio.histories import fund, marks
from portfolio.intraday import Intraday, growth_within
from portfolio.query import DEFAULT_WINDOW, NO_BENCHMARK, Frequency, PortfolioQuery
from portfolio.series.reference import Reference, reference
from portfolio.series.risk_free import risk_free_of
from storage.clickhouse.reads.restatements import Restatement
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores
from portfolio.chosen import family, find, is_head, key_now, key_of
from portfolio.data import Line, PortfolioData


def read(stores: Stores, query: PortfolioQuery, limits: Limits) -> PortfolioData:
    """Return what `query` asks for; of what is not there, what stands in for it (see warnings.py).

    limits: the only own portfolios that may be seen (Viewer.portfolios); another one is none.
    Raises NoPortfolio when there is none at all, StorageUnavailable or StorageRejected.
    """
    known = seen(list_portfolios(stores.state), limits)
    portfolio = find(known, key_now(stores, known, query.portfolio))
    if portfolio is None:
        raise NoPortfolio("there is no portfolio yet")
    own, query = _own(stores, portfolio, query)
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
        restatements=_restatements(stores, own, query, limits),
        cash=_cash(stores, [own, *compared]),
        risk_free=risk_free_of(stores, portfolio, query.risk_free),
        reference=beside,
        fund=fund(stores, portfolio.origin).seen(limits),
    )


def read_alone(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, whole: Fund | None = None, *, with_cash: bool = False
) -> PortfolioData:
    """Return what `query` asks for of a portfolio beside its benchmark, without any other portfolio, day or remark.

    For whoever wants figures of many portfolios, one after the other. whole: the fund as it was at some moment; None:
    as it is. with_cash: whether the cash among its positions is wanted, a statement or more: it takes ten times as
    long. Raises StorageUnavailable or StorageRejected.
    """
    whole = whole or fund(stores, portfolio.origin)
    own, query = _own(stores, portfolio, query, whole)
    frequency = measured_in(own.cadence, query.frequency)
    beside = _reference(stores, portfolio, query.benchmark or portfolio.benchmark)
    return PortfolioData(
        query=query,
        frequency=frequency,
        own=own,
        benchmark=_benchmark(beside, query.benchmark or portfolio.benchmark, own, query, frequency),
        compared=(),
        family=(),
        head=None,
        intraday=None,
        restatements=(),
        cash=_cash(stores, [own]) if with_cash else {},
        risk_free=risk_free_of(stores, portfolio, query.risk_free),
        reference=beside,
        fund=whole,
    )


def _own(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, whole: Fund | None = None
) -> tuple[Line, PortfolioQuery]:
    """Return a portfolio's line, and the query: with the default window where the one asked for is too short for it."""
    own = _line(stores, portfolio, query, whole=whole)
    if query.window in windows_offered(own.cadence):
        return own, query
    query = replace(query, window=DEFAULT_WINDOW)
    return _line(stores, portfolio, query, whole=whole), query


def _line(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, frequency: Frequency | None = None,
    beside: Line | None = None, currency: str = "", whole: Fund | None = None,
) -> Line:  # fmt: skip
    """Return a portfolio's line in its own window or, `beside` another, in that one's; on its own days.

    In `currency`, or in its own where that is left out or there is no rate.
    """
    said, whole = said_of(portfolio), whole or fund(stores, portfolio.origin)
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
        built=found.built,
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
    if query.window != "1D" or query.span or own.portfolio is None or own.nav is None or not len(own.nav):
        return None
    return growth_within(stores, fund(stores, own.portfolio.origin), own.portfolio, own.nav.dates[-1])


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


def _restatements(stores: Stores, own: Line, query: PortfolioQuery, limits: Limits) -> tuple[Restatement, ...]:
    """Return those of a portfolio, or of the portfolios that it is the sum of, newest first.

    Which file it was is not told under limits: its name, or what else was in it, may be another portfolio's.
    """
    assert own.portfolio is not None
    whole, origin = fund(stores, own.portfolio.origin), own.portfolio.origin
    found = [mark for id in whole.sources(own.portfolio.id) for mark in marks(stores, origin, id)]
    kept = [each for each in found if query.as_of is None or each.day <= query.as_of]
    if limits is not None:
        kept = [replace(each, source=A_FILE) for each in kept]
    return tuple(sorted(kept, key=lambda mark: -mark.at))
