"""Collector "pipeline": Fundwatch about itself. Its collectors, its writer and spool, its tables, its own cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, repeat
from math import ceil

import psutil

from collectors.base import Context, gauges
from collectors.runtime.breaker import State
from collectors.runtime.task_view import TaskView
from core.clock import Clock
from core.errors import StorageError
from core.format import coarse_duration, count, duration, number
from core.model import Component, Outcome, Reading, Sample, Status, Table
from core.rates import Rates
from status.freshness import stale_after_seconds
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.pipeline import QueryKind, TableSize, query_kinds, table_sizes
from storage.clickhouse.writer import WriterStats

SIZES_SECONDS = 60.0
"""How often tables and query log are read; they change slowly and cost a query each."""
SOON_SECONDS = 10.0
"""The second time comes sooner: at the first, a new database is still empty."""
QUERY_WINDOW_SECONDS = 900.0
QUEUE_WARNING_RATIO = 0.5
QUEUE_CRITICAL_RATIO = 0.9
LATENESS_WARNING_RATIO = 0.5
"""Share of the interval by which runs may begin late before it is a warning."""

BREAKER_LEVEL = {State.CLOSED: 0.0, State.HALF_OPEN: 1.0, State.OPEN: 2.0}

COLLECTOR_COLUMNS = (
    "collector", "kind", "instance",
    "status", "why", "interval_seconds", "timeout_seconds", "last_run", "last_outcome", "last_success",
    "next_run", "duration_seconds", "durations_seconds", "lateness_p99_seconds", "failures_in_a_row", "breaker",
    "retry_in_seconds", "opened_total", "abandoned_threads", "samples", "error",
)  # fmt: skip


def make(context: Context) -> PipelineCollector:
    """Return the collector for this process."""
    stores = context.stores
    return PipelineCollector(
        context.runs,
        stores.writer.stats,
        stores.clickhouse,
        stores.clock,
        interval_seconds=context.settings.intervals.pipeline_seconds,
        spool_capacity_bytes=context.settings.writer.spool_bytes,
    )


class PipelineCollector:
    """Reports the state of the collectors of this process, of the writer and of what lies on disk."""

    name = "pipeline"
    timeout_seconds = 4.0

    def __init__(
        self,
        runs: Callable[[], Sequence[TaskView]],
        writer_stats: Callable[[], WriterStats],
        clickhouse: ClickHouse,
        clock: Clock,
        *,
        interval_seconds: float = 5.0,
        spool_capacity_bytes: int = 536_870_912,
    ) -> None:
        self.interval_seconds = interval_seconds
        self._runs = runs
        self._writer_stats = writer_stats
        self._clickhouse = clickhouse
        self._clock = clock
        self._spool_capacity_bytes = spool_capacity_bytes
        self._rates = Rates()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._sizes: list[TableSize] = []
        self._kinds: list[QueryKind] = []
        self._pauses = chain((SOON_SECONDS,), repeat(SIZES_SECONDS))
        self._sizes_due = 0.0
        self._clickhouse_error = ""

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. ClickHouse being away is a component, not a failure of this collector."""
        views = self._runs()
        stats = self._writer_stats()
        samples = [*self._writer_samples(stats), *self._own_cost(), *_collector_samples(views)]
        if self._clock.monotonic() >= self._sizes_due:
            samples += self._read_sizes(now)
        judged = [(view, *self._judge(view, now)) for view in views]
        rows = [_collector_row(view, status, why) for view, status, why in judged]
        components = [Component(f"collector {view.collector}", status, why) for view, status, why in judged]
        return Reading(
            samples=samples,
            components=[*components, *storage_components(stats, self._clickhouse_error, self._spool_capacity_bytes)],
            tables=[
                Table("collectors", COLLECTOR_COLUMNS, tuple(rows)),
                Table("writer", *_writer_table(stats, self._spool_capacity_bytes)),
                Table("tables", ("table", "rows", "bytes", "parts"), tuple(map(_size_row, self._sizes))),
                Table("queries", QUERY_COLUMNS, tuple(map(_kind_row, self._kinds))),
            ],
        )

    def _judge(self, view: TaskView, now: float) -> tuple[Status, str]:
        if view.collector == self.name and view.last_run is None:
            return Status.OK, "its first run is this one"
        return collector_status(view, now)

    def _writer_samples(self, stats: WriterStats) -> list[Sample]:
        written = self._rates.per_second("rows", stats.rows_written, self._clock.monotonic())
        return gauges(
            {
                "pipeline_writer_queue_rows": stats.queued_rows,
                "pipeline_writer_rows_per_second": written,
                "pipeline_writer_dropped_rows": stats.dropped_rows,
                "pipeline_spool_rows": stats.spooled_rows,
                "pipeline_spool_bytes": stats.spooled_bytes,
                "pipeline_spool_dropped_rows": stats.spool_dropped_rows,
                "pipeline_refused_batches": stats.refused_batches,
            }
        )

    def _own_cost(self) -> list[Sample]:
        with self._process.oneshot():
            memory, threads = self._process.memory_info().rss, self._process.num_threads()
        children = self._process.children(recursive=True)
        return gauges(
            {
                "process_resident_memory_bytes": memory,
                "process_children_resident_memory_bytes": _resident(children),
                "process_cpu_ratio": self._process.cpu_percent() / 100,
                "process_threads": threads,
            }
        )

    def _read_sizes(self, now: float) -> list[Sample]:
        # Set before asking: a ClickHouse that hangs may cost one run a minute, not every run.
        self._sizes_due = self._clock.monotonic() + next(self._pauses)
        try:
            self._sizes = table_sizes(self._clickhouse)
            self._kinds = query_kinds(self._clickhouse, now - QUERY_WINDOW_SECONDS)
        except StorageError as error:
            self._clickhouse_error = str(error)
            return []
        self._clickhouse_error = ""
        samples = []
        for size in self._sizes:
            values = {"pipeline_table_rows": size.rows, "pipeline_table_bytes": size.bytes}
            samples += gauges({**values, "pipeline_table_parts": size.parts}, table=size.table)
        return samples


