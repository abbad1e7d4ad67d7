"""The door: who may ask for what, and the headers every answer carries.

One guard runs before every request and denies by default. What is public is one list, PUBLIC_PATHS and PUBLIC_PREFIXES.
Whoever asks for anything else has signed in, or is a program with a token (dashboard/frame/viewer.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from access.viewer import KEPT, LOCAL_NAME, Viewer, keep_viewer
from core.alerts.links import PATH as MESSAGE_LINKS
from core.clock import Clock
from core.errors import StorageError
from dashboard.frame.places import ACCOUNT, BACK, LINK, PROVIDER, SIGN_IN, SIGN_OUT, sign_in_path
from dashboard.frame.plain import problem, refusal
from dashboard.frame.viewer import FindViewer, bearer, is_api
from dashboard.views.problem import away
from dashboard.views.rights import needs
from dashboard.views.tab import Page, visible
from storage.state.audit import ASKED_FROM

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/favicon.ico", "/_favicon.ico", SIGN_IN, LINK, PROVIDER, BACK})
TELLS_MORE = frozenset({"/readyz"})
"""Public paths that tell more to whoever is found."""
PUBLIC_PREFIXES = ("/assets/", "/_dash-component-suites/", "/bootstrap/", "/ping/", MESSAGE_LINKS)
"""Jobs that ping cannot sign in, nor who reads a message on a telephone: each brings a token of its own
(dashboard/kinds/heartbeat/pings.py, dashboard/alerts/by_link.py)."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})
CATCH_ALL = "/<path:path>"
NEEDS_TOKEN = "Sign in, or send a token that is valid: Authorization: Bearer fw_…"

COMMON_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin")]
ONLY_TLS = ("Strict-Transport-Security", "max-age=31536000")
"""For a year a browser asks this host over TLS alone."""
DATA_HEADERS = [("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")]
PAGE_HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def install(server: Flask, *, hosts: Collection[str], pages: Sequence[Page], find_viewer: FindViewer) -> None:
    """Put the guard on `server`, which answers under `hosts` and this machine's own names.

    `pages` answer with the dashboard; "/" leads to the first that the viewer may see.
    """
    hosts = LOOPBACK_NAMES.union(hosts)
    by_path = {page.path: page for page in pages}

    @server.before_request
    def guard() -> AnyResponse | None:
        ASKED_FROM.set(request.remote_addr or "")
        path = request.path
        if _host_name(request.environ.get("HTTP_HOST", "")) not in hosts:
            return _refused(
                400, "Unknown host", "Open Fundwatch as localhost, or name the host in FUNDWATCH_ALLOWED_HOSTS."
            )
        if request.method not in SAFE_METHODS and not _same_site() and not _is_program():
            return _refused(403, "Cross-site request refused", "Only Fundwatch's own pages may send this.")
        if is_public(path):
            if path in TELLS_MORE and (known := _known(find_viewer)) is not None:
                keep_viewer(request.environ, known)
            return None if _is_answered() else _missing(path, ())
        try:
            viewer = request.environ.get(KEPT) or find_viewer(request)
        except StorageError as error:
            return _refused(503, "Not possible now", f"Who you are cannot be looked up. {away(error)}")
        page = by_path.get(path)
        if viewer is None:
            return _ask_to_sign_in(is_page=page is not None or path == "/" or not _is_answered())
        keep_viewer(request.environ, viewer)
        if page is None and path != "/" and _is_answered():
            return None
        allowed = visible(pages, viewer.role)
        if page is None:
            return redirect(allowed[0].path, 302) if path == "/" and allowed else _missing(path, allowed)
        if page in allowed:
            return None
        said = needs(page.role, f"see the page {page.title}")
        return refusal(403, "Not allowed", said, allowed, sign_in=_sign_in_of(viewer))

    @server.teardown_request
    def answered(_error: BaseException | None) -> None:
        ASKED_FROM.set("")


