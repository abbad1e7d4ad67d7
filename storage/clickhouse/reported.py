"""The one way of what portfolios report into ClickHouse: a row that replaces another one leaves a mark.

What is there already is looked up for a whole batch at once, and each row is decided on: it is new, the same as what
stands there, replaces it, or (of orders alone) comes too late. Marks are stored before the rows they announce, so that
no crash between them loses one; a mark is named by the version it replaces, so that storing a batch again adds none.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from core.ingest.kinds import FIRST
from core.model import Facts
from storage.clickhouse.client import ClickHouse, quoted
from storage.clickhouse.import_rows import NAV, PRICES
from storage.clickhouse.order_states import LIFE, NOT_KNOWN, differ, equal, merged, states

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

OWN = "own"
LISTED_CHARACTERS = 1_000_000
"""Of keys listed in one statement, in each of two lists; more of them make another one."""
STATEMENT = {"max_query_size": 16 * LISTED_CHARACTERS}
"""Four bytes a character at most, and as much again for the rest: ClickHouse takes 262,144 by default."""
FEW = 50
"""Keys that are listed as they are."""
DENSE = 8
"""Stored rows to one that is asked for, up to which all between the first and the last time are read at once."""
MICROSECONDS = 1_000_000
TEXTS = frozenset(
    {
        *(
            "portfolio",
            "order_id",
            "trade_id",
            "transaction_id",
            "instrument",
            "side",
            "order_type",
            "status",
            "currency",
        ),
        *("reject_reason", "broker", "strategy", "venue", "action", "benchmark"),
    }
)
"""Columns that are text; the others are times or numbers."""
ZERO = frozenset({"accrued", "fees"})
"""Numbers that are 0 where nobody told them; others are no number."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A table of rows that replace themselves. Times are int64 ticks of its resolution since 1970."""

    table: str
    keys: tuple[str, ...]
    """Beside the origin; the first one says whose row it is."""
    content: tuple[str, ...]
    per_second: int = 1
    moments: tuple[str, ...] = ("ts",)
    remembered: tuple[str, ...] = ()
    """Numbers kept with a row beside what was told: they make it no other one."""

    @property
    def has_id(self) -> bool:
        """Whether rows are told apart by an id and not by their time."""
        return "ts" not in self.keys

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a batch has."""
        return (*self.keys, *self.content, *self.remembered)


REPORTED: Mapping[str, Reported] = {
    each.table: each
    for each in (
        Reported("nav", ("portfolio", "ts"), ("nav", "flow")),
        Reported(
            "positions",
            ("portfolio", "ts", "instrument"),
            ("quantity", "price", "market_value", "average_cost", "currency", "accrued"),
            remembered=("multiplier",),
        ),
        Reported("cash", ("portfolio", "ts", "currency"), ("amount",)),
        Reported(
            "orders",
            ("portfolio", "order_id"),
            (
                *("ts", "placed", "instrument", "side", "quantity", "order_type", "limit_price", "decision_price"),
                *("arrival_price", "status", *LIFE, "reject_reason", "broker", "strategy"),
            ),
            MICROSECONDS,
            ("ts", "placed", *LIFE),
        ),
        Reported(
            "trades",
            ("portfolio", "trade_id"),
            ("ts", "order_id", "instrument", "side", "quantity", "price", "commission", "fees", "currency", "venue"),
            MICROSECONDS,
        ),
        Reported(
            "transactions",
            ("portfolio", "transaction_id"),
            ("ts", "action", "instrument", "quantity", "amount", "split_ratio", "currency"),
            MICROSECONDS,
        ),
        Reported("prices", ("instrument", "ts"), ("price",)),
        Reported("benchmark_weights", ("benchmark", "ts", "instrument"), ("weight",)),
    )
}
"""By table."""


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

    was = _standing(clickhouse, of, batch)
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


def facts_of(of: Reported, batch: pa.Table, version: int) -> Facts:
    """Return a batch as rows that can wait in the spool."""
    count = batch.num_rows
    data = tuple(batch[name].to_pylist() for name in of.columns)
    return Facts(
        of.table, ("origin", *of.columns, "version"), ([OWN] * count, *data, [version] * count), uuid.uuid4().hex
    )


def table_of(facts: Facts) -> pa.Table:
    """Return rows that waited as the batch that they were."""
    import pyarrow as pa

    of = REPORTED[facts.table]
    columns = {}
    for name in of.columns:
        kind = pa.int64() if name in of.moments else pa.string() if name in TEXTS else pa.float64()
        # A batch may have waited since a time when the table had fewer columns.
        known = name in facts.columns
        values = facts.data[facts.columns.index(name)] if known else [_nothing_told(of, name)] * len(facts)
        columns[name] = pa.array(values, kind)
    return pa.table(columns)


def _nothing_told(of: Reported, name: str) -> int | float | str:
    if name in of.moments:
        return NOT_KNOWN
    if name in TEXTS:
        return ""
    return 0.0 if name in ZERO else math.nan


def first_known(clickhouse: ClickHouse, pairs: pa.Table) -> dict[tuple[str, str], int]:
    """Return when orders were placed (microseconds), by portfolio and id; NOT_KNOWN, or nothing, where nobody knows."""
    found = _standing(clickhouse, REPORTED["orders"], pairs)
    names = zip(found["portfolio"].to_pylist(), found["order_id"].to_pylist(), strict=True)
    # Rows from before it was told have the time of their state there, whichever that is.
    is_told = np.isin(found["status"].to_numpy(), FIRST) | (found["placed"].to_numpy() != found["ts"].to_numpy())
    placed = np.where(is_told, found["placed"].to_numpy(), NOT_KNOWN).tolist()
    return dict(reversed([*zip(names, placed, strict=True)]))


def _standing(clickhouse: ClickHouse, of: Reported, batch: pa.Table) -> pa.Table:
    """Return the rows that stand where those of `batch` go, and maybe others, the newest versions first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [_nothing(of)]
    for whose in _in_parts(of.keys[0], pc.unique(batch[of.keys[0]]).to_pylist()):
        parts += _standing_of(clickhouse, of, batch, f"origin = '{OWN}' AND {whose}")
    return pa.concat_tables(parts).sort_by([("version", "descending")])


