"""One spool a process, and what a process that ended left in its own.

Each process holds the first of spool.sqlite, spool-2.sqlite, spool-3.sqlite … that no other one holds, by a lock that
ends with the process, however it ends. So a worker that is started again finds what the one before it left. A file that
nobody holds is emptied into that of whoever finds it first, at a start and every half minute.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import sqlite3
from pathlib import Path
from typing import IO

from core.errors import StartError, StorageError
from core.format import count
from storage.clickhouse.spool import Spool, SpoolStats, counted_in
from storage.damage import open_expendable

log = logging.getLogger(__name__)
NAME = "spool"


class SpoolFile:
    """A name for a spool's file that no other process has meanwhile."""

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self.path = path
        self._lock = lock

    def release(self) -> None:
        """Let another process have it."""
        self._lock.close()


def claim(folder: Path) -> SpoolFile:
    """Return the first file that no process holds. Raises StartError where the folder cannot be written."""
    for number in itertools.count(1):
        path = folder / (f"{NAME}.sqlite" if number == 1 else f"{NAME}-{number}.sqlite")
        held = _held(path)
        if held is not None:
            return held
    raise AssertionError


def adopt(folder: Path, own: SpoolFile, into: Spool, limit_bytes: int) -> int:
    """Move what waits in files that no process holds into `into`, and return how many batches those were."""
    moved = 0
    for path in sorted(folder.glob(f"{NAME}*.sqlite")):
        if path != own.path and path.is_file():
            try:
                moved += _emptied(path, into, limit_bytes)
            except (OSError, sqlite3.Error, StorageError) as error:
                log.warning("what a process left waiting in %s cannot be taken over yet: %s", path.name, error)
    return moved


def others(folder: Path, own: str) -> dict[str, SpoolStats]:
    """Return what waits in the spools of other processes on this folder, by the names of their files.

    own: name of this process's file. One that cannot be read now is left out until it can.
    """
    found = {}
    for path in sorted(folder.glob(f"{NAME}*.sqlite")):
        if path.name != own:
            with contextlib.suppress(sqlite3.Error, OSError):
                found[path.name] = counted_in(path)
    return found


def _emptied(path: Path, into: Spool, limit_bytes: int) -> int:
    held = _held(path)
    if held is None:
        return 0
    try:
        told: list[str] = []
        without = "rows that a process left waiting in it for ClickHouse, if any, are missing"
        left = open_expendable(path, without, lambda: Spool(path, limit_bytes), told)
        for sentence in told:
            log.error("%s", sentence)
        with contextlib.closing(left):
            moved = into.take_over(left)
    finally:
        held.release()
    if moved:
        batches = count(moved, "batch", "batches")
        log.warning("%s that a process left waiting in %s taken over", batches, path.name)
    return moved


def _held(path: Path) -> SpoolFile | None:
    """Return the file, held by this process; None where another one holds it."""
    try:
        lock = path.with_suffix(".lock").open("a")
    except OSError as error:
        raise StartError(
            f"{path.with_suffix('.lock')}: {error.strerror or error}; move it away, it says nothing"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return SpoolFile(path, lock)
