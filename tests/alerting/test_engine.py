"""The engine over a real state database: nothing forgotten and nothing told twice, whenever it stops."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine import Engine
from alerting.notice import Notice, as_data, clock_time, notice_of
from alerting.words import message_of, title_of
from core.alerts.conditions import Condition, Phase
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.labels import where_of
from core.alerts.matchers import all_hold
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.clock import FakeClock
from core.errors import ChangeRejected, StorageUnavailable
from core.model import Labels, labels
from storage.state.alert_requests import Ask, Request, ask, requests_of
from storage.state.alerts import (
    KeptMessage,
    Overtaken,
    check_token,
    claim,
    messages_of,
    read_conditions,
    read_history,
    read_incidents,
    ticked_at,
    write_conditions,
)
from storage.state.audit import Wanted, read_entries
from storage.state.database import State, metadata
from storage.state.outbox import take
from tests.support.servers import ROOT

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
        self.gone: dict[Labels, str] = {}
        self.rules = rules
        self.token = 0
        self.engine = self.begin()

    def begin(self) -> Engine:
        self.token += 1
        engine = Engine(
            self.state,
            self.clock,
            self.read,
            self.route,
            self.mute,
            self.token,
            gone=lambda _, of: self.gone.get(of, ""),
        )
        engine.start(self.rules)
        self.engine = engine
        return engine

    def read(self, operand: Figure | Worked) -> list[Value]:
        if self.is_away:
            raise StorageUnavailable("ClickHouse does not answer")
        operand = operand.figure if isinstance(operand, Worked) else operand
        return [Value(each, value) for each, value in self.values.items() if all_hold(operand.matchers, dict(each))]

    def runs(self, seconds: float, step: float = 100.0) -> None:
        """Let time pass, with a tick each step, in seconds."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.engine.tick()

    def route(self, rule: Rule, of: Labels) -> tuple[str, Plan]:
        return rule.name, PLAN

    def mute(self, rule: Rule, of: Labels, condition: Condition) -> str:
        return self.muted

    def goes_on(self, value: float | None, seconds: float = 10.0) -> None:
        self.values[HOST] = value
        self.clock.advance(seconds)
        self.engine.tick()

    def asks(self, what: Ask, seconds: float = 0.0, incident: int = 1) -> int:
        now = self.clock.now()
        return ask(self.state, Request(incident, what, "ana", now, now + seconds if seconds else 0.0, "I look"))

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
def state(either_state: State) -> State:
    return either_state


@pytest.fixture
def world(state: State) -> World:
    return World(state)


@pytest.mark.transition("A1", "A9")
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


@pytest.mark.transition("A23", "A24")
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


@pytest.mark.transition("A13", "A17")
def test_storage_away_is_an_error_that_is_told_and_not_a_resolution(world: World) -> None:
    world.goes_on(0.93)
    world.is_away = True
    for _ in range(5):
        world.goes_on(0.93)
    assert world.said() == [(1, "opened", "desk"), (1, "opened", "phone")]
    world.is_away = False
    world.goes_on(0.5)
    assert [about for _, about, _ in world.said()][2:] == ["resolved", "resolved"]


@pytest.mark.transition("A16")
def test_a_series_that_goes_away_is_told_and_never_resolved_by_that(world: World) -> None:
    world.goes_on(0.93)
    world.values.clear()
    for _ in range(10):
        world.clock.advance(10)
        world.engine.tick()
    assert {about for _, about, _ in world.said()} == {"opened"}


@pytest.mark.transition("A20")
def test_a_rule_that_is_removed_resolves_what_it_had_told(world: World) -> None:
    world.goes_on(0.93)
    world.engine.use([])
    world.clock.advance(10)
    world.engine.tick()
    assert [about for _, about, _ in world.said()][2:] == ["resolved", "resolved"]
    end = noticed(world.messages()[-1], world.messages()[:2])
    assert end.lines[0].startswith("It fired for 10 s; its rule was removed, and nobody says that it is well:")
    assert "[RESOLVED] No longer told: CPU 93% on a" in noticed(world.messages()[-1]).subject
    world.rules = ()
    world.begin()
    world.clock.advance(10)
    world.engine.tick()
    assert len(world.said()) == 4


def test_what_a_rule_no_longer_tells_as_it_asks_for_more_time_is_not_said_to_be_well(world: World) -> None:
    world.goes_on(0.93)
    world.engine.use([edited("cpu > 80 %", **{"for": "10 min"})])
    world.goes_on(0.93)
    assert "asks that it holds for longer, and nobody says that it is well" in noticed(world.messages()[-1]).lines[0]


