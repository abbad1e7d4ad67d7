"""From typed columns to the rows of a table: defaults, what must hold within a row, and rows that are there twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.ingest.kinds import FINAL, FIRST, STATUSES, Kind
from portfolio.ingest.cells import MOST, typed
from portfolio.ingest.faults import Faults
from portfolio.ingest.labels import no_labels
from portfolio.ingest.moments import told_time
from portfolio.ingest.raw import Raw
from storage.clickhouse.order_states import NEVER_CHANGES, equal, merged_within, told
from storage.clickhouse.reported import key_texts
from storage.clickhouse.reported_tables import REPORTED, Reported

TABLES = {"fx": "prices"}
"""Kinds whose rows go to a table of another name."""
NEEDED = {
    "instrument": ["dividend", "split", "transfer"],
    "quantity": ["transfer"],
    "amount": ["dividend", "interest", "fee", "tax", "deposit", "withdrawal"],
    "split_ratio": ["split"],
}
"""Columns of transactions, and the actions that cannot do without."""
MOST_OF_WHOLE = 1.5
"""What weights of a benchmark may add up to: more is no rounding, and no constituent that was told late."""
ALSO = {"instrument": ["interest", "fee", "tax"], "amount": ["transfer"]}
"""Other actions that may have them."""
ANOTHER_ORDER = "an order keeps its instrument and side: send another one under an id of its own"
MEANING = {
    "instrument": "the symbol",
    "quantity": "how many came (+) or went (−)",
    "amount": "the money that came (+) or went (−)",
    "split_ratio": "new ones for an old one",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table, each key once; `rows` says which row each was, from 0."""

    of: Reported
    table: pa.Table
    rows: Any
    repeated: int = 0
    """Rows left out that only repeat another one."""
    passed: int = 0
    """States of orders left out that a later row of the batch goes on from."""

    def fault(self, faults: Faults, places: Any, field: str, value: Any, reason: str, fix: str) -> None:
        """Note a fault of rows of the table."""
        for at in places:
            faults.add(int(self.rows[at]) + 1, field, value(int(at)), reason, fix)


def table_of(kind: Kind) -> Reported:
    """Return the table that rows of a kind go to."""
    return REPORTED[TABLES.get(kind.name, kind.name)]


def typed_columns(kind: Kind, raw: Raw, faults: Faults, now: float) -> Mapping[str, Any]:
    """Return every column of a kind in its type; what was not sent is filled with its default, or null."""
    found: dict[str, Any] = {}
    for column in kind.columns:
        if column.name in raw.columns:
            cells = typed(column, raw.columns[column.name], faults, now)
            if column.default is not None and column.sort != "labels":
                cells = pc.fill_null(cells, column.default)
            found[column.name] = cells
        elif column.is_required:
            faults.add(0, column.name, "", "the column is missing", f"send it: {column.meaning}")
        elif column.sort == "labels":
            found[column.name] = no_labels(raw.rows)
        else:
            empty = {"number": pa.float64(), "time": pa.int64()}.get(column.sort, pa.string())
            found[column.name] = pa.repeat(pa.scalar(column.default, empty), raw.rows)
    return found


def batch_of(kind: Kind, columns: Mapping[str, Any], faults: Faults, *, last_counts: bool = False) -> Batch:
    """Return what `once` returns of `rows_of`."""
    return once(rows_of(kind, columns, faults), faults, last_counts=last_counts)


def rows_of(kind: Kind, columns: Mapping[str, Any], faults: Faults) -> Batch:
    """Return the rows of the kind's table, every one. Raises RowsRefused for rows that contradict themselves."""
    of = table_of(kind)
    made = {
        "fx": _fx, "positions": _positions, "orders": _orders, "trades": _trades, "transactions": _transactions,
        "benchmark_weights": _weights,
    }.get(kind.name)  # fmt: skip
    filled = made(columns, faults) if made else columns
    faults.check()
    table = pa.table({name: filled[name] for name in of.columns})
    return Batch(of, table, np.arange(table.num_rows))


