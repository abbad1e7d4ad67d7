"""A large file of rows taken part by part, and whole or not at all: every part is checked before any is stored.

What is stored is known by its key, so a file that a crash cut off is taken again and adds what is missing. Rows that
lie in different parts and might contradict each other are found by what `Sayings` holds of every row.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from core.errors import Fault, RowsRefused
from core.format import count
from core.ingest.kinds import Kind
from portfolio.ingest.body import NDJSON, PARQUET
from portfolio.ingest.faults import MOST_FAULTS
from portfolio.ingest.names import ROW_KINDS, written_in
from portfolio.ingest.parts import PART_BYTES, parts
from portfolio.ingest.raw import Raw, TooLarge
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.said import compare
from portfolio.ingest.sayings import Sayings, groups
from portfolio.ingest.take import check_rows, take_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.stores import Stores

LARGE_BYTES, LARGE_PACKED_BYTES = 2 * PART_BYTES[NDJSON], PART_BYTES[NDJSON] // 4
GROUPS_AT_ONCE = 1_000
MOST_COMPARED = 200_000
"""Rows that are compared with each other at once."""
MOST_TOLD = 40
"""Sentences told of a file; the others are counted."""
Opened = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens the file anew, and tells on leaving when it is another one by now."""
Read = Callable[[], Iterator[Raw]]
"""Reads the file anew, part by part."""


def is_large(name: str, kind: Kind, size_bytes: int) -> bool:
    """Return whether a file of rows is taken part by part: Parquet of any size, as its size says little of its rows."""
    written, packing = written_in(name)
    in_parts = kind.name in ROW_KINDS and bool(written)
    return in_parts and (written == PARQUET or size_bytes > (LARGE_PACKED_BYTES if packing else LARGE_BYTES))


def take_in_parts(stores: Stores, name: str, asked: Asked, opened: Opened) -> Generator[str, None, Ingested]:
    """Take a file part by part, telling after each how far it is.

    Raises RowsRefused with what is wrong (the first hundred things) or TooLarge, and nothing is stored then;
    StorageUnavailable when not all of it is known to be kept: taking it again is harmless.
    """
    yield from check_in_parts(stores, name, asked, opened)
    return (yield from _stored(stores, asked, _reading(name, asked, opened)))


def check_in_parts(stores: Stores, name: str, asked: Asked, opened: Opened) -> Generator[str, None, int]:
    """Return how many rows a file has that could be taken, telling after each part how far it is; nothing is stored.

    Raises what `take_in_parts` raises.
    """
    read = _reading(name, asked, opened)
    with Sayings(asked.kind, stores.settings.data_dir) as sayings:
        rows = yield from _checked(stores, asked, read, sayings)
        doubtful = sayings.doubtful()
    for first in range(0, len(doubtful), GROUPS_AT_ONCE):
        yield from _compared(stores, asked, read, doubtful[first : first + GROUPS_AT_ONCE])
    return rows


def _reading(name: str, asked: Asked, opened: Opened) -> Read:
    written, packing = written_in(name)

    def read() -> Iterator[Raw]:
        with opened() as stream:
            yield from parts(stream, written, packing, asked.kind)

    return read


def _checked(stores: Stores, asked: Asked, read: Read, sayings: Sayings) -> Generator[str, None, int]:
    """Check every part, and return how many rows there are. Raises RowsRefused with what is wrong in them."""
    wrong, rows = _Wrong(), 0
    try:
        for part in read():
            try:
                sayings.add(check_rows(stores, asked, part))
            except RowsRefused as error:
                wrong.add(error)
            rows = part.first + part.rows
            if wrong.is_enough:
                break
            yield f"{count(rows, 'row')} of {asked.kind.name} checked"
    except RowsRefused as error:  # what follows cannot be read
        wrong.add(error)
    wrong.check()
    return rows


def _compared(stores: Stores, asked: Asked, read: Read, doubtful: NDArray[np.uint64]) -> Iterator[str]:
    """Compare rows with each other. Raises RowsRefused where they contradict each other, TooLarge for very many."""
    tables: list[pa.Table] = []
    rows: list[NDArray[np.int64]] = []
    which: list[NDArray[np.int64]] = []
    for number, part in enumerate(read()):
        said = check_rows(stores, asked, part)
        at = np.flatnonzero(np.isin(groups(asked.kind, said), doubtful))
        tables.append(said.table.take(pa.array(at)))
        rows.append(at + part.first)
        which.append(np.full(len(at), number))
        if sum(map(len, rows)) > MOST_COMPARED:
            break
        yield f"{count(part.first + part.rows, 'row')} of {asked.kind.name} compared with each other"
    found = pa.concat_tables(tables)
    compare(asked.kind, found, np.concatenate(rows), np.concatenate(which))
    if found.num_rows > MOST_COMPARED:
        raise TooLarge(f"More than {MOST_COMPARED:,} rows contradict others of their keys: send each once.")


def _stored(stores: Stores, asked: Asked, read: Read) -> Generator[str, None, Ingested]:
    """Store every part, and return what came of all. What was right when it was checked may not be any more."""
    sums: Ingested | None = None
    for part in read():
        try:
            taken = take_rows(stores, asked, part)
        except RowsRefused as error:
            wrong = _Wrong()
            wrong.add(error)
            if part.first:
                reason = f"{count(part.first, 'row')} before it were stored: what they refer to has changed meanwhile"
                wrong.add(RowsRefused([Fault(0, "", "", reason, "mend this, and send the file again")]))
            wrong.check()
            raise
        sums = _added(sums, taken) if sums else taken
        yield f"{count(sums.rows, 'row')} of {asked.kind.name} stored"
    assert sums is not None, "a file without rows is refused"
    more = len(sums.told) - MOST_TOLD
    return sums if more <= 0 else replace(sums, told=(*sums.told[:MOST_TOLD], f"and {count(more, 'remark')} more"))


@dataclass(slots=True)
class _Wrong:
    """What is wrong with the rows of several parts."""

    first: list[Fault] = field(default_factory=list)
    more: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether more need not be looked for: the file is refused, and a hundred things are told."""
        return len(self.first) >= MOST_FAULTS or any(not each.row for each in self.first)

    def add(self, error: RowsRefused) -> None:
        """Add what is wrong with a part."""
        self.more += error.more + max(len(self.first) + len(error.faults) - MOST_FAULTS, 0)
        self.first = [*self.first, *error.faults][:MOST_FAULTS]

    def check(self) -> None:
        """Raise RowsRefused where anything is."""
        if self.first:
            raise RowsRefused(self.first, self.more)


def _added(one: Ingested, two: Ingested) -> Ingested:
    """Return what came of two parts together; what nobody knows of one, nobody knows of both."""

    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    return Ingested(
        one.kind, one.rows + two.rows, both(one.added, two.added), both(one.already_there, two.already_there),
        both(one.restated, two.restated), both(one.updated, two.updated), both(one.older, two.older),
        is_waiting=one.is_waiting or two.is_waiting,
        created=(*one.created, *two.created), told=tuple(dict.fromkeys((*one.told, *two.told))),
    )  # fmt: skip
