"""Circuit breaker: after repeated failures a source is left alone for a while, then probed once.

    closed ──(N failures in a row, two overruns, or a refusal)──▶ open ──(its time has passed)──▶ half-open
      ▲                                                            ▲                                │
      └───────────────────── probe succeeds ───────────────────────┼──────── probe fails ───────────┘

Time is monotonic, so a step of the wall clock neither shortens nor lengthens the open time.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.format import coarse_duration
from core.pipeline.spec import BreakerState

FAILURES_TO_OPEN = 3
OVERRUNS_TO_OPEN = 2
OPEN_SECONDS = 5.0
OPEN_SECONDS_MAX = 300.0
JITTER_RATIO = 0.2


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker at one moment."""

    state: BreakerState
    failures_in_a_row: int
    retry_in_seconds: float
    """Seconds until the next probe; 0 unless open, infinite when opened by hand."""
    opened_total: int

    @property
    def next_try(self) -> str:
        """Return when a source that is left alone is tried again."""
        if not math.isfinite(self.retry_in_seconds):
            return "not tried until switched on again"
        text = coarse_duration(self.retry_in_seconds)
        return "tried again now" if text == coarse_duration(0) else f"next try in {text}"


class Breaker:
    """One breaker, for one collector; safe to call from any thread.

    `monotonic` returns seconds that never go backwards, `uniform(low, high)` a random number between them.
    `longest_seconds` bounds how long a source that fails (not one that refuses us) is left alone.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        uniform: Callable[[float, float], float] = random.uniform,
        longest_seconds: float = OPEN_SECONDS_MAX,
    ) -> None:
        self._longest = longest_seconds
        self._monotonic = monotonic
        self._uniform = uniform
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._overruns = 0
        self._openings_in_a_row = 0
        self._opened_total = 0
        self._retry_at = 0.0
        self._has_worked = False

    def allow(self) -> bool:
        """Return whether a run may start now; the True that ends an open time is the one probe.

        Every True must be answered by `succeeded`, `failed`, `overran` or `refused`.
        """
        with self._lock:
            if self._state is BreakerState.CLOSED:
                return True
            if self._state is BreakerState.OPEN and self._monotonic() >= self._retry_at:
                self._state = BreakerState.HALF_OPEN
                return True
            return False

    def succeeded(self) -> None:
        """Record a good run: closed, and all counts forgotten. A breaker opened meanwhile by hand stays open."""
        with self._lock:
            self._has_worked = True
            if self._state is not BreakerState.OPEN:
                self._close()

    def failed(self) -> None:
        """Record a failed run."""
        self._record(overrun=False)

    def overran(self) -> None:
        """Record a run that passed its deadline."""
        self._record(overrun=True)

    def refused(self) -> None:
        """Record that the source refuses us: open at once.

        For the longest time where it never took us, since retrying cannot help. What has worked is left alone as after
        any failure: a server that begins again refuses what it took before, and will take it again.
        """
        with self._lock:
            self._failures += 1
            if self._state is not BreakerState.OPEN:
                self._open(self._growing() if self._has_worked else OPEN_SECONDS_MAX)

    def open_by_hand(self) -> None:
        """Stop all runs until `close_by_hand`."""
        with self._lock:
            if self._state is not BreakerState.OPEN:
                self._opened_total += 1
            self._state, self._retry_at = BreakerState.OPEN, float("inf")

    def close_by_hand(self) -> None:
        """Let runs through again, as if nothing had failed."""
        with self._lock:
            self._close()

    def view(self) -> BreakerView:
        """Return the state now, for metrics and the screen."""
        with self._lock:
            wait = max(0.0, self._retry_at - self._monotonic()) if self._state is BreakerState.OPEN else 0.0
            return BreakerView(self._state, self._failures, wait, self._opened_total)

    def _record(self, *, overrun: bool) -> None:
        with self._lock:
            self._failures += 1
            self._overruns += overrun
            if self._state is BreakerState.OPEN:
                return
            is_exhausted = self._failures >= FAILURES_TO_OPEN or self._overruns >= OVERRUNS_TO_OPEN
            if self._state is BreakerState.HALF_OPEN or is_exhausted:
                self._open(self._growing())

    def _growing(self) -> float:
        return min(OPEN_SECONDS * 2.0**self._openings_in_a_row, self._longest)

    def _open(self, seconds: float) -> None:
        jittered = seconds * self._uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)
        self._retry_at = self._monotonic() + min(max(jittered, OPEN_SECONDS), OPEN_SECONDS_MAX)
        # 2**6 x 5 s is past the longest time: the exponent need not grow for ever.
        self._openings_in_a_row = min(self._openings_in_a_row + 1, 6)
        self._opened_total += 1
        self._state = BreakerState.OPEN

    def _close(self) -> None:
        self._state = BreakerState.CLOSED
        self._failures = self._overruns = self._openings_in_a_row = 0
