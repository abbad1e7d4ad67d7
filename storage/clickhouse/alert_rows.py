"""The history of alerts in ClickHouse: a copy of the rows of the state database (storage/state/alerts.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.state.alerts import NumberedRow

TABLE = "alert_history"
FIELDS = ("what", "rule", "labels", "severity", "incident", "who", "detail")


def newest_copied(clickhouse: ClickHouse) -> int:
    """Return the highest number of a row that is there; 0: none. Raises StorageUnavailable."""
    ((newest,),) = clickhouse.rows(f"SELECT max(id) FROM {TABLE}", kind="newest alert history")
    return int(newest)


def copy_history(clickhouse: ClickHouse, rows: Sequence[NumberedRow]) -> None:
    """Insert rows, oldest first; the same ones inserted again add nothing. Raises StorageUnavailable."""
    (first, oldest), (last, youngest) = rows[0], rows[-1]
    columns: tuple[Sequence[Any], ...] = (
        [id for id, _ in rows],
        [datetime.fromtimestamp(each.at, UTC) for _, each in rows],
        *([getattr(each, name) for _, each in rows] for name in FIELDS),
    )
    token = f"{TABLE} {first} {oldest.at!r} {last} {youngest.at!r}"
    clickhouse.insert(Facts(TABLE, ("id", "at", *FIELDS), columns, token))
