"""A portfolio's trades matched into round trips, first in first out, a strategy and an instrument at a time.

A strategy is the one that an order names, else its portfolio.

All trades are matched, whatever is looked at: what a sale closes depends on everything before it. Where there are more
than MOST_TRADES, instruments are left out whole, those traded longest ago first: what is shown stays exact.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from analytics.book import Ledger, Position
from analytics.lots import Method
from analytics.round_trips import RoundTrip, by_side, round_trips
from analytics.transactions import Transaction
from core.clock import DAY_SECONDS
from core.errors import BookRefused
from core.format import count, first_of, number
from core.memo import Memo
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.trades import (
    Change,
    Fills,
    Place,
    Traded,
    changes_of,
    currencies_of,
    fills_of,
    stamp_of,
    stamp_of_strategies,
    traded,
)
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MOST_TRADES = 200_000
"""Fills that are matched of a portfolio."""
PORTFOLIOS_KEPT = 8
"""Of 100,000 round trips each is some 60 MB."""
MICROSECONDS = 1_000_000.0
Book = tuple[str, str, str]
"""A portfolio, an instrument, and the strategy that its orders name; empty: none but the portfolio."""
_MATCHED: WeakKeyDictionary[ClickHouse, Memo[Matched]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Trip:
    """A round trip: units of one instrument, from the first one in to the last one out."""

    portfolio: str
    about: Series
    currency: str
    """Of prices and local profit."""
    strategy: str
    """That its orders name; empty: none but the portfolio."""
    of: RoundTrip
    """Its prices are of one times the multiplier, costs in them; profit_base NaN: a rate or a cost is not known."""

    def whose(self, names: Mapping[str, str]) -> str:
        """Return the name of its strategy, of the portfolio where orders name none."""
        own = self.strategy or self.portfolio
        return names.get(own, own)

    @property
    def open_price(self) -> float:
        """Return what one cost, costs in it, in its own currency."""
        return self.of.open_price / self.about.multiplier

    @property
    def close_price(self) -> float:
        """Return what one brought, after costs, in its own currency."""
        return self.of.close_price / self.about.multiplier

    @property
    def profit(self) -> float:
        """Return the profit in the portfolio's currency, each side at the rate of its day."""
        return self.of.profit_base

    @property
    def month(self) -> str:
        """Return the month (UTC) in which it was closed: 2022-12."""
        return str(np.datetime64(int(self.of.closed_seconds), "s").astype("datetime64[M]"))

    def group(self, by: str, names: Mapping[str, str]) -> str:
        """Return which one of GROUPS `by` it belongs to."""
        match by:
            case "portfolio":
                return self.whose(names)
            case "month":
                return self.month
            case "side":
                return by_side(self.of)
            case _:
                return self.about.symbol


@dataclass(frozen=True, eq=False, slots=True)
class Matched:
    """All round trips of a portfolio, and what is still open."""

    trips: tuple[Trip, ...]
    """By time of closing."""
    open: Mapping[Book, Position]
    """Local costs, times the multiplier."""
    splits: Mapping[str, tuple[tuple[float, float], ...]]
    """By instrument: when each was, epoch seconds, and its ratio, oldest first; one that several told counts once."""
    instruments: tuple[str, ...]
    """Whatever was traded, in alphabetical order."""
    trades: int
    """Fills that were matched."""
    left_out: Mapping[str, int]
    """How many fills of each instrument were left out, most of them first."""
    refused: tuple[str, ...]
    """What could not be matched, and why."""
    no_rate: tuple[str, ...]
    """Currencies that had no rate on a day of a trade."""
    newest: float
    """Epoch seconds of the newest trade."""

    @property
    def left_out_said(self) -> str:
        """Return how many fills were looked at and of which instruments none was, a sentence; empty: all were."""
        if not self.left_out:
            return ""
        missing = sum(self.left_out.values())
        names = first_of([f"{name} ({number(fills)})" for name, fills in self.left_out.items()])
        return (
            f"{number(self.trades)} of {count(self.trades + missing, 'fill')} were matched: {names} left out whole, as "
            f"more than {number(MOST_TRADES)} are not matched at once."
        )


