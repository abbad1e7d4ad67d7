"""A journey: two imported files become a blend on the page, the blend a fund's benchmark, and beta appears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.tabs import benchmarks, portfolio, portfolios
from storage.state.series import list_blends
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav, put_prices
from tests.portfolio.series.test_in_use import bring, course
from tests.support.application import create_app

pytestmark = pytest.mark.browser
BENCHMARK = "#portfolio-benchmark select"


@pytest.fixture
def base(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    pages = (portfolio.TAB, portfolios.PAGE, benchmarks.PAGE)
    yield str(serve(create_app(stores, pages=pages).server).url)


def test_two_files_become_a_blend_that_is_the_fund_s_benchmark(page: Page, base: str, stores: Stores) -> None:
    bring(stores, "SPX", course(1), "prices", "close", currency="USD")
    bring(stores, "AGG", course(2), "prices", "close", currency="USD")
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    page.goto(f"{base}/benchmarks")
    made = page.locator("form[action='/benchmarks/blend']")
    made.get_by_label("Name").fill("60/40")
    made.get_by_label("Part 1").select_option("SPX")
    made.get_by_label("Weight 1, %").fill("60")
    made.get_by_label("Part 2").select_option("AGG")
    made.get_by_label("Weight 2, %").fill("30")
    made.get_by_label("Weight 2, %").press("Enter")
    expect(made.locator(".fw-form-said")).to_contain_text("the weights sum to 90 %: they must sum to 100 %")
    made.get_by_label("Weight 2, %").fill("40")
    made.get_by_role("button", name="Add the blend").click()
    expect(page.locator("#benchmarks-blends-rows")).to_contain_text("60 % SPX + 40 % AGG")
    assert [each.id for each in list_blends(stores.state, "own")] == ["60/40"]

    page.goto(f"{base}/portfolios?edit=own:Alpha")
    settings = page.locator("form[action='/portfolios/set']")
    settings.get_by_label("Benchmark").select_option("blend:60/40")
    settings.get_by_role("button", name="Save").click()
    expect(settings.locator(".fw-form-said")).to_contain_text("60/40")

    page.goto(f"{base}/portfolio", wait_until="commit")
    expect(page.locator("#portfolio-cards")).to_contain_text("Beta")
    chosen = page.locator(BENCHMARK)
    expect(chosen).to_have_value("blend:60/40")
    chosen.select_option("SPX")
    expect(page).to_have_url(f"{base}/portfolio?benchmark=SPX")
    expect(page.locator("#portfolio-cards")).to_contain_text("SPX")


def test_what_a_portfolio_may_stand_beside_is_listed_anew_when_it_is_switched(
    page: Page, base: str, stores: Stores
) -> None:
    put_prices(stores, [100.0, 101.0, 102.0])
    bring(stores, "SPX", course(1), "prices", "close", currency="USD")
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    put_nav(stores, "beta", [100.0, 101.0, 103.0], origin="sample")
    stores.live.bump("portfolio")
    page.goto(f"{base}/portfolio?portfolio=own:Alpha", wait_until="commit")
    offered = page.locator("#portfolio-benchmark option")
    expect(offered).to_have_text(["SPX", "no benchmark"])
    page.locator('select[id*=\'"name":"portfolio"\']').select_option("sample:beta")
    expect(offered).to_have_text(["S&P 500", "no benchmark"])
    expect(page.locator(BENCHMARK)).to_have_value("SP500")
