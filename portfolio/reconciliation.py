"""What is built from trades beside what is reported: positions, cash and net asset value, day by day.

Both are set beside each other at the end of the day's last report of the portfolio that holds them, so that a trade
after it is no difference. A difference is built − reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import carried
from analytics.reconcile import TOLERANCE, agree
from portfolio.allowed import Limits
from portfolio.book_history import BookHistory, book_history
from portfolio.built import Built, built
from portfolio.given import NOTHING_SAID, said_of
from portfolio.histories import Fund, fund, kept
from portfolio.holdings import LAST_SECOND, below, holders, is_settled_daily
from portfolio.reports import covers
from storage.clickhouse.reads.book import report_days
from storage.clickhouse.reads.book_days import cash_by_day
from storage.clickhouse.reads.booked import first_booked
from storage.clickhouse.reads.portfolio import DAY_SECONDS, daily_prices_many
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
What = Literal["position", "cash", "nav"]
NO_TRADES = "it reports positions and no trades"


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing as it is built and as it is reported, on one day. What is not known is NaN."""

    what: What
    portfolio: str
    """Id of the one whose it is."""
    name: str
    """Instrument, or currency."""
    about: Series | None
    """Of an instrument."""
    built: float
    """Units of an instrument, else money in `currency`; NaN: only reported."""
    reported: float
    """NaN: only built."""
    currency: str
    difference: float
    """Built less reported, what one side does not have counting as 0."""
    worth: float
    """Of the difference, in the currency of the portfolio that is looked at."""
    share: float
    """Of the net asset value of the portfolio that is looked at, a ratio."""
    is_within: bool
    """Whether it is within tolerance; what cannot be compared is not."""
    since: np.datetime64 | None
    """First day on which it differed without a break until this one; None: it does not, or nobody looked back."""
    day: np.datetime64
    """The newest day on which both sides are told: the last one, but for cash and values that were not told then."""


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """Built beside reported, of a portfolio and those below it; money in its currency."""

    portfolio: Portfolio
    days: Days
    """(n,): those with a report."""
    newest: int
    """Epoch seconds of the newest report."""
    nav: float
    """Reported last, on one of the days; NaN where it never was."""
    compared: tuple[Compared, ...]
    """On the last of the days: what differs first, and the largest first."""
    positions: Floats
    """(n,): differences of positions without their signs; those of no known worth are left out."""
    cash: Floats
    """(n,): likewise."""
    navs: Floats
    """(n,): difference of the net asset value; NaN where one of them is not known."""
    names: Mapping[str, str]
    """Of the portfolios that report positions, by id."""
    begins: Mapping[str, np.datetime64]
    """Day of the report that a book begins with, of those that do not begin with nothing."""
    not_built: Mapping[str, str]
    """Why there is no book of a portfolio that reports positions, by id."""
    without_money: tuple[str, ...]
    """Ids of portfolios that told no money in or out and no cash to begin with: their cash cannot be built."""

    def of(self, *what: What) -> list[Compared]:
        """Return what is compared of these sorts."""
        return [each for each in self.compared if each.what in what]

    @property
    def beyond(self) -> list[Compared]:
        """Return what differs beyond tolerance."""
        return [each for each in self.compared if not each.is_within]

    def days_old(self, each: Compared) -> int:
        """Return how many days before the newest report it is compared."""
        return int((self.days[-1] - each.day).astype(np.int64))

    @property
    def oldest(self) -> np.datetime64 | None:
        """Return the day on which the oldest difference that still stands appeared."""
        return min((each.since for each in self.beyond if each.since is not None), default=None)


