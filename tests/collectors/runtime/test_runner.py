from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collectors.runtime.runner import Runner
from collectors.runtime.task import ABANDONED_THREADS_MAX, HANGING_THREADS_MAX
from core.clock import FakeClock, SystemClock
from core.errors import SourceRejected, SourceUnavailable
from core.model import Facts, Outcome, Reading, Sample, Status, labels
from storage.live.redis import Live
from tests.collectors.fakes import PATIENCE_SECONDS, FakeCollector, FakeLive, FakeWriter, eventually, finish

UP = labels(collector="source")


def turn(runner: Runner, clock: FakeClock, seconds: float) -> None:
    """Let time pass, then do a round of the guard and of the scheduler."""
    clock.advance(seconds)
    runner.tick()
    runner.scheduler._process_jobs()


def test_a_good_run_is_stamped_stored_shown_and_recorded(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    source = FakeCollector()
    fact = Facts("nav", ("nav",), ([1.0, 2.0],))
    source.answer = Reading(samples=[Sample("temperature_celsius", 21.0)], facts=[fact])
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    turn(runner, clock, 5.0)

    host, ts, sample = fake_writer.rows[0]
    assert (host, ts, sample) == ("host-1", source.calls[0], Sample("temperature_celsius", 21.0))
    assert fake_writer.values("collector_up", UP)[0] == 1.0
    assert fact in fake_writer.facts
    assert fake_live.readings["source"] is source.answer
    assert fake_live.timeouts["source"] == source.timeout_seconds
    assert fake_live.bumps["source"] >= 1
    (run,) = fake_writer.runs()[:1]
    assert (run["collector"], run["outcome"], run["samples"], run["error"]) == ("source", "ok", 3, "")
    assert runner.views()[0].last_success == source.calls[0]


@pytest.mark.parametrize(
    ("error", "outcome", "why"),
    [
        (SourceUnavailable("no answer from 10.0.0.9"), Outcome.UNAVAILABLE, "no answer from 10.0.0.9"),
        (SourceRejected("bad password"), Outcome.REJECTED, "bad password"),
        (KeyError("idle"), Outcome.ERROR, "KeyError: 'idle'"),
    ],
)
def test_a_failure_leaves_a_gap_and_says_why(
    runner: Runner,
    clock: FakeClock,
    fake_writer: FakeWriter,
    fake_live: FakeLive,
    error: Exception,
    outcome: Outcome,
    why: str,
) -> None:
    source = FakeCollector()
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    source.answer = error
    turn(runner, clock, 5.0)
    finish(runner, source.name, 2)

    assert fake_writer.values("temperature_celsius") == [21.0], "the last value must not be repeated"
    assert fake_writer.values("collector_up", UP) == [1.0, 0.0]
    (component,) = fake_live.readings["source"].components
    assert component.status is Status.DOWN
    assert why in component.why
    view = runner.views()[0]
    assert view.last_run is not None
    assert (view.last_run.outcome, view.failures_in_a_row) == (outcome, 1)
    assert view.last_success == source.calls[0]


def test_a_reading_without_news_builds_no_page_anew(runner: Runner, clock: FakeClock, fake_live: FakeLive) -> None:
    source = FakeCollector()
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    source.answer = Reading(is_news=False)
    turn(runner, clock, 5.0)
    finish(runner, source.name, 2)
    assert fake_live.bumps["source"] == 1
    assert fake_live.readings["source"] is source.answer


def test_rows_of_a_portfolio_refresh_its_page_until_they_have_been_written(
    runner: Runner, clock: FakeClock, fake_live: FakeLive
) -> None:
    source = FakeCollector()
    source.answer = Reading(facts=[Facts("nav", ("nav",), ([1.0],)), Facts("trades", ("price",), ([1.0],))])
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    source.answer = Reading()
    bumps = [fake_live.bumps["portfolio"]]
    for runs in (2, 3):
        turn(runner, clock, 5.0)
        finish(runner, source.name, runs)
        bumps.append(fake_live.bumps["portfolio"])
    assert bumps == [1, 2, 2]


def test_a_source_that_keeps_failing_is_left_alone_but_still_reported_down(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    source = FakeCollector(interval_seconds=1.0)
    source.answer = SourceUnavailable("connection refused")
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    for runs in (2, 3):
        turn(runner, clock, 1.0)
        finish(runner, source.name, runs)
    turn(runner, clock, 1.0)
    eventually(lambda: len(fake_writer.values("collector_up", UP)) == 4, "a skipped run is reported")

    assert len(source.calls) == 3, "the breaker is open"
    assert fake_writer.values("collector_up", UP) == [0.0] * 4
    assert "connection refused; next try in" in fake_live.readings["source"].components[0].why

    source.answer = Reading()
    for _ in range(7):
        turn(runner, clock, 1.0)
    eventually(lambda: fake_writer.values("collector_up", UP)[-1] == 1.0, "the probe succeeds")
    assert runner.views()[0].failures_in_a_row == 0


def test_a_run_past_its_deadline_is_given_up_and_its_late_result_thrown_away(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    source = FakeCollector(interval_seconds=5.0, timeout_seconds=2.0)
    source.gate = hang = threading.Event()
    source.answer = Reading(samples=[Sample("temperature_celsius", -99.0)])
    runner.add(source)
    runner.scheduler.start()
    source.wait_until_entered()

    turn(runner, clock, 1.9)
    assert runner.views()[0].last_run is None, "not late yet"
    turn(runner, clock, 0.2)
    finish(runner, source.name, 1)
    view = runner.views()[0]
    assert view.last_run is not None
    assert view.last_run.outcome is Outcome.TIMEOUT
    assert "no result within 2 s, hangs in" in view.last_run.error
    assert (view.abandoned_threads, view.failures_in_a_row) == (1, 1)
    assert fake_live.readings["source"].components[0].status is Status.DOWN

    source.gate, source.answer = None, Reading(samples=[Sample("temperature_celsius", 20.0)])
    turn(runner, clock, 3.0)
    finish(runner, source.name, 2)
    assert fake_writer.values("temperature_celsius") == [20.0], "its replacement works"

    hang.set()
    eventually(lambda: runner.views()[0].abandoned_threads == 0, "the abandoned thread returns")
    assert -99.0 not in fake_writer.values("temperature_celsius")
    assert len(runner.views()[0].durations_seconds) == 2


def test_a_source_that_always_hangs_cannot_eat_all_threads(
    runner: Runner, clock: FakeClock, fake_live: FakeLive
) -> None:
    source = FakeCollector(interval_seconds=5.0, timeout_seconds=2.0)
    source.gate = hang = threading.Event()
    runner.add(source)
    runner.scheduler.start()
    for hanging in range(1, ABANDONED_THREADS_MAX + 1):
        source.wait_until_entered()
        turn(runner, clock, 2.1)
        finish(runner, source.name, hanging)
        assert runner.views()[0].abandoned_threads == hanging
        turn(runner, clock, 400.0)
    for _ in range(20):
        turn(runner, clock, 400.0)
    eventually(lambda: "still hang" in fake_live.readings["source"].components[0].why, "it says so")
    assert len(source.calls) == ABANDONED_THREADS_MAX
    with pytest.raises(SourceUnavailable, match=f"^{ABANDONED_THREADS_MAX} runs still hang"):
        runner.try_now(source.name, PATIENCE_SECONDS)
    hang.set()
    eventually(lambda: runner.views()[0].abandoned_threads == 0, "threads return")


def test_what_a_removed_source_brings_late_is_thrown_away(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    old, new = FakeCollector(), FakeCollector()
    old.gate = hang = threading.Event()
    old.answer = Reading(samples=[Sample("temperature_celsius", -99.0)])
    runner.add(old)
    runner.scheduler.start()
    old.wait_until_entered()
    runner.remove(old.name)
    runner.add(new)
    assert runner.views()[0].abandoned_threads == 1
    clock.advance(1.0)
    runner.scheduler._process_jobs()
    finish(runner, new.name, 1)
    hang.set()
    eventually(lambda: runner.views()[0].abandoned_threads == 0, "the old run returns")
    assert fake_writer.values("temperature_celsius") == [21.0]
    assert fake_live.readings["source"] is new.answer
    assert len(fake_writer.runs()) == 1


def test_a_hanging_source_that_is_changed_again_and_again_cannot_eat_all_threads(
    runner: Runner, clock: FakeClock, fake_live: FakeLive
) -> None:
    hang, source = threading.Event(), FakeCollector()
    runner.scheduler.start()
    for _ in range(HANGING_THREADS_MAX):
        source = FakeCollector()
        source.gate = hang
        runner.add(source)
        turn(runner, clock, 1.0)
        source.wait_until_entered()
        runner.remove(source.name)
    last = FakeCollector(interval_seconds=1.0)
    runner.add(last)
    turn(runner, clock, 1.0)
    eventually(lambda: "source" in fake_live.readings, "it is told")
    assert fake_live.readings["source"].components[0].why.startswith(f"{HANGING_THREADS_MAX} runs still hang")
    assert last.calls == []
    hang.set()
    eventually(lambda: runner.views()[0].abandoned_threads == 0, "threads return")
    turn(runner, clock, 1.0)
    finish(runner, last.name, 1)


def test_a_source_that_is_tried_by_hand_is_tried_after_the_run_that_it_is_at(runner: Runner, clock: FakeClock) -> None:
    source = FakeCollector(interval_seconds=60.0, timeout_seconds=30.0)
    source.gate = slow = threading.Event()
    runner.add(source)
    runner.scheduler.start()
    source.wait_until_entered()
    clock.advance(1.0)
    with pytest.raises(SourceUnavailable, match=r"the run before has not ended within 0\.1 s"):
        runner.try_now(source.name, 0.1)
    with ThreadPoolExecutor(1) as pool:
        tried = pool.submit(runner.try_now, source.name, PATIENCE_SECONDS)
        source.gate = None
        slow.set()
        assert tried.result().started == clock.now()
    assert len(source.calls) == 2
    assert runner.views()[0].next_run == pytest.approx(clock.now() + 60.0)
    source.gate = slow = threading.Event()
    clock.advance(1.0)
    with pytest.raises(SourceUnavailable, match=r"no answer within 0\.1 s; the run is given up after 30 s"):
        runner.try_now(source.name, 0.1)
    slow.set()


def test_ten_hanging_collectors_do_not_delay_the_healthy_one(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter
) -> None:
    hang = threading.Event()
    stuck = [FakeCollector(f"stuck-{number}") for number in range(12)]
    for source in stuck:
        source.gate = hang
        runner.add(source)
    healthy = FakeCollector("healthy", interval_seconds=1.0)
    runner.add(healthy)
    runner.scheduler.start()
    turn(runner, clock, 1.5)
    for source in stuck:
        source.wait_until_entered()
    for runs in range(1, 11):
        finish(runner, "healthy", runs)
        turn(runner, clock, 1.0)
    assert len(healthy.calls) >= 10
    assert fake_writer.values("collector_up", labels(collector="healthy")) == [1.0] * len(
        fake_writer.values("collector_up", labels(collector="healthy"))
    )
    hang.set()


def test_a_run_longer_than_its_interval_never_overlaps_itself(runner: Runner, clock: FakeClock) -> None:
    source = FakeCollector(interval_seconds=1.0, timeout_seconds=60.0)
    source.gate = slow = threading.Event()
    runner.add(source)
    runner.scheduler.start()
    source.wait_until_entered()
    for _ in range(5):
        turn(runner, clock, 1.0)
    assert len(source.calls) == 1
    slow.set()
    finish(runner, source.name, 1)
    source.gate = None
    turn(runner, clock, 1.0)
    finish(runner, source.name, 2)


def test_data_is_stored_while_redis_is_away(clock: FakeClock, fake_writer: FakeWriter) -> None:
    away = Live("redis://127.0.0.1:1")
    runner = Runner("host-1", clock, fake_writer, away)
    runner.add(FakeCollector())
    runner.scheduler.start()
    eventually(lambda: len(fake_writer.runs()) == 1, "the run is recorded")
    assert away.problem
    assert fake_writer.values("collector_up", UP) == [1.0], "the source is fine, Redis is not"
    assert [run["outcome"] for run in fake_writer.runs()] == ["ok"]
    runner.stop(deadline_seconds=1.0)


class FakeImporter:
    name = "inbox"
    interval_seconds = 1.0
    timeout_seconds = 5.0

    def take_in(self, now: float) -> Reading:
        return Reading(samples=(Sample("inbox_waiting_files", 0.0),))


def test_an_importer_is_scheduled_and_recorded_like_a_collector(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter
) -> None:
    runner.add_importer(FakeImporter())
    with pytest.raises(ValueError, match="inbox"):
        runner.add(FakeCollector("inbox"))
    runner.scheduler.start()
    eventually(lambda: len(fake_writer.runs()) == 1, "the run is recorded")
    turn(runner, clock, 1.0)
    eventually(lambda: len(fake_writer.runs()) == 2, "it is run again")
    assert [run["outcome"] for run in fake_writer.runs()] == ["ok", "ok"]
    assert fake_writer.values("inbox_waiting_files") == [0.0, 0.0]


def test_a_breaker_opened_by_hand_stops_the_collector(runner: Runner, clock: FakeClock, fake_live: FakeLive) -> None:
    source = FakeCollector()
    runner.add(source)
    runner.scheduler.start()
    finish(runner, source.name, 1)
    runner.task("source").breaker.open_by_hand()
    turn(runner, clock, 5.0)
    eventually(lambda: bool(fake_live.readings["source"].components), "it is shown as down")
    assert "not tried until switched on again" in fake_live.readings["source"].components[0].why
    assert len(source.calls) == 1


def test_stop_lets_a_run_finish_and_stores_it(clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive) -> None:
    runner = Runner("host-1", clock, fake_writer, fake_live)
    source = FakeCollector()
    source.gate = gate = threading.Event()
    runner.add(source)
    runner.scheduler.start()
    source.wait_until_entered()
    threading.Timer(0.05, gate.set).start()
    runner.stop(deadline_seconds=10.0)
    assert fake_writer.values("temperature_celsius") == [21.0]
    assert [run["outcome"] for run in fake_writer.runs()] == ["ok"]


def test_stop_does_not_wait_longer_than_its_deadline_and_records_what_it_cut_off(
    clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    runner = Runner("host-1", clock, fake_writer, fake_live)
    source = FakeCollector()
    source.gate = gate = threading.Event()
    runner.add(source)
    runner.scheduler.start()
    source.wait_until_entered()
    runner.stop(deadline_seconds=0.2)
    (run,) = fake_writer.runs()
    assert run["outcome"] == "timeout"
    assert str(run["error"]).startswith("stopped while running")
    gate.set()


def test_the_started_runner_holds_deadlines_by_itself(fake_writer: FakeWriter, fake_live: FakeLive) -> None:
    runner = Runner("host-1", SystemClock(), fake_writer, fake_live)
    source = FakeCollector(interval_seconds=60.0, timeout_seconds=0.2)
    source.gate = gate = threading.Event()
    runner.add(source)
    runner.start()
    finish(runner, source.name, 1)
    last = runner.views()[0].last_run
    assert last is not None
    assert last.outcome is Outcome.TIMEOUT
    assert last.duration_seconds >= 0.2
    runner.stop(deadline_seconds=0.5)
    gate.set()


def test_two_collectors_of_one_name_are_refused(runner: Runner) -> None:
    runner.add(FakeCollector("system"))
    with pytest.raises(ValueError, match="system"):
        runner.add(FakeCollector("system"))
