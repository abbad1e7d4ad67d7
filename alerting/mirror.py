"""Copies the history of alerts to ClickHouse, where it can be read beside what was measured (storage/mirror.py)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from core.errors import StorageError
from storage.clickhouse.alert_rows import copy_history, newest_copied
from storage.mirror import Copied, copy_new
from storage.state.alerts import NumberedRow, history_after
from storage.stores import Stores

NAME = "alert_history"
INTERVAL_SECONDS = 5.0

log = logging.getLogger(__name__)


class Mirror:
    """Copies what was added to the history since it was asked last; `is_active`: whether that is ours to do."""

    def __init__(self, stores: Stores, is_active: Callable[[], bool]) -> None:
        self._state = stores.state
        self._is_active = is_active
        self._said = ""
        self._history: Copied[NumberedRow] = Copied(
            NAME,
            number=lambda row: row[0],
            after=history_after,
            newest=partial(newest_copied, stores.clickhouse),
            put=partial(copy_history, stores.clickhouse),
        )

    def run(self, stopping: threading.Event) -> None:
        """Copy again and again until told to stop."""
        while not stopping.wait(INTERVAL_SECONDS):
            self.step()

    def step(self) -> int:
        """Copy once and return how many rows that were; what a store that is away keeps from it waits."""
        if not self._is_active():
            return 0
        try:
            copied = copy_new(self._state, self._history)
        except StorageError as error:
            if str(error) != self._said:
                log.warning("the history of alerts waits to be copied: %s", error)
            self._said = str(error)
            return 0
        self._said = ""
        return copied
