"""Fills that contradict their orders: they are taken, since they may be right and the order wrong, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from core.errors import StorageUnavailable
from core.format import count
from portfolio.ingest.batch import Batch
from portfolio.ingest.faults import Faults
from storage.clickhouse.reads.contradictions import Contradicted, contradicted
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_TOLD = 20


def told_contradictions(stores: Stores, batch: Batch, faults: Faults) -> tuple[str, ...]:
    """Return a sentence for each order that stored fills of a batch do not fit; nothing where nobody knows.

    faults: they say how a row is told.
    """
    if batch.of.table != "trades":
        return ()
    named = np.flatnonzero(pc.not_equal(batch.table["order_id"], "").to_numpy().astype(bool))
    if not len(named):
        return ()
    fills = batch.table.select(["portfolio", "order_id"]).take(named)
    portfolios, ids = (pc.unique(fills[name]).to_pylist() for name in ("portfolio", "order_id"))
    try:
        found = contradicted(stores.clickhouse, OWN, portfolios, ids)
    except StorageUnavailable:
        return ()
    keys = zip(fills["portfolio"].to_pylist(), fills["order_id"].to_pylist(), strict=True)
    first = {key: faults.row(batch.rows[at]) for at, key in reversed([*zip(named.tolist(), keys, strict=True)])}
    ours = [each for each in found if (each.portfolio, each.order) in first]
    said = [f"row {first[each.portfolio, each.order]}: {_words(each)}" for each in ours[:MOST_TOLD]]
    more = len(ours) - len(said)
    return (*said, *([f"and so it is with {count(more, 'order')} more"] if more else []))


def _words(each: Contradicted) -> str:
    wrong = []
    if each.instruments != (each.instrument,):
        wrong.append(f"of {_other(each.instruments, each.instrument)}, and the order of {each.instrument}")
    if each.sides != (each.side,):
        wrong.append(f"a {_other(each.sides, each.side)}, and the order a {each.side}")
    if each.filled > each.ordered:
        wrong.append(f"{each.filled:.10g} in all, and {each.ordered:.10g} were ordered")
    return f"a fill of order {each.order} does not fit it: {'; '.join(wrong)}. One of the two is wrong"


def _other(said: tuple[str, ...], one: str) -> str:
    return next(each for each in said if each != one)
