"""What rows of a kind say, so that those of one key can be compared wherever they stand in a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from core.ingest.kinds import STATUSES, Kind
from portfolio.ingest.batch import Batch, check_weights, once, table_of
from portfolio.ingest.faults import Faults
from portfolio.ingest.instruments import each_once
from portfolio.ingest.samples import Sent, once_a_second

TOGETHER = {"benchmark_weights": ("benchmark", "ts")}
"""Columns whose rows are looked at together, where these are not the key."""


@dataclass(frozen=True, slots=True)
class Said:
    """Every row of a part, by column: its key, and what it says beside it."""

    table: pa.Table
    keys: tuple[str, ...]
    content: tuple[str, ...]


def said_by(batch: Batch) -> Said:
    """Return what the rows of a table say. When an order was placed follows from its states."""
    return Said(batch.table, batch.of.keys, tuple(name for name in batch.of.content if name != "placed"))


def said_by_samples(sent: Sent, faults: Faults) -> Said:
    """Return what samples say. Raises RowsRefused for two values of a series in one second."""
    once_a_second(sent.series, sent.ts, sent.values, faults)
    faults.check()
    table = pa.table({"series": sent.series, "ts": sent.ts, "value": sent.values})
    return Said(table, ("series", "ts"), ("value",))


def said_of_instruments(columns: Mapping[str, Any]) -> Said:
    """Return what is said of instruments."""
    return Said(pa.table(dict(columns)), ("symbol",), tuple(name for name in columns if name != "symbol"))


def compare(kind: Kind, table: pa.Table, rows: Any, parts: Any) -> None:
    """Raise RowsRefused where rows contradict each other.

    rows: which row of the file each is, from 0; parts: and of which of its parts.
    """
    faults = Faults()
    if kind.name == "samples":
        series, ts, values = (table[name].to_numpy() for name in ("series", "ts", "value"))
        once_a_second(series, ts, values, faults, rows)
    elif kind.name == "instruments":
        each_once({name: table[name] for name in table.column_names}, faults, rows)
    else:
        if kind.name == "benchmark_weights":
            check_weights(table, rows, faults)
        once(Batch(table_of(kind), table, rows), faults)
        if kind.name == "orders":
            _check_courses(table, rows, parts, faults)
    faults.check()


def _check_courses(table: pa.Table, rows: Any, parts: Any, faults: Faults) -> None:
    """Note orders whose states in time lead from part to part and back: parts are stored one after the other, and what
    a state leaves out would stay as another one told it than the one before.
    """  # fmt: skip
    states: dict[tuple[str, str], dict[tuple[int, int], tuple[int, int]]] = defaultdict(dict)
    names = ("portfolio", "order_id", "ts", "status")
    for portfolio, order, ts, status, row, part in zip(
        *(table[name].to_pylist() for name in names), rows.tolist(), parts.tolist(), strict=True
    ):  # fmt: skip
        states[portfolio, order].setdefault((ts, STATUSES[status]), (part, row))
    for (_, order), told in states.items():
        course = [told[when] for when in sorted(told)]
        moves = np.diff([part for part, _ in course])
        if (moves > 0).any() and (moves < 0).any():
            row = max(row for _, row in course)
            faults.add(row + 1, "order_id", order, "is far from states of the order that are before and after it",
                       "sort a large file by ts")  # fmt: skip
