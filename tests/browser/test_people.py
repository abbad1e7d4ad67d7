"""The account menu and the pages of Settings, as a person meets them: by mouse, keyboard and touch, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.accounts import add_account
from access.tokens import Scope, make_token
from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import audit, system, tokens, users
from storage.stores import Stores
from tests.support.accessibility import violations
from tests.support.application import create_app

pytestmark = pytest.mark.browser
SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value;
}).observe({ type: "layout-shift" });
"""


WHOLE = """element => {
  const ring = 3, here = element.getBoundingClientRect();
  const inside = { left: here.left - ring, right: here.right + ring };
  for (let place = element.parentElement; place; place = place.parentElement) {
    const box = place.getBoundingClientRect();
    const cuts = getComputedStyle(place).overflowX !== "visible" || place.matches("td, tr");
    if (cuts && (inside.right > box.right + 0.5 || inside.left < box.left - 0.5)) return false;
  }
  return inside.right <= innerWidth;
}"""
"""Whether an element is within all that may cut it off at its sides."""


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    now = stores.clock.now()
    add_account(stores.state, "admin", Role.ADMIN, (), "start", now)
    add_account(stores.state, "anna", Role.OPERATOR, (), "admin", now)
    pages = (system.TAB, tokens.TAB, users.PAGE, audit.PAGE)
    yield str(serve(create_app(stores, pages, lambda _: Viewer("admin", Role.ADMIN)).server).url)


def test_the_menu_is_opened_and_left_by_keyboard(page: Page, url: str) -> None:
    page.goto(f"{url}/tokens")
    button, menu = page.get_by_role("button", name="Account menu: admin, admin"), page.locator("#account-menu")
    expect(page.locator("#tokens-make")).to_be_visible()
    page.wait_for_timeout(500)
    page.evaluate(SHIFTS)
    button.focus()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    for name in ("Account", "Switch theme", "Sign out"):
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text(name)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(menu).to_be_hidden()
    button.click()
    page.locator("#page").click(position={"x": 5, "y": 300})
    expect(menu).to_be_hidden()
    assert page.evaluate("window.shifts") < 0.01


def test_the_menu_works_by_touch_on_a_narrow_screen(open_page: Callable[..., Page], url: str) -> None:
    page = open_page(width=390, height=844, has_touch=True)
    page.goto(f"{url}/tokens")
    page.locator("#account-button").tap()
    box = page.locator("#account-menu").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert all(each.bounding_box()["height"] >= 44 for each in page.locator(".fw-menu-item").all())  # type: ignore[index]
    expect(page.locator("#account-menu")).to_contain_text("admin")
    page.get_by_role("button", name="Switch theme").tap()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    for path in ("tokens", "users", "audit"):
        page.goto(f"{url}/{path}")
        page.wait_for_selector(f"#{path}-all .fw-table-box")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_user_is_added_lowered_and_disabled_and_it_stands_in_the_audit(page: Page, url: str) -> None:
    page.goto(f"{url}/users")
    add = page.locator("#users-add")
    add.get_by_label("Name").fill("otto")
    add.get_by_label("Role").select_option("operator")
    add.get_by_role("button", name="Add").click()
    expect(page.locator("#users-link .fw-once-secret")).to_contain_text("/sign-in/link?key=")
    page.get_by_role("button", name="Settings of otto").click()
    role = page.locator("form[action='/users/role']")
    role.get_by_label("Role").select_option("viewer")
    role.get_by_role("button", name="Set role").click()
    expect(page.locator("#users-rows tbody tr", has_text="otto")).to_contain_text("viewer")
    expect(page.locator("#users-link .fw-once-secret"), "a refresh leaves what is shown once").to_be_visible()
    page.get_by_role("button", name="Disable", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.locator("#users-rows tbody tr", has_text="otto")).to_contain_text("disabled")
    page.locator(".fw-sub-nav").get_by_role("link", name="Audit").click()
    expect(page.locator("#audit-rows tbody tr").first).to_contain_text("account disabled")
    page.get_by_label("What").select_option("account added")
    expect(page.locator("#audit-rows tbody tr")).to_have_count(3)
    expect(page).to_have_url(f"{url}/audit?what=account+added")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    assert len(waiting.value.path().read_text(encoding="utf-8-sig").strip().splitlines()) == 4


def test_what_is_shown_once_is_in_sight_and_a_revoked_token_is_told(open_page: Callable[..., Page], url: str) -> None:
    page = open_page(width=390, height=844)
    page.goto(f"{url}/users")
    page.locator("#users-add").get_by_label("Name").fill("otto")
    page.locator("#users-add").get_by_role("button", name="Add").click()
    expect(page.locator("#users-link .fw-once")).to_be_in_viewport(ratio=1)
    expect(page.locator("#users-link .fw-once-secret")).to_be_focused()
    page.goto(f"{url}/tokens")
    page.locator("#tokens-make").get_by_label("For").fill("risk report")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#tokens-made .fw-once")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator(".fw-done")).to_have_text("✓ Token for risk report revoked.")
    expect(page.locator(".fw-table-tall")).to_be_focused()


def test_the_button_that_revokes_a_token_is_whole_on_a_narrow_screen(
    open_page: Callable[..., Page], url: str, stores: Stores
) -> None:
    viewer, now = Viewer("admin", Role.ADMIN), stores.clock.now()
    for number in range(5):
        make_token(
            stores.state, name=f"execution algorithm {number} on the third node of the second rack", account="",
            scopes=list(Scope), portfolios=(), expires_at=0.0, by=viewer, now=now,
        )  # fmt: skip
    page = open_page(width=390, height=844)
    page.goto(f"{url}/tokens")
    buttons = page.get_by_role("button", name="Revoke")
    expect(buttons).to_have_count(5)
    for button in buttons.all():
        button.focus()
        assert button.evaluate(WHOLE), "nothing of it is cut off, nor of the ring that shows where the keyboard is"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_accessibility_violations(open_page: Callable[..., Page], url: str, theme: str) -> None:
    page = open_page(theme=theme)
    for path in ("tokens", "users?edit=anna", "audit"):
        page.goto(f"{url}/{path}")
        page.wait_for_selector(f"#{path.split('?')[0]}-all .fw-table-box")
        page.locator("#account-button").click()
        assert not violations(page)
