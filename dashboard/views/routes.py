"""How data routes are answered. Each is registered here and nowhere else.

One way for all: find the viewer, ask for the role, parse the choices, say when storage does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from core.errors import NoPortfolio, StorageUnavailable
from core.roles import Role
from dashboard.frame.viewer import current_viewer
from dashboard.views.problem import problem_of
from dashboard.views.rights import declare, needs
from dashboard.views.route import TEXT, Answer, Route
from dashboard.views.tab import Choices, Page


def install(server: Flask, routes: Iterable[Route], page: Page) -> None:
    """Let `server` answer `routes` to viewers of their role, and of that of their `page`."""
    for route in routes:
        endpoint = f"data:{route.rule.replace('.', '-')}"  # Flask takes what stands before a dot for a blueprint
        needed = max(route.role, page.role)
        declare(server, needed, [endpoint])
        server.add_url_rule(route.rule, endpoint, _view(route, needed, page.title), methods=["GET"])


def _view(route: Route, role: Role, page: str) -> Callable[..., Response]:
    def view(**parts: Any) -> Response:
        viewer = current_viewer()
        if viewer.role < role:
            return _said(403, needs(role, f"get this from the page {page}"))
        choices = Choices.parse(request.query_string.decode("utf-8", "replace"))
        try:
            answer = route.answer(choices, viewer, **parts)
        except NoPortfolio as error:
            return _said(404, str(error))
        except StorageUnavailable as error:
            return _said(503, problem_of(error))
        return _said(404, "Not found.") if answer is None else _sent(answer)

    return view


def _sent(answer: Answer) -> Response:
    response = Response(answer.body, mimetype=answer.mimetype)
    if answer.filename:
        response.headers["Content-Disposition"] = f'attachment; filename="{answer.filename}"'
    return response


def _said(status: int, sentence: str) -> Response:
    return Response(sentence, status, mimetype=TEXT)
