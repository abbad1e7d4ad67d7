"""Alerts by the API: what fires, what is asked of it, what is kept quiet, and nothing of portfolios that are hidden."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from access.viewer import Viewer
from core.alerts.evaluate import Value
from core.alerts.rule import Rule
from core.alerts.spec import MOST_TOLD
from core.clock import FakeClock
from core.model import labels
from core.roles import Role
from core.settings.channels import Channels, Webhook
from storage.state.audit import read_entries
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.alerting import CALM, STORM, Alerting
from tests.support.api import LIMITED, READER, client_of

V1 = "/api/v1"
OPERATOR = Viewer("otto", Role.OPERATOR)
OF_BETA = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
READS = Viewer("service:eye", Role.OPERATOR, scopes=frozenset({"read"}))


@pytest.fixture
def alerting(stores: Stores) -> Alerting:
    hook = Webhook(name="oms", url=SecretStr("https://oms.example.com/secret-path"), secret=SecretStr("hush-hush"))
    changed = {"channels": Channels(webhook=(hook,)), "rules_dir": stores.settings.data_dir / "rules"}
    settings = stores.settings.model_copy(update=changed)
    made = replace(stores, settings=settings, clock=FakeClock(time.time()))
    put_portfolios(made.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    return Alerting(made)


@pytest.fixture
def storm(alerting: Alerting) -> Iterator[Alerting]:
    alerting.finds(CALM)
    alerting.finds(STORM)
    yield alerting


def get(alerting: Alerting, path: str, viewer: Viewer = OPERATOR, status: int = 200) -> dict[str, Any]:
    answer = client_of(alerting.stores, viewer).get(f"{V1}{path}")
    assert answer.status_code == status, (path, answer.text)
    found: dict[str, Any] = answer.json
    return found


def send(
    alerting: Alerting, path: str, body: Any, status: int, viewer: Viewer = OPERATOR, method: str = "POST"
) -> dict[str, Any]:
    answer = client_of(alerting.stores, viewer).open(f"{V1}{path}", method=method, json=body)
    assert answer.status_code == status, (path, answer.text)
    found: dict[str, Any] = answer.json
    return found


def hence(alerting: Alerting, seconds: float) -> str:
    return datetime.fromtimestamp(alerting.stores.clock.now() + seconds, UTC).isoformat()


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [next(iter(row["labels"][each] for each in ("portfolio", "host", "component") if each in row["labels"]))
            for row in rows]  # fmt: skip


def test_what_fires_is_told_gravest_first_and_stale_when_nobody_evaluates(alerting: Alerting) -> None:
    never = get(alerting, "/alerts")
    assert (never["items"], never["stale"], never["as_of"]) == ([], True, None)
    assert never["told"][0].startswith("No alert engine has told of anything yet")
    alerting.finds(CALM)
    calm = get(alerting, "/alerts")
    assert (calm["items"], calm["stale"], calm["told"]) == ([], False, [])
    alerting.finds(STORM)
    rows = get(alerting, "/alerts")["items"]
    assert [row["severity"] for row in rows] == ["urgent"] * 2 + ["critical"] * 2 + ["warning"] * 2
    busy = next(row for row in rows if row["labels"].get("host") == "a")
    assert (busy["text"], busy["value"], busy["rule"]) == ("a is 93% busy", 0.93, "busy")
    assert busy["labels"] == {
        "host": "a", "team": "core", "rule": "busy", "alertname": "busy", "severity": "warning", "category": "system",
    }  # fmt: skip
    first = get(alerting, "/alerts?limit=4")
    assert first["items"] + get(alerting, f"/alerts?limit=4&cursor={first['next']}")["items"] == rows
    alerting.stores.clock.advance(60)  # type: ignore[attr-defined]
    late = get(alerting, "/alerts")
    assert late["stale"] and late["age_seconds"] >= 59 and "silent for" in late["told"][0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("severity=warning", {"a", "b"}),
        ("at_least=critical", {"alpha", "beta", "inbox", "Kafka"}),
        ("rule=down", {"inbox", "Kafka"}),
        ("category=portfolio", {"alpha", "beta"}),
        ('matchers=host=~"a|x", team="core"', {"a"}),
        ('matchers=component!="", component!~"K.*"', {"inbox"}),
        ("matchers=host=b&severity=urgent", set()),
        ("muted=true", set()),
    ],
)
def test_alerts_are_filtered(storm: Alerting, query: str, expected: set[str]) -> None:
    assert set(names(get(storm, f"/alerts?{query}")["items"])) == expected


def test_a_filter_that_cannot_be_is_named(storm: Alerting) -> None:
    for query, field in (
        ("matchers=host~a", "matchers"),
        ("matchers=host=~(", "matchers"),
        ("severity=bad", "severity"),
    ):
        assert get(storm, f"/alerts?{query}", status=422)["field"] == field
    patient = get(storm, '/alerts?matchers=component=~"(([a-zA-Z]+)+)+!"')
    assert patient["items"] == [], "in linear time"


def test_an_incident_is_acknowledged_by_who_the_token_is_of(storm: Alerting) -> None:
    storm.step(31)  # a warning waits for others of its group
    alert = get(storm, "/alerts?rule=busy")["items"][0]
    until = hence(storm, 3_600)
    asked = send(storm, f"/alerts/{alert['key']}/actions", {"action": "acknowledge", "until": until, "note": "me"}, 202)
    assert (asked["who"], asked["status"], asked["told"]) == ("otto", "waiting", "")
    storm.step()
    found = get(storm, f"/alerts/{alert['incident']}")
    assert (found["stage"], found["acknowledged_by"], len(found["alerts"])) == ("acknowledged", "otto", 2)
    assert [(each["status"], each["note"]) for each in found["requests"]] == [("done", "me")]
    assert found["messages"][0]["receiver"] == "oms" and found["group"] == "rule=busy"
    send(storm, f"/alerts/{alert['incident']}/actions", {"action": "resolve"}, 202)
    storm.step()
    over = get(storm, f"/alerts/{alert['incident']}")
    assert (over["stage"], over["closed_by"], over["alerts"]) == ("closed", "otto", [])
    assert over["closed_at"] is not None
    still = get(storm, f"/alerts/{alert['key']}")
    assert still["incident"] is None and len(still["alerts"]) == 1, "it fires on, of no incident"
    refused = send(storm, f"/alerts/{alert['incident']}/actions", {"action": "resolve"}, 422)
    assert refused["field"] == "incident" and "is over" in refused["fix"]
    whats = [each.what for each in read_entries(storm.stores.state)]
    assert whats[:2] == ["alert resolve", "alert resolve asked for"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "close"}, "action"),
        ({"action": "snooze"}, "until"),
        ({"action": "resolve", "until": "2999-01-01T00:00:00Z"}, "until"),
        ({"action": "acknowledge", "until": "2999-01-01T00:00:00Z"}, "until"),
        ({"action": "acknowledge", "until": "2020-01-01T00:00:00"}, "until"),
        ({"action": "acknowledge", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"action": "resolve", "who": "ana"}, "who"),
    ],
)
def test_what_cannot_be_asked_names_the_field(storm: Alerting, body: dict[str, Any], field: str) -> None:
    id = get(storm, "/alerts?rule=busy")["items"][0]["incident"]
    assert send(storm, f"/alerts/{id}/actions", body, 422)["field"] == field
    assert get(storm, f"/alerts/{id}")["requests"] == []


def test_who_may_not_act_does_not(storm: Alerting) -> None:
    id = get(storm, "/alerts?rule=busy")["items"][0]["incident"]
    for viewer in (READER, READS):
        for path in (f"/alerts/{id}/actions", "/silences", "/maintenance", "/channels/oms/test"):
            send(storm, path, {"action": "resolve"}, 403, viewer)
    send(storm, "/alerts/999/actions", {"action": "resolve"}, 404)
    get(storm, f"/alerts/{id}/actions", status=405)
    get(storm, "/alerts/nothing", status=404)


def test_who_is_limited_sees_and_touches_no_other_portfolio(storm: Alerting) -> None:
    rows = get(storm, "/alerts", LIMITED)["items"]
    assert names(rows) == ["beta"], "what a rule of the fund's own says of no portfolio may name any"
    loss = next(row["incident"] for row in rows if row["rule"] == "loss")
    found = get(storm, f"/alerts/{loss}", LIMITED)
    assert names(found["alerts"]) == ["beta"] and found["messages"] == []
    assert (
        "also about portfolios" in send(storm, f"/alerts/{loss}/actions", {"action": "resolve"}, 403, OF_BETA)["detail"]
    )
    busy = next(row["incident"] for row in get(storm, "/alerts")["items"] if row["rule"] == "busy")
    send(storm, f"/alerts/{busy}/actions", {"action": "resolve"}, 404, OF_BETA)
    seen = get(storm, "/alerts/history", LIMITED)["items"]
    assert "alpha" not in str(seen) and {row["what"] for row in seen} >= {"fires"}
    assert "alpha" in str(get(storm, "/alerts/history")["items"])
    silence = {"matchers": 'portfolio="alpha"', "ends": hence(storm, 600), "why": "known"}
    send(storm, "/silences", silence, 403, OF_BETA)
    id = send(storm, "/silences", silence, 201)["id"]
    assert get(storm, "/silences", LIMITED)["items"] == []
    get(storm, f"/silences/{id}", LIMITED, 404)
    storm.finds({"daily_return": [STORM["daily_return"][0], Value(labels(portfolio="beta", origin="own"), 0.01)]})
    get(storm, f"/alerts/{loss}", LIMITED, 404)
    send(storm, f"/alerts/{loss}/actions", {"action": "resolve"}, 404, OF_BETA)


def test_history_is_told_in_parts_and_filtered(storm: Alerting) -> None:
    storm.finds(CALM)
    whole = get(storm, "/alerts/history")["items"]
    assert {row["what"] for row in whole} >= {"fires", "resolved"}
    assert whole == sorted(whole, key=lambda row: -row["id"])
    parts, query = [], "/alerts/history?limit=2"
    while True:
        answer = get(storm, query)
        parts += answer["items"]
        if answer["next"] is None:
            break
        query = f"/alerts/history?limit=2&cursor={answer['next']}"
    assert parts == whole
    fired = get(storm, "/alerts/history?rule=busy&what=fires")["items"]
    assert {row["labels"]["host"] for row in fired} == {"a", "b"}
    assert get(storm, f"/alerts/history?until={fired[-1]['at']}&what=fires")["items"] == []


def test_a_silence_hides_is_told_and_ends(storm: Alerting) -> None:
    body = {"matchers": 'host="a", rule="busy"', "ends": hence(storm, 600), "why": "new disks"}
    made = send(storm, "/silences", body, 201)
    assert (made["state"], made["who"], made["hides"]) == ("active", "otto", 1)
    storm.step()
    (row,) = get(storm, "/alerts?muted=true")["items"]
    assert (row["labels"]["host"], row["muted_by"]) == ("a", f"silence {made['id']}")
    assert get(storm, "/silences")["items"] == [get(storm, f"/silences/{made['id']}")]
    ended = send(storm, f"/silences/{made['id']}", None, 200, method="DELETE")
    assert (ended["state"], ended["ended_by"]) == ("expired", "otto")
    assert get(storm, "/silences")["items"] == []
    assert [each["id"] for each in get(storm, "/silences?state=expired")["items"]] == [made["id"]]
    again = send(storm, f"/silences/{made['id']}", None, 422, method="DELETE")
    assert again["field"] == "id"
    muted = send(storm, "/silences", {"everything": True, "ends": hence(storm, 600), "why": "drill"}, 201)
    assert (muted["matchers"], muted["hides"]) == ("", 6)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"matchers": ""}, "matchers"),
        ({"matchers": "host~a"}, "matchers"),
        ({"matchers": 'host!="a"'}, "matchers"),
        ({"everything": True}, "matchers"),
        ({"matchers": "", "everything": True, "ends": "2999-01-01T00:00:00Z"}, "ends"),
        ({"ends": "2999-01-01T00:00:00Z"}, "ends"),
        ({"ends": "2020-01-01T00:00:00Z"}, "ends"),
        ({"why": " "}, "why"),
        ({"who": "ana"}, "who"),
    ],
)
def test_a_silence_that_cannot_be_names_the_field(storm: Alerting, changes: dict[str, Any], field: str) -> None:
    body = {"matchers": 'host="a"', "ends": hence(storm, 600), "why": "x"}
    assert send(storm, "/silences", body | changes, 422)["field"] == field
    assert get(storm, "/silences")["items"] == []


def test_a_maintenance_window_opens_again_and_is_ended(storm: Alerting) -> None:
    body = {
        "name": "night", "matchers": 'team="core"', "ends": hence(storm, 30 * 86_400), "why": "backups",
        "cron": "0 3 * * *", "zone": "Europe/London", "lasts_seconds": 3_600,
    }  # fmt: skip
    made = send(storm, "/maintenance", body, 201)
    opens = datetime.fromisoformat(made["next_begins"])
    assert (datetime.fromisoformat(made["next_ends"]) - opens).total_seconds() == 3_600
    assert get(storm, "/maintenance")["items"] == [get(storm, f"/maintenance/{made['id']}")]
    for changes, field in (
        ({"zone": "Mars"}, "zone"),
        ({"cron": "x"}, "cron"),
        ({"lasts_seconds": 0}, "lasts_seconds"),
    ):
        assert send(storm, "/maintenance", body | changes, 422)["field"] == field
    again = {name: value for name, value in body.items() if name != "ends"}
    forever = send(storm, "/maintenance", again, 201)
    lasts = datetime.fromisoformat(forever["ends"]) - datetime.fromisoformat(forever["begins"])
    assert lasts.days == 365, "as the page has it"
    once = {name: value for name, value in again.items() if name not in ("cron", "zone", "lasts_seconds")}
    assert send(storm, "/maintenance", once, 422)["field"] == "ends"
    send(storm, f"/maintenance/{forever['id']}", None, 200, method="DELETE")
    ended = send(storm, f"/maintenance/{made['id']}", None, 200, method="DELETE")
    assert (ended["state"], ended["open_until"], ended["next_begins"]) == ("expired", None, None)
    assert get(storm, "/maintenance")["items"] == []


def test_rules_say_where_they_stand_and_how_they_are(storm: Alerting) -> None:
    folder = storm.stores.settings.rules_dir
    folder.mkdir(parents=True, exist_ok=True)
    text = """rules:
  - {name: busy, when: 'system_cpu_busy_ratio > 80 %', severity: warning, for: 5 min}
  - {name: of-alpha, when: 'max_drawdown{portfolio="alpha"}[1y] < -15 %'}
