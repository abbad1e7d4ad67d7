"""The one way of what portfolios report into ClickHouse: a row that replaces another one leaves a mark.

What is there already is looked up for a whole batch at once, and each row is decided on: it is new, the same as what
stands there, replaces it, or (of orders alone) comes too late. Marks are stored before the rows they announce, so that
no crash between them loses one; a mark is named by the version it replaces, so that storing a batch again adds none.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.import_rows import NAV, PRICES
from storage.clickhouse.order_states import differ, equal, merged, states
from storage.clickhouse.reported_tables import MICROSECONDS, OWN, REPORTED, TEXTS, Reported, table_of
from storage.clickhouse.standing import standing_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Decision:
    """What each row of a batch is, by place. A row is at most one of these; else it is new."""

    rows: pa.Table
    """The batch; of orders with what stands there and the batch leaves out."""
    is_same: NDArray[np.bool_]
    is_other: NDArray[np.bool_]
    """It replaces a row that says something else."""
    is_next: NDArray[np.bool_]
    """A later state of an order, which replaces the one before without being a restatement."""
    is_late: NDArray[np.bool_]
    """A state of an order that has gone on meanwhile: nothing is stored of it."""
    is_backward: NDArray[np.bool_]
    """A state that the order cannot come to after the one that stands."""
    was: pa.Table
    """What stands there: rows of the table, by `place`."""
    place: NDArray[np.int64]
    """In `was`, of each row of the batch; −1: nothing stands there."""
    version: int
    """Above those of all that is replaced."""
    added: pa.Table | None = None
    """Of orders: what stands in the place of each row, with what the row adds to it."""

    def stored(self, at: int) -> dict[str, Any]:
        """Return what stands in the place of a row."""
        found: dict[str, Any] = self.was.slice(int(self.place[at]), 1).to_pylist()[0]
        return found

    @property
    def is_stored(self) -> NDArray[np.bool_]:
        """Which rows are to be stored."""
        stored: NDArray[np.bool_] = ~(self.is_same | self.is_late | self.is_backward)
        return stored


def decide(clickhouse: ClickHouse, of: Reported, batch: pa.Table, version: int) -> Decision:
    """Return what each row of `batch` is beside what stands in the table. Keys are unique in it.

    Raises StorageUnavailable or StorageRejected.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    was = standing_rows(clickhouse, of, batch)
    place = np.full(batch.num_rows, -1, dtype=np.int64)
    if was.num_rows:
        found = pc.index_in(key_texts(of, batch), value_set=key_texts(of, was))
        place = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    there = place >= 0
    none = np.zeros(batch.num_rows, dtype=bool)
    if not there.any():
        return Decision(batch, none, none, none, none, none, was, place, version)
    is_order = of.table == "orders"
    standing = pa.array(np.where(there, place, 0))
    rows, added = batch, None
    if is_order:
        before = was.take(standing)
        rows, added = merged(batch, before, there), merged(before, batch, there)
    is_same = there.copy()
    for name in of.content:
        is_same &= equal(rows[name], added[name] if added is not None else was[name].take(standing))
    other, following, late, backward = there & ~is_same, none, none, none
    if is_order:
        following, late, backward = states(batch, was, place, other)
        other = other & ~following & ~late & ~backward
    newest = int(pc.max(was["version"]).as_py() or 0)
    return Decision(rows, is_same, other, following, late, backward, was, place, max(version, newest + 1), added)


def write(clickhouse: ClickHouse, of: Reported, decision: Decision, source: str) -> None:
    """Store what is new of a batch, marks of what it replaces first.

    Raises StorageUnavailable or StorageRejected; storing the batch again then completes it.
    """
    if (decision.is_other | decision.is_backward).any():
        clickhouse.insert(_marks(of, decision, source))
    learned = _learned(decision)
    if learned is not None and learned.num_rows:
        versions = learned["version"].to_numpy() + 1
        clickhouse.insert_arrow(of.table, _as_stored(of, learned, versions), uuid.uuid4().hex)
    keep = decision.is_stored
    if not keep.any():
        return
    rows = decision.rows if keep.all() else decision.rows.filter(_array(keep))
    clickhouse.insert_arrow(of.table, _as_stored(of, rows, decision.version), uuid.uuid4().hex)