@pytest.mark.transition("A16")
def test_what_was_taken_away_on_purpose_ends_and_who_was_told_of_it_hears_that(world: World) -> None:
    calm = labels(host="b")
    world.values[calm] = 0.1
    world.goes_on(0.93)
    del world.values[HOST], world.values[calm]
    world.gone = {HOST: "it is no longer watched", calm: "it is no longer watched"}
    world.runs(600)
    assert [about for _, about, _ in world.said()] == ["opened"] * 2 + ["resolved"] * 2
    assert world.happened() == ["fires", "resolved"]
    world.begin()
    world.runs(600)
    assert len(world.said()) == 4 and world.engine.conditions == {"cpu": 0}


def edited(when: str, **changed: Any) -> Rule:
    return Rule.model_validate({**CPU.model_dump(by_alias=True, exclude_unset=True), "when": when, **changed})


@pytest.mark.parametrize("restarts", [False, True])
def test_of_a_rule_that_watches_for_something_else_what_it_no_longer_means_ends(world: World, restarts: bool) -> None:
    world.values[labels(host="b")] = 0.1
    world.goes_on(0.93)
    world.rules = (edited('cpu{host="b"} > 80 %'),)
    del world.values[HOST]
    world.begin() if restarts else world.engine.use(world.rules)
    world.runs(600)
    assert [about for _, about, _ in world.said()] == ["opened"] * 2 + ["resolved"] * 2
    assert world.engine.conditions == {"cpu": 1}


def test_what_a_changed_rule_still_means_is_missed_when_it_goes_away(world: World) -> None:
    for number in range(370):
        world.goes_on(0.5)
        if number == 300:
            world.rules = (edited("cpu > 90 %"),)
            world.engine.use(world.rules)
    world.values.clear()
    world.runs(600)
    assert {about for _, about, _ in world.said()} == {"opened"}
    world.rules = (edited("cpu > 90 %", message="another one"),)
    world.begin()
    world.runs(600)
    assert "resolved" not in {about for _, about, _ in world.said()}


@pytest.mark.parametrize("restarts", [False, True])
def test_another_threshold_forgets_nothing_that_is_silent(world: World, restarts: bool) -> None:
    world.goes_on(0.93)
    world.values.clear()
    world.runs(100, 10)
    world.rules = (
        edited("", levels={"critical": "avg(cpu, 5 min) > 95 %", "warning": "cpu > 85 %"}, clear="cpu < 50 %"),
    )
    world.begin() if restarts else world.engine.use(world.rules)
    world.runs(600)
    assert "resolved" not in {about for _, about, _ in world.said()} and world.engine.firing


def test_what_is_silent_when_it_is_taken_over_from_a_version_with_other_marks_fires_on(world: World) -> None:
    world.goes_on(0.93)
    world.values.clear()
    world.runs(100, 10)
    with world.state.begin() as connection:
        (kept,) = read_conditions(connection)
        body = orjson.loads(kept.body)
        del body["watched_series"]
        write_conditions(connection, [replace(kept, body=orjson.dumps({**body, "watched_for": "0a1b"}).decode())])
    world.begin()
    world.runs(600)
    assert "resolved" not in {about for _, about, _ in world.said()}
    world.rules = (edited('cpu{host="b"} > 80 %'),)
    world.engine.use(world.rules)
    world.runs(100, 10)
    assert world.said()[-1][1] == "resolved", "from then on it is known what was meant"


def test_what_was_known_for_less_than_an_hour_is_not_missed(world: World) -> None:
    world.goes_on(0.5)
    world.values.clear()
    world.runs(7_200)
    assert world.said() == [] and world.engine.conditions == {"cpu": 0}


@pytest.mark.transition("A16")
def test_what_is_not_reported_for_a_day_is_forgotten_when_somebody_has_it_in_hand(world: World) -> None:
    world.values[HOST] = 0.5
    world.runs(4_000)
    world.values.clear()
    world.runs(90_000, 1_000)
    assert world.engine.firing
    world.asks(Ask.ACKNOWLEDGE, 40_000)
    world.runs(200)
    assert not world.engine.firing
    assert [about for _, about, _ in world.said()][-2:] == ["resolved"] * 2
    world.values[HOST] = 0.5
    world.runs(4_000)
    world.values.clear()
    world.runs(4_000)
    world.asks(Ask.RESOLVE, incident=2)
    world.runs(100)
    assert world.engine.firing
    world.runs(87_000, 1_000)
    assert not world.engine.firing


def test_what_never_fired_and_is_not_reported_for_a_day_is_forgotten(state: State) -> None:
    world = World(
        state, (edited("cpu > 80 %", no_data="keep", keep="31 d"), edited("cpu > 80 %", name="b", no_data="ok"))
    )
    world.values[HOST] = 0.5
    world.runs(4_000)
    world.values.clear()
    world.runs(80_000, 1_000)
    assert world.engine.conditions == {"cpu": 1, "b": 1}
    world.runs(10_000, 1_000)
    assert world.engine.conditions == {"cpu": 0, "b": 0} and world.said() == []


