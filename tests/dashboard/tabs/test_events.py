"""The page Events: what it lists for whom, its filters, its file, and what its forms do."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import CHANGING_ROLE, Viewer
from core.roles import Role
from dashboard.components.markup import markup
from dashboard.tabs import events, portfolio, system, tokens
from dashboard.views.tab import Choices
from portfolio.events import list_events, write_event
from storage.state.audit import read_entries
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import text

ANA, VERA, ROOT = Viewer("ana", Role.OPERATOR), Viewer("vera", Role.VIEWER), Viewer("root", Role.ADMIN)
LEE = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))


@pytest.fixture
def stores(stores: Stores) -> Stores:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    write_event(stores, {"text": "Gateway 4.2", "tags": ["deploy"], "component": "system"}, "ci", None)
    note = {"text": "=Cut exposure", "kind": "note", "tags": ["risk"], "portfolio": "own:alpha"}
    write_event(stores, note, "ana", None)
    return stores


def client_of(stores: Stores, viewer: Viewer) -> FlaskClient:
    client: FlaskClient = create_app(
        stores, (portfolio.TAB, system.TAB, tokens.TAB, events.PAGE), lambda _: viewer
    ).server.test_client()
    return client


def rows(stores: Stores, viewer: Viewer = ANA, **choices: str) -> str:
    return markup(events.build(stores, Choices.of(choices), viewer).slots["events-all-table"])


def test_it_lists_what_may_be_seen_and_filters_leave_of_it(stores: Stores) -> None:
    assert "Gateway 4.2" in rows(stores) and "Cut exposure" in rows(stores)
    assert "Cut exposure" not in rows(stores, LEE)
    for choices in ({"tag": "risk"}, {"about": "portfolio:own:alpha"}, {"text": "exposure"}):
        assert "Cut exposure" in rows(stores, **choices) and "Gateway" not in rows(stores, **choices)
    assert "Gateway" in rows(stores, about="component:system")
    assert "Nothing is written down" in rows(stores, about="-")
    assert "Nothing is written down" in rows(stores, until="1971-01-01")
    wrong = events.build(stores, Choices.of({"since": "soon"}), ANA).slots["events-wrong"]
    assert wrong == "No day in “from”: give one as 2026-01-31."
    assert "Alpha" not in text(events.build(stores, Choices(), LEE).slots["events-picks"])


def test_what_one_may_not_do_is_not_offered(stores: Stores) -> None:
    assert "events/delete" not in rows(stores, VERA)
    assert rows(stores).count('id="events-delete-') == 1, "the own note, and not the event of a program"
    assert rows(stores, ROOT).count('id="events-delete-') == 2
    assert "Operators and those above write notes" in text(
        events.build(stores, Choices(), VERA).slots["events-form-table"]
    )
    number = str(list_events(stores, None)[0].id)
    assert "/events/change" in markup(
        events.build(stores, Choices.of({"edit": number}), ANA).slots["events-form-table"]
    )
    form = markup(
        events.build(stores, Choices.of({"edit": number}), Viewer("otto", Role.OPERATOR)).slots["events-form-table"]
    )
    assert "/events/write" in form and "/events/change" not in form


def test_the_file_has_all_that_is_filtered_and_no_formula(stores: Stores) -> None:
    answer = client_of(stores, ANA).get("/events.csv?tag=risk")
    found = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert (
        len(found) == 2
        and found[1][1] == "note"
        and found[1][4:9] == ["'=Cut exposure", "risk", "own:alpha", "", "ana"]
    )
    assert client_of(stores, VERA).get("/events.csv").status_code == 403
    assert "exposure" not in client_of(stores, LEE).get("/events.csv").get_data(as_text=True)


def post(client: FlaskClient, what: str, **fields: str) -> dict[str, Any]:
    found: dict[str, Any] = client.post(f"/events/{what}", json=fields).json
    return found


def test_a_note_is_written_changed_and_deleted(stores: Stores) -> None:
    client = client_of(stores, ANA)
    sent = {
        "text": "New limit",
        "at": "2020-01-31T09:30:00.000Z",
        "until": "",
        "about": "portfolio:own:beta",
        "tags": "risk, Limit",
    }
    assert post(client, "write", **sent)["done"] is True
    note = next(each for each in list_events(stores, None) if each.text == "New limit")
    assert (note.kind, note.who, note.portfolio, note.tags) == ("note", "ana", "own:beta", ("risk", "limit"))
    told = post(client, "change", id=str(note.id), **{**sent, "until": "2020-01-30T00:00:00Z"})
    assert told["done"] is False and list(told["fields"]) == ["until"]
    assert post(client, "change", id=str(note.id), **{**sent, "text": "Newer limit", "about": ""})["done"] is True
    changed = next(each for each in list_events(stores, None) if each.id == note.id)
    assert (changed.text, changed.portfolio) == ("Newer limit", "")
    for refused in ({**sent, "text": ""}, {**sent, "at": "soon"}, {**sent, "about": "portfolio:own:no"}):
        told = post(client, "write", **refused)
        assert told["done"] is False and set(told["fields"]) < {"text", "at", "about"}, refused
    assert post(client_of(stores, LEE), "write", **{**sent, "about": "portfolio:own:alpha"})["done"] is False
    assert post(client_of(stores, LEE), "write", **sent)["done"] is True
    theirs = next(each for each in list_events(stores, None) if each.who == "lee")
    assert post(client, "delete", id=str(theirs.id))["done"] is False
    assert post(client, "delete", id=str(note.id))["done"] is True
    assert [each.what for each in read_entries(stores.state)][:2] == ["note deleted", "note written"]


def test_the_form_over_a_page_is_about_what_the_page_shows(stores: Stores) -> None:
    assert CHANGING_ROLE is Role.OPERATOR
    client = client_of(stores, ANA)
    shown = client.get("/events/form?on=portfolio&portfolio=own:beta").get_data(as_text=True)
    assert '<option value="portfolio:own:beta" selected>' in shown
    assert '<option value="" selected>' in client.get("/events/form?on=system").get_data(as_text=True)
    limited = client_of(stores, LEE).get("/events/form?on=system").get_data(as_text=True)
    assert "Alpha" not in limited and "everything" not in limited and "Beta" in limited
    assert client_of(stores, VERA).get("/events/form?on=system").status_code == 403
