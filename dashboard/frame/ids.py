"""Names of the frame's own elements. A page's elements are named `<page>-<thing>`."""

from __future__ import annotations

URL = "url"
ROUTE = "route"
PAGE = "page"
TICK = "tick"
DRAWER = "drawer"
BURGER = "burger"
NOTICES = "notices"


def choices(page: str) -> str:
    """The store of a page's choices."""
    return f"{page}-choices"


def version(page: str) -> str:
    """The store of the version of data and choices that a page shows."""
    return f"{page}-version"


def payload(page: str) -> str:
    """The store of what a refresh brings: figures, ages and notes."""
    return f"{page}-payload"


def problem(page: str) -> str:
    """The line that says why the last refresh of a page failed; empty when it did not."""
    return f"{page}-problem"
