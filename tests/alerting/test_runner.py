"""The engine as a process runs it: begins where it is its turn, ends when it was overtaken, tells how it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from alerting.quiet import Causes
from alerting.runner import Runner
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.matchers import read_matchers
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.alerts.silence import Silence
from core.alerts.spec import (
    ALERTS,
    ENGINE,
    FIRING,
    MUTED,
    RULES,
    TICK_AGE_SECONDS,
    FiringAlert,
    OpenIncident,
    Quieting,
    hidden_by,
)
from core.clock import FakeClock
from core.errors import RuleRejected, StorageUnavailable
from core.lease import LEASE_SECONDS, Lease
from core.model import Component, Labels, LiveReading, Status, labels
from core.tables import rows_of
from status.alerts import alerts_now
from storage.live.leases import LeaseStore
from storage.state.alert_requests import Ask, Request, ask
from storage.state.alerts import MessageStatus, messages_of, newest_token, read_history
from storage.state.database import State
from storage.state.outbox import add_once, finish
from storage.state.silences import add_silence, mute_all
from storage.stores import Stores
from tests.support.alerting import STORM, Alerting, QuietParts

CPU = Rule.model_validate({"name": "cpu", "when": "cpu > 80 %", "severity": "critical", "every": "1 s"})
A = labels(host="a")


class World(QuietParts):
    """What rules see."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.rules: Sequence[Rule] | str = (CPU,)
        self.value = 0.5
        self.woken: list[int] = []

    def runner(self, lease: Lease | None = None) -> Runner:
        return Runner(self.stores, self.read_rules, self, self.route, Causes({}), lease, lambda *_: self)

    def read_rules(self) -> Sequence[Rule]:
        if isinstance(self.rules, str):
            raise RuleRejected("when", self.rules)
        return self.rules

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]:
        return [Value(A, self.value)]

    def wake(self) -> None:
        self.woken.append(1)

    def route(self, rule: Rule, of: Labels) -> tuple[str, Plan]:
        return rule.name, Plan(receivers=("desk",), wait_seconds=0)

    def goes_on(self, *runners: Runner, seconds: float = 1.0, times: int = 1) -> None:
        clock = self.stores.clock
        assert isinstance(clock, FakeClock)
        for _ in range(times):
            clock.advance(seconds)
            for runner in runners:
                runner.step()

    @property
    def told(self) -> LiveReading:
        reading = self.stores.live.reading(ALERTS, self.stores.settings.machine)
        assert reading is not None
        return reading

    @property
    def engine(self) -> Component:
        return next(each for each in self.told.components if each.name == ENGINE)

    def happened(self) -> list[str]:
        with self.stores.state.reading() as connection:
            return [row.what for _, row in reversed(read_history(connection, 100))]


@pytest.fixture
def world(stores: Stores) -> World:
    # Samples are stored: those of long ago are dropped.
    return World(replace(stores, clock=FakeClock(time.time())))


def test_it_tells_what_fires_and_how_it_is(world: World) -> None:
    runner = world.runner()
    world.goes_on(runner)
    assert (world.engine.status, world.engine.why) == (Status.OK, "1 rule, 0 alerts firing")
    world.value = 0.93
    world.goes_on(runner)
    assert world.told.value(FIRING, severity="critical") == 1, "at once"
    world.goes_on(runner)
    assert world.woken == [1]
    assert world.told.value(RULES) == 1
    (alert,) = rows_of(world.told.tables, FiringAlert)
    assert (alert.rule, alert.severity, alert.incident, alert.muted_by) == ("cpu", "critical", 1, "")
    (incident,) = rows_of(world.told.tables, OpenIncident)
    assert (incident.incident, incident.alerts, incident.next_about) == (1, 1, "reminded")
    assert (incident.told, incident.untold) == ([], ["desk"]), "nobody sends here"
    assert incident.told_at is not None and incident.next_at == pytest.approx(incident.told_at + 14_400)
    assert hidden_by(read_matchers('host="a"'), [alert]) == [alert]
    assert hidden_by(read_matchers('host="b"'), [alert]) == []
    world.stores.writer.flush()
    found = world.stores.clickhouse.rows("SELECT count() FROM series WHERE metric = {m:String}", {"m": str(RULES)})
    assert found == [(1,)]


def test_what_is_kept_quiet_is_told_with_what_hides_it(world: World) -> None:
    now = world.stores.clock.now()
    add_silence(world.stores.state, Silence(read_matchers('host="a"'), now, now + 600, "new disk", "ana", now))
    runner, world.value = world.runner(), 0.93
    world.goes_on(runner, times=6)
    assert world.told.value(MUTED) == 1
    (quiet,) = rows_of(world.told.tables, Quieting)
    assert (quiet.reason, quiet.matchers, quiet.hidden, quiet.who) == ("silence 1", 'host="a"', 1, "ana")


def test_changed_rules_are_taken_and_those_with_a_mistake_are_not(world: World) -> None:
    runner = world.runner()
    world.goes_on(runner)
    world.rules = "is not understood"
    world.goes_on(runner, times=6)
    assert (world.engine.status, world.engine.why) == (Status.CRITICAL, "rules: when: is not understood")
    assert world.told.value(RULES) == 1
    world.rules = ()
    world.goes_on(runner, times=6)
    assert (world.engine.status, world.told.value(RULES)) == (Status.OK, 0)


def test_rules_with_a_mistake_at_a_start_resolve_nothing(world: World) -> None:
    world.value = 0.93
    world.goes_on(world.runner())
    world.rules = "is not understood"
    runner = world.runner()
    world.goes_on(runner, times=3)
    assert not runner.is_active and world.happened() == ["fires"]
    world.rules = (CPU,)
    world.goes_on(runner)
    assert runner.is_active and world.happened() == ["fires"]


