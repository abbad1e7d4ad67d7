"""What is answered, and logged, when a request is refused or fails: one line for each kind, however often it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from access.viewer import KEPT
from core.errors import StorageUnavailable
from dashboard.views.callbacks import PATH
from dashboard.views.problem import away, problem_of

log = logging.getLogger(__name__)


def install(server: Flask) -> None:
    """Answer what is malformed with its status and one sentence, and log one line for each kind of it.

    An error that nobody expected is a 500, and its traceback is logged once for each place that it came from.
    """
    told: set[object] = set()

    def once(kind: object, tell: Callable[..., None], text: str, *values: object) -> None:
        if kind not in told:
            told.add(kind)
            tell(text, *values)

    @server.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error
        rule = request.url_rule.rule if request.url_rule else "no route"
        sentence = error.description or error.name
        known = sentence if request.path == PATH else error.name
        once((error.code, rule, known), log.warning, "refused with %d at %s: %s", error.code, rule, known)
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return Response(f"{sentence}\n", error.code, headers, mimetype="text/plain")

    @server.errorhandler(DependencyException)
    def no_file(_error: DependencyException) -> Response | HTTPException:
        return refused(NotFound())

    @server.errorhandler(StorageUnavailable)
    def no_answer(error: StorageUnavailable) -> Response:
        sentence = problem_of(error) if KEPT in request.environ else away(error)
        return Response(f"{sentence}\n", 503, mimetype="text/plain")

    @server.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        rule = request.url_rule.rule if request.url_rule else "no route"
        once((type(error), rule, _place(error)), log.exception, "%s %s failed", request.method, rule)
        return Response("Fundwatch failed at this; its log says why.\n", 500, mimetype="text/plain")


def _place(error: BaseException) -> tuple[str, int]:
    """Return file and line where an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return ("", 0) if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
