from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from collectors.pipeline import DataFolder, PipelineCollector, collector_status, percentile, storage_components
from collectors.runtime.breaker import BreakerView
from collectors.runtime.registry import IMPORTERS, MODULES, build_runner, enabled
from collectors.runtime.task_view import TaskView
from core.clock import FakeClock
from core.errors import SourceUnavailable
from core.kinds.registry import Watch
from core.model import Facts, Outcome, Reading, Run, Status
from core.pipeline.spec import BreakerState, CollectorRuns, TableSize, WriterStats
from core.settings.collectors import Sources
from core.settings.model import Settings
from core.tables import rows_of
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.pipeline import run_buckets, run_history
from storage.clickhouse.spool import Spool
from storage.clickhouse.spools import others
from storage.folder import FolderLock
from storage.stores import Stores
from tests.collectors.fakes import FakeCollector, finish

NOW = 1_700_000_100.0
CLOSED = BreakerView(BreakerState.CLOSED, 0, 0.0, 0)
RUN = Run("system", NOW - 3, 0.01, 0.0, Outcome.OK, 40)
VIEW = TaskView("system", 5.0, 4.0, RUN, RUN.started, 0, CLOSED, None, NOW + 2, (0.01,), (0.0,), 0)
STATS = WriterStats(0, 1000, 0.0, 1, 10, 0, 0, 0, 0, 0, 0, 0, NOW, "", "", 0, 0)


@pytest.mark.parametrize(
    ("view", "status", "why"),
    [
        (VIEW, Status.OK, "every 5 s"),
        (replace(VIEW, last_run=None), Status.UNKNOWN, "has not run yet"),
        (replace(VIEW, last_run=replace(RUN, started=NOW - 17)), Status.OK, "every 5 s"),
        (replace(VIEW, last_run=replace(RUN, started=NOW - 18)), Status.WARNING, "last run 18 s ago"),
        (replace(VIEW, last_run=replace(RUN, lateness_seconds=3.0)), Status.WARNING, "3.0 s late"),
        (
            replace(VIEW, last_run=replace(RUN, duration_seconds=5.5)),
            Status.WARNING,
            "took 5.5 s, longer than its interval",
        ),
        (
            replace(VIEW, last_run=replace(RUN, outcome=Outcome.UNAVAILABLE, error="refused")),
            Status.DOWN,
            "unavailable: refused",
        ),
        (
            replace(
                VIEW,
                last_run=replace(RUN, outcome=Outcome.TIMEOUT, error="no result within 4 s"),
                breaker=BreakerView(BreakerState.OPEN, 3, 12.0, 1),
            ),
            Status.DOWN,
            "next try in 12 s: no result within 4 s",
        ),
        (
            replace(VIEW, breaker=BreakerView(BreakerState.OPEN, 0, float("inf"), 1)),
            Status.DOWN,
            "not tried until switched on again",
        ),
    ],
)
def test_the_status_of_a_collector_says_why(view: TaskView, status: Status, why: str) -> None:
    found, sentence = collector_status(view, NOW)
    assert found is status
    assert why in sentence


@pytest.mark.parametrize(
    ("stats", "error", "component", "status"),
    [
        (STATS, "", "writer", Status.OK),
        (replace(STATS, queued_rows=500), "", "writer", Status.WARNING),
        (replace(STATS, queued_rows=950), "", "writer", Status.CRITICAL),
        (replace(STATS, dropped_rows=1), "", "writer", Status.CRITICAL),
        (replace(STATS, queued_rows=7, stuck_why="disk full"), "", "writer", Status.CRITICAL),
        (STATS, "", "spool", Status.OK),
        (replace(STATS, spooled_rows=7, spooled_bytes=90), "", "spool", Status.WARNING),
        (replace(STATS, spool_dropped_rows=1), "", "spool", Status.CRITICAL),
        (replace(STATS, refused_batches=1), "", "spool", Status.WARNING),
        (STATS, "", "ClickHouse", Status.OK),
        (replace(STATS, last_error="connection refused"), "", "ClickHouse", Status.DOWN),
        (STATS, "timeout", "ClickHouse", Status.DOWN),
    ],
)
def test_storage_in_trouble_shows(stats: WriterStats, error: str, component: str, status: Status) -> None:
    found = {part.name: part.status for part in storage_components(stats, error, 1000)}
    assert found[component] is status


def test_percentile_is_a_value_that_occurred() -> None:
    assert percentile([], 0.99) is None
    assert percentile([3.0], 0.99) == 3.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([1.0, 2.0], 0.5) == 1.0


def test_runs_travel_from_the_scheduler_to_the_screen_and_to_history(stores: Stores, clock: FakeClock) -> None:
    clock.jump(time.time() - clock.now())  # ClickHouse drops rows older than it keeps, by its own clock
    runner = build_runner(replace(stores, clock=clock), ["pipeline"])
    source = FakeCollector("source")
    source.answer = SourceUnavailable("no answer from 10.0.0.9")
    runner.add(source)
    runner.scheduler.start()
    finish(runner, "pipeline", 1)
    clock.advance(1.0)
    runner.scheduler._process_jobs()
    finish(runner, "source", 1)
    clock.advance(5.0)
    runner.scheduler._process_jobs()
    finish(runner, "pipeline", 2)
    runner.stop(deadline_seconds=5.0)
    stores.writer.flush()

    reading = stores.live.reading("pipeline", "host-1")
    assert reading is not None
    parts = {part.name: part for part in reading.components}
    assert parts["collector pipeline"].status is Status.OK
    assert parts["collector source"].status is Status.DOWN
    assert "no answer from 10.0.0.9" in parts["collector source"].why
    row = rows_of(reading.tables, CollectorRuns)[1]
    assert (row.collector, row.component, row.last_outcome) == ("source", "collector source", "unavailable")
    assert row.failures_in_a_row >= 1  # its second run may end before that of the pipeline
    assert (reading.value("process_resident_memory_bytes") or 0) > 1_000_000

    now = clock.now()
    history = run_history(stores.clickhouse, "host-1", now - 60, now + 1)
    assert {run.collector for run in history} == {"pipeline", "source"}
    assert [run.started for run in history] == sorted((run.started for run in history), reverse=True)
    failed = run_history(stores.clickhouse, "host-1", now - 60, now + 1, outcome="failed")
    assert {run.error for run in failed} == {"no answer from 10.0.0.9"}
    assert run_history(stores.clickhouse, "host-1", now - 60, now + 1, collector="source", outcome="ok") == []
    assert run_history(stores.clickhouse, "elsewhere", now - 60, now + 1) == []
    buckets = run_buckets(stores.clickhouse, "host-1", now - 60, now + 1, 60)
    assert sum(bucket.failures for bucket in buckets if bucket.collector == "source") == len(failed) >= 1
    assert sum(bucket.runs for bucket in buckets if bucket.collector == "pipeline") == 2


