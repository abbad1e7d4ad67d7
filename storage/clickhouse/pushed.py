"""Samples that others send into ClickHouse: a series has one value a second, and what is there is not stored again.

`samples` adds up and replaces nothing, so what is there already is looked up before, also when a batch waited in the
spool: its sender may have sent it again meanwhile. Of samples that are older than those kept as they were sent only the
rollups are left: there a bucket that has points has them all.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.clock import DAY_SECONDS
from core.model import Facts
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.sample_rows import SAMPLE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

PUSHED = "push-"
"""What the tokens of these batches begin with."""
SERIES_AT_ONCE = 10_000
STATEMENT = {"max_query_size": 2_000_000}
LAYOUT = [("series", "<u8"), ("ts", "<u4"), ("value", "<f8")]
DENSE = 8
"""Stored rows to one that is asked for, up to which all between the first and the last time are read at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table where samples of some age are found, and how."""

    table: str
    bucket_seconds: int
    span_seconds: int
    """So much of it is looked through at once."""
    value: str


SENT = Place("samples", 1, DAY_SECONDS, "value")
MINUTES = Place("samples_1m", 60, DAY_SECONDS, "total")
HOURS = Place("samples_1h", 3_600, 31 * DAY_SECONDS, "total")


@dataclass(frozen=True, slots=True)
class Before:
    """What there is of each sample of a batch."""

    there: NDArray[np.bool_]
    """Whether there is one of its series and second, or of its bucket where only rollups are kept."""
    values: NDArray[np.float64]
    """What there is; NaN: nothing, or in a bucket that does not tell."""
    is_rolled: NDArray[np.bool_]
    """Whether only rollups are kept of its time."""

    def is_other(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which samples have another value than the one that is there."""
        other: NDArray[np.bool_] = self.there & ~self.is_rolled & (self.values != values)
        return other

    def part(self, first: int, after: int) -> Before:
        """Return it of the samples from `first` to before `after`."""
        return Before(self.there[first:after], self.values[first:after], self.is_rolled[first:after])


def push_token() -> str:
    """Return a token of a batch that was sent."""
    return f"{PUSHED}{uuid.uuid4().hex}"


def _token_of(clickhouse: ClickHouse, series: Any, ts: Any, values: Any) -> str:
    """Return the token of an insert.

    A server goes on with an insert whose sender was killed, so the same rows have the same token: sent again meanwhile
    they are one. The engine inside this process ends with it, and may know a token without its rows: there no token
    comes twice.
    """
    if clickhouse.is_embedded:
        return push_token()
    digest = hashlib.blake2b(digest_size=16)
    for each in (series, ts, values):
        digest.update(np.ascontiguousarray(each).tobytes())
    return f"{PUSHED}{digest.hexdigest()}"


def is_pushed(facts: Facts) -> bool:
    """Return whether a batch is of samples that others sent."""
    return facts.table == "samples" and facts.token.startswith(PUSHED)


def stored_before(
    clickhouse: ClickHouse, series: NDArray[np.uint64], ts: NDArray[np.int64], retention: Retention
) -> Before:
    """Return what there is of samples. Raises StorageUnavailable or StorageRejected."""
    there, values = np.zeros(len(ts), dtype=np.bool_), np.full(len(ts), np.nan)
    age = time.time() - ts
    is_rolled = age > retention.raw_days * DAY_SECONDS
    is_hourly = age > retention.minute_days * DAY_SECONDS
    for place, which in ((SENT, ~is_rolled), (MINUTES, is_rolled & ~is_hourly), (HOURS, is_hourly)):
        at = np.flatnonzero(which)
        if len(at):
            there[at], values[at] = _stored(clickhouse, place, series[at], ts[at])
    values[is_rolled] = np.nan
    return Before(there, values, is_rolled)