"""
    (folder / "desk.yaml").write_text(text)
    rules = {row["name"]: row for row in get(storm, "/rules")["items"]}
    busy = rules["busy"]
    assert (busy["state"], busy["firing"], busy["file"], busy["line"]) == ("firing", 2, "desk.yaml", 2)
    assert (busy["levels"], busy["for_seconds"]) == ({"warning": "system_cpu_busy_ratio > 80 %"}, 300)
    told_at = datetime.fromisoformat(busy["evaluated_at"]).timestamp()
    assert abs(storm.stores.clock.now() - told_at) < 60 and rules["value-overdue"]["evaluated_at"] is None
    assert rules["value-overdue"]["file"] == "shipped" and rules["value-overdue"]["state"] == "unknown"
    assert "of-alpha" in rules
    assert "of-alpha" not in {row["name"] for row in get(storm, "/rules", LIMITED)["items"]}
    (folder / "desk.yaml").write_text("rules: [{name: bad, when: 'cpuu > 1'}]")
    told = get(storm, "/rules")["told"]
    assert told[0].startswith("A rule is wrong") and told[1].startswith("desk.yaml:1: bad")


def test_a_rule_fires_whose_alerts_are_too_many_or_too_slight_to_be_told(alerting: Alerting) -> None:
    losses = Rule.model_validate({"name": "value-overdue", "when": "daily_return < -5 %", "severity": "info"})
    busy = Rule.model_validate({"name": "busy", "when": "cpu > 80 %", "severity": "critical", "every": "1 s"})
    alerting.rules = (losses, busy)
    loss = [Value(labels(portfolio="beta"), -0.06)]
    alerting.finds({"cpu": [Value(labels(host=f"h{n}"), 0.9) for n in range(MOST_TOLD + 1)], "daily_return": loss})

    def stands(viewer: Viewer) -> tuple[str, int | None]:
        rules = {row["name"]: row for row in get(alerting, "/rules", viewer)["items"]}
        return rules["value-overdue"]["state"], rules["value-overdue"]["firing"]

    assert stands(OPERATOR) == ("firing", 1)
    assert stands(LIMITED) == ("unknown", None), "whose alerts those are that are not told is not known"
    alerting.finds({"cpu": [Value(labels(host=f"h{n}"), 0.1) for n in range(MOST_TOLD + 1)], "daily_return": loss})
    assert stands(LIMITED) == ("firing", 1)


def test_channels_are_told_without_secrets_and_asked_for_a_test(storm: Alerting) -> None:
    answer = client_of(storm.stores, OPERATOR).get(f"{V1}/channels")
    assert "hush" not in answer.text and "secret-path" not in answer.text
    rows = {row["name"]: row for row in answer.json["items"]}
    assert {name: row["kind"] for name, row in rows.items()} == {"oms": "webhook", "log": "log"}
    assert (rows["oms"]["waiting"] > 0, rows["oms"]["last_sent_at"], rows["oms"]["last_test"]) == (True, None, None)
    asked = send(storm, "/channels/oms/test", None, 202)
    assert (asked["status"], asked["told"]) == ("queued", "")
    assert get(storm, "/channels/oms")["last_test"] == asked
    assert send(storm, "/channels/omss/test", None, 404)["fix"] == "Did you mean oms?"
    entry = read_entries(storm.stores.state)[0]
    assert (entry.who, entry.what, entry.target) == ("otto", "alert channel tested", "oms")


def test_notices_are_told_page_by_page_and_what_was_seen_is_seen_on_pages_too(storm: Alerting) -> None:
    first = get(storm, "/notices?limit=2")
    assert first["items"][0]["up_to"] and not first["items"][1]["up_to"] and first["next"]
    found, following = first["items"], first["next"]
    while following:
        page = get(storm, f"/notices?limit=2&cursor={following}")
        found, following = found + page["items"], page["next"]
    whole = get(storm, "/notices?limit=50")
    assert found == whole["items"] and len({each["id"] for each in found}) == len(found) == 6
    assert {(each["kind"], each["level"]) for each in found} == {
        ("fires", "urgent"), ("fires", "critical"), ("fires", "warning"),
    }  # fmt: skip
    assert not any(each["seen"] for each in found)
    losses = [each for each in found if each["portfolio"]]
    assert {each["portfolio"] for each in losses} == {"own:alpha", "own:beta"}
    assert [each["portfolio"] for each in get(storm, "/notices", OF_BETA)["items"]] == ["own:beta"]
    place = found[0]["up_to"]
    assert send(storm, "/notices/seen", {"up_to": place}, 200) == {"up_to": place}
    assert all(each["seen"] for each in get(storm, "/notices")["items"])
    assert not any(each["seen"] for each in get(storm, "/notices", READS)["items"])
    assert send(storm, "/notices/seen", {"up_to": "x.1.2.3.4"}, 422)["field"] == "up_to"
    assert get(storm, f"/notices?limit=2&cursor={get(storm, '/alerts/history?limit=1')['next']}", status=422)
