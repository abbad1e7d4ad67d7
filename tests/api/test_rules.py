"""Rules by the API: made, changed, switched and deleted by administrators alone, and in force in the engine at once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from access.viewer import Viewer
from alerting.figures import Figures
from alerting.quiet import Causes
from alerting.runner import Runner
from core.alerts.kept import STATE_DATABASE
from core.clock import FakeClock
from core.model import Facts, Sample, labels
from core.roles import Role
from dashboard.tabs import alert_rules
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from portfolio.rule_files import in_force, rule_set
from storage.state.alerts import read_history
from storage.state.audit import read_entries
from storage.state.rules import add_rule
from storage.stores import Stores
from tests.support.api import ADMIN, client_of
from tests.support.desk import Desk
from tests.support.rules import RIGHT, WRONG

RULES = "/api/v1/rules"
OPERATOR = Viewer("otto", Role.OPERATOR)
BUSY = "rules: [{name: busy, when: system_cpu_busy_15m_ratio > 50 %, every: 1 s}]\n"


@pytest.fixture
def desk(stores: Stores) -> Desk:
    """A desk whose engine reads the rules that are in force, those of the state database among them."""
    desk = Desk(replace(stores, clock=FakeClock(float(int(time.time())))))
    desk.runner = Runner(
        desk.stores, lambda: in_force(desk.stores), desk, desk.route, Causes({}), None, lambda *_: desk,
        lambda: [str(each) for each in rule_set(desk.stores).left_out],
    )  # fmt: skip
    return desk


def send(desk: Desk, method: str, path: str, status: int, viewer: Viewer = ADMIN, **body: Any) -> dict[str, Any]:
    answer = client_of(desk.stores, viewer).open(f"{RULES}{path}", method=method, json=body or None)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def happened(desk: Desk) -> list[tuple[str, str]]:
    with desk.stores.state.reading() as connection:
        rows = [row for _, row in reversed(read_history(connection, 100))]
    return [(row.rule, row.detail if row.what == "resolved" else row.what) for row in rows]


def test_a_rule_is_in_force_at_once_and_what_it_told_ends_when_it_is_deleted(desk: Desk) -> None:
    desk.busy(0.6)
    desk.goes_on(times=4)
    assert happened(desk) == []
    made = send(desk, "POST", "", 201, text=BUSY)
    assert (made["name"], made["file"], made["version"], made["changed_by"]) == ("busy", STATE_DATABASE, 1, "root")
    desk.goes_on(times=4)
    assert happened(desk) == [("busy", "fires")]
    assert send(desk, "GET", "/busy", 200, OPERATOR)["state"] == "firing"
    changed = send(desk, "PUT", "/busy", 200, text=BUSY.replace("50", "55"), version=1)
    assert changed["version"] == 2 and "55 %" in changed["text"]
    stale = send(desk, "PUT", "/busy", 422, text=BUSY, version=1)
    assert "root changed busy meanwhile" in stale["fix"]
    other = send(desk, "PUT", "/busy", 422, text=BUSY.replace("busy,", "calm,"), version=2)
    assert "it is busy for ever" in other["fix"]
    send(desk, "DELETE", "/busy", 200)
    desk.goes_on(times=4)
    assert happened(desk) == [("busy", "fires"), ("busy", "its rule was removed")]
    assert send(desk, "DELETE", "/busy", 404)["field"] == "name"
    assert [each.what for each in read_entries(desk.stores.state)][:3] == [
        "alert rule deleted", "alert rule changed", "alert rule made",
    ]  # fmt: skip


def test_a_rule_on_a_metric_that_nobody_has_sent_says_so_and_does_what_its_policy_says(desk: Desk) -> None:
    stores = desk.stores
    desk.runner = Runner(
        stores, lambda: in_force(stores), Figures(stores), desk.route, Causes({}), None, lambda *_: desk
    )  # fmt: skip
    for name, policy in (("fills", "alert"), ("calm", "ok")):
        text = f"rules: [{{name: {name}, when: oms_fills > 5, every: 1 s, no_data: {policy}}}]"
        send(desk, "POST", "", 201, text=f"metrics: [oms_fills]\n{text}\n")
    desk.goes_on(times=2)
    assert send(desk, "GET", "/fills", 200)["state"] == send(desk, "GET", "/calm", 200)["state"] == "no data"
    page = plain(alert_rules.PAGE.build(stores, Choices(), ADMIN).slots[alert_rules.ALL.slot])
    assert str(page).count("? no data yet") >= 2
    desk.goes_on(times=8)
    assert send(desk, "GET", "/fills", 200)["state"] == "firing"
    assert send(desk, "GET", "/calm", 200)["state"] == "no data"
    assert ("fills", "fires") in happened(desk)
    seen = int(stores.clock.now())
    row = ([1], ["a"], ["oms_fills"], [{"desk": "fx"}], [seen])
    stores.clickhouse.insert(Facts("series", ("series", "host", "metric", "labels", "seen"), row))
    stores.clickhouse.insert(Facts("samples", ("series", "ts", "value"), ([1], [seen], [1.0])))
    desk.goes_on(times=8)
    assert send(desk, "GET", "/fills", 200)["state"] == send(desk, "GET", "/calm", 200)["state"] == "ok"
    assert ("fills", "fills: metric oms_fills: its data have come") in happened(desk)


def test_any_rule_is_switched_off_and_on_and_what_it_told_ends(desk: Desk) -> None:
    desk.busy()
    desk.goes_on(times=4)
    assert happened(desk) == [("cpu-high", "fires")], "a rule of a file"
    off = send(desk, "POST", "/cpu-high/switch", 200, on=False)
    assert (off["state"], off["switched_off_by"]) == ("off", "root")
    desk.goes_on(times=4)
    assert happened(desk)[-1] == ("cpu-high", "its rule was switched off")
    assert "switched off already" in send(desk, "POST", "/cpu-high/switch", 422, on=False)["fix"]
    send(desk, "POST", "/cpu-high/switch", 200, on=True)
    desk.goes_on(times=4)
    assert happened(desk)[-1] == ("cpu-high", "fires")
    assert send(desk, "POST", "/daily-loss/switch", 200, on=False)["state"] == "off"
    assert "switch it off instead" in send(desk, "DELETE", "/cpu-high", 422)["fix"]
    send(desk, "POST", "/nothing/switch", 404, on=False)


def test_a_rule_of_the_state_database_that_cannot_be_is_left_out_alone(desk: Desk) -> None:
    now = desk.stores.clock.now()
    add_rule(desk.stores.state, "broken", BUSY.replace("busy,", "broken,").replace("15m_ratio", "15m_rato"), "ana", now)
    add_rule(desk.stores.state, "slow", RIGHT.replace("data-disk", "slow"), "ana", now)
    send(desk, "POST", "", 201, text=BUSY)
    desk.busy(0.6)
    desk.goes_on(times=4)
    assert happened(desk) == [("busy", "fires")]
    told = send(desk, "GET", "", 200)["told"]
    assert any("broken: when: there is no figure system_cpu_busy_15m_rato. Did you mean" in each for each in told)
    twice = next(each for each in told if "slow: name" in each and not each.startswith("A rule"))
    assert twice.startswith("state database:2: slow: name: another rule has it, in /") and "desk.yaml:" in twice
    send(desk, "DELETE", "/broken", 200)


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_what_is_wrong_is_refused_with_its_line_and_the_nearest_match(desk: Desk, text: str, told: str) -> None:
    if len(text) > 10_000:
        assert send(desk, "POST", "", 422, text=text)["field"] == "text"
        return
    assert told in send(desk, "POST", "", 422, text=text)["fix"]
    found = send(desk, "POST", "/check", 200, text=text)
    assert not found["is_right"] and found["back_test"] is None
    assert told in "; ".join(f"line {each['line']}: {each['reason']}" for each in found["mistakes"])
    assert rule_set(desk.stores).kept.rules == ()


def test_checking_saves_nothing_and_says_what_cannot_be_looked_at(desk: Desk) -> None:
    found = send(desk, "POST", "/check", 200, text=RIGHT)
    assert found["is_right"] and found["back_test"]["is_known"] is False
    assert "nothing is stored of" in found["back_test"]["sentence"] and found["back_test"]["at_once"] is None
    now = desk.stores.clock.now()
    used = [Sample("system_disk_used_ratio", 0.95, labels(mount=mount)) for mount in ("/", "/data")]
    desk.stores.writer.put("host-1", now - 5, used)
    desk.stores.writer.flush()
    at_once = send(desk, "POST", "/check", 200, text=RIGHT)["back_test"]["at_once"]
    assert (at_once["holds"], at_once["series"], at_once["wait_seconds"]) == (1, 1, 300)
    assert at_once["labels"][0]["mount"] == "/data" and "would fire after 5 min" in at_once["sentence"]
    assert rule_set(desk.stores).kept.rules == ()


def test_only_administrators_change_rules(desk: Desk) -> None:
    for method, path, body in (
        ("POST", "", {"text": RIGHT}), ("PUT", "/slow", {"text": RIGHT, "version": 1}), ("DELETE", "/slow", {}),
        ("POST", "/slow/switch", {"on": False}), ("POST", "/check", {"text": RIGHT}),
    ):  # fmt: skip
        send(desk, method, path, 403, OPERATOR, **body)
