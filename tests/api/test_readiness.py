"""Trading readiness and halts by the API: the status says it, a halt holds at once, and limits are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.clock import FakeClock
from core.roles import Role
from core.settings.alerts import Alerts
from portfolio.halting import seen_halts, seen_halts_in_force
from storage.state.audit import read_entries
from storage.state.halts import Halt, add_halt
from storage.stores import Stores
from tests.support.api import ADMIN, READER, client_of
from tests.support.readiness import Fund, alert, put_values, safe_stores

READINESS, HALTS = "/api/v1/trading-readiness", "/api/v1/halts"
SYSTEM = Viewer("service:oms", Role.VIEWER, scopes=frozenset({"readiness"}))
DESK = Viewer("service:desk", Role.OPERATOR, scopes=frozenset({"halts", "read"}))
OF_ALPHA = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"alpha"}))
OF_NOTHING = Viewer("nora", Role.OPERATOR, portfolios=frozenset({"gone"}))
HIDDEN = ("beta", "Beta", "own:fund")


@pytest.fixture
def fund(stores: Stores) -> Fund:
    made = Fund(safe_stores(stores))
    made.becomes_safe()
    return made


def asked(fund: Fund, viewer: Viewer, portfolio: str = "") -> tuple[int, dict[str, Any]]:
    answer = client(fund, viewer).get(f"{READINESS}/{portfolio}" if portfolio else READINESS)
    return answer.status_code, answer.json


def client(fund: Fund, viewer: Viewer) -> FlaskClient:
    return client_of(fund.stores, viewer)


def test_a_trading_system_is_told_by_the_status_and_why_by_the_body(fund: Fund) -> None:
    status, told = asked(fund, SYSTEM)
    assert (status, told["safe"], told["ready"], told["watched"], told["reasons"]) == (200, True, 12, 12, [])
    assert (told["portfolio"], told["age_seconds"], told["halted_by"]) == ("", 0, "")
    by_key, by_id = asked(fund, SYSTEM, "own:alpha"), asked(fund, SYSTEM, "alpha")
    assert by_key == by_id
    assert by_id[0] == 200
    assert (told["scope"], by_id[1]["scope"]) == ("fund", "portfolio")
    assert {each["portfolio"] for each in by_id[1]["checks"]} == {"", "own:alpha"}
    fund.feed["updates"] = "no update for 2 min"
    fund.goes_on()
    status, told = asked(fund, SYSTEM, "alpha")
    assert (status, told["safe"], told["reasons"]) == (503, False, ["IQFeed main: no update for 2 min"])
    found = next(each for each in told["checks"] if each["check"] == "feeds")
    assert (found["state"], found["age_seconds"], found["where"]) == ("not ready", 0, "/pipeline")
    assert client(fund, SYSTEM).get(f"{READINESS}/gamma").status_code == 404
    assert client(fund, SYSTEM).get("/api/v1/status").status_code == 403, "its token is for this and nothing else"
    other = Viewer("service:nav", Role.OPERATOR, scopes=frozenset({"ingest:nav"}))
    assert asked(fund, other)[0] == 403


def test_an_answer_that_it_is_not_safe_is_never_one_that_nothing_has_changed(fund: Fund) -> None:
    fund.clock_offset = 1.0
    fund.goes_on()
    first = client(fund, READER).get(READINESS)
    again = client(fund, READER).get(READINESS, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (503, 503)


def test_a_halt_holds_with_the_next_request_and_stands_in_the_audit(fund: Fund) -> None:
    desk = client(fund, DESK)
    until = datetime.fromtimestamp(fund.stores.clock.now(), UTC) + timedelta(hours=1)
    made = desk.post(HALTS, json={"portfolio": "own:alpha", "why": "hedge is gone", "until": until.isoformat()})
    assert made.status_code == 201, made.text
    assert (made.json["portfolio"], made.json["who"], made.json["in_force"]) == ("own:alpha", "service:desk", True)
    status, told = asked(fund, SYSTEM, "alpha")
    assert (status, told["halted_by"]) == (503, "service:desk")
    assert told["reasons"] == [f"halted by service:desk until {until:%Y-%m-%d %H:%M} UTC: hedge is gone"]
    assert (
        next(each for each in told["checks"] if each["check"] == "halt" and each["portfolio"])["state"] == "not ready"
    )
    assert asked(fund, SYSTEM, "beta")[0] == 200
    assert asked(fund, SYSTEM)[0] == 503
    assert desk.delete(f"{HALTS}/{made.json['id']}").json["ended_by"] == "service:desk"
    assert desk.delete(f"{HALTS}/{made.json['id']}").status_code == 422, "it is over"
    assert desk.get(HALTS).json["items"] == []
    assert [each["why"] for each in desk.get(f"{HALTS}?over=true").json["items"]] == ["hedge is gone"]
    fund.becomes_safe()
    assert asked(fund, SYSTEM, "alpha")[0] == 200
    entries = read_entries(fund.stores.state, limit=10)
    assert {"trading halted", "trading resumed"} <= {each.what for each in entries if each.target == "alpha"}


def test_halts_of_years_are_read_in_parts(fund: Fund) -> None:
    state, now = fund.stores.state, fund.stores.clock.now()
    for number in range(9):
        of = "alpha" if number % 2 else "beta"
        add_halt(state, Halt(of, "ana", f"reason {number}", now - 1_000 + number, now - 900))
    standing = add_halt(state, Halt("alpha", "ana", "stands", now))
    assert [each.why for each in seen_halts(fund.stores, None, 3)] == ["stands", "reason 8", "reason 7"]
    assert [each.id for each in seen_halts_in_force(fund.stores, None)] == [standing.id]
    assert [each.why for each in seen_halts(fund.stores, frozenset({"alpha"}), 3)] == ["stands", "reason 7", "reason 5"]
    address, found = f"{HALTS}?over=true&limit=4", list[str]()
    cursor = ""
    while cursor is not None:
        answer = client(fund, ADMIN).get(f"{address}&cursor={cursor}").json
        assert len(answer["items"]) <= 4
        found += [each["why"] for each in answer["items"]]
        cursor = answer["next"]
    assert found == ["stands", *(f"reason {number}" for number in range(8, -1, -1))]


def test_a_halt_that_cannot_be_names_the_field_and_halts_nothing(fund: Fund) -> None:
    now = datetime.fromtimestamp(fund.stores.clock.now(), UTC)
    admin = client(fund, ADMIN)
    for sent, field in (
        ({"why": " "}, "why"),
        ({"why": "two\nlines"}, "why"),
        ({}, "why"),
        ({"why": "x", "portfolio": "alhpa"}, "portfolio"),
        ({"why": "x", "portfolio": "sample:fund"}, "portfolio"),
        ({"why": "x", "until": (now - timedelta(seconds=1)).isoformat()}, "until"),
        ({"why": "x", "until": "2030-01-01T00:00:00"}, "until"),
        ({"why": "x", "until": (now + timedelta(days=400)).isoformat()}, "until"),
    ):
        answer = admin.post(HALTS, json=sent)
        assert (answer.status_code, answer.json["field"]) == (422, field), answer.text
    assert client(fund, READER).post(HALTS, json={"why": "x"}).status_code == 403
    assert client(fund, SYSTEM).post(HALTS, json={"why": "x"}).status_code == 403
    assert admin.delete(f"{HALTS}/77").status_code == 404
    assert admin.get(f"{HALTS}?over=true").json["items"] == []
    assert asked(fund, SYSTEM)[0] == 200


def test_who_is_limited_to_a_portfolio_is_told_nothing_of_another(fund: Fund) -> None:
    admin, lee = client(fund, ADMIN), client(fund, OF_ALPHA)
    put_values(fund.stores, "beta", [100.0, 80.0])
    fund.firing.append(alert("Beta loses", portfolio="beta"))
    assert admin.post(HALTS, json={"portfolio": "beta", "why": "Beta is halted"}).status_code == 201
    fund.goes_on(5)
    assert asked(fund, READER)[0] == 503
    answer = lee.get(READINESS)
    assert (answer.status_code, answer.json["safe"], answer.json["reasons"]) == (200, True, [])
    assert answer.json["scope"] == "seen", "it is not of the whole fund"
    assert lee.get(f"{READINESS}/beta").status_code == lee.get(f"{READINESS}/nobody").status_code == 404
    admin.post(HALTS, json={"portfolio": "fund", "why": "by the desk"})
    fund.goes_on()
    told = [
        lee.get(each) for each in (READINESS, f"{READINESS}/alpha", f"{READINESS}/beta", HALTS, f"{HALTS}?over=true")
    ]
    told += [
        lee.post(HALTS, json={"portfolio": "beta", "why": "x"}),
        lee.delete(f"{HALTS}/1"),
        lee.delete(f"{HALTS}/2"),
    ]
    assert [each.status_code for each in told] == [503, 503, 404, 200, 200, 422, 404, 404]
    for each in told:
        # What he has sent himself is said back to him.
        text = each.text.replace("'beta'", "")
        assert not any(word in text for word in HIDDEN), each.text
    assert told[0].json["reasons"] == ["alpha: halted by root: by the desk"]
    assert lee.post(HALTS, json={"why": "x"}).json["field"] == "portfolio", "everything is not his to halt"
    assert lee.post(HALTS, json={"portfolio": "alpha", "why": "x"}).status_code == 201
    nothing = client(fund, OF_NOTHING).get(READINESS)
    assert (nothing.status_code, nothing.json["reasons"]) == (503, ["there is no portfolio here that you may see"])


def test_everything_is_resumed_by_somebody_who_may_see_everything(fund: Fund) -> None:
    id = client(fund, ADMIN).post(HALTS, json={"why": "stop"}).json["id"]
    assert asked(fund, OF_ALPHA)[1]["reasons"] == ["everything halted by root: stop"]
    assert client(fund, OF_ALPHA).delete(f"{HALTS}/{id}").status_code == 422
    assert client(fund, ADMIN).delete(f"{HALTS}/{id}").status_code == 200


def test_nobody_who_looks_and_an_engine_that_is_off_are_not_safe(fund: Fund) -> None:
    clock = fund.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(6)
    status, told = asked(fund, SYSTEM, "alpha")
    assert (status, told["stale"], told["age_seconds"], told["ready"]) == (503, True, 6, 0)
    assert told["reasons"] == ["nobody has looked for 6.0 s"]
    object.__setattr__(
        fund.stores, "settings", fund.stores.settings.model_copy(update={"alerts": Alerts(enabled=False)})
    )
    assert asked(fund, SYSTEM)[1]["reasons"] == ["nobody says whether it is safe: alerts.enabled is off"]