def collector_status(view: TaskView, now: float) -> tuple[Status, str]:
    """Return a collector's status and a sentence why. Never run yet is UNKNOWN, which is not safe."""
    last, breaker = view.last_run, view.breaker
    error = last.error if last else ""
    if breaker.state is not State.CLOSED:
        left = breaker.retry_in_seconds
        wait = f", next try in {coarse_duration(left)}" if left < 1e9 else ", by hand"
        return Status.DOWN, f"left alone{wait}: {error}" if error else f"left alone{wait}"
    if last is None:
        return Status.UNKNOWN, "has not run yet"
    if last.outcome is not Outcome.OK:
        return Status.DOWN, f"{last.outcome.value}: {error}"
    if now - last.started > stale_after_seconds(view.interval_seconds, view.timeout_seconds):
        old = coarse_duration(now - last.started)
        return Status.WARNING, f"last run {old} ago, due every {view.interval_seconds:g} s"
    if last.lateness_seconds > LATENESS_WARNING_RATIO * view.interval_seconds:
        return Status.WARNING, f"began {duration(last.lateness_seconds)} late"
    if last.duration_seconds > view.interval_seconds:
        return Status.WARNING, f"took {duration(last.duration_seconds)}, longer than its interval"
    return Status.OK, f"every {view.interval_seconds:g} s"


def storage_components(stats: WriterStats, clickhouse_error: str, spool_capacity_bytes: int) -> list[Component]:
    """Return the components ClickHouse, writer and spool."""
    return [_clickhouse_component(stats, clickhouse_error), _writer_component(stats), _spool_component(
        stats, spool_capacity_bytes
    )]  # fmt: skip


def _clickhouse_component(stats: WriterStats, error: str) -> Component:
    problem = stats.last_error or error
    if problem:
        return Component("ClickHouse", Status.DOWN, problem)
    return Component("ClickHouse", Status.OK, "answers")


