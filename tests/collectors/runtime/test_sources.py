"""What the runtime does for watched sources: names, versions, `up`, last tables, and how soon they are tried again."""

from __future__ import annotations

from collectors.runtime.runner import SOURCE_REST_SECONDS, Runner
from core.clock import FakeClock
from core.errors import SourceUnavailable
from core.model import Component, Reading, SourceId, Status, Table, labels
from tests.collectors.fakes import FakeCollector, FakeLive, FakeWriter, finish

MAIN = labels(instance="main")


def turn(runner: Runner, clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)
    runner.tick()
    runner.scheduler._process_jobs()


def test_a_source_that_fails_is_down_by_its_own_name_and_keeps_its_tables(
    runner: Runner, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    source = FakeCollector("redis:main")
    table = Table("clients", ("id",), ((1,),))
    source.answer = Reading(components=[Component("Redis main", Status.OK, "well")], tables=[table])
    runner.add(source, SourceId("redis", "main"))
    runner.scheduler.start()
    finish(runner, source.name, 1)
    source.answer = SourceUnavailable("nothing listens at 10.0.0.9:6379 (connection refused)")
    turn(runner, clock, 5.0)
    finish(runner, source.name, 2)
    told = fake_live.readings["redis:main"]
    assert told.components == (Component("Redis main", Status.DOWN, str(source.answer)),)
    assert list(told.tables) == [table]
    assert fake_writer.values("redis_up", MAIN) == [1.0, 0.0]
    assert fake_live.bumps["redis"] == fake_live.bumps["redis:main"] == 2


def test_a_source_is_tried_again_soon_however_long_it_was_away(runner: Runner, clock: FakeClock) -> None:
    source = FakeCollector("redis:main")
    source.answer = SourceUnavailable("away")
    runner.add(source, SourceId("redis", "main"))
    breaker = runner.task("redis:main").breaker
    for _ in range(40):
        if breaker.allow():
            breaker.failed()
        clock.advance(5.0)
    assert breaker.view().retry_in_seconds <= SOURCE_REST_SECONDS * 1.2
