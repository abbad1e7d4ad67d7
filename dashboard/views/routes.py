"""How data routes are answered. Each is registered here and nowhere else.

One way for all: find the viewer, ask for the role of the page, parse the choices, say when storage does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from core.errors import NoPortfolio, StorageError
from core.roles import Role
from dashboard.frame.viewer import current_viewer
from dashboard.views.problem import problem_of
from dashboard.views.route import TEXT, Answer, Route
from dashboard.views.tab import Choices

REGISTERED = "fundwatch-data-routes"
"""Key of Flask.extensions under which a server's data routes stand, by endpoint."""


def install(server: Flask, routes: Iterable[Route], role: Role = Role.VIEWER) -> None:
    """Let `server` answer `routes` to viewers of this role or more."""
    for route in routes:
        endpoint = f"data:{route.rule.replace('.', '-')}"  # Flask takes what stands before a dot for a blueprint
        server.extensions.setdefault(REGISTERED, {})[endpoint] = role
        server.add_url_rule(route.rule, endpoint, _view(route, role), methods=["GET"])


def _view(route: Route, role: Role) -> Callable[..., Response]:
    def view(**parts: Any) -> Response:
        viewer = current_viewer()
        if viewer.role < role:
            return _said(403, needs(role))
        choices = Choices.parse(request.query_string.decode("utf-8", "replace"))
        try:
            answer = route.answer(choices, viewer, **parts)
        except NoPortfolio as error:
            return _said(404, str(error))
        except StorageError as error:
            return _said(503, problem_of(error))
        return _said(404, "Not found.") if answer is None else _sent(answer)

    return view


def needs(role: Role) -> str:
    """Return the sentence for a viewer whose role is too low."""
    return f"This needs the role {role.word}."


def _sent(answer: Answer) -> Response:
    response = Response(answer.body, mimetype=answer.mimetype)
    if answer.filename:
        response.headers["Content-Disposition"] = f'attachment; filename="{answer.filename}"'
    return response


def _said(status: int, sentence: str) -> Response:
    return Response(sentence, status, mimetype=TEXT)