class Headers:
    """WSGI layer that adds the security headers: below Flask, because it runs on every refresh."""

    def __init__(self, application: WSGIApplication, clock: Clock, script_hashes: Iterable[str]) -> None:
        self._application = application
        self._clock = clock
        self._page = [*PAGE_HEADERS.items(), ("Content-Security-Policy", content_policy(script_hashes))]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, with the headers that belong to a page or to anything else."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            given = {name.lower(): value for name, value in headers}
            headers += COMMON_HEADERS
            if environ.get("wsgi.url_scheme") == "https":
                headers.append(ONLY_TLS)
            headers += self._page if _is_page(environ, given.get("content-type", "")) else DATA_HEADERS
            if "cache-control" not in given:
                headers.append(("Cache-Control", "no-store"))
            headers.append(("X-Fundwatch-Now", f"{self._clock.now():.3f}"))
            return start_response(status, headers, *rest)

        return self._application(environ, start)


def _is_page(environ: WSGIEnvironment, content_type: str) -> bool:
    """Return whether a browser may show an answer as a page; a part of one that a script fetches is data."""
    return content_type.startswith("text/html") and environ.get("HTTP_SEC_FETCH_DEST") != "empty"


def content_policy(script_hashes: Iterable[str]) -> str:
    """Return the Content-Security-Policy: own files only, plus inline scripts with these hashes.

    Plotly writes style elements, hence 'unsafe-inline' for styles alone.
    """
    quoted = (hash if hash.startswith("'") else f"'{hash}'" for hash in script_hashes)
    scripts = " ".join(["'self'", *quoted])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def is_public(path: str) -> bool:
    """Return whether a path answers anybody who knows the name of this machine."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)


def _known(find_viewer: FindViewer) -> Viewer | None:
    """Return who asks for what is public; None: nobody, or that cannot be looked up."""
    try:
        return find_viewer(request)
    except StorageError as error:
        away(error)
        return None


def _ask_to_sign_in(is_page: bool) -> AnyResponse:
    """Return how somebody is told that nobody may see this who has not signed in."""
    path = request.path
    if path.startswith((ACCOUNT, SIGN_OUT)):  # forms of pages without scripts
        return redirect(sign_in_path(ACCOUNT if path.startswith(ACCOUNT) else "/"), 303)
    if is_page and request.method in ("GET", "HEAD") and not is_api(path):
        return redirect(sign_in_path(request.full_path.rstrip("?")), 302)
    answer = _refused(401, "Not signed in", NEEDS_TOKEN if is_api(path) else "Sign in first.")
    answer.headers["WWW-Authenticate"] = 'Bearer realm="fundwatch"'
    return answer


def _refused(status: int, title: str, sentence: str, pages: Iterable[Page] = ()) -> Response:
    """Return why there is no answer: to a program as problem details (RFC 9457), to a page's script as a line."""
    if is_api(request.path):
        return problem(status, title, sentence)
    if status == 401:
        return Response(f"{sentence}\n", status, mimetype="text/plain")
    return refusal(status, title, sentence, pages)


def _sign_in_of(viewer: Viewer) -> str:
    """Return the address of the sign-in for who may then see the page; empty for who has signed in."""
    return sign_in_path(request.full_path.rstrip("?")) if viewer.name == LOCAL_NAME else ""


def _is_program() -> bool:
    """Return whether a request brings a token, which no browser adds by itself."""
    return is_api(request.path) and bearer(request) is not None


def _same_site() -> bool:
    fetch_site = request.environ.get("HTTP_SEC_FETCH_SITE")
    if fetch_site is not None:
        return fetch_site in SAME_SITE
    origin = request.environ.get("HTTP_ORIGIN")
    return origin is None or urlsplit(origin).netloc == request.environ.get("HTTP_HOST")


def _is_answered() -> bool:
    """Return whether a rule of its own answers the request, and not the one that answers every path with the page."""
    return request.url_rule is not None and request.url_rule.rule != CATCH_ALL


def _missing(path: str, allowed: Iterable[Page]) -> Response:
    return _refused(404, "Page not found", f"There is no page {path[:200]}.", allowed)


@lru_cache(maxsize=1024)
def _host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; empty when it is malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
