"""A way through what was traded: an order and its fills, an instrument, what is held of it, and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.tabs import holdings, portfolio, trades
from storage.stores import Stores
from tests.support.accessibility import violations
from tests.support.application import create_app

pytestmark = pytest.mark.browser
PAGES = (portfolio.TAB, holdings.PAGE, trades.PAGE)


@pytest.fixture
def url(fund: Stores, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(fund, pages=PAGES).server).url) + "/portfolio/trades"


def test_from_an_order_to_its_fills_to_what_is_held_and_back(page: Page, url: str) -> None:
    page.goto(url)
    order = page.locator("#trades-orders-rows tbody button").first
    name = order.inner_text()
    order.click()
    expect(page).to_have_url(re.compile(f"order={re.escape(name)}"))
    expect(page.locator("#trades-order")).to_contain_text("acknowledged")
    expect(page.locator("#trades-fills-rows tbody tr").first).to_be_visible()
    page.locator("#trades-pick select").select_option("XOM")
    expect(page).to_have_url(re.compile("instrument=XOM"))
    expect(page.locator("#trades-groups-rows")).not_to_contain_text("MSFT")
    page.locator("#trades-trips-rows tbody a[href*='/portfolio/holdings']").first.click()
    expect(page.locator("#holdings-history-said")).to_contain_text("Exxon")
    page.locator("#holdings-positions-rows tbody a[href*='/portfolio/trades']").first.click()
    expect(page.locator("#trades-count")).to_be_visible()
    page.go_back()
    expect(page.locator("#holdings-nav")).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    open_page: Callable[..., Page], url: str, theme: str
) -> None:
    page = open_page(390, 844, theme)
    page.goto(f"{url}?order=nothing")
    expect(page.locator("#trades-order")).to_contain_text("No order is called “nothing” here")
    expect(page.locator("#trades-trips-rows")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
