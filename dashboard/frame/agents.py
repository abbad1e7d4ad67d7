"""What a browser is called, by what it says of itself (User-Agent): as people know it."""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chromium"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
)
"""By a mark of it, the more special first: nearly all call themselves Safari too."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
WORDS, MOST_CHARACTERS = 4, 40


def browser_of(agent: str) -> str:
    """Return browser and system, such as "Firefox on Windows"; of what is no known browser its first words."""
    browser = _first(BROWSERS, agent)
    if not browser:
        return " ".join(agent.split()[:WORDS])[:MOST_CHARACTERS]
    system = _first(SYSTEMS, agent)
    return f"{browser} on {system}" if system else browser


def _first(marks: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in marks if mark in agent), "")
