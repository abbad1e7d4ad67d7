"""Copying numbered rows of the state database to ClickHouse: each once, late rather than never.

How far it got stands in two places, and the lower one counts: a mark in the state database, and the newest row in
ClickHouse. So rows are copied again to a ClickHouse that is empty or was restored, and those of a state database that
was restored, where numbers are given a second time, are copied too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from storage.state.audit import read_mark, set_mark
from storage.state.database import State

BATCH_ROWS = 5_000
MOST_BATCHES = 20
"""In a run; what is left waits for the next."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Copied(Generic[Row]):
    """What is copied, and how."""

    name: str
    """Of its mark."""
    number: Callable[[Row], int]
    after: Callable[[State, int, int], Sequence[Row]]
    """Returns the rows after a number, the oldest first, so many at most."""
    newest: Callable[[], int]
    """Returns the highest number in ClickHouse."""
    put: Callable[[Sequence[Row]], None]
    """Inserts rows; the same ones again add nothing."""


def copy_new(state: State, what: Copied[Row]) -> int:
    """Copy what is not copied yet and return how many rows that were. Raises StorageUnavailable."""
    copied = 0
    for _ in range(MOST_BATCHES):
        batch = _copy_batch(state, what)
        copied += batch
        if not batch:
            break
    return copied


def _copy_batch(state: State, what: Copied[Row]) -> int:
    """Copy the next rows and return how many; where some may be copied and not marked, these alone: known again."""
    mark, newest = read_mark(state, what.name), what.newest()
    found = what.after(state, min(mark, newest), BATCH_ROWS)
    rows = [each for each in found if what.number(each) <= newest] or found
    if rows:
        what.put(rows)
        set_mark(state, what.name, what.number(rows[-1]))
    return len(rows)
