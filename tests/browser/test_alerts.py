"""What fires is on every page; it is acknowledged and muted in a browser, and a form that is half filled in stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.viewer import Viewer
from core.clock import SystemClock
from core.model import Sample
from core.roles import Role
from dashboard.tabs import alert_history, alert_messages, alert_rules, alerts, events, rule_editor, silences, tokens
from storage.stores import Stores
from tests.browser.conftest import until
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.desk import Desk, running

pytestmark = pytest.mark.browser
PAGES = (
    tokens.TAB, events.PAGE, alerts.TAB, silences.PAGE, alert_rules.PAGE, alert_messages.PAGE, alert_history.PAGE,
)  # fmt: skip


@pytest.fixture
def desk(stores: Stores) -> Iterator[Desk]:
    """A desk whose engine runs, on the real clock."""
    with running(Desk(replace(stores, clock=SystemClock()))) as desk:
        yield desk


@pytest.fixture
def url(desk: Desk, serve: Callable[..., Any]) -> str:
    return str(serve(create_app(desk.stores, PAGES, lambda _: Viewer("ana", Role.OPERATOR)).server).url)


def test_what_fires_is_told_on_every_page_and_acknowledged(desk: Desk, page: Page, url: str) -> None:
    page.goto(f"{url}/alerts")
    expect(page.locator(".fw-empty-title")).to_have_text("Nothing fires")
    expect(page.locator(".fw-nav .fw-tab-count")).to_be_hidden()
    desk.busy()
    block = page.locator("#alerts-incident-1")
    expect(block).to_contain_text("CPU of host-1 is 93% busy")
    expect(page.locator(".fw-nav .fw-tab-count")).to_have_text("✕ 1")
    expect(page).to_have_title("(1) Open alerts · Fundwatch")
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile(r"^data:image/svg\+xml,.*%3E1%3C%2Ftext%3E%3C%2Fsvg%3E"))
    block.get_by_label("For").select_option("14400")
    page.wait_for_timeout(2_500)
    expect(block.get_by_label("For")).to_have_value("14400")
    block.get_by_role("button", name="Acknowledge").click()
    expect(block).to_contain_text("ana has it in hand until")
    expect(block.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert not violations(page)
    page.goto(f"{url}/events")
    expect(page).to_have_title("(1) Events · Fundwatch")


def test_everything_is_muted_and_a_banner_on_another_page_ends_it(desk: Desk, page: Page, url: str) -> None:
    desk.busy()
    page.goto(f"{url}/alerts/silences")
    form = page.locator("#silences-mute")
    form.get_by_label("Why").fill("a drill")
    form.get_by_role("button", name="Mute everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Mute everything").click()
    banner = page.locator("#muted")
    expect(banner).to_contain_text("ana: a drill")
    page.goto(f"{url}/events")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="End it").click()
    expect(banner).to_be_hidden()
    until(lambda: page.title() == "(1) Events · Fundwatch")


COUNTED = """
    window.tones = 0;
    const made = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { window.tones += 1; return made.call(this); };
"""


def test_an_urgent_alert_is_heard_once_where_somebody_wants_that(desk: Desk, page: Page, url: str) -> None:
    page.add_init_script(COUNTED)
    page.goto(f"{url}/alerts")
    switch = page.get_by_role("button", name="Sound for urgent")
    expect(switch).to_have_text("Sound for urgent: off")
    desk.lose("alpha")
    expect(page.locator(".fw-nav .fw-tab-count")).to_have_text("‼ 1")
    assert page.evaluate("window.tones") == 0, "off until it is wanted"
    page.get_by_role("button", name="Try it").click()
    until(lambda: page.evaluate("window.tones") == 3)
    switch.click()
    expect(switch).to_have_text("Sound for urgent: on")
    expect(switch).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.tones") == 3, "what fired before was seen"
    desk.busy()
    expect(page.locator(".fw-nav .fw-tab-count")).to_have_text("‼ 2")
    assert page.evaluate("window.tones") == 3, "critical is not urgent"
    desk.lose("alpha", "beta")
    until(lambda: page.evaluate("window.tones") == 6)
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.tones") == 6
    page.reload()
    expect(page.get_by_role("button", name="Sound for urgent")).to_have_text("Sound for urgent: on")


def test_a_rule_is_made_tried_on_the_past_saved_listed_and_exported(
    desk: Desk, page: Page, serve: Callable[..., Any]
) -> None:
    now = desk.stores.clock.now()
    for ago in range(3_600, 0, -15):
        used = 0.95 if 1_800 < ago <= 2_700 else 0.2
        desk.stores.writer.put("host-1", now - ago, [Sample("system_swap_used_ratio", used)])
    desk.stores.writer.flush()
    url = serve(create_app(desk.stores, (*PAGES, rule_editor.PAGE), lambda _: Viewer("root", Role.ADMIN)).server).url
    page.goto(f"{url}/alerts/rules")
    page.get_by_role("link", name="New rule").click()
    form = page.locator("#rule-editor")
    form.get_by_label("Name").fill("swap-full")
    form.get_by_label("What to watch").fill("system_swap_used_rato")
    form.get_by_label("Value").fill("90 %")
    form.get_by_role("button", name="Check and back-test").click()
    expect(form).to_contain_text("Did you mean system_swap_used_ratio?")
    form.get_by_label("What to watch").fill("system_swap_used_ratio")
    form.locator("[name=for]").fill("5 min")
    form.get_by_role("button", name="Check and back-test").click()
    expect(page.locator("#rule-editor-told-table")).to_contain_text("It would have fired 1 time")
    expect(page.locator("#rule-editor-past .js-plotly-plot .shapelayer path").first).to_be_attached()
    ends = page.evaluate(
        "document.querySelector('#rule-editor-past .js-plotly-plot')._fullLayout.xaxis.range.map(Date.parse)"
    )
    assert 3_600_000 <= ends[1] - ends[0] < 8 * 86_400_000, "the days that were looked at, and none to come"
    yaml = form.get_by_label("As YAML")
    expect(yaml).to_have_value(re.compile("when: system_swap_used_ratio > 90 %\n  for: 5 min"))
    check = form.get_by_role("button", name="Check and back-test")
    expect(check).to_be_focused()
    right = yaml.input_value()
    yaml.fill(right.replace("when:", "wen:"))
    check.click()
    expect(form).to_contain_text("wen: is no field")
    expect(page.get_by_text("It would have fired 1 time")).to_be_hidden()
    expect(page.locator("#rule-editor-past .js-plotly-plot")).to_be_hidden()
    expect(page.get_by_text("The rule is right.")).to_have_count(0)
    yaml.fill(right)
    with page.expect_navigation():
        check.click()
    expect(page.get_by_text("It would have fired 1 time")).to_be_visible()
    assert not violations(page)
    form.get_by_role("button", name="Save").click()
    row = page.locator("#rules-all-table tr", has_text="swap-full")
    expect(row).to_contain_text("made here")
    with page.expect_download() as download:
        row.get_by_role("link", name="Export").click()
    assert "name: swap-full" in Path(download.value.path()).read_text()