def reconciliation(
    stores: Stores, portfolio: Portfolio, limits: Limits, as_of: np.datetime64 | None = None, *,
    looks_back: bool = True,
) -> Reconciliation | None:  # fmt: skip
    """Return both sides as of the newest report up to a day (UTC); None: no portfolio here tells positions and trades.

    looks_back: whether every day before is compared too, which tells since when something differs. Kept for the
    version of the data. Raises StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    end = LAST_SECOND if as_of is None else int((as_of + 1).astype("datetime64[s]").astype(np.int64))
    end = min(max(end, 0), LAST_SECOND)
    told = report_days(stores.clickhouse, portfolio.origin, [portfolio.id, *below(whole, portfolio.id)], end)
    ids = sorted(holders(whole, portfolio.id, told))
    reports = {id: told[id] for id in ids}
    traded = first_booked(stores.clickhouse, portfolio.origin, ids) if ids else {}
    if not traded:
        return None
    name = ("reconciliation", portfolio.origin, portfolio.id, *ids, str(end), str(looks_back))
    return kept(stores, name, lambda: _read(stores, portfolio, limits, whole, reports, traded, end, looks_back))


def _read(
    stores: Stores, portfolio: Portfolio, limits: Limits, whole: Fund, reports: Mapping[str, NDArray[np.int64]],
    traded: Mapping[str, int], end: int, looks_back: bool,
) -> Reconciliation | None:  # fmt: skip
    newest = max(int(at[-1]) for at in reports.values())
    told = cash_by_day(stores.clickhouse, portfolio.origin, list(traded), end)
    told_last = [*_last_of_cash(reports, told), *_last_of_navs(portfolio, whole, reports)]
    first = 0 if looks_back else min([newest, *told_last]) // DAY_SECONDS
    history = book_history(stores, portfolio, limits, _day(first * DAY_SECONDS) if first else None, _day(newest))
    if history is None:
        return None
    about = {each.symbol: each for each in list_series(stores.state, portfolio.origin)}
    books = {
        id: built(stores, whole.tree[id], whole, about, at, _ends_since(at, first))
        for id, at in reports.items()
        if id in traded
    }
    good = {id: each for id, each in books.items() if not each.problem}
    look = _Look(stores, portfolio, whole, history, about, good)
    positions = look.positions()
    cash = look.cash(told, positions)
    navs = look.navs(positions, covered=len(good) == len(reports))
    nav = float(_filled(history.nav)[-1])
    shown = [each.on_last(nav, looks_back) for each in (*positions, *cash, *navs)]
    return Reconciliation(
        portfolio=portfolio, days=history.days, newest=newest, nav=nav,
        compared=tuple(sorted((each for each in shown if each is not None), key=_gravest)),
        positions=_sum(positions, len(history.days)), cash=_sum(cash, len(history.days)),
        navs=next((each.worth for each in navs if each.portfolio == portfolio.id), np.full(len(history.days), np.nan)),
        names={id: whole.tree[id].name if id in whole.tree else id for id in (*reports, portfolio.id)},
        begins={id: each.begins for id, each in good.items() if each.begins is not None},
        not_built={id: books[id].problem if id in books else NO_TRADES for id in reports if id not in good},
        without_money=tuple(id for id, each in good.items() if not each.has_money),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Line:
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

    def on_last(self, nav: float, looks_back: bool) -> Compared | None:
        """Return it as it is on the last day; None: it is on neither side."""
        if not any(self.sides):
            return None
        one, two, worth = (float(each[-1]) for each in (self.built, self.reported, self.worth))
        beyond = np.flatnonzero(self.is_within)
        since = None if self.is_within[-1] or not looks_back else self.days[int(beyond[-1]) + 1 if len(beyond) else 0]
        return Compared(
            self.what, self.portfolio, self.name, self.about, one if self.sides[0] else math.nan,
            two if self.sides[1] else math.nan, self.currency, one - two, worth, worth / nav if nav > 0 else math.nan,
            bool(self.is_within[-1]), since, self.days[self.row],
        )  # fmt: skip


class _Look:
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

    def positions(self) -> list[_Line]:
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

    def _position(self, id: str, symbol: str, place: int | None) -> tuple[_Line, Floats]:
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
        return _Line("position", id, symbol, about, currency, self._days, one, two, none, is_within, sides), price

    def _priced(self, lines: Sequence[tuple[_Line, Floats]]) -> list[_Line]:
        """Return lines with what their differences are worth, at the last price reported, else that of the series."""
        unpriced = sorted({each.name for each, price in lines if (np.isnan(_filled(price)) & _needs_price(each)).any()})
        told = daily_prices_many(self._stores.clickhouse, self._portfolio.origin, unpriced) if unpriced else None
        series = {} if told is None else dict(zip(told.instruments, told.values, strict=True))
        found = []
        for each, reported in lines:
            price = _filled(reported)
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

    def cash(self, told: Sequence[tuple[str, str, int, float]], positions: Sequence[_Line]) -> list[_Line]:
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
        positions: Sequence[_Line],
    ) -> _Line:  # fmt: skip
        days = self._days.astype(np.int64)
        every = sorted({day for (of, _), by_day in amounts.items() if of == id for day in by_day})
        own = amounts.get((id, currency), {})
        one = self._built_cash(id, currency, positions)
        two = np.array([own.get(day, 0.0) for day in days.tolist()])
        worth = np.where(one == two, 0.0, (one - two) * self._rate(currency))
        is_known = np.isin(days, every) & (self._rows[id] >= 0) & np.isfinite(one)
        sides = currency in self._books[id].cash, bool(own)
        line = _Line("cash", id, currency, None, currency, self._days, one, two, worth, self._small(id, worth), sides)
        return _where_known(line, is_known)

    def navs(self, positions: Sequence[_Line], *, covered: bool) -> list[_Line]:
        """Return the net asset value of each portfolio that tells one, and of their sum where all of them are covered.

        Built is what is reported of positions with what they differ by, and the cash that is built; of a future nothing
        but its gains, which are in that cash.
        """
        made = {id: self._built_nav(id, positions) for id, book in self._books.items() if book.has_money}
        found = [self._nav_line(id, value, self._nav[id]) for id, value in made.items()]
        if self._portfolio.id not in made and covered and len(made) == len(self._books):
            found.append(self._nav_line(self._portfolio.id, sum(made.values(), start=np.zeros(1)), self._history.nav))
        return [each for each in found if each.sides[1]]

    def _nav_line(self, id: str, one: Floats, two: Floats) -> _Line:
        worth, base = one - two, np.where(two == 0, np.nan, np.abs(two))
        is_within = agree(np.where(worth == 0, 0.0, worth / base), 0.0, self._limits.money_tolerance_ratio)
        currency, is_known = self._portfolio.currency, np.isfinite(two) & np.isfinite(one)
        sides = (True, True) if is_known.any() else (bool(np.isfinite(one[-1])), bool(np.isfinite(two[-1])))
        line = _Line("nav", id, currency, None, currency, self._days, one, two, worth, is_within, sides)
        return replace(_where_known(line, is_known), worth=worth)

    def _built_nav(self, id: str, positions: Sequence[_Line]) -> Floats:
        columns = [at for at, each in enumerate(self._history.positions) if each.portfolio == id]
        value = self._history.owned[:, columns].sum(axis=1)
        owned = (each for each in positions if each.portfolio == id and not is_settled_daily(each.about))
        value += sum((each.worth for each in owned), start=np.zeros(1))
        for currency in self._books[id].cash:
            amount = self._built_cash(id, currency, positions)
            value += np.where(amount == 0, 0.0, amount * self._rate(currency))
        return np.where(self._rows[id] >= 0, value, np.nan)

    def _built_cash(self, id: str, currency: str, positions: Sequence[_Line]) -> Floats:
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


def _needs_price(line: _Line) -> NDArray[np.bool_]:
    """Return on which days a price says what a difference is worth, or what a future gained."""
    is_held = (line.built != 0) & is_settled_daily(line.about)
    return np.asarray(is_held | (line.built != line.reported), dtype=np.bool_)


def _where_known(line: _Line, is_known: NDArray[np.bool_]) -> _Line:
    """Return a line that is on each day what it was when both sides were known last; before that nothing differs."""
    at = np.maximum.accumulate(np.where(is_known, np.arange(len(is_known)), -1))
    return replace(
        line, built=_at(line.built, at), reported=_at(line.reported, at), worth=_at(line.worth, at),
        is_within=np.where(at >= 0, line.is_within[at], True), row=int(at[-1]),
    )  # fmt: skip


def _at(values: Floats, rows: NDArray[np.int64]) -> Floats:
    """Return values at rows; 0 where the row is below 0."""
    return np.where(rows >= 0, values[rows], 0.0) if len(values) else np.zeros(len(rows))


def _filled(values: Floats) -> Floats:
    """Return the last number on or before each day."""
    at = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    return np.where(at >= 0, values[at], np.nan)


def _sum(lines: Sequence[_Line], count: int) -> Floats:
    return sum((np.nan_to_num(np.abs(each.worth)) for each in lines), start=np.zeros(count))


def _ends(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return until when the last report of each day tells."""
    last = at[np.append(np.diff(at // DAY_SECONDS) > 0, True)]
    return np.array([covers(each) for each in last.tolist()], dtype=np.int64)


def _ends_since(at: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Return the same from the last day on that is not after `first` (days since 1970)."""
    ends = _ends(at)
    return ends[max(int(np.searchsorted(ends // DAY_SECONDS, first, side="right")) - 1, 0) :]


def _last_of_cash(
    reports: Mapping[str, NDArray[np.int64]], told: Sequence[tuple[str, str, int, float]]
) -> list[int]:  # fmt: skip
    """Return the last report of each portfolio on a day with cash: what differed there differs until cash is told."""
    days: dict[str, set[int]] = {}
    for id, _, day, _ in told:
        days.setdefault(id, set()).add(day)
    both = {id: at[np.isin(at // DAY_SECONDS, [*days.get(id, ())])] for id, at in reports.items()}
    return [int(at[-1]) for at in both.values() if len(at)]


def _last_of_navs(portfolio: Portfolio, whole: Fund, reports: Mapping[str, NDArray[np.int64]]) -> list[int]:
    """Return the last report on a day with a net asset value, of each portfolio and of what they are parts of."""
    every = {**reports, portfolio.id: np.sort(np.concatenate([*reports.values()]))}
    found = []
    for id, at in every.items():
        days = whole.history(id, said_of(whole.tree[id]) if id in whole.tree else NOTHING_SAID).nav.dates
        both = at[np.isin(at // DAY_SECONDS, days.astype(np.int64))]
        found += [int(both[-1])] if len(both) else []
    return found


def _last_before(known: NDArray[np.int64], days: Days) -> NDArray[np.int64]:
    return np.searchsorted(known, days.astype(np.int64), side="right") - 1


def _gravest(each: Compared) -> tuple[bool, bool, float, str, str]:
    return each.is_within, not math.isnan(each.worth), -abs(each.worth), each.portfolio, each.name


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
