"""What rules ask of many series at once: figures over spans, the same hour of past weeks, trends, newest values.

One statement answers for all series of a question. The caller names series by number (storage/clickhouse/series.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.model import Labels, labels
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import MINUTE, RAW

SERIES_AT_ONCE = 5_000
RAW_SECONDS = 3_600
"""Spans up to here are read as they were collected, longer ones by the minute."""
WEEK_SECONDS = 604_800
HOUR_SECONDS = 3_600
SeriesIds = Sequence[int]


@dataclass(frozen=True, slots=True)
class Span:
    """A series over a span."""

    mean: float
    low: float
    high: float
    first: float
    reaches_seconds: float
    """From its first value until it was asked for."""


@dataclass(frozen=True, slots=True)
class SameHour:
    """The minutes of a series in the same hour of past weeks."""

    median: float
    median_deviation: float
    """Median of the distances from the median."""
    mean_deviation: float
    """Mean of these distances."""
    minutes: int
    weeks: int
    """In how many of the weeks there is any value."""


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line through the minutes of a series."""

    slope: float
    """A second."""
    value: float
    """On the line, at the time that it was asked for."""
    seconds: float
    """Between its first and its last minute."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest value of a series."""

    host: str
    metric: str
    labels: Labels
    ts: float
    """Epoch seconds."""
    value: float


def read_spans(
    clickhouse: ClickHouse, series: SeriesIds, spans: Sequence[int], now: float
) -> dict[tuple[int, int], Span]:
    """Return by series and span (whole seconds) what there is from so long before `now` on; nothing: it is left out.

    Raises StorageUnavailable.
    """
    found: dict[tuple[int, int], Span] = {}
    for table, some in (("samples", [each for each in spans if each <= RAW_SECONDS]),
                        ("samples_1m", [each for each in spans if each > RAW_SECONDS])):  # fmt: skip
        if some:
            for part in _parts(series):
                found |= _read_spans(clickhouse, table, part, sorted(set(some)), now)
    return found


def _read_spans(
    clickhouse: ClickHouse, table: str, series: SeriesIds, spans: Sequence[int], now: float
) -> dict[tuple[int, int], Span]:
    is_raw = table == RAW.table
    total, points, low, high = ("value", "1", "value", "value") if is_raw else ("total", "points", "low", "high")
    columns = ", ".join(
        f"sumIf({total}, {since}) AS t{at}, sumIf({points}, {since}) AS n{at}, minIf({low}, {since}) AS l{at}, "
        f"maxIf({high}, {since}) AS h{at}, argMinIf({total} / {points}, ts, {since}) AS f{at}, "
        f"toUnixTimestamp(minIf(ts, {since})) AS b{at}"
        for at, since in enumerate(f"ts >= toDateTime({{s{at}:UInt32}})" for at in range(len(spans)))
    )
    starts = {f"s{at}": int(now) - span for at, span in enumerate(spans)}
    sql = f"""
        SELECT series, {columns} FROM {table}
        WHERE series IN {{series:Array(UInt64)}} AND ts >= toDateTime({{start:UInt32}})
        GROUP BY series
    """
    parameters = {"series": [*series], "start": min(starts.values()), **starts}
    found: dict[tuple[int, int], Span] = {}
    for number, *values in clickhouse.rows(sql, parameters, kind=f"rules {table}"):
        for at, span in enumerate(spans):
            total_, points_, low_, high_, first, first_ts = map(float, values[6 * at : 6 * at + 6])
            if points_:
                found[int(number), span] = Span(total_ / points_, low_, high_, first, now - first_ts)
    return found


