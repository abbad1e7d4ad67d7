"""/api/v2 as Alertmanager's own client knows it: amtool of Debian asks, silences, imports, and reads what it is told.

Its answers are also held against the schemas of Alertmanager's document (api/v2/openapi.yaml), which are written here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
import yaml
from flask.testing import FlaskClient
from pydantic import SecretStr

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from core.settings.channels import Channels, Webhook
from core.settings.routes import Route
from storage.state.alert_requests import Ask, Request, ask
from storage.state.alerts import read_incidents
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.silences import silences_in
from storage.stores import Stores
from tests.support.alerting import STORM, Alerting
from tests.support.amtool import Amtool, asking
from tests.support.api import LIMITED, READER, Standing, client_of

OPERATOR = Viewer("otto", Role.OPERATOR)
V2 = "/api/v2"
TEXT, TIME = {"type": "string"}, {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
LABELS = {"type": "object", "additionalProperties": TEXT}


def whole(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


def many(item: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least}


RECEIVER = whole(name=TEXT)
ALERT = whole(
    labels=LABELS, annotations=LABELS, receivers=many(RECEIVER), fingerprint=TEXT, startsAt=TIME, updatedAt=TIME,
    endsAt=TIME,
    status=whole(
        state={"enum": ["unprocessed", "active", "suppressed"]}, silencedBy=many(TEXT), inhibitedBy=many(TEXT)
    ),
)  # fmt: skip
MATCHER = whole(name=TEXT, value=TEXT, isRegex={"type": "boolean"}, isEqual={"type": "boolean"})
SILENCE = whole(
    id=TEXT, status=whole(state={"enum": ["expired", "active", "pending"]}), updatedAt=TIME, matchers=many(MATCHER, 1),
    startsAt=TIME, endsAt=TIME, createdBy=TEXT, comment=TEXT,
)  # fmt: skip
VERSIONS = dict.fromkeys(("version", "revision", "branch", "buildUser", "buildDate", "goVersion"), TEXT)
STATUS = whole(
    cluster=whole(name=TEXT, status={"enum": ["ready", "settling", "disabled"]}, peers=many(TEXT)),
    versionInfo=whole(**VERSIONS), config=whole(original=TEXT), uptime=TIME,
)  # fmt: skip
SCHEMAS = {
    "/status": STATUS,
    "/receivers": many(RECEIVER, 1),
    "/alerts": many(ALERT, 1),
    "/alerts/groups": many(whole(labels=LABELS, receiver=RECEIVER, alerts=many(ALERT, 1)), 1),
    "/silences": many(SILENCE, 1),
}


@pytest.fixture
def storm(stores: Stores) -> Alerting:
    """What fires, with the machine a silenced and Kafka caused by the inbox."""
    hook = Webhook(name="oms", url=SecretStr("https://oms.example.com/secret-path"))
    pager = Webhook(name="pager", url=SecretStr("https://pager.example.com/secret-path"))
    routes = (
        Route(labels={"host": "a|b"}, receivers=("oms",), group_by=("team", "rule")),
        Route(severities=("urgent",), receivers=("pager", "oms")),
    )
    changed = {"channels": Channels(webhook=(hook, pager)), "routes": routes}
    settings = stores.settings.model_copy(update=changed)
    made = replace(stores, settings=settings, clock=SystemClock())  # amtool compares times with its own
    put_portfolios(made.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    alerting = Alerting(made, {"Kafka": ["inbox"]})
    answer = client_of(made, OPERATOR).post(f"{V2}/silences", json=silence(made, "a", comment="new disks"))
    assert answer.status_code == 200, answer.text
    alerting.finds(STORM)
    return alerting


def silence(stores: Stores, host: str, comment: str = "x", **more: Any) -> dict[str, Any]:
    from api.alertmanager.alerts import time_of

    now = stores.clock.now()
    matcher = {"name": "host", "value": host, "isRegex": False, "isEqual": True}
    times = {"startsAt": time_of(now - 60), "endsAt": time_of(now + 3_600)}
    return {"matchers": [matcher], **times, "createdBy": "otto", "comment": comment} | more


@pytest.fixture
def amtool(storm: Alerting, tmp_path: Path) -> Iterator[Amtool]:
    with asking(storm.stores, tmp_path) as found:
        yield found


def test_amtool_queries_what_fires(amtool: Amtool) -> None:
    lines = amtool("alert", "query").splitlines()
    assert lines[0].split() == ["Alertname", "Starts", "At", "Summary", "State"]
    assert sorted(line.split()[0] for line in lines[1:]) == ["busy", "down", "loss", "loss"]
    (silenced,) = amtool.json("alert", "query", "--silenced")
    assert (silenced["labels"]["host"], silenced["status"]["state"]) == ("a", "suppressed")
    (caused,) = amtool.json("alert", "query", "--inhibited")
    (cause,) = amtool.json("alert", "query", "component=inbox")
    assert caused["status"]["inhibitedBy"] == [cause["fingerprint"]]
    found = amtool.json("alert", "query", "busy", 'host=~"(b|c)"')
    assert [each["annotations"]["description"] for each in found] == ["b is 85% busy"]
    assert {each["labels"]["portfolio"] for each in amtool.json("alert", "query", "--receiver=pag.*")} == {
        "alpha",
        "beta",
    }


def test_amtool_adds_queries_and_expires_silences(amtool: Amtool, storm: Alerting) -> None:
    id = amtool(
        "silence", "add", "loss", 'portfolio=~"al.*"', "--duration=2h", "--author=ana", "--comment=known"
    ).strip()
    (found,) = amtool.json("silence", "query", "alertname=loss")
    assert (found["id"], found["comment"], found["createdBy"]) == (id, "known", "service:amtool for ana")
    assert {"isEqual": True, "isRegex": True, "name": "portfolio", "value": "al.*"} in found["matchers"]
    storm.step()
    hidden = amtool.json("alert", "query", "--silenced", "loss")
    assert [(each["labels"]["portfolio"], each["status"]["silencedBy"]) for each in hidden] == [("alpha", [id])]
    assert id in amtool("silence", "query")
    amtool("silence", "update", id, "--duration=3h", "--comment=longer")
    (longer,) = amtool.json("silence", "query", "alertname=loss")
    assert longer["comment"] == "longer" and longer["endsAt"] > found["endsAt"]
    amtool("silence", "expire", longer["id"])
    assert amtool.json("silence", "query", "alertname=loss") == []
    assert {each["id"] for each in amtool.json("silence", "query", "alertname=loss", "--expired")} == {id, longer["id"]}
    assert "already expired" in amtool("silence", "expire", id, fails=True)
    said = amtool("silence", "add", "host!=a", "--comment=x", "--author=x", fails=True)
    assert "mute everything instead" in said


def test_amtool_imports_what_it_exported(amtool: Amtool, storm: Alerting) -> None:
    exported = amtool.json("silence", "query")
    again = amtool("silence", "import", given=json.dumps(exported))
    assert again.split() == [exported[0]["id"]], "what is there is not made twice"
    foreign = {**exported[0], "id": "8a5c4c3e-7d3b-4f6e-9a57-0c4e3f1d2b6a", "comment": "from another"}
    (id,) = amtool("silence", "import", given=json.dumps([foreign])).split()
    found = {each["id"]: each["comment"] for each in amtool.json("silence", "query")}
    assert found == {exported[0]["id"]: "new disks", id: "from another"}
    amtool("silence", "add", "loss", "--duration=2h", "--author=ana", "--comment=known")
    for times in range(2):
        (mine,) = amtool.json("silence", "query", "alertname=loss")
        assert mine["createdBy"] == "service:amtool for ana", f"imported {times} times"
        amtool("silence", "import", given=json.dumps([{**mine, "comment": f"imported {times}"}]))


def test_what_is_put_off_is_not_told_as_in_somebodys_hand(storm: Alerting) -> None:
    for does, name in ((Ask.SNOOZE, "snoozed_by"), (Ask.ACKNOWLEDGE, "acknowledged_by")):
        now = storm.stores.clock.now()
        with storm.stores.state.reading() as connection:
            ids = [each.id for each in read_incidents(connection)]
        for id in ids:
            ask(storm.stores.state, Request(id, does, "ana", now, now + 3_600))
        storm.step()
        found = client_of(storm.stores, OPERATOR).get(f"{V2}/alerts").json
        told = [set(each["annotations"]) & {"snoozed_by", "acknowledged_by"} for each in found]
        assert {name} in told and all(each <= {name} for each in told)


def test_amtool_reads_the_configuration(amtool: Amtool) -> None:
    shown = amtool("config", "show")
    assert "secret-path" not in shown
    assert {each["name"] for each in yaml.safe_load(shown)["receivers"]} == {"oms", "pager", "log", "nobody"}

    def told(*labels: str) -> str:
        return amtool("config", "routes", "test", *labels).strip()

    assert told("severity=urgent") == "pager,oms"
    assert told("severity=warning", "host=a") == "oms"
    assert told("severity=warning", "host=ab") == "nobody"


def test_a_token_is_taken_as_a_password_where_a_client_knows_no_other_way(amtool: Amtool) -> None:
    asked = f"{amtool.url}{V2}/receivers"
    assert requests.get(asked, auth=("amtool", amtool.secret), timeout=10).status_code == 200
    assert requests.get(asked, auth=("amtool", "fw_" + "x" * 43), timeout=10).status_code == 401
    assert requests.get(asked, auth=("amtool", ""), timeout=10).status_code == 401
    page = requests.get(amtool.url, auth=("amtool", amtool.secret), timeout=10, allow_redirects=False)
    assert page.status_code != 200, "a page is no place for a token"
    sent = {"auth": ("amtool", amtool.secret), "timeout": 10, "headers": {"Sec-Fetch-Site": "cross-site"}}
    foreign = requests.post(f"{amtool.url}{V2}/silences", json={}, **sent)
    assert foreign.status_code == 403, "a browser adds a password by itself"


def test_answers_are_of_the_form_that_alertmanager_documents(storm: Alerting) -> None:
    client = client_of(storm.stores, READER)
    for path, schema in SCHEMAS.items():
        answer = client.get(f"{V2}{path}")
        assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
        jsonschema.Draft202012Validator(schema).validate(answer.json)
    (one,) = client.get(f"{V2}/silences").json
    assert client.get(f"{V2}/silence/{one['id']}").json == one
    groups = client.get(f"{V2}/alerts/groups").json
    told = sorted((each["receiver"]["name"], len(each["alerts"]), json.dumps(each["labels"])) for each in groups)
    assert told == [
        ("nobody", 2, '{"rule": "down"}'),
        ("oms", 2, '{"rule": "loss"}'),
        ("oms", 2, '{"team": "core", "rule": "busy"}'),
        ("pager", 2, '{"rule": "loss"}'),
    ]


def refusal(client: FlaskClient, method: str, path: str, status: int, body: Any = None) -> str:
    answer = client.open(f"{V2}{path}", method=method, json=body)
    assert answer.status_code == status, (path, answer.text)
    said: Any = answer.json
    assert isinstance(said, str), "Alertmanager's clients read a text"
    return said


def test_what_is_wrong_is_told_as_its_clients_read_it(storm: Alerting) -> None:
    client, stores = client_of(storm.stores, OPERATOR), storm.stores
    assert "not understood" in refusal(client, "GET", "/alerts?filter=host~a", 400)
    assert "regular expression" in refusal(client, "GET", "/alerts?receiver=(", 400)
    assert "matchers" in refusal(client, "POST", "/silences", 400, silence(stores, "a", matchers=[]))
    assert "comment" in refusal(client, "POST", "/silences", 400, {**silence(stores, "a"), "comment": 5})
    assert "why is empty" in refusal(client, "POST", "/silences", 400, silence(stores, "a", comment=""))
    assert "not found" in refusal(client, "POST", "/silences", 404, silence(stores, "a", id="99"))
    assert "not found" in refusal(client, "GET", "/silence/nothing", 404)
    assert "not found" in refusal(client, "DELETE", "/silence/99", 404)
    with stores.state.reading() as connection:
        assert len(silences_in(connection, 0)) == 1
    later = client_of(replace(stores, clock=Standing(stores.clock.now() + 60)), OPERATOR)
    assert "silent for" in refusal(later, "GET", "/alerts", 503), "no list would say that all is well"


def test_who_may_not_does_nothing_and_who_is_limited_sees_no_other_portfolio(storm: Alerting) -> None:
    body = silence(storm.stores, "b")
    of_beta = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
    reads = Viewer("service:eye", Role.OPERATOR, scopes=frozenset({"read"}))
    for viewer in (READER, of_beta, reads, None):
        client = client_of(storm.stores, viewer)
        assert client.post(f"{V2}/silences", json=body).status_code in (401, 403)
        assert client.delete(f"{V2}/silence/1").status_code in (401, 403)
    limited = client_of(storm.stores, LIMITED)
    for path in ("/alerts", "/alerts/groups"):
        assert "alpha" not in limited.get(f"{V2}{path}").text
    assert {each["labels"].get("portfolio") for each in limited.get(f"{V2}/alerts").json} == {"beta"}
    assert client_of(storm.stores, OPERATOR).put(f"{V2}/alerts").status_code == 405
