"""Verdict and cards of Fundwatch's own work, from the pipeline collector's reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dash import html

from core.format import NOT_AVAILABLE, bytes_, count, duration, noun, number, percent
from core.kinds.registry import is_own
from core.model import SEVERITY, Component, LiveReading, Status, worst
from core.pipeline import spec
from core.pipeline.spec import Checks, CollectorRuns, StatementKind, TableSize, WriterStats
from core.tables import rows_of
from dashboard.components.age import age
from dashboard.components.card import card, cards, verdict
from status.freshness import components_at, is_stale, reading_stale_after_seconds, why_unknown
from storage.clickhouse.reads.series import SeriesData

Made = tuple[Status, html.Article]
SPARK_POINTS = 60
OWN_CARDS, OWN_CARD_PX, OWN_CARD_HEIGHT_PX = 8, 150, 126
"""How many cards there are, the least width of one, and its height with two lines of words under the figure."""


def verdict_line(reading: LiveReading | None, host: str, now: float, inbox: LiveReading | None = None) -> html.Div:
    """Return the one line that says how Fundwatch's own work goes: the worst thing in words, or that all is fine.

    `inbox`: what its importer said last. A watched source that is down is not Fundwatch's failure, and the line of the
    sources has said so. An old reading says nothing about the present (`now`, epoch seconds): unknown, never fine.
    """
    why = why_unknown(reading, now)
    if reading is None:
        return verdict(Status.UNKNOWN, f"{host}: {why}. Its collector “pipeline” has not run, or Redis is away.")
    seen = age(reading.ts, reading_stale_after_seconds(reading), prefix="read ")
    if why:
        sentence = f"{host}: {why}. Its collectors do not run, or Redis is away. The page shows old data. · "
        return verdict(Status.UNKNOWN, [sentence, seen])
    foreign = {row.component for row in rows_of(reading.tables, CollectorRuns) if not is_own(row.source)}
    own = [part for part in reading.components if part.name not in foreign] + _refused_files(inbox, now)
    status = worst([part.status for part in own])
    trouble = sorted((part for part in own if SEVERITY[part.status]), key=lambda part: -SEVERITY[part.status])
    if not trouble:
        return verdict(status, [f"All {count(len(own), 'own component')} fine · ", seen])
    more = f" And {len(trouble) - 1} more in trouble." if len(trouble) > 1 else ""
    first = trouble[0]
    return verdict(status, [html.B(_capital(first.name)), f": {first.why}.{more} · ", seen])


def _refused_files(inbox: LiveReading | None, now: float) -> list[Component]:
    """Return the inbox as a component of its own where it is in trouble: that it runs, its collector tells."""
    if inbox is None or is_stale(inbox, now):
        return []
    return [part for part in inbox.components if part.status is not Status.OK]


def collectors_at(reading: LiveReading, now: float) -> list[CollectorRuns]:
    """Return the collectors as they are at `now` (epoch seconds): unknown, and why, when the reading is stale."""
    rows, why = rows_of(reading.tables, CollectorRuns), why_unknown(reading, now)
    return [replace(row, status=Status.UNKNOWN.value, why=why) for row in rows] if why else rows


def card_strip(
    reading: LiveReading, series: Mapping[str, SeriesData], now: float, inbox: LiveReading | None = None
) -> html.Div:
    """Return the cards as they are at `now` (epoch seconds), those in trouble first. `series`: by metric."""
    parts = {part.name: part for part in components_at(reading, now)}
    writer = next(iter(rows_of(reading.tables, WriterStats)), None)
    found = [
        _collectors_card(reading, now),
        _written_card(writer, parts.get(Checks.WRITER), series.get(spec.WRITTEN_RATE)),
        _queue_card(writer, parts.get(Checks.WRITER)),
        _spool_card(writer, parts.get(Checks.SPOOL)),
        _statements_card(rows_of(reading.tables, StatementKind), parts.get(Checks.CLICKHOUSE)),
        _disk_card(rows_of(reading.tables, TableSize)),
        _process_card(reading, series.get(spec.PROCESS_MEMORY)),
        *([_inbox_card(inbox, now)] if inbox else []),
    ]
    found.sort(key=lambda pair: -SEVERITY[pair[0]])
    return cards(*(made for _, made in found), minimum_px=OWN_CARD_PX)


def _collectors_card(reading: LiveReading, now: float) -> Made:
    rows = [row for row in collectors_at(reading, now) if is_own(row.source)]
    status = worst([Status(row.status) for row in rows])
    is_known = not is_stale(reading, now)
    fine = sum(row.status == Status.OK for row in rows)
    late = [row.lateness_p99_seconds for row in rows if row.lateness_p99_seconds is not None]
    made = card(
        "pipeline-card-collectors",
        "Own collectors fine",
        f"{fine if is_known else '–'} of {len(rows)}",
        state=status,
        why=f"late p99 {duration(max(late))}" if late else "",
        bar_ratio=fine / len(rows) if rows and is_known else 0.0,
        as_of=reading.ts,
        stale_after_seconds=reading_stale_after_seconds(reading),
        definition="Collectors of Fundwatch and its machine whose newest run succeeded and was on time. Those of "
        "watched sources are in the table below; the sources themselves are judged above and on their tabs.",
    )
    return status, made


def _written_card(writer: WriterStats | None, part: Component | None, series: SeriesData | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    made = card(
        "pipeline-card-rows",
        "Rows written",
        number(writer.rows_per_second if writer else None, 1),
        "/s",
        why=f"{number(writer.rows_written if writer else None)} since the start",
        spark=_newest(series),
        as_of=writer.last_flush if writer else None,
        definition="Rows that ClickHouse acknowledged: mean of the last minute. The age is that of the last batch.",
    )
    return status if status is Status.DOWN else Status.OK, made


def _queue_card(writer: WriterStats | None, part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    room = f"room for {number(writer.capacity_rows if writer else None)}"
    made = card(
        "pipeline-card-queue",
        "Writer queue",
        number(writer.queued_rows if writer else None),
        noun(writer.queued_rows if writer else None, "row"),
        state=status,
        why=_why_queued(writer) if writer else room,
        bar_ratio=part.value if part and part.value is not None else 0.0,
        definition="Rows in memory that wait for their batch, or while the disk is full for room on it. When the queue "
        "is full the oldest are dropped and counted. "
        f"Warning from {percent(spec.QUEUE.warning)}, critical from {percent(spec.QUEUE.critical)} of its capacity.",
    )
    return status, made


def _why_queued(writer: WriterStats) -> str:
    dropped = [f"{number(writer.dropped_rows)} dropped"] if writer.dropped_rows else []
    stuck = [writer.stuck_why] if writer.stuck_why else []
    return ", ".join(stuck + dropped) or f"room for {number(writer.capacity_rows)}"


def _spool_card(writer: WriterStats | None, part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    lost = writer.spool_dropped_rows if writer else 0
    waiting = f"{count(writer.spooled_rows if writer else None, 'row')} waiting"
    if writer and writer.refused_batches:
        waiting = f"{waiting}, {number(writer.refused_rows)} set aside"
    made = card(
        "pipeline-card-spool",
        "Spool",
        bytes_(writer.spooled_bytes if writer else None),
        state=status,
        why=f"{count(lost, 'row')} dropped" if lost else waiting,
        bar_ratio=part.value if part and part.value is not None else 0.0,
        definition="Batches on disk while ClickHouse is away; replayed in order, each exactly once. Those that "
        "ClickHouse refuses, or that cannot be read any more, are set aside in the same file.",
    )
    return status, made


def _statements_card(kinds: list[StatementKind], part: Component | None) -> Made:
    status = part.status if part else Status.UNKNOWN
    slowest = max(kinds, key=lambda kind: kind.p95_seconds, default=None)
    errors = sum(kind.errors for kind in kinds)
    fine = f"{slowest.kind} · {count(errors, 'error')}" if slowest else ""
    made = card(
        "pipeline-card-clickhouse",
        "Slowest statement",
        duration(slowest.p95_seconds if slowest else None),
        "p95",
        state=status,
        why=part.why if part and status is not Status.OK else fine,
        definition="The kind of statement with the longest 95th percentile of the last "
        f"{duration(spec.STATEMENTS_SECONDS)}.",
    )
    return status, made


def _disk_card(sizes: list[TableSize]) -> Made:
    made = card(
        "pipeline-card-disk",
        "On disk",
        bytes_(sum(size.bytes for size in sizes)) if sizes else NOT_AVAILABLE,
        why=f"{count(sum(size.rows for size in sizes), 'row')} · {count(len(sizes), 'table')}",
        definition="Active parts of all tables of Fundwatch in ClickHouse, compressed.",
    )
    return Status.OK, made


def _process_card(reading: LiveReading, series: SeriesData | None) -> Made:
    cpu, threads = reading.value(spec.PROCESS_CPU_RATIO), reading.value(spec.PROCESS_THREADS)
    made = card(
        "pipeline-card-own",
        "Fundwatch memory",
        bytes_(reading.value(spec.PROCESS_MEMORY)),
        why=f"CPU {percent(cpu)} · {count(threads, 'thread')}",
        spark=_newest(series),
        definition="Resident memory and CPU (of one core) of the process that collects.",
    )
    return Status.OK, made


def _inbox_card(inbox: LiveReading, now: float) -> Made:
    part = next(iter(components_at(inbox, now)), None)
    status = part.status if part else Status.UNKNOWN
    is_in_trouble = part is not None and status is Status.WARNING
    link = html.A(part.why if part and is_in_trouble else "Import", href="/import")
    made = card(
        "pipeline-card-inbox",
        "Inbox",
        number(part.value if part else None),
        "to look at" if is_in_trouble else "coming in",
        state=status,
        why=link,
        as_of=inbox.ts,
        stale_after_seconds=reading_stale_after_seconds(inbox),
        definition="Files in the folder inbox: those that come in, or refused ones that nobody has looked at. "
        "A refused file is dismissed, looked at and imported on the page Import.",
    )
    return status, made


def _newest(series: SeriesData | None) -> list[float | None] | None:
    return series.mean[-SPARK_POINTS:] if series else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
