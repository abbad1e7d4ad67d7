"""What a batch lacks that was on its way when ClickHouse was killed.

ClickHouse notes a batch's token first and puts the rows in place after it: for the table, then for each rollup, a part
a partition. Killed in between, it knows the token and lacks the rows, and drops the batch when it is sent again. So a
batch that was tried before ClickHouse started is not sent again: what it lacks goes as new batches, with new tokens.

This holds because batches are replayed in order: when one is settled, every earlier one is whole, and nothing of it is
still on its way. Younger ones may have gone past a full disk: whole, they change no difference.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.clock import DAY_SECONDS
from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.pushed import is_pushed, push_token

SERIES_AT_ONCE = 5_000
"""Series listed in one statement, twice: 210 kB, and ClickHouse takes 262,144 bytes by default."""


@dataclass(frozen=True, slots=True)
class Added:
    """A table whose rows do not replace themselves, and how a row is found in it: by its `ts` and keys."""

    keys: tuple[str, ...]
    per_second: int = 1
    number_of: str = "toUnixTimestamp"
    moment_of: str = "toDateTime"


MILLISECONDS = (1_000, "toUnixTimestamp64Milli", "fromUnixTimestamp64Milli")
ADDED = {
    "samples": Added(("series", "value")),
    "runs": Added(("host", "collector"), *MILLISECONDS),
    "queries": Added(("kind",), *MILLISECONDS),
    "state_changes": Added(("host", "source", "component"), *MILLISECONDS),
}
ROLLUPS = {"samples_1m": 60, "samples_1h": 3_600}
"""Seconds of a row of what `samples` adds up to. In every table that is not named here a row sent twice is one row."""
ROLLUP_COLUMNS = ("series", "ts", "low", "high", "total", "points")


def settle(clickhouse: ClickHouse, batch: Facts, tried: float) -> list[Facts] | None:
    """Return what to send instead of `batch`, first tried at `tried` (epoch seconds); None: the batch itself.

    Raises StorageUnavailable or StorageRejected. On a cluster Keeper decides, and a batch is never partial.
    """
    if clickhouse.cluster or _started(clickhouse) < tried:
        return None
    if batch.table in ROLLUPS:
        return _lacking(clickhouse, batch, batch.table)
    if batch.table not in ADDED:
        return [_renamed(batch)]
    # Rollups first: while they wait, what is missing in the table must not look like missing in them.
    rollups = ROLLUPS if batch.table == "samples" else ()
    fills = [fill for rollup in rollups for fill in _lacking(clickhouse, batch, rollup)]
    if is_pushed(batch):  # what is there of it is looked up once more when it is stored
        return [*fills, replace(batch, token=push_token())]
    return [*fills, *_missing(clickhouse, batch)]


def _started(clickhouse: ClickHouse) -> float:
    """Return when ClickHouse started, by the clock of this machine and at most a second late."""
    ((uptime,),) = clickhouse.rows("SELECT uptime()", kind="uptime")
    return time.time() - float(uptime)


def _missing(clickhouse: ClickHouse, batch: Facts) -> list[Facts]:
    """Return the rows of `batch` that its table lacks.

    A partition (whole days) has all of them or none: that others sent some of the same is no sign that ours came.
    """
    about = ADDED[batch.table]
    # A batch may have been waiting since a version whose table had fewer columns.
    names = [name for name in about.keys if name in batch.columns]
    ts, *keys = (batch.data[batch.columns.index(name)] for name in ("ts", *names))
    rows = list(zip(ts, *keys, strict=True))
    sql = f"""
        SELECT {about.number_of}(ts), {", ".join(names)} FROM {batch.table}
        WHERE ts BETWEEN {about.moment_of}(toInt64({min(ts)})) AND {about.moment_of}(toInt64({max(ts)}))
    """
    there = set(clickhouse.rows(sql, kind="settle"))
    day = DAY_SECONDS * about.per_second
    days = {row[0] // day for row in rows if row not in there}
    lost = [number for number, row in enumerate(rows) if row[0] // day in days]
    if not lost:
        return []
    return [_renamed(replace(batch, data=tuple([column[number] for number in lost] for column in batch.data)))]


def _lacking(clickhouse: ClickHouse, batch: Facts, rollup: str) -> list[Facts]:
    """Return what `rollup` lacks of `samples`, for the series and the time of `batch`."""
    width = ROLLUPS[rollup]
    series, ts = (batch.data[batch.columns.index(name)] for name in ("series", "ts"))
    first, after = min(ts) // width * width, max(ts) // width * width + width
    rows: list[tuple[int | float, ...]] = []
    for listed in _listed(series):
        asked = f"series IN ({listed}) AND ts >= toDateTime({first}) AND ts < toDateTime({after})"
        sql = lacking_sql(rollup, asked)
        rows += clickhouse.rows(sql, kind="settle")
    return [_renamed(Facts(rollup, ROLLUP_COLUMNS, tuple(map(list, zip(*rows, strict=True)))))] if rows else []


def lacking_sql(rollup: str, asked: str) -> str:
    """Return the statement that tells what `rollup` lacks of `samples` where `asked` holds: a row a bucket."""
    return f"""
        SELECT series, toUnixTimestamp(bucket), min(low), max(high), sum(total), sum(points) AS lacking
        FROM (
            SELECT
                series, toStartOfInterval(ts, toIntervalSecond({ROLLUPS[rollup]})) AS bucket,
                value AS low, value AS high, value AS total, toInt64(1) AS points
            FROM samples WHERE {asked}
            UNION ALL
            SELECT series, ts AS bucket, low, high, -total, -toInt64(points) FROM {rollup} WHERE {asked}
        ) GROUP BY series, bucket HAVING lacking > 0
    """


def _listed(series: Sequence[int]) -> Iterator[str]:
    numbers = sorted(set(series))
    for first in range(0, len(numbers), SERIES_AT_ONCE):
        yield ", ".join(map(str, numbers[first : first + SERIES_AT_ONCE]))


def _renamed(batch: Facts) -> Facts:
    """Return the batch under a token that ClickHouse has never seen."""
    return replace(batch, token=uuid.uuid4().hex)
