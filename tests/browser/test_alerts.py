"""What fires is on every page; it is acknowledged and muted in a browser, and a form that is half filled in stays."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.tabs import alert_history, alert_messages, alert_rules, alerts, events, silences, tokens
from storage.stores import Stores
from tests.browser.conftest import until
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.desk import Desk

pytestmark = pytest.mark.browser
PAGES = (
    tokens.TAB, events.PAGE, alerts.TAB, silences.PAGE, alert_rules.PAGE, alert_messages.PAGE, alert_history.PAGE,
)  # fmt: skip


@pytest.fixture
def desk(stores: Stores) -> Iterator[Desk]:
    """A desk whose engine runs, on the real clock."""
    desk, stopping = Desk(replace(stores, clock=SystemClock())), threading.Event()

    def run() -> None:
        while not stopping.is_set():
            desk.runner.step()
            stopping.wait(0.2)

    engine = threading.Thread(target=run)
    engine.start()
    yield desk
    stopping.set()
    engine.join()


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
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("icon-firing.svg"))
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
