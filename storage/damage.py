"""Damage to the data folder: told with the file, the cause and the way out, or put aside where it can be spared."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from core.errors import StartError, StorageError

log = logging.getLogger(__name__)

LONGEST_CAUSE = 240
SQLITE_PARTS = ("", "-wal", "-shm")
Opened = TypeVar("Opened")


@contextmanager
def damage_told(path: Path, way_out: str) -> Iterator[None]:
    """Raise StartError that names `path`, the cause and `way_out` for whatever opening it raises."""
    try:
        yield
    except (OSError, sqlite3.Error, StorageError) as error:
        raise StartError(f"{path}: {cause_of(path, error)}; {way_out}") from error


def cause_of(path: Path, error: BaseException) -> str:
    """Return why `path` cannot be used, in a few words."""
    if path.suffix == ".sqlite" and path.is_dir():
        return "it is a folder, and should be a file"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    said = " ".join(str(error).encode("utf-8", "replace").decode().split())
    # Of the engine's words those before the last "Code: N" say what was tried, not why it failed.
    said = said[max(said.rfind("Code: "), 0) :]
    if "not a database" in said or "malformed" in said:
        return f"it is damaged, or no file of ours ({said})"
    return said if len(said) <= LONGEST_CAUSE else f"{said[:LONGEST_CAUSE]}…"


def open_expendable(path: Path, without: str, open_it: Callable[[], Opened], told: list[str]) -> Opened:
    """Return what `open_it` opens at `path`; where that is damaged it is moved aside, and a new one made.

    `without` says in `told` what is not there any more. Raises StartError where a new one cannot be made either.
    """
    try:
        return open_it()
    except (OSError, sqlite3.Error, StartError) as error:
        cause = cause_of(path, error)
        if isinstance(error, sqlite3.OperationalError) and not path.is_dir():
            # Locked, read-only, no room: the file is as it was.
            raise StartError(f"{path}: {cause}; make room, or let this user write it") from error
    with damage_told(path, "let this user write the data folder"):
        aside = set_aside(path)
        if aside is not None:
            told.append(f"{path}: {cause}; it was moved aside to {aside.name}: {without}")
        return open_it()


def set_aside(path: Path) -> Path | None:
    """Move a file or folder, and what SQLite has beside it, to a name of its own; None: there is nothing.

    Raises OSError. The file itself goes last: without it SQLite would take what is beside it for part of a new one.
    """
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    moved = None
    for part in reversed(SQLITE_PARTS):
        beside = path.with_name(f"{path.name}{part}")
        if beside.exists() or beside.is_symlink():
            moved = aside
            beside.rename(aside.with_name(f"{aside.name}{part}"))
    return moved
