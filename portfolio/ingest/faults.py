"""What is wrong with the cells of a batch: the first are kept, the others counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.errors import Fault, RowsRefused
from core.format import number

MOST_FAULTS = 100
SHOWN_CHARACTERS = 80


class Faults:
    """Collects faults; a batch that has one is refused."""

    def __init__(self, before: int = 0) -> None:
        """before: how many rows of the same file stand before the batch; they are counted when rows are told."""
        self._before = before
        self._first: list[Fault] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether more faults are only counted: what would be told of them need not be found."""
        return len(self._first) >= MOST_FAULTS

    def row(self, place: Any) -> int:
        """Return how a row is told, by its place in the batch from 0."""
        return self._before + int(place) + 1

    def add(self, row: int, field: str, value: Any, reason: str, fix: str, *, is_passing: bool = False) -> None:
        """Note a fault of a row of the batch, counted from 1; 0: of the batch as a whole."""
        self._count += 1
        if not self.is_full:
            row = row and self.row(row - 1)
            self._first.append(Fault(row, field, shown(value), reason, fix, is_passing))

    def add_many(
        self,
        places: Iterable[int],
        field: str,
        value: Callable[[int], Any],
        reason: str,
        fix: str,
        *,
        is_passing: bool = False,
    ) -> None:
        """Note the same fault of rows, by their places from 0."""
        for place in places:
            self.add(place + 1, field, "" if self.is_full else value(place), reason, fix, is_passing=is_passing)

    def check(self) -> None:
        """Raise RowsRefused where there is a fault, rows in their order."""
        if self._count:
            first = sorted(self._first, key=lambda fault: fault.row)
            raise RowsRefused(first, self._count - len(first))


def told_after(error: RowsRefused, rows: int) -> RowsRefused:
    """Return what is wrong with a part of a file before which so many rows stand."""
    if not rows:
        return error
    after = f" (after row {number(rows)})"
    faults = [replace(each, row=each.row + rows) if each.row else replace(each, reason=each.reason + after)
              for each in error.faults]  # fmt: skip
    return RowsRefused(faults, error.more)


def shown(value: Any) -> str:
    """Return a cell as it is told, cut to a length, without what a terminal would obey.

    What an object or a list holds is not told: nobody knows how much that is.
    """
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = "" if value is None else str(value)
    plain = "".join(each if each.isprintable() else "�" for each in text[: SHOWN_CHARACTERS + 1])
    return plain if len(plain) <= SHOWN_CHARACTERS else f"{plain[:SHOWN_CHARACTERS]}…"


def refused(reason: str, fix: str, field: str = "", value: Any = "") -> RowsRefused:
    """Return the refusal of a batch as a whole."""
    return RowsRefused([Fault(0, field, shown(value), reason, fix)])