def _standing_of(clickhouse: ClickHouse, of: Reported, batch: pa.Table, whose: str) -> Iterator[pa.Table]:
    """Yield what `_standing` returns, of the portfolios or instruments that `whose` names."""
    import pyarrow.compute as pc

    column = of.keys[1] if of.has_id else "ts"
    first, last = (each.as_py() for each in pc.min_max(batch[column]).values())
    between = f"t.{column} BETWEEN {_literal(first)} AND {_literal(last)}"
    most = DENSE * batch.num_rows + 1_000
    sql = f"SELECT count() FROM (SELECT 1 FROM {of.table} AS t WHERE {whose} AND {between} LIMIT {most + 1})"
    ((stored,),) = clickhouse.records(sql, [("stored", "<u8")], kind=f"{of.table} before", settings=STATEMENT)
    if not stored:
        return
    names = ", ".join(_selected(of, name) for name in (*of.columns, "version"))
    schema = _nothing(of).schema
    for condition in [between] if stored <= most else _listed(column, batch):
        sql = f"SELECT {names} FROM {of.table} AS t WHERE {whose} AND {condition}"
        found = clickhouse.arrow(sql, kind=f"{of.table} before", settings=STATEMENT)
        yield found.rename_columns(schema.names).cast(schema)


def _selected(of: Reported, name: str) -> str:
    if name in of.moments:
        number = "toUnixTimestamp64Micro" if of.per_second > 1 else "toUnixTimestamp"
        return f"toInt64({number}(t.{name})) AS {name}_ticks"
    if name == "version":
        return "toInt64(t.version) AS v"
    return f"toString(t.{name}) AS {name}_text" if name in TEXTS else f"t.{name} AS {name}_value"


def _nothing(of: Reported) -> pa.Table:
    import pyarrow as pa

    names = (*of.columns, "version")
    kinds = [
        pa.int64() if name in (*of.moments, "version") else pa.string() if name in TEXTS else pa.float64()
        for name in names
    ]
    return pa.schema(list(zip(names, kinds, strict=True))).empty_table()


def _literal(value: Any) -> str:
    return quoted([value]) if isinstance(value, str) else f"toDateTime({int(value)})"


def _listed(column: str, batch: pa.Table) -> Iterator[str]:
    """Yield conditions that name the keys of `batch`, so many at a time."""
    import pyarrow.compute as pc

    values = pc.unique(batch[column]).to_pylist()
    if column == "ts":
        for first in range(0, len(values), 100_000):
            listed = ", ".join(map(str, values[first : first + 100_000]))
            yield f"toUnixTimestamp(t.ts) IN ({listed})"
        return
    yield from _in_parts(column, values)


def _in_parts(column: str, values: Sequence[str]) -> Iterator[str]:
    """Yield conditions that name all of `values`, so many at a time."""
    if len(values) <= FEW:
        yield f"t.{column} IN ({quoted(values)})"
        return
    at_once = max(LISTED_CHARACTERS // (max(len(each) for each in values) + 2), 1)
    for first in range(0, len(values), at_once):
        # One text that is split there: thirty thousand literals take longer to parse than to look for.
        text = quoted(["\n".join(values[first : first + at_once])])
        yield f"t.{column} IN (SELECT arrayJoin(splitByChar('\\n', {text})))"


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


def of_own_portfolios(facts: Facts) -> bool:
    """Return whether rows are what own portfolios report, and not of the sample fund or its replay."""
    return facts.table in REPORTED and len(facts) > 0 and facts.data[facts.columns.index("origin")][0] == OWN