def _stored(
    clickhouse: ClickHouse, place: Place, series: NDArray[np.uint64], ts: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return of each sample whether a row of its series and bucket is in a table, and its value."""
    there, values = np.zeros(len(ts), dtype=np.bool_), np.full(len(ts), np.nan)
    buckets = ts // place.bucket_seconds * place.bucket_seconds
    for at in _looked_up(series, ts, place.span_seconds):
        asked = Asked(*np.unique(series[at], return_inverse=True), buckets[at])
        found = _found(clickhouse, place, asked)
        if not len(found):
            continue
        names, first = np.unique(asked.numbers_of(found["series"], found["ts"]), return_index=True)
        numbers = asked.numbers
        position = np.minimum(np.searchsorted(names, numbers), len(names) - 1)
        matches = names[position] == numbers
        there[at] = matches
        values[at[matches]] = found["value"][first[position[matches]]]
    return there, values


@dataclass(frozen=True, slots=True)
class Asked:
    """Samples that are looked up together: `series[of[n]]` in the bucket `buckets[n]`."""

    series: NDArray[np.uint64]
    """Each once, ascending."""
    of: NDArray[np.intp]
    buckets: NDArray[np.int64]

    @property
    def start(self) -> int:
        """The first bucket."""
        return int(self.buckets.min())

    @property
    def end(self) -> int:
        """The last one."""
        return int(self.buckets.max())

    @property
    def numbers(self) -> NDArray[np.int64]:
        """A number of each sample, the same for the same series and bucket."""
        numbers: NDArray[np.int64] = self.of * (self.end - self.start + 1) + (self.buckets - self.start)
        return numbers

    def numbers_of(self, series: NDArray[np.uint64], buckets: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return these numbers of rows that are of these series and within these buckets."""
        of = np.searchsorted(self.series, series)
        numbers: NDArray[np.int64] = of * (self.end - self.start + 1) + (buckets.astype(np.int64) - self.start)
        return numbers


def _looked_up(
    series: NDArray[np.uint64], ts: NDArray[np.int64], span_seconds: int
) -> Iterator[NDArray[np.intp]]:  # fmt: skip
    """Yield the places of samples that are looked up together: of one span, and of so many series at most."""
    spans = ts // span_seconds
    for span in np.unique(spans).tolist():
        at = np.flatnonzero(spans == span)
        unique = np.unique(series[at])
        for first in range(0, len(unique), SERIES_AT_ONCE):
            some = unique[first : first + SERIES_AT_ONCE]
            yield at[(series[at] >= some[0]) & (series[at] <= some[-1])]


def _found(clickhouse: ClickHouse, place: Place, asked: Asked) -> NDArray[Any]:
    """Return the rows of a table where those of `asked` are, and maybe others: few of them are picked out."""
    start, end = asked.start, asked.end
    between = f"ts BETWEEN toDateTime({start}) AND toDateTime({end})"
    where = f"series IN ({', '.join(map(str, asked.series.tolist()))}) AND {between}"
    if len(asked.series) * ((end - start) // place.bucket_seconds + 1) > DENSE * len(asked.buckets) + 1_000:
        numbers, first = np.unique(asked.numbers, return_index=True)
        most = DENSE * len(numbers) + 1_000
        sql = f"SELECT count() FROM (SELECT 1 FROM {place.table} WHERE {where} LIMIT {most + 1})"
        ((stored,),) = clickhouse.records(sql, [("stored", "<u8")], kind="samples before", settings=STATEMENT)
        if not stored:
            return np.zeros(0, dtype=LAYOUT)
        if stored > most:
            where += f" AND (series, toUnixTimestamp(ts)) IN ({_pairs(asked, first)})"
    sql = f"SELECT series, toUnixTimestamp(ts), {place.value} FROM {place.table} WHERE {where}"
    return clickhouse.records(sql, LAYOUT, kind="samples before", settings=STATEMENT)


def _pairs(asked: Asked, at: NDArray[np.intp]) -> str:
    """Return a query for pairs of series and time: two arrays of numbers, since as many pairs take longer to parse."""
    pairs = asked.series[asked.of[at]], asked.buckets[at]
    series, ts = (", ".join(map(str, each.tolist())) for each in pairs)
    arrays = f"CAST([{series}] AS Array(UInt64)), CAST([{ts}] AS Array(UInt32))"
    return f"SELECT pair.1, pair.2 FROM (SELECT arrayJoin(arrayZip({arrays})) AS pair)"


def insert_pushed(clickhouse: ClickHouse, facts: Facts, retention: Retention) -> None:
    """Store what is not there of a batch. Raises StorageUnavailable or StorageRejected."""
    series, ts, values = (facts.data[SAMPLE_COLUMNS.index(name)] for name in SAMPLE_COLUMNS)
    numbers, moments = np.array(series, dtype=np.uint64), np.array(ts, dtype=np.int64)
    before = stored_before(clickhouse, numbers, moments, retention)
    keep = ~before.there
    insert_samples(clickhouse, numbers[keep], moments[keep], np.array(values, dtype=np.float64)[keep], retention)


def insert_samples(
    clickhouse: ClickHouse,
    series: NDArray[np.uint64],
    ts: NDArray[np.int64],
    values: NDArray[np.float64],
    retention: Retention,
) -> None:
    """Insert samples that there are none of. Raises StorageUnavailable or StorageRejected."""
    if not len(ts):
        return
    _insert(clickhouse, series, ts, values, _token_of(clickhouse, series, ts, values))
    if clickhouse.is_embedded or clickhouse.cluster:
        return
    # A server that was killed may know the token and lack the rows: then it dropped them without a word.
    lost = ~stored_before(clickhouse, series, ts, retention).there
    if lost.any():
        _insert(clickhouse, series[lost], ts[lost], values[lost], push_token())


def _insert(clickhouse: ClickHouse, series: Any, ts: Any, values: Any, token: str) -> None:
    import pyarrow as pa

    moments = pa.array(ts).cast(pa.timestamp("s", "UTC"))
    rows = pa.table({"series": pa.array(series), "ts": moments, "value": pa.array(values)})
    clickhouse.insert_arrow("samples", rows, token)


def waiting(series: NDArray[np.uint64], ts: NDArray[np.int64], values: NDArray[np.float64]) -> Facts:
    """Return samples as rows that can wait in the spool."""
    return Facts("samples", SAMPLE_COLUMNS, (series.tolist(), ts.tolist(), values.tolist()), push_token())