def matched(
    stores: Stores,
    portfolio: Portfolio,
    whole: Fund,
    ids: Sequence[str],
    method: Method = "fifo",
    until: float = math.inf,
    *,
    by_strategy: bool = False,
) -> Matched:
    """Return all round trips of some portfolios in the currency of `portfolio`.

    until: the last moment whose trades count, epoch seconds. by_strategy: whether strategies that orders name are
    matched apart; else an instrument of a portfolio is one book.

    They are matched anew when a trade, a split, a transfer, an instrument or a rate is another one, and not with every
    value and price that comes.
    """
    clickhouse, origin = stores.clickhouse, portfolio.origin
    changes, about = changes_of(clickhouse, origin, ids), list_series(stores.state, origin)
    own = {id: whole.tree[id].currency if id in whole.tree else portfolio.currency for id in ids}
    told = {*own.values(), *currencies_of(clickhouse, origin, ids), *(each.currency for each in changes)}
    strategies = stamp_of_strategies(clickhouse, origin, ids) if by_strategy else (0, 0)
    key = (
        origin, portfolio.currency, method, until, strategies, tuple(own.items()),
        stamp_of(clickhouse, origin, "trades", ids),
        tuple((each.portfolio, each.id, each.version) for each in changes), tuple(about),
        _stamp_of_rates(whole) if told - {"", portfolio.currency} else "",
    )  # fmt: skip
    memo = _MATCHED.setdefault(clickhouse, Memo(PORTFOLIOS_KEPT))

    def make() -> Matched:
        every = traded(clickhouse, origin, ids)
        rates = _Rates(whole, portfolio.currency)
        book = _Books(origin, about, changes, own, rates, method, until)
        return _matched(clickhouse, origin, every, book, of_strategies=strategies[0] > 0)

    return memo.get(key, make)


class _Books:
    """Matches the fills of one instrument in one portfolio after the other."""

    def __init__(
        self, origin: str, about: Sequence[Series], changes: Sequence[Change], own: Mapping[str, str], rates: _Rates,
        method: Method, until: float,
    ) -> None:  # fmt: skip
        self._origin, self._own, self.rates, self._method, self._until = origin, own, rates, method, until
        self._series = {each.symbol: each for each in about}
        self.changes: dict[Place, list[Change]] = defaultdict(list)
        for each in changes:
            self.changes[each.portfolio, each.instrument].append(each)
        self.trips: list[Trip] = []
        self.open: dict[Book, Position] = {}
        self.refused: list[str] = []

    def take(self, place: Place, rows: range, fills: Fills) -> None:
        """Match the fills of a place, each strategy's apart; what cannot be matched is refused."""
        of_strategy: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            of_strategy[fills.strategy[row]].append(row)
        # Nobody says whose units came or went without a trade: the only strategy's, else the portfolio's own.
        transferred = next(iter(of_strategy)) if len(of_strategy) == 1 else ""
        for strategy in sorted({*of_strategy, transferred}):
            changes = [each for each in self.changes[place] if each.is_split or strategy == transferred]
            self._book(place, strategy, of_strategy.get(strategy, []), fills, changes)

    def _book(
        self, place: Place, strategy: str, rows: Sequence[int], fills: Fills, changes: Sequence[Change]
    ) -> None:  # fmt: skip
        portfolio, symbol = place
        of = self._series.get(symbol) or Series(self._origin, symbol, symbol)
        try:
            ledger = _booked(of, rows, fills, changes, self._own[portfolio], self.rates, self._method, self._until)
        except BookRefused as error:
            self.refused.append(f"{error.fault.reason} and traded in {error.fault.value}: {error.fault.fix}")
            return
        if symbol not in ledger.accounts:
            return
        position = ledger.accounts[symbol].position(symbol)
        self.trips += [Trip(portfolio, of, position.currency, strategy, each) for each in round_trips(ledger.closed)]
        if position.lots:
            self.open[portfolio, symbol, strategy] = position


def _matched(
    clickhouse: ClickHouse, origin: str, every: Sequence[Traded], books: _Books, *, of_strategies: bool
) -> Matched:  # fmt: skip
    places = _within(every)
    fills = fills_of(clickhouse, origin, places, of_strategies=of_strategies)
    begins = [bisect_left(fills.place, at) for at in range(len(places) + 1)]
    for at, place in enumerate(places):
        books.take(place, range(begins[at], begins[at + 1]), fills)
    trips = sorted(
        books.trips,
        key=lambda each: (each.of.closed_seconds, each.portfolio, each.about.symbol, each.strategy, each.of.side),
    )
    return Matched(
        tuple(trips), books.open,
        _splits([each for of in books.changes.values() for each in of if each.is_split]),
        tuple(sorted({each.instrument for each in every})), len(fills.place), _left_out(every, {*places}),
        tuple(dict.fromkeys(books.refused)), books.rates.missing(),
        max((each.newest for each in every), default=0) / MICROSECONDS,
    )  # fmt: skip


