"""Every panel of the product is data: what stands in a layout is in the registry, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.tabs import PAGES
from dashboard.views.registry import registry
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices, Page
from storage.stores import Stores
from tests.support.views import OPERATOR


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_every_panel_of_a_layout_is_in_the_registry_and_the_other_way_round(stores: Stores, page: Page) -> None:
    ids = [each["id"] for each in elements(plain(page.layout(stores, Choices(), OPERATOR))) if "id" in each]
    plain_ids = [id for id in ids if isinstance(id, str)]
    assert len(set(plain_ids)) == len(plain_ids)
    shown = [each for each in elements(plain(page.layout(stores, Choices(), OPERATOR))) if is_panel(each)]
    assert sorted(each["id"] for each in shown) == sorted(panel.id for panel in page.panels)
    for panel in page.panels:
        assert panel.id.startswith(f"{page.id}-")
        assert panel.title
        assert len(panel.definition) > 10, f"what does {panel.id} show?"
        assert (panel.graph or panel.slot) in plain_ids


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_no_two_panels_of_a_page_are_read_out_alike(page: Page) -> None:
    names = [f"{panel.of}: {panel.title}" for panel in page.panels]
    assert sorted(set(names)) == sorted(names)


def test_the_registry_holds_the_panels_of_all_pages() -> None:
    assert len(registry(PAGES)) == sum(len(page.panels) for page in PAGES) > 100


def is_panel(props: dict[str, Any]) -> bool:
    return "fw-panel" in str(props.get("className", "")).split()


def elements(part: Any) -> list[dict[str, Any]]:
    """Return the properties of a component and of all within it."""
    if isinstance(part, list):
        return [found for each in part for found in elements(each)]
    if not isinstance(part, dict) or "props" not in part:
        return []
    return [part["props"], *elements(part["props"].get("children"))]
