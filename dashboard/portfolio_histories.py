"""The histories of a fund's portfolios and its instruments: read once a version of the data, shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import Dates
from analytics.performance import Track, track
from dashboard.memo import Memo
from storage.clickhouse import ClickHouse
from storage.reads.portfolio import DailySeries, daily_nav, daily_prices

if TYPE_CHECKING:
    from storage.stores import Stores

KEPT = 1_024
"""Histories kept a store: 200 portfolios with the data of a few versions."""
_KEPT: WeakKeyDictionary[ClickHouse, Memo[Any]] = WeakKeyDictionary()


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


def history(stores: Stores, origin: str, portfolio: str) -> History:
    """Return a portfolio's whole history. Raises StorageUnavailable or StorageRejected."""
    name = ("nav", origin, portfolio)
    found: History = _kept(stores, name, lambda: _history(stores.clickhouse, origin, portfolio))
    return found


def price_track(stores: Stores, origin: str, instrument: str) -> Track:
    """Return the track of an instrument's closes. Raises StorageUnavailable or StorageRejected."""
    name = ("price", origin, instrument)
    found: Track = _kept(stores, name, lambda: _prices(stores.clickhouse, origin, instrument))
    return found


def _history(clickhouse: ClickHouse, origin: str, portfolio: str) -> History:
    series = daily_nav(clickhouse, origin, portfolio)
    nav = Nav(_dates(series), np.asarray(series.value, float), np.asarray(series.flow, float), series.newest)
    return History(nav, track(nav.dates, nav.value, nav.flow))


def _prices(clickhouse: ClickHouse, origin: str, instrument: str) -> Track:
    series = daily_prices(clickhouse, origin, instrument)
    return track(_dates(series), series.value)


def _kept(stores: Stores, name: tuple[str, ...], make: Callable[[], Any]) -> Any:
    memo = _KEPT.setdefault(stores.clickhouse, Memo(KEPT))
    return memo.get((stores.live.version("portfolio"), *name), make)


def _dates(series: DailySeries) -> Dates:
    return np.asarray(series.days, dtype="int64").astype("datetime64[D]")
