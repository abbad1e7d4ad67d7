"""The auditor: every open incident has a next step or a reason, and what is stuck is said."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alerting.auditor import Coming, coming, faults
from alerting.incidents import About, Incident, Member, acknowledge, open_incident, resolve, snooze, tick
from alerting.router import plan_of
from core.alerts.plan import Plan, PlanStep
from core.alerts.severity import Severity
from core.settings.routes import Route

FIRES = {"m": Member(Severity.CRITICAL, 0.0)}
QUIET = {"m": Member(Severity.CRITICAL, 0.0, "silence 7")}
PLAN = Plan(receivers=("desk",), steps=(PlanStep(60, ("phone",)),), rounds=1, repeat_seconds=1_000)


def opened(plan: Plan = PLAN, members: dict[str, Member] = FIRES) -> Incident:
    return open_incident(plan, members, 0.0).incident


def test_what_an_incident_waits_for() -> None:
    warning = {"m": Member(Severity.WARNING, 0.0)}
    assert coming(opened(PLAN, warning)) == Coming(About.OPENED, 30.0)
    assert coming(opened()) == Coming(About.ESCALATED, 60.0)
    escalated = tick(opened(), FIRES, 60.0).incident
    assert coming(escalated) == Coming(About.EXHAUSTED, 120.0)
    assert coming(tick(escalated, FIRES, 120.0).incident) == Coming(About.REMINDED, 1_060.0)
    assert coming(acknowledge(opened(), "ana", 500.0, 1.0).incident) == Coming(About.ACK_ENDED, 500.0)
    assert coming(snooze(opened(), "ana", 500.0).incident) == Coming(About.SNOOZE_ENDED, 500.0)
    assert coming(opened(PLAN, QUIET)) == Coming(None, reason="quiet: silence 7")
    assert coming(opened(Plan(receivers=("desk",), repeat_seconds=0))).about is None
    assert coming(resolve(opened(), "ana", 1.0).incident).reason == "it is over"


def test_a_plan_of_the_routes_is_looked_at_as_it_holds_for_the_severity() -> None:
    """What the settings make has nothing but levels."""
    route = Route.model_validate({
        "receivers": ["desk"], "repeat": "0 s", "wait": "5 min",
        "escalation": [{"after": "10 min", "receivers": ["phone"]}],
    })  # fmt: skip
    plan = plan_of([route], 0.0)
    assert coming(opened(plan, {"m": Member(Severity.WARNING, 0.0)})) == Coming(About.OPENED, 300.0)
    known = opened(plan)
    assert coming(known) == Coming(About.ESCALATED, 600.0)
    told = tick(tick(known, FIRES, 600.0).incident, FIRES, 1_200.0).incident
    assert coming(told).about is None
    assert faults({1: told}, 86_400.0, 86_400.0, None, 0.0) == []


@given(
    st.builds(
        Plan,
        receivers=st.just(("desk",)),
        steps=st.sampled_from([(), (PlanStep(60, ("phone",)), PlanStep(120, ("boss",)))]),
        rounds=st.integers(1, 2),
        wait_seconds=st.sampled_from([0.0, 30.0]),
        repeat_seconds=st.sampled_from([0.0, 400.0]),
    ),
    st.lists(st.sampled_from([FIRES, QUIET]), min_size=1, max_size=60),
)
def test_what_is_to_come_comes_when_it_was_said_to(plan: Plan, course: list[dict[str, Member]]) -> None:
    known = opened(plan, course[0])
    for number, members in enumerate(course, 1):
        at = number * 20.0
        said = coming(known)
        turn = tick(known, members, at)
        heard = [each.about for each in turn.messages if not each.muted_by]
        if said.about is not None and said.at <= at and members is FIRES and not known.is_muted:
            assert heard == [said.about]
        assert faults({1: turn.incident}, at, at, None, at) == []
        known = turn.incident


def test_what_is_stuck_is_said() -> None:
    known = opened()
    assert faults({7: known}, 90.0, 90.0, None, 90.0) == []
    assert faults({7: known}, 95.0, 95.0, None, 95.0) == ["incident 7: escalated is 35 s late"]
    assert faults({}, 100.0, 85.0, None, 100.0) == ["the engine has not ticked for 15 s"]
    assert faults({}, 100.0, 100.0, 880.0, 1_000.0) == []
    assert faults({}, 100.0, 100.0, 870.0, 1_000.0) == ["a message waits to be sent for 2 min 10 s"]
    assert faults({7: replace(known, is_muted=True)}, 9_999.0, 9_999.0, None, 0.0) == []
