"""The rules that come with Fundwatch, over readings as its collectors make them: what is told, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from alerting.engine import Engine
from alerting.figures import Figures
from alerting.quiet import Causes
from core.alerts.files import read_rules
from core.alerts.plan import Plan
from core.alerts.rule_set import SHIPPED, shipped_text
from core.clock import FakeClock
from core.model import Component, Reading, Status
from portfolio.vocabulary import query_of, vocabulary
from storage.stores import Stores
from tests.support.times import MIDNIGHT

OWN = ("system", "processes", "pipeline", "requests", "alerts", "clickhouse:own", "redis:own")
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
    assert "a" not in {dict(known.labels).get("machine") for known in world.engine._known.values()}


def test_a_machine_that_is_gone_is_told_by_one_rule(world: World) -> None:
    world.runs(4_000, partial(world.tells, "a"), step=15.0)
    here = [each for each in OWN if ":" in each]
    world.runs(4_500, partial(world.tells, "a", here), step=15.0)
    assert world.fires() == ["silent"]
    world.runs(300, partial(world.tells, "b"))
    assert world.fires() == []
