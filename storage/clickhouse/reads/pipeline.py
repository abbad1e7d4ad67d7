"""What the pipeline collector and the pipeline tab ask ClickHouse."""

from __future__ import annotations

from dataclasses import dataclass

from core.model import Outcome, Run
from core.pipeline.spec import PROCESS_MEMORY, WRITTEN_RATE, StatementKind, TableSize
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData, choose_step, read_series
from storage.stores import Stores

HISTORY_LIMIT = 50
FAILED = "failed"
"""Stands for every outcome but ok."""
CHART_POINTS = 240
CHARTED = (WRITTEN_RATE, PROCESS_MEMORY)


@dataclass(frozen=True, slots=True)
class RunBucket:
    """The runs of one collector in one bucket of time."""

    collector: str
    ts: int
    """Start of the bucket, epoch seconds."""
    mean_seconds: float
    longest_seconds: float
    runs: int
    failures: int


@dataclass(frozen=True, slots=True)
class PipelineHistory:
    """What Fundwatch did over one window."""

    start: float
    end: float
    step_seconds: int
    """Width of the buckets."""
    buckets: list[RunBucket]
    runs: list[Run]
    """The newest, newest first."""
    series: dict[str, SeriesData]
    """By metric, those of CHARTED that have data."""


def read_history(
    stores: Stores, host: str, start: float, end: float, *, collector: str = "", outcome: str = ""
) -> PipelineHistory:
    """Return what the charts and the history of `host` show from `start` to `end` (epoch seconds).

    `collector` and `outcome` narrow the history of runs, see `run_history`. Raises StorageUnavailable.
    """
    step = choose_step(end - start, CHART_POINTS)
    series = read_series(
        stores.clickhouse,
        host=host,
        metrics=CHARTED,
        start=start,
        end=end,
        points=CHART_POINTS,
        retention=stores.settings.retention,
        now=stores.clock.now(),
    )
    return PipelineHistory(
        start,
        end,
        step,
        run_buckets(stores.clickhouse, host, start, end, step),
        run_history(stores.clickhouse, host, start, end, collector=collector, outcome=outcome),
        {data.metric: data for data in series},
    )


def table_sizes(clickhouse: ClickHouse) -> list[TableSize]:
    """Return every table of ours, largest first. Raises StorageUnavailable."""
    sql = """
        SELECT table, sum(rows), sum(bytes_on_disk), count()
        FROM system.parts WHERE active AND database = {database:String}
        GROUP BY table ORDER BY sum(bytes_on_disk) DESC, table
    """
    rows = clickhouse.rows(sql, {"database": clickhouse.database}, kind="table sizes")
    return [TableSize(str(table), int(count), int(size), int(parts)) for table, count, size, parts in rows]


def statement_kinds(clickhouse: ClickHouse, start: float, limit: int = 30) -> list[StatementKind]:
    """Return the kinds of statements since `start` (epoch seconds), most total time first."""
    sql = """
        SELECT kind, count(), quantile(0.5)(seconds), quantile(0.95)(seconds), max(seconds), sum(rows),
               countIf(error != ''), argMaxIf(error, ts, error != '')
        FROM queries WHERE ts >= fromUnixTimestamp64Milli({start:Int64})
        GROUP BY kind ORDER BY sum(seconds) DESC LIMIT {limit:UInt16}
    """
    rows = clickhouse.rows(sql, {"start": round(start * 1000), "limit": limit}, kind="query kinds")
    return [
        StatementKind(str(kind), int(count), float(p50), float(p95), float(longest), int(read), int(errors), str(error))
        for kind, count, p50, p95, longest, read, errors, error in rows
    ]


def run_history(
    clickhouse: ClickHouse,
    host: str,
    start: float,
    end: float,
    *,
    collector: str = "",
    outcome: str = "",
    limit: int = HISTORY_LIMIT,
) -> list[Run]:
    """Return the newest runs between `start` and `end` (epoch seconds), newest first.

    collector: only its runs. outcome: only runs that ended so, or FAILED. Empty: all.
    """
    sql = f"""
        SELECT collector, toUnixTimestamp64Milli(ts) / 1000, duration_seconds, lateness_seconds, outcome, samples, error
        FROM runs WHERE {_window()} {_condition("collector", collector)} {_outcome(outcome)}
        ORDER BY ts DESC LIMIT {{limit:UInt32}}
    """
    parameters = _parameters(host, start, end) | {"collector": collector, "outcome": outcome, "limit": limit}
    return [
        Run(str(name), float(ts), float(duration), float(late), Outcome(ended), int(samples), str(error))
        for name, ts, duration, late, ended, samples, error in clickhouse.rows(sql, parameters, kind="run history")
    ]


def run_buckets(clickhouse: ClickHouse, host: str, start: float, end: float, step_seconds: int) -> list[RunBucket]:
    """Return the runs between `start` and `end` in buckets of `step_seconds`, by collector, oldest first."""
    sql = f"""
        SELECT collector, intDiv(toUnixTimestamp(ts), {{step:UInt32}}) * {{step:UInt32}} AS t,
               avg(duration_seconds), max(duration_seconds), count(), countIf(outcome != 'ok')
        FROM runs WHERE {_window()} GROUP BY collector, t ORDER BY collector, t
    """
    parameters = _parameters(host, start, end) | {"step": step_seconds}
    return [
        RunBucket(str(name), int(t), float(mean), float(longest), int(runs), int(failures))
        for name, t, mean, longest, runs, failures in clickhouse.rows(sql, parameters, kind="run buckets")
    ]


def _window() -> str:
    return (
        "host = {host:String} AND ts >= fromUnixTimestamp64Milli({start:Int64})"
        " AND ts < fromUnixTimestamp64Milli({end:Int64})"
    )


def _parameters(host: str, start: float, end: float) -> dict[str, object]:
    return {"host": host, "start": round(start * 1000), "end": round(end * 1000)}


def _condition(column: str, value: str) -> str:
    return f"AND {column} = {{{column}:String}}" if value else ""


def _outcome(value: str) -> str:
    return "AND outcome != 'ok'" if value == FAILED else _condition("outcome", value)
