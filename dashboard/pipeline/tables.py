"""The pipeline tab's verdict, cards and tables, from the pipeline collector's reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from core import format
from core.kinds.registry import is_own
from core.model import SEVERITY, Component, LiveReading, Outcome, Run, SourceId, Status, worst
from dashboard.components.age import age, local_time
from dashboard.components.card import card, cards, state_badge, verdict
from dashboard.components.spark import spark
from dashboard.components.table import Cell, Column, data_table
from status.freshness import components_at, is_stale, reading_stale_after_seconds, why_unknown
from storage.clickhouse.reads.series import SeriesData

LATENESS_LIMIT_SECONDS = 0.05
SPARK_POINTS = 60
STATEMENTS_SHOWN = 12
COLLECTOR_PREFIX = "collector "
"""Begins the name of a collector's component."""

Row = Mapping[str, Any]

COLLECTOR_COLUMNS = (
    Column("collector", "Collector", numeric=False),
    Column("state", "State", numeric=False),
    Column("last", "Last run", definition="Time since the newest run began."),
    Column("every", "Every", definition="The collector's interval."),
    Column("duration", "Duration", definition="How long the newest run took."),
    Column("trend", "Trend", definition="Durations of the last 60 runs, oldest first, scaled to their own range."),
    Column("late", "Late p99", definition="How late runs began: 99th percentile of the last 60."),
    Column("next", "Next run"),
    Column("failures", "Failures", definition="Failed runs in a row."),
    Column("breaker", "Breaker", numeric=False, definition="Open: the source is left alone after failures in a row."),
    Column("why", "Why", numeric=False),
)
TABLE_COLUMNS = (
    Column("table", "Table", numeric=False),
    Column("rows", "Rows"),
    Column("bytes", "On disk"),
    Column("each", "Bytes a row", definition="Compressed size on disk over rows."),
    Column("parts", "Parts", definition="Active parts; ClickHouse slows inserts down at 1,000 in a partition."),
)
HISTORY_COLUMNS = (
    Column("began", "Began", numeric=False),
    Column("collector", "Collector", numeric=False),
    Column("outcome", "Outcome", numeric=False),
    Column("duration", "Duration"),
    Column("late", "Late", definition="How long after its due time the run began."),
    Column("rows", "Rows", definition="Samples and other rows that the run brought."),
    Column("error", "Error", numeric=False),
)
QUERY_COLUMNS = (
    Column("kind", "Statement", numeric=False),
    Column("count", "Count"),
    Column("p50", "p50"),
    Column("p95", "p95"),
    Column("longest", "Longest"),
    Column("rows", "Rows"),
    Column("errors", "Errors"),
)


def rows_of(reading: LiveReading | None, table: str) -> list[Row]:
    """Return the rows of one table of a reading as dicts; none when there is no such table."""
    found = reading.tables.get(table) if reading else None
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows] if found else []


def verdict_line(reading: LiveReading | None, host: str, now: float) -> html.Div:
    """Return the one line that says how Fundwatch's own work goes: the worst thing in words, or that all is fine.

    A watched source that is down is not Fundwatch's failure, and the line of the sources has said so.
    An old reading says nothing about the present (`now`, epoch seconds): unknown, never fine.
    """
    why = why_unknown(reading, now)
    if reading is None:
        return verdict(Status.UNKNOWN, f"{host}: {why}. Its collector “pipeline” has not run, or Redis is away.")
    told = age(reading.ts, reading_stale_after_seconds(reading), prefix="read ")
    if why:
        said = f"{host}: {why}. Its collectors do not run, or Redis is away. What shows is old. · "
        return verdict(Status.UNKNOWN, [said, told])
    foreign = {f"{COLLECTOR_PREFIX}{row['collector']}" for row in rows_of(reading, "collectors") if not _is_own(row)}
    own = [part for part in reading.components if part.name not in foreign]
    status = worst([part.status for part in own])
    trouble = sorted((part for part in own if SEVERITY[part.status]), key=lambda part: -SEVERITY[part.status])
    if not trouble:
        return verdict(status, [f"All {len(own)} own components fine · ", told])
    more = f" And {len(trouble) - 1} more in trouble." if len(trouble) > 1 else ""
    first = trouble[0]
    return verdict(status, [html.B(_capital(first.name)), f": {first.why}.{more} · ", told])


def card_strip(reading: LiveReading, course: Mapping[str, SeriesData], now: float) -> html.Div:
    """Return the cards as they are at `now` (epoch seconds), those in trouble first."""
    parts = {part.name: part for part in components_at(reading, now)}
    writer = next(iter(rows_of(reading, "writer")), {})
    found = [
        _collectors_card(reading, now),
        _writer_card(writer, parts.get("writer"), course.get("pipeline_writer_rows_per_second")),
        _queue_card(writer, parts.get("writer")),
        _spool_card(writer, parts.get("spool")),
        _clickhouse_card(reading, parts.get("ClickHouse")),
        _disk_card(reading),
        _own_card(reading, course.get("process_resident_memory_bytes")),
    ]
    found.sort(key=lambda pair: -SEVERITY[pair[0]])
    return cards(*(made for _, made in found), minimum_px=150)