@contextmanager
def away(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The state database does not answer."""

    def fails(*_: object, **__: object) -> Any:
        raise StorageUnavailable("it does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(state, "begin", fails)
        patched.setattr(state, "reading", fails)
        yield


def test_without_the_state_database_the_last_known_state_is_told_as_such(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, world.value = world.runner(), 0.93
    world.goes_on(runner)
    with away(world.stores.state, monkeypatch):
        world.value = 0.5
        world.goes_on(runner, seconds=5, times=3)
        assert world.engine.status is Status.CRITICAL and "it does not answer" in world.engine.why
        assert [each.rule for each in rows_of(world.told.tables, FiringAlert)] == ["cpu"]
        assert world.told.value(TICK_AGE_SECONDS) == 15
        assert runner.audit() == ("the state database does not answer: it does not answer",)
    assert world.happened() == ["fires"]
    world.goes_on(runner)
    assert (world.engine.status, world.happened()) == (Status.OK, ["fires", "resolved"])


def lease(stores: Stores, owner: str) -> Lease:
    return Lease(LeaseStore(stores.live), owner, stores.clock, "alerting")


def test_of_two_processes_one_evaluates_and_the_other_takes_over(world: World) -> None:
    mine, other = lease(world.stores, "mine"), lease(world.stores, "other")
    first, second = world.runner(mine), world.runner(other)
    assert mine.tick() and not other.tick()
    world.value = 0.93
    world.goes_on(first, second)
    assert (first.is_active, second.is_active) == (True, False)
    mine.release()
    assert other.tick()
    world.goes_on(second, first)
    assert (first.is_active, second.is_active) == (False, True)
    world.goes_on(first, second, times=3)
    assert world.happened() == ["fires"]


def test_an_engine_goes_on_without_the_store_of_the_lease_until_another_one_has_written(world: World) -> None:
    mine, other = lease(world.stores, "mine"), lease(world.stores, "other")
    first, second = world.runner(mine), world.runner(other)
    mine.tick()
    world.goes_on(first)
    world.goes_on(first, seconds=LEASE_SECONDS, times=5)
    assert not mine.holds() and first.is_active
    mine.release()
    world.stores.live.client.delete(world.stores.live.key("lease", "alerting"))
    assert other.tick()
    world.goes_on(second, first)
    assert (first.is_active, second.is_active) == (False, True)


class Slow(World):
    """What it takes so many seconds to begin with."""

    seconds = 0
    renew: Callable[[], None]

    def read_rules(self) -> Sequence[Rule]:
        clock = self.stores.clock
        assert isinstance(clock, FakeClock)
        for _ in range(self.seconds):
            clock.advance(1)
            self.renew()
        return super().read_rules()


@pytest.mark.parametrize(("seconds", "keeps"), [(40, True), (90, False)])
def test_who_hangs_while_he_begins_lets_another_one_take_over_and_who_is_slow_does_not(
    world: World, seconds: int, keeps: bool
) -> None:
    slow = Slow(world.stores)
    mine, other = lease(world.stores, "mine"), lease(world.stores, "other")
    runner = slow.runner(mine)
    slow.renew = runner.renew
    slow.seconds = seconds
    assert mine.tick()
    runner.step()
    assert mine.holds() == keeps
    if keeps:
        runner.renew()
        assert mine.holds() and runner.is_active and runner.may_tell()
    else:
        world.stores.live.client.delete(world.stores.live.key("lease", "alerting"))  # as its time does
        second = world.runner(other)
        assert other.tick()
        world.goes_on(second, runner)
        assert (second.is_active, runner.is_active) == (True, False)


def test_the_token_grows_whatever_the_clock_of_the_lease_says(world: World) -> None:
    with world.stores.state.reading() as connection:
        assert newest_token(connection) == 0
    for number in (1, 2, 3):
        world.goes_on(world.runner())
        with world.stores.state.reading() as connection:
            assert newest_token(connection) == number


def test_the_auditor_tells_of_an_engine_that_is_silent(world: World) -> None:
    runner = world.runner()
    world.goes_on(runner)
    assert runner.audit() == []
    clock = world.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(60)
    assert runner.audit() == ["the engine has not ticked for 1 min"]


def test_what_was_resolved_by_hand_and_fires_on_is_muted_with_everything(stores: Stores) -> None:
    alerting = Alerting(replace(stores, clock=FakeClock(stores.clock.now())))
    found = alerting.stores
    alerting.finds(STORM)
    now = found.clock.now()
    for each in alerts_now(found).incidents:
        ask(found.state, Request(each.incident, Ask.RESOLVE, "ana", now))
    alerting.step()
    assert alerts_now(found).incidents == [] and len(alerts_now(found).firing) == 6
    mute_all(found.state, Silence((), now, now + 3_600, "a drill", "ana", now))
    alerting.step(6)
    assert {each.muted_by for each in alerts_now(found).firing} == {"everything is muted 1"}
    assert [each.hidden for each in alerts_now(found).quiet] == [6]


def test_told_are_those_whom_a_message_has_reached(stores: Stores) -> None:
    alerting = Alerting(replace(stores, clock=FakeClock(stores.clock.now())))
    found = alerting.stores
    alerting.finds({"status": STORM["status"][1:]})
    (incident,) = alerts_now(found).incidents
    assert (incident.told, incident.untold) == ([], ["log"])
    with found.state.begin() as connection:
        (message,) = messages_of(connection, incident.incident)
        finish(connection, replace(message, status=MessageStatus.FAILED, done_at=1.0))
        add_once(connection, replace(message, receiver="second", status=MessageStatus.SENT, done_at=2.0))
    alerting.step(6)
    (incident,) = alerts_now(found).incidents
    assert (incident.told, incident.untold) == (["second"], ["log"])
