"""Collector "pipeline": Fundwatch about itself. Its collectors, its writer and spool, its tables, its own cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat

import psutil

from collectors.base import Context, gauges
from collectors.runtime.task_view import TaskView
from core.clock import Clock
from core.errors import StorageError
from core.format import coarse_duration, count, duration, number
from core.model import Component, Outcome, Reading, Sample, Status
from core.pipeline import spec
from core.pipeline.spec import (
    LATENESS,
    QUEUE,
    SIZES_SECONDS,
    STATEMENTS_SECONDS,
    BreakerState,
    Checks,
    CollectorRuns,
    StatementKind,
    TableSize,
    WriterStats,
)
from core.rates import Rates
from core.tables import table_of
from status.freshness import stale_after_seconds
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.pipeline import statement_kinds, table_sizes
from storage.clickhouse.spool import SpoolStats
from storage.clickhouse.spools import others
from storage.folder import FolderLock

SOON_SECONDS = 10.0
"""Tables and query log are read a second time sooner: at the first, a new database is still empty."""
BREAKER_LEVEL = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 1.0, BreakerState.OPEN: 2.0}


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
        own_spool=stores.writer.spool_name,
        other_spools=partial(others, context.settings.data_dir, stores.writer.spool_name),
        data=DataFolder(stores.told, stores.lock),
        settings_problem=context.settings_problem,
    )


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The data folder: what of it was found missing or damaged at the start, and who holds it in this process."""

    told: Sequence[str] = ()
    lock: FolderLock | None = None

    def component(self) -> Component:
        """Return how it is."""
        if self.lock is not None and not self.lock.is_there():
            why = (
                f"{self.lock.folder} was deleted, moved or replaced while Fundwatch runs: "
                "what is stored now is lost when it stops; put the folder back, or restart"
            )
            return Component(Checks.DATA, Status.CRITICAL, why)
        if self.told:
            return Component(Checks.DATA, Status.WARNING, ". ".join(self.told))
        return Component(Checks.DATA, Status.OK, "nothing missing")


