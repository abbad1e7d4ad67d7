"""Limits, Exposure, Attribution and Reconciliation in a browser: chosen, changed, zoomed, led on from, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import attribution, exposure, holdings, limits, portfolio, reconcile
from storage.stores import Stores
from tests.browser.demo import drag_across, plot_layout
from tests.support.accessibility import violations_in_every_look
from tests.support.application import create_app
from tests.support.keyboard import tab_to
from tests.support.readiness import safe_stores
from tests.support.workbooks import opened

pytestmark = pytest.mark.browser
PAGES = (portfolio.TAB, holdings.PAGE, exposure.PAGE, attribution.PAGE, limits.PAGE, reconcile.PAGE)


@pytest.fixture
def url(fund: Stores, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(fund, pages=PAGES).server).url) + "/portfolio"


def test_an_administrator_sets_changes_and_deletes_a_limit_by_keyboard_alone(
    page: Page, stores: Stores, serve: Callable[..., Any]
) -> None:
    app = create_app(safe_stores(stores), PAGES, lambda _: Viewer("root", Role.ADMIN))
    page.goto(f"{serve(app.server).url}/portfolio/limits?portfolio=own:alpha")
    form = page.locator("form[action='/portfolio/limits/set']")
    expect(form).to_be_visible()
    tab_to(page, form.get_by_label("Limit on"))
    page.keyboard.type("Drawdown")
    tab_to(page, form.get_by_label("Value"))
    page.keyboard.type("5")
    tab_to(page, form.get_by_role("button", name="Set the limit"))
    page.keyboard.press("Enter")
    expect(form).to_contain_text("write 5 % if that is meant")
    value = form.get_by_label("Value")
    value.focus()
    page.keyboard.press("End")
    page.keyboard.type(" %")
    page.keyboard.press("Enter")
    expect(page.locator("#limits-rows")).to_contain_text("≤ 5.00 %")
    expect(page.locator("#limits-changed")).to_contain_text("Drawdown at most 5.00 %")

    tab_to(page, page.get_by_role("link", name="Change").first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("limit="))
    expect(value).to_have_value("5 %")
    value.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("4 %")
    page.keyboard.press("Enter")
    expect(page.locator("#limits-rows")).to_contain_text("≤ 4.00 %")
    assert violations_in_every_look(page) == []

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Delete Drawdown at most 4.00 %").focus()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    expect(page.locator("#limits-rows")).not_to_contain_text("≤ 4.00 %")
    expect(page.locator("#limits-changed")).to_contain_text("deleted")


def test_exposure_keeps_its_zoom_over_news_and_leads_to_a_strategy(page: Page, url: str, fund: Stores) -> None:
    page.goto(f"{url}/exposure")
    page.wait_for_selector("#exposure-course-graph .scatterlayer .trace")
    drag_across(page, "exposure-course-graph")
    page.wait_for_url("**from=*to=*")
    page.wait_for_timeout(1_000)
    before = plot_layout(page, "exposure-course-graph", "xaxis.range")
    fund.live.bump("portfolio")
    with page.expect_response(lambda answer: "_dash-update" in answer.url):
        page.locator("#refresh-now").click()
    page.wait_for_timeout(1_000)
    assert plot_layout(page, "exposure-course-graph", "xaxis.range") == before

    tab_to(page, page.get_by_role("combobox", name="Grouped by"))
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("group=portfolio"))
    expect(page.locator("#exposure-rows")).to_contain_text("Sector pairs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Excel: Groups").press("Enter")
    assert download.value.suggested_filename == "exposure-groups.xlsx"
    sheet = opened(Path(download.value.path()).read_bytes())["By strategy"]
    assert [cell.value for cell in sheet.rows[0]] == ["Strategy", "Long", "Short", "Net", "Gross", "Change"]
    assert sheet.rows[-1][0].value == "All" and sheet.rows[-1][1].number_format == "0.00%"
    assert violations_in_every_look(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    tab_to(page, page.locator("#exposure-rows").get_by_role("link", name="Sector pairs"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("portfolio=sample%3Apairs"))


def test_attribution_leads_from_a_strategy_to_a_position(page: Page, url: str) -> None:
    page.goto(f"{url}/attribution?group=portfolio")
    page.wait_for_selector("#attribution-course-graph .scatterlayer .trace")
    tab_to(page, page.locator("#attribution-periods").get_by_role("button", name="money"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("unit=money"))
    expect(page.locator("#attribution-periods-said")).to_contain_text("money in USD")
    assert violations_in_every_look(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    tab_to(page, page.locator("#attribution-groups").get_by_role("link", name="Sector pairs"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("portfolio=sample%3Apairs"))
    page.locator("#attribution-positions-rows tbody a").first.click()
    expect(page.locator("#holdings-nav")).to_be_visible()
    page.go_back()
    expect(page.locator("#attribution-groups")).to_be_visible()


def test_reconciliation_shows_a_day_of_the_past_and_leads_to_what_is_held(page: Page, url: str) -> None:
    page.goto(f"{url}/reconcile")
    expect(page.locator("#reconcile-positions-rows tbody tr").first).to_be_visible()
    expect(page.locator("#reconcile-money-rows")).to_contain_text("Net asset value")
    day = page.get_by_label("As of")
    tab_to(page, day)
    day.fill("2022-06-30")
    expect(page).to_have_url(re.compile("asof=2022-06-30"))
    expect(page.locator("#reconcile-positions-said")).to_have_text("report of 2022-06-30")
    assert violations_in_every_look(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    tab_to(page, page.locator("#reconcile-positions-rows tbody a[href*='/portfolio/holdings']").first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/portfolio/holdings.*asof=2022-06-30"))
    expect(page.locator("#holdings-history-said")).not_to_be_empty()