def _splits(every: Iterable[Change]) -> dict[str, tuple[tuple[float, float], ...]]:
    found: dict[str, dict[tuple[int, float], float]] = defaultdict(dict)
    for each in sorted(every, key=lambda each: each.at):
        at = each.at / MICROSECONDS
        found[each.instrument].setdefault((int(at // DAY_SECONDS), each.ratio), at)
    return {name: tuple((at, ratio) for (_, ratio), at in of.items()) for name, of in found.items()}


def _within(every: Iterable[Traded]) -> list[Place]:
    """Return as many of what was traded, the newest first, as may be matched."""
    left, found = MOST_TRADES, []
    for each in every:
        if each.fills <= left:
            left -= each.fills
            found.append((each.portfolio, each.instrument))
    return found


def _left_out(every: Iterable[Traded], places: Container[Place]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for each in every:
        if (each.portfolio, each.instrument) not in places:
            found[each.instrument] += each.fills
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


class _Rates:
    """What currencies cost on a day, in one of them; looked up once a currency and day."""

    def __init__(self, whole: Fund, wanted: str) -> None:
        self._whole, self._wanted = whole, wanted
        self._known: dict[str, dict[int, float]] = {}
        self._missing: set[str] = set()

    def of(self, currency: str, days: Sequence[int]) -> list[float]:
        """Return the rate of each day (since 1970); NaN where there is none."""
        if currency == self._wanted:
            return [1.0] * len(days)
        known = self._known.setdefault(currency, {})
        new = np.array(sorted({*days} - known.keys()), dtype="datetime64[D]")
        if len(new):
            found = self._whole.exchange().rates(currency, self._wanted, new).tolist()
            known.update(zip(new.astype(np.int64).tolist(), found, strict=True))
            if any(math.isnan(each) for each in found):
                self._missing.add(currency)
        return [known[day] for day in days]

    def missing(self) -> tuple[str, ...]:
        """Return the currencies that lacked a rate."""
        return tuple(sorted(self._missing))


def _stamp_of_rates(whole: Fund) -> str:
    made = blake2b(digest_size=8)
    for pair, (days, prices) in sorted(whole.exchange().prices.items()):
        made.update(f"{pair}".encode())
        made.update(days.tobytes())
        made.update(prices.tobytes())
    return made.hexdigest()


def _booked(
    about: Series, rows: Sequence[int], fills: Fills, changes: Sequence[Change], own: str, rates: _Rates,
    method: Method, until: float,
) -> Ledger:  # fmt: skip
    """Return the book of one instrument in one portfolio. Raises BookRefused where rows are of several currencies."""
    ledger = Ledger(method)
    events = [*_changes(changes, about, own, rates), *_trades(about, rows, fills, own, rates)]
    # In the order above where times are the same: a split stamped as a trade is of before it.
    events.sort(key=lambda each: each.time_seconds)
    for row, each in enumerate(events, 1):
        if each.time_seconds <= until:
            ledger.take(row, each)
    return ledger


def _trades(about: Series, rows: Sequence[int], fills: Fills, own: str, rates: _Rates) -> list[Transaction]:
    currencies = [fills.currency[row] or own for row in rows]
    days = [int(fills.at[row] // (DAY_SECONDS * MICROSECONDS)) for row in rows]
    of_day = {name: rates.of(name, days) for name in set(currencies)}
    return [
        Transaction(
            fills.at[row] / MICROSECONDS, "buy" if fills.side[row] > 0 else "sell", about.symbol, fills.quantity[row],
            fills.price[row], fees=fills.costs[row], currency=currency, rate=of_day[currency][place],
            multiplier=about.multiplier, order=fills.order[row],
        )
        for place, (row, currency) in enumerate(zip(rows, currencies, strict=True))
    ]  # fmt: skip


def _changes(changes: Sequence[Change], about: Series, own: str, rates: _Rates) -> list[Transaction]:
    found = []
    for each in changes:
        at, currency = each.at / MICROSECONDS, each.currency or own
        if each.is_split:
            found.append(Transaction(at, "split", about.symbol, ratio=each.ratio))
        elif each.quantity:
            (rate,) = rates.of(currency, [int(at // DAY_SECONDS)])
            # What came for no known cost has no known profit: NaN goes on through the lots that it makes.
            price = abs(each.amount) / abs(each.quantity) / about.multiplier
            found.append(Transaction(at, "transfer", about.symbol, each.quantity, price, currency=currency, rate=rate,
                                     multiplier=about.multiplier))  # fmt: skip
    return found
