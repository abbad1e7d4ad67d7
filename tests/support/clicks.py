"""Clicks on what a refresh draws anew."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

PATIENCE_MS = 30_000


def click_as_it_stands(button: Locator) -> None:
    """Click a button of a table where it is: playwright would first wait until it stands still, and on a busy machine
    the table is drawn anew before that."""
    button.click(force=True, timeout=PATIENCE_MS)


def press_over_a_redraw(page: Page, button: Locator) -> None:
    """Press a button, wait until its table was drawn anew beneath the pointer, and let it go."""
    button.hover(force=True, timeout=PATIENCE_MS)
    page.mouse.down()
    pressed = page.evaluate_handle("document.querySelector('button:active')")
    page.wait_for_function("button => !button.isConnected", arg=pressed, timeout=PATIENCE_MS)
    button.hover(force=True, timeout=PATIENCE_MS)  # what stands above it may have moved it
    page.mouse.up()
