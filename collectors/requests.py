"""Collector "requests": how Fundwatch answers, from what each of its web processes has counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collectors.base import Context, gauges
from core.errors import SourceUnavailable
from core.model import Reading, Sample
from core.tables import table_of
from core.web import spec
from core.web.spec import QUANTILES, WINDOW_SECONDS, RouteRequests, SlowCall
from core.web.tally import Counts, counts_of, open_pages, slowest_calls
from storage.live.requests import ToldRequests

Told = Mapping[str, Mapping[str, Any]]


def make(context: Context) -> RequestsCollector:
    """Return the collector."""
    told = ToldRequests(context.stores.live)
    return RequestsCollector(told.of_all, context.settings.intervals.requests_seconds)


class RequestsCollector:
    """Adds up the processes: what each has counted since the reading before, and that over the last minute."""

    name = spec.REQUESTS
    timeout_seconds = 3.0

    def __init__(self, read: Callable[[float], Told], interval_seconds: float = 5.0) -> None:
        """Return the collector of what `read` returns at a time (epoch seconds), by process."""
        self.interval_seconds = interval_seconds
        self._read = read
        self._before: dict[str, dict[str, Counts]] = {}
        self._last: float | None = None
        self._recent: deque[tuple[float, dict[str, Counts]]] = deque()

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. Raises SourceUnavailable when Redis does not answer."""
        try:
            told = self._read(now)
        except ConnectionError as error:
            raise SourceUnavailable(f"Redis does not answer: {error}") from error
        since = self._since_before(told, is_first=self._last is None)
        passed = now - self._last if self._last is not None and now > self._last else 0.0
        self._last = now
        self._recent.append((now, since))
        while self._recent[0][0] <= now - WINDOW_SECONDS:
            self._recent.popleft()
        minute = _summed([counts for _, counts in self._recent])
        rates = {route: since[route].requests / passed if passed and route in since else 0.0 for route in minute}
        rows = [_row(route, counts, rates[route]) for route, counts in sorted(minute.items())]
        pages = gauges({spec.OPEN_PAGES: open_pages([*told.values()]), spec.PROCESSES: len(told)})
        return Reading(
            samples=[*pages, *(sample for row in rows for sample in _samples(row))],
            tables=[table_of(RouteRequests, rows), table_of(SlowCall, slowest_calls([*told.values()]))],
        )

    def _since_before(self, told: Told, *, is_first: bool) -> dict[str, Counts]:
        """Return by route what every process has counted since it was read before.

        At the very first reading nobody knows when that was. A process that came since then counts from its start.
        """
        now = {process: counts_of(each) for process, each in told.items()}
        found = [] if is_first else [_less(counts, self._before.get(process, {})) for process, counts in now.items()]
        self._before = now
        return _summed(found)


def _less(now: Mapping[str, Counts], before: Mapping[str, Counts]) -> dict[str, Counts]:
    left = {route: counts.less(before.get(route, Counts())) for route, counts in now.items()}
    return {route: counts for route, counts in left.items() if counts.requests > 0}


def _summed(parts: Sequence[Mapping[str, Counts]]) -> dict[str, Counts]:
    found: dict[str, Counts] = {}
    for part in parts:
        for route, counts in part.items():
            found.setdefault(route, Counts()).add(counts)
    return found


def _row(route: str, counts: Counts, rate: float) -> RouteRequests:
    p50, p95, p99 = (counts.quantile(share) for share in QUANTILES.values())
    return RouteRequests(
        route, rate, counts.requests, counts.client_errors, counts.server_errors, p50, p95, p99, counts.mean_seconds
    )


def _samples(row: RouteRequests) -> list[Sample]:
    values: dict[str, float | None] = {
        spec.RATE: row.per_second,
        spec.COUNT: row.count,
        spec.CLIENT_ERRORS: row.client_errors,
        spec.SERVER_ERRORS: row.server_errors,
        spec.CLIENT_ERROR_RATIO: row.client_errors / row.count if row.count else None,
        spec.SERVER_ERROR_RATIO: row.server_errors / row.count if row.count else None,
        spec.MEAN_SECONDS: row.mean_seconds,
    }
    times = zip(QUANTILES, (row.p50_seconds, row.p95_seconds, row.p99_seconds), strict=True)
    quantiles = [
        sample for name, seconds in times for sample in gauges({spec.SECONDS: seconds}, route=row.route, quantile=name)
    ]
    return [*gauges(values, route=row.route), *quantiles]
