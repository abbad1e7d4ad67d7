"""What depends on who looks: the view, the pages, the data routes, the actions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from dash import html
from flask import Request
from flask.testing import FlaskClient

from access.viewer import ANYBODY, LOCAL_NAME, Viewer
from core.errors import StorageRejected, StorageUnavailable
from core.memo import Memo
from core.roles import Role
from dashboard.frame.shell import forbidden_page
from dashboard.sources.actions import ask
from dashboard.views.form import Form
from dashboard.views.refresh import Refresh
from dashboard.views.route import TEXT, Answer, Route
from dashboard.views.tab import Choices, Page, View
from storage.state.actions import recent_actions
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores
from tests.support.requests import opening
from tests.support.views import OPERATOR

ANA, BEN = OPERATOR, Viewer("ben", Role.VIEWER)
EVA = replace(ANA, name="eva")


def buttons(stores: FakeStores, _choices: Choices, viewer: Viewer) -> View:
    stores.builds.append({"name": viewer.name, "may_act": str(viewer.may_act)})
    return View(slots={"demo-verdict": "Kill" if viewer.may_act else "Look"})


BUTTONS = replace(DEMO, build=buttons, varies_by=("may_act",))  # type: ignore[arg-type]


def by_header(request: Request) -> Viewer | None:
    known = {viewer.name: viewer for viewer in (ANA, BEN, EVA)}
    return known.get(request.headers.get("X-Who", ""))


def client_of(*pages: Page, stores: Any = None) -> FlaskClient:
    server = create_app(stores or FakeStores(), pages, by_header).server
    client: FlaskClient = server.test_client()
    return client


def said(refresh: Refresh, viewer: Viewer) -> str:
    payload = orjson.loads(orjson.dumps(refresh.answer(Choices(), viewer, None, None)[0]))
    return str(payload["slots"]["demo-verdict"])


def test_viewers_of_other_rights_never_get_each_other_s_view_and_equal_rights_share_one() -> None:
    stores = FakeStores()
    refresh = Refresh(stores, BUTTONS, Memo())  # type: ignore[arg-type]
    shown = {viewer.name: said(refresh, viewer) for viewer in (ANA, BEN, EVA, ANYBODY)}
    assert shown == {"ana": "Kill", "ben": "Look", "eva": "Kill", "": "Look"}
    assert stores.builds == [{"name": "", "may_act": "True"}, {"name": "", "may_act": "False"}]


def test_a_view_that_depends_on_nobody_is_shared_by_all() -> None:
    stores = FakeStores()
    refresh = Refresh(stores, replace(BUTTONS, varies_by=()), Memo())  # type: ignore[arg-type]
    assert {said(refresh, viewer) for viewer in (ANA, BEN, ANYBODY)} == {"Look"}
    assert len(stores.builds) == 1


def test_what_a_page_shows_is_old_when_the_rights_change() -> None:
    refresh = Refresh(FakeStores(), BUTTONS, Memo())  # type: ignore[arg-type]
    seen = [
        orjson.loads(orjson.dumps(refresh.answer(Choices(), viewer, None, None)[0]))["version"] for viewer in (ANA, BEN)
    ]
    assert seen[0] != seen[1]
    assert refresh.answer(Choices(), BEN, seen[0], None)[0]


def test_a_page_that_depends_on_what_a_viewer_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="page demo depends on what a viewer does not have: hat"):
        create_app(FakeStores(), (replace(DEMO, varies_by=("hat",)),))  # type: ignore[arg-type]


def secret(_stores: Any) -> list[Route]:
    return [
        Route(
            "/secret/<name>.txt",
            lambda _choices, viewer, name: Answer(f"{viewer.name} {name}", TEXT, "a.txt"),
            Role.VIEWER,
        )
    ]


USERS = Page(id="users", title="Users", path="/users", role=Role.ADMIN, layout=lambda *_: html.P("everybody"))
KEYS = replace(
    DEMO, id="keys", title="Keys", path="/keys", key="8", role=Role.OPERATOR, routes=secret,
    slots=(), graphs=(), zoom_graphs=(), build=lambda *_: View(),
)  # fmt: skip


def test_a_page_is_for_its_role_wherever_it_is_asked_for() -> None:
    client = client_of(DEMO, KEYS, USERS)
    assert client.get("/keys", headers={"X-Who": "ana"}).status_code == 200
    refused = client.get("/keys", headers={"X-Who": "ben"})
    assert refused.status_code == 403
    assert "Only operators and admins see the page Keys. An admin can give you the role" in refused.text
    assert "Not allowed" in client.post("/_dash-update-component", json=opening("/keys"), headers={"X-Who": "ben"}).text
    assert client.post("/_dash-update-component", json=refreshing(), headers={"X-Who": "ben"}).status_code == 403
    assert client.post("/_dash-update-component", json=refreshing(), headers={"X-Who": "ana"}).status_code == 200
    assert client.get("/users", headers={"X-Who": "ana"}).status_code == 403
    for who, is_told in (("ana", True), ("ben", False)):
        shell = client.get("/_dash-layout", headers={"X-Who": who}).text.replace("\\u002f", "/")
        assert ('"href":"/keys"' in shell) is is_told and '"/users"' not in shell
        assert ('href="/keys"' in client.get("/nowhere", headers={"X-Who": who}).text) is is_told


def test_a_data_route_is_for_the_role_of_its_page() -> None:
    client = client_of(DEMO, KEYS)
    answer = client.get("/secret/plan.txt", headers={"X-Who": "ana"})
    assert (answer.status_code, answer.text, answer.headers["Content-Disposition"]) == (
        200, "ana plan", 'attachment; filename="a.txt"',
    )  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/secret/plan.txt", headers={"X-Who": "ben"}).status_code == 403
    assert client.get("/secret/plan.txt").status_code == 401


def test_a_data_route_says_when_storage_does_not_answer_and_when_there_is_nothing() -> None:
    def routes(_stores: Any) -> list[Route]:
        def away(_choices: Choices, _viewer: Viewer) -> Answer:
            raise StorageUnavailable("gone")

        return [Route("/demo/away", away, Role.VIEWER), Route("/demo/nothing", lambda *_: None, Role.VIEWER)]

    client = client_of(replace(DEMO, routes=routes))
    away = client.get("/demo/away", headers={"X-Who": "ben"})
    assert (away.status_code, away.text) == (503, "Storage does not answer: gone")
    assert client.get("/demo/nothing", headers={"X-Who": "ben"}).status_code == 404


def test_a_statement_that_storage_refuses_is_our_fault_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def refused(*_: Any) -> Answer:
        raise StorageRejected("Unknown column nva")

    rejected = replace(DEMO, routes=lambda _stores: [Route("/demo/refused", refused, Role.VIEWER)],
                       forms=lambda _stores: [Form("/demo/form", refused, Role.VIEWER)])  # fmt: skip
    client = client_of(rejected)
    for _ in range(3):
        answer = client.get("/demo/refused", headers={"X-Who": "ben"})
        assert (answer.status_code, answer.text) == (500, "Fundwatch failed at this; its log says why.\n")
    assert len([each for each in caplog.records if "/demo/refused" in each.getMessage()]) == 1
    assert client.post("/demo/form", json={}, headers={"X-Who": "ben"}).status_code == 500


def test_an_action_needs_an_operator_and_keeps_who_asked(stores: Stores) -> None:
    from core.settings.model import Watch

    watch = Watch.model_validate({"redis": [{"name": "main", "url": "redis://127.0.0.1:1"}]})
    on = replace(stores, settings=stores.settings.model_copy(update={"actions_enabled": True, "watch": watch}))
    request, allowed = {"source": "redis:main", "action": "reset_slowlog", "target": ""}, {"redis": ("reset_slowlog",)}
    assert ask(on, allowed, BEN, request).startswith("Only operators and admins act on watched sources. An admin can")
    assert recent_actions(on.state, ("redis",)) == []
    assert ask(on, allowed, ANA, request).startswith("Asked for")
    assert [each.who for each in recent_actions(on.state, ("redis",))] == ["ana"]


def refreshing() -> dict[str, object]:
    return {
        "output": "..keys-payload.data...keys-problem.children..",
        "outputs": [{"id": "keys-payload", "property": "data"}, {"id": "keys-problem", "property": "children"}],
        "inputs": [
            {"id": "tick", "property": "n_intervals", "value": 3},
            {"id": "keys-choices", "property": "data", "value": {}},
        ],
        "changedPropIds": ["tick.n_intervals"],
        "state": [
            {"id": "keys-version", "property": "data", "value": None},
            {"id": "keys-problem", "property": "children", "value": ""},
        ],
    }


def test_who_has_not_signed_in_is_led_to_the_sign_in_where_a_role_is_needed() -> None:
    told = {name: str(forbidden_page(USERS, Viewer(name))) for name in (LOCAL_NAME, "ben")}
    assert "/sign-in?next=/users" in told[LOCAL_NAME] and "/sign-in" not in told["ben"]
