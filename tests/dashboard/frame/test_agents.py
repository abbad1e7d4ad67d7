"""What browsers are called, by what they say of themselves."""

from __future__ import annotations

import pytest

from dashboard.frame.agents import browser_of

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = [
    (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} Chrome/140.0.0.0 Safari/537.36", "Chromium on Linux"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} HeadlessChrome/140.0.0.0 Safari/537.36", "Chromium on Linux"),
    (f"Mozilla/5.0 (Linux; Android 10; K) {KIT} Chrome/140.0.0.0 Mobile Safari/537.36", "Chromium on Android"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
     "Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
     "Safari/605.1.15", "Safari on macOS"),
    ("curl/8.5.0", "curl/8.5.0"),
    ("one two three four five", "one two three four"),
    ("x" * 200, "x" * 40),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "called"), AGENTS)
def test_a_browser_is_called_as_people_know_it(agent: str, called: str) -> None:
    assert browser_of(agent) == called
