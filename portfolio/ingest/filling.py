"""A column as it is filled: what is told of its cells, and how one is made cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.ingest.columns import Column
from portfolio.ingest.faults import Faults

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
NUMBER_CHARACTERS = 1_000
"""Of a number or a time that is written as text."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Which column is filled, for what is told of it, and when that is."""

    column: Column
    faults: Faults
    now: float
    told: set[int] = field(default_factory=set)
    """Places of which something is told: where these are null, nothing is missing."""

    def tell(
        self, places: Any, value: Callable[[int], Any], reason: str, fix: str, *, is_passing: bool = False
    ) -> None:
        """Note a fault of cells, by their places."""
        wrong = [int(place) for place in places]
        self.told.update(wrong)
        self.faults.add_many(wrong, self.column.name, value, reason, fix, is_passing=is_passing)


def check_length(cell: Any) -> None:
    """Raise ValueError for a number or time as text that is far too long to be one."""
    if isinstance(cell, str) and len(cell) > NUMBER_CHARACTERS:
        raise ValueError(f"has more than {NUMBER_CHARACTERS:,} characters")


def one_by_one(cells: Any, made: Callable[[Any], Any], kind: Any, filling: Filling) -> pa.Array:
    """Return a column made cell by cell; what cannot be made is noted, and null."""
    found: list[Any] = []
    values = cells if isinstance(cells, list) else cells.to_pylist()
    for place, cell in enumerate(values):
        if cell is None or (cell == "" and not pa.types.is_string(kind)):
            found.append(None)
            continue
        try:
            found.append(made(cell))
        except ValueError as error:
            found.append(None)
            filling.tell([place], lambda at: values[at], str(error), fix_of(filling.column))
    return pa.array(found, kind)


def fix_of(column: Column) -> str:
    """Return what to send in a column instead of what cannot be read."""
    match column.sort:
        case "number":
            return "send a number such as 1250.5"
        case "time":
            return "send a time such as 2026-01-31T09:30:00Z, or seconds since 1970"
        case _:
            return "send text"


def none_of(cells: Any, kind: Any, filling: Filling, reason: str, fix: str) -> pa.Array:
    """Return nothing for a column of another type; that is told of each of its cells, which are not made for it: a cell
    of a nested type may be far larger than what was sent of it.
    """  # fmt: skip
    try:
        there = np.flatnonzero(~mask_of(pc.is_null(cells)))
    except (pa.ArrowException, TypeError):
        there = np.arange(len(cells))
    what = "" if isinstance(cells, list) else f"a {cells.type}"
    filling.tell(there, lambda at: cells[at] if isinstance(cells, list) else what, reason, fix)
    return pa.nulls(len(cells), kind)


def empty_to_null(texts: pa.Array) -> pa.Array:
    """Return texts, null where one is empty."""
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def mask_of(flags: pa.Array) -> Any:
    """Return flags without nulls as numpy has them."""
    return flags.to_numpy(zero_copy_only=False).astype(bool)