@pytest.mark.transition("A18")
def test_what_flaps_is_one_incident_until_it_is_quiet_for_an_hour(world: World) -> None:
    for _ in range(3):
        world.goes_on(0.93)
        world.goes_on(0.5)
    before = len(world.said())
    assert world.happened()[-1] == "flapping"
    for _ in range(10):
        world.goes_on(0.93)
        world.goes_on(0.5)
    flapping = {about for _, about, _ in world.said()[before:]}
    assert flapping <= {"changed", "reminded"} and world.engine.firing
    assert world.happened().count("flapping") == 1
    world.goes_on(0.5, 3_590)
    assert world.engine.firing
    world.goes_on(0.5, 20)
    assert not world.engine.firing and world.said()[-1][1] == "resolved" and world.happened()[-1] == "steady"


@pytest.mark.transition("A19")
@pytest.mark.parametrize("restarts", [False, True])
def test_a_rule_that_has_to_hold_for_longer_is_over_until_it_has(world: World, restarts: bool) -> None:
    world.goes_on(0.93)
    world.goes_on(0.93)
    world.rules = (edited("cpu > 80 %", **{"for": "60 s"}),)
    world.begin() if restarts else world.engine.use(world.rules)
    world.goes_on(0.93)
    assert [about for _, about, _ in world.said()] == ["opened"] * 2 + ["resolved"] * 2
    world.goes_on(0.93, 20)
    assert len(world.said()) == 4
    world.goes_on(0.93, 20)
    assert world.said()[4:] == [(2, "opened", "desk"), (2, "opened", "phone")], "60 s after it began"


@pytest.mark.transition("B7")
def test_what_is_muted_is_written_down_and_not_queued(world: World) -> None:
    world.muted = "silence 1"
    world.goes_on(0.93)
    assert {(each.status, each.muted_by) for each in world.messages()} == {("suppressed", "silence 1")}


def test_a_long_name_of_what_hides_an_alert_stops_nothing(world: World) -> None:
    world.muted = f"hidden by \0{'x' * 1_024}"
    world.goes_on(0.93)
    assert {(each.status, len(each.muted_by)) for each in world.messages()} == {("suppressed", 255)}


@pytest.mark.transition("A21")
def test_the_clock_that_is_set_is_written_down_and_changes_nothing(world: World) -> None:
    world.goes_on(0.93)
    world.clock.jump(-7_200)
    world.goes_on(0.93)
    world.goes_on(0.5)
    assert world.happened() == ["fires", "clock_jump", "resolved"]


def test_messages_are_made_by_the_machine_clock_also_after_it_was_set(world: World) -> None:
    world.goes_on(0.5)
    world.clock.jump(-7_200)
    world.goes_on(0.93)
    assert {each.next_at for each in world.messages()} == {world.clock.now()}


def test_acknowledged_it_is_not_repeated_and_who_was_told_hears_both_that_and_when_it_ends(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 1_000)
    for _ in range(12):
        world.goes_on(0.93, 60)
    assert [about for _, about, _ in world.said()][2:] == ["acknowledged"] * 2
    world.begin()
    for _ in range(6):
        world.goes_on(0.93, 60)
    assert [about for _, about, _ in world.said()][4:] == ["ack_ended"] * 2
    assert world.happened() == ["fires", "acknowledged"]


def test_how_long_somebody_has_it_in_hand_is_by_his_clock(world: World) -> None:
    world.goes_on(0.93)
    world.clock.jump(86_400)
    world.asks(Ask.SNOOZE, 100)
    world.goes_on(0.93, 90)
    assert len(world.said()) == 2
    world.goes_on(0.93, 20)
    assert [about for _, about, _ in world.said()][2:] == ["snooze_ended"] * 2


def test_what_was_resolved_by_hand_stays_so_until_it_was_clear_whatever_restarts(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.RESOLVE)
    world.goes_on(0.94)
    assert [about for _, about, _ in world.said()][2:] == ["resolved"] * 2
    for _ in range(3):
        world.begin()
        world.goes_on(0.95)
    assert len(world.said()) == 4
    world.goes_on(0.5)
    world.begin()
    world.goes_on(0.95)
    assert world.said()[4:] == [(2, "opened", "desk"), (2, "opened", "phone")]


@pytest.mark.parametrize("restarts", [False, True])
def test_what_flaps_and_was_resolved_by_hand_is_told_again_only_after_it_was_clear(
    world: World, restarts: bool
) -> None:
    for value in (0.93, 0.5) * 4:
        world.goes_on(value)
    assert world.engine.firing, "it flaps"
    (*_, number) = world.engine.incidents
    world.asks(Ask.RESOLVE, incident=number)
    world.goes_on(0.5)
    told = world.said()
    for value in (0.93, 0.5) * 4:
        world.goes_on(value)
        if restarts:
            world.begin()
    assert world.said() == told and not world.engine.incidents
    world.goes_on(0.93)
    world.runs(8_000)
    assert world.said() == told, "nor when it no longer flaps, and fires on"
    world.goes_on(0.5)
    world.runs(8_000)
    assert not world.engine.firing
    world.goes_on(0.93)
    assert len(world.said()) == len(told) + 2


