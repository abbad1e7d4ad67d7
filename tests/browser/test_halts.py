"""Halting and resuming as an operator meets them: from the badge, with a reason, said on every tab until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from core.clock import SystemClock
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.browser.test_overview import tell
from tests.support.application import create_app

pytestmark = pytest.mark.browser


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> str:
    stores = replace(stores, clock=SystemClock())
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    tell(stores, is_safe=True)
    return str(serve(create_app(stores).server).url)


def test_trading_is_halted_from_the_badge_and_every_tab_says_so_until_it_is_resumed(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{url}/system")
    badge, halted = page.locator("#safe-button"), page.locator("#halted")
    expect(badge).to_have_attribute("data-status", "ok")
    expect(halted).to_be_hidden()
    badge.click()
    page.locator("#safe-menu").get_by_role("link", name="Halt or resume trading").click()
    expect(page).to_have_url(f"{url}/readiness")
    form = page.locator("form[action='/readiness/halt']")
    form.get_by_role("button", name="Halt").click()
    expect(form.locator(".fw-field-wrong").first).to_have_text("choose what to halt")
    form.get_by_label("What").select_option(label="Alpha")
    form.get_by_label("Why").fill("the hedge <b>is</b> gone")
    until = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 7_200))
    form.get_by_label("Until").fill(until)
    form.get_by_label("Why").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Halt Alpha?")
    dialog.get_by_role("button", name="Halt").click()
    row = page.locator("#readiness-halts-rows tbody tr")
    expect(row).to_contain_text("Alpha")
    expect(row).to_contain_text("ana")
    expect(halted).to_contain_text("Alpha halted by ana until")
    expect(halted).to_contain_text("the hedge <b>is</b> gone")
    expect(badge).to_contain_text("not safe")
    assert not [each["id"] for each in Axe().run(page).response["violations"]]
    page.goto(f"{url}/pipeline")
    expect(halted).to_contain_text("Alpha halted by ana")
    halted.get_by_role("link", name="Halts").click()
    row.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#readiness-over-rows tbody tr")).to_contain_text("Alpha")
    expect(halted).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
