"""A note is written on one chart, marks others, and is deleted from the list: by mouse and by keyboard."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.tabs import events, system, tokens
from portfolio.events import list_events, write_event
from storage.stores import Stores
from tests.support import machine
from tests.support.accessibility import violations
from tests.support.application import create_app

pytestmark = pytest.mark.browser
PAGES = (system.TAB, tokens.TAB, events.PAGE)
SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const { hadRecentInput, value, sources } of list.getEntries()) {
    const moved = sources.map(({ node }) => node && (node.id || node.outerHTML || "").slice(0, 80));
    if (!hadRecentInput) window.shifts.push([value, ...moved]);
  }
}).observe({ type: "layout-shift" });
"""


@pytest.fixture
def running(stores: Stores) -> Stores:
    running = dataclasses.replace(stores, clock=SystemClock())
    now = time.time()
    machine.remember(running, now - 3_600, now)
    machine.show(running, now)
    return running


@pytest.fixture
def url(running: Stores, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(running, PAGES, lambda _: Viewer("ana", Role.OPERATOR)).server).url)


def flags(page: Page, graph: str) -> Any:
    return page.locator(f"#{graph} .annotation-text", has_text="▼")


def told_of(page: Page, who: str) -> str:
    """Return what the flag on the first chart tells who points at it; a refresh draws the chart anew and ends that."""
    for _ in range(20):
        page.mouse.move(0, 0)
        flags(page, "system-cpu-graph").hover()
        page.wait_for_timeout(100)
        told = page.locator("#system-cpu-graph .hoverlayer").text_content() or ""
        if who in told:
            return told
    raise AssertionError("the flag tells nothing")


def range_of(page: Page, graph: str) -> Any:
    return page.evaluate(f"document.querySelector('#{graph} .js-plotly-plot')._fullLayout.xaxis.range")


def test_a_note_on_one_chart_marks_the_others_until_it_is_deleted(page: Page, url: str, running: Stores) -> None:
    page.goto(f"{url}/system")
    page.wait_for_selector("#system-cpu[data-over-time] .scatterlayer .trace", state="attached")
    page.wait_for_selector("#system-load[data-over-time]", state="attached")
    page.locator("#system-cpu [data-tool=note]").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Note on CPU, %")
    expect(dialog.get_by_label("What")).to_be_focused()
    assert not violations(page)
    machine.show(running, time.time())  # what is stale by now would say so, in a line more
    page.wait_for_timeout(6_000)
    page.evaluate(SHIFTS)
    dialog.get_by_role("button", name="Write").click()
    expect(dialog.locator(".fw-field-wrong").first).to_contain_text("at least 1 character")
    page.keyboard.type("<b>Gateway</b> 4.2 & its limits")
    dialog.get_by_label("Tags").fill("deploy")
    dialog.get_by_label("Tags").press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#system-cpu [data-tool=note]"), "back to where it began").to_be_focused()
    expect(page.locator(".fw-done")).to_have_text("✓ Note written.")
    for graph in ("system-cpu-graph", "system-load-graph"):
        expect(flags(page, graph)).to_have_count(1)
    note = list_events(running, None)[0]
    assert abs(note.at - time.time()) < 60 and (note.kind, note.who, note.tags) == ("note", "ana", ("deploy",))
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) < 0.01, shifts

    assert "<b>Gateway</b> 4.2 & its limits" in told_of(page, "ana")
    page.locator("#system-cpu [data-tool=table]").click()
    expect(page.locator("#system-cpu .fw-panel-data table").last).to_contain_text("4.2 & its limits")

    page.goto(f"{url}/events")
    row = page.locator("#events-rows tbody tr")
    expect(row).to_contain_text("Gateway")
    row.get_by_role("button", name="Change").click()
    form = page.locator("form[action='/events/change']")
    assert abs(_seconds(page, form.get_by_label("When").input_value()) - note.at) < 1, "in the reader's zone"
    form.get_by_label("What").fill("Gateway 4.3")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Gateway 4.3")
    assert abs(list_events(running, None)[0].at - note.at) < 1
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.goto(f"{url}/system")
    page.wait_for_selector("#system-cpu .scatterlayer .trace", state="attached")
    expect(flags(page, "system-cpu-graph")).to_have_count(0)


def _seconds(page: Page, local: str) -> float:
    return float(page.evaluate("text => new Date(text).getTime() / 1000", local))


def test_a_mark_that_comes_moves_no_zoom_and_hides_no_line(page: Page, url: str, running: Stores) -> None:
    page.goto(f"{url}/system")
    page.wait_for_selector("#system-cpu .scatterlayer .trace", state="attached")
    box = page.locator("#system-cpu-graph .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    expect(page.get_by_role("button", name="leave zoom")).to_be_visible()
    page.wait_for_timeout(2_000)
    before = range_of(page, "system-cpu-graph")
    middle = page.evaluate("range => range.map(each => new Date(each.replace(' ', 'T')).getTime() / 2000)", before)
    at = sum(middle)
    span = {"at": _moment(at - 60), "until": _moment(at + 60)}
    write_event(running, {"text": "Maintenance", "component": "system", **span}, "ci", None)
    write_event(running, {"text": "of another tab", "component": "pipeline", **span}, "ci", None)
    write_event(running, {"text": "of another year", "at": _moment(at - 400 * 86_400)}, "ci", None)
    expect(flags(page, "system-cpu-graph")).to_have_count(1)
    assert range_of(page, "system-cpu-graph") == before
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    expect(
        page.locator("#system-cpu-graph .hoverlayer .legend, #system-cpu-graph .hoverlayer .hovertext").first
    ).to_be_visible()
    page.locator("#system-cpu [data-tool=note]").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_label("Until").input_value(), "the span that the chart is zoomed to"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert len(list_events(running, None)) == 3


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_the_button_is_for_those_who_may_write_and_on_charts_over_time(
    open_page: Callable[..., Page], running: Stores, serve: Callable[..., Any]
) -> None:
    viewer = serve(create_app(running, PAGES, lambda _: Viewer("vera", Role.VIEWER)).server).url
    page = open_page(width=390, height=844)
    page.goto(f"{viewer}/system")
    page.wait_for_selector("#system-cpu[data-over-time]")
    expect(page.locator("[data-tool=note]")).to_have_count(0)
    page.goto(f"{viewer}/events")
    expect(page.locator("#events-form")).to_contain_text("Operators and those above write notes")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