def read_same_hour(clickhouse: ClickHouse, series: SeriesIds, weeks: int, now: float) -> dict[int, SameHour]:
    """Return by series the minutes of this hour (UTC) of each of the past weeks; a series without any is left out.

    Medians lie between two values of an even number (Hyndman & Fan 1996, type 7). Raises StorageUnavailable.
    """
    hour = int(now) // HOUR_SECONDS * HOUR_SECONDS
    starts = [hour - number * WEEK_SECONDS for number in range(1, weeks + 1)]
    between = " OR ".join(f"ts >= toDateTime({start}) AND ts < toDateTime({start + HOUR_SECONDS})" for start in starts)
    sql = f"""
        WITH arrayMap(v -> abs(v - middle), past) AS distances
        SELECT series, middle, arrayReduce('quantileExactInclusive(0.5)', distances), arrayAvg(distances),
               length(past), weeks
        FROM (
            SELECT series, groupArray(v) AS past, quantileExactInclusive(0.5)(v) AS middle,
                   uniqExact(intDiv(toUnixTimestamp(ts), {WEEK_SECONDS})) AS weeks
            FROM (
                SELECT series, ts, sum(total) / sum(points) AS v FROM {MINUTE.table}
                WHERE series IN {{series:Array(UInt64)}} AND ({between}) GROUP BY series, ts
            )
            GROUP BY series
        )
    """
    found: dict[int, SameHour] = {}
    for part in _parts(series):
        for number, middle, median_deviation, mean_deviation, minutes, there in clickhouse.rows(
            sql, {"series": [*part]}, kind="rules same hour"
        ):
            figures = float(middle), float(median_deviation), float(mean_deviation)
            found[int(number)] = SameHour(*figures, int(minutes), int(there))
    return found


def read_lines(
    clickhouse: ClickHouse, series: SeriesIds, spans: Sequence[int], now: float
) -> dict[tuple[int, int], Line]:
    """Return by series and span (whole seconds) the line through its minutes since then; of one minute there is none.

    Raises StorageUnavailable.
    """
    columns = ", ".join(
        f"tupleElement(simpleLinearRegressionIf(x, v, {since}), 1) AS k{at}, "
        f"tupleElement(simpleLinearRegressionIf(x, v, {since}), 2) AS c{at}, "
        f"countIf({since}) AS n{at}, minIf(x, {since}) AS a{at}, maxIf(x, {since}) AS z{at}"
        for at, since in enumerate(f"x >= {{s{at}:Float64}}" for at in range(len(spans)))
    )
    # A minute's mean is that of its middle.
    sql = f"""
        SELECT series, {columns} FROM (
            SELECT series, toUnixTimestamp(ts) + 30 - {{now:Float64}} AS x, sum(total) / sum(points) AS v
            FROM {MINUTE.table}
            WHERE series IN {{series:Array(UInt64)}} AND ts >= toDateTime({{start:UInt32}})
            GROUP BY series, ts
        )
        GROUP BY series
    """
    asked = {"start": int(now) - max(spans), "now": float(now)} | {
        f"s{at}": -float(each) for at, each in enumerate(spans)
    }
    found: dict[tuple[int, int], Line] = {}
    for part in _parts(series):
        for number, *values in clickhouse.rows(sql, {"series": [*part], **asked}, kind="rules trends"):
            for at, span in enumerate(spans):
                slope, value, minutes, begin, end = map(float, values[5 * at : 5 * at + 5])
                if minutes > 1:
                    found[int(number), span] = Line(slope, value, end - begin)
    return found


def read_newest(clickhouse: ClickHouse, metrics: Sequence[str], since: float) -> list[Newest]:
    """Return the newest value of every series of `metrics` that has one since then (epoch seconds).

    Of metrics that programs send: no collector has a reading of them. Raises StorageUnavailable.
    """
    sql = """
        SELECT any(host), any(metric), any(labels), any(at), any(newest)
        FROM series
        INNER JOIN (
            SELECT series, toUnixTimestamp(max(ts)) AS at, argMax(value, ts) AS newest FROM samples
            WHERE series IN (SELECT series FROM series WHERE metric IN {metrics:Array(String)})
              AND ts >= toDateTime({since:UInt32})
            GROUP BY series
        ) AS sent USING series
        WHERE metric IN {metrics:Array(String)}
        GROUP BY series
    """
    rows = clickhouse.rows(sql, {"metrics": [*metrics], "since": int(since)}, kind="rules newest")
    return [
        Newest(str(host), str(metric), labels(**pairs), float(ts), float(value))
        for host, metric, pairs, ts, value in rows
    ]


def read_heard_of(clickhouse: ClickHouse, metrics: Sequence[str]) -> frozenset[str]:
    """Return those of the metrics of which any value has ever been stored. Raises StorageUnavailable."""
    sql = "SELECT DISTINCT metric FROM series WHERE metric IN {metrics:Array(String)}"
    return frozenset(str(metric) for (metric,) in clickhouse.rows(sql, {"metrics": [*metrics]}, kind="rules heard of"))


def _parts(series: SeriesIds) -> Iterator[SeriesIds]:
    for first in range(0, len(series), SERIES_AT_ONCE):
        yield series[first : first + SERIES_AT_ONCE]
