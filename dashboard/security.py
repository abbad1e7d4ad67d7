"""The door: who may ask for what, and the headers every answer carries.

One guard runs before every request and denies by default. Until there is sign-in, what is not public is open
only to readers on this machine; sign-in will stand in `_may_enter`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, request

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
PUBLIC_PATHS = frozenset({"/healthz", "/favicon.ico", "/_favicon.ico"})
PUBLIC_PREFIXES = ("/assets/", "/_dash-component-suites/", "/bootstrap/")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})
CATCH_ALL = "/<path:path>"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def install(server: Flask, *, host: str, pages: Collection[str]) -> None:
    """Put the guard and the headers on `server`. `pages` are the paths that answer with the dashboard."""
    hosts = LOOPBACK_NAMES | {host.lower()}

    @server.before_request
    def guard() -> Response | None:
        if _host_name(request.host) not in hosts:
            return refusal(400, "Unknown host", "Fundwatch answers only under the name it was started with.")
        if request.method not in SAFE_METHODS and not _same_site():
            return refusal(403, "Cross-site request refused", "Only Fundwatch's own pages may send this.")
        if not _may_enter(request.path, request.remote_addr):
            return refusal(403, "Not allowed", "Until there is sign-in, Fundwatch opens only to this machine.")
        rule = request.url_rule
        if (rule is None or rule.rule == CATCH_ALL) and request.path not in pages:
            return refusal(404, "Nothing here", f"Fundwatch has no page {request.path[:200]}.", pages)
        return None

    @server.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", content_policy(()))
        if not request.path.startswith(PUBLIC_PREFIXES):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def content_policy(script_hashes: Iterable[str]) -> str:
    """Return the Content-Security-Policy: own files only, plus inline scripts with these hashes.

    Plotly and AG Grid write style elements, hence 'unsafe-inline' for styles alone.
    """
    scripts = " ".join(["'self'", *script_hashes])
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


def refusal(status: int, title: str, sentence: str, pages: Collection[str] = ()) -> Response:
    """Return a plain page that says why there is no answer, with links to where there is one."""
    from markupsafe import escape

    links = "".join(f'<li><a href="{escape(page)}">{escape(page)}</a></li>' for page in sorted(pages))
    body = (
        '<!doctype html><html lang="en" data-bs-theme="dark"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Fundwatch</title>"
        '<script src="/assets/boot/theme.js"></script><link rel="stylesheet" href="/assets/css/01-tokens.css">'
        '<link rel="stylesheet" href="/assets/boot/plain.css"></head>'
        f"<body><main><h1>{escape(title)}</h1><p>{escape(sentence)}</p><ul>{links}</ul></main></body></html>"
    )
    return Response(body, status=status, mimetype="text/html")


def _may_enter(path: str, address: str | None) -> bool:
    if path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES):
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _same_site() -> bool:
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in SAME_SITE
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; empty when it is malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