def test_what_was_resolved_by_hand_is_no_part_of_the_next_incident_of_its_group(world: World) -> None:
    other = labels(host="b")
    world.goes_on(0.93)
    world.asks(Ask.RESOLVE)
    world.goes_on(0.93)
    world.values[other] = 0.99
    world.goes_on(0.93)
    world.begin()
    world.goes_on(0.93)
    told = [orjson.loads(each.body)["members"] for each in world.messages() if each.incident == 2]
    assert [[each["labels"] for each in members] for members in told] == [[{"host": "b"}]] * 2
    world.asks(Ask.RESOLVE, incident=2)
    for _ in range(3):
        world.goes_on(0.93)
        world.begin()
    assert {incident for incident, _, _ in world.said()} == {1, 2}


def test_what_is_asked_too_late_is_refused_and_all_of_it_stands_in_the_audit(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 5)
    world.clock.advance(10)
    world.asks(Ask.RESOLVE)
    world.asks(Ask.ACKNOWLEDGE, 5)
    world.engine.tick()
    with world.state.reading() as connection:
        found = [(each.what, each.status, each.why_not) for each in requests_of(connection, 1)]
    assert found == [
        (Ask.ACKNOWLEDGE, "refused", "its time was over before it was taken up"),
        (Ask.RESOLVE, "done", ""),
        (Ask.ACKNOWLEDGE, "refused", "the incident is over"),
    ]
    audit = [(each.what, each.outcome) for each in reversed(read_entries(world.state, Wanted(who="ana")))]
    assert audit[3:] == [("alert acknowledge", "failed"), ("alert resolve", "done"), ("alert acknowledge", "failed")]
    with pytest.raises(ChangeRejected, match="incident 1 is over"):
        world.asks(Ask.RESOLVE)
    with pytest.raises(ChangeRejected, match="there is no incident 9"):
        world.asks(Ask.RESOLVE, incident=9)


def test_a_rule_that_cannot_be_evaluated_blinds_no_other_one(state: State) -> None:
    disk = Rule.model_validate({"name": "disk", "when": "disk > 80 %", "every": "10 s"})
    world = World(state, (disk, CPU))
    world.goes_on(0.5)
    read = world.engine._read

    def breaks(operand: Figure | Worked) -> Sequence[Value]:
        if str(operand) == "disk":
            raise ValueError("no such thing")
        return read(operand)

    world.engine._read = breaks
    for _ in range(3):
        world.goes_on(0.93)
    assert world.engine.problems == {"disk": "ValueError: no such thing"}
    assert world.happened() == ["fires", "fires"]


@pytest.mark.transition("B1", "B14")
def test_what_has_a_cause_is_written_down_and_told_when_the_cause_is_over(state: State) -> None:
    feed = Rule.model_validate({"name": "feed", "when": "feed > 80 %", "severity": "critical", "every": "10 s"})
    world = World(state, (CPU, feed))
    world.engine = Engine(
        state, world.clock, world.read, world.route, world.mute, 9,
        lambda firing: {each.key: "caused by cpu" for each in firing if each.rule.name == "feed" and len(firing) > 1},
    )  # fmt: skip
    world.engine.start(world.rules)
    world.goes_on(0.93)
    muted = [(each.receiver, each.status) for each in world.messages() if each.muted_by == "caused by cpu"]
    assert muted == [("desk", "suppressed"), ("phone", "suppressed")]
    world.engine.use([feed])
    for _ in range(3):
        world.goes_on(0.93)
    later = [(each.about, each.status) for each in world.messages() if each.incident == 2][2:]
    assert later == [("opened", "queued")] * 2


def test_when_the_engine_last_ticked_is_known(world: World) -> None:
    assert ticked_at(world.state) == 0.0
    world.goes_on(0.5)
    assert ticked_at(world.state) == world.clock.now()


def test_a_later_engine_takes_over_before_it_reads_and_the_earlier_one_writes_nothing_more(world: World) -> None:
    world.goes_on(0.93)
    earlier, later = world.engine, world.begin()
    world.values[HOST] = 0.5
    world.clock.advance(10)
    with pytest.raises(Overtaken):
        earlier.tick()
    later.tick()
    assert [about for _, about, _ in world.said()] == ["opened", "opened", "resolved", "resolved"]


