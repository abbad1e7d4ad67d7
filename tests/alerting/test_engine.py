"""The engine over a real state database: nothing forgotten and nothing told twice, whenever it stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.conditions import Condition
from alerting.engine import Engine
from alerting.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.errors import StorageUnavailable
from core.model import Labels, labels
from storage.state.alerts import KeptMessage, Overtaken, messages_of, read_history, read_incidents, ticked_at
from storage.state.database import State

HOST = labels(host="a")
PLAN = Plan(receivers=("desk", "phone"), wait_seconds=0, interval_seconds=60, repeat_seconds=600)
CPU = Rule.model_validate({
    "name": "cpu", "when": "cpu > 80 %", "severity": "critical", "every": "10 s",
    "message": "CPU {value:.0%} on {host}",
})  # fmt: skip


class Cut(RuntimeError):
    """The process ends here."""


class World:
    """What the engine watches, and the machine that it runs on."""

    def __init__(self, state: State, rules: Sequence[Rule] = (CPU,)) -> None:
        self.state = state
        self.clock = FakeClock()
        self.values: dict[Labels, float | None] = {}
        self.is_away = False
        self.muted = ""
        self.rules = rules
        self.token = 0
        self.engine = self.begin()

    def begin(self) -> Engine:
        self.token += 1
        engine = Engine(self.state, self.clock, self.read, self.route, self.mute, self.token)
        engine.start(self.rules)
        self.engine = engine
        return engine

    def read(self, operand: Figure | Worked) -> list[Value]:
        if self.is_away:
            raise StorageUnavailable("ClickHouse does not answer")
        return [Value(each, value) for each, value in self.values.items()]

    def route(self, rule: Rule, of: Labels) -> tuple[str, Plan]:
        return rule.name, PLAN

    def mute(self, rule: Rule, of: Labels, condition: Condition) -> str:
        return self.muted

    def goes_on(self, value: float | None, seconds: float = 10.0) -> None:
        self.values[HOST] = value
        self.clock.advance(seconds)
        self.engine.tick()

    def messages(self) -> list[KeptMessage]:
        with self.state.reading() as connection:
            incidents = read_incidents(connection) + read_incidents(connection, closed=True)
            return [
                each for one in sorted(incidents, key=lambda one: one.id) for each in messages_of(connection, one.id)
            ]

    def said(self) -> list[tuple[int, str, str]]:
        return [(each.incident, each.about, each.receiver) for each in self.messages()]

    def happened(self) -> list[str]:
        with self.state.reading() as connection:
            return [row.what for _, row in reversed(read_history(connection, 1_000))]


@pytest.fixture
def world(state: State) -> World:
    return World(state)


def test_it_fires_each_receiver_has_a_message_and_hears_the_end(world: World) -> None:
    world.goes_on(0.5)
    assert world.said() == []
    world.goes_on(0.93)
    world.goes_on(0.94)
    assert world.said() == [(1, "opened", "desk"), (1, "opened", "phone")]
    told = orjson.loads(world.messages()[0].body)
    assert told["severity"] == "critical"
    assert [(each["text"], each["labels"]) for each in told["members"]] == [("CPU 93% on a", {"host": "a"})]
    world.goes_on(0.5)
    assert [about for _, about, _ in world.said()] == ["opened", "opened", "resolved", "resolved"]
    assert world.happened() == ["fires", "resolved"]
    world.goes_on(0.99)
    assert world.said()[4:] == [(2, "opened", "desk"), (2, "opened", "phone")]


def test_after_a_restart_nothing_is_told_again_and_the_end_is_told(world: World) -> None:
    world.goes_on(0.93)
    world.begin()
    world.goes_on(0.93)
    assert len(world.said()) == 2
    world.begin()
    world.goes_on(0.5)
    assert [about for _, about, _ in world.said()] == ["opened", "opened", "resolved", "resolved"]


def test_an_engine_that_was_overtaken_writes_nothing_any_more(world: World) -> None:
    world.goes_on(0.5)
    old = world.engine
    world.begin()
    world.goes_on(0.5)
    world.values[HOST] = 0.99
    world.clock.advance(10)
    with pytest.raises(Overtaken):
        old.tick()
    assert world.said() == []


def test_storage_away_is_an_error_that_is_told_and_not_a_resolution(world: World) -> None:
    world.goes_on(0.93)
    world.is_away = True
    for _ in range(5):
        world.goes_on(0.93)
    assert world.said() == [(1, "opened", "desk"), (1, "opened", "phone")]
    world.is_away = False
    world.goes_on(0.5)
    assert [about for _, about, _ in world.said()][2:] == ["resolved", "resolved"]


def test_a_series_that_goes_away_is_told_and_never_resolved_by_that(world: World) -> None:
    world.goes_on(0.93)
    world.values.clear()
    for _ in range(10):
        world.clock.advance(10)
        world.engine.tick()
    assert {about for _, about, _ in world.said()} == {"opened"}


def test_a_rule_that_is_removed_resolves_what_it_had_told(world: World) -> None:
    world.goes_on(0.93)
    world.engine.use([])
    world.clock.advance(10)
    world.engine.tick()
    assert [about for _, about, _ in world.said()][2:] == ["resolved", "resolved"]
    world.rules = ()
    world.begin()
    world.clock.advance(10)
    world.engine.tick()
    assert len(world.said()) == 4


def test_what_is_muted_is_written_down_and_not_queued(world: World) -> None:
    world.muted = "silence 1"
    world.goes_on(0.93)
    assert {(each.status, each.muted_by) for each in world.messages()} == {("suppressed", "silence 1")}


def test_the_clock_that_is_set_is_written_down_and_changes_nothing(world: World) -> None:
    world.goes_on(0.93)
    world.clock.jump(-7_200)
    world.goes_on(0.93)
    world.goes_on(0.5)
    assert world.happened() == ["fires", "clock_jump", "resolved"]


def test_when_the_engine_last_ticked_is_known(world: World) -> None:
    assert ticked_at(world.state) == 0.0
    world.goes_on(0.5)
    assert ticked_at(world.state) == world.clock.now()


@contextmanager
def ends_at(state: State, statement: int) -> Iterator[None]:
    """The process ends at the n-th statement that writes; the transaction with it."""
    import sqlalchemy as sa

    count = 0

    def before(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        nonlocal count
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            count += 1
            if count == statement:
                raise Cut

    sa.event.listen(state.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        sa.event.remove(state.engine, "before_cursor_execute", before)


def outbox(values: Sequence[float | None], cuts: Mapping[int, int]) -> list[tuple[int, str, str]]:
    """Return what was put into the outbox over these values, with the process ended at these ticks and statements."""
    state = State("sqlite://")
    state.migrate()
    world = World(state)
    for number, value in enumerate(values):
        world.values[HOST] = value
        world.clock.advance(10)
        if statement := cuts.get(number):
            try:
                with ends_at(state, statement):
                    world.engine.tick()
            except Cut:
                world.begin()
        world.engine.tick()
    said = world.said()
    state.close()
    return said


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0.1, 0.9, None]), min_size=1, max_size=12),
    st.dictionaries(st.integers(0, 11), st.integers(1, 6), max_size=4),
)
def test_wherever_the_process_ends_the_same_is_told_once(values: list[float | None], cuts: dict[int, int]) -> None:
    said = outbox(values, cuts)
    assert len(said) == len(set(said)) or [about for _, about, _ in said].count("reminded")
    assert said == outbox(values, {})
