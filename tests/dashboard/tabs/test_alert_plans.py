"""The pages of plans and pasts of alerts: where incidents stand, how soon people act, what maintenance is to come."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.alerts.plan import Plan, PlanStep
from core.alerts.rule import Rule
from core.alerts.silence import Window
from core.clock import FakeClock
from core.model import Labels
from core.settings.routes import Route
from dashboard.alerts.escalation import steps_ahead
from dashboard.tabs import alert_escalation, alert_history, alert_messages, silences
from storage.state.alert_requests import Ask, Request, ask
from storage.state.silences import add_window
from storage.stores import Stores
from tests.dashboard.tabs.test_alerts import LEE, shows
from tests.support.desk import Desk

PLAN = Plan(
    receivers=("log",), wait_seconds=0, rounds=2,
    steps=(PlanStep(600, ("phone",)), PlanStep(900, ("chief", "log"))),
)  # fmt: skip
ROUTES = (
    Route.model_validate({
        "severities": ["urgent"], "labels": {"portfolio": "macro.*"}, "receivers": ["phone"], "rounds": 2,
        "escalation": [{"after": "10 min", "receivers": ["chief"]}],
    }),
    Route.model_validate({"receivers": [], "days": ["sat"], "hours": "08:00-18:00", "time_zone": "Europe/London"}),
)  # fmt: skip


class Escalating(Desk):
    def route(self, rule: Rule, _of: Labels) -> tuple[str, Plan]:
        return rule.name, PLAN if rule.name == "cpu-high" else Plan(receivers=("log",), wait_seconds=0)


@pytest.fixture
def desk(stores: Stores) -> Escalating:
    settings = stores.settings.model_copy(update={"routes": ROUTES})
    return Escalating(replace(stores, settings=settings, clock=FakeClock(float(int(time.time())))))


def test_steps_ahead_go_round_until_nobody_is_left() -> None:
    told = [(each.receivers, each.due_at) for each in steps_ahead(PLAN, 1, 1_000.0)]
    assert told == [
        (("chief", "log"), 1_900.0), (("phone",), 2_500.0), (("chief", "log"), 3_400.0), ((), 4_300.0),
    ]  # fmt: skip
    assert steps_ahead(PLAN, 4, 1_000.0)[0].due_at == 1_900.0 and not steps_ahead(PLAN, 5, 1_000.0)
    assert not steps_ahead(Plan(receivers=("log",)), 0, 0.0)


def test_an_open_incident_says_which_step_comes_next_and_when(desk: Escalating) -> None:
    desk.busy()
    desk.lose("alpha")
    desk.goes_on()
    shown = shows(desk, alert_escalation.PAGE)
    assert "CPU of host-1 is 93% busy ✕ critical" in shown and "alpha lost -8.1% ‼ urgent" in shown
    assert "0 of 4 steps phone told in 10 min" in shown
    assert "chief, log told in 25 min; phone told in 35 min" in shown and "nobody left to tell in 1 h 5 min" in shown
    assert "its plan has none" in shown and "none: told again in 4 h" in shown
    desk.goes_on(120, times=5)
    desk.goes_on()
    assert "1 of 4 steps" in shows(desk, alert_escalation.PAGE)
    now = desk.stores.clock.now()
    ask(desk.stores.state, Request(1, Ask.ACKNOWLEDGE, "ana", now, now + 7_200))
    desk.goes_on()
    assert "as ana has it in hand until then" in shows(desk, alert_escalation.PAGE)


def test_plans_say_who_is_told_of_what_and_only_to_those_who_may_see_everything(desk: Escalating) -> None:
    shown = shows(desk, alert_escalation.PAGE)
    assert "urgent · portfolio macro.*" in shown and "after 10 min chief" in shown
    assert "sat 08:00-18:00 Europe/London" in shown and "nobody" in shown
    assert "macro" not in shows(desk, alert_escalation.PAGE, LEE)


def test_history_says_how_soon_people_act_and_which_rule_is_noisy(desk: Escalating) -> None:
    for _ in range(2):
        desk.busy()
        desk.goes_on()
        now = desk.stores.clock.now()
        desk.goes_on(60, times=3)
        with desk.stores.state.reading() as connection:
            number = connection.exec_driver_sql("SELECT max(id) FROM alert_incidents").scalar()
        ask(desk.stores.state, Request(int(number or 0), Ask.ACKNOWLEDGE, "ana", now, now + 3_600))
        desk.goes_on()
        desk.busy(0.1)
        desk.goes_on(60, times=3)
    desk.lose("alpha")
    desk.goes_on()
    shown = shows(desk, alert_history.PAGE, period="7")
    assert "‼ urgent 1 0.00 % – – – – ✕ critical 2 100.0 % 3 min – 4 min – all 3 66.7 % 3 min – 4 min –" in shown
    assert "cpu-high 2 8 min 100.0 % 0 daily-loss 1 5 s 0.00 % 0" in shown
    withheld = shows(desk, alert_history.PAGE, LEE, period="7")
    assert "told to those who may see every portfolio" in withheld and "cpu-high" not in withheld
    assert "7 messages" in shows(desk, alert_messages.PAGE)


def test_filters_of_history_find_what_was_done_with_incidents_for_who_sees_all(
    desk: Escalating,
) -> None:
    desk.busy()
    desk.lose("alpha")
    desk.goes_on()
    now = desk.stores.clock.now()
    for incident in (1, 2):
        ask(desk.stores.state, Request(incident, Ask.ACKNOWLEDGE, "ana", now, now + 3_600, f"I look at {incident}"))
    desk.goes_on()
    shown = shows(desk, alert_history.PAGE, rule="daily-loss", severity="urgent")
    assert "acknowledged ‼ urgent daily-loss portfolio alpha I look at 2 ana #2" in shown
    assert "I look at 1" not in shown and "cpu-high machine" not in shown
    assert "I look at" not in shows(desk, alert_history.PAGE, LEE), "it is about the whole incident"


def test_the_calendar_has_each_opening_of_two_weeks_by_the_clocks_of_its_zone(desk: Escalating) -> None:
    now = desk.stores.clock.now()
    add_window(desk.stores.state, Window("Backup", _matchers(), now, now + 300 * 86_400, "nightly", "ana", now,
                                         "30 2 * * *", "Europe/London", 3_600.0))  # fmt: skip
    add_window(desk.stores.state, Window("Move", _matchers(), now - 60, now + 3_600, "once", "ana", now))
    shown = shows(desk, silences.PAGE)
    assert shown.count("Backup (1)") == 15, "the window itself, and fourteen nights"
    assert "● open now" in shown and "02:30–03:30" in shown
    assert "Backup" not in shows(desk, silences.PAGE, LEE)


def _matchers() -> tuple[object, ...]:
    from core.alerts.matchers import read_matchers

    return read_matchers('component="Redis main"')
