"""Copies the audit to ClickHouse, where it can be read beside what was measured (storage/mirror.py)."""

from __future__ import annotations

from functools import partial

from core.errors import SourceUnavailable, StorageUnavailable
from core.model import Reading
from storage.clickhouse.audit_rows import copy_entries, newest_copied
from storage.clickhouse.client import ClickHouse
from storage.mirror import Copied, copy_new
from storage.state.audit import Entry, entries_after
from storage.state.database import State
from storage.state.sent_rows import audit_sent
from storage.stores import Stores

NAME = "audit"


class Mirror:
    """The importer that copies what was added to the audit since its last run."""

    name = NAME
    timeout_seconds = 30.0

    def __init__(self, state: State, clickhouse: ClickHouse, interval_seconds: float = 5.0) -> None:
        self.interval_seconds = interval_seconds
        self._state = state
        self._audit: Copied[Entry] = Copied(
            NAME,
            number=lambda entry: entry.id,
            after=entries_after,
            newest=partial(newest_copied, clickhouse),
            put=partial(copy_entries, clickhouse),
        )

    def take_in(self, now: float) -> Reading:
        """Tell it what programs sent in the hours that are over; copy what is not copied yet, news where there was any.

        Raises SourceUnavailable when ClickHouse or the state database is away.
        """
        try:
            audit_sent(self._state, now)
            copied = copy_new(self._state, self._audit)
        except StorageUnavailable as error:
            raise SourceUnavailable(f"the audit waits to be copied: {error}") from error
        return Reading(is_news=copied > 0)


def make(stores: Stores) -> Mirror:
    """Return the importer of these stores."""
    return Mirror(stores.state, stores.clickhouse, stores.settings.intervals.audit_seconds)
