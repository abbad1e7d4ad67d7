"""The Overview and the badge of every tab as a person meets them: first, by keyboard, when nobody answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from core.clock import SystemClock
from core.model import Component, Reading, Status
from core.readiness import EVERY_PORTFOLIO, READINESS, PortfolioReadiness, ReadinessCheck, State
from core.tables import table_of
from storage.stores import Stores
from tests.browser.conftest import Site, Watch
from tests.support.application import create_app

pytestmark = pytest.mark.browser
FRESH_SECONDS = 600.0
"""Between two readings, as they say: they stay fresh for as long as a test takes on a busy machine."""


@pytest.fixture
def site(stores: Stores, serve: Callable[[Callable[..., object]], Site]) -> Site:
    stores = replace(stores, clock=SystemClock())
    tell(stores, is_safe=True)
    return serve(create_app(stores).server)


AGES_LAST = """() => [...document.querySelectorAll(".fw-panel-head")].filter((head) => {
  const age = head.querySelector(".fw-panel-age").getBoundingClientRect();
  const others = [...head.children].filter((each) => !each.matches(".fw-panel-age") && each.offsetWidth);
  return age.width && others.some((each) => {
    const box = each.getBoundingClientRect();
    const isSameLine = box.top < age.bottom && age.top < box.bottom;
    return isSameLine ? box.left > age.left : box.top > age.top;
  });
}).map((head) => head.textContent)"""
"""The headings of panels in which something comes after the age."""


def tell(stores: Stores, *, is_safe: bool) -> None:
    now = time.time()
    state, why = (State.READY, "it answers") if is_safe else (State.NOT_READY, "it does not answer")
    answer = PortfolioReadiness(EVERY_PORTFOLIO, is_safe, int(is_safe), 1, [] if is_safe else [why], now, "")
    check = ReadinessCheck(EVERY_PORTFOLIO, "broker", "Broker is ready", state.value, why, now, now, "/pipeline")
    tables = table_of(PortfolioReadiness, [answer]), table_of(ReadinessCheck, [check])
    stores.live.put_reading(READINESS, "host-1", now, FRESH_SECONDS, Reading(tables=tables))
    cpu = Reading(components=(Component("CPU", Status.OK, "idle"),))
    stores.live.put_reading("system", "host-1", now, FRESH_SECONDS, cpu)
    stores.live.bump(READINESS)


def test_it_opens_first_on_one_screen_and_the_badge_goes_with_every_tab(page: Page, site: Site, stores: Stores) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(site.url)
    expect(page.locator("#overview-safe")).to_contain_text("Safe to trade")
    expect(page.locator("#overview-components-table")).to_contain_text("CPU")
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    badge = page.locator("#safe-button")
    expect(badge).to_have_text("✓safe1 check")
    page.keyboard.press("3")
    expect(page).to_have_url(f"{site.url}/system")
    tell(stores, is_safe=False)
    expect(badge).to_have_text("✕not safe0 of 1 check")
    badge.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#safe-menu")).to_contain_text("Broker is ready")
    expect(page.locator("#safe-menu")).to_contain_text("it does not answer")
    page.keyboard.press("Escape")
    expect(page.locator("#safe-menu")).to_be_hidden()
    expect(badge).to_be_focused()


def test_on_a_narrow_screen_the_age_of_a_panel_stands_last_in_its_heading(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url)
    expect(page.locator("#overview-components-table")).to_contain_text("CPU")
    assert page.evaluate(AGES_LAST) == []


def test_the_badge_turns_red_by_itself_when_nobody_answers(page: Page, site: Site, watch: Watch) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url)
    badge = page.locator("#safe-button")
    expect(badge).to_have_attribute("data-status", "ok")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    score = page.locator("#overview-health .fw-panel-subtitle")
    expect(score).to_contain_text("now")
    site.stop()
    expect(badge).to_have_text("?unknown")
    expect(badge).to_have_attribute("data-status", "critical")
    badge.click()
    expect(page.locator("#safe-silent")).to_contain_text("What is not known is not safe")
    expect(score.locator(".fw-when-lost")).to_be_visible(timeout=20_000)
    expect(score.locator(".fw-when-live")).to_be_hidden()
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator(".fw-nav .fw-tab-count")).to_have_text("?")
    site.start()
    expect(badge).to_have_attribute("data-status", "ok")
    expect(page.locator("#safe-list")).to_contain_text("Broker is ready")
    watch.problems.clear()


def test_the_page_does_not_go_on_to_say_safe_beside_a_badge_that_says_it_is_not(
    page: Page, site: Site, stores: Stores
) -> None:
    page.goto(site.url)
    expect(page.locator("#overview-safe")).to_contain_text("Safe to trade")
    page.locator("#refresh-every").select_option("60")
    expect(page.locator("#safe-button")).to_have_attribute("data-status", "ok")
    tell(stores, is_safe=False)
    expect(page.locator("#safe-button")).to_contain_text("not safe")
    expect(page.locator("#overview-safe")).to_contain_text("Not safe to trade")


def test_a_paused_page_does_not_contradict_the_badge(page: Page, site: Site, stores: Stores) -> None:
    page.goto(site.url)
    expect(page.locator("#overview-safe")).to_contain_text("Safe to trade")
    page.locator("#refresh-pause").click()
    expect(page.locator("#refresh-next")).to_have_text("paused")
    tell(stores, is_safe=False)
    expect(page.locator("#safe-button")).to_contain_text("not safe")
    expect(page.locator("#overview-safe [data-trading]")).to_have_attribute("data-trading", "not safe")
    tell(stores, is_safe=True)
    expect(page.locator("#safe-button")).to_have_attribute("data-status", "ok")
    expect(page.locator("#overview-safe [data-trading]")).to_have_attribute("data-trading", "safe")
