"""Routes that are changed while an incident is open: it goes on as it began, and what begins later is told anew."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from core.alerts.evaluate import Value
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.model import labels
from core.settings.routes import Route
from storage.state.alert_requests import Ask, Request, ask
from storage.state.alerts import messages_of, read_history, read_incidents
from storage.state.database import State
from storage.stores import Stores
from tests.support.alerting import Alerting

FULL = Rule.model_validate({"name": "full", "when": "disk > 90 %", "severity": "critical", "every": "10 s"})
HOT = Rule.model_validate({"name": "hot", "when": "heat > 90 %", "severity": "critical", "every": "10 s"})
BEFORE: dict[str, Any] = {
    "receivers": ["desk"], "rounds": 2, "repeat": "1000 s", "interval": "40 s",
    "escalation": [{"after": "60 s", "receivers": ["phone"]}, {"after": "120 s", "receivers": ["boss", "desk"]}],
}  # fmt: skip
AFTER: dict[str, Any] = {
    "receivers": ["room"], "repeat": "200 s", "interval": "40 s",
    "escalation": [{"after": "20 s", "receivers": ["pager"]}],
}  # fmt: skip
A, B = labels(host="a"), labels(host="b")
Said = tuple[int, str, tuple[str, ...]]
"""After so many seconds, what it is about, to whom."""


class Fund:
    """An installation whose routes are edited: each edit takes a new start."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.began = stores.clock.now()
        self.values: dict[str, list[Value]] = {}
        self.alerting = self.starts_with(BEFORE)

    def starts_with(self, *routes: dict[str, Any]) -> Alerting:
        settings = self.stores.settings.model_copy(update={"routes": tuple(map(Route.model_validate, routes))})
        self.alerting = Alerting(replace(self.stores, settings=settings))
        self.alerting.rules = (FULL, HOT)
        return self.alerting

    def goes_on(self, until: int) -> None:
        """Tick every ten seconds until so many have passed since the beginning."""
        while self.stores.clock.now() - self.began < until:
            self.alerting.values = self.values
            self.alerting.step(10)

    def said(self, incident: int) -> list[Said]:
        """Return the messages of an incident, and where nobody is left to tell, in order."""
        with self.stores.state.reading() as connection:
            rows = messages_of(connection, incident)
            ends = [row for _, row in read_history(connection, 1_000) if row.incident == incident]
        found: dict[tuple[int, int, str], list[str]] = {}
        for each in rows:
            found.setdefault((each.number, self._after(each.made_at), each.about), []).append(each.receiver)
        told = [(at, about, tuple(sorted(receivers))) for (_, at, about), receivers in sorted(found.items())]
        return sorted(told + [(self._after(row.at), row.what, ()) for row in ends if row.what == "exhausted"])

    def open_ids(self) -> list[int]:
        with self.stores.state.reading() as connection:
            return sorted(each.id for each in read_incidents(connection))

    def _after(self, at: float) -> int:
        return round(at - self.began)


@pytest.fixture
def fund(stores: Stores, either_state: State) -> Fund:
    return Fund(replace(stores, state=either_state, clock=FakeClock(time.time())))


@pytest.mark.transition("B5")
def test_an_open_incident_keeps_the_plan_that_it_began_with_and_a_new_one_has_the_new_routes(fund: Fund) -> None:
    fund.values = {"disk": [Value(A, 0.95)]}
    fund.goes_on(80)
    assert fund.said(1) == [(10, "opened", ("desk",)), (70, "escalated", ("phone",))]
    fund.starts_with(AFTER)
    fund.values["heat"] = [Value(A, 0.99)]
    fund.goes_on(1_400)
    assert fund.said(1) == [
        (10, "opened", ("desk",)),
        (70, "escalated", ("phone",)),
        (190, "escalated", ("boss", "desk")),
        (250, "escalated", ("phone",)),
        (370, "escalated", ("boss", "desk")),
        (490, "exhausted", ()),
        (1_370, "reminded", ("boss", "desk", "phone")),
    ]
    (_, later) = fund.open_ids()
    began = fund.said(later)[0][0]
    assert fund.said(later)[:4] == [
        (began, "opened", ("room",)),
        (began + 20, "escalated", ("pager",)),
        (began + 40, "exhausted", ()),
        (began + 220, "reminded", ("pager", "room")),
    ]
    fund.values = {"disk": [Value(A, 0.1)], "heat": [Value(A, 0.1)]}
    fund.goes_on(1_420)
    assert [fund.said(each)[-1][1:] for each in (1, later)] == [
        ("resolved", ("boss", "desk", "phone")),
        ("resolved", ("pager", "room")),
    ]
    fund.values = {"disk": [Value(A, 0.95)]}
    fund.goes_on(1_460)
    (anew,) = fund.open_ids()
    assert [each[1:] for each in fund.said(anew)] == [("opened", ("room",)), ("escalated", ("pager",))]


def test_what_joins_an_open_incident_after_that_is_told_to_those_who_know_of_it(fund: Fund) -> None:
    fund.values = {"disk": [Value(A, 0.95)]}
    fund.goes_on(20)
    fund.starts_with(AFTER)
    fund.values = {"disk": [Value(A, 0.95), Value(B, 0.97)]}
    fund.goes_on(60)
    assert fund.said(1) == [(10, "opened", ("desk",)), (50, "changed", ("desk",))] and fund.open_ids() == [1]


def test_what_is_put_together_in_another_way_opens_one_of_its_own_and_the_open_one_stays_whole(fund: Fund) -> None:
    fund.values = {"disk": [Value(A, 0.95)]}
    fund.goes_on(20)
    fund.starts_with({**AFTER, "group_by": ["host"]}, BEFORE)
    fund.values = {"disk": [Value(A, 0.96), Value(B, 0.97)]}
    fund.goes_on(80)
    (_, later) = fund.open_ids()
    assert fund.said(1) == [(10, "opened", ("desk",)), (70, "escalated", ("phone",))]
    assert fund.said(later)[0][1:] == ("opened", ("room",))
    fund.starts_with(AFTER)
    fund.goes_on(120)
    assert fund.open_ids() == [1, later], "a start makes no other incidents of what fires"


def test_the_step_at_which_somebody_took_it_in_hand_goes_on_by_the_old_plan(fund: Fund) -> None:
    fund.values = {"disk": [Value(A, 0.95)]}
    fund.goes_on(80)
    now = fund.stores.clock.now()
    ask(fund.stores.state, Request(1, Ask.ACKNOWLEDGE, "ana", now, now + 300))
    fund.goes_on(90)
    fund.starts_with(AFTER)
    fund.goes_on(520)
    assert fund.said(1)[2:] == [
        (90, "acknowledged", ("desk", "phone")),
        (380, "ack_ended", ("desk", "phone")),
        (500, "escalated", ("boss", "desk")),
    ]
