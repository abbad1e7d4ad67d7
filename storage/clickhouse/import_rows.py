"""What an import adds to `nav` or `prices`: its rows under its version, and a mark of every row that one replaces.

The rows of a version are what its import said, and the marks of that version what stood there before, also where that
was the same value: all that `undo_rows.py` needs.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.nav_rows import LOOKUP_TIMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOKUP_POINTS = 500_000
"""Most points that one statement returns, 16 MB."""
DENSE = 4
"""Stored points to one that is asked for, up to which all between the first and the last are read at once."""
PATIENT = {"max_execution_time": 300}
"""Half a million rows in one insert take longer than a query may on a busy machine, and none is taken without it."""
MARKS_AT_ONCE = 100_000
"""A mark says nothing before its value is there, and is one mark when it is sent twice: they need no single insert."""
NAMES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """A table that imports go to, whose rows replace themselves, and the table of the marks of what was replaced."""

    table: str
    name: str
    """The column that says whose row it is."""
    values: tuple[str, ...]
    marks: str
    was: tuple[str, ...]
    """In `marks`: what each of `values` was before; `now` likewise, what it became."""
    now: tuple[str, ...]


NAV = Imported("nav", "portfolio", ("nav", "flow"), "nav_restatements", ("was", "flow_was"), ("now", "flow_now"))
PRICES = Imported("prices", "instrument", ("price",), "price_restatements", ("was",), ("now",))


@dataclass(frozen=True, slots=True)
class Rows:
    """n points of k names for one origin: code (n,) says which name, ts (n,) epoch seconds, a (n,) array a value."""

    origin: str
    names: tuple[str, ...]
    code: NDArray[np.int64]
    ts: NDArray[np.int64]
    values: tuple[NDArray[np.float64], ...]


class Taken(Sequence[Any]):
    """Some places of an array as plain numbers, made when they are asked for: the driver sends a slice at a time."""

    def __init__(self, values: NDArray[Any], at: NDArray[np.int64]) -> None:
        self._values, self._at = values, at

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, place: Any) -> Any:
        return self._values[self._at[place]].tolist()


@dataclass(frozen=True, slots=True)
class Inserted:
    """How many rows are new, and how many replaced another value. The others said what stood there."""

    added: int
    restated: int


def insert_import(clickhouse: ClickHouse, into: Imported, rows: Rows, version: int, source: str) -> Inserted:
    """Store `rows` under `version`, marks first. Harmless when it is repeated.

    Raises StorageUnavailable or StorageRejected; what is stored then is whole after the same call again.
    """
    was, was_version = standing(clickhouse, into, rows)
    is_there, is_newer = was_version > 0, was_version < version
    is_same = is_there.copy()
    for values, before in zip(rows.values, was, strict=True):
        is_same &= values == before
    # What a newer import said stands. A repeated call finds its own rows, and counts them as it did the first time.
    replaced = is_there & is_newer
    own = is_same & (was_version == version)
    marked, restated = _own_marks(clickhouse, into, rows, version) if own.any() else (0, 0)
    for at in _slices(np.flatnonzero(replaced), MARKS_AT_ONCE):
        clickhouse.insert(_marks(into, rows, at, was, was_version, version, source), PATIENT)
    clickhouse.insert(_facts(into, rows, np.flatnonzero(is_newer), version), PATIENT)
    added = int((~is_there).sum()) + int(own.sum()) - marked
    return Inserted(added, restated + int((replaced & ~is_same).sum()))


def next_import_version(clickhouse: ClickHouse, into: Imported, origin: str, names: Sequence[str], above: int) -> int:
    """Return a version (milliseconds) above `above` and above every stored one of `names`."""
    sql = f"""
        SELECT max(version) FROM {into.table}
        WHERE origin = {{origin:String}} AND {into.name} IN {{names:Array(String)}}
    """
    newest = 0
    for part in parts(names):
        ((found,),) = clickhouse.rows(sql, {"origin": origin, "names": part}, kind="import version")
        newest = max(newest, int(found))
    return max(above, newest) + 1


def parts(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield `names` in lists that a statement can hold."""
    for first in range(0, len(names), NAMES_AT_ONCE):
        yield list(names[first : first + NAMES_AT_ONCE])


