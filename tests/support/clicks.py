"""Clicks on what refreshes change."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

PATIENCE_MS = 30_000
REFRESHES_MS = 2_500
"""Two of a page that refreshes each second, and some."""


def click_as_it_stands(button: Locator) -> None:
    """Click a button of a table where it is: playwright would first wait until it stands still, and on a busy machine
    the table is drawn anew before that."""
    button.click(force=True, timeout=PATIENCE_MS)


def press_over_refreshes(page: Page, button: Locator) -> None:
    """Press a button, let refreshes come beneath the pointer, and let it go: its row stays what it was."""
    button.hover(force=True, timeout=PATIENCE_MS)
    page.mouse.down()
    pressed = page.evaluate_handle("document.querySelector('button:active')")
    page.wait_for_timeout(REFRESHES_MS)
    assert pressed.evaluate("button => button.isConnected")
    button.hover(force=True, timeout=PATIENCE_MS)  # what stands above it may have moved it
    page.mouse.up()
