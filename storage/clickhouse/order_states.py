"""What becomes of an order that is told in several states: what each of them adds, and which may follow which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ingest.kinds import FINAL, STATUSES

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

NOT_KNOWN = 0
"""A time that nobody told."""
EARLIEST = ("placed", "submitted_at", "acknowledged_at", "first_filled_at")
"""Times of which the earliest counts that any state tells."""
LATEST = ("last_filled_at",)
LIFE = ("decided_at", "submitted_at", "acknowledged_at", "first_filled_at", "last_filled_at", "ended_at")
"""When an order came how far."""
KEPT = (
    "order_type",
    "limit_price",
    "decision_price",
    "arrival_price",
    "decided_at",
    "ended_at",
    "reject_reason",
    "broker",
    "strategy",
)
"""Columns that stay as they were told where a later state leaves them out."""
NEVER_CHANGES = ("instrument", "side")
"""What an order is of as long as it lives."""
MERGED = (*EARLIEST, *LATEST, *KEPT)
_NEVER = np.iinfo(np.int64).max


def told(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of orders with nothing null, and with the times that their states themselves tell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def when(*statuses: str) -> Any:
        return pc.if_else(pc.is_in(columns["status"], value_set=pa.array(statuses)), columns["ts"], NOT_KNOWN)

    by_status = {
        "placed": when("new", "accepted"),
        "submitted_at": when("new"),
        "acknowledged_at": when("accepted"),
        "first_filled_at": when("partially_filled", "filled"),
        "last_filled_at": when("partially_filled", "filled"),
        "ended_at": when("cancelled", "rejected", "expired"),
        "decided_at": NOT_KNOWN,
    }
    times = {
        name: pc.coalesce(columns[name].cast(pa.int64()), derived) if name in columns else derived
        for name, derived in by_status.items()
    }
    prices = {name: pc.fill_null(columns[name], np.nan) for name in ("decision_price", "arrival_price")}
    texts = {name: pc.fill_null(columns[name], "") for name in ("order_type", "reject_reason", "broker", "strategy")}
    return {**columns, **times, **prices, **texts}


def merged(rows: pa.Table, others: pa.Table, where: NDArray[np.bool_]) -> pa.Table:
    """Return `rows` with what `others`, row by row, know besides, where they are of the same order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in MERGED:
        one, other = rows[name], others[name]
        if name in EARLIEST:
            found = pa.array(np.where(where, _earlier(one.to_numpy(), other.to_numpy()), one.to_numpy()))
        elif name in LATEST:
            found = pa.array(np.where(where, np.maximum(one.to_numpy(), other.to_numpy()), one.to_numpy()))
        else:
            found = pc.if_else(pa.array(_known(one) | ~where), one, other)
        rows = rows.set_column(rows.schema.get_field_index(name), name, found)
    return rows


def merged_within(table: pa.Table, order: NDArray[np.int64], codes: NDArray[np.int64]) -> pa.Table:
    """Return orders of one batch with what earlier states in it know besides.

    order: the rows by order and time; codes: which order each row is of, a number below that of orders.
    """
    import pyarrow as pa

    place = np.arange(len(order))
    begins = np.r_[True, codes[order][1:] != codes[order][:-1]]
    first = np.maximum.accumulate(np.where(begins, place, 0))
    for name in MERGED:
        column = table[name]
        if name in (*EARLIEST, *LATEST):
            found = pa.array(_of_all(column.to_numpy(), codes, is_earliest=name in EARLIEST))
        else:
            known = np.maximum.accumulate(np.where(_known(column)[order], place, -1))
            source = np.empty_like(order)
            source[order] = np.where(known >= first, order[np.maximum(known, 0)], order)
            found = column.take(pa.array(source))
        table = table.set_column(table.schema.get_field_index(name), name, found)
    return table


def states(batch: pa.Table, was: pa.Table, place: Any, other: Any) -> tuple[Any, Any, Any]:
    """Return of each order whether it is a later state, an older one, or one that cannot be."""
    at = np.flatnonzero(other)
    following, late, backward = (np.zeros(len(place), dtype=bool) for _ in range(3))
    if not len(at):
        return following, late, backward
    rank = np.array([STATUSES[each] for each in batch["status"].take(at).to_pylist()])
    before = was.take(place[at])
    was_status = before["status"].to_pylist()
    was_rank = np.array([STATUSES.get(each, 0) for each in was_status])
    ts, was_ts = batch["ts"].to_numpy()[at], before["ts"].to_numpy()
    is_same_status = np.array(batch["status"].take(at).to_pylist()) == np.array(was_status)
    is_ended = (was_rank == FINAL) & ~is_same_status
    # Of two states of one moment the one that comes before the other is the older one.
    is_older = (ts < was_ts) & (rank <= was_rank) | (ts == was_ts) & (rank < was_rank)
    is_late = is_older & ~((rank == FINAL) & is_ended)
    is_another = differ(batch.take(at), before, NEVER_CHANGES)
    is_late &= ~is_another
    is_backward = ~is_late & (is_another | (rank < was_rank) | (is_ended & (rank == FINAL)) | (ts < was_ts))
    is_next = ~is_late & ~is_backward & ((rank > was_rank) | ((ts > was_ts) & (rank < FINAL)))
    late[at], backward[at], following[at] = is_late, is_backward, is_next
    return following, late, backward


def differ(one: pa.Table, other: pa.Table, names: Sequence[str] = MERGED) -> NDArray[np.bool_]:
    """Return which rows of two tables say something else in any of the columns; nothing equals nothing."""
    found = np.zeros(one.num_rows, dtype=np.bool_)
    for name in names:
        found |= ~equal(one[name], other[name])
    return found


def equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which values of two columns are the same; nothing equals nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(one.type):
        first, second = (pc.fill_null(each, np.nan).to_numpy() for each in (one, other))
        floats: NDArray[np.bool_] = (first == second) | (np.isnan(first) & np.isnan(second))
        return floats
    same = np.asarray(pc.fill_null(pc.equal(one, other), False), dtype=np.bool_)
    nothing = np.asarray(pc.and_(pc.is_null(one), pc.is_null(other)), dtype=np.bool_)
    return np.asarray(same | nothing)


def _known(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        return np.asarray(~np.isnan(pc.fill_null(column, np.nan).to_numpy()))
    nothing = "" if pa.types.is_string(column.type) else NOT_KNOWN
    known = pc.fill_null(pc.not_equal(column, nothing), False)
    return np.asarray(known, dtype=np.bool_)


def _earlier(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the earlier of two times; the other one where one is not known."""
    known = np.where(one == NOT_KNOWN, other, one)
    return np.where(other == NOT_KNOWN, known, np.minimum(known, other))


def _of_all(values: NDArray[np.int64], codes: NDArray[np.int64], *, is_earliest: bool) -> NDArray[np.int64]:
    """Return of each row the earliest, or latest, known time of its order."""
    found = np.full(int(codes.max()) + 1, _NEVER if is_earliest else NOT_KNOWN)
    known = values != NOT_KNOWN
    (np.minimum if is_earliest else np.maximum).at(found, codes[known], values[known])
    found[found == _NEVER] = NOT_KNOWN
    result: NDArray[np.int64] = found[codes]
    return result
