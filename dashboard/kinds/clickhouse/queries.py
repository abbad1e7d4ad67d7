"""The tables of the queries of a ClickHouse: those that run, with the button that ends one, and those of the log."""

from __future__ import annotations

from dash import html

from core.format import bytes_, duration, number, percent
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.spec import Actions
from core.kinds.clickhouse.tables import FailedQuery, QueryPattern, RunningQuery, SlowQuery
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import nothing_of, warning_if
from dashboard.sources.actions import action_button
from dashboard.sources.limits import tone_of
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance


def _runs_long(row: RunningQuery) -> str:
    return tone_of(spec.LONG_QUERY, row.elapsed)


def _kill(shown: Shown, instance: Instance, row: RunningQuery) -> html.Button:
    what = f"query {row.query_id} of {row.user}, running for {duration(row.elapsed)}"
    question = f"End {what}, on {instance.title}? KILL QUERY WHERE query_id = '{row.query_id}'."
    return action_button(shown, instance.collector, Actions.KILL_QUERY, row.query_id, "Kill", question)


RUNNING = Rows(
    RunningQuery,
    (
        Field("elapsed", "Running", duration, "", _runs_long),
        Field("kill", "", button=_kill, numeric=False),
        words("user", "User"),
        words("query", "Query"),
        Field("read_rows", "Rows read", number),
        Field("total_rows_approx", "Rows to read", number, "total_rows_approx, an estimate"),
        Field("read_bytes", "Read", bytes_),
        Field("memory_usage", "Memory", bytes_),
        Field("peak_memory_usage", "Peak memory", bytes_),
        words("client", "Client"),
        words("query_id", "Id"),
    ),
    nothing=nothing_of(RunningQuery, "No query but ours was running at the last reading."),
    sort=lambda row: -row.elapsed,
)


def _failed(row: QueryPattern) -> str:
    return warning_if(row.failed)


TOP = Rows(
    QueryPattern,
    (
        words("pattern", "Query"),
        Field("calls", "Calls", number),
        Field("seconds", "Time", duration, "Sum of the durations"),
        Field("share", "Share", percent, "Of the time of all queries"),
        Field("p50_seconds", "p50", duration),
        Field("p95_seconds", "p95", duration),
        Field("longest_seconds", "Longest", duration),
        Field("rows", "Rows read", number),
        Field("bytes", "Read", bytes_),
        Field("memory_bytes", "Peak memory", bytes_, "The highest of one query; not available for our own engine"),
        Field("failed", "Failed", number, "", _failed),
        words("error", "Last error"),
    ),
    nothing=nothing_of(QueryPattern, "No query was logged in the last hour."),
    sort=lambda row: -row.seconds,
)

SLOW = Rows(
    SlowQuery,
    (
        Field("seconds", "Took", duration),
        Field("ts", "When", local_time, numeric=False),
        words("user", "User"),
        words("query", "Query", "In our own log: the kind of the statement"),
        Field("rows", "Rows read", number),
        Field("memory_bytes", "Memory", bytes_),
        words("query_id", "Id"),
    ),
    nothing=nothing_of(SlowQuery, "No query was logged in the last hour."),
    sort=lambda row: -row.seconds,
)

FAILED = Rows(
    FailedQuery,
    (
        Field("ts", "When", local_time, numeric=False),
        words("error", "Error"),
        words("query", "Query"),
        words("user", "User"),
        Field("seconds", "Ran for", duration, "Until it failed"),
    ),
    nothing=nothing_of(FailedQuery, "No logged query failed in the last hour."),
    sort=lambda row: -row.ts,
)
