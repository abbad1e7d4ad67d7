"""Rows from where nobody can be asked to mend them: those that are wrong are told, and the others taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Fault, RowsRefused
from portfolio.ingest.body import Raw, nearest
from portfolio.ingest.faults import refused as refusal
from portfolio.ingest.request import Asked
from portfolio.ingest.take import take_rows

if TYPE_CHECKING:
    from storage.stores import Stores

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spared:
    """What came of rows of which some may be wrong."""

    taken: int
    refused: tuple[tuple[Row, Fault], ...]
    """Rows that were not taken, each with the first thing that is wrong with it."""


def take_good_rows(stores: Stores, asked: Asked, rows: Sequence[Row]) -> Spared:
    """Take the rows that can be taken, whole and durable when this returns, and return what is wrong with the others.

    Raises RowsRefused for what is wrong with all of them alike, such as a column that there is not; what `take_rows`
    raises when storage is away: then sending them again is harmless.
    """
    left, refused = list(rows), []
    _check_names(asked, left)
    while left:
        names = dict.fromkeys(name for row in left for name in row)
        raw = Raw(len(left), {name: [row.get(name) for row in left] for name in names})
        try:
            take_rows(stores, asked, raw)
            break
        except RowsRefused as error:
            wrong = {fault.row - 1: fault for fault in reversed(error.faults) if fault.row}
            if not wrong:
                raise
            refused += [(left[at], wrong[at]) for at in sorted(wrong)]
            left = [row for at, row in enumerate(left) if at not in wrong]
    return Spared(len(left), tuple(refused))


def _check_names(asked: Asked, rows: Sequence[Row]) -> None:
    """Raise RowsRefused for a column that the kind has not."""
    known = [column.name for column in asked.kind.columns]
    unknown = sorted({name for row in rows for name in row} - set(known))
    if unknown:
        raise refusal(f"{asked.kind.name} have no such column", nearest(unknown[0], known), field=unknown[0])
