"""Changes of state of everything that is watched: over restarts, silence, outages and hand-overs, each once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from collectors.runtime.publisher import Publisher
from collectors.runtime.registry import build_runner
from core.clock import FakeClock
from core.model import Component, Facts, Reading, SourceId, Status
from status.freshness import SILENT, stale_after_seconds
from status.state_log import LOOK_AGAIN_SECONDS, UNSURE_SECONDS, StateLog, stored_states
from status.states import state_history, time_in_states
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.insert import insert_facts
from storage.clickhouse.migrate import migrate
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.clickhouse.settle import settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.stores import Stores
from tests.collectors.fakes import FakeCollector
from tests.support.servers import ClickHouseServer

START = float(int(time.time()) - 50_000)
EVERY, TIMEOUT = 5.0, 2.0
STALE = stale_after_seconds(EVERY, TIMEOUT)
REDIS, CPU, DISK = ComponentId("", "redis:main"), *(ComponentId("host-1", "system", name) for name in ("CPU", "Disk /"))
SOURCE = SourceId("redis", "main")
NAMES = ("redis:main", "system", "pipeline")


class Process:
    """A process that collects: its publisher, its writer, what it knows. A test drops it to kill it."""

    def __init__(self, stores: Stores, folder: Path, host: str = "host-1") -> None:
        self.clock: FakeClock = stores.clock  # type: ignore[assignment]
        self.spool = Spool(folder / f"{host}.sqlite", 2**26)
        self.writer = Writer(
            partial(insert_facts, stores.clickhouse), self.spool, settle=partial(settle, stores.clickhouse)
        )
        self.stores = replace(stores, writer=self.writer)
        self.states = StateLog(
            host, stores.clock, self.writer.put_facts, stored_states(self.stores, host, lambda: NAMES)
        )
        self.publisher = Publisher(host, self.writer, stores.live, self.states)
        self.states.look()

    def tell(self, status: Status, why: str = "", collector: str | SourceId = SOURCE) -> None:
        """Publish that the source, or the component CPU of a collector, is in this state; then the next is due."""
        self.say(collector, Component("CPU", status, why or f"it is {status}"))

    def say(self, collector: str | SourceId, *components: Component) -> None:
        reading = Reading(components=components)
        self.publisher.succeeded(collector, self.clock.now(), EVERY, reading, timeout_seconds=TIMEOUT)
        self.clock.advance(EVERY)

    def fail(self, why: str, collector: str | SourceId) -> None:
        self.publisher.failed(collector, self.clock.now(), EVERY, why, timeout_seconds=TIMEOUT)
        self.clock.advance(EVERY)

    def stop(self) -> None:
        """End as after SIGTERM: what is queued is sent."""
        self.writer.flush()
        self.spool.close()


@pytest.fixture
def stores(stores: Stores) -> Stores:
    return replace(stores, clock=FakeClock(START))


def rows(clickhouse: ClickHouse) -> list[tuple[str, str, str, str, float]]:
    """Return component, state, state before, reason and seconds since START of every row."""
    sql = "SELECT source || component, state, before, why, toUnixTimestamp64Milli(ts) FROM state_changes ORDER BY ts, 1"
    return [(name, state, before, why, ts / 1e3 - START) for name, state, before, why, ts in clickhouse.rows(sql)]


def history(stores: Stores, id: ComponentId = REDIS) -> Sequence[StateChange]:
    return state_history(stores, [id.source], START - 10, stores.clock.now(), host="host-1").get(id, [])


def test_every_component_of_everything_watched_has_its_rows(stores: Stores, tmp_path: Path) -> None:
    process = Process(stores, tmp_path)
    for status in (Status.OK, Status.OK, Status.WARNING, Status.WARNING, Status.OK):
        process.say("system", Component("CPU", status, f"{status}"), Component("Disk /", Status.OK, "3 % full"))
    process.tell(Status.OK)
    process.fail("connection refused", SOURCE)
    process.stop()
    assert rows(stores.clickhouse) == [
        ("systemCPU", "ok", "", "ok", 0), ("systemDisk /", "ok", "", "3 % full", 0),
        ("systemCPU", "warning", "ok", "warning", 10), ("systemCPU", "ok", "warning", "ok", 20),
        ("redis:main", "ok", "", "it is ok", 25), ("redis:main", "down", "ok", "connection refused", 30),
    ]  # fmt: skip
    assert [change.state for change in history(stores, CPU)] == [Status.OK, Status.WARNING, Status.OK]


def test_a_restart_with_nothing_changed_writes_nothing_and_one_with_a_change_writes_it(
    stores: Stores, tmp_path: Path
) -> None:
    first = Process(stores, tmp_path)
    first.tell(Status.WARNING)
    first.stop()
    again = Process(stores, tmp_path)
    again.tell(Status.WARNING, "another reason")
    again.stop()
    assert len(rows(stores.clickhouse)) == 1
    third = Process(stores, tmp_path)
    third.tell(Status.DOWN)
    third.stop()
    assert rows(stores.clickhouse)[1:] == [("redis:main", "down", "warning", "it is down", 10)]
    assert history(stores)[1].held_seconds == 10


def test_killed_before_the_row_was_sent_the_next_process_makes_it(stores: Stores, tmp_path: Path) -> None:
    first = Process(stores, tmp_path)
    first.tell(Status.OK)
    first.writer.flush()
    first.tell(Status.DOWN)  # killed: what is queued is gone
    again = Process(stores, tmp_path)
    again.tell(Status.DOWN)
    again.stop()
    assert [(row[1], row[4]) for row in rows(stores.clickhouse)] == [("ok", 0), ("down", 10)]


def test_the_time_in_which_nobody_collected_is_unknown_and_says_since_when(stores: Stores, tmp_path: Path) -> None:
    first = Process(stores, tmp_path)
    first.tell(Status.OK)
    first.stop()
    first.clock.advance(3_600)
    (_, silent) = history(stores)
    assert (silent.ts - START, silent.state) == (STALE, Status.UNKNOWN), (
        "while nobody is there, whoever reads derives it"
    )
    again = Process(stores, tmp_path)
    again.tell(Status.OK)
    again.tell(Status.OK)
    again.stop()
    assert [row[1:] for row in rows(stores.clickhouse)] == [
        ("ok", "", "it is ok", 0), ("unknown", "ok", SILENT, STALE), ("ok", "unknown", "it is ok", 3_605),
    ]  # fmt: skip
    spent = time_in_states(history(stores), START, START + 3_605)
    assert spent.seconds == {Status.OK: STALE, Status.UNKNOWN: 3_605 - STALE}


def test_a_machine_that_slept_was_unknown_meanwhile(stores: Stores, tmp_path: Path) -> None:
    process = Process(stores, tmp_path)
    process.tell(Status.OK)
    process.clock.advance(1_000)
    process.tell(Status.OK)
    process.stop()
    assert [(row[1], row[4]) for row in rows(stores.clickhouse)] == [("ok", 0), ("unknown", STALE), ("ok", 1_005)]


def test_what_a_collector_tells_of_no_more_is_unknown_once_it_is_stale(stores: Stores, tmp_path: Path) -> None:
    process = Process(stores, tmp_path)
    cpu, disk = Component("CPU", Status.OK, "fine"), Component("Disk /", Status.OK, "fine")
    process.say("system", cpu, disk)
    process.say("system", disk)  # rates need two readings: at its start a collector does not know all
    process.say("system", cpu, disk)
    for _ in range(5):
        process.say("system", cpu)
    for _ in range(5):
        process.fail("/proc does not answer", "system")
    process.stop()
    found = [row for row in rows(stores.clickhouse) if row[1] != "ok"]
    assert [(name, why, at) for name, _, _, why, at in found] == [
        ("systemDisk /", "its collector tells of it no more", 10 + STALE),
        ("systemCPU", "system fails: /proc does not answer", 35 + STALE),
    ]


def test_a_start_at_which_all_is_still_unknown_changes_nothing(stores: Stores, tmp_path: Path) -> None:
    first = Process(stores, tmp_path)
    first.tell(Status.OK, collector="pipeline")
    first.stop()
    again = Process(stores, tmp_path)
    again.tell(Status.UNKNOWN, "has not run yet", collector="pipeline")
    again.tell(Status.OK, collector="pipeline")
    while again.clock.now() < START + 15 + UNSURE_SECONDS:
        again.tell(Status.UNKNOWN, "has not run yet", collector="pipeline")
    again.tell(Status.UNKNOWN, "has not run yet", collector="pipeline")
    again.stop()
    assert [(row[1], row[3]) for row in rows(stores.clickhouse)] == [
        ("ok", "it is ok"), ("unknown", "has not run yet"),
    ]  # fmt: skip


def test_a_hand_over_of_the_lease_doubles_nothing_and_loses_nothing(stores: Stores, tmp_path: Path) -> None:
    one, two = Process(stores, tmp_path), Process(stores, tmp_path, "host-2")
    one.tell(Status.OK)
    one.tell(Status.DOWN)  # in its queue only when the other takes over
    two.states.forget()
    two.states.look()
    two.tell(Status.DOWN)
    two.writer.flush()
    one.writer.flush()
    changes = history(stores)
    assert [(change.state, change.ts - START) for change in changes] == [(Status.OK, 0), (Status.DOWN, 5)]
    two.tell(Status.OK)
    two.writer.flush()
    one.states.forget()
    one.states.look()
    one.tell(Status.OK)
    one.stop()
    assert [change.state for change in history(stores)] == [Status.OK, Status.DOWN, Status.OK]
    two.stop()


def test_a_source_that_came_by_a_reload_is_read_back_like_those_of_the_start(stores: Stores) -> None:
    runner = build_runner(stores, ["pipeline"])
    runner.add(FakeCollector(str(SOURCE)), SOURCE)
    states = runner._states
    assert states is not None
    for _ in range(2):  # the second time after the lease was lost and won again
        states.forget()
        states.look()
        states.tell(SOURCE, stores.clock.now(), EVERY, TIMEOUT, [Component("CPU", Status.OK, "it is ok")])
        stores.writer.flush()
        stores.clock.advance(EVERY)  # type: ignore[attr-defined]
    assert [row[1] for row in rows(stores.clickhouse)] == ["ok"]


def test_a_row_of_another_process_that_arrives_late_is_not_the_last_word(stores: Stores, tmp_path: Path) -> None:
    process = Process(stores, tmp_path)
    process.tell(Status.OK)
    process.writer.flush()
    late = StateChange(START + 2, REDIS, Status.DOWN, Status.OK, 2.0, "refused", "", STALE)
    process.tell(Status.OK)
    stores.clickhouse.insert(state_change_facts([late]))
    for _ in range(int(LOOK_AGAIN_SECONDS // EVERY)):
        process.tell(Status.OK)
    process.states.look()
    process.tell(Status.OK)
    process.stop()
    assert history(stores)[-1].state is Status.OK


@pytest.fixture
def remote(stores: Stores, clickhouse_server: ClickHouseServer, database: str) -> Iterator[Stores]:
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    yield replace(stores, clickhouse=client)
    client.close()


def test_rows_wait_while_clickhouse_is_away_and_arrive_once_over_a_restart(
    remote: Stores, clickhouse_server: ClickHouseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0.0,))
    process = Process(remote, tmp_path)
    process.tell(Status.OK)
    process.writer.flush()
    clickhouse_server.kill()
    process.tell(Status.DOWN)
    process.writer.flush()
    process.tell(Status.CRITICAL)
    process.stop()
    clickhouse_server.start()
    again = Process(remote, tmp_path)
    assert again.writer.stats().spooled_rows
    again.tell(Status.CRITICAL)  # not compared before what waits has arrived
    while again.writer.stats().spooled_rows:  # a busy machine needs more than one go
        again.writer.flush()
    again.states.look()
    again.tell(Status.CRITICAL)
    again.stop()
    assert [(row[1], row[4]) for row in rows(remote.clickhouse)] == [("ok", 0), ("down", 5), ("critical", 10)]


def test_before_the_history_is_known_what_is_told_waits(stores: Stores) -> None:
    put: list[Facts] = []
    known = False
    log = StateLog("host-1", stores.clock, put.append, lambda until: ((), {}) if known else None)
    log.look()
    for number in range(100):
        status = Status.OK if number < 90 else Status.DOWN
        log.tell(SOURCE, START + number * EVERY, EVERY, TIMEOUT, [Component("Redis main", status, f"{status}")])
    assert put == []
    known = True
    log.look()
    states = [
        (ts / 1e3 - START, state) for facts in put for ts, state in zip(facts.data[0], facts.data[4], strict=True)
    ]
    assert states == [(0, "ok"), (450, "down")], "each at its time, and no silence in between"
