from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.runtime.registry import build_runner
from collectors.runtime.runner import Runner
from core.clock import FakeClock
from core.lease import LEASE_SECONDS, Lease
from core.model import Component, SourceId, Status
from storage.live.embedded import Valkey
from storage.live.leases import LeaseStore
from storage.live.redis import Live
from storage.stores import Stores
from tests.collectors.fakes import FakeCollector, FakeLive, FakeWriter, eventually, finish


@pytest.fixture
def redis_live(live: Live) -> Live:
    """The live readings, on a server with nothing in it."""
    live.client.flushall()
    return live


def expire(live: Live) -> None:
    """Let the lease run out now: its key is removed as Redis would after its time."""
    live.client.pexpire(live.key("lease", "collectors"), 1)
    eventually(lambda: not live.client.exists(live.key("lease", "collectors")), "the key runs out")


def test_one_of_two_holds_it_and_the_other_takes_over_after_release(redis_live: Live, clock: FakeClock) -> None:
    first = Lease(LeaseStore(redis_live), "first", clock)
    second = Lease(LeaseStore(redis_live), "second", clock)
    assert first.tick()
    assert not second.tick()
    assert first.tick()
    first.release()
    assert second.tick()
    assert not first.tick()


def test_a_holder_that_stalled_past_its_time_stands_back_and_tokens_grow(redis_live: Live, clock: FakeClock) -> None:
    first = Lease(LeaseStore(redis_live), "first", clock)
    second = Lease(LeaseStore(redis_live), "second", clock)
    first.tick()
    old = first.token
    expire(redis_live)
    assert second.tick()
    assert not first.tick()
    assert old is not None
    assert second.token is not None
    assert second.token > old
    first.release()
    assert second.tick(), "a former holder cannot release the lease of another"


def test_flushall_changes_the_term_but_never_the_order_of_tokens(redis_live: Live, clock: FakeClock) -> None:
    lease = Lease(LeaseStore(redis_live), "first", clock)
    lease.tick()
    before = lease.token
    redis_live.client.flushall()
    assert lease.tick()
    assert before is not None
    assert lease.token is not None
    assert lease.token > before


def test_the_lease_runs_out_in_redis_when_its_holder_dies(redis_live: Live, clock: FakeClock) -> None:
    Lease(LeaseStore(redis_live), "first", clock).tick()
    left = redis_live.client.pttl(redis_live.key("lease", "collectors"))
    assert 0 < left <= LEASE_SECONDS * 1000


def test_redis_away_keeps_the_lease_for_its_own_time_and_not_longer(clock: FakeClock, tmp_path: Path) -> None:
    server = Valkey(tmp_path)
    server.start()
    lease = Lease(LeaseStore(Live(server.url)), "first", clock)
    assert lease.tick()
    server.stop()
    clock.advance(LEASE_SECONDS - 0.1)
    assert lease.tick()
    clock.advance(0.2)
    assert not lease.tick()
    assert lease.token is None


def test_collectors_run_only_while_the_lease_is_held(
    redis_live: Live, clock: FakeClock, fake_writer: FakeWriter, fake_live: FakeLive
) -> None:
    other = Lease(LeaseStore(redis_live), "other", clock)
    other.tick()
    runner = Runner("host-1", clock, fake_writer, fake_live, Lease(LeaseStore(redis_live), "mine", clock))
    source = FakeCollector(interval_seconds=1.0)
    runner.add(source)
    runner.scheduler.start(paused=True)
    assert not runner.hold_lease()
    clock.advance(5)
    runner.scheduler._process_jobs()
    assert source.calls == []

    other.release()
    assert runner.hold_lease()
    assert source.calls == [], "in the second of the hand-over the other one may have read everything"
    clock.advance(1)
    runner.scheduler._process_jobs()
    finish(runner, "source", 1)

    expire(redis_live)
    other.tick()
    assert not runner.hold_lease()
    clock.advance(5)
    runner.scheduler._process_jobs()
    assert len(source.calls) == 1

    expire(redis_live)
    assert runner.hold_lease()
    clock.advance(1)
    runner.scheduler._process_jobs()
    source.wait_until_entered()
    runner.stop(deadline_seconds=1.0)
    assert other.tick(), "stopping gives the lease back at once"


def test_a_source_that_came_while_it_ran_is_read_back_at_a_hand_over(stores: Stores) -> None:
    """Without that its state would be recorded as new again."""
    clock = FakeClock(float(int(time.time()) - 100))
    stores = replace(stores, clock=clock)
    runner = build_runner(stores, ())
    watched = FakeCollector("http:new", interval_seconds=60.0)
    runner.add(watched, SourceId("http", "new"))
    states = runner._states
    assert states is not None
    states.look()

    def tell() -> None:
        states.tell(SourceId("http", "new"), clock.now(), 60.0, 2.0, [Component("http new", Status.OK, "200 OK")])
        clock.advance(1.0)

    tell()
    stores.writer.flush()
    states.forget()
    states.look()
    tell()
    stores.writer.flush()
    assert stores.clickhouse.rows("SELECT state FROM state_changes WHERE source = 'http:new'") == [("ok",)]
