"""Pages that are no tab: a sub-page of one, and one that stands outside the navigation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from dash import html
from flask.testing import FlaskClient

from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.registry import registry
from dashboard.views.tab import Choices, Page, View, family
from tests.support.application import create_app
from tests.support.frame import DEMO, PLAIN, FakeStores
from tests.support.views import OPERATOR

DISKS = Panel("demo-parts-disks", "Disks", "Space of each disk.", TableBody(100), span=6)
LOAD = Panel("demo-parts-load", "Load", "Tasks that run or wait.", GraphBody(200))


def parts(stores: FakeStores, choices: Choices, _viewer: object) -> View:
    stores.builds.append(dict(choices))
    return View(slots={DISKS.slot: html.P("two disks")}, figures={LOAD.graph: {"data": [{"y": [7.0]}], "layout": {}}})


PARTS = Page(
    id="demo-parts", title="Parts", path="/demo/parts", parent="demo", datasets=("demo",),
    layout=lambda *_: html.Div([DISKS.element(), LOAD.element()]), build=parts,  # type: ignore[arg-type]
    panels=(DISKS, LOAD), slots=(DISKS.slot,), graphs=(LOAD.graph,),
)  # fmt: skip
IMPORT = Page(id="import", title="Import", path="/import", layout=lambda *_: html.P("drop a file"))
PAGES = (DEMO, PARTS, PLAIN, IMPORT)


@pytest.fixture
def stores() -> FakeStores:
    return FakeStores()


@pytest.fixture
def client(stores: FakeStores) -> FlaskClient:
    client: FlaskClient = create_app(stores, PAGES).server.test_client()  # type: ignore[arg-type]
    return client


def opened(client: FlaskClient, path: str) -> str:
    request = {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": [{"id": "route", "property": "data", "value": {"path": path, "search": "?window=6h"}}],
        "changedPropIds": ["route.data"],
    }
    return client.post("/_dash-update-component", json=request).get_data(as_text=True).replace("\\u002f", "/")


@pytest.mark.parametrize(("path", "shows"), [("/demo/parts", "demo-parts-disks"), ("/import", "drop a file")])
def test_a_page_beside_the_tabs_has_an_address_and_opens(client: FlaskClient, path: str, shows: str) -> None:
    assert client.get(path).status_code == 200
    assert shows in opened(client, path)


@pytest.mark.parametrize("path", ["/demo/other", "/demo/parts/", "/demo/parts/x", "/imports", "/import/x"])
def test_unknown_paths_beside_them_are_missing(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert "There is no page at this address." in opened(client, path)


def test_a_tab_with_sub_pages_links_them_and_the_open_one_is_no_link(client: FlaskClient) -> None:
    for path, current, other in (("/demo", "Demo", "/demo/parts"), ("/demo/parts", "Parts", "/demo")):
        page = opened(client, path)
        assert '"aria-label":"Pages of Demo"' in page
        assert f'"children":"{current}","className":"fw-sub-link","aria-current":"page"' in page
        assert f'"href":"{other}"' in page
    for path in ("/alerts", "/import"):
        assert "fw-sub-nav" not in opened(client, path)
    assert [page.id for page in family(PAGES, PARTS)] == ["demo", "demo-parts"]
    assert family(PAGES, IMPORT) == []


def test_only_tabs_are_in_the_navigation_which_knows_whose_every_page_is(client: FlaskClient) -> None:
    shell = client.get("/_dash-layout").get_json()
    nav = next(each for each in _all(shell) if "data-pages" in each)
    assert nav["data-keys"] == "9=/demo 8=/alerts"
    assert [each["href"] for each in _all(nav) if "href" in each] == ["/demo", "/alerts"]
    assert json.loads(nav["data-pages"]) == {
        "/demo": {"title": "Demo", "tab": "/demo"},
        "/demo/parts": {"title": "Parts", "tab": "/demo"},
        "/alerts": {"title": "Alerts", "tab": "/alerts"},
        "/import": {"title": "Import", "tab": "/import"},
    }


def test_a_sub_page_refreshes(client: FlaskClient, stores: FakeStores) -> None:
    outputs = [("demo-parts-payload", "data"), ("demo-parts-problem", "children")]
    request = {
        "output": f"..{'...'.join(f'{id}.{prop}' for id, prop in outputs)}..",
        "outputs": [{"id": id, "property": prop} for id, prop in outputs],
        "inputs": [
            {"id": "tick", "property": "n_intervals", "value": 3},
            {"id": "demo-parts-choices", "property": "data", "value": {"window": "6h"}},
        ],
        "changedPropIds": ["tick.n_intervals"],
        "state": [
            {"id": "demo-parts-version", "property": "data", "value": None},
            {"id": "demo-parts-problem", "property": "children", "value": ""},
        ],
    }
    answer = client.post("/_dash-update-component", json=request).get_json()["response"]
    payload = answer["demo-parts-payload"]["data"]
    assert payload["slots"] == {DISKS.slot: "<p>two disks</p>"}
    assert payload["figures"][LOAD.graph]["data"] == [{"y": [7.0]}]
    assert stores.builds == [{"window": "6h"}]


def test_a_panel_is_found_by_its_id_and_built_alone(stores: FakeStores) -> None:
    found = registry(PAGES)
    assert set(found) == {DISKS.id, LOAD.id}
    figure = found[LOAD.id].build(stores, Choices(), OPERATOR)  # type: ignore[arg-type]
    assert figure["data"] == [{"y": [7.0]}]
    assert found[DISKS.id].build(stores, Choices(), OPERATOR).children == "two disks"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parent": "nowhere"}, "page demo-parts belongs to nowhere, which is no tab"),
        ({"parent": "import"}, "page demo-parts belongs to import, which is no tab"),
        ({"path": "/demo"}, "two pages share the same path"),
        ({"id": "demo"}, "two pages share the same id"),
        ({"panels": (DISKS, LOAD, DISKS)}, "two panels are called demo-parts-disks"),
        ({"slots": ()}, "page demo-parts builds nothing for its panel demo-parts-disks"),
    ],
)
def test_pages_that_do_not_fit_together_are_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        create_app(FakeStores(), (DEMO, replace(PARTS, **change), PLAIN, IMPORT))  # type: ignore[arg-type]


def _all(part: Any) -> list[dict[str, Any]]:
    """Return the properties of a component and of all within it."""
    if isinstance(part, list):
        return [found for each in part for found in _all(each)]
    if not isinstance(part, dict):
        return []
    props = part.get("props", part)
    return [props, *_all(props.get("children"))]
