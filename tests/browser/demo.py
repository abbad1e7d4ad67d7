"""The demo tab in a browser: how a test opens it, gives it new data and asks what its charts show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, expect

from dashboard.tabs import cache
from tests.support.frame import DEMO, PLAIN, FakeStores

if TYPE_CHECKING:
    from tests.browser.conftest import Site

CHART = "#demo-cpu-graph .scatterlayer .trace"
TABS = (DEMO, cache.TAB, PLAIN)


def open_demo(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}/demo{query}")
    page.wait_for_selector(CHART)


def refresh(page: Page, demo: FakeStores) -> None:
    """Give the page new data and wait until it shows it."""
    demo.value = 20 + (demo.value + 13) % 60
    demo.live.bump("demo")
    page.locator("#refresh-now").click()
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text(f"{demo.value:.0f} %")


def plot_layout(page: Page, graph: str, path: str) -> Any:
    return page.evaluate(f"document.querySelector('#{graph} .js-plotly-plot').layout.{path}")


def revision(page: Page) -> str:
    return str(plot_layout(page, "demo-cpu-graph", "uirevision"))


def drag_across(page: Page, graph: str) -> None:
    """Zoom into the middle half of a chart's time axis."""
    area = page.locator(f"#{graph} .nsewdrag").first
    area.hover()
    box = area.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, y, steps=4)
    page.mouse.up()
