"""What a page mounts follows from the settings: only what is watched, and Fundwatch's own store folded away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.clock import FakeClock
from core.kinds.registry import Watch
from core.settings.collectors import Sources
from dashboard.tabs import PAGES, cache, database, pipeline, services
from dashboard.views.registry import registry
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices, Page, fitted
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import OPERATOR, built, laid_out

NOTHING: dict[str, list[dict[str, Any]]] = {}
KAFKA = {"kafka": [{"name": "main", "bootstrap": "127.0.0.1:1"}]}
SOME = {
    **KAFKA,
    "redis": [{"name": "main", "url": "redis://127.0.0.1:1"}],
    "tcp": [{"name": "fix", "host": "127.0.0.1", "port": 1}],
}


def watching(stores: Stores, watched: dict[str, list[dict[str, Any]]], *, own: bool = True) -> Stores:
    chosen = {"watch": Watch.model_validate(watched), "sources": Sources(own=own)}
    settings = stores.settings.model_copy(update=chosen)
    return replace(stores, settings=settings, clock=FakeClock(stores.clock.now()))


def fit(page: Page, stores: Stores) -> Page:
    return fitted((page,), stores.settings)[0]


def panels_of(page: Page, stores: Stores) -> list[str]:
    """Return the ids of the panels that the page mounts."""
    return [
        each["id"]
        for each in _elements(plain(page.layout(stores, Choices(), OPERATOR)))
        if "fw-panel" in _classes(each)
    ]


def test_only_sections_of_watched_kinds_are_mounted_and_sent(stores: Stores) -> None:
    stores = watching(stores, KAFKA)
    page = fit(pipeline.TAB, stores)
    of_kinds = {graph.split("-")[2] for graph in page.graphs if graph.startswith("pipeline-sources-")}
    assert of_kinds == {"kafka"}
    assert len(page.graphs) < len(pipeline.TAB.graphs) / 2
    told = laid_out(pipeline.TAB, stores)
    assert "Not configured: IQFeed, Interactive Brokers" in told
    assert "bootstrap" not in told, "what is watched needs no how-to"


@pytest.mark.parametrize("watched", [NOTHING, KAFKA, SOME], ids=["nothing", "kafka", "several"])
@pytest.mark.parametrize("own", [True, False])
def test_every_page_mounts_what_it_declares_and_builds_nothing_else(
    stores: Stores, watched: dict[str, list[dict[str, Any]]], own: bool
) -> None:
    stores = watching(stores, watched, own=own)
    pages = fitted(PAGES, stores.settings)
    registry(pages)
    for page in pages:
        assert sorted(panels_of(page, stores)) == sorted(panel.id for panel in page.panels)
        if page.build:
            built(page, stores)  # raises for a graph or a slot that the page does not declare


def test_the_layout_follows_the_settings_of_the_next_start(stores: Stores) -> None:
    for watched, expected in ((NOTHING, False), (KAFKA, True), (NOTHING, False)):
        client = create_app(watching(stores, watched)).server.test_client()
        opening = {
            "output": "page.children",
            "outputs": {"id": "page", "property": "children"},
            "inputs": [{"id": "route", "property": "data", "value": {"path": "/pipeline", "search": ""}}],
            "changedPropIds": ["route.data"],
        }
        page = client.post("/_dash-update-component", json=opening).text
        assert ("pipeline-sources-kafka" in page) is expected


@pytest.mark.parametrize("page", [database.TAB, cache.TAB], ids=["database", "cache"])
def test_our_own_store_is_one_folded_group_beside_the_lines_that_watch_a_real_one(stores: Stores, page: Page) -> None:
    stores = watching(stores, NOTHING)
    shown = fit(page, stores)
    layout = _elements(plain(shown.layout(stores, Choices(), OPERATOR)))
    (group,) = [each for each in layout if _classes(each) == ["fw-own"]]
    assert not group.get("open")
    assert "Fundwatch’s own" in laid_out(page, stores)
    assert f"watch:\n  {'redis' if page is cache.TAB else 'clickhouse'}:" in laid_out(page, stores)
    assert set(shown.lazy_graphs) == set(shown.graphs), "what is folded away is not sent"


def test_a_tab_of_which_nothing_is_watched_begins_with_how_to(stores: Stores) -> None:
    stores = watching(stores, NOTHING, own=False)
    told = laid_out(services.TAB, stores)
    assert told.index("Not configured") < told.index("Changes of state")
    assert not fit(services.TAB, stores).graphs


def _classes(props: dict[str, Any]) -> list[str]:
    return str(props.get("className", "")).split()


def _elements(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [found for each in part for found in _elements(each)]
    if not isinstance(part, dict):
        return []
    return [part["props"], *_elements(part["props"].get("children"))] if "props" in part else []
