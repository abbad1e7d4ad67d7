"""A page by keyboard alone: to a control with Tab, as people without a mouse come to it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

MOST_STOPS = 250


def tab_to(page: Page, control: Locator) -> None:
    """Press Tab until a control has the focus. Raises AssertionError: it cannot be reached."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if control.evaluate("(each) => each === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {control}")
