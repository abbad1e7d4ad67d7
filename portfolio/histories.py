"""The histories of a fund's portfolios and its instruments: read once a version of the data, shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import Dates
from analytics.performance import Track, track
from core.memo import Memo
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.portfolio import DailyNavs, Restatement, daily_navs, daily_prices_many, restatements

if TYPE_CHECKING:
    from storage.stores import Stores

FUNDS_KEPT = 4
"""An origin's whole history each: 200 portfolios over 30 years are 24 MB."""
PRICES_KEPT = 64
MOST_MARKS = 100
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False, slots=True)
class Nav:
    """A portfolio's value and the external money by day, oldest first."""

    dates: Dates
    value: NDArray[np.float64]
    flow: NDArray[np.float64]
    """Into the portfolio; negative where money was taken out."""
    newest: int
    """Epoch seconds of the newest value; 0 when there is none."""

    def __len__(self) -> int:
        return len(self.dates)

    def until(self, day: np.datetime64) -> Nav:
        """Return the values up to and including `day`."""
        end = int(np.searchsorted(self.dates, day, side="right"))
        return Nav(self.dates[:end], self.value[:end], self.flow[:end], self.newest)


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """A portfolio's values with the track made of them."""

    nav: Nav
    track: Track


@dataclass(frozen=True, eq=False)
class Fund:
    """Every portfolio of an origin in one version of the data; histories are made when they are needed."""

    navs: DailyNavs
    rows: dict[str, int]
    _histories: dict[str, History] = field(default_factory=dict)

    def history(self, portfolio: str) -> History:
        """Return a portfolio's whole history, empty when it has no value."""
        found = self._histories.get(portfolio)
        if found is None:
            found = self._histories[portfolio] = self._made(self.rows.get(portfolio))
        return found

    def _made(self, row: int | None) -> History:
        if row is None:
            nothing = np.array([], dtype=np.float64)
            nav = Nav(np.array([], dtype="datetime64[D]"), nothing, nothing, 0)
        else:
            nav = _nav(self.navs, row)
        return History(nav, track(nav.dates, nav.value, nav.flow))


@dataclass(frozen=True, eq=False, slots=True)
class _Memory:
    funds: Memo[Fund] = field(default_factory=lambda: Memo(FUNDS_KEPT))
    prices: Memo[Track] = field(default_factory=lambda: Memo(PRICES_KEPT))
    marks: Memo[list[Restatement]] = field(default_factory=lambda: Memo(PRICES_KEPT))


_MEMORIES: WeakKeyDictionary[ClickHouse, _Memory] = WeakKeyDictionary()


def fund(stores: Stores, origin: str) -> Fund:
    """Return every portfolio of `origin`. Raises StorageUnavailable or StorageRejected."""
    return _kept(stores, lambda memory: memory.funds, (origin,), lambda: _read(stores.clickhouse, origin))


def price_track(stores: Stores, origin: str, instrument: str) -> Track:
    """Return the track of an instrument's closes. Raises StorageUnavailable or StorageRejected."""
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


def _read(clickhouse: ClickHouse, origin: str) -> Fund:
    navs = daily_navs(clickhouse, origin)
    return Fund(navs, {name: row for row, name in enumerate(navs.portfolios)})


def _prices(clickhouse: ClickHouse, origin: str, instrument: str) -> Track:
    found = daily_prices_many(clickhouse, origin, [instrument])
    return track(found.days, found.values[0])


def _nav(navs: DailyNavs, row: int) -> Nav:
    days, values, flows, newest = navs.days, navs.values[row], navs.flows[row], int(navs.newest[row])
    there = ~np.isnan(values)
    if there.all():
        return Nav(days, values, flows, newest)
    return Nav(days[there], values[there], _flows(flows, there), newest)


def _flows(flows: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the flows on the days that have a value; what moved between them belongs to the next."""
    return np.diff(np.cumsum(flows)[there], prepend=0.0)


def _kept(
    stores: Stores, which: Callable[[_Memory], Memo[Kept]], name: tuple[str, ...], make: Callable[[], Kept]
) -> Kept:
    memory = _MEMORIES.setdefault(stores.clickhouse, _Memory())
    return which(memory).get((stores.live.version("portfolio"), *name), make)
