"""Notices as the bell and its panel tell them: made from what a real engine, people and readiness left, to whom."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from access.accounts import add_account
from access.viewer import Viewer, local_viewer
from alerting.quiet import Causes
from alerting.runner import Runner
from core.alerts.matchers import read_matchers
from core.alerts.plan import Plan, PlanStep
from core.alerts.silence import Silence, Window
from core.clock import FakeClock
from core.model import Facts
from core.roles import Role
from dashboard.tabs import alerts
from portfolio.halting import halt, resume
from portfolio.notices.notice import Kind
from portfolio.notices.read import read_notices
from storage.clickhouse.readiness_rows import COLUMNS, TABLE
from storage.live.redis import VERSION_SECONDS
from storage.state.alert_requests import Ask, Request, ask
from storage.state.alerts import HistoryRow, add_history
from storage.state.audit import Entry, add_entry
from storage.state.imports import REFUSED, TAKEN, Import, start_import
from storage.state.notices_seen import END
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.silences import add_silence, add_window, end_silence, mute_all
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.desk import Desk

ANA, BEN = Viewer("ana", Role.OPERATOR), Viewer("ben", Role.VIEWER)
LEE = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))


@pytest.fixture
def desk(stores: Stores) -> Desk:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    return Desk(replace(stores, clock=FakeClock(float(int(time.time())))))


def client_of(desk: Desk, viewer: Viewer) -> FlaskClient:
    client: FlaskClient = create_app(desk.stores, (alerts.TAB,), lambda _: viewer).server.test_client()
    return client


def told(client: FlaskClient, **query: str | int) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/alerts/told", query_string=query).json["notices"]
    return found


def listed(client: FlaskClient, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/alerts/notices", query_string=query).json
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """Return the words of each line, the newest first."""
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", each["html"])).split()) for each in found["items"]]


def mark(client: FlaskClient, up_to: str) -> bool:
    return bool(client.post("/alerts/notices/seen", json={"up_to": up_to}).json["done"])


def test_what_a_person_has_seen_is_seen_in_every_browser_of_theirs_and_of_nobody_else(desk: Desk) -> None:
    ana, ben = client_of(desk, ANA), client_of(desk, BEN)
    assert told(ana)["unseen"] == 0
    desk.busy()
    desk.goes_on()
    assert told(ana)["unseen"] == 1
    found = listed(ana)
    assert lines(found) == ["✕ critical · fires not seen CPU of host-1 is 93% busy"]
    assert 'href="/alerts?incident=1"' in found["items"][0]["html"]
    assert mark(ana, found["newest"])
    assert told(ana)["unseen"] == told(client_of(desk, ANA))["unseen"] == 0
    assert told(ben)["unseen"] == 1
    assert "not seen" not in lines(listed(ana))[0] and lines(listed(ana, new="1")) == []
    assert "not seen" in lines(listed(ana, **{"from": found["from"]}))[0], "as when the panel was opened"
    desk.lose("alpha")
    desk.goes_on()
    assert lines(listed(ana, new="1")) == ["‼ urgent · fires Alpha not seen alpha lost -8.1%"]
    mark(ana, found["newest"])
    assert told(ana)["unseen"] == 1, "an older place takes nothing back"


@pytest.mark.parametrize("text", ["", "1.2.3", "a.b.c.d", "-1.0.0.0", "9" * 400, f"{2**63}.0.0.0", "1.2.3.4.5"])
def test_a_place_that_is_none_marks_nothing(desk: Desk, text: str) -> None:
    desk.busy()
    desk.goes_on()
    client = client_of(desk, ANA)
    assert not mark(client, text)
    assert told(client, seen=text, after=text)["unseen"] == 1
    assert len(listed(client, before=text, pages=text, **{"from": text})["items"]) == 1


def test_what_was_before_the_account_is_no_news(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    add_account(desk.stores.state, "ben", Role.VIEWER, (), "ana", desk.stores.clock.now())
    assert told(client_of(desk, BEN))["unseen"] == 0
    desk.lose("alpha")
    desk.goes_on()
    assert told(client_of(desk, BEN))["unseen"] == 1


def test_who_has_no_account_is_told_by_what_the_browser_keeps(desk: Desk) -> None:
    client = client_of(desk, local_viewer())
    desk.busy()
    desk.goes_on()
    first = told(client)
    assert first["unseen"] == 0, "a browser that keeps nothing yet begins now"
    desk.lose("alpha")
    desk.goes_on()
    assert told(client, seen=first["newest"])["unseen"] == 1


def test_what_people_do_and_what_ends_by_itself_is_told_with_who_and_why(desk: Desk) -> None:
    stores, clock = desk.stores, desk.stores.clock
    assert isinstance(clock, FakeClock)
    desk.busy()
    desk.goes_on()
    ask(stores.state, Request(1, Ask.ACKNOWLEDGE, "ana", clock.now(), clock.now() + 600, "on it"))
    desk.goes_on()
    made = halt(stores, "alpha", "the <b>hedge</b> is gone", None, "ana", None)
    clock.advance(1)
    resume(stores, made.id, "ben", None)
    clock.advance(1)
    halt(stores, "", "a drill", clock.now() + 60, "ana", None)
    clock.advance(1)
    now = clock.now()
    start_import(stores.state, Import(now, "nav.csv", "1", 3, TAKEN, "3 rows", who="ana", kind="nav", names=("alpha",)))
    start_import(stores.state, Import(now, "bad.csv", "2", 0, REFUSED, "no dates", who="ana"))
    silence = Silence(read_matchers('machine="host-1"'), now, now + 60, "a repair", "ana", now)
    add_silence(stores.state, silence)
    gone = add_silence(stores.state, replace(silence, ends=now + 600, why="a mistake"))
    clock.advance(1)
    end_silence(stores.state, gone.id, "ben", clock.now())
    mute_all(stores.state, Silence((), clock.now(), clock.now() + 30, "moving", "ana", clock.now()))
    opens = now + 120
    add_window(stores.state, Window("Patches", read_matchers('machine="host-1"'), opens, opens + 60, "monthly", "ana",
                                    clock.now()))  # fmt: skip
    clock.advance(600)
    found = [each.split(" not seen ") for each in lines(listed(client_of(desk, ANA)))]
    heads, texts = [each[0] for each in found], [each[-1] for each in found]
    assert heads == [
        "ℹ maintenance over", "ℹ maintenance", "ℹ silence over", "✓ resumed", "ℹ silence over", "ℹ maintenance planned",
        "▲ all muted", "ℹ silence over", "ℹ silenced", "ℹ silenced", "▲ refused", "ℹ imported", "✕ halted",
        "✓ resumed Alpha", "✕ halted Alpha", "ℹ acknowledged", "✕ critical · fires",
    ]  # fmt: skip
    told = " | ".join(texts)
    for said in (
        "Patches: monthly (ana)", "The halt is over; everything halted by ana", "nav.csv: 3 rows", "bad.csv: no dates",
        "a repair (ana)", "Everything until", "Resumed by ben; halted by ana", "Incident 1 by ana: on it",
        "the <b>hedge</b> is gone",
    ):  # fmt: skip
        assert said in told, said


def test_an_incident_that_nobody_takes_is_told_as_escalated_with_who_is_told_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(receivers=("log",), wait_seconds=0, steps=(PlanStep(5, ("phone", "boss")),), rounds=1)
    monkeypatch.setattr(desk, "route", lambda rule, _of: (rule.name, plan))
    desk.runner = Runner(desk.stores, lambda: desk.rules, desk, desk.route, Causes({}), None, lambda *_: desk)
    desk.busy()
    desk.goes_on(times=30)
    assert lines(listed(client_of(desk, ANA)))[:2] == [
        "✕ nobody left to tell not seen Incident 1", "▲ escalated not seen Incident 1: phone, boss",
    ]  # fmt: skip


def readiness(desk: Desk, at: float, portfolio: str, *, is_safe: bool, why: str = "") -> None:
    row = (int(at), "host-1", portfolio, int(is_safe), [why] if why else [], "[]")
    desk.stores.clickhouse.insert(Facts(TABLE, COLUMNS, tuple([each] for each in row)))


def test_money_that_is_not_safe_any_more_is_told_once_and_nothing_that_did_not_change(desk: Desk) -> None:
    now = desk.stores.clock.now() - 100
    for of in ("", "alpha", "beta"):
        readiness(desk, now, of, is_safe=False, why="starting")
        readiness(desk, now + 10, of, is_safe=True)
    for of in ("", "alpha"):
        readiness(desk, now + 20, of, is_safe=False, why="alpha: the hedge is gone")
        readiness(desk, now + 30, of, is_safe=False, why="started anew")
    readiness(desk, now + 40, "beta", is_safe=False, why="beta: too far below its peak")
    assert [each.split(" not seen ")[1] for each in lines(listed(client_of(desk, ANA)))] == [
        "Not safe to trade: Beta. beta: too far below its peak",
        "Not safe to trade. alpha: the hedge is gone",
        "Every check is ready",
    ]
    assert lines(listed(client_of(desk, LEE))) == [
        "✕ not safe Beta not seen Not safe to trade: Beta", "✓ ready Beta not seen Every check is ready: Beta",
    ]  # fmt: skip


def test_without_clickhouse_the_rest_is_told_and_what_is_missing(desk: Desk) -> None:
    desk.busy()
    desk.goes_on()
    desk.stores.clickhouse.command("DROP TABLE readiness_changes")
    found = listed(client_of(desk, ANA))
    assert len(found["items"]) == 1 and "not known now" in found["problem"]


def test_who_may_see_some_portfolios_is_told_of_those_alone(desk: Desk) -> None:
    stores, clock = desk.stores, desk.stores.clock
    desk.busy()
    desk.lose("alpha", "beta")
    desk.goes_on()
    now = clock.now()
    for id in ("alpha", "beta", ""):
        halt(stores, id, f"halted: {id}", None, "ana", None)
    for name, of in (("alpha.csv", "alpha"), ("beta.csv", "beta"), ("both.csv", "alpha")):
        start_import(stores.state, Import(now, name, name, 3, TAKEN, "3 rows", who="ana", kind="nav", names=(of,)))
    start_import(stores.state, Import(now, "both.csv", "b", 3, TAKEN, who="ana", kind="nav", names=("beta",)))
    start_import(stores.state, Import(now, "alpha-2.csv", "r", 0, REFUSED, "no dates", who="ana"))
    for id in ("alpha", "beta"):
        add_silence(stores.state, Silence(read_matchers(f'portfolio="{id}"'), now, now + 5, f"{id} rests", "ana", now))
    mute_all(stores.state, Silence((), now, now + 5, "alpha moves", "ana", now))
    assert isinstance(clock, FakeClock)
    clock.advance(60)
    found = lines(listed(client_of(desk, LEE)))
    assert not [each for each in found if "lpha" in each or "host-1" in each], found
    assert [each.split(" not seen ")[1] for each in found] == [
        "Everything (ana)", 'Portfolio="beta": beta rests (ana)', "Every alert is muted by ana",
        found[3].split(" not seen ")[1], "A file", "Everything halted by ana: halted:", "Halted by ana: halted: beta",
        "beta lost -8.1%",
    ]  # fmt: skip
    assert "beta rests" in found[3]
    mute_all(stores.state, Silence((), clock.now(), clock.now() + 600, "alpha moves", "ana", clock.now()))
    clock.advance(601)
    (over, *_) = lines(listed(client_of(desk, LEE)))
    assert "verything (ana)" in over and "alpha" not in over, "that it is over is told without why it was"
    assert len(lines(listed(client_of(desk, ANA)))) > 2 * len(found)


def test_what_is_below_many_others_is_marked_as_seen_too(desk: Desk) -> None:
    client = client_of(desk, ANA)
    start_import(
        desk.stores.state, Import(desk.stores.clock.now() - 9_000, "a.csv", "a", 3, TAKEN, who="ana", kind="nav")
    )
    storm(desk, 1, 60)
    found = listed(client)
    assert len(found["items"]) == 30 and told(client)["unseen"] > 60
    assert mark(client, found["newest"])
    assert told(client)["unseen"] == 0


def storm(desk: Desk, alerts_of_rule: int, rules: int) -> None:
    """Let many alerts of many rules have begun, a rule each two minutes, with what is no notice among them."""
    at = desk.stores.clock.now() - 120.0 * rules
    rows = [
        HistoryRow(at + 120 * rule, "fires", f"rule-{rule}", f'{{"machine":"m{number}"}}', "critical",
                   detail=f"m{number} is busy")
        for rule in range(rules) for number in range(alerts_of_rule)
    ]  # fmt: skip
    with desk.stores.state.begin() as connection:
        add_history(connection, [each for row in rows for each in (row, replace(row, what="near_miss"))])
        for number in range(200):
            add_entry(connection, Entry(at + number, "ana", "import taken", f"{number}.csv"))
            add_entry(connection, Entry(at + number, "ana", "signed in"))


def test_a_storm_is_a_line_a_rule_and_every_notice_stands_on_one_page_alone(desk: Desk) -> None:
    storm(desk, 50, 200)
    client = client_of(desk, ANA)
    assert told(client)["unseen"] == 100, "shown as 99+"
    found = listed(client)
    assert len(found["items"]) == 30
    assert "50 alerts of rule-199, the last: m49 is busy" in lines(found)[0]
    assert len(orjson.dumps(found)) < 20_000
    shown, before = lines(found), found["older"]
    while before:
        found = listed(client, before=before)
        shown += lines(found)
        before = found["older"]
    assert len(shown) == len(set(shown)) == 400
    assert lines(listed(client, pages="3")) == shown[:90]


def test_ten_thousand_notices_are_read_by_an_index_and_not_as_a_whole(desk: Desk) -> None:
    storm(desk, 1, 10_000)
    began = time.process_time()
    part = read_notices(desk.stores, None, 30)
    assert len(part.notices) == 30 and part.following not in (None, END)
    assert time.process_time() - began < 0.5, "a tenth of what reading all of them takes"
    asked = "SELECT * FROM audit WHERE what = 'import taken' AND id < 999 ORDER BY id DESC LIMIT 100"
    with desk.stores.state.reading() as connection:
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}"))
    assert "audit_by_what" in plan and "TEMP B-TREE" not in plan


def test_an_open_page_is_shown_what_began_since_it_asked_last_and_nothing_that_is_quiet(desk: Desk) -> None:
    client = client_of(desk, ANA)
    desk.busy()
    desk.goes_on()
    first = told(client)["toasts"]
    assert (first["shown"], first["after"]) == ([], 1), "it was there when the page was opened"
    now = desk.stores.clock.now()
    add_silence(desk.stores.state, Silence(read_matchers('portfolio="beta"'), now, now + 600, "known", "ana", now))
    desk.lose("alpha", "beta")
    desk.goes_on()
    found = told(client, after=first["after"])["toasts"]
    assert [(each["level"], each["text"], each["of"]) for each in found["shown"]] == [
        ("urgent", "alpha lost -8.1%", "Alpha")
    ]
    assert told(client, after=found["after"])["toasts"]["shown"] == []
    assert told(client_of(desk, LEE), after=first["after"])["toasts"]["shown"] == []
    desk.stores.live.client.flushall()
    time.sleep(2 * VERSION_SECONDS)
    assert told(client, after=first["after"])["toasts"] == {"after": first["after"], "shown": [], "more": 0}
    desk.goes_on()
    desk.values.clear()
    assert told(client_of(desk, LEE), after=0)["toasts"]["more"] == 0


def test_kinds_of_the_history_are_those_that_notices_know() -> None:
    assert {each.value for each in Kind} >= {"fires", "raised", "resolved", "escalated", "exhausted", "undelivered"}
