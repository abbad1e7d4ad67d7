"""The editor of rules and what the page Rules offers: forms and YAML in step, mistakes beside their fields."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
import yaml
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.model import Sample
from core.roles import Role
from dashboard.alerts.rule_fields import FIELDS, fields_from, with_fields
from dashboard.tabs import alert_rules, alerts, rule_editor
from dashboard.views.tab import Choices, View
from portfolio.own_rules import exported
from portfolio.rule_files import rule_set
from storage.state.audit import read_entries
from storage.stores import Stores
from tests.dashboard.tabs.test_alerts import post, shows
from tests.support.application import create_app
from tests.support.desk import Desk
from tests.support.rules import RIGHT, WRONG
from tests.support.views import text

ROOT, OTTO = Viewer("root", Role.ADMIN), Viewer("otto", Role.OPERATOR)
EDIT = "/alerts/rules/edit"


@pytest.fixture
def desk(stores: Stores) -> Desk:
    return Desk(replace(stores, clock=FakeClock(float(int(time.time())))))


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return client_of(desk, ROOT)


def client_of(desk: Desk, viewer: Viewer) -> FlaskClient:
    found: FlaskClient = create_app(
        desk.stores, (alerts.TAB, alert_rules.PAGE, rule_editor.PAGE), lambda _: viewer
    ).server.test_client()
    return found


def sent(yaml_text: str = "", was: dict[str, str] | None = None, **changes: str) -> dict[str, str]:
    fields = was or fields_from(None)
    told = {"rule": "", "version": "0", "text": yaml_text, "was": orjson.dumps(fields).decode()}
    return {**told, **fields, **changes}


def edited(desk: Desk, **choices: str) -> View:
    assert rule_editor.PAGE.build is not None
    return rule_editor.PAGE.build(desk.stores, Choices.of(choices), ROOT)


def draft_of(said: dict[str, Any]) -> str:
    assert said["done"], said
    return str(said["goto"]).partition("draft=")[2]


def test_the_form_fills_the_yaml_and_saving_makes_a_rule(desk: Desk, client: FlaskClient) -> None:
    fields = {"name": "data-disk", "figure": "system_disk_used_ratio", "which": 'mount="/data"', "limit": "90 %",
              "for": "5 min", "severity": "critical", "labels": "team=core"}  # fmt: skip
    number = draft_of(post(client, EDIT, **sent(**fields)))
    view = edited(desk, draft=number)
    form = " ".join(text(each) for each in view.slots.values())
    assert 'when: system_disk_used_ratio{mount="/data"} > 90 %' in form and "nothing is stored of" in form
    assert rule_set(desk.stores).kept.rules == (), "nothing is saved yet"
    said = post(client, EDIT, does="save", **sent(**fields))
    assert said["goto"] == "/alerts/rules" and said["done"]
    (kept,) = rule_set(desk.stores).kept.rules
    assert yaml.safe_load(kept.text)["rules"] == [
        {"name": "data-disk", "when": 'system_disk_used_ratio{mount="/data"} > 90 %', "for": "5 min",
         "severity": "critical", "labels": {"team": "core"}}
    ]  # fmt: skip
    shown = shows(desk, alert_rules.PAGE, ROOT)
    assert "made here, made by root" in shown and read_entries(desk.stores.state)[0].what == "alert rule made"


def test_what_is_changed_in_the_form_is_put_into_what_is_changed_in_the_yaml(desk: Desk, client: FlaskClient) -> None:
    post(client, EDIT, does="save", **sent(RIGHT))
    was = fields_from(Rule.model_validate(yaml.safe_load(RIGHT)["rules"][0]))
    assert (was["figure"], was["which"], was["operator"], was["limit"], was["for"]) == (
        "system_disk_used_ratio", 'mount="/data"', ">", "90 %", "5 min",
    )  # fmt: skip
    changed = sent(RIGHT.replace("is {value:.0%} full", "fills up"), was) | {"rule": "data-disk", "version": "1"}
    said = post(client, EDIT, does="save", **changed | {"severity": "urgent", "limit": "95 %"})
    assert said["done"], said
    (placed,) = [each for each in rule_set(desk.stores).rules if each.rule.name == "data-disk"]
    assert (placed.rule.severity.word, placed.rule.message) == ("urgent", "{mount} fills up")
    assert placed.rule.when.endswith("> 95 %")
    stale = post(client, EDIT, does="save", **changed)
    assert not stale["done"] and "root changed data-disk meanwhile" in stale["fields"]["text"]


@pytest.mark.parametrize(("wrong", "told"), WRONG[:-1])
def test_mistakes_stand_beside_the_yaml_with_their_lines(
    desk: Desk, client: FlaskClient, wrong: str, told: str
) -> None:
    for does in ("", "save"):
        said = post(client, EDIT, does=does, **sent(wrong))
        assert not said["done"] and told in said["fields"]["text"], said
    assert rule_set(desk.stores).kept.rules == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"figure": "system_lod"}, "figure"),
        ({"figure": ""}, "figure"),
        ({"limit": ""}, "limit"),
        ({"limit": "90 min"}, "figure"),
        ({"work": "avg"}, "span"),
        ({"for": "soon"}, "for"),
        ({"labels": "core"}, "labels"),
        ({"message": "{nothing}"}, "message"),
        ({"runbook": "wiki"}, "runbook"),
        ({"name": "Disk!"}, "name"),
    ],
)
def test_mistakes_of_the_form_stand_beside_their_fields(
    client: FlaskClient, changes: dict[str, str], field: str
) -> None:
    right = {"name": "load", "figure": "system_disk_used_ratio", "limit": "90 %"}
    said = post(client, EDIT, **sent(**right | changes))
    assert not said["done"] and said["fields"][field], said


def test_fields_say_what_they_were_made_of() -> None:
    for when in (
        "avg(system_cpu_busy_ratio, 5 min) > 80 %",
        "max_drawdown[1y, benchmark=SPY] < -15 %",
        'status{component="Redis main"} >= critical',
        'absent(freshness_age_seconds{instance="L1"})',
    ):
        fields = fields_from(Rule.model_validate({"name": "x", "when": when}))
        made = with_fields("", fields, frozenset(FIELDS))
        assert yaml.safe_load(made)["rules"][0]["when"] == when
    joined = fields_from(Rule.model_validate({"name": "x", "when": "age > 1 h and silent == 1"}))
    assert joined["figure"] == "", "more than a comparison stands in the YAML alone"


def test_a_checked_rule_is_drawn_with_when_it_would_have_fired(desk: Desk, client: FlaskClient) -> None:
    now = desk.stores.clock.now()
    for ago in range(3_600, 0, -5):
        busy = 0.95 if 1_800 < ago <= 2_700 else 0.2
        desk.stores.writer.put("host-1", now - ago, [Sample("system_swap_used_ratio", busy)])
    desk.stores.writer.flush()
    rule = "rules: [{name: swap, when: system_swap_used_ratio > 90 %, severity: critical, for: 5 min}]"
    view = edited(desk, draft=draft_of(post(client, EDIT, **sent(rule))))
    told = " ".join(text(each) for each in view.slots.values())
    assert "It would have fired 1 time in the last 1 h, for 10 min in all." in " ".join(told.split())
    assert "Saved now, it would not fire: it holds for none of 1 series." in " ".join(told.split())
    figure = view.figures[rule_editor.PAST.graph]
    (band,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert band["x1"] - band["x0"] == pytest.approx(600, abs=30)
    assert max(value for value in figure["data"][0]["y"] if value is not None) == 95


def test_rules_are_copied_switched_deleted_and_exported(desk: Desk, client: FlaskClient) -> None:
    desk.goes_on()
    own = " ".join(text(each) for each in edited(desk, copy="slow").slots.values())
    assert "a copy of slow, which stands in" in own and "name: slow-own" in own
    shipped = " ".join(text(each) for each in edited(desk, copy="value-overdue").slots.values())
    assert "takes the place of value-overdue" in shipped and "name: value-overdue\n" in shipped
    assert post(client, "/alerts/rules/off", name="value-overdue")["done"]
    assert "○ off: root" in shows(desk, alert_rules.PAGE, ROOT)
    assert not post(client, "/alerts/rules/delete", name="slow")["done"], "it stands in a file"
    post(client, EDIT, does="save", **sent(RIGHT))
    file = client.get("/alerts/rules/export.yaml").text
    assert yaml.safe_load(file)["disabled"] == ["value-overdue"]
    assert file == exported(rule_set(desk.stores))
    (desk.file.parent / "exported.yaml").write_text(client.get("/alerts/rules/export.yaml?rule=data-disk").text)
    assert "data-disk: name: another rule has it" in shows(desk, alert_rules.PAGE, ROOT), "a file and the page have it"
    assert post(client, "/alerts/rules/delete", name="data-disk")["done"]
    assert not rule_set(desk.stores).faults and not rule_set(desk.stores).left_out
    assert post(client, "/alerts/rules/on", name="value-overdue")["done"]


def test_who_is_limited_to_some_portfolios_is_shown_no_rule_and_nothing_that_one_finds(
    desk: Desk, client: FlaskClient
) -> None:
    assert "portfolios" in rule_editor.PAGE.varies_by, "or he would be shown what others were"
    number = draft_of(post(client, EDIT, **sent(RIGHT)))
    limited = Viewer("lee", Role.ADMIN, portfolios=frozenset({"alpha"}))
    for choices in ({"draft": number}, {"copy": "slow"}, {"rule": "data-disk"}, {}):
        shown = shows(desk, rule_editor.PAGE, limited, **choices)
        assert "Rules are of all portfolios" in shown and "system_disk" not in shown and "slow" not in shown
    assert client.get("/alerts/rules/export.yaml?rule=slow").status_code == 200
    assert client_of(desk, limited).get("/alerts/rules/export.yaml?rule=slow").status_code == 404


def test_who_is_no_administrator_is_offered_none_of_it(desk: Desk) -> None:
    operator = client_of(desk, OTTO)
    assert operator.get(EDIT).status_code == 403
    assert operator.get("/alerts/rules/export.yaml").status_code == 403
    for path in ("edit", "off", "on", "delete"):
        assert operator.post(f"/alerts/rules/{path}", json=sent(RIGHT, name="slow")).status_code == 403
