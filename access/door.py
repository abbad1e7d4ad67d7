"""What takes long is done for a few at a time: few wait for their turn, so that threads stay for everybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Door:
    """Has places for those that are inside or wait, and turns for those inside. Safe to share between threads."""

    def __init__(self, at_once: int, places: int, wait_seconds: float | None = None) -> None:
        """wait_seconds: longest wait for a turn; None: until it comes."""
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(places)
        self._wait_seconds = wait_seconds

    @contextmanager
    def turn(self, refusal: Exception) -> Iterator[None]:
        """Hold a turn. Raises `refusal` when there is no place, or the turn does not come in time."""
        if not self._places.acquire(blocking=False):
            raise refusal
        try:
            if not self._turns.acquire(timeout=self._wait_seconds):
                raise refusal
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()
