"""A large file of rows taken part by part, and whole or not at all: every part is checked before any is stored.

What is stored is known by its key, so a file that a crash cut off is taken again and adds what is missing. Rows of one
key that lie in different parts are found by hashes of their keys, eight bytes a row.
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
from portfolio.ingest.body import CSV, NDJSON, TooLarge
from portfolio.ingest.faults import MOST_FAULTS
from portfolio.ingest.names import written_in
from portfolio.ingest.parts import PART_BYTES, Part, parts
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.take import check_rows, take_rows
from storage.clickhouse.reported import key_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from portfolio.ingest.batch import Batch
    from storage.stores import Stores

KINDS_IN_PARTS = ("positions", "cash", "trades", "transactions", "fx")
"""States of an order must follow each other, wherever in a file they stand: orders are taken whole."""
LARGE_BYTES, LARGE_PACKED_BYTES = 2 * PART_BYTES[NDJSON], PART_BYTES[NDJSON] // 4
MOST_REPEATED = 200_000
Opened = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens the file anew, and tells on leaving when it is another one by now."""


def is_large(name: str, kind: Kind, size_bytes: int) -> bool:
    """Return whether a file of rows is taken part by part."""
    written, packing = written_in(name)
    in_parts = kind.name in KINDS_IN_PARTS and written in (CSV, NDJSON)
    return in_parts and size_bytes > (LARGE_PACKED_BYTES if packing else LARGE_BYTES)


def take_in_parts(stores: Stores, name: str, asked: Asked, opened: Opened) -> Generator[str, None, Ingested]:
    """Take a file part by part, telling after each how far it is.

    Raises RowsRefused with what is wrong (the first hundred things) or TooLarge, and nothing is stored then;
    StorageUnavailable when not all of it is known to be kept: taking it again is harmless.
    """
    written, packing = written_in(name)

    def read() -> Iterator[Part]:
        with opened() as stream:
            yield from parts(stream, written, packing, asked.kind)

    hashes: list[NDArray[np.uint64]] = []
    yield from _checked(stores, asked, read, hashes)
    repeated = _repeated(hashes)
    if len(repeated):
        yield from _compared(stores, asked, read, repeated)
    return (yield from _stored(stores, asked, read))


def _checked(
    stores: Stores, asked: Asked, read: Callable[[], Iterator[Part]], hashes: list[NDArray[np.uint64]]
) -> Iterator[str]:
    """Check every part, adding the hashes of its keys. Raises RowsRefused with what is wrong in them."""
    wrong, rows = _Wrong(), 0
    try:
        for part in read():
            try:
                hashes.append(_hashes(check_rows(stores, asked, part.raw)))
            except RowsRefused as error:
                wrong.add(error, part.first)
            rows = part.first + part.raw.rows
            if wrong.is_enough:
                break
            yield f"{count(rows, 'row')} of {asked.kind.name} checked"
    except RowsRefused as error:  # what follows cannot be read
        wrong.add(error, rows)
    wrong.check(rows)


def _compared(
    stores: Stores, asked: Asked, read: Callable[[], Iterator[Part]], repeated: NDArray[np.uint64]
) -> Iterator[str]:
    """Compare rows whose keys are there more than once. Raises RowsRefused where they say different things."""
    first: dict[str, tuple[int, bytes]] = {}
    wrong, rows = _Wrong(), 0
    for part in read():
        batch = check_rows(stores, asked, part.raw)
        at = np.flatnonzero(np.isin(_hashes(batch), repeated))
        some = batch.table.take(pa.array(at))
        for place, key, content in zip(at.tolist(), key_texts(batch.of, some).to_pylist(), _contents(batch, some),
                                       strict=True):  # fmt: skip
            row = part.first + int(batch.rows[place]) + 1
            before, said = first.setdefault(key, (row, content))
            if said != content:
                keys = " and ".join(batch.of.keys)
                reason = f"says something else than row {before} of the same {keys}"
                wrong.add(RowsRefused([Fault(row, batch.of.keys[-1], "", reason, "send each once")]), 0)
        rows = part.first + part.raw.rows
        if wrong.is_enough:
            break
        yield f"{count(rows, 'row')} of {asked.kind.name} compared with each other"
    wrong.check(rows)


def _stored(
    stores: Stores, asked: Asked, read: Callable[[], Iterator[Part]]
) -> Generator[str, None, Ingested]:  # fmt: skip
    """Store every part, and return what came of all. What was right when it was checked may not be any more."""
    sums = Ingested(asked.kind.name, 0, 0, 0, 0)
    for part in read():
        try:
            sums = _added(sums, take_rows(stores, asked, part.raw))
        except RowsRefused as error:
            wrong = _Wrong()
            wrong.add(error, part.first)
            if part.first:
                reason = f"{count(part.first, 'row')} before it were stored: what they refer to has changed meanwhile"
                wrong.add(RowsRefused([Fault(0, "", "", reason, "mend this, and send the file again")]), 0)
            wrong.check(part.first)
        yield f"{count(sums.rows, 'row')} of {asked.kind.name} stored"
    return sums


@dataclass(slots=True)
class _Wrong:
    """What is wrong with the rows of several parts, by their places in the file."""

    first: list[Fault] = field(default_factory=list)
    more: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether more need not be looked for: the file is refused, and a hundred things are told."""
        return len(self.first) >= MOST_FAULTS or any(not each.row for each in self.first)

    def add(self, error: RowsRefused, before: int) -> None:
        """Add what is wrong with a part that begins after so many rows."""
        found = [replace(each, row=each.row + before) if each.row else each for each in error.faults]
        self.more += error.more + max(len(self.first) + len(found) - MOST_FAULTS, 0)
        self.first = [*self.first, *found][:MOST_FAULTS]

    def check(self, rows: int) -> None:
        """Raise RowsRefused where anything is; rows: how many were looked at."""
        if self.first:
            raise RowsRefused(self.first, self.more)


def _hashes(batch: Batch) -> NDArray[np.uint64]:
    """Return a number for each key, the same for the same key in this process."""
    keys = key_texts(batch.of, batch.table).to_pylist()
    return np.fromiter(map(hash, keys), dtype=np.int64, count=len(keys)).view(np.uint64)


def _repeated(hashes: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the hashes that are there more than once, emptying the list. Raises TooLarge for very many of them."""
    every = np.empty(sum(map(len, hashes)), dtype=np.uint64)
    filled = 0
    while hashes:
        some = hashes.pop()
        every[filled : filled + len(some)] = some
        filled += len(some)
    every.sort()
    found = np.unique(every[1:][every[1:] == every[:-1]])
    if len(found) > MOST_REPEATED:
        raise TooLarge(f"More than {MOST_REPEATED:,} rows are there more than once: send each once.")
    return found


def _contents(batch: Batch, rows: pa.Table) -> list[bytes]:
    """Return what rows say beside their keys, as bytes that are the same for the same."""
    columns = [rows[name].to_pylist() for name in batch.of.content]
    return [repr(row).encode() for row in zip(*columns, strict=True)] if columns else [b""] * rows.num_rows


def _added(one: Ingested, two: Ingested) -> Ingested:
    """Return what came of two parts together; what nobody knows of one, nobody knows of both."""

    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    return Ingested(
        one.kind, one.rows + two.rows, both(one.added, two.added), both(one.already_there, two.already_there),
        both(one.restated, two.restated), is_waiting=one.is_waiting or two.is_waiting,
        created=(*one.created, *two.created), told=tuple(dict.fromkeys((*one.told, *two.told))),
    )  # fmt: skip
