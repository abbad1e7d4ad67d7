"""Refreshes answered without Dash's dispatcher.

Nearly every request is the refresh of a page, and most of those find nothing new. Preparing such a call costs
Dash several times what the call itself takes. So it is answered here, by the same object and in the same form
as through Dash; a request that is another callback's goes on to Dash where its viewer has the role that it needs, and
one that is none goes no further.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from dash import no_update
from dash.exceptions import PreventUpdate
from flask import Flask, Response, request

from dashboard.frame import ids, measured
from dashboard.frame.viewer import current_viewer
from dashboard.views.callbacks import PATH, check
from dashboard.views.refresh import Refresh
from dashboard.views.rights import ask, callback_roles

UNCHANGED = 204
TICKED = [f"{ids.TICK}.n_intervals"]
"""What has changed where an open page asks for news because its interval is over."""


def install(server: Flask, refreshes: Mapping[str, Refresh], callbacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Answer the refreshes of `refreshes`, keyed by their Dash output. Call after the guard is on.

    callbacks: all that Dash knows, by output: a request of none of them is refused.
    """

    @server.before_request
    def shortcut() -> Response | None:
        if request.path != PATH or request.method != "POST":
            return None
        asked = _parsed(request.get_data())
        refresh = refreshes.get(asked.get("output", ""))
        values = _values(asked)
        if refresh is None or values is None:
            check(asked, callbacks)
            ask(callback_roles(server).get(asked["output"]), current_viewer())
            measured.is_callback(request.environ, asked["output"].strip(".").partition("-")[0])
            return None
        interval = values.get((ids.TICK, "interval")) if asked.get("changedPropIds") == TICKED else None
        measured.is_callback(request.environ, refresh.page.id, interval)
        return _answer(refresh, values)


def _answer(refresh: Refresh, values: Mapping[tuple[str, str], Any]) -> Response:
    page = refresh.page.id
    choices = values.get((ids.choices(page), "data"))
    seen, problem = values.get((ids.version(page), "data")), values.get((ids.problem(page), "children"))
    try:
        answers = refresh.asked(choices, seen, problem)
    except PreventUpdate:
        return Response(status=UNCHANGED)
    response: dict[str, dict[str, Any]] = {}
    for (id, prop), answer in zip(refresh.outputs, answers, strict=True):
        if answer is not no_update:
            response[id] = {prop: answer}
    return Response(orjson.dumps({"multi": True, "response": response}), mimetype="application/json")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return asked if isinstance(asked, dict) and isinstance(asked.get("output"), str) else {}


def _values(asked: Mapping[str, Any]) -> dict[tuple[str, str], Any] | None:
    """Return the values of the inputs and the state by (id, property); None when the request is no refresh."""
    try:
        items = [*asked["inputs"], *asked["state"]]
        return {(item["id"], item["property"]): item.get("value") for item in items}
    except (KeyError, TypeError, AttributeError):
        return None