def _learned(decision: Decision) -> pa.Table | None:
    """Return what stands of orders whose row counts for nothing but for what it adds to that."""
    if decision.added is None:
        return None
    at = np.flatnonzero(decision.is_late | decision.is_same)
    added, was = decision.added.take(at), decision.was.take(decision.place[at])
    return added.filter(_array(differ(added, was)))


def insert_reported(clickhouse: ClickHouse, facts: Facts, source: str) -> None:
    """Store rows that waited, as `write` does: what stands there by now is looked up now."""
    of = REPORTED[facts.table]
    batch = table_of(facts)
    version = int(facts.data[facts.columns.index("version")][0])
    decision = decide(clickhouse, of, batch, version)
    write(clickhouse, of, _not_before(decision, version), source)


def _not_before(decision: Decision, version: int) -> Decision:
    """Return the decision without rows in whose place a newer one stands: what came later counts.

    A later state of an order counts whenever it comes.
    """
    from dataclasses import replace

    versions = np.zeros(len(decision.place), dtype=np.int64)
    there = decision.place >= 0
    if there.any():
        versions[there] = decision.was["version"].to_numpy()[decision.place[there]]
    is_old = (versions > version) & ~decision.is_next
    return replace(
        decision,
        is_same=decision.is_same | (is_old & ~decision.is_late & ~decision.is_backward),
        is_other=decision.is_other & ~is_old,
    )


def key_texts(of: Reported, rows: pa.Table) -> pa.Array:
    """Return what tells the rows apart, a text each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [rows[name] if name in TEXTS else rows[name].cast(pa.string()) for name in of.keys]
    return pc.binary_join_element_wise(*parts, "\n")


def _as_stored(of: Reported, rows: pa.Table, version: int | NDArray[np.int64]) -> pa.Table:
    import pyarrow as pa

    unit = "us" if of.per_second > 1 else "s"
    count = rows.num_rows
    columns = {"origin": pa.array([OWN] * count, pa.string())}
    for name in of.columns:
        columns[name] = rows[name].cast(pa.timestamp(unit, "UTC")) if name in of.moments else rows[name]
    return pa.table({**columns, "version": pa.array(np.full(count, version, dtype=np.uint64))})


def _marks(of: Reported, decision: Decision, source: str) -> Facts:
    at = np.flatnonzero(decision.is_other | decision.is_backward)
    now = decision.rows.take(at).to_pylist()
    was = decision.was.take(decision.place[at]).to_pylist()
    count, version = len(at), decision.version
    versions = [each["version"] for each in was], [version] * count
    origins, sources, moments = [OWN] * count, [source] * count, [version] * count
    own = {"nav": NAV, "prices": PRICES}.get(of.table)
    if own is not None:
        columns = ("origin", own.name, "ts", "was_version", "version", *own.was, *own.now, "at", "source")
        before = [[each[name] for each in was] for name in own.values]
        after = [[each[name] for each in now] for name in own.values]
        names, times = [each[own.name] for each in now], [each["ts"] for each in now]
        data: tuple[Sequence[Any], ...] = (origins, names, times, *versions, *before, *after, moments, sources)
        return Facts(own.marks, columns, data, uuid.uuid4().hex)
    # What belongs to no portfolio is named by what it is of.
    key = of.keys[-1:] if of.keys[0] == "portfolio" else (of.keys[0], of.keys[-1])
    taken = decision.is_other[at].astype(int).tolist()
    times = [each["ts"] * (MICROSECONDS // of.per_second) for each in was]
    said = [[orjson.dumps({name: each[name] for name in of.content}).decode() for each in some] for some in (was, now)]
    names = [each.get("portfolio", "") for each in now]
    data = (
        origins,
        [of.table] * count,
        names,
        [" ".join(str(each[name]) for name in key) for each in now],
        times,
        *versions,
        *said,
        taken,
        moments,
        sources,
    )
    columns = (
        "origin",
        "kind",
        "portfolio",
        "key",
        "ts",
        "was_version",
        "version",
        "was",
        "now",
        "is_taken",
        "at",
        "source",
    )
    return Facts("restatements", columns, data, uuid.uuid4().hex)


def _array(flags: Any) -> pa.Array:
    import pyarrow as pa

    return pa.array(flags)
