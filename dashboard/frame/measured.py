"""How long each request takes: a WSGI layer above all others, since every refresh goes through it.

It names what answered by its rule; callbacks, which have one address, are named by the shortcut for refreshes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from core.clock import Clock
from core.web.spec import CALLBACK, OTHER
from core.web.tally import Tally

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE, NEWS = "fundwatch.route", "fundwatch.news"
"""Keys of a WSGI environment: the name of what answers; the page that asks for news, and how often it does."""
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 120.0
"""Between two such requests of a page, whatever it says: the slowest pace with what it waits while it is refused."""
EVERY_PATH = "/<path:path>"


class Measured:
    """The application, with each of its answers counted by `tally`."""

    def __init__(
        self, application: WSGIApplication, tally: Tally, clock: Clock, page_paths: frozenset[str]
    ) -> None:  # fmt: skip
        self._application = application
        self._tally = tally
        self._clock = clock
        self._page_paths = page_paths

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does. What fails without an answer counts as 500."""
        status, rule = "500", ""

        def start(said: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status, rule
            # Flask takes its request out of the environment as soon as it has answered.
            asked = environ.get("werkzeug.request")
            status, rule = said, asked.url_rule.rule if asked is not None and asked.url_rule is not None else ""
            return start_response(said, headers, *rest)

        began = time.perf_counter()
        try:
            return self._application(environ, start)
        finally:
            seconds, now = time.perf_counter() - began, self._clock.now()
            route = environ.get(ROUTE) or self._route(rule, environ.get("PATH_INFO", ""))
            self._tally.answered(route, environ["REQUEST_METHOD"], int(status[:3]), seconds, now)
            if NEWS in environ:
                page, every_seconds = environ[NEWS]
                address, browser = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", "")
                self._tally.asked_for_news(_client(address, browser, page), now, every_seconds)

    def _route(self, rule: str, path: str) -> str:
        """Return the rule that answered; of the one that answers every path, the page or that it is none."""
        if rule and rule != EVERY_PATH:
            return rule
        return path if path in self._page_paths else OTHER


def is_callback(environ: MutableMapping[str, Any], page: str, interval_ms: Any = None) -> None:
    """Say that a request is a callback of a page; with its interval, that it asks for news since that is over."""
    environ[ROUTE] = f"{CALLBACK} {page}" if page.isidentifier() else CALLBACK
    if type(interval_ms) in (int, float):
        environ[NEWS] = (page, min(max(interval_ms / 1_000, SHORTEST_SECONDS), LONGEST_SECONDS))


@lru_cache(maxsize=4096)
def _client(address: str, browser: str, page: str) -> str:
    """Return what tells a browser and its page from others, without telling which they are."""
    return blake2b(f"{address}\n{browser}\n{page}".encode(), digest_size=8).hexdigest()
