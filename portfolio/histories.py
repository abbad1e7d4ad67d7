"""The histories of a fund's portfolios and its instruments: read once a version of the data, shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analytics.cadence import FEWEST_DAILY, Cadence, cadence_of
from analytics.calendar import Dates
from analytics.performance import Track, track, until, without_gaps
from analytics.returns import linked_return
from core.memo import Memo
from portfolio.given import NOTHING_SAID, Said
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.portfolio import (
    DAY_SECONDS,
    DailyNavs,
    Restatement,
    cash,
    daily_navs,
    daily_prices_many,
    restatements,
)

if TYPE_CHECKING:
    from storage.stores import Stores

FUNDS_KEPT = 4
"""An origin's whole history each: 200 portfolios over 30 years are 24 MB."""
PRICES_KEPT = 64
MOST_MARKS = 100
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Move:
    """A point within a day at which money moved."""

    ts: int
    """Epoch seconds."""
    before: float
    """Value at the point before; NaN where the day has none."""
    value: float
    """With the money that moved."""
    flow: float

    @property
    def day(self) -> np.datetime64:
        """Return the day of the move."""
        return np.datetime64(self.ts // DAY_SECONDS, "D")


@dataclass(frozen=True, eq=False, slots=True)
class Nav:
    """A portfolio's value and the external money by day, oldest first."""

    dates: Dates
    value: NDArray[np.float64]
    flow: NDArray[np.float64]
    """Into the portfolio; negative where money was taken out."""
    newest: int
    """Epoch seconds of the newest value; 0 when there is none."""
    moves: tuple[Move, ...]
    """Of the days whose money moved at other times than their only value, oldest first."""

    def __len__(self) -> int:
        return len(self.dates)

    def until(self, day: np.datetime64) -> Nav:
        """Return the values up to and including `day`."""
        end = int(np.searchsorted(self.dates, day, side="right"))
        moves = tuple(move for move in self.moves if move.day <= day)
        return Nav(self.dates[:end], self.value[:end], self.flow[:end], self.newest, moves)

    def between(self, inception: str, ended: str) -> Nav:
        """Return the values from the day `inception` to the day `ended`; either may be empty."""
        start = int(np.searchsorted(self.dates, np.datetime64(inception))) if inception else 0
        end = int(np.searchsorted(self.dates, np.datetime64(ended), side="right")) if ended else len(self)
        if (start, end) == (0, len(self)):
            return self
        days = self.dates[start:end]
        moves = tuple(move for move in self.moves if len(days) and days[0] <= move.day <= days[-1])
        newest = self.newest if end == len(self) else int(days[-1].astype(np.int64)) * DAY_SECONDS if len(days) else 0
        return Nav(days, self.value[start:end], self.flow[start:end], newest, moves)


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """A portfolio's values with the track made of them, which has no returns across gaps."""

    nav: Nav
    track: Track
    cadence: Cadence
    left_out: int = 0
    """Values before its inception and after its end."""

    def until(self, day: np.datetime64, said: Said = NOTHING_SAID) -> History:
        """Return the history up to and including `day`: what was found of its rhythm then."""
        whole, given = until(self.track, day), said.given()
        if len(whole) < FEWEST_DAILY and self.cadence.rhythm == "daily" and given.calendar is None:
            given = replace(given, calendar=self.cadence.calendar)
        cadence = cadence_of(whole.dates, given)
        return History(self.nav.until(day), without_gaps(whole, cadence), cadence, self.left_out)


@dataclass(frozen=True, eq=False, slots=True)
class Prices:
    """An instrument's closes as a track."""

    track: Track
    none: Dates
    """Days whose price is zero or negative: it is none, and left out."""


@dataclass(frozen=True, eq=False)
class Fund:
    """Every portfolio of an origin in one version of the data; histories are made when they are needed."""

    navs: DailyNavs
    rows: dict[str, int]
    _histories: dict[tuple[str, Said], History] = field(default_factory=dict)

    def history(self, portfolio: str, said: Said = NOTHING_SAID) -> History:
        """Return a portfolio's whole history, as is `said` of it; empty when it has no value."""
        found = self._histories.get((portfolio, said))
        if found is None:
            found = self._histories[portfolio, said] = self._made(self.rows.get(portfolio), said)
        return found

    def _made(self, row: int | None, said: Said) -> History:
        if row is None:
            nothing = np.array([], dtype=np.float64)
            nav = Nav(np.array([], dtype="datetime64[D]"), nothing, nothing, 0, ())
        else:
            nav = _nav(self.navs, row)
        every, nav = len(nav), nav.between(said.inception, said.ended)
        whole = track(nav.dates, nav.value, nav.flow, _linked(nav))
        cadence = cadence_of(whole.dates, said.given())
        return History(nav, without_gaps(whole, cadence), cadence, every - len(nav))


@dataclass(frozen=True, eq=False, slots=True)
class _Memory:
    funds: Memo[Fund] = field(default_factory=lambda: Memo(FUNDS_KEPT))
    prices: Memo[Prices] = field(default_factory=lambda: Memo(PRICES_KEPT))
    cash: Memo[dict[str, float]] = field(default_factory=lambda: Memo(PRICES_KEPT))
    marks: Memo[list[Restatement]] = field(default_factory=lambda: Memo(PRICES_KEPT))


_MEMORIES: WeakKeyDictionary[ClickHouse, _Memory] = WeakKeyDictionary()


def fund(stores: Stores, origin: str) -> Fund:
    """Return every portfolio of `origin`. Raises StorageUnavailable or StorageRejected."""
    return _kept(stores, lambda memory: memory.funds, (origin,), lambda: _read(stores.clickhouse, origin))


def price_track(stores: Stores, origin: str, instrument: str) -> Prices:
    """Return an instrument's closes. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.prices,
        (origin, instrument),
        lambda: _prices(stores.clickhouse, origin, instrument),
    )


def marks(stores: Stores, origin: str, portfolio: str) -> list[Restatement]:
    """Return the newest restatements of a portfolio, newest first. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.marks,
        (origin, portfolio),
        lambda: restatements(stores.clickhouse, origin, [portfolio], limit=MOST_MARKS),
    )