def once(batch: Batch, faults: Faults, *, last_counts: bool = False) -> Batch:
    """Return rows with each key once. Raises RowsRefused for rows that contradict each other.

    last_counts: rows of one key, and of orders one state of it, do not contradict each other: the last of them counts.
    """
    unique = (_states if batch.of.table == "orders" else _unique)(batch, faults, last_counts)
    faults.check()
    return unique


def _fx(columns: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    base, quote = columns["base"], columns["quote"]
    same = np.flatnonzero(pc.fill_null(pc.equal(base, quote), False).to_numpy(zero_copy_only=False))
    faults.add_many(same.tolist(), "quote", lambda at: quote[at].as_py(), "is the base too", "name two currencies")
    pair = pc.binary_join_element_wise(base, quote, "")
    return {"instrument": pair, "ts": columns["ts"], "price": columns["rate"]}


def _weights(columns: Mapping[str, Any], faults: Faults) -> Mapping[str, Any]:
    table = pa.table({name: columns[name] for name in ("benchmark", "ts", "weight")})
    check_weights(table, np.arange(table.num_rows), faults)
    return columns


def check_weights(table: pa.Table, rows: Any, faults: Faults) -> None:
    """Note benchmarks whose weights of a day come to more than a whole could: they are percent.

    rows: which row of the batch each is, from 0.
    """
    sums = table.select(["benchmark", "ts", "weight"]).append_column("at", pa.array(rows)).group_by(["benchmark", "ts"])
    for row in sums.aggregate([("weight", "sum"), ("at", "min")]).to_pylist():
        if row["weight_sum"] is not None and row["weight_sum"] > MOST_OF_WHOLE:
            told = f"comes to {row['weight_sum']:.6g} with the others of {row['benchmark']} on this day"
            faults.add(row["at_min"] + 1, "weight", "", told, "send shares of 1 that add up to 1: 0.05 for 5 %")


def _positions(columns: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    worth = pc.coalesce(columns["market_value"], pc.multiply(columns["quantity"], columns["price"]))
    huge = np.flatnonzero(~(np.abs(worth.to_numpy(zero_copy_only=False)) <= MOST))
    reason = "is too large: quantity × price × multiplier"
    faults.add_many(huge.tolist(), "market_value", lambda at: "", reason, "send a smaller quantity or price")
    return _without_nulls({**columns, "market_value": worth})


def _orders(columns: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    needs = pc.is_in(columns["order_type"], value_set=pa.array(["limit", "stop_limit", "limit_on_close"]))
    is_first = pc.is_in(columns["status"], value_set=pa.array(FIRST))
    lacks = pc.and_(pc.and_(needs, is_first), pc.is_null(columns["limit_price"]))
    faults.add_many(
        np.flatnonzero(lacks.to_numpy(zero_copy_only=False)).tolist(),
        "limit_price",
        lambda at: "",
        "is missing for this order_type",
        "send the limit, or order_type market",
    )
    return told(dict(columns))


def _trades(columns: Mapping[str, Any], _faults: Faults) -> dict[str, Any]:
    return _without_nulls(columns)


def _without_nulls(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns with what was not sent as tables hold it: an empty text, no number."""
    told = dict(columns)
    for name, cells in columns.items():
        if cells.null_count:
            told[name] = pc.fill_null(cells, "" if pa.types.is_string(cells.type) else np.nan)
    return told


def _transactions(columns: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    for field, actions in NEEDED.items():
        sent = pc.is_valid(columns[field])
        needed = pc.is_in(columns["action"], value_set=pa.array(actions))
        allowed = pc.is_in(columns["action"], value_set=pa.array([*actions, *ALSO.get(field, ())]))
        lacks, surplus = (
            np.flatnonzero(each.to_numpy(zero_copy_only=False)).tolist()
            for each in (pc.and_(needed, pc.invert(sent)), pc.and_(sent, pc.invert(allowed)))
        )
        faults.add_many(lacks, field, lambda at: "", "is missing for this action", f"send it: {MEANING[field]}")
        told = columns[field].to_pylist() if surplus else []
        faults.add_many(surplus, field, told.__getitem__, "says nothing of this action", "leave it out")
    return _without_nulls(columns)


def _unique(batch: Batch, faults: Faults, last_counts: bool) -> Batch:
    keys = key_texts(batch.of, batch.table).combine_chunks()
    if pc.count_distinct(keys).as_py() == len(keys):
        return batch
    if last_counts:
        later, _ = _firsts(keys[::-1])
        keep = np.unique(len(keys) - 1 - later)
        return Batch(batch.of, batch.table.take(keep), batch.rows[keep], repeated=len(keys) - len(keep))
    first, again = _firsts(keys)
    is_same = again.copy()
    for name in batch.of.content:
        column = batch.table[name]
        is_same &= equal(column, column.take(pa.array(first)))
    other = np.flatnonzero(again & ~is_same)
    key = batch.of.keys[-1]
    for at in other.tolist():
        before = faults.row(batch.rows[first[at]])
        told = f"says something else than row {before} of the same {' and '.join(batch.of.keys)}"
        value = batch.table[key][at].as_py() if key != "ts" else ""
        faults.add(int(batch.rows[at]) + 1, key, value, told, "send each once")
    keep = np.flatnonzero(~again)
    return Batch(batch.of, batch.table.take(keep), batch.rows[keep], repeated=int(again.sum()))


def _firsts(keys: pa.Array) -> tuple[Any, Any]:
    """Return of each row the first one with its key, and whether that is another one."""
    codes = keys.dictionary_encode().indices.to_numpy()
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    at = first[inverse]
    return at, at != np.arange(len(keys))


def _says_the_same(table: pa.Table, names: list[str], one: int, other: int) -> bool:
    pairs = ((table[name][one].as_py(), table[name][other].as_py()) for name in names)
    return all(a == b or (a != a and b != b) for a, b in pairs)


def _states(batch: Batch, faults: Faults, last_counts: bool) -> Batch:
    """Return each order once, in its last state; the states of a batch must follow each other."""
    table = batch.table
    keys = key_texts(batch.of, table).combine_chunks()
    if pc.count_distinct(keys).as_py() == len(keys):
        return batch
    codes = keys.dictionary_encode().indices.to_numpy()
    status = table["status"].to_pylist()
    rank = np.array([STATUSES[each] for each in status])
    ts = table["ts"].to_numpy()
    order = np.lexsort((np.arange(len(ts)), rank, ts, codes))
    follows = codes[order][1:] == codes[order][:-1]
    repeated = 0
    drop = np.zeros(len(ts), dtype=bool)
    names = [name for name in batch.of.content if name != "placed"]
    for place in np.flatnonzero(follows).tolist():
        before, at = int(order[place]), int(order[place + 1])
        row, row_before = int(batch.rows[at]) + 1, faults.row(batch.rows[before])
        other = next((name for name in NEVER_CHANGES if table[name][before] != table[name][at]), "")
        if other:
            was = f"is {table[other][before].as_py()} in row {row_before}"
            faults.add(row, other, table[other][at].as_py(), was, ANOTHER_ORDER)
        elif ts[before] == ts[at] and _says_the_same(table, names, before, at):
            repeated += 1
        elif ts[before] == ts[at] and rank[before] == rank[at] and not (last_counts and status[before] == status[at]):
            faults.add(row, "order_id", table["order_id"][at].as_py(), f"says something else than row {row_before}",
                       "send each state of an order once")  # fmt: skip
        elif rank[at] < rank[before] or (rank[before] == FINAL and status[at] != status[before]):
            faults.add(row, "status", status[at], f"goes back: the order is {status[before]} in row {row_before}",
                       "send states in their order")  # fmt: skip
        drop[before] = True
    table = merged_within(table, order, codes)
    keep = np.flatnonzero(~drop)
    return Batch(batch.of, table.take(keep), batch.rows[keep], repeated, int(drop.sum()) - repeated)


def told_moment(batch: Batch, ticks: int) -> str:
    """Return a time of the table as it is told."""
    return told_time(int(ticks), batch.of.per_second)
