"""The page Metrics in a real browser: series are found while one types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.factory import create_app
from dashboard.tabs import metrics, services
from storage.stores import Stores
from tests.dashboard.tabs.test_metrics import Exporter

pytestmark = pytest.mark.browser


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    exporter = Exporter(stores)
    try:
        exporter.scrape()
        app = create_app(exporter.stores, pages=(services.TAB, metrics.PAGE))
        yield str(serve(app.server).url) + metrics.PAGE.path
    finally:
        exporter.close()


def test_series_are_found_when_typing_pauses_as_one_step_of_the_history(url: str, page: Page) -> None:
    page.goto(url)
    rows = page.locator("#metrics-rows tbody tr")
    expect(rows.first).to_be_visible()
    steps = page.evaluate("history.length")
    find = page.get_by_role("searchbox", name="Find")
    find.press_sequentially("clock")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{url}?find=clock")
    find.press_sequentially(" nothing")
    expect(page.locator("#metrics-series")).to_contain_text("matches")
    assert page.evaluate("history.length") == steps + 1