def test_after_the_machine_slept_messages_are_due_at_once_and_a_restart_keeps_all_times(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 6 * 3_600)
    world.clock.advance(10)
    world.engine.tick()
    world.clock.jump(8 * 3_600)
    world.goes_on(0.93)
    assert {each.next_at for each in world.messages()} <= {each.made_at for each in world.messages()}
    assert all(each.next_at <= world.clock.now() for each in world.messages())
    before = world.engine.incidents[1]
    left = before.acknowledged_until - world.engine.steady()
    again = world.begin()
    moved = again.incidents[1]
    assert moved.acknowledged_until - again.steady() == pytest.approx(left), "what the engine saw of it is over"
    assert moved.acknowledged_by == before.acknowledged_by == "ana"
    world.begin()
    assert world.engine.incidents[1] == moved, "once moved it is not moved again"
    world.goes_on(0.5)
    assert world.said()[-1][1] == "resolved"


def test_a_clock_that_is_set_back_makes_no_message_wait(world: World) -> None:
    world.goes_on(0.93)
    world.clock.jump(-7_200)
    world.goes_on(0.93)
    assert all(each.next_at <= world.clock.now() + 60 for each in world.messages())


def test_a_clock_that_was_set_back_while_nothing_was_evaluated_ends_nothing_and_makes_nobody_wait(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 600)
    world.goes_on(0.93)
    told = len(world.said())
    world.clock.jump(-3_600)
    world.begin()
    assert all(each.next_at <= world.clock.now() + 60 for each in world.messages())
    for _ in range(3):
        world.goes_on(0.93)
    assert len(world.said()) == told and world.happened() == ["fires", "acknowledged", "clock_jump"]
    world.goes_on(0.93, 600)
    assert world.said()[-1][1] == "ack_ended"
    world.begin()
    world.goes_on(0.5)
    assert world.said()[-1][1] == "resolved" and world.happened()[-1] == "resolved"


def test_the_end_of_what_was_critical_is_told_as_such(world: World) -> None:
    world.goes_on(0.93)
    world.goes_on(0.5)
    assert {orjson.loads(each.body)["severity"] for each in world.messages()} == {"critical"}


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


def in_memory() -> State:
    """Return an empty database: tables as the migrations make them, which takes a second."""
    state = State("sqlite://")
    metadata.create_all(state.engine)
    return state


def outbox(
    values: Sequence[float], cuts: Mapping[int, int], asked: Mapping[int, Ask], new: Callable[[], State] = in_memory
) -> list[tuple[int, str, str]]:
    """Return what was put into the outbox over these values, with the process ended at these ticks and statements.

    asked: what people ask of the newest incident before these ticks.
    """
    state = new()
    world = World(state)
    for number, value in enumerate(values):
        world.values[HOST] = value
        world.clock.advance(10)
        if (what := asked.get(number)) and world.engine.incidents:
            world.asks(what, 25, max(world.engine.incidents))
        if statement := cuts.get(number):
            try:
                with ends_at(state, statement):
                    world.engine.tick()
            except Cut:
                world.begin()
        world.engine.tick()
    said = world.said()
    state.close()
    # What is taken back takes its number along on SQLite, and not on PostgreSQL.
    order = {incident: number for number, incident in enumerate(dict.fromkeys(each[0] for each in said), 1)}
    return [(order[incident], about, receiver) for incident, about, receiver in said]


courses = given(
    # Without values a restart may wait for two intervals more: then it is told later, and nothing else is told.
    st.lists(st.sampled_from([0.1, 0.9]), min_size=1, max_size=12),
    st.dictionaries(st.integers(0, 11), st.integers(1, 8), max_size=4),
    st.dictionaries(st.integers(0, 11), st.sampled_from(Ask), max_size=2),
)


@settings(max_examples=60, deadline=None)
@courses
def test_wherever_the_process_ends_the_same_is_told_once(
    values: list[float], cuts: dict[int, int], asked: dict[int, Ask]
) -> None:
    assert outbox(values, cuts, asked) == outbox(values, {}, asked)


def test_wherever_the_process_ends_the_same_is_told_once_on_postgresql(new_postgres_state: Callable[[], State]) -> None:
    shared = new_postgres_state()
    tables = ", ".join(name for name in metadata.tables if name.startswith("alert_"))

    def emptied() -> State:
        with shared.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
        return State(shared.url.render_as_string(hide_password=False))

    @settings(max_examples=8, deadline=None)
    @courses
    def holds(values: list[float], cuts: dict[int, int], asked: dict[int, Ask]) -> None:
        assert outbox(values, cuts, asked, emptied) == outbox(values, {}, asked)

    holds()
    shared.close()


def test_killed_at_any_moment_the_next_process_tells_what_one_alone_would_have(state: State) -> None:
    """Real processes and SIGKILL: what the database has of a transaction then is what the next one finds."""
    url = state.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.support.killed_engine", url]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr[-2_000:]
    alone, *after = orjson.loads(ran.stdout)
    assert [about for _, about, receiver in alone if receiver == "desk"] == [
        "opened", "resolved", "opened", "acknowledged", "resolved",
    ]  # fmt: skip
    assert len(after) > 50 and all(each == alone for each in after)


