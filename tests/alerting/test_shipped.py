"""The rules that come with Fundwatch, over readings as its collectors make them: what is told, and what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest
from pydantic import SecretStr

from alerting.engine import Engine
from alerting.figures import Figures
from alerting.quiet import Causes
from collectors.runtime.start import start_collectors
from core.alerts.files import read_rules
from core.alerts.plan import Plan
from core.alerts.rule_set import SHIPPED, shipped_text
from core.alerts.severity import Severity
from core.alerts.spec import ENGINE
from core.clock import FakeClock, SystemClock
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.iqfeed.source import IqfeedSource
from core.kinds.registry import Watch
from core.model import Component, Reading, Sample, Status
from portfolio.vocabulary import query_of, vocabulary
from status.readings import OF_ENGINE, collectors_of, every_dataset
from storage.stores import Stores
from tests.support.times import MIDNIGHT

OWN = ("system", "processes", "pipeline", "requests", "alerts", "health", "readiness", "clickhouse:own", "redis:own")
PARTS: dict[str, Sequence[str]] = {
    "system": ("CPU", "Memory", "Disk /"),
    "pipeline": ("ClickHouse", "writer", "spool", "data folder", "settings", "collector system"),
    "clickhouse:own": ("ClickHouse own",),
    "redis:own": ("Redis own",),
}


class World:
    """A machine as it is after a start, and the engine over it with the shipped rules."""

    def __init__(self, stores: Stores) -> None:
        self.clock = FakeClock(float(MIDNIGHT + 43_200))
        self.stores = replace(stores, clock=self.clock)
        self.rules = [each.rule for each in read_rules(shipped_text(), SHIPPED, vocabulary(), query_of).rules]
        self.figures = Figures(self.stores)
        self.figures.use(self.rules)
        self.causes = Causes(stores.settings.alerts.all_rests_on, stores.settings.alerts.inhibitions)
        self.engine = Engine(
            stores.state, self.clock, self.figures, lambda rule, _: (rule.name, Plan()), lambda *_: "", 1,
            self.causes.why, self.figures.why_gone,
        )  # fmt: skip
        self.engine.start(self.rules)

    def runs(self, seconds: float, tell: Callable[[], None], step: float = 10.0) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            tell()
            self.figures.begin()
            self.engine.tick()

    def tells(self, host: str, collectors: Sequence[str] = OWN) -> None:
        """Have a machine tell that all is well."""
        for each in collectors:
            parts = [Component(name, Status.OK, "fine") for name in PARTS.get(each, ())]
            interval = 15.0 if each == "processes" else 5.0
            self.stores.live.put_reading(
                each, host, self.clock.now(), interval, Reading([], parts), timeout_seconds=3.0
            )

    def told(self) -> Iterator[tuple[str, str, str]]:
        """Yield rule, machine and what hides it of all that fires."""
        members = {key: each for one in self.engine.incidents.values() for key, each in one.members.items()}
        for known, rule in self.engine.firing:
            yield rule.name, dict(known.labels).get("machine", ""), members[known.key].muted_by

    def fires(self) -> list[str]:
        """Return the rules that fire and are told."""
        return sorted({rule for rule, _, muted_by in self.told() if not muted_by})


@pytest.fixture
def world(stores: Stores) -> World:
    return World(stores)


def nothing() -> None:
    return


def test_a_machine_that_hands_over_is_not_missed(world: World) -> None:
    world.runs(4_000, partial(world.tells, "a"), step=15.0)
    assert world.fires() == []
    for _ in range(50):
        world.runs(10, partial(world.tells, "b"))
        assert world.fires() == []
    assert "a" not in {dict(known.labels).get("machine") for known in world.engine._memory.known.values()}


def test_a_machine_that_is_gone_is_told_by_one_rule(world: World) -> None:
    world.runs(4_000, partial(world.tells, "a"), step=15.0)
    here = [each for each in OWN if ":" in each]
    world.runs(4_500, partial(world.tells, "a", here), step=15.0)
    assert world.fires() == ["silent"]
    world.runs(300, partial(world.tells, "b"))
    assert world.fires() == []


def test_a_job_that_has_never_pinged_wakes_nobody_one_that_is_overdue_does(stores: Stores) -> None:
    watch = Watch(heartbeat=(HeartbeatSource(name="nightly", token=SecretStr("k" * 32), schedule="0 2 * * *"),))
    world = World(replace(stores, settings=stores.settings.model_copy(update={"watch": watch})))

    def tell(status: Status, why: str) -> None:
        world.tells("a")
        part = Component("Heartbeat nightly", status, why)
        world.stores.live.put_reading("heartbeat:nightly", "a", world.clock.now(), 5.0, Reading([], [part]))

    world.runs(3_600, partial(tell, Status.UNKNOWN, "has never pinged"), step=30)
    assert world.fires() == []
    world.runs(60, partial(tell, Status.DOWN, "overdue for 1 h"))
    assert world.fires() == ["heartbeats"]
    assert [known.condition.severity for known, _ in world.engine.firing] == [Severity.URGENT]


def test_an_engine_that_finds_something_wrong_with_itself_is_told(world: World) -> None:
    def tell(status: Status) -> None:
        world.tells("a")
        part = Component(ENGINE, status, "rules: bad.yaml:3: is no rule")
        world.stores.live.put_reading("alerts", "a", world.clock.now(), 5.0, Reading([], [part]))

    world.runs(600, partial(tell, Status.WARNING))
    assert world.fires() == []
    world.runs(120, partial(tell, Status.CRITICAL))
    assert world.fires() == ["alert-engine"]
    world.runs(120, partial(tell, Status.OK))
    assert world.fires() == []


def as_on_a_calm_machine(part: Component, collector: str) -> Component:
    """Return a component without what other programs of the machine make of it: it is beyond a limit, or late."""
    is_measured = part.value is not None or (collector == "pipeline" and part.name.startswith("collector "))
    return replace(part, status=Status.OK) if is_measured and part.status is not Status.UNKNOWN else part


def test_nothing_is_told_in_the_first_hour_where_nothing_was_set_up(stores: Stores) -> None:
    # The stores of tests are not where the settings say: their own sources are not watched.
    sources = stores.settings.sources.model_copy(update={"own": False})
    settings = stores.settings.model_copy(update={"sources": sources})
    real = replace(stores, settings=settings, clock=SystemClock())
    names = [name for name in collectors_of(real.settings, every_dataset(real.settings)) if name not in OF_ENGINE]
    runner = start_collectors(real)
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        found = real.live.every_reading(names)
        parts = [part for each in found if each.collector == "pipeline" for part in each.components]
        if len(found) == len(names) and not any(part.status is Status.UNKNOWN for part in parts):
            break
        time.sleep(0.2)
    runner.stop(5.0)
    assert {each.collector for each in found} == set(names)
    world = World(real)

    def tell() -> None:
        world.tells("host-1", OF_ENGINE)
        for each in found:
            samples = [Sample(metric, value, of) for (metric, of), value in each.samples.items()]
            parts = [as_on_a_calm_machine(part, each.collector) for part in each.components]
            now = world.clock.now()
            world.stores.live.put_reading(
                each.collector, each.host, now, each.interval_seconds, Reading(samples, parts)
            )

    world.runs(4_000, tell, step=40)
    assert [(rule, known.labels, known.condition.why) for known, rule in world.engine.firing] == []


def test_what_is_down_for_want_of_the_network_is_not_told_beside_it(stores: Stores) -> None:
    watch = Watch(iqfeed=(IqfeedSource(name="main"),))
    world = World(replace(stores, settings=stores.settings.model_copy(update={"watch": watch})))

    def tell() -> None:
        world.tells("a")
        now = world.clock.now()
        for collector, part in (
            ("system", Component("Network", Status.CRITICAL, "eth0 loses 900 packets a second")),
            ("iqfeed:main", Component("IQFeed main", Status.DOWN, "refused")),
        ):
            world.stores.live.put_reading(collector, "a", now, 5.0, Reading([], [part]), timeout_seconds=3.0)

    world.runs(300, tell)
    assert world.fires() == ["machine"]
    assert ("trading", "", "caused by Network") in [*world.told()]
