from __future__ import annotations

import pytest

from collectors.runtime.clock_guard import ClockGuard
from collectors.runtime.runner import Runner
from core.clock import FakeClock
from tests.collectors.fakes import FakeCollector, FakeWriter, finish


@pytest.mark.parametrize("step", [-3600.0, -10.0, 10.0, 86_400.0])
def test_a_step_is_seen_once_with_its_size(step: float) -> None:
    clock = FakeClock()
    guard = ClockGuard(clock)
    clock.advance(1)
    clock.jump(step)
    assert guard.tick() == pytest.approx(step)
    clock.advance(1)
    assert guard.tick() == 0.0


def test_slewing_and_a_long_pause_between_ticks_are_no_jumps() -> None:
    clock = FakeClock()
    guard = ClockGuard(clock)
    for _ in range(100):
        clock.advance(1)
        clock.jump(0.05)
        assert guard.tick() == 0.0
    clock.advance(600)
    assert guard.tick() == 0.0


def run_for(runner: Runner, clock: FakeClock, seconds: int, *, guarded: bool) -> None:
    for _ in range(seconds):
        clock.advance(1)
        if guarded:
            runner.tick()
        # The scheduler's own round, done here so that it is over when this returns.
        runner.scheduler._process_jobs()


def test_collectors_go_on_when_the_wall_clock_steps_back(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter
) -> None:
    source = FakeCollector(interval_seconds=1.0)
    runner.add(source)
    runner.scheduler.start()
    finish(runner, "source", 1)
    runner.tick()
    clock.jump(-3600)

    run_for(runner, clock, 8, guarded=False)
    assert len(source.calls) == 1, "without the guard the scheduler waits for the clock to catch up"

    runner.tick()
    finish(runner, "source", 2)
    assert source.calls[-1] < source.calls[0]
    assert fake_writer.values("system_clock_jump_seconds") == [-3600.0]
    for runs in range(3, 8):
        run_for(runner, clock, 1, guarded=True)
        finish(runner, "source", runs)


def test_a_step_forward_makes_one_run_and_not_one_for_each_missed_time(runner: Runner, clock: FakeClock) -> None:
    source = FakeCollector(interval_seconds=1.0)
    runner.add(source)
    runner.scheduler.start()
    finish(runner, "source", 1)

    clock.jump(36_000)
    runner.scheduler._process_jobs()
    finish(runner, "source", 2)
    runner.scheduler._process_jobs()

    view = runner.views()[0]
    assert len(source.calls) == 2
    assert view.lateness_seconds[-1] <= 1.0, "late by the missed interval at most, not by ten hours"
    assert view.next_run is not None
    assert 0 < view.next_run - clock.now() <= 1.0
