"""What figures of portfolios were since alerts began: worked out for a while a refresh, and seldom anew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from core.alerts.thresholds import Bound
from core.errors import StorageError
from portfolio.alert_courses import FigureCourse, portfolio_course
from portfolio.chosen import key_of
from portfolio.incidents import portfolio_key
from storage.clickhouse.client import ClickHouse
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

TURN_SECONDS = 0.25
"""So long courses are worked out in a refresh: what is left waits for the next, as it was."""
AGAIN_SECONDS = 60.0
"""One is worked out anew so seldom, where the data change all the time."""
MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Kept:
    version: str
    """Of the data that it was worked out of."""
    at: float
    course: FigureCourse | None


@dataclass(slots=True)
class _Memory:
    known: OrderedDict[tuple[str, Bound, int], _Kept] = field(default_factory=OrderedDict)
    works: threading.Lock = field(default_factory=threading.Lock)
    """One refresh works at a time: the others show what is known."""


_MEMORIES: WeakKeyDictionary[ClickHouse, _Memory] = WeakKeyDictionary()


class OfPortfolios:
    """Courses of figures of portfolios for one refresh at `now`, epoch seconds."""

    def __init__(self, stores: Stores, now: float) -> None:
        self._stores, self._now = stores, now
        self._ends_at = stores.clock.monotonic() + TURN_SECONDS
        self._memory = _MEMORIES.setdefault(stores.clickhouse, _Memory())

    def course(self, bound: Bound, of: Mapping[str, str], since: float) -> FigureCourse | None:
        """Return what a figure was of the portfolio that labels name; None: nothing is known of it, or not yet."""
        key = portfolio_key(of)
        name = (key, bound, int(since))
        kept = self._memory.known.get(name)
        if (kept is None or self._is_old(kept)) and self._memory.works.acquire(blocking=False):
            try:
                if self._stores.clock.monotonic() <= self._ends_at:
                    kept = self._made(name, key, bound, since)
            except StorageError:
                return kept.course if kept else None
            finally:
                self._memory.works.release()
        return kept.course if kept else None

    def _is_old(self, kept: _Kept) -> bool:
        return kept.version != self._version and not 0 <= self._now - kept.at < AGAIN_SECONDS

    def _made(self, name: tuple[str, Bound, int], key: str, bound: Bound, since: float) -> _Kept:
        portfolio = self._portfolios.get(key)
        course = portfolio_course(self._stores, portfolio, bound, since, self._now) if portfolio else None
        self._memory.known[name] = kept = _Kept(self._version, self._now, course)
        self._memory.known.move_to_end(name)
        while len(self._memory.known) > MOST_KEPT:
            self._memory.known.popitem(last=False)
        return kept

    @cached_property
    def _portfolios(self) -> Mapping[str, Portfolio]:
        return {key_of(each): each for each in list_portfolios(self._stores.state)}

    @cached_property
    def _version(self) -> str:
        return self._stores.live.version("portfolio", "replay")