def collector_table(reading: LiveReading, now: float) -> html.Div:
    """Return every collector with its runs as they are at `now` (epoch seconds), those in trouble first."""
    rows = sorted(_collectors(reading, now), key=lambda row: -SEVERITY[Status(row["status"])])
    return data_table(
        "pipeline-collectors-rows",
        COLLECTOR_COLUMNS,
        [_collector_row(row, reading) for row in rows],
        caption="Collectors",
    )


def size_table(reading: LiveReading) -> html.Div:
    """Return rows and bytes on disk of every ClickHouse table, largest first."""
    rows = rows_of(reading, "tables")
    return data_table(
        "pipeline-tables-rows",
        TABLE_COLUMNS,
        [
            {
                "table": row["table"],
                "rows": Cell(format.number(row["rows"]), row["rows"]),
                "bytes": Cell(format.bytes_(row["bytes"]), row["bytes"]),
                "each": Cell(format.number(_each(row), 2), _each(row)),
                "parts": Cell(format.number(row["parts"]), row["parts"]),
            }
            for row in rows
        ],
        caption="ClickHouse tables",
        stack=False,
        nothing="Not read yet: the first time is some seconds after the start.",
    )


def query_table(reading: LiveReading) -> html.Div:
    """Return the kinds of statements sent to ClickHouse, most total time first."""
    return data_table(
        "pipeline-queries-rows",
        QUERY_COLUMNS,
        [_query_row(row) for row in rows_of(reading, "queries")[:STATEMENTS_SHOWN]],
        caption="Statements sent to ClickHouse",
        stack=False,
        nothing="Nothing recorded in the last 15 minutes.",
    )


def history_table(runs: Sequence[Run]) -> html.Div:
    """Return runs as they are given, newest first."""
    return data_table(
        "pipeline-history-rows",
        HISTORY_COLUMNS,
        [_history_row(run) for run in runs],
        caption="Runs",
        stack=False,
        nothing="No such run in this window.",
    )


def _collectors(reading: LiveReading, now: float) -> list[Row]:
    """Return the rows of the collectors; each is unknown when the reading is stale."""
    why = why_unknown(reading, now)
    rows = rows_of(reading, "collectors")
    return [{**row, "status": Status.UNKNOWN.value, "why": why} for row in rows] if why else rows


def _collector_row(row: Row, reading: LiveReading) -> Row:
    status = Status(row["status"])
    is_failing = row["failures_in_a_row"] > 0
    return {
        "collector": row["collector"],
        "state": Cell(state_badge(status), SEVERITY[status]),
        "last": Cell(age(row["last_run"]), row["last_run"]),
        "every": Cell(f"{row['interval_seconds']:g} s", row["interval_seconds"]),
        "duration": Cell(format.duration(row["duration_seconds"]), row["duration_seconds"]),
        "trend": Cell(spark(row["durations_seconds"][-SPARK_POINTS:], label="durations"), ""),
        "late": Cell(format.duration(row["lateness_p99_seconds"]), row["lateness_p99_seconds"]),
        "next": Cell(local_time(row["next_run"], "time"), row["next_run"]),
        "failures": Cell(str(row["failures_in_a_row"]), row["failures_in_a_row"], "critical" if is_failing else ""),
        "breaker": _breaker(row, reading),
        "why": Cell("–" if status is Status.OK else row["why"], style={"whiteSpace": "normal", "minWidth": "180px"}),
    }


def _history_row(run: Run) -> Row:
    is_ok = run.outcome is Outcome.OK
    return {
        "began": Cell(local_time(run.started), run.started),
        "collector": run.collector,
        "outcome": Cell(run.outcome.value, tone="" if is_ok else "critical"),
        "duration": Cell(format.duration(run.duration_seconds), run.duration_seconds),
        "late": Cell(format.duration(run.lateness_seconds), run.lateness_seconds),
        "rows": Cell(format.number(run.samples), run.samples),
        "error": run.error,
    }


def _breaker(row: Row, reading: LiveReading) -> Cell:
    state = str(row["breaker"])
    if state == "closed":
        return Cell("closed", 0)
    if state == "half_open":
        return Cell("probing", 1, "warning")
    wait = row["retry_in_seconds"]
    until: list[Any] = ["open until ", local_time(reading.ts + wait, "time")] if wait is not None else ["open, by hand"]
    return Cell(
        html.Span(until), 2, "critical", hint=f"opened {format.count(row['opened_total'], 'time')} since the start"
    )


def _query_row(row: Row) -> Row:
    return {
        "kind": row["kind"],
        "count": Cell(format.number(row["count"]), row["count"]),
        "p50": Cell(format.duration(row["p50_seconds"]), row["p50_seconds"]),
        "p95": Cell(format.duration(row["p95_seconds"]), row["p95_seconds"]),
        "longest": Cell(format.duration(row["longest_seconds"]), row["longest_seconds"]),
        "rows": Cell(format.number(row["rows"]), row["rows"]),
        "errors": Cell(
            format.number(row["errors"]), row["errors"], "critical" if row["errors"] else "", hint=row["last_error"]
        ),
    }


