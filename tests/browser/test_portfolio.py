"""A journey through the portfolio tab in a real browser, on the sample fund."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dashboard.factory import create_app
from dashboard.tabs import portfolio, system
from sample.load import load_sample
from storage.stores import Stores
from tests.browser.conftest import until

pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)
GRAPH = "#portfolio-growth-graph"
CHOICE = 'select[id*=\'"name":"portfolio"\']'
DATA = f"(document.querySelector('{GRAPH} .js-plotly-plot')?.data ?? [])"
"""No traces while a page is being put in place of another."""


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> str:
    load_sample(stores)
    app = create_app(stores, tabs=(portfolio.TAB, system.TAB))
    return str(serve(app.server).url) + "/portfolio"


def open_fund(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(f"{GRAPH} .scatterlayer .trace", state="attached")


def drag_across(page: Page) -> None:
    """Zoom into the middle fifth of the time shown."""
    area = page.locator(f"{GRAPH} .nsewdrag").first
    area.hover()
    box = area.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=4)
    page.mouse.up()


def test_from_the_fund_to_a_part_of_it_and_back(url: str, page: Page) -> None:
    open_fund(page, url)
    expect(page.locator("#portfolio-mark")).to_have_text("sample · data ends 2022-12-28")
    until(lambda: page.evaluate(f"{DATA}.map(trace => trace.name)") == ["All strategies", "S&P 500", "drawdown"])
    assert page.evaluate(f"{DATA}[0].x[0]") == "2014-01-02"

    page.get_by_text("1Y", exact=True).click()
    expect(page).to_have_url(f"{url}?window=1Y")
    expect(page.locator("#portfolio-span")).to_have_text("2021-12-28 – 2022-12-28")
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2021-12-28'")))
    assert page.evaluate(f"{DATA}.slice(0, 2).map(trace => trace.y[0])") == [100, 100]
    low, high = page.evaluate(f"document.querySelector('{GRAPH} .js-plotly-plot')._fullLayout.yaxis.range")
    assert 70 < low < 75 and 103 < high < 107, "the scale fits what is shown"

    page.locator("#portfolio-parts").get_by_role("button", name="Trend following").click()
    expect(page).to_have_url(re.compile(r"portfolio=sample%3A[\w-]+&window=1Y$"))
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.name === 'Trend following'")))
    expect(page.locator(f"{CHOICE} option:checked")).to_have_text("Trend following (sample)")
    expect(page.locator("#portfolio-mark")).to_have_text("sample · data ends 2022-12-28")

    page.get_by_label("vs").select_option("none")
    expect(page).to_have_url(re.compile("benchmark=none"))
    until(lambda: bool(page.evaluate(f"{DATA}.length === 2")))
    expect(page.locator("#portfolio-cards")).not_to_contain_text("S&P 500")

    page.get_by_role("link", name="System").click()
    expect(page).to_have_title("System · Fundwatch")
    page.go_back()
    page.wait_for_selector(f"{GRAPH} .scatterlayer .trace", state="attached")
    expect(page).to_have_url(re.compile(r"benchmark=none&portfolio=sample%3A[\w-]+&window=1Y$"))
    expect(page.get_by_label("vs")).to_have_value("none")
    until(lambda: page.evaluate(f"{DATA}.map(trace => trace.name)") == ["Trend following", "drawdown"])


def test_a_zoom_draws_every_day_and_can_be_left(url: str, page: Page) -> None:
    open_fund(page, url)
    assert 700 < page.evaluate(f"{DATA}[0].x.length") < 1_000, "no more than there are pixels"
    drag_across(page)
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    leave = page.get_by_role("button", name="leave zoom")
    expect(leave).to_be_visible()
    until(lambda: page.evaluate(f"{DATA}[0]?.x[0] > '2014-01-02'"))
    days = page.evaluate(f"{DATA}[0].x")
    assert max(np.diff(np.array(days, dtype="datetime64[D]")).astype(int)) <= 5, "every trading day is there"
    assert page.evaluate(f"{DATA}[0].y[0]") == 100
    leave.click()
    expect(leave).to_have_count(0)
    expect(page).to_have_url(url)
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2014-01-02'")))


def test_a_phone_shows_all_without_scrolling_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844)
    open_fund(page, url)
    expect(page.locator("#portfolio-mark")).to_be_visible()
    expect(page.locator("#portfolio-parts-data tbody tr")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_accessibility_violations(url: str, open_page: Callable[..., Page], theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(theme=theme)
    open_fund(page, url)
    expect(page.locator("#portfolio-parts-data tbody tr")).to_have_count(5)
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
    results = Axe().run(page, options=rules)
    told = [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in results.response["violations"]]
    assert not told, "\n".join(told)
