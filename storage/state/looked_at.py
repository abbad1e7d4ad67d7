"""Which refused files of the inbox a person has looked at: those are no warning any more."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa

from storage.state.database import State, looked_at, upsert

FileKey = tuple[str, str]
"""Name of a file in inbox/refused, and a stamp that another file of that name does not have."""


def looked_at_files(state: State) -> set[FileKey]:
    """Return every file that was looked at."""
    with state.reading() as connection:
        return {(row.name, row.stamp) for row in connection.execute(sa.select(looked_at.c.name, looked_at.c.stamp))}


def mark_looked_at(state: State, files: Sequence[FileKey], who: str) -> None:
    """Remember that files were looked at."""
    rows = [{"name": name, "stamp": stamp, "at": time.time(), "who": who[:80]} for name, stamp in files]
    with state.begin() as connection:
        upsert(connection, looked_at, rows)
