"""What stands in the places of reported rows: looked up for a whole batch, in one or two statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ingest.kinds import FIRST
from storage.clickhouse.client import ClickHouse, quoted
from storage.clickhouse.order_states import NOT_KNOWN
from storage.clickhouse.reported_tables import OWN, REPORTED, TEXTS, Reported

if TYPE_CHECKING:
    import pyarrow as pa

LISTED_CHARACTERS = 1_000_000
"""Of keys listed in one statement, in each of two lists; more of them make another one."""
STATEMENT = {"max_query_size": 16 * LISTED_CHARACTERS}
"""Four bytes a character at most, and as much again for the rest: ClickHouse takes 262,144 by default."""
FEW = 50
"""Keys that are listed as they are."""
DENSE = 8
"""Stored rows to one that is asked for, up to which all between the first and the last time are read at once."""


def first_known(clickhouse: ClickHouse, pairs: pa.Table) -> dict[tuple[str, str], int]:
    """Return when orders were placed (microseconds), by portfolio and id; NOT_KNOWN, or nothing, where nobody knows."""
    found = standing_rows(clickhouse, REPORTED["orders"], pairs)
    names = zip(found["portfolio"].to_pylist(), found["order_id"].to_pylist(), strict=True)
    # Rows from before it was told have the time of their state there, whichever that is.
    is_told = np.isin(found["status"].to_numpy(), FIRST) | (found["placed"].to_numpy() != found["ts"].to_numpy())
    placed = np.where(is_told, found["placed"].to_numpy(), NOT_KNOWN).tolist()
    return dict(reversed([*zip(names, placed, strict=True)]))


def standing_rows(clickhouse: ClickHouse, of: Reported, batch: pa.Table) -> pa.Table:
    """Return the rows that stand where those of `batch` go, and maybe others, the newest versions first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [_nothing(of)]
    for whose in _in_parts(of.keys[0], pc.unique(batch[of.keys[0]]).to_pylist()):
        parts += _standing_of(clickhouse, of, batch, f"origin = '{OWN}' AND {whose}")
    return pa.concat_tables(parts).sort_by([("version", "descending")])


def _standing_of(clickhouse: ClickHouse, of: Reported, batch: pa.Table, whose: str) -> Iterator[pa.Table]:
    """Yield what `standing` returns, of the portfolios or instruments that `whose` names."""
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
