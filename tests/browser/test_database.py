"""A journey through the database tab in a real browser: a slow query of our own engine, killed from the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.kinds.registry import Watch
from dashboard.tabs import database
from storage.stores import Stores
from tests.support.clickhouse_troubles import endless_query, many_parts
from tests.support.clicks import click_as_it_stands
from tests.support.watched_page import NONE_OF_OURS, watched_page

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


@pytest.fixture
def url(stores: Stores, clickhouse_url: str, serve: Callable[..., Any]) -> Iterator[str]:
    gone = {"clickhouse": [{"name": "spare", "url": "http://127.0.0.1:1", "interval_seconds": 1}]}
    many_parts(stores.clickhouse, 310)
    with watched_page(
        stores,
        serve,
        database.TAB,
        clickhouse_url=clickhouse_url,
        clickhouse_database=stores.clickhouse.database,
        watch=Watch.model_validate(gone),
        sources=NONE_OF_OURS.model_copy(update={"own": True}),
        intervals=stores.settings.intervals.model_copy(update={"own_seconds": 1}),
    ) as address:
        yield address


def test_a_slow_query_is_killed_when_a_person_says_so(url: str, stores: Stores, open_page: Callable[..., Page]) -> None:
    page = open_page()
    with endless_query(stores.clickhouse.url, stores.clickhouse.database) as said:
        page.goto(url)
        expect(page.locator("#database-verdict")).to_contain_text("ClickHouse spare", timeout=PATIENCE_MS)
        expect(page.locator("#database-verdict")).to_contain_text("nothing listens at 127.0.0.1:1")
        expect(page.locator("#database-verdict")).to_contain_text("310 parts in a partition", timeout=PATIENCE_MS)
        page.locator("label", has_text="Instance").locator("select").select_option("clickhouse:own")
        expect(page.locator("#database-cards")).to_contain_text("Parts in a partition")
        expect(page.locator(".fw-section", has_text="PostgreSQL")).to_be_hidden()
        row = page.locator("#database-clickhouse-running-rows tbody tr", has_text="numbers(?)")
        click_as_it_stands(row.get_by_role("button", name="Kill"))
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("KILL QUERY")
        dialog.get_by_role("button", name="Kill").click()
        expect(page.locator("#database-actions-table")).to_contain_text("ended within", timeout=PATIENCE_MS)
    assert "cancelled" in said[0]
    tables = page.locator("#database-clickhouse-tables")
    tables.scroll_into_view_if_needed()
    expect(tables).to_contain_text("splintered", timeout=PATIENCE_MS)


def test_a_narrow_screen_never_scrolls_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(390, 844)
    page.goto(url)
    expect(page.locator("#database-cards article").first).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
