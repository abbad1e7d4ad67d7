"""What a judgement remembers: what happened lately, pings, and limits that let go later than they take hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil

RECENT_SECONDS = 60.0
"""How long something that happened once is still told."""
PINGS_KEPT = 120


class Window:
    """How often things happened within the last `seconds`, by name; one instance belongs to one source."""

    def __init__(self, seconds: float = RECENT_SECONDS) -> None:
        self._seconds = seconds
        self._seen: dict[str, deque[tuple[float, float]]] = {}

    def add(self, name: str, count: float, monotonic: float) -> float:
        """Return how often `name` happened within the window, `count` of it since the look before."""
        seen = self._seen.setdefault(name, deque())
        if count:
            seen.append((monotonic, count))
        while seen and seen[0][0] < monotonic - self._seconds:
            seen.popleft()
        return sum(part for _, part in seen)


class Pings:
    """How long the last answers to a ping took."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seconds: deque[float] = deque(maxlen=PINGS_KEPT)

    def take(self, ping: Callable[[], object]) -> None:
        """Ping, and note how long the answer took; none is noted when it fails."""
        began = self._monotonic()
        ping()
        self._seconds.append(self._monotonic() - began)

    def last(self, count: int) -> list[float]:
        """Return the newest ones, at most `count`."""
        return list(self._seconds)[-count:]

    def values(self, newest: str, p50: str, p99: str) -> dict[str, float]:
        """Return the newest, the median and the p99 (nearest rank), by the metrics of these names."""
        ordered = sorted(self._seconds)
        return {
            newest: self._seconds[-1],
            p50: ordered[ceil(0.50 * len(ordered)) - 1],
            p99: ordered[ceil(0.99 * len(ordered)) - 1],
        }


class Latch:
    """Whether a value is beyond a limit: from `fire` on, until it is at `clear` or below, so that it does not flap."""

    def __init__(self, fire: float, clear: float) -> None:
        self._fire = fire
        self._clear = clear
        self._holds = False

    def holds(self, value: float) -> bool:
        """Return whether the limit holds with this value."""
        self._holds = value > (self._clear if self._holds else self._fire)
        return self._holds
