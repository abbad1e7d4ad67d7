"""What the tabs of watched sources ask ClickHouse: all series of their charts, of all instances, in one read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.model import Labels, labels
from storage.clickhouse.reads.series import SeriesData, choose_source, choose_step, read_reduced
from storage.stores import Stores

CHART_POINTS, LARGE_CHART_POINTS = 180, 600
MOST_SERIES = 200
"""Of one metric that a chart is made of."""


@dataclass(frozen=True, slots=True)
class SourceSeries:
    """Series over one window, by whichever host collected them."""

    start: float
    end: float
    series: Sequence[SeriesData] = ()

    def all(self, metric: str, **labels: str) -> list[SeriesData]:
        """Return the series of a metric that have these labels."""
        return [
            data
            for data in self.series
            if data.metric == metric and all(data.label(name) == value for name, value in labels.items())
        ]

    def one(self, metric: str, **labels: str) -> SeriesData | None:
        """Return the first series of a metric that has these labels."""
        return next(iter(self.all(metric, **labels)), None)


def read_sources(
    stores: Stores, metrics: Sequence[str], instances: Sequence[str], start: float, end: float
) -> SourceSeries:
    """Return the series of `metrics` of these instances from `start` to `end` (epoch seconds).

    Raises StorageUnavailable.
    """
    retention, now = stores.settings.retention, stores.clock.now()
    step = choose_step(end - start, CHART_POINTS)
    source = choose_source(step, now - start, retention)
    names = _names(stores, metrics, instances)
    if not names:
        return SourceSeries(start, end)
    found = read_reduced(stores.clickhouse, source, names, start, end, max(step, source.resolution_seconds))
    return SourceSeries(start, end, _merged(found))


def read_metric(
    stores: Stores, metric: str, instance: str, start: float, end: float, *, takes: Callable[[Labels], bool]
) -> list[SeriesData]:
    """Return the series of one metric of one instance whose labels `takes` takes, at most MOST_SERIES.

    Raises StorageUnavailable.
    """
    retention, now = stores.settings.retention, stores.clock.now()
    step = choose_step(end - start, LARGE_CHART_POINTS)
    source = choose_source(step, now - start, retention)
    wanted = {series: name for series, name in _names(stores, [metric], [instance]).items() if takes(name[1])}
    names = dict(sorted(wanted.items(), key=lambda each: each[1])[:MOST_SERIES])
    if not names:
        return []
    found = read_reduced(stores.clickhouse, source, names, start, end, max(step, source.resolution_seconds))
    return _merged(found)


def _names(stores: Stores, metrics: Sequence[str], instances: Sequence[str]) -> dict[int, tuple[str, Labels]]:
    sql = (
        "SELECT series, any(metric), any(labels) FROM series "
        "WHERE metric IN {metrics:Array(String)} AND labels['instance'] IN {instances:Array(String)} GROUP BY series"
    )
    parameters = {"metrics": list(metrics), "instances": list(instances)}
    rows = stores.clickhouse.rows(sql, parameters, kind="source series")
    return {int(series): (str(metric), labels(**pairs)) for series, metric, pairs in rows}


def _merged(found: Sequence[SeriesData]) -> list[SeriesData]:
    """Return one series for each metric and labels: another host may have taken over collecting."""
    by_name: dict[tuple[str, Labels], SeriesData] = {}
    for data in found:
        key = (data.metric, data.labels)
        before = by_name.get(key)
        by_name[key] = data if before is None else _joined(before, data)
    return list(by_name.values())


def _joined(one: SeriesData, two: SeriesData) -> SeriesData:
    points = {ts: (mean, low, high) for ts, mean, low, high in zip(one.ts, one.mean, one.low, one.high, strict=True)}
    for ts, mean, low, high in zip(two.ts, two.mean, two.low, two.high, strict=True):
        if mean is not None or ts not in points:
            points[ts] = (mean, low, high)
    times = sorted(points)
    columns = [[points[ts][place] for ts in times] for place in range(3)]
    return SeriesData(one.metric, one.labels, times, columns[0], columns[1], columns[2], one.step_seconds)
