"""Signing in at an OpenID provider, as a person does it: there, back to the same view, and out again of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from core.settings.model import Settings
from core.settings.oidc import Oidc
from dashboard.factory import create_app
from storage.state.database import State
from tests.browser.conftest import WAIT_MILLISECONDS, Site, Watch
from tests.browser.demo import TABS
from tests.support.frame import FakeStores
from tests.support.openid import OpenIdProvider


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as running:
        yield running


def test_there_and_back_and_out_of_both(
    page: Page, serve: Callable[[object], Site], state: State, settings: Settings, provider: OpenIdProvider,
    watch: Watch,
) -> None:  # fmt: skip
    oidc = Oidc.model_validate(provider.settings())
    stores = FakeStores(settings=settings.model_copy(update={"oidc": oidc}))
    stores.state = state  # type: ignore[attr-defined]
    site = serve(create_app(stores, TABS).server)  # type: ignore[arg-type]
    provider.is_away = True
    page.goto(f"{site.url}/demo?window=6h")
    expect(page).to_have_title("Sign in · Fundwatch")
    page.get_by_role("link", name="Sign in at the bank").click()
    expect(page.get_by_role("alert").first).to_contain_text("does not answer as it should")
    expect(page.get_by_label("Password")).to_be_visible()
    assert all("503" in problem for problem in watch.problems)
    watch.problems.clear()
    provider.is_away = False
    page.get_by_role("link", name="Sign in at the bank").click()
    expect(page).to_have_title("Bank")
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(re.compile(r"/demo\?window=6h$"))
    expect(page.locator("#demo-card-cpu")).to_contain_text("%", timeout=3 * WAIT_MILLISECONDS)
    page.locator("#account-button").click()
    expect(page.locator(".fw-menu-role")).to_have_text("viewer")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · Fundwatch")
    assert len(provider.logouts) == 1, "the provider was told as well"
