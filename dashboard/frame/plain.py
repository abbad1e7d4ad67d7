"""Answers that carry no application and need no script: sign-in, refusals, "nothing here", and problems of programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from flask import Response
from markupsafe import Markup

from core.web.problem import PROBLEM

if TYPE_CHECKING:
    from dashboard.views.tab import Page

DOCUMENT = Markup(
    '<!doctype html><html lang="en" data-bs-theme="dark"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="dark light">'
    "<title>{title} · Fundwatch</title>"
    '<script src="/assets/boot/theme.js"></script><link rel="stylesheet" href="/assets/css/01-tokens.css">'
    '<link rel="stylesheet" href="/assets/boot/plain.css">'
    '<link rel="icon" type="image/svg+xml" href="/assets/boot/icon.svg"></head>'
    '<body><main{narrow}><p class="fw-plain-brand">Fundwatch</p><h1>{title}</h1>{body}</main></body></html>'
)
LINK = Markup('<li><a href="{path}">{title}</a></li>')


def plain_page(title: str, body: Markup, status: int = 200, *, is_narrow: bool = False) -> Response:
    """Return a page of this heading. `body` is HTML in which whatever was given by somebody is escaped."""
    narrow = Markup(' class="fw-plain-narrow"') if is_narrow else ""
    return Response(DOCUMENT.format(title=title, body=body, narrow=narrow), status=status, mimetype="text/html")


def refusal(status: int, title: str, sentence: str, pages: Iterable[Page] = (), sign_in: str = "") -> Response:
    """Return a plain page that says why there is no answer, with links to where there is one.

    sign_in: address of the sign-in, where that may help.
    """
    links = [(sign_in, "Sign in")] if sign_in else []
    links += [(page.path, page.title) for page in pages]
    listed = Markup().join(LINK.format(path=path, title=title) for path, title in links)
    return plain_page(title, Markup("<p>{}</p><ul>{}</ul>").format(sentence, listed), status)


def problem(status: int, title: str, sentence: str, **more: str) -> Response:
    """Return why a program gets no answer, as problem details (RFC 9457)."""
    told: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
    told |= {"field": "", "fix": "", "allowed": [], **more}
    return Response(orjson.dumps(told), status, mimetype=PROBLEM)
