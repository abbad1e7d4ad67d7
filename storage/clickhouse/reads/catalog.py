"""What is stored of every metric, and series of any metric, whoever collected them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model import labels
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData, choose_source, choose_step, read_reduced

MOST_LABEL_SETS = 50
HOST = "\x00host"
"""Stands among the labels of a series that was read for its machine."""


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """The series of a metric."""

    series: int
    labels: list[str]
    """Names of labels, sorted."""
    label_sets: list[str]
    """Labels of the series as name=value with commas between, at most MOST_LABEL_SETS."""


def stored_metrics(clickhouse: ClickHouse) -> dict[str, StoredMetric]:
    """Return every metric that a series is stored of, by name. Raises StorageUnavailable."""
    sql = f"""
        SELECT metric, uniqExact(series), arraySort(groupUniqArrayArray(mapKeys(labels))),
               arraySort(groupUniqArray({MOST_LABEL_SETS})(
                   arrayStringConcat(arraySort(arrayMap(k -> concat(k, '=', labels[k]), mapKeys(labels))), ',')
               ))
        FROM series GROUP BY metric
    """
    return {
        str(metric): StoredMetric(int(series), [*map(str, names)], [*map(str, sets)])
        for metric, series, names, sets in clickhouse.rows(sql, kind="metric catalog")
    }


@dataclass(frozen=True, slots=True)
class HostSeries:
    """A series and the machine that it was measured by."""

    host: str
    data: SeriesData


def read_any(
    clickhouse: ClickHouse,
    metric: str,
    wanted: Mapping[str, str],
    host: str,
    start: float,
    end: float,
    *,
    step: int,
    points: int,
    retention: Retention,
    now: float,
) -> list[HostSeries]:
    """Return the series of a metric with these labels from `start` to `end` (epoch seconds), by host, then labels.

    host: empty for any. step: seconds between points, 0: as few as needed for at most `points`; it is wider where
    nothing finer is kept any more. Raises StorageUnavailable.
    """
    conditions = "".join(f" AND labels[{{k{i}:String}}] = {{v{i}:String}}" for i in range(len(wanted)))
    sql = f"""
        SELECT series, any(host), any(labels) FROM series
        WHERE metric = {{metric:String}} AND {{host:String}} IN ('', host){conditions} GROUP BY series
    """
    parameters: dict[str, object] = {"metric": metric, "host": host}
    for i, (name, value) in enumerate(wanted.items()):
        parameters |= {f"k{i}": name, f"v{i}": value}
    found = clickhouse.rows(sql, parameters, kind="series names")
    if not found:
        return []
    # The machine goes with the labels through the read that knows metric and labels alone.
    names = {int(series): (metric, labels(**{**pairs, HOST: machine})) for series, machine, pairs in found}
    width = step or choose_step(end - start, points)
    source = choose_source(width, now - start, retention)
    read = read_reduced(clickhouse, source, names, start, end, max(width, source.resolution_seconds))
    return sorted((_apart(data) for data in read), key=lambda each: (each.host, each.data.labels))


def _apart(data: SeriesData) -> HostSeries:
    pairs = dict(data.labels)
    host = pairs.pop(HOST)
    plain = SeriesData(data.metric, labels(**pairs), data.ts, data.mean, data.low, data.high, data.step_seconds)
    return HostSeries(host, plain)