class PipelineCollector:
    """Reports the state of the collectors of this process, of the writer and of what lies on disk."""

    name = spec.PIPELINE
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
        own_spool: str = "spool.sqlite",
        other_spools: Callable[[], Mapping[str, SpoolStats]] = dict,
        data: DataFolder | None = None,
        settings_problem: Callable[[], str] = lambda: "",
    ) -> None:
        self.interval_seconds = interval_seconds
        self._runs = runs
        self._writer_stats = writer_stats
        self._clickhouse = clickhouse
        self._clock = clock
        self._spool_capacity_bytes = spool_capacity_bytes
        self._own_spool = own_spool
        self._other_spools = other_spools
        self._data = data or DataFolder()
        self._settings_problem = settings_problem
        self._rates = Rates()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._sizes: list[TableSize] = []
        self._statements: list[StatementKind] = []
        self._pauses = chain((SOON_SECONDS,), repeat(SIZES_SECONDS))
        self._sizes_due = 0.0
        self._clickhouse_error = ""

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. ClickHouse being away is a component, not a failure of this collector."""
        views = self._runs()
        own, spools = self._writer_stats(), self._other_spools()
        stats = with_others(own, spools.values())
        waiting = {self._own_spool: own.spooled_rows} | {name: each.rows for name, each in spools.items()}
        samples = [*self._writer_samples(stats), *self._own_cost(), *_collector_samples(views)]
        if self._clock.monotonic() >= self._sizes_due:
            samples += self._read_sizes(now)
        rows = [_collector(view, *self._judge(view, now)) for view in views]
        collectors = [Component(row.component, Status(row.status), row.why) for row in rows]
        return Reading(
            samples=samples,
            components=[
                *collectors,
                *storage_components(stats, self._clickhouse_error, self._spool_capacity_bytes * len(waiting), waiting),
                self._data.component(),
                settings_component(self._settings_problem()),
            ],
            tables=[
                table_of(CollectorRuns, rows),
                table_of(WriterStats, [stats]),
                table_of(TableSize, self._sizes),
                table_of(StatementKind, self._statements),
            ],
        )

    def _judge(self, view: TaskView, now: float) -> tuple[Status, str]:
        if view.collector == self.name and view.last_run is None:
            return Status.OK, "first run in progress"
        return collector_status(view, now)

    def _writer_samples(self, stats: WriterStats) -> list[Sample]:
        written = self._rates.per_second("rows", stats.rows_written, self._clock.monotonic())
        return gauges(
            {
                spec.WRITER_QUEUE: stats.queued_rows,
                spec.WRITTEN_RATE: written,
                spec.WRITER_DROPPED: stats.dropped_rows,
                spec.WRITER_REPEATED: stats.repeated_rows,
                spec.WRITER_NOT_FINITE: stats.not_finite_rows,
                spec.SPOOL_ROWS: stats.spooled_rows,
                spec.SPOOL_BYTES: stats.spooled_bytes,
                spec.SPOOL_DROPPED: stats.spool_dropped_rows,
                spec.REFUSED_BATCHES: stats.refused_batches,
            }
        )

    def _own_cost(self) -> list[Sample]:
        with self._process.oneshot():
            memory, threads = self._process.memory_info().rss, self._process.num_threads()
        children = self._process.children(recursive=True)
        return gauges(
            {
                spec.PROCESS_MEMORY: memory,
                spec.CHILDREN_MEMORY: _resident(children),
                spec.PROCESS_CPU_RATIO: self._process.cpu_percent() / 100,
                spec.PROCESS_THREADS: threads,
            }
        )

    def _read_sizes(self, now: float) -> list[Sample]:
        # Set before asking: a ClickHouse that hangs may cost one run a minute, not every run.
        self._sizes_due = self._clock.monotonic() + next(self._pauses)
        try:
            self._sizes = table_sizes(self._clickhouse)
            self._statements = statement_kinds(self._clickhouse, now - STATEMENTS_SECONDS)
        except StorageError as error:
            self._clickhouse_error = str(error)
            return []
        self._clickhouse_error = ""
        samples = []
        for size in self._sizes:
            values = {spec.TABLE_ROWS: size.rows, spec.TABLE_BYTES: size.bytes}
            samples += gauges({**values, spec.TABLE_PARTS: size.parts}, table=size.table)
        return samples


def collector_status(view: TaskView, now: float) -> tuple[Status, str]:
    """Return a collector's status and a sentence why. Never run yet is UNKNOWN, which is not safe."""
    last, breaker = view.last_run, view.breaker
    error = last.error if last else ""
    if breaker.state is not BreakerState.CLOSED:
        left_alone = f"breaker open, {breaker.next_try}"
        return Status.DOWN, f"{left_alone}: {error}" if error else left_alone
    if last is None:
        return Status.UNKNOWN, "has not run yet"
    if last.outcome is not Outcome.OK:
        return Status.DOWN, f"{last.outcome.value}: {error}"
    if now - last.started > stale_after_seconds(view.interval_seconds, view.timeout_seconds):
        old = coarse_duration(now - last.started)
        return Status.WARNING, f"last run {old} ago, due every {view.interval_seconds:g} s"
    if LATENESS.is_bad(last.lateness_seconds / view.interval_seconds):
        return Status.WARNING, f"began {duration(last.lateness_seconds)} late"
    if last.duration_seconds > view.interval_seconds:
        return Status.WARNING, f"took {duration(last.duration_seconds)}, longer than its interval"
    return Status.OK, f"every {view.interval_seconds:g} s"


def settings_component(problem: str) -> Component:
    """Return the component of the settings: a warning while the file holds what was refused."""
    if not problem:
        return Component(Checks.SETTINGS, Status.OK, "in force")
    return Component(Checks.SETTINGS, Status.WARNING, f"changed ones refused, those before stay in force: {problem}")


def with_others(stats: WriterStats, spools: Iterable[SpoolStats]) -> WriterStats:
    """Return a writer's state with what waits in the spools of other processes beside its own."""
    for each in spools:
        stats = replace(
            stats,
            spooled_batches=stats.spooled_batches + each.batches,
            spooled_rows=stats.spooled_rows + each.rows,
            spooled_bytes=stats.spooled_bytes + each.bytes,
            spool_dropped_rows=stats.spool_dropped_rows + each.dropped_rows,
            refused_batches=stats.refused_batches + each.refused_batches,
            refused_rows=stats.refused_rows + each.refused_rows,
        )
    return stats


def storage_components(
    stats: WriterStats, clickhouse_error: str, spool_capacity_bytes: int, waiting: Mapping[str, int] | None = None
) -> list[Component]:
    """Return the components ClickHouse, writer and spool.

    stats: of all spools together. spool_capacity_bytes: of them all. waiting: rows by the name of each.
    """
    return [
        _clickhouse_component(stats, clickhouse_error),
        _writer_component(stats),
        _spool_component(stats, spool_capacity_bytes, waiting or {}),
    ]


