"""What is wrong with the cells of a batch: the first are kept, the others counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.errors import Fault, RowsRefused

MOST_FAULTS = 100
SHOWN_CHARACTERS = 80


class Faults:
    """Collects faults; a batch that has one is refused."""

    def __init__(self) -> None:
        self._first: list[Fault] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether more faults are only counted: what would be told of them need not be found."""
        return len(self._first) >= MOST_FAULTS

    def add(self, row: int, field: str, value: Any, reason: str, fix: str) -> None:
        """Note a fault of a row, counted from 1; 0: of the batch as a whole."""
        self._count += 1
        if not self.is_full:
            self._first.append(Fault(row, field, shown(value), reason, fix))

    def add_many(self, places: Iterable[int], field: str, value: Callable[[int], Any], reason: str, fix: str) -> None:
        """Note the same fault of rows, by their places from 0."""
        for place in places:
            self.add(place + 1, field, "" if self.is_full else value(place), reason, fix)

    def check(self) -> None:
        """Raise RowsRefused where there is a fault, rows in their order."""
        if self._count:
            first = sorted(self._first, key=lambda fault: fault.row)
            raise RowsRefused(first, self._count - len(first))


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
