"""Puts the API on a server: /api/v1 and /api/v2, its document and docs page, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, jsonify, request

from access.sessions import cookie_name
from access.viewer import KEPT, viewer_of
from api.alertmanager.serve import install as install_alertmanager
from api.docs_page import page
from api.document import document
from api.mount import BASE, checked, declare, mount, problem_response
from api.openmetrics import exposition
from api.operation import READ, Operation
from api.problem import Refused
from api.ready import away
from api.resources import (
    access,
    alert_history,
    alerts,
    attribution,
    benchmarks,
    channels,
    courses,
    events,
    execution,
    exposure,
    halts,
    history,
    holdings,
    ingest,
    limits,
    metrics,
    network,
    notices,
    pipeline,
    portfolios,
    readiness,
    reconciliation,
    risk,
    round_trips,
    rules,
    silences,
    status,
    stress,
)
from core.roles import Role
from core.web.bodies import BODY_LIMITS, MOST_BODY_BYTES

if TYPE_CHECKING:
    from storage.stores import Stores

OPERATIONS = (
    *status.OPERATIONS,
    *history.OPERATIONS,
    *metrics.OPERATIONS,
    *network.OPERATIONS,
    *pipeline.OPERATIONS,
    *portfolios.OPERATIONS,
    *courses.OPERATIONS,
    *exposure.OPERATIONS,
    *execution.OPERATIONS,
    *risk.OPERATIONS,
    *stress.OPERATIONS,
    *holdings.OPERATIONS,
    *attribution.OPERATIONS,
    *reconciliation.OPERATIONS,
    *round_trips.OPERATIONS,
    *limits.OPERATIONS,
    *benchmarks.OPERATIONS,
    *events.OPERATIONS,
    *readiness.OPERATIONS,
    *halts.OPERATIONS,
    *alerts.OPERATIONS,
    *alert_history.OPERATIONS,
    *notices.OPERATIONS,
    *silences.OPERATIONS,
    *rules.OPERATIONS,
    *channels.OPERATIONS,
    *ingest.OPERATIONS,
    *access.OPERATIONS,
)
"""THE list of resources, in the order of the document."""


def install(server: Flask, stores: Stores, operations: Sequence[Operation] = OPERATIONS) -> None:
    """Let `server` answer the API over these stores. Its guard finds who asks; all but /readyz needs somebody."""
    mount(server, stores, operations)
    install_alertmanager(server, stores)
    most = server.extensions.setdefault(BODY_LIMITS, {})
    for operation in operations:
        if operation.rows is not None:
            most[BASE + operation.path] = max(stores.settings.ingest.most_bytes, MOST_BODY_BYTES)

    @cache
    def told(is_secure: bool) -> dict[str, Any]:
        return document(operations, cookie_name(stores.settings, is_secure=is_secure))

    @server.get(f"{BASE}/openapi.json")
    def openapi() -> Response:
        return _given(orjson.dumps(told(request.is_secure)), "application/json")

    @server.get("/api/docs")
    def docs() -> Response:
        return _given(page(told(request.is_secure), request.host_url.rstrip("/")).encode(), "text/html")

    @server.get("/metrics")
    def prometheus() -> Response:
        refused = _refused()
        if refused is not None:
            return refused
        body, kind = exposition(stores, viewer_of(request.environ).portfolios, request.headers.get("Accept", ""))
        return Response(body, content_type=kind, headers={"Vary": "Accept"})

    for endpoint in ("openapi", "docs", "prometheus"):
        declare(server, endpoint, Role.VIEWER)

    @server.get("/readyz")
    def readyz() -> tuple[Response, int]:
        why = away(stores)
        answer: dict[str, object] = {"ready": not why}
        if KEPT in request.environ:
            answer["why"] = why
        return jsonify(answer), 503 if why else 200


def _given(body: bytes, kind: str) -> Response:
    return _refused() or Response(body, mimetype=kind)


def _refused() -> Response | None:
    """Return the answer to somebody who may not read; None for who may."""
    try:
        checked(viewer_of(request.environ), role=Role.VIEWER, scope=READ)
    except Refused as refused:
        return problem_response(refused)
    return None
