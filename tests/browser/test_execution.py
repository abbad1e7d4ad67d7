"""The Execution page in a browser: it draws, groups anew without a jump, tells its data as a table, and can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.tabs import execution, portfolio
from storage.stores import Stores
from tests.support.accessibility import violations
from tests.support.application import create_app

pytestmark = pytest.mark.browser


def test_orders_are_grouped_as_is_asked_and_the_page_can_be_read(
    page: Page, fund: Stores, serve: Callable[..., Any]
) -> None:
    url = serve(create_app(fund, (portfolio.TAB, execution.PAGE)).server).url
    page.goto(f"{url}/portfolio/execution?window=ITD")
    expect(page.locator("#execution-orders")).to_contain_text("10", timeout=120_000)
    expect(page.locator("#execution-parts-rows")).to_contain_text("Sector pairs")
    page.get_by_text("Venue", exact=True).click()
    page.wait_for_url("**by=venue*")
    expect(page.locator("#execution-parts-rows")).to_contain_text("NASDAQ")
    page.locator("#execution-shortfall [data-tool=table]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#execution-shortfall .fw-panel-data table").last).to_contain_text("Opportunity")
    page.keyboard.press("Enter")
    assert violations(page) == []
