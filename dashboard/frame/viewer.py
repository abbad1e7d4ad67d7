"""Who looks at a page, as the request says: found by the guard (dashboard/frame/security.py)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Request, request

from access.sessions import Signed, cookie_name
from access.tokens import PREFIX, Bearers
from access.viewer import Viewer, local_viewer, viewer_of
from core.settings.binding import is_loopback
from core.settings.model import LOOPBACK_OPEN
from dashboard.frame.forwarded import CAME_THROUGH
from dashboard.frame.places import ACCOUNT, SIGN_IN, SIGN_OUT

if TYPE_CHECKING:
    from storage.stores import Stores

FindViewer = Callable[[Request], Viewer | None]
"""Returns who sent a request; None: nobody who may see anything that is not public."""
API_PREFIX, METRICS = "/api/", "/metrics"
BEARER = "Bearer "
OF_ACCOUNT = (ACCOUNT, SIGN_IN, SIGN_OUT)
"""What begins like this is for people with an account, and for those who have yet to set up their second factor."""
OF_PROXIES = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_", CAME_THROUGH)
"""What the headers of a request that came through a proxy begin with, as WSGI has them, and the mark of one."""

OF_PAGES = ("HTTP_ORIGIN", "HTTP_REFERER")
"""What says on which page a request was made, as the browser has its address."""
OF_OTHER_SITES = frozenset({"cross-site", "same-site"})


def find_signed_in(stores: Stores) -> FindViewer:
    """Return what finds who is signed in, whose token a program has, or a reader on this machine where that is open.

    It raises StorageUnavailable when that cannot be looked up.
    """
    signed, settings = Signed(stores.state, stores.settings, stores.clock), stores.settings
    local = local_viewer() if settings.sign_in == LOOPBACK_OPEN else None
    names = cookie_name(settings, is_secure=False), cookie_name(settings, is_secure=True)
    bearers = Bearers(stores.state, settings, stores.clock)

    def find(request: Request) -> Viewer | None:
        secret = secret_of(request)
        if secret is not None:  # for programs alone: a page is no place for a token
            return bearers.viewer(secret, request.remote_addr or "") if is_api(request.path) else None
        who = signed.who(request.cookies.get(names[request.is_secure], ""))
        is_own = request.path.startswith(OF_ACCOUNT)
        if who is not None:
            return None if who.lacks_second_factor and not is_own else who.viewer
        return local if local is not None and not is_own and _is_here(request) else None

    return find


def current_viewer() -> Viewer:
    """Return who sent the present request."""
    return viewer_of(request.environ)


def bearer(request: Request) -> str | None:
    """Return the secret that a request brings in its header Authorization; None: it has none of the kind Bearer."""
    sent = request.environ.get("HTTP_AUTHORIZATION", "")
    return sent[len(BEARER) :].strip() if sent[: len(BEARER)].lower() == BEARER.lower() else None


def secret_of(request: Request) -> str | None:
    """Return the secret of a token that a request brings, as `bearer` or as the password of HTTP Basic (RFC 7617).

    None: it brings none. Any name may stand before the password: clients that know no other way ask for one. A password
    that is no secret of a token is that of a proxy in front, which hands it on.
    """
    found = bearer(request)
    if found is not None or not is_api(request.path):
        return found
    given = request.authorization
    password = given.password or "" if given is not None and given.type == "basic" else ""
    return password if password.startswith(PREFIX) else None


def is_api(path: str) -> bool:
    """Return whether programs ask there."""
    return path.startswith(API_PREFIX) or path == METRICS


def _is_here(request: Request) -> bool:
    """Return whether a request was sent on this machine, and by nobody for somebody else.

    A proxy that says nothing of itself is told by the name that it was asked for, here or on the page that asks, and by
    HTTP/1.0: nginx speaks that where nobody has told it otherwise, and no browser does.
    """
    environ = request.environ
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" or any(name.startswith(OF_PROXIES) for name in environ):
        return False
    # A link on another site may lead here: then the page that asks is that one.
    pages = () if environ.get("HTTP_SEC_FETCH_SITE") in OF_OTHER_SITES else OF_PAGES
    asked = (f"//{environ.get('HTTP_HOST', '')}", *(environ[name] for name in pages if name in environ))
    return all(map(_is_loopback_address, asked)) and is_loopback(request.remote_addr or "")


@lru_cache(maxsize=256)
def _is_loopback_address(address: str) -> bool:
    """Return whether an address is one of this machine by itself."""
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:
        return False
