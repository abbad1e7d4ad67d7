"""What axe-core finds on an open page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
SHOWN = 3
"""Elements of a violation that are told."""
SIZES = ((1440, 900), (390, 844))
SETTLES_MS = 400
"""What charts take to be drawn in other colours and at another size."""

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


def violations_in_every_look(page: Page) -> list[str]:
    """Return what an open page breaks wide and on a phone, dark and light, and where it scrolls sideways.

    The page stays as it is last: as narrow as a phone.
    """
    found: list[str] = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for _ in range(2):
            page.evaluate("document.getElementById('theme-switch').click()")
            page.wait_for_timeout(SETTLES_MS)
            theme = page.evaluate("document.documentElement.getAttribute('data-bs-theme')")
            found += [f"{width} {theme}: {line}" for line in violations(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{width}: it is {wide} px wide"] if wide > width else []
    return found
