"""The bell, its panel and toasts in a browser: counted, seen, kept over a reload, and nothing told twice or unasked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.tabs import alert_history, alerts, events, silences, tokens
from portfolio.halting import halt
from status.alerts import alerts_now
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.browser.conftest import until
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.desk import Desk, running

pytestmark = pytest.mark.browser
PAGES = (tokens.TAB, events.PAGE, alerts.TAB, silences.PAGE, alert_history.PAGE)


@pytest.fixture
def desk(stores: Stores) -> Iterator[Desk]:
    """A desk whose engine runs, on the real clock."""
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha"), Portfolio("own", "beta", "Beta")])
    with running(Desk(replace(stores, clock=SystemClock()))) as desk:
        yield desk


@pytest.fixture
def url(desk: Desk, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(desk.stores, PAGES, lambda _: Viewer("ana", Role.OPERATOR)).server).url)


def before_it_is_opened(desk: Desk) -> None:
    """Wait until what fires is told, so that a page that is opened then finds it there."""
    until(lambda: bool(alerts_now(desk.stores).firing))


def quick(page: Page) -> None:
    """Let pages of this browser ask each second."""
    page.add_init_script("localStorage.setItem('fundwatch-every', '1')")


def test_the_bell_counts_and_what_was_seen_stays_seen_also_in_another_browser(
    desk: Desk, page: Page, url: str, browser: Browser
) -> None:
    quick(page)
    desk.lose("alpha")
    before_it_is_opened(desk)
    page.goto(f"{url}/events")
    bell, panel = page.locator("#notices-button"), page.locator("#notices")
    expect(bell).to_have_accessible_name("Notices: 1 not seen")
    expect(page.locator(".fw-toast")).to_have_count(0)
    before = page.locator("main").bounding_box()
    bell.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Today")).to_be_visible()
    line = panel.locator(".fw-notice")
    said = re.compile(r"‼\s*urgent · fires\s*Alpha\s*not seen\s*\d\d:\d\d:\d\d\s*alpha lost -8.1%")
    expect(line).to_contain_text(said)
    assert not violations(page)
    desk.busy()
    expect(line).to_have_count(2)
    expect(page.locator(".fw-toast")).to_have_count(0)
    panel.get_by_role("button", name="Mark all as seen").click()
    expect(panel.locator(".fw-notice-new")).to_have_count(0)
    panel.get_by_role("button", name="Only unseen").click()
    expect(panel).to_contain_text("You have seen everything.")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(bell).to_be_focused()
    expect(bell).to_have_accessible_name("Notices")
    assert page.locator("main").bounding_box() == before, "nothing has moved"
    page.reload()
    page.wait_for_timeout(2_500)
    expect(bell).to_have_accessible_name("Notices")
    other = browser.new_page()
    other.goto(f"{url}/events")
    until(lambda: other.evaluate("fundwatch.toasts.after() !== null"))
    expect(other.locator("#notices-button")).to_have_accessible_name("Notices")
    halt(desk.stores, "beta", "a drill", None, "ben", None)
    expect(other.locator("#notices-button")).to_have_accessible_name("Notices: 1 not seen")
    other.close()
    expect(bell).to_have_accessible_name("Notices: 1 not seen")
    page.keyboard.press("n")
    expect(line.get_by_role("link", name="Halted by ben")).to_have_attribute("href", "/readiness")
    line.get_by_role("link", name="CPU of host-1").click()
    expect(page).to_have_url(re.compile(f"{url}/alerts\\?incident=\\d$"))


def test_a_new_alert_is_a_toast_where_it_is_wanted_and_an_urgent_one_stays(desk: Desk, page: Page, url: str) -> None:
    quick(page)
    page.goto(f"{url}/events")
    toasts = page.locator(".fw-toast")
    until(lambda: page.evaluate("window.fundwatch.toasts.after() !== null"))
    width = page.evaluate("document.documentElement.scrollWidth")
    desk.lose("alpha")
    expect(page.locator("#toasts-urgent[aria-live=assertive] .fw-toast")).to_contain_text("alpha lost -8.1%")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert not violations(page)
    desk.lose("alpha", "beta", "gamma")
    expect(toasts).to_have_count(3)
    desk.busy()
    expect(page.locator("#toasts-more")).to_have_text("and 1 more")
    expect(toasts).to_have_count(3)
    page.wait_for_timeout(9_000)
    expect(toasts).to_have_count(3)  # what is urgent stays
    toasts.first.get_by_role("button", name="Close").click()
    expect(toasts).to_have_count(2)
    page.locator("#toasts-more").click()
    expect(toasts).to_have_count(0)
    expect(page.locator("#notices .fw-notice")).to_have_count(4)
    page.goto(f"{url}/alerts")
    switch = page.get_by_role("button", name="Toasts")
    expect(switch).to_have_text("Toasts: on")
    switch.click()
    expect(switch).to_have_text("Toasts: off")
    page.reload()
    expect(switch).to_have_text("Toasts: off")
    desk.values.clear()
    desk.lose("alpha", "fresh")
    expect(page.locator("#alerts-now-table")).to_contain_text("fresh lost")
    page.wait_for_timeout(2_500)
    expect(toasts).to_have_count(0)


def test_a_critical_toast_leaves_by_itself_unless_it_is_read(desk: Desk, page: Page, url: str) -> None:
    quick(page)
    page.goto(f"{url}/events")
    until(lambda: page.evaluate("window.fundwatch.toasts.after() !== null"))
    desk.busy()
    toast = page.locator("#toasts-critical[aria-live=polite] .fw-toast")
    expect(toast).to_contain_text("CPU of host-1 is 93% busy")
    toast.get_by_role("link").focus()
    page.wait_for_timeout(9_000)
    expect(toast).to_have_count(1)
    page.locator("#notices-button").focus()
    until(lambda: toast.count() == 0)


def test_a_phone_has_the_bell_and_a_panel_of_its_own_width(desk: Desk, page: Page, url: str) -> None:
    page.goto(f"{url}/events")
    for width in (1024, 480, 360, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#account-button").click()
    page.get_by_role("button", name="Keys and definitions").click()
    expect(page.locator("#help")).to_be_visible()
    page.locator("#help-close").click()
    page.locator("#notices-button").click()
    expect(page.locator("#notices-list")).to_contain_text("Nothing has happened yet.")
    expect(page.locator("#notices")).to_contain_text("Times in")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#notices").bounding_box()
    assert box is not None and box["width"] <= 390


def test_a_panel_that_cannot_be_read_says_so_and_comes_back(desk: Desk, page: Page, url: str) -> None:
    quick(page)
    desk.busy()
    page.route("**/alerts/notices?*", lambda route: route.fulfill(body="what no list of notices is"))
    page.goto(f"{url}/events")
    expect(page.locator("#notices-button")).to_have_accessible_name("Notices: 1 not seen")
    page.locator("#notices-button").click()
    expect(page.locator("#notices-problem")).to_contain_text("Notices cannot be read now")
    page.unroute("**/alerts/notices?*")
    expect(page.locator("#notices .fw-notice")).to_have_count(1)
    expect(page.locator("#notices-problem")).to_be_hidden()
