"""What every SQLite file of ours is opened with, and how it is changed."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator

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


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or on any error undo it and raise that error.

    A full disk ends a transaction by itself, and then there is nothing left to undo.
    """
    _undo(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # the first error says why; the next transaction undoes it again
            _undo(connection)
        raise


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
