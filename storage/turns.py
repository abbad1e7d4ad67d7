"""Turns: what looks up what is there and then writes does so one at a time, in all processes of a data folder."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from core.errors import StorageUnavailable


@contextlib.contextmanager
def turn(folder: Path, table: str) -> Iterator[None]:
    """Wait until nobody else writes into a table after a look-up, and let nobody meanwhile.

    A turn ends with its process, however that ends. It is not taken twice: whoever has it must not ask for it again.
    Raises StorageUnavailable where the folder takes no file.
    """
    file = folder / f"turn-{table}.lock"
    try:
        lock = file.open("a")
    except OSError as error:
        raise StorageUnavailable(f"{file} cannot be opened ({error.strerror or error})") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
