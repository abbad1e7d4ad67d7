"""The history of states: what was in force, silence, rows of older versions, and how long what was in which state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import labels
from core.clock import FakeClock
from core.model import Component, Facts, Reading, Sample, Status
from status.freshness import SILENT, stale_after_seconds
from status.states import MOST_CHANGES, bands, recent_changes, state_history, time_in_states
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.stores import Stores

NOW = float(int(time.time()))
"""The present: ClickHouse drops old rows by its own clock."""
DAY = 86_400.0
REDIS, CPU = ComponentId("", "redis:main"), ComponentId("host-1", "system", "CPU")
STALE = stale_after_seconds(5)


@pytest.fixture
def stores(stores: Stores) -> Stores:
    return replace(stores, clock=FakeClock(NOW))


def change(
    ago: float, state: Status, before: Status | None = None, held: float = 0.0, id: ComponentId = REDIS
) -> StateChange:
    return StateChange(NOW - ago, id, state, before, held, f"{state} since {ago:g} s", "", STALE)


def store(stores: Stores, *changes: StateChange) -> None:
    stores.clickhouse.insert(state_change_facts(changes))


def alive(stores: Stores, ago: float = 0.0, source: str = "redis:main", host: str = "host-1") -> None:
    reading = Reading(components=(Component("x", Status.OK, ""),))
    stores.live.put_reading(source, host, NOW - ago, 5, reading)


def told(history: Sequence[StateChange]) -> list[tuple[float, Status, Status | None, float]]:
    return [(NOW - each.ts, each.state, each.before, each.held_seconds) for each in history]


def test_the_change_in_force_at_the_start_comes_first_and_every_component_has_its_own(stores: Stores) -> None:
    alive(stores)
    alive(stores, source="system")
    memory = CPU._replace(name="Memory")
    store(
        stores, change(5 * DAY, Status.DOWN), change(4 * DAY, Status.OK, Status.DOWN, DAY),
        change(600, Status.WARNING, Status.OK, 4 * DAY - 600), change(7_200, Status.CRITICAL, id=CPU),
        change(7_200, Status.OK, id=memory), change(60, Status.DOWN, id=CPU._replace(host="host-2")),
    )  # fmt: skip
    found = state_history(stores, ["redis:main", "system"], NOW - 3_600, NOW, host="host-1")
    assert set(found) == {REDIS, CPU, memory}
    assert told(found[REDIS]) == [
        (4 * DAY, Status.OK, Status.DOWN, DAY),
        (600, Status.WARNING, Status.OK, 4 * DAY - 600),
    ]
    assert found[REDIS][1].why == "warning since 600 s"
    assert set(state_history(stores, ["redis:main"], NOW - 3_600, NOW)) == {REDIS}
    assert state_history(stores, [], 0, NOW) == {}


def test_one_who_has_stopped_reporting_is_unknown_from_when_its_reading_was_stale(stores: Stores) -> None:
    store(stores, change(3_600, Status.OK))
    alive(stores, ago=300)
    (_, silent) = state_history(stores, ["redis:main"], NOW - 7_200, NOW)[REDIS]
    assert (NOW - silent.ts, silent.state, silent.before, silent.why) == (
        300 - STALE, Status.UNKNOWN, Status.OK, SILENT,
    )  # fmt: skip
    alive(stores, ago=STALE - 1)
    assert len(state_history(stores, ["redis:main"], NOW - 7_200, NOW)[REDIS]) == 1
    store(stores, change(100, Status.UNKNOWN, Status.OK))
    alive(stores, ago=300)
    assert len(state_history(stores, ["redis:main"], NOW - 7_200, NOW)[REDIS]) == 2, "it is a row already"


def test_without_redis_what_was_measured_tells_when_it_fell_silent(stores: Stores) -> None:
    store(stores, change(7_200, Status.OK), change(7_200, Status.OK, id=CPU))
    for source, ago in (("redis:main", 300), ("system", 4_000)):
        for earlier in (0, 5, 3_600):
            up = Sample("collector_up", 1.0, labels(collector=source))
            stores.writer.put("host-1", NOW - ago - earlier, [up])
    stores.writer.put("host-2", NOW - 1, [Sample("collector_up", 1.0, labels(collector="system"))])
    stores.writer.flush()
    found = state_history(stores, ["redis:main", "system"], NOW - 9_000, NOW, host="host-1")
    assert NOW - found[REDIS][1].ts == 300 - STALE
    assert NOW - found[CPU][1].ts == 4_000 - STALE
    assert {changes[1].state for changes in found.values()} == {Status.UNKNOWN}


def test_a_change_that_two_processes_recorded_or_that_is_told_again_is_one(stores: Stores) -> None:
    alive(stores)
    store(
        stores, change(900, Status.OK), change(600, Status.DOWN, Status.OK, 300),
        change(598, Status.DOWN, Status.OK, 302), change(300, Status.OK, Status.DOWN, 298),
    )  # fmt: skip
    changes = state_history(stores, ["redis:main"], NOW - 3_600, NOW)[REDIS]
    assert told(changes) == [
        (900, Status.OK, None, 0),
        (600, Status.DOWN, Status.OK, 300),
        (300, Status.OK, Status.DOWN, 300),
    ]
    store(stores, change(200, Status.OK, Status.OK, 100))
    assert told(state_history(stores, ["redis:main"], NOW - 100, NOW)[REDIS]) == [(300, Status.OK, None, 0)]


def test_rows_of_services_from_older_versions_are_read_as_states(stores: Stores) -> None:
    alive(stores, source="http:orders")
    rows = [
        (round((NOW - ago) * 1e3), "http:orders", state, before, held, why)
        for ago, state, before, held, why in (
            (400, "up", "", 0.0, "200 OK in 34 ms"), (300, "pending", "up", 100.0, "1 of 2 tries"),
            (270, "down", "pending", 30.0, "connection refused"), (100, "paused", "down", 170.0, "paused by hand"),
        )
    ]  # fmt: skip
    columns = ("ts", "source", "state", "before", "held_seconds", "why")
    stores.clickhouse.insert(Facts("state_changes", columns, tuple(map(list, zip(*rows, strict=True)))))
    changes = state_history(stores, ["http:orders"], NOW - 3_600, NOW)[ComponentId("", "http:orders")]
    assert told(changes) == [
        (400, Status.OK, None, 0), (300, Status.WARNING, Status.OK, 100), (270, Status.DOWN, Status.WARNING, 30),
        (100, Status.NOT_CONFIGURED, Status.DOWN, 170),
    ]  # fmt: skip
    spent = time_in_states(changes, NOW - 500, NOW)
    assert spent.seconds == {
        Status.UNKNOWN: 100, Status.OK: 100, Status.WARNING: 30, Status.DOWN: 170, Status.NOT_CONFIGURED: 100,
    }  # fmt: skip
    assert spent.up_share == pytest.approx(130 / 300)


def test_the_newest_changes_of_all_newest_first_with_what_each_ended(stores: Stores) -> None:
    alive(stores)
    states = (Status.OK, Status.DOWN)
    many = [change(10.0 * (200 - n), states[n % 2], states[(n + 1) % 2] if n else None, 10.0) for n in range(200)]
    store(stores, *many, change(91 * DAY, Status.OK, id=ComponentId("", "tcp:gateway")))
    found = recent_changes(stores, ["redis:main", "tcp:gateway"])
    assert len(found) == MOST_CHANGES
    assert [each.ts for each in found] == sorted((each.ts for each in found), reverse=True)
    assert all(each.before is not None and each.held_seconds == 10 for each in found if each.id == REDIS)
    assert recent_changes(stores, []) == []


def test_of_what_nobody_watched_nothing_is_known() -> None:
    spent = time_in_states([], 0.0, 60.0)
    assert (spent.seconds, spent.up_share) == ({Status.UNKNOWN: 60.0}, None)


def test_the_first_row_tells_how_it_was_before_as_far_as_it_knows() -> None:
    first = StateChange(100.0, REDIS, Status.DOWN, Status.OK, 60.0, "refused", "answers")
    assert [(band.start, band.end, band.state) for band in bands([first], 0.0, 200.0)] == [
        (0.0, 40.0, Status.UNKNOWN), (40.0, 100.0, Status.OK), (100.0, 200.0, Status.DOWN),
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(Status), st.floats(0.5, 500)), max_size=40),
    st.floats(0, 5_000),
    st.floats(1, 5_000),
)
def test_bands_cover_the_span_without_a_hole_and_unknown_is_never_up(
    steps: list[tuple[Status, float]], start: float, length: float
) -> None:
    changes, ts = [], 1_000.0
    for state, held in steps:
        changes.append(StateChange(ts, REDIS, state, None, 0.0, ""))
        ts += held
    end = start + length
    found = bands(changes, start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == two.start for one, two in pairwise(found))
    spent = time_in_states(changes, start, end)
    assert sum(spent.seconds.values()) == pytest.approx(length)
    for moment in (start, (start + end) / 2):
        state = next((each.state for each in reversed(changes) if each.ts <= moment), Status.UNKNOWN)
        assert next(band.state for band in found if band.start <= moment < band.end) is state
    assert spent.up_seconds <= length - spent.seconds.get(Status.UNKNOWN, 0.0) + 1e-6
    assert spent.up_share is None or 0 <= spent.up_share <= 1
