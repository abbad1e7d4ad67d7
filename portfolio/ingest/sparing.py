"""Rows from where nobody can be asked to mend them: those that are wrong are told, and the others taken."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import Fault, RowsRefused, RowsWait
from core.format import count, number
from portfolio.ingest.body import nearest
from portfolio.ingest.faults import refused as refusal
from portfolio.ingest.faults import shown
from portfolio.ingest.raw import Raw
from portfolio.ingest.request import Asked
from portfolio.ingest.take import take_rows
from portfolio.ingest.trace import trace_sent

if TYPE_CHECKING:
    from storage.stores import Stores

Row = Mapping[str, Any]
LONGEST_SECONDS = 20.0
"""After it no further row is looked for that is wrong: a hundred are found each time that all are checked."""


@dataclass(frozen=True, slots=True)
class Spared:
    """What came of rows of which some may be wrong."""

    taken: int
    refused: tuple[tuple[Row, Fault], ...]
    """Rows that were not taken, each with the first thing that is wrong with it."""


def take_good_rows(stores: Stores, asked: Asked, rows: Sequence[Row], *, are_apart: bool = False) -> Spared:
    """Take the rows that can be taken, whole and durable when this returns, and return what is wrong with the others.

    are_apart: each row was written by itself, as a message is, so that a column which the kind has not, one that is
    missing and a time that lies ahead are wrong with that row alone.

    Raises RowsRefused for what is wrong with all of them alike, such as a column of a query that there is not, or where
    more are wrong than can be told apart in time; RowsWait where one is wrong for now alone; what `take_rows` raises
    when storage is away: then sending them again is harmless.
    """
    left, ends = list(rows), time.monotonic() + LONGEST_SECONDS
    refused: list[tuple[Row, Fault]] = []
    if are_apart:
        left, refused = _of_known_names(asked, left)
    else:
        _check_names(asked, left)
    needed = [column.name for column in asked.kind.columns if column.is_required] if are_apart else []
    while left:
        names = dict.fromkeys([*needed, *(name for row in left for name in row)])
        raw = Raw(len(left), {name: [row.get(name) for row in left] for name in names})
        try:
            trace_sent(stores, asked, take_rows(stores, asked, raw))
            break
        except RowsRefused as error:
            wrong = _first_of_each(error.faults)
            if not wrong:
                raise
            passing = next((each for each in wrong.values() if each.is_passing and _waits(each, are_apart)), None)
            if passing is not None:
                raise RowsWait(replace(passing, row=0)) from error
            refused += [(left[at], wrong[at]) for at in sorted(wrong)]
            if time.monotonic() > ends:
                many = f"{number(len(refused))} of {count(len(rows), 'row')} were found wrong"
                reason = f"{many} in {LONGEST_SECONDS:g} s, and that is not all: {wrong[min(wrong)].reason}"
                raise refusal(reason, "mend them, or lower batch_rows", field=wrong[min(wrong)].field) from error
            left = [row for at, row in enumerate(left) if at not in wrong]
    return Spared(len(left), tuple(refused))


def _first_of_each(faults: Sequence[Fault]) -> dict[int, Fault]:
    """Return the first fault of each row by its place; one that passes only of a row that has no other."""
    found: dict[int, Fault] = {}
    for fault in faults:
        at = fault.row - 1
        if fault.row and (at not in found or found[at].is_passing > fault.is_passing):
            found[at] = fault
    return found


def _waits(fault: Fault, are_apart: bool) -> bool:
    """Return whether rows wait until a fault has passed: a clock that is wrong would hold a topic up for as long."""
    return not are_apart or fault.field == "portfolio"


def _of_known_names(asked: Asked, rows: Sequence[Row]) -> tuple[list[Row], list[tuple[Row, Fault]]]:
    """Return the rows whose columns the kind has, and the others, each with one that it has not."""
    known = [column.name for column in asked.kind.columns]
    names = set(known)
    good: list[Row] = []
    refused: list[tuple[Row, Fault]] = []
    for row in rows:
        if row.keys() <= names:
            good.append(row)
            continue
        unknown = str(next(name for name in row if name not in names))
        told = f"{asked.kind.name} have no such column"
        refused.append((row, Fault(0, shown(unknown), "", told, nearest(unknown, known))))
    return good, refused


def _check_names(asked: Asked, rows: Sequence[Row]) -> None:
    """Raise RowsRefused for a column that the kind has not."""
    known = [column.name for column in asked.kind.columns]
    unknown = sorted({name for row in rows for name in row} - set(known))
    if unknown:
        raise refusal(f"{asked.kind.name} have no such column", nearest(unknown[0], known), field=unknown[0])
