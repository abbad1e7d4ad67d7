"""Forgets, now and then, what alerting has kept for long enough; ClickHouse has its history all the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from alerting.mirror import NAME
from core.clock import DAY_SECONDS, Clock
from core.errors import StorageError
from storage.state.alerts_forgotten import MOST_INCIDENTS, forget_alerts
from storage.state.database import State

INTERVAL_SECONDS = 3_600.0

log = logging.getLogger(__name__)


class Forgetting:
    """Forgets what was over for so many days; `is_active`: whether that is ours to do."""

    def __init__(self, state: State, clock: Clock, keep_days: int, is_active: Callable[[], bool]) -> None:
        self._state = state
        self._clock = clock
        self._keep_days = keep_days
        self._is_active = is_active

    def run(self, stopping: threading.Event) -> None:
        """Forget again and again until told to stop."""
        while not stopping.wait(INTERVAL_SECONDS):
            self.step()

    def step(self) -> int:
        """Forget once and return how many incidents that were; what a store that is away keeps from it waits."""
        if not self._is_active():
            return 0
        before, forgotten = self._clock.now() - self._keep_days * DAY_SECONDS, 0
        try:
            while found := forget_alerts(self._state, before, NAME):
                forgotten += found
                if found < MOST_INCIDENTS:
                    break
        except StorageError as error:
            log.warning("old alerts wait to be forgotten: %s", error)
        return forgotten
