"""Who is told of what: by severity, category, labels and the time at which it begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerting.incidents import About, Incident, Member, open_incident, tick
from alerting.router import LONGEST_GROUP, Router
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.clock import FakeClock
from core.model import Labels, labels
from core.settings.channels import Channels
from core.settings.routes import OwnRoute, Route, routes_of

RULE = Rule.model_validate({"name": "cpu", "when": "cpu > 80 %", "labels": {"team": "infra"}})
HOST = labels(host="a")
SUNDAY_23 = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp()


def router(*routes: dict[str, Any], at: float = SUNDAY_23, channels: Channels | None = None) -> Router:
    found = routes_of([Route.model_validate(each) for each in routes], channels or Channels())
    return Router(lambda: found, FakeClock(at))


def told(made: Router, severity: Severity = Severity.WARNING, rule: Rule = RULE, of: Labels = HOST) -> tuple[str, ...]:
    return made(rule, of)[1].at(severity).receivers


def test_without_routes_every_channel_is_told_of_warnings_and_without_channels_the_log() -> None:
    assert told(router()) == ("log",)
    channels = Channels.model_validate({"webhook": [{"name": "desk", "url": "https://x.example"}]})
    assert told(router(channels=channels)) == ("desk",)
    assert told(router(channels=channels), Severity.INFO) == ()


@pytest.mark.parametrize(
    ("fits", "route"),
    [
        (True, {"severities": ["warning"]}),
        (False, {"severities": ["critical"]}),
        (True, {"categories": ["system"]}),
        (False, {"categories": ["trading"]}),
        (True, {"labels": {"host": "a|b", "team": "inf.*"}}),
        (False, {"labels": {"host": "b"}}),
        (False, {"labels": {"portfolio": "macro"}}),
        (True, {"labels": {"portfolio": ""}}),
        (True, {"days": ["sun"], "hours": "23:00-24:00"}),
        (False, {"days": ["mon"]}),
        (True, {"days": ["mon"], "hours": "08:00-09:00", "time_zone": "Asia/Tokyo"}),
        (True, {"days": ["sun"], "hours": "22:00-06:00"}),
        (False, {"hours": "08:00-18:00"}),
    ],
)
def test_what_a_route_is_for(fits: bool, route: dict[str, Any]) -> None:
    assert told(router({**route, "receivers": ["desk"]}, {"receivers": ["rest"]})) == (("desk",) if fits else ("rest",))


def test_a_night_counts_to_the_day_on_which_it_began() -> None:
    night = {"days": ["sun"], "hours": "22:00-06:00", "receivers": ["desk"]}
    assert told(router(night, at=SUNDAY_23 + 5 * 3_600)) == ("desk",)
    assert told(router(night, at=SUNDAY_23 - 20 * 3_600)) == ()


def test_the_first_that_fits_counts_and_those_before_it_that_go_on() -> None:
    made = router(
        {"severities": ["urgent"], "receivers": ["pager"], "goes_on": True, "repeat": "1 h"},
        {"receivers": ["room", "pager"]},
        {"receivers": ["rest"]},
    )
    assert told(made, Severity.URGENT) == ("pager", "room")
    assert made(RULE, HOST)[1].at(Severity.URGENT).repeat_seconds == 3_600
    assert told(made) == ("room", "pager")


def test_the_group_depends_on_neither_severity_nor_time() -> None:
    routes = (
        {"severities": ["urgent"], "receivers": ["pager"], "group_by": ["category", "host"]},
        {"hours": "08:00-09:00", "receivers": ["room"]},
        {"receivers": ["rest"]},
    )
    night, morning = (router(*routes, at=at)(RULE, HOST)[0] for at in (SUNDAY_23, SUNDAY_23 + 9 * 3_600))
    assert night == morning == "category=system, host=a, routes 1, 2, 3"
    assert router({"receivers": [], "group_by": ["host"]})(RULE, labels(host="h" * 900))[0].startswith("host=hhh")
    assert len(router({"receivers": [], "group_by": ["host"]})(RULE, labels(host="h" * 900))[0]) <= LONGEST_GROUP


def test_who_is_told_of_one_portfolio_hears_of_it_though_another_route_is_told_of_the_other() -> None:
    made = router({"labels": {"portfolio": "macro.*"}, "receivers": ["desk"]}, {"receivers": ["rest"]})
    macro, equity = (made(RULE, labels(portfolio=each)) for each in ("macro-1", "equity"))
    assert macro[0] != equity[0], "no incident of both"
    assert (macro[1].at(Severity.URGENT).receivers, equity[1].at(Severity.URGENT).receivers) == (("desk",), ("rest",))


def test_a_route_means_a_rule_by_its_name_and_no_severity_by_a_label() -> None:
    made = router({"labels": {"rule": "cpu"}, "receivers": ["desk"]}, {"receivers": ["rest"]})
    assert told(made) == ("desk",)
    with pytest.raises(ValueError, match="write it under severities"):
        Route.model_validate({"labels": {"severity": "urgent"}, "receivers": ["desk"]})


def test_an_edited_rule_and_another_hour_are_seen() -> None:
    clock = FakeClock(SUNDAY_23)
    evening = Route.model_validate({"hours": "23:00-24:00", "receivers": ["night"]})
    made = Router(lambda: [evening, Route(receivers=("day",))], clock)
    assert told(made) == ("night",)
    clock.advance(3_600)
    assert told(made) == ("day",)


def test_what_gets_worse_reaches_those_who_are_for_that_and_the_end_reaches_all() -> None:
    made = router(
        {"severities": ["urgent"], "receivers": ["pager"], "escalation": [{"after": "5 min", "receivers": ["boss"]}]},
        {"receivers": ["room"]},
    )
    plan = made(RULE, HOST)[1]
    turn = open_incident(plan, {"a": Member(Severity.WARNING, 0)}, 0)
    assert turn.messages == ()
    turn, first = again(turn.incident, {"a": Member(Severity.WARNING, 0)}, 30)
    assert first == [(About.OPENED, ("room",))]
    turn, worse = again(turn, {"a": Member(Severity.URGENT, 0)}, 40)
    assert worse == [(About.RAISED, ("pager", "room"))]
    turn, escalated = again(turn, {"a": Member(Severity.URGENT, 0)}, 341)
    assert escalated == [(About.ESCALATED, ("boss",))]
    _, end = again(turn, {}, 400)
    assert end == [(About.RESOLVED, ("room", "pager", "boss"))]


def again(known: Any, members: dict[str, Member], at: float) -> tuple[Incident, list[tuple[About, tuple[str, ...]]]]:
    incident = known if isinstance(known, Incident) else known.incident
    turn = tick(incident, members, at)
    return turn.incident, [(each.about, each.receivers) for each in turn.messages]


def test_a_channel_that_people_made_is_told_beside_the_routes_and_changes_nothing_else_of_them() -> None:
    clock = FakeClock(SUNDAY_23)
    escalation = [{"after": "5 min", "receivers": ["boss"]}]
    first = {"receivers": ["room"], "escalation": escalation, "repeat": "1 h", "group_by": ["host"]}
    routes: list[Route] = [Route.model_validate(each) for each in (first, {"receivers": ["rest"]})]
    made = Router(lambda: routes, clock)
    group, plan = made(RULE, HOST)
    routes.insert(0, OwnRoute(severities=("warning", "urgent"), receivers=("phone",)))
    assert told(made) == ("room",), "routes are read now and then"
    clock.advance(2)
    again, now = made(RULE, HOST)
    assert again == group, "what fires anew joins the incident that is open"
    assert now.at(Severity.WARNING).receivers == ("room", "phone")
    assert now.at(Severity.CRITICAL) == plan.at(Severity.CRITICAL)
    assert (now.at(Severity.WARNING).steps, now.at(Severity.WARNING).repeat_seconds) == (
        plan.at(Severity.WARNING).steps, 3_600,
    )  # fmt: skip
    routes[0] = OwnRoute(severities=("warning",), labels={"host": "a"}, receivers=("phone",))
    clock.advance(2)
    assert made(RULE, HOST)[0] == f"{group}, to phone"
    assert made(RULE, labels(host="b"))[0] == "host=b, route 1"
