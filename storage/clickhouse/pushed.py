"""Samples that others send into ClickHouse: a series has one value a second, and what is there is not stored again.

`samples` adds up and replaces nothing, so what is there already is looked up before, also when a batch waited in the
spool: its sender may have sent it again meanwhile.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.sample_rows import SAMPLE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

PUSHED = "push-"
"""What the tokens of these batches begin with."""
SERIES_AT_ONCE = 10_000
STATEMENT = {"max_query_size": 1_000_000}
LAYOUT = [("series", "<u8"), ("ts", "<u4"), ("value", "<f8")]


def push_token() -> str:
    """Return a token of a batch that was sent."""
    return f"{PUSHED}{uuid.uuid4().hex}"


def is_pushed(facts: Facts) -> bool:
    """Return whether a batch is of samples that others sent."""
    return facts.table == "samples" and facts.token.startswith(PUSHED)


def stored_values(
    clickhouse: ClickHouse, series: NDArray[np.uint64], ts: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return of each sample whether there is one of its series and second, and its value.

    Raises StorageUnavailable or StorageRejected.
    """
    there, values = np.zeros(len(ts), dtype=np.bool_), np.zeros(len(ts))
    between = f"ts BETWEEN toDateTime({int(ts.min())}) AND toDateTime({int(ts.max())})"
    unique = np.unique(series)
    for first in range(0, len(unique), SERIES_AT_ONCE):
        listed = ", ".join(map(str, unique[first : first + SERIES_AT_ONCE].tolist()))
        sql = f"SELECT series, toUnixTimestamp(ts), value FROM samples WHERE series IN ({listed}) AND {between}"
        found = clickhouse.records(sql, LAYOUT, kind="samples before", settings=STATEMENT)
        if not len(found):
            continue
        kind = np.dtype([("series", "<u8"), ("ts", "<i8")])
        stored, asked = np.zeros(len(found), dtype=kind), np.zeros(len(ts), dtype=kind)
        stored["series"], stored["ts"], asked["series"], asked["ts"] = found["series"], found["ts"], series, ts
        names, at = np.unique(stored, return_index=True)
        place = np.minimum(np.searchsorted(names, asked), len(names) - 1)
        matches = names[place] == asked
        there |= matches
        values[matches] = found["value"][at[place[matches]]]
    return there, values


def insert_pushed(clickhouse: ClickHouse, facts: Facts) -> None:
    """Store what is not there of a batch. Raises StorageUnavailable or StorageRejected."""
    series, ts, values = (facts.data[SAMPLE_COLUMNS.index(name)] for name in SAMPLE_COLUMNS)
    numbers, moments = np.array(series, dtype=np.uint64), np.array(ts, dtype=np.int64)
    there, _ = stored_values(clickhouse, numbers, moments)
    insert_samples(clickhouse, numbers, moments, np.array(values, dtype=np.float64), ~there, facts.token)


def insert_samples(
    clickhouse: ClickHouse,
    series: NDArray[np.uint64],
    ts: NDArray[np.int64],
    values: NDArray[np.float64],
    keep: NDArray[np.bool_],
    token: str,
) -> None:
    """Insert the samples of `keep`. `token` stands for all of them: a part of them has another one."""
    import pyarrow as pa

    if not keep.any():
        return
    moments = pa.array(ts[keep]).cast(pa.timestamp("s", "UTC"))
    rows = pa.table({"series": pa.array(series[keep]), "ts": moments, "value": pa.array(values[keep])})
    clickhouse.insert_arrow("samples", rows, token if keep.all() else push_token())


def waiting(series: NDArray[np.uint64], ts: NDArray[np.int64], values: NDArray[np.float64], token: str) -> Facts:
    """Return samples as rows that can wait in the spool."""
    return replace(Facts("samples", SAMPLE_COLUMNS, (series.tolist(), ts.tolist(), values.tolist())), token=token)
