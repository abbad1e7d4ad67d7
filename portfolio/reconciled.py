"""What is built from trades and what is reported, one thing a line, on every day of a history.

Both are set beside each other at the end of the day's last report of the portfolio that holds them, so that a trade
after it is no difference. A difference is built − reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import carried
from analytics.reconcile import TOLERANCE, agree
from core.clock import DAY_SECONDS
from portfolio.book_history import BookHistory
from portfolio.built import Built
from portfolio.fund import Fund
from portfolio.given import said_of
from portfolio.holdings import is_settled_daily
from storage.clickhouse.reads.prices import daily_prices_many
from storage.state.series import Series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
What = Literal["position", "cash", "nav"]


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One thing on every day (n,)."""

    what: What
    portfolio: str
    name: str
    about: Series | None
    currency: str
    days: Days
    built: Floats
    reported: Floats
    worth: Floats
    is_within: NDArray[np.bool_]
    sides: tuple[bool, bool] = (True, True)
    """Whether it is built and reported on the last day."""
    settled: Floats | float = 0.0
    """(n,): of a future, the local notional of what is built, which its book has paid though nobody did."""
    row: int = -1
    """Of the days: the one that is compared."""


class Sides:
    """Sets books beside what was reported, on the days of a history."""

    def __init__(
        self, stores: Stores, portfolio: Portfolio, whole: Fund, history: BookHistory, about: Mapping[str, Series],
        books: Mapping[str, Built],
    ) -> None:  # fmt: skip
        self._stores, self._portfolio, self._whole, self._history = stores, portfolio, whole, history
        self._about, self._books, self._limits = about, books, stores.settings.books
        self._days = history.days
        self._rows = {id: _last_before(each.ends // DAY_SECONDS, history.days) for id, each in books.items()}
        self._nav = {id: self._reported_nav(id) for id in books}

    def positions(self) -> list[Line]:
        """Return every instrument that is held on either side on any day."""
        places: dict[tuple[str, str], int] = {
            (each.portfolio, each.instrument): at for at, each in enumerate(self._history.positions)
        }
        found = [
            self._position(id, symbol, places.get((id, symbol)))
            for id, book in self._books.items()
            for symbol in sorted({*book.symbols, *(symbol for of, symbol in places if of == id)})
        ]
        return self._priced(found)

    def _position(self, id: str, symbol: str, place: int | None) -> tuple[Line, Floats]:
        """Return an instrument without its worth, and its local price on each day where it was reported."""
        book, none = self._books[id], np.zeros(len(self._days))
        at = book.symbols.index(symbol) if symbol in book.symbols else None
        one = none if at is None else _at(book.quantities[:, at], self._rows[id])
        two = none if place is None else self._history.quantities[:, place]
        price = none * np.nan if place is None else self._history.prices[:, place]
        currency = self._history.positions[place].currency if place is not None else book.currencies[at or 0]
        is_within = agree(one, two, TOLERANCE, self._limits.quantity_tolerance_ratio)
        sides = bool(one[-1]), bool(two[-1])
        about = self._about.get(symbol)
        return Line("position", id, symbol, about, currency, self._days, one, two, none, is_within, sides), price

    def _priced(self, lines: Sequence[tuple[Line, Floats]]) -> list[Line]:
        """Return lines with what their differences are worth, at the last price reported, else that of the series."""
        unpriced = sorted({each.name for each, price in lines if (np.isnan(filled(price)) & _needs_price(each)).any()})
        told = daily_prices_many(self._stores.clickhouse, self._portfolio.origin, unpriced) if unpriced else None
        series = {} if told is None else dict(zip(told.instruments, told.values, strict=True))
        found = []
        for each, reported in lines:
            price = filled(reported)
            is_alike = each.about is None or each.about.currency in ("", each.currency)
            if told is not None and each.name in series and is_alike:
                there = np.isfinite(series[each.name])
                price = np.where(
                    np.isnan(price), carried(told.days[there], series[each.name][there], self._days), price
                )
            off = each.built - each.reported
            times = each.about.multiplier if each.about else 1.0
            worth = np.where(off == 0, 0.0, off * price * times * self._rate(each.currency))
            notional = np.where(each.built == 0, 0.0, each.built * price * times)
            found.append(replace(each, worth=worth, settled=notional if is_settled_daily(each.about) else 0.0))
        return found

    def cash(self, told: Sequence[tuple[str, str, int, float]], positions: Sequence[Line]) -> list[Line]:
        """Return the cash of each portfolio that told any, by currency; told: portfolio, currency, day and amount."""
        amounts: dict[tuple[str, str], dict[int, float]] = {}
        for id, currency, day, amount in told:
            amounts.setdefault((id, currency or self._whole.tree[id].currency), {})[day] = amount
        return [
            self._cash(id, currency, amounts, positions)
            for id, book in self._books.items()
            if book.has_money
            for currency in sorted({*book.cash, *(name for of, name in amounts if of == id)})
            if any(of == id for of, _ in amounts)
        ]

    def _cash(
        self, id: str, currency: str, amounts: Mapping[tuple[str, str], Mapping[int, float]],
        positions: Sequence[Line],
    ) -> Line:  # fmt: skip
        days = self._days.astype(np.int64)
        every = sorted({day for (of, _), by_day in amounts.items() if of == id for day in by_day})
        own = amounts.get((id, currency), {})
        one = self._built_cash(id, currency, positions)
        two = np.array([own.get(day, 0.0) for day in days.tolist()])
        worth = np.where(one == two, 0.0, (one - two) * self._rate(currency))
        is_known = np.isin(days, every) & (self._rows[id] >= 0) & np.isfinite(one)
        sides = currency in self._books[id].cash, bool(own)
        line = Line("cash", id, currency, None, currency, self._days, one, two, worth, self._small(id, worth), sides)
        return _where_known(line, is_known)

    def navs(self, positions: Sequence[Line], *, covered: bool) -> list[Line]:
        """Return the net asset value of each portfolio that tells one, and of their sum where all of them are covered.

        Built is what is reported of positions with what they differ by, and the cash that is built; of a future nothing
        but its gains, which are in that cash.
        """
        made = {id: self._built_nav(id, positions) for id, book in self._books.items() if book.has_money}
        found = [self._nav_line(id, value, self._nav[id]) for id, value in made.items()]
        if self._portfolio.id not in made and covered and len(made) == len(self._books):
            found.append(self._nav_line(self._portfolio.id, sum(made.values(), start=np.zeros(1)), self._history.nav))
        return [each for each in found if each.sides[1]]

    def _nav_line(self, id: str, one: Floats, two: Floats) -> Line:
        worth, base = one - two, np.where(two == 0, np.nan, np.abs(two))
        is_within = agree(np.where(worth == 0, 0.0, worth / base), 0.0, self._limits.money_tolerance_ratio)
        currency, is_known = self._portfolio.currency, np.isfinite(two) & np.isfinite(one)
        sides = (True, True) if is_known.any() else (bool(np.isfinite(one[-1])), bool(np.isfinite(two[-1])))
        line = Line("nav", id, currency, None, currency, self._days, one, two, worth, is_within, sides)
        if not is_known.any():  # what can be compared on no day does not agree
            return replace(line, is_within=np.zeros(len(self._days), dtype=np.bool_))
        return replace(_where_known(line, is_known), worth=worth)

    def _built_nav(self, id: str, positions: Sequence[Line]) -> Floats:
        columns = [at for at, each in enumerate(self._history.positions) if each.portfolio == id]
        value = self._history.owned[:, columns].sum(axis=1)
        owned = (each for each in positions if each.portfolio == id and not is_settled_daily(each.about))
        value += sum((each.worth for each in owned), start=np.zeros(1))
        for currency in self._books[id].cash:
            amount = self._built_cash(id, currency, positions)
            value += np.where(amount == 0, 0.0, amount * self._rate(currency))
        return np.where(self._rows[id] >= 0, value, np.nan)

    def _built_cash(self, id: str, currency: str, positions: Sequence[Line]) -> Floats:
        """Return what was received less what was paid; of futures that is what they gained."""
        amounts = self._books[id].cash.get(currency)
        paid = np.zeros(len(self._days)) if amounts is None else _at(amounts, self._rows[id])
        own = (each for each in positions if each.portfolio == id and each.currency == currency)
        return sum((np.asarray(each.settled, dtype=np.float64) for each in own), start=paid)

    def _reported_nav(self, id: str) -> Floats:
        nav = self._whole.history(id, said_of(self._whole.tree[id]), self._portfolio.currency).nav
        found = np.full(len(self._days), np.nan)
        _, one, other = np.intersect1d(self._days, nav.dates, return_indices=True)
        found[one] = nav.value[other]
        return found

    def _small(self, id: str, worth: Floats) -> NDArray[np.bool_]:
        """Return where money is within tolerance of the net asset value, else of what the positions are worth."""
        columns = [at for at, each in enumerate(self._history.positions) if each.portfolio == id]
        gross = np.abs(self._history.values[:, columns]).sum(axis=1)
        base = np.where(np.isfinite(self._nav[id]), np.abs(self._nav[id]), gross)
        ratio = np.where(worth == 0, 0.0, worth / np.where(base == 0, np.nan, base))
        return agree(ratio, 0.0, self._limits.money_tolerance_ratio)

    def _rate(self, currency: str) -> Floats:
        if currency == self._portfolio.currency:
            return np.ones(len(self._days))
        return self._whole.exchange().rates(currency, self._portfolio.currency, self._days)


def _needs_price(line: Line) -> NDArray[np.bool_]:
    """Return on which days a price says what a difference is worth, or what a future gained."""
    is_held = (line.built != 0) & is_settled_daily(line.about)
    return np.asarray(is_held | (line.built != line.reported), dtype=np.bool_)


def _where_known(line: Line, is_known: NDArray[np.bool_]) -> Line:
    """Return a line that is on each day what it was when both sides were known last; before that nothing differs."""
    at = np.maximum.accumulate(np.where(is_known, np.arange(len(is_known)), -1))
    return replace(
        line, built=_at(line.built, at), reported=_at(line.reported, at), worth=_at(line.worth, at),
        is_within=np.where(at >= 0, line.is_within[at], True), row=int(at[-1]),
    )  # fmt: skip


def _at(values: Floats, rows: NDArray[np.int64]) -> Floats:
    """Return values at rows; 0 where the row is below 0."""
    return np.where(rows >= 0, values[rows], 0.0) if len(values) else np.zeros(len(rows))


def filled(values: Floats) -> Floats:
    """Return the last number on or before each day."""
    at = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    return np.where(at >= 0, values[at], np.nan)


def _last_before(known: NDArray[np.int64], days: Days) -> NDArray[np.int64]:
    return np.searchsorted(known, days.astype(np.int64), side="right") - 1
