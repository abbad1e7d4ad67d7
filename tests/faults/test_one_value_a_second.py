"""A series has one value a second, whoever wrote it: on a 1 s schedule under load, and when another takes over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.runtime.runner import Runner
from collectors.runtime.schedule import LATE_SECONDS, stamped
from core.clock import FakeClock
from core.lease import LEASE_SECONDS, Lease
from core.model import Sample, labels
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.sample_rows import REMEMBERED_SECONDS
from storage.clickhouse.settle import ROLLUPS
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.live.leases import LeaseStore
from storage.live.redis import Live
from tests.collectors.conftest import clock
from tests.collectors.fakes import FakeCollector, FakeLive, FakeWriter, eventually
from tests.support.times import MIDNIGHT

__all__ = ["clock"]


def doubled(writer: FakeWriter) -> list[tuple[str, str, int]]:
    """Return the series that have more than one value in a second."""
    seen = Counter((sample.metric, str(sample.labels), int(ts)) for _, ts, sample in writer.rows)
    return [key for key, times in seen.items() if times > 1]


@given(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([1.0, 1.5, 2.0, 5.0]),
    st.lists(st.floats(0, LATE_SECONDS - 0.01), min_size=2, max_size=40),
)
def test_runs_on_a_schedule_never_share_a_second_however_late_each_begins(
    phase: float, interval: float, late: list[float]
) -> None:
    due = [MIDNIGHT + phase + number * interval for number in range(len(late))]
    seconds = [int(stamped(at, at + by)) for at, by in zip(due, late, strict=True)]
    assert len(set(seconds)) == len(seconds)
    assert all(abs(second - at) < 1 for second, at in zip(seconds, due, strict=True))


def test_a_run_that_begins_much_later_counts_from_when_it_did() -> None:
    assert stamped(100.0, 100.0 + LATE_SECONDS) == 100.0 + LATE_SECONDS
    assert stamped(None, 100.7) == 100.7
    assert stamped(200.0, 100.7) == 100.7, "the clock was set back"


def test_a_second_value_of_a_series_in_a_second_is_left_out_and_counted(clickhouse: ClickHouse, tmp_path: Path) -> None:
    writer = Writer(clickhouse.insert, Spool(tmp_path / "spool.sqlite", 2**20))
    one, other = Sample("m", 1.0, labels(n="1")), Sample("m", 2.0, labels(n="2"))
    writer.put("host-1", MIDNIGHT + 10.1, [one, other, one])
    writer.put("host-1", MIDNIGHT + 10.9, [one])
    writer.put("host-2", MIDNIGHT + 10.9, [one])
    for second in (11, 12, 10, 11, 13):  # the clock is set back by two seconds
        writer.put("host-1", MIDNIGHT + second + 0.5, [one])
    writer.flush()
    stored = clickhouse.rows("SELECT toUnixTimestamp(ts), count() FROM samples GROUP BY series, ts ORDER BY 1")
    assert stored == [(MIDNIGHT + at, 1) for at in (10, 10, 10, 11, 12, 13)]
    assert writer.stats().repeated_rows == 4
    for rollup in ROLLUPS:
        assert clickhouse.rows(f"SELECT sum(points) FROM {rollup}") == [(6,)]


def test_what_is_remembered_of_seconds_is_bounded(clickhouse: ClickHouse, tmp_path: Path) -> None:
    writer = Writer(clickhouse.insert, Spool(tmp_path / "spool.sqlite", 2**20))
    for second in range(10 * REMEMBERED_SECONDS):
        writer.put("host-1", MIDNIGHT + second, [Sample("m", 1.0)])
    assert len(writer._samples._taken) == REMEMBERED_SECONDS


class Two:
    """Two processes with one lease, on one clock, that write to one place."""

    def __init__(self, live: Live, clock: FakeClock, writer: FakeWriter) -> None:
        live.client.flushall()
        self._live = live
        self._clock = clock
        self.writer = writer
        self.leases = [Lease(LeaseStore(live), name, clock) for name in ("first", "second")]
        self.runners = [Runner("host-1", clock, writer, FakeLive(), lease) for lease in self.leases]
        self.sources = [FakeCollector(interval_seconds=1.0) for _ in self.runners]
        for runner, source in zip(self.runners, self.sources, strict=True):
            runner.add(source)
            runner.scheduler.start(paused=True)

    def turn(self, seconds: float, *awake: int) -> None:
        """Let time pass; those that are awake see to their lease and do what is due."""
        self._clock.advance(seconds)
        for number in awake:
            before = len(self.sources[number].calls)
            self.runners[number].hold_lease()
            self.runners[number].scheduler._process_jobs()
            self._settle(number, before)

    def run_out(self) -> None:
        """Let the lease run out for the server too."""
        self._live.client.pexpire(self._live.key("lease", "collectors"), 1)
        eventually(lambda: not self._live.client.exists(self._live.key("lease", "collectors")), "the key runs out")

    def _settle(self, number: int, before: int) -> None:
        executor = self.runners[number].scheduler._lookup_executor("source")
        eventually(lambda: not executor._instances, "what was due has run")
        assert len(self.sources[number].calls) >= before

    def stop(self) -> None:
        for runner in self.runners:
            if runner.scheduler.running:
                runner.stop(deadline_seconds=1.0)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.95])
def test_none_is_there_twice_when_a_process_stops_and_another_takes_over(
    live: Live, clock: FakeClock, fake_writer: FakeWriter, phase: float
) -> None:
    clock.advance(phase)
    two = Two(live, clock, fake_writer)
    for _ in range(4):
        two.turn(1.0, 0, 1)
    assert two.sources[0].calls and not two.sources[1].calls
    two.runners[0].stop(deadline_seconds=1.0)
    for _ in range(8):
        two.turn(0.25, 1)
    assert two.sources[1].calls
    assert doubled(fake_writer) == []
    two.stop()


def test_a_process_that_stalled_past_its_lease_writes_nothing_when_it_wakes(
    live: Live, clock: FakeClock, fake_writer: FakeWriter
) -> None:
    two = Two(live, clock, fake_writer)
    for _ in range(3):
        two.turn(1.0, 0, 1)
    calls = len(two.sources[0].calls)
    two.run_out()
    two.turn(LEASE_SECONDS + 0.5, 1)
    two.turn(1.0, 1)
    assert two.sources[1].calls
    # It wakes: what is due runs before it looks at its lease.
    two.runners[0].scheduler._process_jobs()
    eventually(lambda: not two.runners[0].scheduler._lookup_executor("source")._instances, "what was due has run")
    assert len(two.sources[0].calls) == calls
    assert doubled(fake_writer) == []
    two.stop()


@pytest.fixture
def fake_writer() -> FakeWriter:
    return FakeWriter()