def standing(clickhouse: ClickHouse, into: Imported, rows: Rows) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Return what stands at each point of `rows`, value by value (NaN where nothing does), and its version (0)."""
    was = [np.full(len(rows.ts), np.nan) for _ in rows.values]
    versions = np.zeros(len(rows.ts), dtype=np.int64)
    layout = [("code", "<u4"), ("ts", "<u4"), *((name, "<f8") for name in into.values), ("version", "<u8")]
    wanted = _key(rows.code, rows.ts)
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    for found in _lookups(clickhouse, into, rows, layout):
        # Oldest version first: of what is written to one place the last stays.
        stored = found[np.argsort(found["version"], kind="stable")]
        key = _key(stored["code"], stored["ts"])
        first = np.searchsorted(ordered, key)
        hit = np.flatnonzero(ordered[np.minimum(first, len(ordered) - 1)] == key)
        at = order[first[hit]]
        for before, name in zip(was, into.values, strict=True):
            before[at] = stored[name][hit]
        versions[at] = stored["version"][hit].astype(np.int64)
    return was, versions


def _lookups(
    clickhouse: ClickHouse, into: Imported, rows: Rows, layout: Sequence[tuple[str, str]]
) -> Iterator[NDArray[Any]]:
    """Yield what is stored at the times of `rows`, also of names that have no row at that time."""
    first, last = int(rows.ts.min()), int(rows.ts.max())
    for number in range(0, len(rows.names), NAMES_AT_ONCE):
        names = list(rows.names[number : number + NAMES_AT_ONCE])
        asked = {"origin": rows.origin, "names": names, "first": first, "last": last, "number": number}
        whose = f"origin = {{origin:String}} AND {into.name} IN {{names:Array(String)}}"
        span = "ts BETWEEN toDateTime({first:UInt32}) AND toDateTime({last:UInt32})"
        ((stored,),) = clickhouse.rows(
            f"SELECT count() FROM {into.table} WHERE {whose} AND {span}", asked, kind="import before"
        )
        if not stored:
            continue
        asks_for = (rows.code >= number) & (rows.code < number + len(names))
        times = np.unique(rows.ts[asks_for])
        is_dense = stored <= DENSE * int(asks_for.sum())
        at_once = max(len(times) * LOOKUP_POINTS // stored, 1) if is_dense else LOOKUP_POINTS // len(names)
        for some in _slices(times, at_once if is_dense else min(max(at_once, 1), LOOKUP_TIMES)):
            between = f"ts BETWEEN toDateTime({some[0]}) AND toDateTime({some[-1]})"
            listed = between if is_dense else f"ts IN ({', '.join(map(str, some.tolist()))})"
            sql = f"""
                WITH {{names:Array(String)}} AS names
                SELECT toUInt32(indexOf(names, toString({into.name})) - 1 + {{number:UInt32}}), toUnixTimestamp(ts),
                       {", ".join(into.values)}, version
                FROM {into.table} WHERE {whose} AND {listed}
            """
            yield clickhouse.records(sql, layout, asked, kind="import before")


def _slices(numbers: NDArray[np.int64], at_once: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(numbers), at_once):
        yield numbers[start : start + at_once]


def _key(code: NDArray[Any], ts: NDArray[Any]) -> NDArray[np.int64]:
    return code.astype(np.int64) * 2**32 + ts.astype(np.int64)


def _marks(
    into: Imported,
    rows: Rows,
    at: NDArray[np.int64],
    was: Sequence[NDArray[np.float64]],
    was_version: NDArray[np.int64],
    version: int,
    source: str,
) -> Facts:
    count = len(at)
    columns = ("origin", into.name, "ts", "was_version", "version", *into.was, *into.now, "at", "source")
    data = (
        [rows.origin] * count,
        _named(rows, at),
        Taken(rows.ts, at),
        Taken(was_version, at),
        [version] * count,
        *(Taken(before, at) for before in was),
        *(Taken(values, at) for values in rows.values),
        [version] * count,
        [source] * count,
    )
    return Facts(into.marks, columns, data, uuid.uuid4().hex)


def _facts(into: Imported, rows: Rows, at: NDArray[np.int64], version: int) -> Facts:
    # With a token of its own: the same rows without one are dropped where a kill left ClickHouse knowing them.
    count = len(at)
    data = ([rows.origin] * count, _named(rows, at), Taken(rows.ts, at), *(Taken(each, at) for each in rows.values))
    columns = ("origin", into.name, "ts", *into.values, "version")
    return Facts(into.table, columns, (*data, [version] * count), uuid.uuid4().hex)


def _named(rows: Rows, at: NDArray[np.int64]) -> list[str]:
    return [rows.names[code] for code in rows.code[at].tolist()]


def _own_marks(clickhouse: ClickHouse, into: Imported, rows: Rows, version: int) -> tuple[int, int]:
    """Return how many rows of a call that was cut off replaced another one, and how many of these another value."""
    differs = " OR ".join(f"{was} != {now}" for was, now in zip(into.was, into.now, strict=True))
    sql = f"""
        SELECT count(), countIf({differs}) FROM {into.marks} FINAL
        WHERE origin = {{origin:String}} AND version = {{version:UInt64}} AND {into.name} IN {{names:Array(String)}}
            AND ({into.name}, ts) GLOBAL IN (
                SELECT {into.name}, ts FROM {into.table}
                WHERE origin = {{origin:String}} AND version = {{version:UInt64}}
            )
    """
    asked = {"origin": rows.origin, "version": version}
    found = [clickhouse.rows(sql, asked | {"names": part}, kind="import marks")[0] for part in parts(rows.names)]
    return sum(int(count) for count, _ in found), sum(int(count) for _, count in found)
