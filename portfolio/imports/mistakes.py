"""Counting what is wrong with a file: a sentence a kind of mistake, with the first three lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from core.errors import Mistake

FIRST = 3


class Mistakes:
    """Collects mistakes in the order in which their kinds come up."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, list[tuple[int, str]]] = {}
        self.asks: list[str] = []
        """Fields of a Mapping that would settle what the file leaves open."""

    def add(self, reason: str, line: int, text: object = "") -> None:
        """Note that a line has this kind of mistake."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        first = self._first.setdefault(reason, [])
        if len(first) < FIRST:
            first.append((line, shown(text) if text != "" else ""))

    def add_many(self, reason: str, lines: Sequence[int], text_of: Callable[[int], object]) -> None:
        """Note that each of `lines` has this kind of mistake; `text_of` tells what stands in the n-th of them."""
        for at, line in enumerate(lines[:FIRST]):
            self.add(reason, line, text_of(at))
        if len(lines) > FIRST:
            self._counts[reason] += len(lines) - FIRST

    def whole(self, reason: str, asks: Iterable[str] = ()) -> None:
        """Note a mistake of the file as a whole, and which fields of a Mapping would settle it."""
        self._counts.setdefault(reason, 1)
        self._first.setdefault(reason, [])
        self.asks += [field for field in asks if field not in self.asks]

    def found(self) -> tuple[Mistake, ...]:
        """Return every kind of mistake."""
        return tuple(Mistake(reason, count, tuple(self._first[reason])) for reason, count in self._counts.items())

    def __bool__(self) -> bool:
        return bool(self._counts)


def shown(text: object) -> str:
    """Return a cell quoted, cut and on one line, fit for a message."""
    written = text if isinstance(text, str) else str(text)
    return repr(written if len(written) <= 40 else written[:40] + "…")
