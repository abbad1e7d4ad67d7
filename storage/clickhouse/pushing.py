"""Samples of several senders stored together: an insert of forty thousand takes hardly longer than one of ten.

Who comes while another one stores waits for him, and the next one stores what all of them brought meanwhile. Each is
still told apart what there was of his, and is taken whole or not at all.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from core.errors import StorageRejected, StorageUnavailable
from core.model import Facts
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.pushed import Before, insert_samples, stored_before
from storage.clickhouse.sample_rows import NAME_AGAIN_SECONDS, SERIES_COLUMNS
from storage.clickhouse.series import SeriesKey
from storage.turns import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOGETHER = 200_000
"""Samples of several senders that are stored at once."""
MOST_NAMED = 100_000
"""Series that are remembered as named: seven megabytes."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Push:
    """Samples of one sender, each series once a second."""

    series: NDArray[np.uint64]
    ts: NDArray[np.int64]
    values: NDArray[np.float64]
    names: Mapping[SeriesKey, int]
    """The number of each series."""
    check: Callable[[Before], None] | None = None
    """Raises what refuses them, told what there is of them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of samples."""

    before: Before | None
    """What there was of them; None: nobody knows, and they may be stored or not."""
    tried: float | None
    """When they were sent to ClickHouse (epoch seconds); None: never."""
    failed: StorageUnavailable | None = None
    """Why nobody knows."""


class _Place:
    """Somebody who waits until his samples are stored, by himself or by another one."""

    def __init__(self, push: Push) -> None:
        self.push = push
        self.outcome: Outcome | None = None
        self.rejected: StorageRejected | None = None

    @property
    def is_served(self) -> bool:
        return self.outcome is not None or self.rejected is not None


class Pushing:
    """The way of samples that are sent into ClickHouse, one a process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        self._waiting: list[_Place] = []
        self._named: set[int] = set()
        self._named_at = 0

    def push(self, clickhouse: ClickHouse, settings: Settings, push: Push, now: float) -> Outcome:
        """Store those of which there are none. Raises StorageRejected, and what `push.check` raises.

        now: epoch seconds.
        """
        place = _Place(push)
        if not self._may_join(clickhouse, settings, push):
            self._serve(clickhouse, settings, [place], now)
            return _told(place)
        with self._lock:
            self._waiting.append(place)
        with self._storing:
            if not place.is_served:
                self._serve(clickhouse, settings, self._next(place), now)
        return _told(place)

    def _may_join(self, clickhouse: ClickHouse, settings: Settings, push: Push) -> bool:
        """Return whether samples may be stored with those of others.

        A server goes on with an insert whose sender was killed, and knows the same rows again by their token alone. Of
        old ones a bucket that has points has them all, whoever brought these.
        """
        kept_since = time.time() - settings.retention.raw_days * DAY_SECONDS
        return clickhouse.is_embedded and push.check is None and len(push.ts) > 0 and int(push.ts.min()) > kept_since

    def _next(self, own: _Place) -> list[_Place]:
        """Return who is served now: who asks, and those who wait, as long as they are not too many."""
        with self._lock:
            found, rows = [own], len(own.push.ts)
            for each in self._waiting:
                if each is not own and rows + len(each.push.ts) <= MOST_TOGETHER:
                    rows += len(each.push.ts)
                    found.append(each)
            self._waiting = [each for each in self._waiting if each not in found]
        return found

    def _serve(self, clickhouse: ClickHouse, settings: Settings, places: Sequence[_Place], now: float) -> None:
        """Store what several brought, and tell each what came of it."""
        tried: float | None = None
        try:
            with turn(settings.data_dir, "samples"):
                tried = time.time()
                self._store(clickhouse, settings, places, now, tried)
        except StorageUnavailable as error:
            for each in places:
                if not each.is_served:
                    each.outcome = Outcome(None, tried, error)

    def _store(
        self, clickhouse: ClickHouse, settings: Settings, places: Sequence[_Place], now: float, tried: float
    ) -> None:
        if len(places) > 1 and _are_apart([each.push for each in places]):
            with contextlib.suppress(StorageRejected):  # each by himself, so that only his own are refused
                self._store_together(clickhouse, settings, places, now, tried)
                return
        for each in places:
            try:
                each.outcome = Outcome(self._stored(clickhouse, settings, each.push, now), tried)
            except StorageRejected as error:
                each.rejected = error

    def _store_together(
        self, clickhouse: ClickHouse, settings: Settings, places: Sequence[_Place], now: float, tried: float
    ) -> None:
        pushes = [each.push for each in places]
        series, ts, values = (
            np.concatenate([getattr(each, name) for each in pushes]) for name in ("series", "ts", "values")
        )
        names = {key: number for each in pushes for key, number in each.names.items()}
        before = self._stored(clickhouse, settings, Push(series, ts, values, names), now)
        first = 0
        for place in places:
            after = first + len(place.push.ts)
            place.outcome = Outcome(before.part(first, after), tried)
            first = after

    def _stored(self, clickhouse: ClickHouse, settings: Settings, push: Push, now: float) -> Before:
        """Store samples, and return what there was of them."""
        before = stored_before(clickhouse, push.series, push.ts, settings.retention)
        if push.check is not None:
            push.check(before)
        self._name(clickhouse, push.names, int(now))
        new = ~before.there
        insert_samples(clickhouse, push.series[new], push.ts[new], push.values[new], settings.retention)
        return before

    def _name(self, clickhouse: ClickHouse, names: Mapping[SeriesKey, int], second: int) -> None:
        """Store the names of series; those that this process stored within the hour are there."""
        if abs(second - self._named_at) >= NAME_AGAIN_SECONDS or len(self._named) > MOST_NAMED:
            self._named, self._named_at = set(), second
        fresh = {key: number for key, number in names.items() if number not in self._named}
        if fresh:
            clickhouse.insert(names_of(fresh, second))
            self._named.update(fresh.values())


def names_of(names: Mapping[SeriesKey, int], second: int) -> Facts:
    """Return the names of series as rows."""
    rows = [(number, host, metric, dict(labels), second) for (host, metric, labels), number in names.items()]
    return Facts("series", SERIES_COLUMNS, tuple(zip(*rows, strict=True)))


def _told(place: _Place) -> Outcome:
    if place.rejected is not None:
        raise StorageRejected(str(place.rejected)) from place.rejected
    assert place.outcome is not None, "whoever stores serves everybody whom he took along"
    return place.outcome


def _are_apart(pushes: Sequence[Push]) -> bool:
    """Return whether no series has a second of several senders: then the later one would have found the earlier one's.

    Numbers are compared that are the same for the same; where others happen to be, nothing is together that could be.
    """
    numbers = np.concatenate([each.series ^ (each.ts.astype(np.uint64) * _ODD) for each in pushes])
    return len(np.unique(numbers)) == len(numbers)
