"""Names of the frame's own elements. A tab's elements are named `<tab>-<thing>`."""

from __future__ import annotations

URL = "url"
ROUTE = "route"
PAGE = "page"
TICK = "tick"
THEME = "theme"
DRAWER = "drawer"
BURGER = "burger"


def choices(tab: str) -> str:
    """The store of a tab's choices."""
    return f"{tab}-choices"


def version(tab: str) -> str:
    """The store of the version of data and choices that a tab shows."""
    return f"{tab}-version"


def payload(tab: str) -> str:
    """The store of what a refresh brings: figures, ages and notes."""
    return f"{tab}-payload"


def zooms(tab: str) -> str:
    """The store that hears of zooms; it holds nothing."""
    return f"{tab}-zooms"


def problem(tab: str) -> str:
    """The line that says why the last refresh of a tab failed; empty when it did not."""
    return f"{tab}-problem"
