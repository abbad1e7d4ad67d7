"""The tables of Fundwatch's own work: collectors and runs, tables on disk, statements.

Each is drawn from (its rows or what holds them, id of its rows, its title).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from core.format import bytes_, count, duration, number
from core.model import SEVERITY, LiveReading, Outcome, Run, Status, worst
from core.pipeline.spec import (
    RUNS_KEPT,
    STATEMENTS_SECONDS,
    BreakerState,
    CollectorRuns,
    StatementKind,
    TableSize,
    TopicTaken,
)
from core.tables import rows_of
from dashboard.components.age import age, local_time
from dashboard.components.card import state_badge
from dashboard.components.spark import spark
from dashboard.components.table import Cell, Column, data_table, whole_cell
from dashboard.pipeline.cards import collectors_at
from status.freshness import components_at

STATEMENTS_SHOWN = 12
PARTS_TO_DELAY_INSERT = 1_000
"""ClickHouse's default."""

COLLECTOR_COLUMNS = (
    Column("collector", "Collector", numeric=False),
    Column("state", "State", numeric=False),
    Column("last", "Last run", definition="Time since the newest run began."),
    Column("every", "Every", definition="The collector's interval.", unit="s"),
    Column("duration", "Duration", definition="How long the newest run took.", unit="s"),
    Column(
        "trend", "Trend", definition=f"Durations of the last {RUNS_KEPT} runs, oldest first, scaled to their own range."
    ),
    Column("late", "Late p99", definition=f"How late runs began: 99th percentile of the last {RUNS_KEPT}.", unit="s"),
    Column("next", "Next run"),
    Column("failures", "Failures", definition="Failed runs in a row."),
    Column("breaker", "Breaker", numeric=False, definition="Open: no runs for a while, after failures in a row."),
    Column("why", "Why", numeric=False),
)
TOPIC_COLUMNS = (
    Column("importer", "Importer", numeric=False),
    Column("state", "State", numeric=False),
    Column("topic", "Topic", numeric=False),
    Column("kind", "Rows are", numeric=False),
    Column("rows", "Rows", definition="Taken in since ever, those that were read again too."),
    Column("refused", "Refused", definition="Rows and messages that are kept under Refused rows, since ever."),
    Column("lag", "Lag", definition="Messages of the partitions read here that are not read yet."),
    Column("partitions", "Partitions", definition="Read here; others are by other members of the consumer group."),
    Column("last", "Last message", definition="Since the newest message that was read was produced."),
    Column("read", "Read", definition="Since the newest look that ended well."),
)
TABLE_COLUMNS = (
    Column("table", "Table", numeric=False),
    Column("rows", "Rows"),
    Column("bytes", "On disk", unit="bytes"),
    Column("each", "Bytes a row", definition="Compressed size on disk over rows."),
    Column(
        "parts",
        "Parts",
        definition=f"Active parts; ClickHouse slows inserts down from {number(PARTS_TO_DELAY_INSERT)} in a partition.",
    ),
)
RUN_COLUMNS = (
    Column("began", "Began", numeric=False),
    Column("collector", "Collector", numeric=False),
    Column("outcome", "Outcome", numeric=False),
    Column("duration", "Duration", unit="s"),
    Column("late", "Late", definition="How long after its due time the run began.", unit="s"),
    Column("rows", "Rows", definition="Samples and other rows that the run brought."),
    Column("error", "Error", numeric=False),
)
STATEMENT_COLUMNS = (
    Column("kind", "Statement", numeric=False),
    Column("count", "Count"),
    Column("p50", "p50", unit="s"),
    Column("p95", "p95", unit="s"),
    Column("longest", "Longest", unit="s"),
    Column("rows", "Rows"),
    Column("errors", "Errors"),
)


def collector_table(reading: LiveReading, id: str, title: str, now: float) -> html.Div:
    """Return every collector with its runs as they are at `now` (epoch seconds), those in trouble first."""
    found = sorted(collectors_at(reading, now), key=lambda each: -SEVERITY[Status(each.status)])
    return data_table(id, COLLECTOR_COLUMNS, [_collector_row(each, reading.ts) for each in found], caption=title)


def topic_table(readings: Sequence[LiveReading | None], id: str, title: str, now: float) -> html.Div:
    """Return the topics that `readings` of importers tell of, as they are at `now` (epoch seconds)."""
    rows = [
        _topic_row(topic, reading, now)
        for reading in readings
        if reading is not None
        for topic in rows_of(reading.tables, TopicTaken)
    ]
    nothing = "No topic was read yet: how its importer is stands in the table above."
    return data_table(id, TOPIC_COLUMNS, rows, caption=title, nothing=nothing)


