"""What axe-core finds on an open page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
SHOWN = 3
"""Elements of a violation that are told."""

_axe = Axe()


def violations(page: Page) -> list[str]:
    """Return a line for each rule that the page breaks: how bad, which, on how many elements, and the first of them."""
    return [
        f"{each['impact']}: {each['id']} ({len(each['nodes'])}): "
        + "; ".join(f"{node['target']} {node['html'][:160]} {_why(node)}" for node in each["nodes"][:SHOWN])
        for each in _axe.run(page, options=RULES).response["violations"]
    ]


def _why(node: dict[str, list[dict[str, str]]]) -> str:
    return " ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])[:240]
