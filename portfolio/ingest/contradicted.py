"""Fills that contradict their orders: they are taken, since they may be right and the order wrong, and told."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from core.errors import StorageUnavailable
from core.format import count
from portfolio.ingest.batch import Batch
from portfolio.ingest.faults import Faults
from storage.clickhouse.reads.contradictions import Contradicted, contradicted
from storage.state.portfolios import OWN

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_TOLD = 20


def told_contradictions(
    stores: Stores, batch: Batch, orders: Collection[tuple[str, str]], faults: Faults
) -> tuple[str, ...]:  # fmt: skip
    """Return a sentence for each order that stored fills of a batch do not fit; nothing where nobody knows.

    orders: those that are known, by portfolio and id; faults: they say how a row is told.
    """
    if batch.of.table != "trades" or not orders:
        return ()
    pairs = (batch.table[name].to_pylist() for name in ("portfolio", "order_id"))
    keys = list(zip(*pairs, strict=True))
    named = {key for key in keys if key in orders}
    portfolios, ids = ([*dict.fromkeys(each)] for each in zip(*named, strict=True)) if named else ([], [])
    try:
        found = contradicted(stores.clickhouse, OWN, portfolios, ids)
    except StorageUnavailable:
        return ()
    ours = [each for each in found if (each.portfolio, each.order) in named]
    if not ours:
        return ()
    first = {key: faults.row(batch.rows[at]) for at, key in reversed([*enumerate(keys)]) if key in named}
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