def size_table(reading: LiveReading, id: str, title: str) -> html.Div:
    """Return rows and bytes on disk of every ClickHouse table, largest first."""
    rows = [_size_row(size) for size in rows_of(reading.tables, TableSize)]
    nothing = "Not read yet: the first time is some seconds after the start."
    return data_table(id, TABLE_COLUMNS, rows, caption=title, stack=False, nothing=nothing)


def statement_table(reading: LiveReading, id: str, title: str) -> html.Div:
    """Return the kinds of statements sent to ClickHouse, most total time first."""
    rows = [_statement_row(kind) for kind in rows_of(reading.tables, StatementKind)[:STATEMENTS_SHOWN]]
    nothing = f"Nothing recorded in the last {duration(STATEMENTS_SECONDS)}."
    return data_table(id, STATEMENT_COLUMNS, rows, caption=title, stack=False, nothing=nothing)


def run_table(runs: Sequence[Run], id: str, title: str) -> html.Div:
    """Return runs as they are given, newest first."""
    rows = [_run_row(run) for run in runs]
    return data_table(id, RUN_COLUMNS, rows, caption=title, stack=False, nothing="No such run in this window.")


def _collector_row(of: CollectorRuns, read_at: float) -> Mapping[str, Any]:
    status = Status(of.status)
    return {
        "collector": of.collector,
        "state": Cell(state_badge(status), SEVERITY[status]),
        "last": Cell(age(of.last_run), of.last_run),
        "every": Cell(f"{of.interval_seconds:g} s", of.interval_seconds),
        "duration": Cell(duration(of.duration_seconds), of.duration_seconds),
        "trend": Cell(spark(of.durations_seconds, label="durations"), ""),
        "late": Cell(duration(of.lateness_p99_seconds), of.lateness_p99_seconds),
        "next": Cell(local_time(of.next_run, "time"), of.next_run),
        "failures": Cell(str(of.failures_in_a_row), of.failures_in_a_row, "critical" if of.failures_in_a_row else ""),
        "breaker": _breaker(of, read_at),
        "why": whole_cell(None if status is Status.OK else of.why),
    }


def _breaker(of: CollectorRuns, read_at: float) -> Cell:
    if of.breaker == BreakerState.CLOSED:
        return Cell("closed", 0)
    if of.breaker == BreakerState.HALF_OPEN:
        return Cell("half open", 1, "warning")
    wait = of.retry_in_seconds
    until: list[Any] = ["open until ", local_time(read_at + wait, "time")] if wait is not None else ["open, by hand"]
    return Cell(html.Span(until), 2, "critical", hint=f"opened {count(of.opened_total, 'time')} since the start")


def _topic_row(of: TopicTaken, reading: LiveReading, now: float) -> Mapping[str, Any]:
    status = worst([part.status for part in components_at(reading, now)])
    return {
        "importer": of.importer,
        "state": Cell(state_badge(status), SEVERITY[status]),
        "topic": of.topic,
        "kind": of.kind,
        "rows": Cell(number(of.rows), of.rows),
        "refused": Cell(number(of.refused), of.refused, "warning" if of.refused else ""),
        "lag": Cell(None if of.lag is None else count(of.lag, "message"), of.lag),
        "partitions": Cell(number(of.partitions), of.partitions),
        "last": Cell(None if of.last_message is None else age(of.last_message), of.last_message),
        "read": Cell(age(reading.ts), reading.ts),
    }


def _size_row(size: TableSize) -> Mapping[str, Any]:
    return {
        "table": size.table,
        "rows": Cell(number(size.rows), size.rows),
        "bytes": Cell(bytes_(size.bytes), size.bytes),
        "each": Cell(number(size.bytes_per_row, 2), size.bytes_per_row),
        "parts": Cell(number(size.parts), size.parts),
    }


def _run_row(run: Run) -> Mapping[str, Any]:
    is_ok = run.outcome is Outcome.OK
    return {
        "began": Cell(local_time(run.started), run.started),
        "collector": run.collector,
        "outcome": Cell(run.outcome.value, tone="" if is_ok else "critical"),
        "duration": Cell(duration(run.duration_seconds), run.duration_seconds),
        "late": Cell(duration(run.lateness_seconds), run.lateness_seconds),
        "rows": Cell(number(run.samples), run.samples),
        "error": whole_cell(run.error or None),
    }


def _statement_row(kind: StatementKind) -> Mapping[str, Any]:
    return {
        "kind": kind.kind,
        "count": Cell(number(kind.count), kind.count),
        "p50": Cell(duration(kind.p50_seconds), kind.p50_seconds),
        "p95": Cell(duration(kind.p95_seconds), kind.p95_seconds),
        "longest": Cell(duration(kind.longest_seconds), kind.longest_seconds),
        "rows": Cell(number(kind.rows), kind.rows),
        "errors": Cell(number(kind.errors), kind.errors, "critical" if kind.errors else "", hint=kind.last_error),
    }