def cash_on(stores: Stores, origin: str, portfolios: tuple[str, ...], day: date) -> dict[str, float]:
    """Return the cash among the positions of a day, by portfolio. Raises StorageUnavailable or StorageRejected."""
    return _kept(
        stores,
        lambda memory: memory.cash,
        (origin, str(day), *portfolios),
        lambda: cash(stores.clickhouse, origin, portfolios, day),
    )


def _read(clickhouse: ClickHouse, origin: str) -> Fund:
    navs = daily_navs(clickhouse, origin)
    return Fund(navs, {name: row for row, name in enumerate(navs.portfolios)})


def _prices(clickhouse: ClickHouse, origin: str, instrument: str) -> Prices:
    found = daily_prices_many(clickhouse, origin, [instrument])
    days, values = found.days, found.values[0]
    are_prices = values > 0
    closes = track(days[are_prices], values[are_prices])
    return Prices(without_gaps(closes, cadence_of(closes.dates)), days[~are_prices])


def _nav(navs: DailyNavs, row: int) -> Nav:
    days, values, flows, newest = navs.days, navs.values[row], navs.flows[row], int(navs.newest[row])
    there = ~np.isnan(values)
    moves = _moves(navs, row)
    if there.all():
        return Nav(days, values, flows, newest, moves)
    return Nav(days[there], values[there], _flows(flows, there), newest, moves)


def _moves(navs: DailyNavs, row: int) -> tuple[Move, ...]:
    """Return the moves within days: those at midnight are of a portfolio valued by day, whose flow is the day's."""
    moved = navs.moves
    within = np.flatnonzero((moved.number == row) & (moved.ts % DAY_SECONDS != 0))
    days = np.unique(moved.ts[within] // DAY_SECONDS)
    at = np.flatnonzero((moved.number == row) & np.isin(moved.ts // DAY_SECONDS, days))
    columns = (column[at].tolist() for column in (moved.ts, moved.before, moved.values, moved.flows))
    return tuple(Move(*each) for each in zip(*columns, strict=True))


def _linked(nav: Nav) -> dict[int, float]:
    """Return the returns of the days within which money moved, by position; the first day has none."""
    found: dict[int, float] = {}
    for day, moves in groupby(nav.moves, key=lambda move: move.day):
        place = int(np.searchsorted(nav.dates, day))
        if place > 0:
            steps = [(move.before, move.value, move.flow) for move in moves]
            found[place] = linked_return(float(nav.value[place - 1]), float(nav.value[place]), steps)
    return found


def _flows(flows: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the flows on the days that have a value; what moved between them belongs to the next."""
    return np.diff(np.cumsum(flows)[there], prepend=0.0)


def _kept(
    stores: Stores, which: Callable[[_Memory], Memo[Kept]], name: tuple[str, ...], make: Callable[[], Kept]
) -> Kept:
    memory = _MEMORIES.setdefault(stores.clickhouse, _Memory())
    return which(memory).get((stores.live.version("portfolio"), *name), make)
