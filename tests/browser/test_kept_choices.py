"""What was chosen on one page of a portfolio, seen on the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from dashboard.tabs import exposure, holdings, limits, portfolio, risk
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav
from tests.support.application import create_app

CHOICE = """select[id*='"name":"portfolio"']"""
PAGES = (portfolio.TAB, holdings.PAGE, exposure.PAGE, risk.PAGE, limits.PAGE)


def test_a_portfolio_and_its_day_go_along_and_each_page_keeps_what_is_its_own(
    stores: Stores, serve: Callable[..., Any], page: Page
) -> None:
    for id in ("alpha", "beta"):
        put_nav(stores, id, [100.0 + day for day in range(60)])
    home = serve(create_app(stores, pages=PAGES).server).url

    def follows(link: str, path: str, query: str, shown: str) -> None:
        page.get_by_role("link", name=link, exact=True).click()
        expect(page).to_have_url(f"{home}{path}{query}")
        expect(page.get_by_role("heading", name=link, exact=True, level=1)).to_be_visible()
        stands(path, shown)

    def stands(path: str, shown: str) -> None:
        expect(page.locator(CHOICE).locator("option:checked")).to_have_text(shown)
        if path != "/portfolio/limits":
            expect(page.get_by_role("heading", name=f"{shown} reported no positions")).to_be_visible()

    page.goto(f"{home}/portfolio/risk?level=99&portfolio=own%3Abeta&asof=2020-02-10")
    stands("/portfolio/risk", "Beta")
    follows("Holdings", "/portfolio/holdings", "?asof=2020-02-10&portfolio=own%3Abeta", "Beta")
    follows("Limits", "/portfolio/limits", "?portfolio=own%3Abeta", "Beta")
    follows("Risk", "/portfolio/risk", "?asof=2020-02-10&level=99&portfolio=own%3Abeta", "Beta")
    link = "<a id=to href='/portfolio/holdings?portfolio=own%3Abeta&instrument=ZAAA'>ZAAA</a>"
    page.evaluate("link => document.querySelector('.fw-tab').insertAdjacentHTML('beforeend', link)", link)
    with page.expect_navigation():
        page.locator("#to").click()
    expect(page).to_have_url(f"{home}/portfolio/holdings?portfolio=own%3Abeta&instrument=ZAAA&asof=2020-02-10")
    stands("/portfolio/holdings", "Beta")
    follows("Risk", "/portfolio/risk", "?asof=2020-02-10&level=99&portfolio=own%3Abeta", "Beta")
    page.locator(CHOICE).select_option("own:alpha")
    expect(page).to_have_url(f"{home}/portfolio/risk?asof=2020-02-10&level=99")
    follows("Exposure", "/portfolio/exposure", "?asof=2020-02-10", "Alpha")
    page.goto(f"{home}/portfolio/holdings?instrument=ZAAA&portfolio=own%3Aalpha")
    stands("/portfolio/holdings", "Alpha")
    follows("Risk", "/portfolio/risk", "?level=99&portfolio=own%3Aalpha", "Alpha")
    page.locator(CHOICE).select_option("own:beta")
    expect(page).to_have_url(f"{home}/portfolio/risk?level=99&portfolio=own%3Abeta")
    follows("Holdings", "/portfolio/holdings", "?portfolio=own%3Abeta", "Beta")
