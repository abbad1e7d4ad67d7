"""Reports of positions built from trades, of portfolios that send trades and report no positions.

There is one for each day (UTC) with a trade, or with a price of what was traded: what is held at its end, at the last
price up to it, else at that of the last trade. Prices in another currency than the trades' are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import carried
from core.clock import DAY_SECONDS
from portfolio.built import Built, built
from portfolio.reports import covers
from storage.clickhouse.reads.book import Position, splits_told
from storage.clickhouse.reads.booked import first_booked, traded_days
from storage.clickhouse.reads.prices import daily_prices_many
from storage.state.series import Series

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.stores import Stores

Days = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class BuiltReports:
    """What a portfolio held at the end of each of its days."""

    at: Days
    """(n,): midnight of each day, epoch seconds, as a report of a whole day is stamped."""
    book: Built
    prices: Floats
    """(n, m): local; NaN where nobody told any."""
    newest: Mapping[str, np.datetime64]
    """Day of the newest price of each instrument that has one."""
    about: Mapping[str, Series]

    def multiplier(self, place: int) -> float:
        """Return what one of the instrument at a place is worth at a price of 1."""
        known = self.about.get(self.book.symbols[place])
        return known.multiplier if known else 1.0

    def positions(self, at: int) -> list[Position]:
        """Return what was held on a day, as a report would tell it."""
        day = int(np.searchsorted(self.at, at))
        book, id = self.book, self.book.portfolio.id
        found = []
        for place, symbol in enumerate(book.symbols):
            quantity, price = float(book.quantities[day, place]), float(self.prices[day, place])
            if quantity:
                value = quantity * price * self.multiplier(place)
                cost = float(book.costs[day, place])
                found.append(Position(id, at, symbol, quantity, price, value, cost, book.currencies[place], 0.0))
        return found

    def sides(self) -> dict[tuple[str, str], tuple[Days, Days]]:
        """Return when each instrument was held, and its side (1 long, −1 short), oldest first."""
        found = {}
        for place, symbol in enumerate(self.book.symbols):
            held = self.book.quantities[:, place]
            found[self.book.portfolio.id, symbol] = self.at[held != 0], np.sign(held[held != 0]).astype(np.int64)
        return found

    def history(self, symbol: str) -> list[tuple[str, int, float, float, float]]:
        """Return portfolio, time, quantity, price and value of an instrument on each day that it was held on."""
        if symbol not in self.book.symbols:
            return []
        place, id = self.book.symbols.index(symbol), self.book.portfolio.id
        times = self.multiplier(place)
        rows = zip(
            self.at.tolist(), self.book.quantities[:, place].tolist(), self.prices[:, place].tolist(), strict=True
        )
        return [(id, at, quantity, price, quantity * price * times) for at, quantity, price in rows if quantity]

    def cash(self) -> dict[str, float]:
        """Return the cash at the end of the last day by currency; nothing where nobody told of money in or out.

        Of futures it is what they gained: the book has paid what they are worth, though nobody did.
        """
        if not self.book.has_money:
            return {}
        found = {currency: float(amounts[-1]) for currency, amounts in self.book.cash.items()}
        for place, symbol in enumerate(self.book.symbols):
            about, quantity = self.about.get(symbol), float(self.book.quantities[-1, place])
            if quantity and about is not None and about.is_settled_daily:
                found[self.book.currencies[place]] += quantity * float(self.prices[-1, place]) * about.multiplier
        return found


def built_reports(
    stores: Stores, whole: Fund, about: Mapping[str, Series], ids: Iterable[str], end: int
) -> dict[str, BuiltReports]:
    """Return those of portfolios that trade, before a time (epoch seconds), by id; not of one without a book.

    Raises StorageUnavailable, StorageRejected.
    """
    known = [id for id in ids if id in whole.tree]
    traded = first_booked(stores.clickhouse, whole.tree[known[0]].origin, known) if known else {}
    found = {id: built_of(stores, whole, about, id, end) for id in known if traded.get(id, end) < end}
    return {id: each for id, each in found.items() if each is not None and not each.book.problem}


def built_of(
    stores: Stores, whole: Fund, about: Mapping[str, Series], id: str, end: int, *, is_costed: bool = True
) -> BuiltReports | None:
    """Return what a portfolio's trades before a time (epoch seconds) come to, or why nothing; None: it told none.

    is_costed: whether what positions cost is wanted, which takes longer. Raises StorageUnavailable, StorageRejected.
    """
    portfolio = whole.tree[id]
    traded = traded_days(stores.clickhouse, portfolio.origin, id, end)
    symbols = sorted({name for name, _, _ in traded})
    if not symbols:
        return None
    until = np.datetime64(end - 1, "s").astype("datetime64[D]").item()
    told = daily_prices_many(stores.clickhouse, portfolio.origin, symbols, until)
    on = np.array([day for _, day, _ in traded], dtype="datetime64[D]")
    days = np.union1d(on, told.days[told.days >= on[0]])
    at = days.astype(np.int64) * DAY_SECONDS
    ends = np.array([covers(each) for each in at.tolist()], dtype=np.int64)
    book = built(stores, portfolio, whole, about, at[:0], ends, is_costed=is_costed)
    prices = np.full(book.quantities.shape, np.nan)
    newest: dict[str, np.datetime64] = {}
    row = {symbol: at for at, symbol in enumerate(symbols)}
    splits = splits_told(stores.clickhouse, portfolio.origin, [id], symbols, end)
    for place, symbol in enumerate(book.symbols):
        # A split of what was never held is in the book, and has no price.
        if symbol not in row:
            continue
        known = about.get(symbol)
        is_alike = known is None or known.currency in ("", book.currencies[place])
        own = told.values[row[symbol]] if is_alike else np.full(len(told.days), np.nan)
        paid = [(day, price) for name, day, price in traded if name == symbol and np.isfinite(price)]
        prices[:, place] = _prices(days, told.days, own, paid, [each[1:] for each in splits if each[0] == symbol])
        priced_on = [*told.days[np.isfinite(own)][-1:], *(np.datetime64(day, "D") for day, _ in paid[-1:])]
        if priced_on:
            newest[symbol] = max(priced_on)
    return BuiltReports(at, book, prices, newest, about)


def _prices(
    days: NDArray[np.datetime64], told_on: NDArray[np.datetime64], told: Floats,
    paid: Sequence[tuple[int, float]], splits: Sequence[tuple[np.datetime64, float]],
) -> Floats:  # fmt: skip
    """Return the last price told up to each day, else that of the last trade in units of after the splits since."""
    there = np.isfinite(told)
    on = np.array([day for day, _ in paid], dtype="datetime64[D]")
    price = carried(told_on[there], told[there], days)
    of_trade = np.array([each for _, each in paid], dtype=np.float64) * _units(splits, on)
    return np.where(np.isnan(price), carried(on, of_trade, days) / _units(splits, days), price)


def _units(ratios: Sequence[tuple[np.datetime64, float]], days: NDArray[np.datetime64]) -> Floats:
    """Return how many of a day's units one of before all splits is."""
    on = np.array([day for day, _ in ratios], dtype="datetime64[D]")
    units = np.cumprod([ratio for _, ratio in ratios]).astype(np.float64)
    return carried(on, units, days, 1.0)
