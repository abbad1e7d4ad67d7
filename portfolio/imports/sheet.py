"""A table as a file holds it: rows of cells, before anything of it is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 256 * 2**20
"""Of a workbook or Parquet file unpacked: sheets are XML, eight times as large as what they say."""
MOST_ROWS = 500_000
"""So that a file is one insert, which ClickHouse takes whole or not at all."""

KEPT_ROWS = 500
"""Of a text: as many of its first and of its last rows are held; the others are split when they are gone through."""

Cell = str | float | int | bool | datetime | date | None
"""What a cell holds: a text, or of a workbook or Parquet file what it says itself."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows that are not empty, with their line numbers (from 1)."""

    name: str
    """Of a workbook's sheet; empty elsewhere."""
    rows: Sequence[Sequence[Cell]]
    lines: Sequence[int]
    separator: str = ""
    """Between the columns of a text file; empty elsewhere."""

    def numbered(self, first: int, end: int) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield line number and row of those from `first` up to `end`."""
        return zip(islice(self.lines, first, end), islice(self.rows, first, end), strict=True)


class SplitRows(Sequence[Sequence[Cell]]):
    """The rows of a text, which are split anew each time that they are gone through."""

    def __init__(self, split: Callable[[], Iterator[Sequence[Cell]]], count: int, head: Any, tail: Any) -> None:
        """Return the rows that `split` yields: `count` of them, `head` being the first, `tail` the last."""
        self._split, self._count = split, count
        self._head, self._tail = list(head), list(tail)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        return self._split()

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(self._count))]
        at = place + self._count if place < 0 else place
        if not 0 <= at < self._count:
            raise IndexError(place)
        if at < len(self._head):
            return self._head[at]
        if at >= self._count - len(self._tail):
            return self._tail[at - self._count]
        return next(islice(self, at, None))


class Column(Sequence[Cell]):
    """The cells of a column in parts; a part of texts is held as one text."""

    _BETWEEN = "\0"

    def __init__(self) -> None:
        self._parts: list[str | list[Cell]] = []
        self._ends: list[int] = []

    def add(self, cells: list[Cell]) -> None:
        """Add a part."""
        self._ends.append(len(self) + len(cells))
        if all(type(cell) is str for cell in cells):
            joined = self._BETWEEN.join(cells)  # type: ignore[arg-type]
            if joined.count(self._BETWEEN) == len(cells) - 1:
                self._parts.append(joined)
                return
        self._parts.append(cells)

    def parts(self) -> Iterator[Sequence[Cell]]:
        """Yield the parts in order."""
        for part in self._parts:
            yield part.split(self._BETWEEN) if isinstance(part, str) else part

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Cell]:
        return chain.from_iterable(self.parts())

    def __getitem__(self, place: Any) -> Any:
        return next(islice(self, place, None))


class Unreadable(Exception):
    """A file that no table can be read from. It never leaves `portfolio.imports`: what it says is told in a refusal."""

    def __init__(self, seems: str, reason: str, remedy: str) -> None:
        self.seems, self.reason, self.remedy = seems, reason, remedy
        super().__init__(f"{seems}: {reason}")
