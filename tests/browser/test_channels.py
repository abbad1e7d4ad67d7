"""A channel is made, tried, changed and switched off in a browser, and its secret is in no page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from access.viewer import Viewer
from alerting.quiet import Causes
from alerting.runner import Runner
from alerting.sender import Sender
from core.clock import SystemClock
from core.roles import Role
from core.settings.channels import Channels
from dashboard.tabs import alert_messages, alerts, channel_editor
from portfolio.channel_set import channels_in_force
from storage.stores import Stores
from tests.browser.conftest import until
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.desk import Desk, running
from tests.support.receivers import Receiver

pytestmark = pytest.mark.browser
SECRET = "hush-hush-hush"
SETTINGS = Channels.model_validate({"webhook": [{"name": "room", "url": "http://127.0.0.1:9/in", "per_hour": 20}]})


@pytest.fixture
def desk(stores: Stores) -> Iterator[Desk]:
    """A desk whose engine runs and sends, on the real clock."""
    settings = stores.settings.model_copy(update={"channels": SETTINGS})
    desk = Desk(replace(stores, clock=SystemClock(), settings=settings))
    of = desk.stores

    def deliver(token: int) -> Sender:
        return Sender(
            of.state, partial(channels_in_force, of), of.clock.now, token, machine="m1", address="https://f.x"
        )

    desk.runner = Runner(of, lambda: desk.rules, desk, desk.route, Causes({}), None, deliver)

    with running(desk):
        yield desk
    desk.runner.stop(10)


def test_a_channel_is_made_tried_changed_and_switched_off(desk: Desk, page: Page, serve: Callable[..., Any]) -> None:
    pages = (alerts.TAB, alert_messages.PAGE, channel_editor.PAGE)
    url = serve(create_app(desk.stores, pages, lambda _: Viewer("root", Role.ADMIN)).server).url
    with Receiver() as oms:
        page.goto(f"{url}/alerts/messages")
        page.get_by_role("link", name="Add a channel").click()
        page.get_by_label("Kind").select_option("webhook")
        form = page.locator("#channel-editor")
        form.get_by_label("Name").fill("oms")
        form.locator("[name=url]").fill("ftp://elsewhere")
        form.get_by_text("More", exact=True).click()
        form.locator("[name=per_hour]").fill("many")
        form.get_by_text("More", exact=True).click()
        form.get_by_role("button", name="Save").click()
        expect(form).to_contain_text("must be a URL")
        expect(form.locator("[name=per_hour]")).to_be_visible()
        expect(form).to_contain_text("must be a whole number")
        assert not violations(page)
        form.locator("[name=url]").fill(f"{oms.url}/in?key={SECRET}")
        form.locator("[name=headers]").fill(f"X-Desk: {SECRET}")
        form.locator("[name=per_hour]").fill("30")
        form.get_by_role("button", name="Save").click()
        row = page.locator("#channels-rows tr", has_text="oms")
        expect(row).to_contain_text("made here, made by root")
        until(lambda: bool(oms.received))  # a channel that was made is tried at once
        row.get_by_role("button", name="Send a test").click()
        until(lambda: len(oms.received) == 2)
        expect(row).to_contain_text("2 of 30 an hour")
        assert not violations(page) and SECRET not in page.content()
        row.get_by_role("link", name="Edit").click()
        expect(form.locator("[name=headers]")).to_have_value("X-Desk: \n")
        expect(form).to_contain_text("Kept: leave it empty to keep it.")
        assert SECRET not in page.content()
        form.get_by_label("critical").uncheck()
        form.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("warning, urgent")
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        assert "name: oms" in (text := Path(download.value.path()).read_text()) and SECRET not in text
        row.get_by_role("button", name="Switch off").click()
        page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
        expect(row).to_contain_text("○ off")
        expect(row.get_by_role("button", name="Send a test")).to_have_count(0)
        assert oms.received[0].headers["x-desk"] == SECRET and len(oms.received) == 2