def _clickhouse_component(stats: WriterStats, error: str) -> Component:
    problem = stats.last_error or error
    if problem:
        return Component(Checks.CLICKHOUSE, Status.DOWN, problem)
    return Component(Checks.CLICKHOUSE, Status.OK, "answers")


def _writer_component(stats: WriterStats) -> Component:
    ratio = stats.queued_rows / max(stats.capacity_rows, 1)
    why = f"{number(stats.queued_rows)} of {count(stats.capacity_rows, 'row')} queued"
    if stats.stuck_why:
        why = f"{stats.stuck_why}: {count(stats.queued_rows, 'row')} waiting, room for {number(stats.capacity_rows)}"
        lost = f"; {count(stats.dropped_rows, 'row')} dropped since the start" if stats.dropped_rows else ""
        return Component(Checks.WRITER, Status.CRITICAL, why + lost, ratio, "ratio")
    if stats.dropped_rows:
        why = f"{count(stats.dropped_rows, 'row')} dropped since the start, {why}"
        return Component(Checks.WRITER, Status.CRITICAL, why, ratio, "ratio")
    return Component(Checks.WRITER, QUEUE.status(ratio), why, ratio, "ratio")


def _spool_component(stats: WriterStats, capacity_bytes: int, waiting: Mapping[str, int]) -> Component:
    ratio = stats.spooled_bytes / max(capacity_bytes, 1)
    if stats.spool_dropped_rows:
        why = f"{count(stats.spool_dropped_rows, 'row')} dropped since the start: the spool is full"
        return Component(Checks.SPOOL, Status.CRITICAL, why, ratio, "ratio")
    if stats.refused_batches:
        batches = count(stats.refused_batches, "batch", "batches")
        why = f"{batches} ({count(stats.refused_rows, 'row')}) set aside: refused by ClickHouse or unreadable"
        return Component(Checks.SPOOL, Status.WARNING, why, ratio, "ratio")
    if stats.spooled_rows:
        why = f"{count(stats.spooled_rows, 'row')} waiting on disk for ClickHouse"
        if len(waiting) > 1:
            why += f": {', '.join(f'{number(rows)} in {name}' for name, rows in waiting.items() if rows)}"
        return Component(Checks.SPOOL, Status.WARNING, why, ratio, "ratio")
    return Component(Checks.SPOOL, Status.OK, "nothing waiting on disk", ratio, "ratio")


def _collector_samples(views: Sequence[TaskView]) -> list[Sample]:
    samples = []
    for view in views:
        values: dict[str, float | None] = {
            spec.BREAKER: BREAKER_LEVEL[view.breaker.state],
            spec.FAILURES: view.failures_in_a_row,
            spec.ABANDONED_THREADS: view.abandoned_threads,
            spec.LATENESS_P99: percentile(view.lateness_seconds, 0.99),
        }
        samples += gauges(values, collector=view.collector)
    return samples


def _collector(view: TaskView, status: Status, why: str) -> CollectorRuns:
    last = view.last_run
    retry = view.breaker.retry_in_seconds
    return CollectorRuns(
        collector=view.collector,
        kind=view.source.kind if view.source else "",
        instance=view.source.instance if view.source else "",
        status=status,
        why=why,
        interval_seconds=view.interval_seconds,
        timeout_seconds=view.timeout_seconds,
        last_run=last.started if last else None,
        last_outcome=last.outcome if last else None,
        last_success=view.last_success,
        next_run=view.next_run,
        duration_seconds=last.duration_seconds if last else None,
        durations_seconds=[round(seconds, 5) for seconds in view.durations_seconds],
        lateness_p99_seconds=percentile(view.lateness_seconds, 0.99),
        failures_in_a_row=view.failures_in_a_row,
        breaker=view.breaker.state,
        retry_in_seconds=retry if math.isfinite(retry) else None,
        opened_total=view.breaker.opened_total,
        abandoned_threads=view.abandoned_threads,
        samples=last.samples if last else None,
        error=last.error if last else "",
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of `values` that at least `share` of them do not exceed; None when there are none."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _resident(processes: Sequence[psutil.Process]) -> float:
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it ended between the list and the look
            continue
    return float(total)
