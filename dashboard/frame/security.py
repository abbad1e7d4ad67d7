"""The door: who may ask for what, and the headers every answer carries.

One guard runs before every request and denies by default. It finds who sent the request (dashboard/frame/viewer.py):
until there is sign-in, what is not public is open only to readers on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from access.viewer import keep_viewer
from core.clock import Clock
from dashboard.frame.viewer import FindViewer
from dashboard.views.routes import needs
from dashboard.views.tab import Page, visible

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/favicon.ico", "/_favicon.ico"})
TELLS_MORE = frozenset({"/readyz"})
"""Public paths that tell more to whoever is found."""
PUBLIC_PREFIXES = ("/assets/", "/_dash-component-suites/", "/bootstrap/", "/ping/")
"""Jobs that ping cannot sign in: each carries a token of its own (dashboard/kinds/heartbeat/pings.py)."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})
CATCH_ALL = "/<path:path>"

COMMON_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin")]
DATA_HEADERS = [("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")]
PAGE_HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def install(server: Flask, *, host: str, pages: Sequence[Page], find_viewer: FindViewer) -> None:
    """Put the guard on `server`. `pages` answer with the dashboard; "/" leads to the first that the viewer may see."""
    hosts = LOOPBACK_NAMES | {host.lower()}
    by_path = {page.path: page for page in pages}

    @server.before_request
    def guard() -> AnyResponse | None:
        path = request.path
        if _host_name(request.environ.get("HTTP_HOST", "")) not in hosts:
            return refusal(400, "Unknown host", "Open Fundwatch as localhost or under the host in its settings.")
        if request.method not in SAFE_METHODS and not _same_site():
            return refusal(403, "Cross-site request refused", "Only Fundwatch's own pages may send this.")
        if is_public(path):
            if path in TELLS_MORE and (known := find_viewer(request)) is not None:
                keep_viewer(request.environ, known)
            return None if _is_answered() else _missing(path, ())
        viewer = find_viewer(request)
        if viewer is None:
            return refusal(403, "Not allowed", "Until there is sign-in, Fundwatch opens only to this machine.")
        keep_viewer(request.environ, viewer)
        page = by_path.get(path)
        if page is None and path != "/" and _is_answered():
            return None
        allowed = visible(pages, viewer.role)
        if page is None:
            return redirect(allowed[0].path, 302) if path == "/" and allowed else _missing(path, allowed)
        return None if page in allowed else refusal(403, "Not allowed", needs(page.role), allowed)


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
            headers += self._page if given.get("content-type", "").startswith("text/html") else DATA_HEADERS
            if "cache-control" not in given:
                headers.append(("Cache-Control", "no-store"))
            headers.append(("X-Fundwatch-Now", f"{self._clock.now():.3f}"))
            return start_response(status, headers, *rest)

        return self._application(environ, start)


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


def refusal(status: int, title: str, sentence: str, pages: Iterable[Page] = ()) -> Response:
    """Return a plain page that says why there is no answer, with links to where there is one."""
    from markupsafe import escape

    links = "".join(f'<li><a href="{escape(page.path)}">{escape(page.title)}</a></li>' for page in pages)
    body = (
        '<!doctype html><html lang="en" data-bs-theme="dark"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Fundwatch</title>"
        '<script src="/assets/boot/theme.js"></script><link rel="stylesheet" href="/assets/css/01-tokens.css">'
        '<link rel="stylesheet" href="/assets/boot/plain.css"></head>'
        f"<body><main><h1>{escape(title)}</h1><p>{escape(sentence)}</p><ul>{links}</ul></main></body></html>"
    )
    return Response(body, status=status, mimetype="text/html")


def is_public(path: str) -> bool:
    """Return whether a path answers anybody who knows the name of this machine."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)


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
    return refusal(404, "Page not found", f"There is no page {path[:200]}.", allowed)


@lru_cache(maxsize=1024)
def _host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; empty when it is malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
