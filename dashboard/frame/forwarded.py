"""Who asks through a reverse proxy: told by its X-Forwarded-For, -Proto and -Host, and believed of no one else."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from core.settings.binding import address_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOR, PROTO, HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
TOLD = (FOR, PROTO, HOST, "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
"""Headers that a client can send as well as a proxy: taken out, whoever sent them."""
CAME_THROUGH = "fundwatch.came_through_a_proxy"
"""Key of the environment of a request that brought one of them: it may be of anybody, wherever it comes from."""
SCHEMES = frozenset({"http", "https"})
REFUSED = (
    b"Not this way: FUNDWATCH_TRUSTED_PROXY names the reverse proxies of Fundwatch, and your address is none of them. "
    b"Open Fundwatch under the proxy's name.\n"
)
log = logging.getLogger(__name__)


class Forwarded:
    """WSGI layer, the outermost: after it REMOTE_ADDR, the scheme and HTTP_HOST are those of the browser.

    With proxies a request from any other address is refused with 403; without, it is as it came.
    """

    def __init__(self, application: WSGIApplication, proxies: Sequence[str]) -> None:
        """Return the layer; proxies: their addresses or networks."""
        self._application = application
        self._networks = [ipaddress.ip_network(each) for each in proxies]
        self._is_proxy = lru_cache(maxsize=1024)(self._lies_in_network)
        self._has_told = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does."""
        told = {name: environ.pop(name) for name in TOLD if name in environ}
        if told:
            environ[CAME_THROUGH] = True
        if self._networks:
            if not self._is_proxy(environ.get("REMOTE_ADDR", "")):
                return self._refuse(environ, start_response)
            self._take(environ, told)
        return self._application(environ, start_response)

    def _take(self, environ: WSGIEnvironment, told: dict[str, str]) -> None:
        """Put what the proxy told into the environment; each adds at the end, so the last that is no proxy asked."""
        hops = [each for each in map(_address, told.get(FOR, "").split(",")) if each]
        asked = next((each for each in reversed(hops) if not self._is_proxy(each)), hops[0] if hops else "")
        if asked:
            environ["REMOTE_ADDR"] = asked
        scheme = told.get(PROTO, "").rsplit(",", 1)[-1].strip().lower()
        if scheme in SCHEMES:
            environ["wsgi.url_scheme"] = scheme
        if host := told.get(HOST, "").rsplit(",", 1)[-1].strip():
            environ["HTTP_HOST"] = host

    def _refuse(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._has_told:
            self._has_told = True
            log.warning(
                "a request from %s, which is no proxy of FUNDWATCH_TRUSTED_PROXY, is refused",
                environ.get("REMOTE_ADDR", "an unknown address"),
            )
        start_response(
            "403 Forbidden",
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(REFUSED)))],
        )
        return [REFUSED]

    def _lies_in_network(self, address: str) -> bool:
        found = address_of(address)
        return found is not None and any(found in network for network in self._networks)


def _address(text: str) -> str:
    """Return the address in an item of X-Forwarded-For, without its port; empty when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
