"""A journey through the cache tab in a real browser: a server in trouble, a client disconnected from the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.kinds.registry import Watch
from dashboard.tabs import cache
from storage.stores import Stores
from tests.support.clicks import click_as_it_stands, press_over_refreshes
from tests.support.redis_servers import RedisServer
from tests.support.watched_page import watched_page

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "server") as started:
        yield started


@pytest.fixture
def url(stores: Stores, server: RedisServer, serve: Callable[..., Any]) -> Iterator[str]:
    instances = [
        {"name": "main", "url": server.url, "interval_seconds": 1},
        {"name": "spare", "url": "redis://127.0.0.1:1", "interval_seconds": 1},
    ]
    with watched_page(stores, serve, cache.TAB, watch=Watch.model_validate({"redis": instances})) as address:
        yield address


def test_trouble_is_read_first_and_a_client_is_disconnected_only_when_a_person_says_so(
    url: str, server: RedisServer, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    with server.client(client_name="runaway") as victim, server.client() as other:
        victim.ping()
        page.goto(url)
        expect(page.locator("#cache-verdict")).to_contain_text("Redis spare")
        expect(page.locator("#cache-verdict")).to_contain_text("nothing listens at 127.0.0.1:1")
        expect(page.locator("#cache-cards article").first).to_contain_text("Redis spare")
        page.locator("label", has_text="Instance").locator("select").select_option("redis:main")
        expect(page.locator("#cache-cards")).not_to_contain_text("Redis spare")
        expect(page).to_have_url(url + "?instance=redis%3Amain")
        row = page.locator("#cache-redis-clients-list-rows tbody tr", has_text="runaway")
        press_over_refreshes(page, row.get_by_role("button", name="Disconnect"))
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("runaway")
        page.wait_for_timeout(2_500)  # the table is drawn anew beneath it
        dialog.get_by_role("button", name="Leave it").click()
        expect(dialog).to_have_count(0)
        page.wait_for_timeout(2_500)
        focused = page.evaluate("document.activeElement.closest('tr')?.textContent || document.activeElement.outerHTML")
        assert "runaway" in focused, "the keyboard stays at this row's button, not at another row's"
        expect(page.locator("#cache-actions-table")).to_contain_text("Nothing was asked for on this tab yet")
        click_as_it_stands(row.get_by_role("button", name="Disconnect"))
        dialog.get_by_role("button", name="Disconnect").click()
        expect(page.locator("#cache-actions-table")).to_contain_text("disconnected", timeout=20_000)
        assert "runaway" not in {each["name"] for each in other.client_list()}


def test_a_narrow_screen_never_scrolls_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(390, 844)
    page.goto(url)
    expect(page.locator("#cache-cards article").first).to_be_visible()
    box = page.locator("main").bounding_box()
    assert box is not None and box["width"] <= 390