Made = tuple[Status, html.Article]


def _collectors_card(reading: LiveReading, now: float) -> Made:
    rows = [row for row in _collectors(reading, now) if _is_own(row)]
    status = worst([Status(row["status"]) for row in rows])
    is_known = not is_stale(reading, now)
    fine = sum(Status(row["status"]) is Status.OK for row in rows)
    late = [row["lateness_p99_seconds"] for row in rows if row["lateness_p99_seconds"] is not None]
    why = f"late p99 {format.duration(max(late))}" if late else ""
    made = card(
        "pipeline-card-collectors",
        "Own collectors fine",
        f"{fine if is_known else '–'} of {len(rows)}",
        state=status,
        why=why,
        bar_ratio=fine / len(rows) if rows and is_known else 0.0,
        as_of=reading.ts,
        stale_after_seconds=reading_stale_after_seconds(reading),
        definition="Collectors of Fundwatch and its machine whose newest run succeeded and was on time. Those of "
        "watched sources are in the table below; the sources themselves are judged above and on their tabs.",
    )
    return status, made


def _writer_card(writer: Row, part: Component | None, course: SeriesData | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    made = card(
        "pipeline-card-rows",
        "Rows written",
        format.number(writer.get("rows_per_second"), 1),
        "/s",
        why=f"{format.number(writer.get('rows_written'))} since the start",
        spark=course.mean[-SPARK_POINTS:] if course else None,
        as_of=writer.get("last_flush"),
        definition="Rows that ClickHouse acknowledged: mean of the last minute. The age is that of the last batch.",
    )
    return status if status is Status.DOWN else Status.OK, made


def _queue_card(writer: Row, part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    dropped = writer.get("dropped_rows") or 0
    made = card(
        "pipeline-card-queue",
        "Writer queue",
        format.number(writer.get("queued_rows")),
        "rows",
        state=status,
        why=f"{format.number(dropped)} dropped"
        if dropped
        else f"room for {format.number(writer.get('capacity_rows'))}",
        bar_ratio=part.value if part and part.value is not None else 0.0,
        definition="Rows in memory that wait for their batch. When it is full the oldest are dropped and counted.",
    )
    return status, made


def _spool_card(writer: Row, part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    lost = writer.get("spool_dropped_rows") or 0
    waiting = f"{format.count(writer.get('spooled_rows'), 'row')} waiting"
    made = card(
        "pipeline-card-spool",
        "Spool",
        format.bytes_(writer.get("spooled_bytes")),
        state=status,
        why=f"{format.count(lost, 'row')} dropped" if lost else waiting,
        bar_ratio=part.value if part and part.value is not None else 0.0,
        definition="Batches on disk while ClickHouse is away; replayed in order, each exactly once.",
    )
    return status, made


def _clickhouse_card(reading: LiveReading, part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    kinds = rows_of(reading, "queries")
    slowest = max(kinds, key=lambda row: row["p95_seconds"], default=None)
    errors = sum(row["errors"] for row in kinds)
    fine = f"{slowest['kind']} · {format.count(errors, 'error')}" if slowest else ""
    made = card(
        "pipeline-card-clickhouse",
        "Slowest statement",
        format.duration(slowest["p95_seconds"] if slowest else None),
        "p95",
        state=status,
        why=part.why if part and status is not Status.OK else fine,
        definition="Of the kinds of statements sent in the last 15 minutes, the one with the longest 95th percentile.",
    )
    return status, made


def _disk_card(reading: LiveReading) -> Made:
    rows = rows_of(reading, "tables")
    total = sum(row["bytes"] for row in rows)
    made = card(
        "pipeline-card-disk",
        "On disk",
        format.bytes_(total) if rows else format.NOT_AVAILABLE,
        why=f"{format.count(sum(row['rows'] for row in rows), 'row')} · {format.count(len(rows), 'table')}",
        definition="Active parts of all tables of Fundwatch in ClickHouse, compressed.",
    )
    return Status.OK, made


def _own_card(reading: LiveReading, course: SeriesData | None) -> Made:
    cpu, threads = reading.value("process_cpu_ratio"), reading.value("process_threads")
    made = card(
        "pipeline-card-own",
        "Fundwatch memory",
        format.bytes_(reading.value("process_resident_memory_bytes")),
        why=f"CPU {format.percent(cpu)} · {format.count(threads, 'thread')}",
        spark=course.mean[-SPARK_POINTS:] if course else None,
        definition="Resident memory and CPU (of one core) of the process that collects.",
    )
    return Status.OK, made


def _is_own(row: Row) -> bool:
    return is_own(SourceId(row["kind"], row["instance"]) if row["kind"] else None)


def _each(row: Row) -> float | None:
    return row["bytes"] / row["rows"] if row["rows"] else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
