"""The histories of a fund's portfolios and its instruments: read once a version of the data, shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analytics.cadence import cadence_of
from analytics.calendar import Dates
from analytics.performance import Track, track, without_gaps
from core.currency import Pair, pair_of
from core.memo import Memo
from portfolio.built_nav import built_nav
from portfolio.fund import Fund
from portfolio.history import BuiltNav
from portfolio.series.exchange import Exchange
from portfolio.series.rates import accumulated
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.booked import first_booked
from storage.clickhouse.reads.portfolio import Cash, cash, daily_navs
from storage.clickhouse.reads.prices import daily_prices_many, priced_instruments
from storage.clickhouse.reads.restatements import Restatement, restatements
from storage.clickhouse.reads.trades import tellers_of
from storage.state.portfolios import Portfolio, list_portfolios
from storage.state.series import DayCount

if TYPE_CHECKING:
    from storage.stores import Stores

FUNDS_KEPT = 4
"""An origin's whole history each: 200 portfolios over 30 years are 24 MB."""
PRICES_KEPT = 64
MOST_MARKS = 100
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False, slots=True)
class Prices:
    """An instrument's closes as a track."""

    track: Track
    none: Dates
    """Days whose price is zero or negative: it is none, and left out."""


@dataclass(frozen=True, eq=False, slots=True)
class _Memory:
    funds: Memo[Fund] = field(default_factory=lambda: Memo(FUNDS_KEPT))
    prices: Memo[Prices] = field(default_factory=lambda: Memo(PRICES_KEPT))
    exchange: Memo[Exchange] = field(default_factory=lambda: Memo(FUNDS_KEPT))
    instruments: Memo[tuple[str, ...]] = field(default_factory=lambda: Memo(FUNDS_KEPT))
    accounts: Memo[Track] = field(default_factory=lambda: Memo(PRICES_KEPT))
    others: Memo[Any] = field(default_factory=lambda: Memo(PRICES_KEPT))
    cash: Memo[dict[str, Cash]] = field(default_factory=lambda: Memo(PRICES_KEPT))
    marks: Memo[list[Restatement]] = field(default_factory=lambda: Memo(PRICES_KEPT))


_MEMORIES: WeakKeyDictionary[ClickHouse, _Memory] = WeakKeyDictionary()


def fund(stores: Stores, origin: str) -> Fund:
    """Return every portfolio of `origin`. Raises StorageUnavailable or StorageRejected."""
    return _kept(stores, lambda memory: memory.funds, (origin,), lambda: _read(stores, origin))


def price_track(stores: Stores, origin: str, instrument: str) -> Prices:
    """Return an instrument's closes. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.prices,
        (origin, instrument),
        lambda: _prices(stores.clickhouse, origin, instrument),
    )


def exchange(stores: Stores, origin: str) -> Exchange:
    """Return what currencies cost, of the pairs that have prices. Raises StorageUnavailable or StorageRejected."""

    def read() -> Exchange:
        symbols = [symbol for symbol in instruments(stores, origin) if pair_of(symbol)]
        return _exchange(stores.clickhouse, symbols, origin) if symbols else Exchange()

    return _kept(stores, lambda memory: memory.exchange, (origin,), read)


def instruments(stores: Stores, origin: str) -> tuple[str, ...]:
    """Return every symbol of `origin` that has a price or rate. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.instruments,
        (origin,),
        lambda: tuple(symbol for of, symbol in priced_instruments(stores.clickhouse) if of == origin),
    )


def account(stores: Stores, origin: str, symbol: str, day_count: DayCount) -> Track:
    """Return what 1 grows to at a series of rates, by calendar day. Raises StorageUnavailable or StorageRejected."""

    def read() -> Track:
        found = daily_prices_many(stores.clickhouse, origin, [symbol])
        there = np.isfinite(found.values[0])
        return accumulated(found.days[there], found.values[0][there], day_count)

    return _kept(stores, lambda memory: memory.accounts, (origin, symbol, day_count), read)


def kept(stores: Stores, name: tuple[str, ...], make: Callable[[], Kept]) -> Kept:
    """Return what `make` makes of this version of the data, made once; the name begins with what it is."""
    found: Kept = _kept(stores, lambda memory: memory.others, name, make)
    return found


def marks(stores: Stores, origin: str, portfolio: str) -> list[Restatement]:
    """Return the newest restatements of a portfolio, newest first. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.marks,
        (origin, portfolio),
        lambda: restatements(stores.clickhouse, origin, [portfolio], limit=MOST_MARKS),
    )


def cash_on(stores: Stores, origin: str, portfolios: tuple[str, ...], day: date) -> dict[str, Cash]:
    """Return the cash among the positions of a day, by portfolio. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.cash,
        (origin, str(day), *portfolios),
        lambda: cash(stores.clickhouse, origin, portfolios, day),
    )


def _read(stores: Stores, origin: str) -> Fund:
    navs = daily_navs(stores.clickhouse, origin)
    tree = {each.id: each for each in list_portfolios(stores.state, origin)}
    rows = {name: row for row, name in enumerate(navs.portfolios)}

    def traders() -> dict[str, int]:
        return first_booked(stores.clickhouse, origin, list(tree))

    def holders() -> frozenset[str]:
        return tellers_of(stores.clickhouse, origin, "positions", list(tree))

    def built(whole: Fund, portfolio: Portfolio) -> BuiltNav | None:
        if portfolio.id not in kept(stores, ("first booked", origin), traders):
            return None
        # Trades of what was held before them come to something else than its value.
        is_held = _is_among(whole, portfolio.id, kept(stores, ("who told positions", origin), holders))
        return None if is_held else built_nav(stores, whole, portfolio)

    return Fund(navs, rows, tree, lambda: exchange(stores, origin), built)


def _is_among(whole: Fund, id: str, there: Container[str]) -> bool:
    """Return whether a portfolio or one below it is among some."""
    return id in there or any(_is_among(whole, each.id, there) for each in whole.parts(id))


def _exchange(clickhouse: ClickHouse, symbols: Sequence[str], origin: str) -> Exchange:
    found = daily_prices_many(clickhouse, origin, symbols)
    known: dict[Pair, tuple[Dates, NDArray[np.float64]]] = {}
    for symbol, values in zip(found.instruments, found.values, strict=True):
        pair, are_prices = pair_of(symbol), values > 0
        if pair is not None:
            known[pair] = (found.days[are_prices], values[are_prices])
    return Exchange(known)


def _prices(clickhouse: ClickHouse, origin: str, instrument: str) -> Prices:
    found = daily_prices_many(clickhouse, origin, [instrument])
    days, values = found.days, found.values[0]
    are_prices = values > 0
    closes = track(days[are_prices], values[are_prices])
    return Prices(without_gaps(closes, cadence_of(closes.dates)), days[~are_prices])


def _kept(
    stores: Stores, which: Callable[[_Memory], Memo[Kept]], name: tuple[str, ...], make: Callable[[], Kept]
) -> Kept:
    memory = _MEMORIES.setdefault(stores.clickhouse, _Memory())
    return which(memory).get((stores.live.version("portfolio"), *name), make)
