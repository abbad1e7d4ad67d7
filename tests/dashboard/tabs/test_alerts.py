"""The pages of alerts: what a real engine's readings show to whom, and what is asked of it there."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.alerts.evaluate import Value
from core.alerts.expression import Figure
from core.alerts.rule import Rule
from core.alerts.silence import LONGEST_MUTE_SECONDS
from core.alerts.thresholds import Bound
from core.alerts.written import written
from core.clock import FakeClock
from core.model import Facts, Sample, labels
from core.portfolio_limits.limit import PortfolioLimit
from core.roles import Role
from dashboard.alerts import portfolio_courses
from dashboard.alerts.parts import unit_of_rule, value_text
from dashboard.alerts.portfolio_courses import OfPortfolios
from dashboard.components.markup import markup
from dashboard.tabs import alert_history, alert_messages, alert_rules, alerts, silences
from dashboard.views.tab import Choices, Page
from portfolio.alert_courses import portfolio_course, watched
from storage.live.redis import VERSION_SECONDS
from storage.state.alert_requests import requests_of
from storage.state.audit import read_entries
from storage.state.outbox import waiting_for
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.silences import silences_in, windows_in
from storage.stores import Stores
from tests.support.api import DAY, put_daily
from tests.support.application import create_app
from tests.support.desk import LOSS, Desk
from tests.support.views import text

PAGES = (alerts.TAB, silences.PAGE, alert_rules.PAGE, alert_messages.PAGE, alert_history.PAGE)
ANA, VERA = Viewer("ana", Role.OPERATOR), Viewer("vera", Role.VIEWER)
LEE = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))


def shows(desk: Desk, page: Page, viewer: Viewer = ANA, **choices: str) -> str:
    """Return all words of a page."""
    assert page.build is not None
    view = page.build(desk.stores, Choices.of(choices), viewer)
    return " ".join(" ".join(text(each) for each in view.slots.values()).split())


def in_html(desk: Desk, page: Page, slot: str, viewer: Viewer = ANA, **choices: str) -> str:
    assert page.build is not None
    return markup(page.build(desk.stores, Choices.of(choices), viewer).slots[slot])


@pytest.fixture
def desk(stores: Stores) -> Desk:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    return Desk(replace(stores, clock=FakeClock(float(int(time.time())))))


def client_of(desk: Desk, viewer: Viewer) -> FlaskClient:
    client: FlaskClient = create_app(desk.stores, PAGES, lambda _: viewer).server.test_client()
    return client


def post(client: FlaskClient, path: str, **fields: str) -> dict[str, Any]:
    found: dict[str, Any] = client.post(path, json=fields).json
    return found


def told(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/alerts/told").json
    return found


def test_calm_says_how_many_rules_were_evaluated_and_when(desk: Desk) -> None:
    assert "Nothing has evaluated alerts yet" in shows(desk, alerts.TAB)
    desk.goes_on()
    shown = shows(desk, alerts.TAB)
    assert "Nothing fires" in shown and "3 rules" in shown and "calm" in shown
    assert told(client_of(desk, VERA))["count"] == 0


def test_what_fires_stands_with_who_was_told_and_what_comes_next_the_gravest_first(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    desk.lose("alpha")
    desk.goes_on()
    shown = shows(desk, alerts.TAB)
    assert shown.index("alpha lost -8.1%") < shown.index("CPU of host-1 is 93% busy"), "urgent before critical"
    assert "‼ urgent" in shown and "✕ critical" in shown, "never colour alone"
    assert "not reached yet: log" in shown and "Daily loss" in shown and "told again in 4 h" in shown
    assert "93.0 %" in shown and "machine host-1" in shown
    assert told(client_of(desk, ANA)) | {"banner": ""} == {
        "count": 2, "sign": "‼", "severity": "urgent", "old": False, "banner": "", "urgent_since": ANY, "notices": ANY,
    }  # fmt: skip


def test_the_last_known_is_shown_as_such_when_nobody_evaluates(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    clock = desk.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(600)
    shown = shows(desk, alerts.TAB)
    assert "Alerts are not evaluated since" in shown and "the last that is known" in shown
    assert "CPU of host-1 is 93% busy" in shown and "calm" not in shown
    assert told(client_of(desk, ANA))["old"] is True


def test_an_operator_acknowledges_and_a_viewer_only_reads(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    assert "/alerts/acknowledge" in in_html(desk, alerts.TAB, "alerts-now-table")
    assert client_of(desk, VERA).post("/alerts/acknowledge", json={"incident": "1", "lasts": "3600"}).status_code == 403
    client = client_of(desk, ANA)
    assert post(client, "/alerts/acknowledge", incident="1", lasts="3600")["done"] is True
    assert "acknowledge asked for by ana" in shows(desk, alerts.TAB)
    desk.goes_on()
    shown = shows(desk, alerts.TAB)
    assert "ana has it in hand until" in shown and "asked for" not in shown
    assert "/alerts/acknowledge" not in in_html(desk, alerts.TAB, "alerts-now-table")
    assert "done" in shows(desk, alerts.TAB, incident="1")
    for refused in (
        {"incident": "99", "lasts": "3600"},
        {"incident": "x", "lasts": "3600"},
        {"incident": "1", "lasts": "5"},
    ):
        said = post(client, "/alerts/snooze", **refused)
        assert said["done"] is False and said["said"].startswith("Nothing was asked."), refused
    assert post(client, "/alerts/resolve", incident="1", note="a drill")["done"] is True
    desk.goes_on()
    assert "Resolved by hand, and firing on" in shows(desk, alerts.TAB)
    with desk.stores.state.reading() as connection:
        assert [(each.what, each.status) for each in requests_of(connection, 1)] == [
            ("acknowledge", "done"), ("resolve", "done"),
        ]  # fmt: skip


def test_a_snooze_is_called_one_and_an_incident_that_is_over_says_what_it_was_and_who_ended_it(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    client = client_of(desk, ANA)
    assert post(client, "/alerts/snooze", incident="1", lasts="3600")["done"] is True
    desk.goes_on()
    shown = shows(desk, alerts.TAB)
    assert "snoozed by ana until" in shown and "has it in hand" not in shown
    assert post(client, "/alerts/resolve", incident="1")["done"] is True
    desk.goes_on()
    shown = shows(desk, alerts.TAB, incident="1")
    assert "CPU of host-1 is 93% busy" in shown and "resolved by ana" in shown and "over" in shown
    assert "CPU of host-1 is 93% busy" in shows(desk, alert_messages.PAGE, about="resolved")


def test_a_silence_begins_with_what_an_incident_has_in_common_and_says_what_it_hides_first(desk: Desk) -> None:
    desk.busy()
    desk.lose("alpha")
    desk.goes_on()
    assert "matchers=machine%3D%22host-1%22%2C+rule%3D%22cpu-high%22" in in_html(
        desk, alerts.TAB, "alerts-now-table", incident="1"
    ) + in_html(desk, alerts.TAB, "alerts-now-table", incident="2")
    matchers = 'rule="cpu-high"'
    shown = shows(desk, silences.PAGE, matchers=matchers)
    assert "It would hide 1 alert of 2 that fire now" in shown and "CPU of host-1" in shown
    assert "cpu-high: machine host-1" in shown
    assert "Nothing that fires now would be hidden" in shows(desk, silences.PAGE, matchers='rule="disk"')
    assert "is not understood" in shows(desk, silences.PAGE, matchers="rule")
    client = client_of(desk, ANA)
    without_reason = post(client, "/alerts/silences/add", matchers=matchers, lasts="3600", why="")
    assert without_reason["done"] is False and "why" in without_reason["fields"]
    assert post(client, "/alerts/silences/add", matchers=matchers, lasts="3600", why="new fans")["done"] is True
    desk.goes_on()
    assert "silence 1" in shows(desk, alerts.TAB) and "1 kept quiet" in shows(desk, alerts.TAB)
    assert told(client)["count"] == 1
    shown = shows(desk, silences.PAGE)
    assert "● active" in shown and 'rule="cpu-high"' in shown and "new fans" in shown and "in 1 h" in shown
    assert post(client, "/alerts/silences/end", id="1")["done"] is True
    until = datetime.fromtimestamp(desk.stores.clock.now() + 9_000, UTC).isoformat()
    asked = {"matchers": matchers, "lasts": "3600", "why": "new fans"}
    over = post(client, "/alerts/silences/add", **asked, ends="2020-01-01T00:00:00Z")
    assert "is over" in over["fields"]["ends"]
    assert post(client, "/alerts/silences/add", **asked, ends=until)["done"] is True
    assert "in 2 h 30 min" in shows(desk, silences.PAGE)
    assert post(client, "/alerts/silences/end", id="2")["done"] is True
    assert "ended by ana" in shows(desk, silences.PAGE)
    assert post(client, "/alerts/silences/end", id="1")["done"] is False


def test_maintenance_comes_again_by_a_cron_line(desk: Desk) -> None:
    client = client_of(desk, ANA)
    sent = {"name": "Backup", "matchers": 'component="Disk"', "cron": "0 2 * * *", "zone": "Europe/London",
            "hours": "1.5", "why": "nightly"}  # fmt: skip
    for name, wrong in (("zone", "Mars"), ("cron", "every day"), ("hours", "long"), ("hours", "0"), ("name", "")):
        said = post(client, "/alerts/silences/maintain", **{**sent, name: wrong})
        assert said["done"] is False and name in said["fields"], (name, said)
    said = post(client, "/alerts/silences/maintain", **{**sent, "cron": ""})
    assert said["done"] is False and "ends" in said["fields"]
    assert post(client, "/alerts/silences/maintain", **sent)["done"] is True
    desk.goes_on(times=1)
    shown = shows(desk, silences.PAGE)
    assert "Backup" in shown and "0 2 * * * Europe/London, 1 h 30 min each" in shown
    with desk.stores.state.reading() as connection:
        (window,) = windows_in(connection, 0)
    assert (window.lasts_seconds, window.who) == (5_400, "ana")
    assert post(client, "/alerts/silences/end-maintenance", id=str(window.id))["done"] is True


def test_everything_is_muted_for_a_day_at_most_and_every_page_says_so(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    client = client_of(desk, ANA)
    assert told(client)["banner"] == ""
    assert post(client, "/alerts/silences/mute", lasts="259200", why="drill")["done"] is False
    assert post(client, "/alerts/silences/mute", lasts="3600", why="drill")["done"] is True
    desk.goes_on()
    banner = told(client)["banner"]
    assert "Every alert is muted until" in banner and "by ana: drill" in banner and "End it" in banner
    assert told(client)["count"] == 0
    assert "End it" not in told(client_of(desk, VERA))["banner"]
    limited = told(client_of(desk, LEE))["banner"]
    assert "Every alert is muted until" in limited and " by ana" in limited
    assert "drill" not in limited and "End it" not in limited
    with desk.stores.state.reading() as connection:
        (silence,) = silences_in(connection, 0)
    assert silence.ends - silence.begins <= LONGEST_MUTE_SECONDS
    assert post(client, "/alerts/silences/end", id=str(silence.id))["said"] == "Alerts are told again."
    assert told(client)["banner"] == ""


def test_rules_stand_with_their_state_cost_and_place(desk: Desk) -> None:
    desk.file.write_text(
        "rules:\n  - {name: cpu-high, title: CPU is busy, when: system_cpu_busy_15m_ratio > 80 %, every: 1 s}\n"
        "  - {name: slow, when: system_swap_used_ratio > 50 %, for: 1 h, every: 1 s}\n"
        "  - {name: unused, when: system_cpu_busy_15m_ratio > 99 %, enabled: false}\n"
    )
    desk.busy()
    desk.values["system_swap_used_ratio"] = [Value(labels(machine="host-1"), 0.8)]
    desk.goes_on()
    shown = shows(desk, alert_rules.PAGE)
    assert shown.index("CPU is busy") < shown.index("slow"), "what fires stands first"
    assert "▲ 1 firing" in shown and "1 condition pending" in shown and "○ off" in shown
    assert "desk.yaml:2" in shown and "comes with Fundwatch" in shown
    ticked = f'data-age-ts="{desk.stores.clock.now():.3f}"'
    assert in_html(desk, alert_rules.PAGE, alert_rules.ALL.slot).count(ticked) == 2, "when each was evaluated last"
    yaml = shows(desk, alert_rules.PAGE, rule="slow")
    assert "- name: slow" in yaml and "for: 1 h" in yaml
    assert "desk.yaml" not in shows(desk, alert_rules.PAGE, LEE), "the fund's own may name any portfolio"
    desk.file.write_text("rules:\n  - {name: broken, when: no_such_metric > 1}\n")
    shown = shows(desk, alert_rules.PAGE)
    assert "Files of rules have mistakes" in shown and "desk.yaml:2: broken" in shown


def test_messages_are_logged_and_a_channel_is_tried(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    shown = shows(desk, alert_messages.PAGE)
    assert "CPU of host-1 is 93% busy" in shown and "waiting" in shown and "begins" in shown
    assert "No message is like that" in shows(desk, alert_messages.PAGE, state="failed")
    assert "Send a test" in shown and "never" in shown
    client = client_of(desk, ANA)
    assert post(client, "/alerts/messages/test", channel="nobody")["done"] is False
    assert post(client, "/alerts/messages/test", channel="log")["done"] is True
    with desk.stores.state.reading() as connection:
        assert [each.about for each in waiting_for(connection, "log")] == ["opened", "test"]
    assert read_entries(desk.stores.state)[0].what == "test of a channel asked for"
    assert "asked for by ana" in shows(desk, alert_messages.PAGE)


def test_history_is_filtered_and_paged(desk: Desk) -> None:
    for ratio in (0.93, 0.5) * 60:
        desk.busy(ratio)
        desk.goes_on(times=1)
    desk.lose("alpha")
    desk.goes_on(times=1)
    assert "alpha lost" in shows(desk, alert_history.PAGE)
    assert "alpha lost" not in shows(desk, alert_history.PAGE, rule="cpu-high")
    assert "CPU of" not in shows(desk, alert_history.PAGE, severity="urgent")
    assert "alpha lost" not in shows(desk, alert_history.PAGE, what="resolved")
    newest = in_html(desk, alert_history.PAGE, "alert-history-all-table", what="fires")
    assert "fires" in newest and "is over" not in newest


def test_people_limited_to_portfolios_are_told_of_theirs_alone(desk: Desk) -> None:
    desk.busy()
    desk.lose("alpha", "beta")
    desk.goes_on()
    for page in PAGES:
        for choices in ({}, {"incident": "1"}, {"incident": "2"}, {"rule": "daily-loss"}):
            assert "alpha" not in shows(desk, page, LEE, **choices), (page.id, choices)
    assert "alpha" in shows(desk, alerts.TAB, ANA)
    assert "beta lost -8.1%" in shows(desk, alerts.TAB, LEE)
    assert told(client_of(desk, LEE))["count"] == 1, "cpu-high is none that comes with Fundwatch"
    client = client_of(desk, LEE)
    for incident in ("1", "2", "77"):
        assert post(client, "/alerts/acknowledge", incident=incident, lasts="3600")["done"] is False
    assert client.post("/alerts/silences/mute", json={"lasts": "3600", "why": "x"}).status_code == 403
    with desk.stores.state.reading() as connection:
        assert silences_in(connection, 0) == []


def test_a_value_stands_beside_what_it_fires_at_and_with_its_course_since_it_began(desk: Desk) -> None:
    now = desk.stores.clock.now()
    for ago in range(1_800, 0, -10):
        for machine in ("host-1", "host-2"):
            sample = Sample("system_cpu_busy_15m_ratio", 0.5 + 0.4 * (ago < 900))
            desk.stores.writer.put(machine, now - ago, [sample])
    desk.stores.writer.flush()
    desk.busy()
    desk.goes_on()
    alone = in_html(desk, alerts.TAB, alerts.NOW.slot)
    assert re.search(r'<a [^>]*href="https://wiki.example/cpu"[^>]*>Runbook</a>', alone)
    place = re.search(r'href="(/system[^"]*)">Charts as it began', alone)
    assert place, "a click leads to the charts of the machine, when it began"
    choices = dict(parse_qsl(urlsplit(place[1].replace("&amp;", "&")).query))
    assert choices["host"] == "host-1" and int(choices["from"]) < now < int(choices["to"])
    assert "93.0 % (fires at &gt; 80.0 %)" in alone and "CPU is busy: since it began" in alone
    desk.values["system_cpu_busy_15m_ratio"] = [Value(labels(machine=f"host-{n}"), 0.93) for n in range(1, 61)]
    desk.goes_on()
    listed = in_html(desk, alerts.TAB, alerts.NOW.slot)
    assert "Fires at" in listed and "And 57 more alerts" in listed, "in a storm every incident stays in sight"


def test_figures_of_portfolios_have_a_course_too_and_of_several_it_is_the_one_that_decides(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = desk.stores.clock
    assert isinstance(clock, FakeClock)
    worked_out: list[str] = []

    def counted(stores: Stores, portfolio: Portfolio, *more: Any) -> Any:
        worked_out.append(portfolio.id)
        return portfolio_course(stores, portfolio, *more)

    monkeypatch.setattr(portfolio_courses, "portfolio_course", counted)
    put_daily(desk.stores, "alpha", [100.0 + n % 3 for n in range(40)] + [92.0], end=int(clock.now()))
    both = Rule.model_validate(
        {"name": "both", "title": "Loses", "when": "daily_return < -5 % and current_drawdown < -1 %", "every": "1 s"}
    )
    desk.rules = (LOSS, both)
    desk.file.write_text(written(desk.rules))
    desk.lose("alpha")
    desk.values["current_drawdown"] = [Value(labels(portfolio="alpha"), -0.0980)]
    desk.goes_on()
    first = in_html(desk, alerts.TAB, alerts.NOW.slot)
    assert "Daily loss: since it began" in first and "mask-image" in first
    assert 'aria-label="Loses: current_drawdown, since it began"' in first, (
        "9.8 % is beyond 1 % by more than 8.0 % beyond 5 %"
    )
    assert 'title="current_drawdown"' in first
    assert worked_out == ["alpha", "alpha"], "each figure once, however many rules name it"
    in_html(desk, alerts.TAB, alerts.NOW.slot)
    desk.stores.live.bump("portfolio")
    in_html(desk, alerts.TAB, alerts.NOW.slot)
    assert len(worked_out) == 2, "nothing is worked out anew at each refresh, nor with each change of the data"
    clock.advance(portfolio_courses.AGAIN_SECONDS)
    desk.stores.live.bump("portfolio")
    time.sleep(VERSION_SECONDS)
    in_html(desk, alerts.TAB, alerts.NOW.slot)
    assert len(worked_out) == 4


def test_what_comes_within_the_day_is_drawn_so_and_what_takes_long_waits_for_the_next_refresh(desk: Desk) -> None:
    now = int(desk.stores.clock.now())
    put_daily(desk.stores, "alpha", [100.0] * 5, end=now - 2 * DAY)
    times = [now - 50 * 60 + 60 * n for n in range(50)]
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    values = [100.0 - n / 10 for n in range(50)]
    many = len(times)
    rows = (["own"] * many, ["alpha"] * many, times, values, [0.0] * many, [at * 1_000 for at in times])
    desk.stores.clickhouse.insert(Facts("nav", columns, rows))
    desk.stores.live.bump("portfolio")
    alpha = Portfolio("own", "alpha", "Alpha")
    course = portfolio_course(desk.stores, alpha, Bound(Figure("daily_return"), (-0.02,)), now - 600.0, float(now))
    assert course is not None and len(course.times) > 40 and course.times[-1] == now
    assert course.last == pytest.approx(values[-1] / 100.0 - 1)
    before = portfolio_course(desk.stores, alpha, Bound(Figure("daily_return")), now - 3 * DAY, float(now))
    assert before is not None and len(before.times) == 6, "a value a day"
    spent = OfPortfolios(desk.stores, float(now))
    clock = desk.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(1)
    wanted = Bound(Figure("daily_return")), {"portfolio": "alpha"}, now - 600.0
    assert spent.course(*wanted) is None and OfPortfolios(desk.stores, float(now)).course(*wanted) is not None


def test_of_a_limit_on_a_loss_it_is_the_figure_that_is_limited() -> None:
    rule = Rule.model_validate({"name": "limits", "levels": {"critical": "limit_level >= 3"}})
    limits = [PortfolioLimit("drawdown", 0.1, "alpha", id="a"), PortfolioLimit("gross", 2.0, "alpha", id="b")]
    [bound] = watched(rule, {"portfolio": "alpha", "limit": "a"}, lambda: limits)
    assert (bound.figure, bound.limits) == (Figure("current_drawdown"), (-0.1,))
    assert bound.beyond(-0.15) == pytest.approx(0.5) and bound.beyond(-0.05) < 0
    assert watched(rule, {"portfolio": "alpha", "limit": "b"}, lambda: limits) == []


def test_how_unusual_a_share_is_is_no_share() -> None:
    unusual = Rule.model_validate({"name": "unusual", "when": "zscore(system_cpu_busy_ratio, 4 w) > 5"})
    busy = Rule.model_validate({"name": "busy", "when": "avg(system_cpu_busy_ratio, 5 min) > 80 %"})
    assert value_text(5.0, unit_of_rule(unusual)) == "5"
    both = Rule.model_validate({"name": "both", "when": "system_cpu_busy_ratio > 80 % and system_swap_used_bytes > 4"})
    assert value_text(0.999, unit_of_rule(both)) == "99.9 %"
    assert value_text(0.8, unit_of_rule(busy)) == "80.0 %"