def sizes(reading: Reading) -> dict[str, TableSize]:
    return {size.table: size for size in rows_of({table.name: table for table in reading.tables}, TableSize)}


def test_tables_on_disk_and_kinds_of_queries_are_read_again_after_a_minute(stores: Stores, clock: FakeClock) -> None:
    collector = PipelineCollector(list, stores.writer.stats, stores.clickhouse, clock)
    collector.collect(clock.now())
    stores.writer.put("host-1", clock.now(), [])
    clock.advance(11)
    first = sizes(collector.collect(clock.now()))
    assert list(first) == ["schema_migrations"]
    stores.clickhouse.command("INSERT INTO samples SELECT 1, now() - number, number FROM numbers(5000)")
    clock.advance(30)
    assert sizes(collector.collect(clock.now())) == first, "not asked more than once a minute"
    clock.advance(31)
    samples = sizes(collector.collect(clock.now()))["samples"]
    assert samples.rows == 5000
    assert samples.bytes > 0


def test_clickhouse_away_is_reported_and_does_not_fail_the_collector(stores: Stores, clock: FakeClock) -> None:
    away = ClickHouse("http://127.0.0.1:1")
    collector = PipelineCollector(list, stores.writer.stats, away, clock)
    reading = collector.collect(clock.now())
    parts = {part.name: part for part in reading.components}
    assert parts["ClickHouse"].status is Status.DOWN
    assert parts["ClickHouse"].why
    assert parts["writer"].status is Status.OK
    assert any(sample.metric == "process_threads" for sample in reading.samples)


def test_every_collector_and_importer_has_a_switch_and_is_made_under_its_name(stores: Stores) -> None:
    names = [*MODULES, *IMPORTERS]
    assert {*names, "own"} == set(Sources.model_fields)
    runner = build_runner(stores, names)
    assert [view.collector for view in runner.views()] == names
    for view in runner.views():
        assert view.timeout_seconds > 0


def test_only_what_is_switched_on_runs(settings: Settings) -> None:
    assert enabled(settings)[:7] == ["system", "processes", "pipeline", "requests", "health", "inbox", "audit"]
    assert all(name.endswith(":own") for name in enabled(settings)[7:])
    quiet = settings.model_copy(update={"sources": Sources(system=False, replay=True, own=False)})
    assert enabled(quiet) == ["processes", "replay", "pipeline", "requests", "health", "inbox", "audit"]


def test_every_configured_instance_of_a_source_has_a_collector_of_its_own(stores: Stores) -> None:
    instances = [{"name": name, "url": "redis://127.0.0.1:1"} for name in ("main", "cache-2")]
    settings = stores.settings.model_copy(update={"watch": Watch.model_validate({"redis": instances})})
    runner = build_runner(replace(stores, settings=settings))
    names = [view.collector for view in runner.views()]
    assert {"redis:main", "redis:cache-2", "redis:own"} <= set(names)


def test_what_the_data_folder_lacks_is_told_and_that_it_is_gone(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "data")
    assert DataFolder((), lock).component().status is Status.OK
    lacking = DataFolder(("43 parts are missing; restore them",), lock)
    assert (lacking.component().status, lacking.component().why) == (
        Status.WARNING,
        "43 parts are missing; restore them",
    )
    (tmp_path / "data").rename(tmp_path / "moved")
    gone = lacking.component()
    assert gone.status is Status.CRITICAL
    assert "was deleted, moved or replaced while Fundwatch runs" in gone.why
    lock.release()


def test_what_waits_in_the_spools_of_other_processes_counts_and_is_named(
    stores: Stores, clock: FakeClock, tmp_path: Path
) -> None:
    rows = Facts("runs", ("ts",), [[1, 2, 3]])
    files = (tmp_path / "spool.sqlite", tmp_path / "spool-2.sqlite")
    with closing(Spool(files[0], 2**20)) as own, closing(Spool(files[1], 2**20)) as two:
        own.append(rows)
        two.append(rows)
        two.append(rows)
        collector = PipelineCollector(
            list, lambda: replace(stores.writer.stats(), spooled_rows=own.stats().rows), stores.clickhouse, clock,
            own_spool=own.name, other_spools=partial(others, tmp_path, own.name),
        )  # fmt: skip
        reading = collector.collect(clock.now())
    (spool,) = [part for part in reading.components if part.name == "spool"]
    assert spool.why == "9 rows waiting on disk for ClickHouse: 3 in spool.sqlite, 6 in spool-2.sqlite"
    assert {sample.metric: sample.value for sample in reading.samples}["pipeline_spool_rows"] == 9
