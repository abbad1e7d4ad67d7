"""The requests of one process, counted as they are answered; and what several such counts make together."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.web.spec import SLOWEST, SLOWEST_SECONDS, SlowCall

BOUNDS_SECONDS = tuple(0.0001 * 1.2**n for n in range(76))
"""Upper ends of the classes that times are counted in, 0.1 ms to 86 s: a quantile is told to a fifth of itself."""
MOST_ROUTES = 500
MOST_CLIENTS = 2_000
SLOT_SECONDS = 300.0


@dataclass(slots=True)
class Counts:
    """The requests of one route since the process began."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    seconds: float = 0.0
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    """How many took how long, by BOUNDS_SECONDS."""

    def less(self, before: Counts) -> Counts:
        """Return what has come since `before`."""
        return Counts(
            self.requests - before.requests,
            self.client_errors - before.client_errors,
            self.server_errors - before.server_errors,
            self.seconds - before.seconds,
            [now - then for now, then in zip(self.classes, before.classes, strict=True)],
        )

    def add(self, other: Counts) -> None:
        """Count the requests of `other` too."""
        self.requests += other.requests
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.seconds += other.seconds
        self.classes = [one + two for one, two in zip(self.classes, other.classes, strict=True)]

    def quantile(self, share: float) -> float | None:
        """Return the time that `share` of the requests did not exceed, to a fifth of itself; None without any."""
        total = sum(self.classes)
        if not total:
            return None
        wanted, seen = max(math.ceil(share * total), 1), 0
        for place, many in enumerate(self.classes):
            seen += many
            if seen >= wanted:
                return BOUNDS_SECONDS[min(place, len(BOUNDS_SECONDS) - 1)]
        return BOUNDS_SECONDS[-1]

    @property
    def mean_seconds(self) -> float | None:
        """Mean time to answer; None without requests."""
        return self.seconds / self.requests if self.requests else None


class Tally:
    """Counts the requests of this process. Threads share it: a count that two write at once may miss one of them.

    A lock would cost more than such a miss: the interpreter switches threads a few hundred times a second at most.
    """

    def __init__(self) -> None:
        self._routes: dict[str, Counts] = {}
        self._slow: dict[int, list[tuple[float, float, str, str, int]]] = {}
        self._pages: dict[str, list[float]] = {}
        """By client: until when each time that it asked for news tells of an open page."""

    def answered(self, route: str, method: str, status: int, seconds: float, now: float) -> None:
        """Count a request that was answered at `now` (epoch seconds)."""
        counts = self._routes.get(route)
        if counts is None:
            if len(self._routes) >= MOST_ROUTES:
                return
            counts = self._routes[route] = Counts()
        counts.requests += 1
        counts.seconds += seconds
        counts.classes[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        if status >= 400:
            if status < 500:
                counts.client_errors += 1
            else:
                counts.server_errors += 1
        slot = self._slow.get(int(now // SLOT_SECONDS))
        if slot is None:
            slot = self._slow[int(now // SLOT_SECONDS)] = []
        if len(slot) < SLOWEST:
            heapq.heappush(slot, (seconds, now, route, method, status))
        elif seconds > slot[0][0]:
            heapq.heapreplace(slot, (seconds, now, route, method, status))

    def asked_for_news(self, client: str, now: float, every_seconds: float) -> None:
        """Note that an open page of a client asked for news because its interval, `every_seconds`, was over."""
        times = self._pages.get(client)
        if times is None:
            if len(self._pages) >= MOST_CLIENTS:
                return
            times = self._pages[client] = []
        times.append(now + 2 * every_seconds)

    def told(self, now: float) -> dict[str, Any]:
        """Return all counts as what JSON can hold, and forget what is too old to count."""
        self._pages = {
            client: kept
            for client, times in [*self._pages.items()]
            if (kept := [until for until in times if until > now])
        }
        first = int((now - SLOWEST_SECONDS) // SLOT_SECONDS)
        self._slow = {slot: found for slot, found in [*self._slow.items()] if slot > first}
        slowest = heapq.nlargest(SLOWEST, (call for found in [*self._slow.values()] for call in found))
        return {
            "ts": now,
            "routes": {
                route: [each.requests, each.client_errors, each.server_errors, each.seconds, each.classes]
                for route, each in [*self._routes.items()]
            },
            "pages": {client: len(times) for client, times in self._pages.items()},
            "slowest": slowest,
        }


def counts_of(told: Mapping[str, Any]) -> dict[str, Counts]:
    """Return the counts by route that a process has told."""
    return {route: Counts(*values) for route, values in told["routes"].items()}


def open_pages(told: Sequence[Mapping[str, Any]]) -> int:
    """Return how many pages are open by what every process has told.

    A page asks once an interval of its own, whichever process answers: who asked four times in two intervals has two
    pages open.
    """
    clients: dict[str, int] = {}
    for each in told:
        for client, times in each["pages"].items():
            clients[client] = clients.get(client, 0) + times
    return sum(max(times // 2, 1) for times in clients.values())


def slowest_calls(told: Sequence[Mapping[str, Any]]) -> list[SlowCall]:
    """Return the slowest calls of every process, slowest first."""
    calls = heapq.nlargest(SLOWEST, (tuple(call) for each in told for call in each["slowest"]))
    return [SlowCall(at, route, method, status, seconds) for seconds, at, route, method, status in calls]
