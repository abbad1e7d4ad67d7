"""Reading series for a chart: the coarsest table that still fills its pixels, reduced in ClickHouse."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.model import Labels, labels
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse

STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Bucket widths in seconds; fixed, so that buckets stay where they are while the window moves."""

GAP_STEPS = 2.5
"""Points further apart than this many usual distances have a gap between them."""


@dataclass(frozen=True, slots=True)
class SeriesData:
    """One series over time. `ts` are epoch seconds; a gap is one None in `mean`, `low` and `high`."""

    metric: str
    labels: Labels
    ts: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    step_seconds: int

    def label(self, name: str) -> str:
        """Return the value of one label, or empty."""
        return dict(self.labels).get(name, "")


@dataclass(frozen=True, slots=True)
class Source:
    """Which table serves a read, and how its columns give mean, lowest and highest."""

    table: str
    resolution_seconds: int
    mean: str
    low: str
    high: str


RAW = Source("samples", 1, "avg(value)", "min(value)", "max(value)")
MINUTE = Source("samples_1m", 60, "sum(total) / sum(points)", "min(low)", "max(high)")
HOUR = Source("samples_1h", 3600, "sum(total) / sum(points)", "min(low)", "max(high)")


def choose_step(seconds: float, points: int) -> int:
    """Return the narrowest bucket width with which `seconds` need at most `points` buckets."""
    wanted = seconds / max(points, 1)
    return next((step for step in STEPS if step >= wanted), -(-int(wanted) // 86400) * 86400)


def choose_source(step_seconds: int, age_seconds: float, retention: Retention) -> Source:
    """Return the coarsest table that is fine enough for the step, among those that reach `age_seconds` back."""
    if step_seconds >= 3600 or age_seconds > retention.minute_days * 86400:
        return HOUR
    if step_seconds >= 60 or age_seconds > retention.raw_days * 86400:
        return MINUTE
    return RAW


def read_series(
    clickhouse: ClickHouse,
    *,
    host: str,
    metrics: Sequence[str],
    start: float,
    end: float,
    points: int,
    labels: Mapping[str, str] | None = None,
    retention: Retention | None = None,
    now: float | None = None,
) -> list[SeriesData]:
    """Return every series of `metrics` on `host` from `start` to `end` (epoch seconds), at most `points` each.

    `labels` keeps only series that have these label values. Sorted by metric, then labels.
    Raises StorageUnavailable.
    """
    step = choose_step(end - start, points)
    source = choose_source(step, (now or end) - start, retention or Retention())
    step = max(step, source.resolution_seconds)
    names = _names(clickhouse, host, metrics, labels or {})
    if not names:
        return []
    return read_reduced(clickhouse, source, names, start, end, step)


def read_reduced(
    clickhouse: ClickHouse, source: Source, names: Mapping[int, tuple[str, Labels]], start: float, end: float, step: int
) -> list[SeriesData]:
    """Return the series `names` (number to metric and labels) from one table, in buckets of `step` seconds."""
    first = int(start) // step * step
    parameters = {"series": list(names), "start": first, "end": int(end) + 1, "step": step}
    columns = clickhouse.columns(_sql(source), parameters, kind=f"series {source.table}")
    return _split(columns, names, first, step)


def _names(
    clickhouse: ClickHouse, host: str, metrics: Sequence[str], wanted: Mapping[str, str]
) -> dict[int, tuple[str, Labels]]:
    conditions = "".join(f" AND labels[{{k{i}:String}}] = {{v{i}:String}}" for i in range(len(wanted)))
    parameters: dict[str, object] = {"host": host, "metrics": list(metrics)}
    for i, (name, value) in enumerate(wanted.items()):
        parameters |= {f"k{i}": name, f"v{i}": value}
    sql = (
        "SELECT series, any(metric), any(labels) FROM series "
        f"WHERE host = {{host:String}} AND metric IN {{metrics:Array(String)}}{conditions} GROUP BY series"
    )
    return {
        int(series): (str(metric), labels(**pairs))
        for series, metric, pairs in clickhouse.rows(sql, parameters, kind="series names")
    }


def _sql(source: Source) -> str:
    # The bucket as a small number within the window: grouping by it takes half the time of grouping by a time.
    # The key skips all other series already, so that reading the conditions' columns first only costs.
    return f"""
        SELECT series, toUInt16(intDiv(toUInt32(ts) - {{start:UInt32}}, {{step:UInt32}})) AS bucket,
               {source.mean} AS mean, {source.low} AS lowest, {source.high} AS highest
        FROM {source.table}
        WHERE series IN {{series:Array(UInt64)}}
          AND ts >= toDateTime({{start:UInt32}}) AND ts < toDateTime({{end:UInt32}})
        GROUP BY series, bucket ORDER BY series, bucket
        SETTINGS optimize_move_to_prewhere = 0
    """


def _split(
    columns: Mapping[str, list[float]], names: Mapping[int, tuple[str, Labels]], first: int, step: int
) -> list[SeriesData]:
    """Cut the sorted result into one SeriesData a series."""
    ids = columns["series"]
    found: list[SeriesData] = []
    begin = 0
    for end in range(1, len(ids) + 1):
        if end < len(ids) and ids[end] == ids[begin]:
            continue
        part = slice(begin, end)
        metric, labels = names[int(ids[begin])]
        ts = [first + int(bucket) * step for bucket in columns["bucket"][part]]
        values = (columns["mean"][part], columns["lowest"][part], columns["highest"][part])
        found.append(_with_gaps(metric, labels, ts, values, step))
        begin = end
    return sorted(found, key=lambda data: (data.metric, data.labels))


def _with_gaps(
    metric: str, labels: Labels, ts: list[int], values: tuple[list[float], list[float], list[float]], step: int
) -> SeriesData:
    distances = sorted(later - earlier for earlier, later in itertools.pairwise(ts))
    usual = max(step, distances[len(distances) // 2]) if distances else step
    out = SeriesData(metric, labels, [], [], [], [], step)
    for i, t in enumerate(ts):
        if i and t - ts[i - 1] > GAP_STEPS * usual:
            out.ts.append(ts[i - 1] + usual)
            for column in (out.mean, out.low, out.high):
                column.append(None)
        out.ts.append(t)
        for column, source in zip((out.mean, out.low, out.high), values, strict=True):
            column.append(source[i])
    return out
