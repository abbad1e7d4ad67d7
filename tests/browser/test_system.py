"""A journey through the system tab in a real browser, on real stores."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.clock import SystemClock
from dashboard.tabs import system
from storage.stores import Stores
from tests.browser.conftest import until
from tests.support import machine
from tests.support.application import create_app

pytestmark = pytest.mark.browser
PLOT = "document.querySelector('#system-load-graph .js-plotly-plot')"


@pytest.fixture
def site(stores: Stores, serve: Callable[..., Any]) -> tuple[Stores, str]:
    running = dataclasses.replace(stores, clock=SystemClock())
    now = time.time()
    machine.remember(running, now - 3_600, now)
    machine.show(running, now)
    app = create_app(running, pages=(system.TAB,))
    return running, serve(app.server).url + "/system"


def drag(page: Page, left: float, right: float) -> None:
    box = page.locator("#system-load-graph .nsewdrag").first.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * left, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * right, y, steps=6)
    page.mouse.up()


def test_from_verdict_to_a_finer_look_and_back(site: tuple[Stores, str], page: Page) -> None:
    stores, url = site
    page.goto(url)
    expect(page.locator("#system-verdict")).to_contain_text("Disk /data")
    page.locator("#system-load-graph").scroll_into_view_if_needed()
    page.wait_for_selector("#system-load-graph .scatterlayer .trace", state="attached")

    drag(page, 0.4, 0.6)
    page.wait_for_url("**from=*to=*")
    leave = page.get_by_role("button", name="leave zoom")
    expect(leave).to_be_visible()
    finer = (
        f"{PLOT}.data[0].x.length > 100 && !{PLOT}.layout.xaxis.range.join().includes('.')"  # a drag's are fractions
    )
    until(lambda: bool(page.evaluate(finer)), seconds=60)

    before = page.evaluate(f"{PLOT}.layout.xaxis.range.join()")
    machine.show(stores, time.time(), cpu=0.95)
    expect(page.locator("#system-card-cpu")).to_contain_text("95.0 %")
    expect(page.locator("#system-card-cpu")).to_contain_text("critical")
    assert page.evaluate(f"{PLOT}.layout.xaxis.range.join()") == before, "a refresh must not move a zoomed window"

    leave.click()
    expect(leave).to_have_count(0)
    assert "from=" not in page.url
    until(lambda: bool(page.evaluate(f"new Date({PLOT}._fullLayout.xaxis.range[1]) > Date.now() - 6e4")), seconds=60)

    page.get_by_text("15 m", exact=True).click()
    page.wait_for_url("**window=15m**")
    page.reload()
    expect(page.locator("input[type=radio][value='15m']")).to_be_checked()


def test_processes_sort_filter_and_keep_both_over_a_refresh(site: tuple[Stores, str], page: Page) -> None:
    stores, url = site
    page.goto(url)
    rows = page.locator("#system-processes-rows tbody tr:visible td:first-child")
    count = page.locator("#system-processes .fw-filter-count")
    expect(rows.first).to_have_text("worker 0")
    expect(count).to_have_text("40 rows")
    page.get_by_role("button", name="CPU", exact=True).click()
    expect(rows.first).to_have_text("worker 39")
    page.keyboard.press("/")
    page.keyboard.type("TRADE 7.00")
    expect(count).to_have_text("2 of 40")
    expect(rows.first).to_have_text("worker 33")
    machine.show(stores, time.time(), cpu=0.91)
    expect(page.locator("#system-card-cpu")).to_contain_text("91.0 %")
    expect(count).to_have_text("2 of 40")
    expect(rows.first).to_have_text("worker 33")
    page.keyboard.press("Escape")
    expect(count).to_have_text("40 rows")
    expect(rows.first).to_have_text("worker 39")
    page.get_by_label("Filter processes").fill("no such process")
    expect(rows).to_have_count(0)
    expect(count).to_have_text("nothing matches")


def test_a_phone_shows_all_without_scrolling_sideways(site: tuple[Stores, str], open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844, theme="light")
    page.goto(site[1])
    page.locator("#system-load-graph").scroll_into_view_if_needed()
    page.wait_for_selector("#system-load-graph .scatterlayer .trace", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#system-cards .fw-card").count() == 8
    widths = page.evaluate("[...document.querySelectorAll('.fw-card')].map(c => c.getBoundingClientRect().width)")
    assert min(widths) > 150
