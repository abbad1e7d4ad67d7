"""Risk, Stress and What-if in a browser: charts are drawn, a scenario is kept and chosen, a trade tried and shared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import portfolio, risk, stress, what_if
from sample.load import load_sample
from storage.stores import Stores
from tests.support.accessibility import violations_in_every_look
from tests.support.application import create_app
from tests.support.keyboard import tab_to

pytestmark = pytest.mark.browser
WIDE: ViewportSize = {"width": 1440, "height": 900}
PAGES = (portfolio.TAB, risk.PAGE, stress.PAGE, what_if.PAGE)


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    load_sample(stores)
    yield str(serve(create_app(stores, PAGES, lambda _: Viewer("ana", Role.ANALYST)).server).url)


def test_a_book_is_measured_stressed_and_changed_in_thought(page: Page, url: str) -> None:
    page.goto(f"{url}/portfolio/risk?group=portfolio")
    expect(page.locator("#risk-strip")).to_contain_text("VaR, historical")
    expect(page.locator("#risk-groups-rows")).to_contain_text("Sector pairs")
    page.locator("#risk-hypothetical").scroll_into_view_if_needed()
    expect(page.locator("#risk-hypothetical-graph .main-svg").first).to_be_visible()
    before = page.locator("#risk-var-historical .fw-card-value").inner_text()
    page.get_by_role("radiogroup", name="Level of VaR").get_by_text("99 %").click()
    expect(page.locator("#risk-var-historical .fw-card-value")).not_to_have_text(before)
    assert violations_in_every_look(page) == []
    page.set_viewport_size(WIDE)

    page.goto(f"{url}/portfolio/stress")
    tab_to(page, page.get_by_role("button", name="What Energy −10 % does to each position"))
    page.keyboard.press("Enter")
    expect(page.locator("#stress-positions-said")).to_have_text("Energy −10 %")
    form = page.locator("form[action='/portfolio/stress/try']")
    form.get_by_label("Sectors").fill("Enrgy -30")
    form.get_by_role("button", name="Try").click()
    expect(form).to_contain_text("did you mean Energy?")
    form.get_by_label("Sectors").fill("Energy -30")
    form.get_by_role("button", name="Try").click()
    expect(page).to_have_url(re.compile("sectors=Energy"))
    expect(page.locator("#stress-positions-said")).to_have_text("Tried")
    form = page.locator("form[action='/portfolio/stress/keep']")
    form.get_by_label("Name").fill("Oil")
    form.get_by_role("button", name="Keep").click()
    expect(page.locator("#stress-own-rows")).to_contain_text("Oil")
    expect(page.locator("#stress-own-rows")).to_contain_text("Energy −30 %")
    assert violations_in_every_look(page) == []
    page.set_viewport_size(WIDE)

    page.goto(f"{url}/portfolio/what-if?portfolio=sample:equity")
    form = page.locator("form[action='/portfolio/what-if/add']")
    form.get_by_label("Side").select_option("sell")
    form.get_by_label("Amount").fill("1000")
    form.get_by_label("Instrument").fill("xom")
    form.get_by_role("button", name="Add").click()
    expect(page.locator("#what-if-trades-rows")).to_contain_text("XOM")
    expect(page).to_have_url(re.compile(r"portfolio=sample%3Aequity.*trades=sell\+1000\+XOM"))
    page.reload()
    expect(page.locator("#what-if-trades-rows")).to_contain_text("XOM")
    assert violations_in_every_look(page) == []
    page.set_viewport_size(WIDE)
    tab_to(page, page.get_by_role("button", name="Take back: sell 1000 XOM"))
    page.keyboard.press("Enter")
    expect(page.locator("#what-if-trades-table")).to_contain_text("No trade yet")
