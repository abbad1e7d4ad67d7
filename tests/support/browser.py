"""Headless Chromium as Debian ships it, told not to call anywhere."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--expose-gc",
)


def launch(playwright: Playwright) -> Browser:
    """Return a browser. Raises AssertionError when there is none: a browser test never skips."""
    return playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))


def executable() -> str:
    """Return the path of the browser. Raises AssertionError when there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "this needs Chromium: apt-get install chromium"
    return path
