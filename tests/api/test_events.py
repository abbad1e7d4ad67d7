"""Events by the API: a pipeline writes one, others see what they may, and only who wrote it changes it."""

from __future__ import annotations

from datetime import UTC, datetime

from access.viewer import Viewer
from core.roles import Role
from storage.state.audit import read_entries
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.api import ADMIN, LIMITED, READER, client_of

ADDRESS = "/api/v1/events"
CI = Viewer("service:ci", Role.OPERATOR, scopes=frozenset({"ingest:samples", "read"}))
NAV = Viewer("service:nav", Role.OPERATOR, scopes=frozenset({"ingest:nav", "read"}))


def test_a_program_writes_changes_and_deletes_its_own(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    client = client_of(stores, CI)
    now = datetime.fromtimestamp(stores.clock.now(), UTC)
    sent = {"text": "Gateway 4.2", "at": now.isoformat(), "tags": ["deploy"], "component": "system"}
    made = client.post(ADDRESS, json=sent)
    assert made.status_code == 201, made.text
    event = made.json
    assert (event["kind"], event["who"], event["until"], event["tags"]) == ("event", "service:ci", None, ["deploy"])
    assert client.post(ADDRESS, json=sent).json["id"] == event["id"], "sent twice, kept once"
    of = f"{ADDRESS}/{event['id']}"
    assert client.get(of).json == event
    changed = client.patch(of, json={"text": "Gateway 4.3", "portfolio": "own:alpha", "component": ""}).json
    assert (changed["text"], changed["portfolio"], changed["tags"]) == ("Gateway 4.3", "own:alpha", ["deploy"])
    assert client_of(stores, LIMITED).get(of).status_code == 404, "it is about a portfolio that may not be seen"
    assert client_of(stores, Viewer("otto", Role.OPERATOR)).delete(of).status_code == 403
    assert client_of(stores, ADMIN).delete(of).status_code == 200
    assert client.get(of).status_code == client.delete(of).status_code == 404
    assert [each.what for each in read_entries(stores.state)] == ["event deleted", "event changed", "event written"]


def test_what_is_wrong_is_named_and_nothing_is_written(stores: Stores) -> None:
    client = client_of(stores, CI)
    for field, sent in {
        "text": {},
        "at": {"text": "x", "at": "2020-01-31T09:30:00"},
        "until": {"text": "x", "at": "2020-01-31T09:30:00Z", "until": "2020-01-31T09:30:00Z"},
        "portfolio": {"text": "x", "portfolio": "own:none"},
        "component": {"text": "x", "component": "redis:none"},
        "what": {"text": "x", "what": "deploy"},
    }.items():
        answer = client.post(ADDRESS, json=sent)
        assert (answer.status_code, answer.json["field"]) == (422, field), answer.text
        assert answer.json["fix"]
    assert client.post(ADDRESS, json={"title": "x"}).json["fix"] == "Did you mean text?"
    assert client_of(stores, READER).post(ADDRESS, json={"text": "x"}).status_code == 403
    assert client_of(stores, NAV).post(ADDRESS, json={"text": "x"}).json["field"] == "Authorization"
    assert client_of(stores, LIMITED).post(ADDRESS, json={"text": "x"}).status_code == 403
    assert client.get(ADDRESS).json["items"] == []
    assert client.get(f"{ADDRESS}?portfolio=own:none").json["field"] == "portfolio"
    assert client.get(f"{ADDRESS}?since=2020-01-31T09:30:00").json["field"] == "since"


def test_the_list_is_filtered_in_parts_and_a_file(stores: Stores) -> None:
    client = client_of(stores, CI)
    days = [datetime.fromtimestamp(stores.clock.now() // 60 * 60 + n * 86_400, UTC) for n in range(-5, 0)]
    times = [f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in days]
    for number, at in enumerate(times):
        client.post(ADDRESS, json={"text": f"Deploy {number}", "at": at, "tags": ["odd" if number % 2 else "even"]})
    first = client.get(f"{ADDRESS}?limit=3").json
    rest = client.get(f"{ADDRESS}?limit=3&cursor={first['next']}").json
    assert [each["text"] for each in first["items"] + rest["items"]] == [f"Deploy {n}" for n in (4, 3, 2, 1, 0)]
    found = client.get(f"{ADDRESS}?tag=odd&since={times[2]}&until={times[4]}").json["items"]
    assert [each["text"] for each in found] == ["Deploy 3"]
    lines = client.get(ADDRESS, headers={"Accept": "text/csv"}).text.splitlines()
    assert len(lines) == 6 and lines[0].startswith("id,kind,at,until,text")