def test_of_two_engines_at_once_the_later_one_writes(state: State) -> None:
    """The earlier one's tick waits for the later one to take over, and finds itself overtaken."""
    with state.begin() as connection:
        check_token(connection, 1, 1.0, 1.0)
    began = threading.Event()

    def takes_over() -> None:
        with state.begin() as connection:
            claim(connection, 2)
            began.set()
            time.sleep(0.1)  # the earlier one asks meanwhile: on SQLite it waits to begin, on PostgreSQL for the row

    later = threading.Thread(target=takes_over)
    later.start()
    assert began.wait(30)
    with pytest.raises(Overtaken), state.begin() as connection:
        check_token(connection, 1, 2.0, 2.0)
    later.join()
    assert ticked_at(state) == 1.0


def test_of_many_senders_at_once_one_takes_a_message(world: World) -> None:
    world.goes_on(0.93)
    message = world.messages()[0]
    together, taken = threading.Barrier(4), []

    def takes() -> None:
        together.wait(30)
        with world.state.begin() as connection:
            taken.append(take(connection, message, world.clock.now() + 15))

    threads = [threading.Thread(target=takes) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len([each for each in taken if each is not None]) == 1


class _Slips(FakeClock):
    """A machine whose clock is not quite that which counts seconds, as reading both of them takes time."""

    def now(self) -> float:
        self._now += 0.007
        return super().now()


def test_an_incident_began_when_it_did_in_every_message_and_after_every_start(world: World) -> None:
    world.clock = _Slips()
    world.begin()
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 3_600)
    world.goes_on(0.93)
    world.begin()
    world.asks(Ask.ACKNOWLEDGE, 7_200)
    world.goes_on(0.93)
    told = [orjson.loads(each.body)["members"] for each in world.messages()]
    assert len({each["since"] for members in told for each in members}) == 1, "and so it did of each alert"
    for jump in (3.0, 900.0, -20.0):
        world.clock.jump(jump)
        world.goes_on(0.93)
        world.begin()
        world.goes_on(0.93)
    world.goes_on(0.5)
    assert {about for _, about, _ in world.said()} == {"opened", "acknowledged", "resolved"}
    assert len({orjson.loads(each.body)["opened_at"] for each in world.messages()}) == 1
    assert len({noticed(each).case for each in world.messages()}) == 1
    with world.state.reading() as connection:
        (kept,) = read_incidents(connection, closed=True)
    assert kept.opened_at == orjson.loads(world.messages()[0].body)["opened_at"]


def test_until_when_somebody_has_it_in_hand_is_kept_as_it_was_asked_for(world: World) -> None:
    world.clock = _Slips()
    world.begin()
    world.goes_on(0.93)
    until = world.clock.now() + 1_000
    ask(world.state, Request(1, Ask.ACKNOWLEDGE, "ana", until - 1_000, until))
    world.goes_on(0.93)
    known = world.engine.incidents[1]
    assert known.acknowledged_until + world.engine.ahead_seconds == pytest.approx(until, abs=1e-5)
    assert orjson.loads(world.messages()[-1].body)["until"] == pytest.approx(until, abs=1e-5)


def noticed(message: KeptMessage, before: Sequence[KeptMessage] = ()) -> Notice:
    return notice_of(message, before, machine="vm", installation="i", address="", sent=before)


def test_who_acknowledged_it_and_why_is_told_and_an_end_that_came_by_itself_is_nobody_s(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.ACKNOWLEDGE, 3_600)
    world.goes_on(0.93)
    world.goes_on(0.5)
    opened, _, acknowledged, _, resolved, _ = world.messages()
    told = noticed(acknowledged, [opened]).lines
    assert told[:2] == ["ana has it in hand until 2023-11-14 23:13:30 UTC.", "ana wrote: I look"]
    assert as_data(noticed(acknowledged, [opened]))["note"] == "I look"
    end = noticed(resolved, [opened])
    assert "it is over since" in end.lines[0] and end.who == "" and end.fires_on == 0


def test_resolved_by_hand_is_told_as_such_with_what_fires_on(world: World) -> None:
    world.values[labels(host="b")] = 0.99
    world.goes_on(0.93)
    world.asks(Ask.RESOLVE)
    world.goes_on(0.93)
    opened, _, resolved, _ = world.messages()
    end = noticed(resolved, [opened])
    assert end.subject == "[RESOLVED] By hand: cpu: 2 alerts"
    assert end.lines[0].startswith("It fired for 10 s; ana resolved it at")
    assert end.lines[1:3] == [
        "2 alerts still fire, and are told again only after a time of calm.",
        "ana wrote: I look",
    ]
    assert (as_data(end)["note"], as_data(end)["fires_on"]) == ("I look", 2)


