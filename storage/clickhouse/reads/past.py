"""Series of the past as rules are tried on them: which there are, and what each was from one evaluation to the next."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from core.model import Labels, labels
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import MINUTE, RAW

MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PastSeries:
    """A series that has samples in a time."""

    number: int
    """As storage/clickhouse/series.py makes it."""
    host: str
    metric: str
    labels: Labels
    first: float
    """Epoch seconds of its first sample in that time."""


@dataclass(slots=True)
class Course:
    """A series over time, a value an evaluation: lists of the same length."""

    times: list[float] = field(default_factory=list)
    """Epoch seconds of the newest sample of each."""
    values: list[float] = field(default_factory=list)
    """The newest."""
    means: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)


def read_past_series(clickhouse: ClickHouse, metrics: Sequence[str], start: float, end: float) -> list[PastSeries]:
    """Return the series of metrics with samples after `start` and until `end`, by metric, host and labels.

    Raises StorageUnavailable.
    """
    sql = """
        SELECT series, any(host), any(metric), any(labels), any(first)
        FROM series
        INNER JOIN (
            SELECT series, toUnixTimestamp(min(ts)) AS first FROM samples
            WHERE series IN (SELECT series FROM series WHERE metric IN {metrics:Array(String)})
              AND ts > toDateTime({start:UInt32}) AND ts <= toDateTime({end:UInt32})
            GROUP BY series
        ) AS there USING series
        WHERE metric IN {metrics:Array(String)}
        GROUP BY series
    """
    asked = {"metrics": [*metrics], "start": int(start), "end": int(end)}
    found = [
        PastSeries(int(number), str(host), str(metric), labels(**pairs), float(first))
        for number, host, metric, pairs, first in clickhouse.rows(sql, asked, kind="rules past series")
    ]
    return sorted(found, key=lambda each: (each.metric, each.host, each.labels))


def read_courses(
    clickhouse: ClickHouse, series: Sequence[int], start: int, end: int, step: int, lead_seconds: int = 0
) -> Mapping[int, Course]:
    """Return series by number: what evaluations at start + step, start + 2 step … until `end` find of each.

    lead_seconds: how far before `start` they reach as well, by the minute. All in whole seconds. Raises
    StorageUnavailable.
    """
    found: dict[int, Course] = {number: Course() for number in series}
    if lead_seconds:
        _add(found, clickhouse.rows(
            f"""
            SELECT series, toUnixTimestamp(ts) AS at, sum(total) / sum(points) AS mean, mean, min(low), max(high)
            FROM {MINUTE.table}
            WHERE series IN {{series:Array(UInt64)}}
              AND ts > toDateTime({{start:UInt32}}) AND ts <= toDateTime({{end:UInt32}})
            GROUP BY series, ts ORDER BY series, ts
            """,
            {"series": [*series], "start": start - lead_seconds, "end": start - MINUTE_SECONDS},
            kind="rules past minutes",
        ))  # fmt: skip
    _add(found, clickhouse.rows(
        f"""
        SELECT series, toUnixTimestamp(max(ts)) AS at, argMax(value, ts), avg(value), min(value), max(value)
        FROM {RAW.table}
        WHERE series IN {{series:Array(UInt64)}}
          AND ts > toDateTime({{start:UInt32}}) AND ts <= toDateTime({{end:UInt32}})
        GROUP BY series, intDiv(toUnixTimestamp(ts) - {{start:UInt32}} - 1, {{step:UInt32}})
        ORDER BY series, at
        """,
        {"series": [*series], "start": start, "end": end, "step": step},
        kind="rules past",
    ))  # fmt: skip
    return found


def read_minutes_of(clickhouse: ClickHouse, metric: str, start: float, end: float) -> list[float]:
    """Return the minutes (epoch seconds) in which any series of a metric has a sample. Raises StorageUnavailable."""
    sql = f"""
        SELECT DISTINCT toUnixTimestamp(ts) AS at FROM {MINUTE.table}
        WHERE series IN (SELECT series FROM series WHERE metric = {{metric:String}})
          AND ts > toDateTime({{start:UInt32}}) AND ts <= toDateTime({{end:UInt32}})
        ORDER BY at
    """
    asked = {"metric": metric, "start": int(start), "end": int(end)}
    return [float(at) for (at,) in clickhouse.rows(sql, asked, kind="rules past minutes")]


def _add(found: Mapping[int, Course], rows: Sequence[Sequence[object]]) -> None:
    for number, some in itertools.groupby(rows, key=itemgetter(0)):
        course = found[int(str(number))]
        columns = zip(*some, strict=True)
        next(columns)
        for known, more in zip(
            (course.times, course.values, course.means, course.lows, course.highs), columns, strict=True
        ):
            known.extend(map(float, more))
