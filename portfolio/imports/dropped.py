"""A file that somebody put into a folder: read without trusting what it is, named without trusting how it is called.

Opening follows no link and waits for no pipe. A name may be any bytes but "/" and as long as a name can be: what is
told and kept of it is UTF-8 without control characters, and short enough for what is written next to it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from portfolio.imports.order import CHANGE, UNDO
from portfolio.imports.sheet import LARGEST_BYTES

Identity = tuple[int, int, int]
"""Inode, size, time of change: the same twice means that nobody wrote the file in between."""

LONGEST_NAME_BYTES = 255
"""Of every file system that Linux usually has."""
MOST_BESIDE_BYTES = 18
"""Room for the longest of what is written next to a file: .NAME.import.json.part, while it is being copied."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KINDS = (
    (stat.S_ISLNK, "a link: give the file itself"),
    (stat.S_ISFIFO, "a pipe: give a file"),
    (stat.S_ISSOCK, "a socket: give a file"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a device: give a file"),
)


class Changed(Exception):
    """The file is not there any more, or is another one, or was written meanwhile: the next look tells."""


def identity_of(facts: os.stat_result) -> Identity:
    """Return what tells whether a file is the same as before."""
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def foreign(facts: os.stat_result) -> str:
    """Return what a thing that is neither file nor folder is, and what to give instead; empty for a file or folder."""
    return next((what for is_kind, what in _KINDS if is_kind(facts.st_mode)), "")


def read_dropped(path: Path, expected: Identity) -> bytes | None:
    """Return the content of the file that was seen at `path`; None when it is too large to read.

    Raises Changed when it is not that file any more, OSError when it cannot be read.
    """
    with opened_dropped(path, expected) as file:
        return file.read(LARGEST_BYTES + 1) if expected[1] <= LARGEST_BYTES else None


@contextmanager
def opened_dropped(path: Path, expected: Identity) -> Iterator[IO[bytes]]:
    """Open the file that was seen at `path`, to be read part by part.

    Raises Changed, also on leaving, when it is not that file any more; OSError when it cannot be read.
    """
    with _opened(path) as file:
        if identity_of(os.fstat(file.fileno())) != expected:
            raise Changed
        yield file
        if identity_of(os.fstat(file.fileno())) != expected or _identity_at(path) != expected:
            raise Changed


def _opened(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except FileNotFoundError as error:
        raise Changed from error


def read_end(path: Path, expected: Identity, most_bytes: int = 64) -> bytes:
    """Return the last bytes of the file that was seen at `path`. Raises Changed, OSError."""
    with opened_dropped(path, expected) as file:
        file.seek(max(expected[1] - most_bytes, 0))
        return file.read(most_bytes)


def beside(path: Path, ending: str) -> Path:
    """Return the path of what lies next to a file under its name and `ending`."""
    return path.with_name(f"{path.name}{ending}")


def read_beside(path: Path) -> bytes | None:
    """Return the content of a small file next to another one; None when there is none. Raises OSError."""
    if len(os.fsencode(path.name)) > LONGEST_NAME_BYTES:
        return None
    try:
        facts = path.lstat()
        return read_dropped(path, identity_of(facts)) if stat.S_ISREG(facts.st_mode) else None
    except (FileNotFoundError, Changed):
        return None


def told_name(name: str) -> str:
    """Return a file's name as it can be shown and stored: what is no UTF-8, and control characters, as �."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", os.fsencode(name).decode("utf-8", "replace"))


def free_path(folder: Path, name: str, now: float) -> Path:
    """Return a path in `folder` that nothing has, nor what is written next to it: `name`, else with the time, a number.

    A name that is too long for what is written next to it is cut before its ending.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem, ending = _parted(told_name(name))
    marks = ("", f".{stamp}", *(f".{stamp}-{number}" for number in range(2, 10_000)))
    there = [path.name for path in folder.iterdir()]
    taken = {*there, *(each.rpartition(".")[0].rpartition(".")[0] for each in there)}
    return next(folder / each for mark in marks if (each := _fitting(stem, f"{mark}{ending}")) not in taken)


def _identity_at(path: Path) -> Identity | None:
    try:
        return identity_of(path.lstat())
    except FileNotFoundError:
        return None


def _parted(name: str) -> tuple[str, str]:
    """Return a name without its ending, and the ending: what a file is for may be told by two of them."""
    ending = next((each for each in (UNDO, CHANGE) if name.endswith(each)), Path(name).suffix[:16])
    return name.removesuffix(ending), ending


def _fitting(stem: str, rest: str) -> str:
    room = LONGEST_NAME_BYTES - MOST_BESIDE_BYTES - len(rest.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + rest
