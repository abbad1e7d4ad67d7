"""Signing in, as a person does it: the first start, a session that ends under an open page, pages without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect

from access import passwords
from access.first_start import first_link
from access.sessions import end_sessions
from core.settings.model import Settings
from dashboard.factory import create_app
from storage.state.database import State
from tests.browser.conftest import WAIT_MILLISECONDS, Site, Watch
from tests.browser.demo import TABS
from tests.support.accessibility import violations
from tests.support.frame import FakeStores

PASSWORD = "violet kettle 81 moor"


@pytest.fixture
def demo(state: State, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> FakeStores:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stores = FakeStores(settings=settings)
    stores.state = state  # type: ignore[attr-defined]
    return stores


@pytest.fixture
def site(serve: Callable[[object], Site], demo: FakeStores) -> Site:
    return serve(create_app(demo, TABS).server)  # type: ignore[arg-type]


@pytest.fixture
def link(site: Site, state: State, settings: Settings, demo: FakeStores) -> str:
    """The address that the first start prints."""
    return site.url + first_link(state, settings, demo.clock.now())


def choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.get_by_role("button", name="Set the password and sign in").click()
    expect(page.locator("#demo-card-cpu")).to_contain_text("%", timeout=3 * WAIT_MILLISECONDS)  # a first visit


def test_from_the_first_start_to_the_first_page(page: Page, site: Site, link: str) -> None:
    page.goto(f"{site.url}/demo?window=6h")
    expect(page).to_have_title("Sign in · Fundwatch")
    choose_password(page, link)
    expect(page).to_have_url(re.compile("/demo$"))
    page.locator("#account-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · Fundwatch")
    page.goto(f"{site.url}/demo?window=6h")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/demo\?window=6h$"))


def test_a_session_that_ends_under_an_open_page_is_renewed_over_it(
    page: Page, link: str, demo: FakeStores, state: State, watch: Watch
) -> None:
    choose_password(page, link)
    page.get_by_label("Filter processes").fill("process-7")
    end_sessions(state, "admin", demo.clock.now(), by="test")
    dialog = page.get_by_role("dialog", name="Your session is over")
    expect(dialog).to_be_visible()
    demo.value = 55.0
    demo.live.bump("demo")
    expect(dialog.get_by_label("Name")).to_have_value("admin")
    expect(dialog.get_by_label("Password")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('.fw-app')"), "focus left the dialog for the page"
    dialog.get_by_role("button", name="Later").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#demo-card-cpu")).to_contain_text("40 %")
    expect(page.get_by_label("Filter processes")).to_have_value("process-7")
    page.locator("#signed-out").get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Name, password or code is not right.")
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#demo-card-cpu")).to_contain_text("55 %")
    expect(page.get_by_label("Filter processes")).to_have_value("process-7")
    assert all("401" in problem for problem in watch.problems)
    watch.problems.clear()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_pages_work_without_scripts_on_a_phone(
    open_page: Callable[..., Page], site: Site, link: str, theme: str, watch: Watch
) -> None:
    page = open_page(390, 844, java_script_enabled=False, color_scheme=theme)
    page.goto(link)
    page.locator("[name=password]").fill("password1234")
    page.locator("[name=again]").fill("password1234")
    page.get_by_role("button").click()
    expect(page.get_by_text("Others would try this early")).to_be_visible()
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.get_by_role("button").click()
    page.goto(f"{site.url}/account")
    expect(page.get_by_text("this one")).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page).to_have_title("Sign in · Fundwatch")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button").click()
    expect(page.get_by_text("Name, password or code is not right.")).to_be_visible()
    assert all("40" in problem for problem in watch.problems)
    watch.problems.clear()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_pages_can_be_read_by_everybody(open_page: Callable[..., Page], site: Site, link: str, theme: str) -> None:
    page = open_page(390, 844, theme=theme)
    for address in (link, f"{site.url}/sign-in?next=/demo"):
        page.goto(address)
        assert not violations(page), address
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    choose_password(page, link)
    page.goto(f"{site.url}/account")
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
