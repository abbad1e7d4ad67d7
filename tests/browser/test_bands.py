"""Incidents as bands on charts: what one tells by mouse and by keyboard, the switch, and a zoom that stays."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from core.alerts.rule import Rule
from core.alerts.spec import HISTORY
from core.clock import SystemClock
from dashboard.portfolio.firing import with_firing
from dashboard.tabs import portfolio, system
from portfolio.alert_places import charts_of
from storage.state.alerts import HistoryRow, add_history
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.browser.test_events import SHIFTS, range_of
from tests.support import machine
from tests.support.api import put_daily
from tests.support.application import create_app

pytestmark = pytest.mark.browser
CPU = "system-cpu-graph"
DISK = orjson.dumps({"collector": "system", "component": "Disk /", "machine": "host-1"}).decode()


@pytest.fixture
def running(stores: Stores) -> Stores:
    running = dataclasses.replace(stores, clock=SystemClock())
    now = time.time()
    machine.remember(running, now - 3_600, now)
    machine.show(running, now)
    happened(running, now - 2_400, "fires", "critical")
    happened(running, now - 1_800, "resolved", "critical")
    return running


def happened(stores: Stores, at: float, what: str, severity: str) -> None:
    with stores.state.begin() as connection:
        add_history(connection, [HistoryRow(at, what, "machine", DISK, severity, detail="Disk / is <b>97 %</b> full")])
    stores.live.bump(HISTORY)


@pytest.fixture
def url(running: Stores, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(running, (system.TAB,)).server).url)


def signs(page: Page, graph: str = CPU) -> Any:
    return page.locator(f"#{graph} .annotation-text", has_text="✕")


def bands(page: Page) -> int:
    """Return how many stretches are shaded on the first chart."""
    shapes = f"document.querySelector('#{CPU} .js-plotly-plot').layout.shapes"
    found: int = page.evaluate(f"{shapes}.filter(each => each.type === 'rect' && each.opacity).length")
    return found


def settled(page: Page) -> Any:
    """Return what the first chart shows when two refreshes in a row leave it as it is."""
    for _ in range(20):
        before = range_of(page, CPU)
        page.wait_for_timeout(6_000)
        if range_of(page, CPU) == before:
            return before
    raise AssertionError("it never settles")


def told_of(page: Page) -> str:
    for _ in range(20):
        page.mouse.move(0, 0)
        signs(page).hover()
        page.wait_for_timeout(100)
        if "97 %" in (told := page.locator(f"#{CPU} .hoverlayer").text_content() or ""):
            return told
    raise AssertionError("the band tells nothing")


def test_a_band_tells_what_fired_is_hidden_and_shown_and_moves_no_zoom(page: Page, url: str, running: Stores) -> None:
    page.goto(f"{url}/system")
    page.wait_for_selector("#system-cpu[data-over-time] .scatterlayer .trace", state="attached", timeout=120_000)
    expect(signs(page)).to_have_count(1)
    expect(signs(page, "system-load-graph")).to_have_count(1)
    assert bands(page) == 1
    told = told_of(page)
    assert "critical: The machine" in told and "Disk / is <b>97 %</b> full" in told and " – " in told
    table = page.locator("#system-cpu [data-tool=table]")
    table.focus()
    page.keyboard.press("Enter")
    shown = page.locator("#system-cpu .fw-panel-data table").last
    expect(shown).to_contain_text("The machine")
    expect(shown).to_contain_text("critical")
    assert not [each["id"] for each in Axe().run(page).response["violations"]]
    page.keyboard.press("Enter")

    box = page.locator(f"#{CPU} .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    expect(page.get_by_role("button", name="leave zoom")).to_be_visible()
    before = settled(page)
    machine.show(running, time.time())  # what is stale by now would say so, in a line more
    page.wait_for_timeout(6_000)
    page.evaluate(SHIFTS)
    happened(running, time.time() - 900, "fires", "critical")
    expect(signs(page)).to_have_count(2)
    assert bands(page) == 2
    assert range_of(page, CPU) == before
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) < 0.01, shifts

    switch = page.locator("#system-cpu [data-tool=incidents]")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.focus()
    page.keyboard.press("Enter")
    for graph in (CPU, "system-load-graph"):
        expect(signs(page, graph)).to_have_count(0)
    expect(page.locator("#system-load [data-tool=incidents]")).to_have_attribute("aria-pressed", "false")
    page.reload()
    page.wait_for_selector("#system-cpu .scatterlayer .trace", state="attached", timeout=120_000)
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(signs(page)).to_have_count(0)
    switch.focus()
    page.keyboard.press("Enter")
    expect(signs(page)).to_have_count(2)
    assert range_of(page, CPU) == before


def test_the_link_of_an_alert_on_a_portfolio_shows_its_days_with_its_band(
    page: Page, stores: Stores, serve: Callable[..., Any]
) -> None:
    """Values come by the day: of today there is none yet, and what fired within one day is a band all the same."""
    now = time.time()
    here = dataclasses.replace(stores, clock=SystemClock())
    put_portfolios(here.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(here, "alpha", [100.0 + number % 7 for number in range(400)], end=int(now) - 86_400)
    of = {"portfolio": "alpha"}
    early = now - now % 86_400 - 10 * 86_400 + 3_600
    for at, what, rule in ((early, "fires", "early"), (early + 60, "resolved", "early"), (now, "fires", "loss")):
        with here.state.begin() as connection:
            row = HistoryRow(at, what, rule, orjson.dumps(of).decode(), "critical", detail=f"Alpha: {rule}")
            add_history(connection, [row])
    loss = Rule.model_validate({"name": "loss", "when": "daily_return < -5 %"})
    url = serve(create_app(here, (with_firing(portfolio.TAB),)).server).url
    page.goto(f"{url}{charts_of(here, of, now, loss, now)}")
    page.wait_for_selector("#portfolio-growth-graph .scatterlayer .trace", state="attached", timeout=120_000)
    expect(signs(page, "portfolio-growth-graph")).to_have_count(2)
    shown = "document.querySelector('#portfolio-growth-graph .js-plotly-plot').layout"
    first, last = (day[:10] for day in page.evaluate(f"{shown}.xaxis.range"))
    days = [str(np.datetime64(int(at), "s").astype("datetime64[D]")) for at in (now - 93 * 86_400, now - 86_400)]
    assert days[0] <= first and last <= days[1], "zoomed: 92 days before it began, until the last value"
    bands_of = page.evaluate(
        f"{shown}.shapes.filter(each => each.opacity && each.type === 'rect').map(each => each.x1)"
    )
    began = str(np.datetime64(int(early), "s").astype("datetime64[D]"))
    assert [each[:10] for each in bands_of] == [began, last]
