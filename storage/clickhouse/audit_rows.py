"""The audit in ClickHouse: a copy of the rows of the state database (storage/state/audit.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.state.audit import Entry

TABLE = "audit"
TEXTS = ("who", "what", "target", "address", "outcome", "detail")


def newest_copied(clickhouse: ClickHouse) -> int:
    """Return the highest number of a row that is there; 0: none. Raises StorageUnavailable."""
    ((newest,),) = clickhouse.rows(f"SELECT max(id) FROM {TABLE}", kind="newest audit")
    return int(newest)


def copy_entries(clickhouse: ClickHouse, entries: Sequence[Entry]) -> None:
    """Insert rows, oldest first; the same ones inserted again add nothing. Raises StorageUnavailable."""
    first, last = entries[0], entries[-1]
    columns: tuple[Sequence[Any], ...] = (
        [each.id for each in entries],
        [datetime.fromtimestamp(each.at, UTC) for each in entries],
        *([getattr(each, name) for each in entries] for name in TEXTS),
    )
    token = f"{TABLE} {first.id} {first.at!r} {last.id} {last.at!r}"
    clickhouse.insert(Facts(TABLE, ("id", "at", *TEXTS), columns, token))
