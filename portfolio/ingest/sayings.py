"""What every row of a large file says, as numbers on the disk: sixteen bytes of most kinds, and none in memory.

Rows of one key lie in one of the files, so each of these is looked through by itself. Numbers are hashes: where rows of
one key seem to contradict each other, they are read again and compared as they are.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.ingest.kinds import FINAL, STATUSES, Kind
from portfolio.ingest.batch import MOST_OF_WHOLE
from portfolio.ingest.said import TOGETHER, Said
from storage.clickhouse.order_states import NEVER_CHANGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILES = 64
SHIFT = np.uint64(58)
"""The highest six bits say in which of the files a row lies."""
PLAIN = [("key", "<u8"), ("said", "<u8")]
LAYOUTS = {
    "orders": [*PLAIN, ("of", "<u8"), ("ts", "<i8"), ("status", "<i1"), ("part", "<u4")],
    "benchmark_weights": [("together", "<u8"), *PLAIN, ("weight", "<f8")],
}
_ODD = np.uint64(0x9E3779B97F4A7C15)
_CODES = {status: code for code, status in enumerate(STATUSES)}
_RANKS = np.array([*STATUSES.values()], dtype=np.int8)


class Sayings:
    """Holds what rows say, in files that nobody else sees and that go when it is closed."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self._kind, self._parts = kind, 0
        self._layout = np.dtype(LAYOUTS.get(kind.name, PLAIN))
        self._closing = contextlib.ExitStack()
        self._files: list[IO[bytes]] = [
            self._closing.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
            for _ in range(FILES)
        ]

    def __enter__(self) -> Sayings:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def add(self, said: Said) -> None:
        """Add what a part says. Raises OSError."""
        records = np.empty(said.table.num_rows, dtype=self._layout)
        table = said.table
        records["key"] = hashes(table, said.keys)
        records["said"] = hashes(table, said.content)
        if self._kind.name == "orders":
            records["of"] = hashes(table, NEVER_CHANGES)
            records["ts"], records["part"] = table["ts"].to_numpy(), self._parts
            records["status"] = [_CODES[each] for each in table["status"].to_pylist()]
        if self._kind.name == "benchmark_weights":
            records["together"] = groups(self._kind, said)
            records["weight"] = table["weight"].to_numpy()
        self._parts += 1
        which = (records["together" if self._kind.name in TOGETHER else "key"] >> SHIFT).astype(np.int64)
        records = records[np.argsort(which, kind="stable")]
        ends = np.cumsum(np.bincount(which, minlength=FILES))[:-1]
        for file, some in zip(self._files, np.split(records, ends), strict=True):
            file.write(some.tobytes())

    def doubtful(self) -> NDArray[np.uint64]:
        """Return which rows, by what `groups` says of them, seem to contradict each other."""
        find = {"orders": _orders, "benchmark_weights": _weights}.get(self._kind.name, _plain)
        return np.unique(np.concatenate([find(each) for each in self._each()]))

    def _each(self) -> Iterator[NDArray[Any]]:
        for file in self._files:
            file.seek(0)
            yield np.frombuffer(file.read(), dtype=self._layout)


def groups(kind: Kind, said: Said) -> NDArray[np.uint64]:
    """Return a number of each row, the same for those that are compared."""
    return hashes(said.table, TOGETHER.get(kind.name, said.keys))


def hashes(table: pa.Table, names: tuple[str, ...]) -> NDArray[np.uint64]:
    """Return a number of each row, the same where these columns say the same; nothing equals nothing."""
    found = np.zeros(table.num_rows, dtype=np.uint64)
    for name in names:
        found = (found ^ _numbers(table[name])) * _ODD
        found ^= found >> np.uint64(32)
    return found


def _numbers(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    from pandas.util import hash_array

    if pa.types.is_string(column.type):
        codes = column.combine_chunks().dictionary_encode()
        texts = np.array([*codes.dictionary.to_pylist(), ""], dtype=object)
        indices = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found: NDArray[np.uint64] = hash_array(texts, categorize=False)[indices]
    elif pa.types.is_floating(column.type):
        values = column.fill_null(np.nan).to_numpy() + 0.0  # no zero has a sign
        values[np.isnan(values)] = np.nan
        found = hash_array(values)
    else:
        found = hash_array(column.fill_null(0).to_numpy())
    return found


def _plain(records: NDArray[Any]) -> NDArray[np.uint64]:
    key, said = records["key"], records["said"]
    order = np.lexsort((said, key))
    key, said = key[order], said[order]
    found: NDArray[np.uint64] = key[1:][(key[1:] == key[:-1]) & (said[1:] != said[:-1])]
    return found


def _weights(records: NDArray[Any]) -> NDArray[np.uint64]:
    names, inverse = np.unique(records["together"], return_inverse=True)
    sums = np.bincount(inverse, records["weight"], minlength=len(names))
    contradicted = np.isin(records["key"], _plain(records))
    found: NDArray[np.uint64] = np.concatenate([names[sums > MOST_OF_WHOLE], records["together"][contradicted]])
    return found


def _orders(records: NDArray[Any]) -> NDArray[np.uint64]:
    """Return orders with states that cannot follow each other, or that lead from part to part and back."""
    rank = _RANKS[records["status"]]
    order = np.lexsort((rank, records["ts"], records["key"]))
    records, rank = records[order], rank[order]
    one, two = records[:-1], records[1:]
    is_same_order, is_same_time = one["key"] == two["key"], one["ts"] == two["ts"]
    is_repeated = is_same_order & is_same_time & (one["said"] == two["said"])
    is_wrong = (
        (one["of"] != two["of"])
        | is_same_time & (rank[:-1] == rank[1:]) & ~is_repeated
        | (rank[1:] < rank[:-1])
        | (rank[:-1] == FINAL) & (one["status"] != two["status"])
    )
    states = records[np.concatenate([[True], ~is_repeated])[: len(records)]]
    moves = np.sign(states["part"][1:].astype(np.int64) - states["part"][:-1])
    keys = states["key"][1:]
    moves[keys != states["key"][:-1]] = 0
    found: NDArray[np.uint64] = np.concatenate(
        [two["key"][is_same_order & is_wrong], np.intersect1d(keys[moves > 0], keys[moves < 0])]
    )  # fmt: skip
    return found