def _writer_component(stats: WriterStats) -> Component:
    ratio = stats.queued_rows / max(stats.capacity_rows, 1)
    why = f"{number(stats.queued_rows)} of {count(stats.capacity_rows, 'row')} queued"
    status = Status.OK
    if stats.dropped_rows:
        status, why = Status.CRITICAL, f"{count(stats.dropped_rows, 'row')} dropped since the start, {why}"
    elif ratio >= QUEUE_CRITICAL_RATIO:
        status = Status.CRITICAL
    elif ratio >= QUEUE_WARNING_RATIO:
        status = Status.WARNING
    return Component("writer", status, why, ratio, "ratio")


def _spool_component(stats: WriterStats, capacity_bytes: int) -> Component:
    ratio = stats.spooled_bytes / max(capacity_bytes, 1)
    if stats.spool_dropped_rows:
        why = f"{count(stats.spool_dropped_rows, 'row')} dropped since the start: the spool is full"
        return Component("spool", Status.CRITICAL, why, ratio, "ratio")
    if stats.refused_batches:
        why = f"{count(stats.refused_batches, 'batch', 'batches')} refused by ClickHouse and set aside"
        return Component("spool", Status.WARNING, why, ratio, "ratio")
    if stats.spooled_rows:
        why = f"{count(stats.spooled_rows, 'row')} waiting on disk for ClickHouse"
        return Component("spool", Status.WARNING, why, ratio, "ratio")
    return Component("spool", Status.OK, "nothing waits on disk", ratio, "ratio")


def _collector_samples(views: Sequence[TaskView]) -> list[Sample]:
    samples = []
    for view in views:
        values: dict[str, float | None] = {
            "collector_breaker_state": BREAKER_LEVEL[view.breaker.state],
            "collector_failures_in_a_row": view.failures_in_a_row,
            "collector_abandoned_threads": view.abandoned_threads,
            "collector_lateness_p99_seconds": percentile(view.lateness_seconds, 0.99),
        }
        samples += gauges(values, collector=view.collector)
    return samples


def _collector_row(view: TaskView, status: Status, why: str) -> tuple[object, ...]:
    last = view.last_run
    retry = view.breaker.retry_in_seconds
    return (
        view.collector,
        view.source.kind if view.source else "",
        view.source.instance if view.source else "",
        status.value,
        why,
        view.interval_seconds,
        view.timeout_seconds,
        last.started if last else None,
        last.outcome.value if last else None,
        view.last_success,
        view.next_run,
        last.duration_seconds if last else None,
        [round(seconds, 5) for seconds in view.durations_seconds],
        percentile(view.lateness_seconds, 0.99),
        view.failures_in_a_row,
        view.breaker.state.value,
        retry if retry < 1e9 else None,
        view.breaker.opened_total,
        view.abandoned_threads,
        last.samples if last else None,
        last.error if last else "",
    )


def _writer_table(stats: WriterStats, spool_capacity_bytes: int) -> tuple[tuple[str, ...], tuple[tuple[object, ...]]]:
    row = {name: getattr(stats, name) for name in WriterStats.__slots__} | {
        "spool_capacity_bytes": spool_capacity_bytes
    }
    return tuple(row), (tuple(row.values()),)


QUERY_COLUMNS = (
    "kind", "count", "p50_seconds", "p95_seconds", "longest_seconds", "rows", "errors", "last_error"
)  # fmt: skip


def _kind_row(kind: QueryKind) -> tuple[object, ...]:
    return tuple(getattr(kind, column) for column in QUERY_COLUMNS)


def _size_row(size: TableSize) -> tuple[object, ...]:
    return size.table, size.rows, size.bytes, size.parts


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of `values` that at least `share` of them do not exceed; None when there are none."""
    if not values:
        return None
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


def _resident(processes: Sequence[psutil.Process]) -> float:
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it ended between the list and the look
            continue
    return float(total)