def test_a_snooze_is_told_when_it_is_over_as_a_snooze_also_after_a_start(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.SNOOZE, 1_000)
    world.goes_on(0.93)
    assert world.engine.incidents[1].stage == "snoozed"
    with world.state.reading() as connection:
        assert [each.stage for each in read_incidents(connection)] == ["snoozed"]
    world.begin()
    world.runs(1_200)
    assert [about for _, about, _ in world.said()] == ["opened"] * 2 + ["snooze_ended"] * 2
    opened, _, over, _ = world.messages()
    assert noticed(over, [opened]).subject.startswith("[CRITICAL] The snooze is over: ")


def test_what_was_resolved_by_hand_stays_so_when_the_routes_were_changed_before_a_start(world: World) -> None:
    world.goes_on(0.93)
    world.asks(Ask.RESOLVE)
    world.goes_on(0.93)
    world.route = lambda rule, of: (f"another of {rule.name}", PLAN)  # type: ignore[method-assign]
    for _ in range(3):
        world.begin()
        world.goes_on(0.93)
    assert {incident for incident, _, _ in world.said()} == {1} and world.engine.incidents == {}
    world.goes_on(0.5)
    world.goes_on(0.93)
    assert world.said()[4:] == [(2, "opened", "desk"), (2, "opened", "phone")]


def test_the_history_says_of_which_incident_each_alert_was(world: World) -> None:
    other = labels(host="b")
    world.goes_on(0.93)
    world.values[other] = 0.99
    world.goes_on(0.93)
    world.values[other] = 0.1
    world.goes_on(0.93)
    world.goes_on(0.5)
    world.goes_on(0.93)
    with world.state.reading() as connection:
        rows = [(row.what, row.labels, row.incident) for _, row in reversed(read_history(connection, 100))]
    a, b = '{"host":"a"}', '{"host":"b"}'
    assert rows == [
        ("fires", a, 1), ("fires", b, 1), ("resolved", b, 1), ("resolved", a, 1), ("fires", a, 2),
    ]  # fmt: skip


def test_what_held_for_a_moment_after_a_start_is_no_near_miss_and_one_later_tells_what_held(state: State) -> None:
    silent = Rule.model_validate({
        "name": "silent", "when": "cpu == 1", "severity": "critical", "every": "10 s", "for": "30 s",
        "message": "{host}: {why}",
    })  # fmt: skip
    world = World(state, (silent,))
    world.goes_on(0.0)
    world.begin()
    world.goes_on(1.0)
    world.goes_on(0.0)
    assert world.happened() == []
    world.goes_on(0.0, 60)
    world.goes_on(1.0)
    world.goes_on(0.0)
    with state.reading() as connection:
        ((_, row),) = read_history(connection, 100)
    assert (row.what, row.detail) == ("near_miss", "a")


def test_begin_and_end_are_called_by_the_same_words(world: World) -> None:
    for value in (0.93, 0.97, 0.4):
        world.goes_on(value)
    opened, _, resolved, _ = world.messages()
    assert noticed(opened).subject == "[CRITICAL] CPU 93% on a"
    end = noticed(resolved, [opened])
    assert end.subject == "[RESOLVED] CPU 93% on a"
    assert end.lines[-1] == "• critical: CPU 93% on a (host a)"


def test_what_is_clear_and_not_over_yet_is_told_as_it_fired_and_since_when_it_is_clear(state: State) -> None:
    slow = Rule.model_validate({
        "name": "cpu", "when": "cpu > 80 %", "severity": "critical", "every": "10 s", "keep_firing_for": "1 h",
        "message": "CPU {value:.0%} on {host}",
    })  # fmt: skip
    world = World(state, (slow,))
    world.goes_on(0.93)
    world.goes_on(0.2)
    clear_since = world.clock.now()
    world.runs(800)
    opened, _, reminded, _ = world.messages()
    told = noticed(reminded, [opened])
    assert told.subject == "[CRITICAL] Still firing: CPU 93% on a"
    assert told.lines[-1] == f"• critical: CPU 93% on a (host a); clear since {clock_time(clear_since)}"


def test_after_a_start_nobody_is_reminded_of_what_was_not_read_yet(world: World) -> None:
    world.goes_on(0.93)
    world.clock.advance(700)
    world.begin()
    world.goes_on(None)
    assert [about for _, about, _ in world.said()] == ["opened"] * 2, "it may be over"
    world.goes_on(None)
    world.goes_on(None)
    opened, _, reminded, _ = world.messages()
    assert noticed(reminded, [opened]).subject == "[CRITICAL] Still firing: CPU 93% on a", "as it was read last"


def test_the_end_is_called_as_what_was_told_last(world: World) -> None:
    other = labels(host="b")
    world.values[other] = 0.99
    world.goes_on(0.93)
    world.values[other] = 0.1
    world.goes_on(0.5)
    *_, resolved = world.messages()
    body = orjson.loads(resolved.body)
    assert [each["labels"] for each in body["members"]] == [{"host": "b"}, {"host": "a"}] and body[
        "severity"
    ] == "critical"
    assert noticed(resolved).subject == "[RESOLVED] It fired and is over: cpu: 2 alerts"


