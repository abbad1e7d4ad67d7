"""What every SQLite file of ours is opened with."""

from __future__ import annotations

import sqlite3
import time

LOCKED_SECONDS = 5.0


def prepare(connection: sqlite3.Connection) -> None:
    """Write ahead and survive a power cut. Raises sqlite3.OperationalError when the file stays locked for 5 s.

    Two processes that switch a new file at once: SQLite tells one of them at once that it is locked, whatever its
    timeout, so we ask again.
    """
    until = time.monotonic() + LOCKED_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
