"""The dead man's switch: an address outside is called as long as alerting works, and tells people when the calls end.

It is called after the auditor found nothing wrong, and never else: what is stuck is as good as dead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import requests

TIMEOUT_SECONDS = (5.0, 5.0)
"""To connect, and to wait for the answer's head; its body is not read."""

log = logging.getLogger(__name__)


class Watchdog:
    """Calls the address again and again."""

    def __init__(
        self, url: str, interval_seconds: float, is_active: Callable[[], bool], audit: Callable[[], Sequence[str]]
    ) -> None:
        """Return it. url: empty: nothing is called, and alerting is looked at all the same."""
        self._url = url
        self._interval_seconds = interval_seconds
        self._is_active = is_active
        self._audit = audit
        self._said = ""

    def run(self, stopping: threading.Event) -> None:
        """Look and call until told to stop."""
        while not stopping.wait(self._interval_seconds):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 (without this loop nobody outside would hear of anything)
                self._say(f"the watchdog failed: {type(error).__name__}")

    def step(self) -> bool:
        """Look once, and call if all is well. Return whether the address was reached."""
        if not self._is_active():
            return False
        if wrong := self._audit():
            self._say(f"not well, so the watchdog is not called: {'; '.join(wrong)}")
            return False
        if not self._url:
            self._say("")
            return False
        problem = call(self._url)
        self._say(problem and f"the watchdog cannot be called: {problem}")
        return not problem

    def _say(self, problem: str) -> None:
        """Log it, once as long as it lasts."""
        if problem and problem != self._said:
            log.error("alerts: %s", problem)
        self._said = problem


def call(url: str) -> str:
    """Call an address and return what went wrong; empty: nothing. The address, which is a secret, is not repeated."""
    try:
        with requests.get(url, timeout=TIMEOUT_SECONDS, stream=True, allow_redirects=False) as answer:
            return "" if answer.status_code // 100 == 2 else f"{urlsplit(url).hostname} answers {answer.status_code}"
    except requests.RequestException as error:
        return f"{urlsplit(url).hostname}: {type(error).__name__}"
