"""Forms in a browser: what is typed survives a refresh, what is wrong is said beside its field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.roles import Role
from dashboard.components.form import form, text_field
from dashboard.views.form import Form, Said, Sent
from dashboard.views.tab import View
from tests.browser.conftest import Site
from tests.browser.demo import open_demo, refresh
from tests.support.application import create_app
from tests.support.frame import DEMO, PLAIN, FakeStores

pytestmark = pytest.mark.browser
ID = "demo-name"


@pytest.fixture
def named(serve: Callable[[Callable[..., object]], Site], demo: FakeStores) -> tuple[Site, list[str]]:
    names = ["Alpha"]

    def rename(sent: Sent, _viewer: Any) -> Said:
        if not sent["name"]:
            return Said("Not renamed.", is_done=False, fields={"name": "Give it a name."})
        names.append(sent["name"])
        demo.live.bump("demo")
        return Said(f"Renamed to {sent['name']}.")

    def build(stores: Any, choices: Any, viewer: Any) -> View:
        view = DEMO.build(stores, choices, viewer)  # type: ignore[misc]
        field = text_field(ID, "name", "Name", names[-1], hint="What it is called.")
        drawn = form("/demo/name", field, id=ID, does="Rename", question="Rename it?")
        return replace(view, slots={**view.slots, "demo-verdict": drawn})

    tab = replace(DEMO, build=build, forms=lambda _: [Form("/demo/name", rename, Role.OPERATOR)])
    return serve(create_app(demo, (tab, PLAIN)).server), names  # type: ignore[arg-type]


def test_a_form_asks_is_sent_with_the_keyboard_and_shows_what_holds_now(
    page: Page, named: tuple[Site, list[str]], demo: FakeStores
) -> None:
    site, names = named
    open_demo(page, site)
    box = page.get_by_role("textbox", name="Name")
    expect(box).to_have_value("Alpha")
    box.fill("Be")
    refresh(page, demo)
    expect(box).to_have_value("Be")  # still being typed
    box.press("End")
    box.press_sequentially("ta")
    box.press("Enter")
    page.get_by_role("button", name="Leave it").click()
    assert names == ["Alpha"]
    box.press("Enter")
    page.locator("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Renamed to Beta.")).to_be_visible()
    names.append("Gamma")  # by somebody else
    refresh(page, demo)
    expect(box).to_have_value("Gamma")


def test_what_is_wrong_stands_beside_the_field_which_has_the_focus(page: Page, named: tuple[Site, list[str]]) -> None:
    site, names = named
    open_demo(page, site)
    box = page.get_by_role("textbox", name="Name")
    box.fill("")
    box.press("Enter")
    page.locator("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Give it a name.")).to_be_visible()
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_be_focused()
    assert names == ["Alpha"]
