"""Notices when the wall clock moves and the monotonic clock does not: a step by NTP or an operator, or a suspend."""

from __future__ import annotations

from core.clock import Clock

JUMP_SECONDS = 2.0
"""Smallest difference that counts as a jump; slewing and a busy machine stay far below it."""


class ClockGuard:
    """Compares both clocks between ticks."""

    def __init__(self, clock: Clock, threshold_seconds: float = JUMP_SECONDS) -> None:
        self._clock = clock
        self._threshold_seconds = threshold_seconds
        self._wall, self._monotonic = clock.now(), clock.monotonic()

    def tick(self) -> float:
        """Return by how many seconds the wall clock jumped since the last tick: 0.0 when it did not.

        Positive: forwards, or the machine slept. Negative: backwards.
        """
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        jump = (wall - self._wall) - (monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        return jump if abs(jump) > self._threshold_seconds else 0.0
