"""Copies the audit to ClickHouse, where it can be read beside what was measured: each row once, late rather than never.

How far it got stands in two places, and the lower one counts: a mark in the state database, and the newest row in
ClickHouse. So rows are copied again to a ClickHouse that is empty or was restored, and those of a state database that
was restored, where numbers are given a second time, are copied too.
"""

from __future__ import annotations

from core.errors import SourceUnavailable, StorageUnavailable
from core.model import Reading
from storage.clickhouse.audit_rows import copy_entries, newest_copied
from storage.clickhouse.client import ClickHouse
from storage.state.audit import Entry, entries_after, read_mark, set_mark
from storage.state.database import State
from storage.stores import Stores

NAME = "audit"
BATCH_ROWS = 5_000
MOST_BATCHES = 20
"""In a run; what is left waits for the next."""


class Mirror:
    """The importer that copies what was added to the audit since its last run."""

    name = NAME
    timeout_seconds = 30.0

    def __init__(self, state: State, clickhouse: ClickHouse, interval_seconds: float = 5.0) -> None:
        self.interval_seconds = interval_seconds
        self._state = state
        self._clickhouse = clickhouse

    def take_in(self, now: float) -> Reading:
        """Copy what is not copied yet; it is news where there was any.

        Raises SourceUnavailable when ClickHouse or the state database is away.
        """
        copied = 0
        try:
            for _ in range(MOST_BATCHES):
                batch = self._copy_batch()
                copied += batch
                if not batch:
                    break
        except StorageUnavailable as error:
            raise SourceUnavailable(f"the audit waits to be copied: {error}") from error
        return Reading(is_news=copied > 0)

    def _copy_batch(self) -> int:
        """Copy the next rows and return how many."""
        mark, newest = read_mark(self._state, NAME), newest_copied(self._clickhouse)
        entries = self._next(mark, newest)
        if entries:
            copy_entries(self._clickhouse, entries)
            set_mark(self._state, NAME, entries[-1].id)
        return len(entries)

    def _next(self, mark: int, newest: int) -> list[Entry]:
        """Return the next rows; where some may be copied and not marked, these alone: the batch is known again."""
        entries = entries_after(self._state, min(mark, newest), BATCH_ROWS)
        unmarked = [each for each in entries if each.id <= newest]
        return unmarked or entries


def make(stores: Stores) -> Mirror:
    """Return the importer of these stores."""
    return Mirror(stores.state, stores.clickhouse, stores.settings.intervals.audit_seconds)
