"""Values that programs send and that are hard to believe: they are taken, since a program cannot be asked, and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import StorageUnavailable
from core.format import count
from portfolio.imports.dates import NO_ZONE
from portfolio.imports.doubts import REASONS, Doubt, find_doubts
from portfolio.imports.points import Points
from portfolio.imports.take import look_around
from portfolio.ingest.batch import Batch

if TYPE_CHECKING:
    from storage.stores import Stores

VALUES = {"nav": "nav", "prices": "price"}
"""Kinds whose values follow each other, and the column that has them."""
MOST_TOLD = 20


def doubts_of(stores: Stores, kind: str, batch: Batch) -> tuple[Doubt, ...]:
    """Return what is hard to believe of rows that are not stored yet, beside each other and what is stored."""
    if kind not in VALUES:
        return ()
    points = _points(kind, batch)
    try:
        around = look_around(stores, points, kind, {})
    except StorageUnavailable:
        around = {}  # they are kept until it answers: what they say beside each other is known all the same
    return find_doubts(points, kind, stores.clock.now(), around)


def sentences(doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """Return what is told of doubts: a sentence each row, the first ones."""
    rows = [f"row {row.line}: {row.text}; doubted: {REASONS[each.kind]}" for each in doubts for row in each.rows]
    more = sum(each.count for each in doubts) - len(rows[:MOST_TOLD])
    return (*rows[:MOST_TOLD], *([f"and {count(more, 'row')} more that {'is' if more == 1 else 'are'} doubted"]
                                 if more else []))  # fmt: skip


def _points(kind: str, batch: Batch) -> Points:
    table, rows = batch.table, batch.table.num_rows
    names = table[batch.of.keys[0]].combine_chunks().dictionary_encode()
    flow = table["flow"].to_numpy() if "flow" in batch.of.columns else np.zeros(rows)
    return Points(
        tuple(names.dictionary.to_pylist()), names.indices.to_numpy().astype(np.int64),
        table["ts"].to_numpy().astype(np.int64), table[VALUES[kind]].to_numpy().astype(np.float64), flow,
        np.asarray(batch.rows, dtype=np.int64) + 1, np.full(rows, NO_ZONE, dtype=np.int64),
    )  # fmt: skip
