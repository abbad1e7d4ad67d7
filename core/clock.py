"""Time, injected: code takes a Clock, tests pass a FakeClock and never sleep."""

from __future__ import annotations

import time
from typing import Protocol

DAY_SECONDS = 86_400


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """Return wall-clock epoch seconds (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class FakeClock:
    """A clock that tests move by hand."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self._now += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as NTP or an operator would."""
        self._now += seconds