def test_a_lack_of_data_and_an_error_say_what_they_are_of(state: State) -> None:
    world = World(state, (edited("cpu > 80 %", title="CPU"),))
    for _ in range(370):
        world.goes_on(0.5)
    world.values.clear()
    world.runs(60, 10)
    opened = noticed(world.messages()[0])
    assert opened.subject == "[CRITICAL] CPU: host a: it is not reported any more"
    world.goes_on(0.5)
    world.is_away = True
    world.runs(60, 10)
    subject = noticed(world.messages()[-1]).subject
    assert subject == "[CRITICAL] CPU: host a: ClickHouse does not answer"


def test_an_alert_of_a_prometheus_is_called_as_it_is_called_there() -> None:
    sent = CPU.model_copy(update={"name": "sent", "title": "Sent by Prometheus"})
    assert title_of(sent, labels(alertname="NodeDown", host="a")) == "NodeDown"
    assert title_of(sent) == "Sent by Prometheus"
    assert title_of(CPU, labels(alertname="NodeDown")) == "cpu"


@pytest.mark.parametrize(
    ("rule", "condition", "told"),
    [
        ({"when": "system_cpu_busy_ratio > 80 %"}, Condition(value=0.92, severity=Severity.WARNING),
         "r: system_cpu_busy_ratio is 92.0 %, above 80.0 %"),
        ({"when": "system_cpu_busy_ratio > 80 %", "clear": "system_cpu_busy_ratio < 70 %", "title": "CPU"},
         Condition(value=0.75, severity=Severity.WARNING), "CPU: system_cpu_busy_ratio is 75.0 %, fires above 80.0 %"),
        ({"when": "avg(system_memory_used_bytes, 5 min) >= 2 GiB"},
         Condition(value=3 * 1024.0**3, severity=Severity.WARNING),
         "r: avg(system_memory_used_bytes, 5 min) is 3.00 GiB, at or above 2.00 GiB"),
        ({"when": "zscore(system_cpu_busy_ratio, 4 w) > 5"}, Condition(value=6.0, severity=Severity.WARNING),
         "r: zscore(system_cpu_busy_ratio, 4 w) is 6, above 5"),
        ({"when": "system_cpu_busy_ratio > 80 % and feed_age > 4"}, Condition(value=0.9, severity=Severity.WARNING),
         "r: system_cpu_busy_ratio is 90.0 %"),
        ({"when": 'status{component="Feed"} == down'}, Condition(value=4.0, severity=Severity.WARNING),
         'r: status{component="Feed"} is down'),
        ({"when": "absent(orders)"}, Condition(severity=Severity.WARNING), "r: orders is not there"),
        ({"when": "absent(orders)", "message": "The OMS sends no orders"}, Condition(severity=Severity.WARNING),
         "The OMS sends no orders"),
        ({"when": "absent(orders)", "message": "orders: {value:.2f}"}, Condition(severity=Severity.WARNING),
         "orders: n/a"),
        ({"when": "absent(orders)", "message": "no orders"}, Condition(why="its rule was removed"),
         "r: component feed: its rule was removed"),
        ({"when": "status == down", "message": "{component}: {why}"},
         Condition(Phase.FIRING, value=4.0, why="refused", is_stale=True, severity=Severity.WARNING), "feed: refused"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_condition(rule: dict[str, str], condition: Condition, told: str) -> None:
    assert message_of(Rule.model_validate({"name": "r", **rule}), labels(component="feed"), condition) == told


def test_alerts_of_a_message_stand_as_people_count_and_name_no_id_of_a_limit(world: World) -> None:
    for number in (10, 2, 1):
        world.values[labels(host=f"V{number}")] = 0.9
    world.clock.advance(10)
    world.engine.tick()
    told = noticed(world.messages()[0])
    assert [each.where for each in told.alerts] == ["host V1", "host V2", "host V10"]
    assert where_of(labels(portfolio="alpha", limit="settings-681e")) == "portfolio alpha"
    assert where_of(labels(limit="soft", host="a")) == "host a, limit soft"


def test_a_loss_is_said_without_its_sign_and_as_numbers_are_written_everywhere() -> None:
    said = {"drawdown": "{portfolio}: {lost} below its peak", "daily-loss": "{portfolio}: daily return {percent}"}
    rules = {
        name: Rule.model_validate({"name": name, "when": "daily_return < -5 %", "message": message})
        for name, message in said.items()
    }
    of = labels(portfolio="vol arb")
    fall = Condition(severity=Severity.CRITICAL, value=-0.373)
    assert message_of(rules["drawdown"], of, fall) == "vol arb: 37.3 % below its peak"
    assert message_of(rules["daily-loss"], of, fall) == "vol arb: daily return −37.3 %"
