"""Answers /api/v2 by the rights of /api/v1: each call as data, and how it is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, request

from access.viewer import CHANGING_ROLE, Viewer, viewer_of
from api.alertmanager.alerts import (
    Firing,
    Wanted,
    alerts_as_json,
    groups_as_json,
    receivers_as_json,
    wanted_of,
)
from api.alertmanager.sending import read_alerts
from api.alertmanager.silences import expire_silence, find_silence, list_silences, put_silence, silence_as_json
from api.alertmanager.status import status_as_json
from api.body import KIND
from api.mount import SHARED, checked, declare, problem_response
from api.operation import READ
from api.problem import Refused
from api.resources.alerts import SCOPE
from core.alerts.silence import When
from core.errors import ChangeRejected, StorageUnavailable
from core.format import count
from core.roles import Role
from portfolio.alerts import sight_of
from portfolio.channel_set import channel_set
from status.alerts import NOT_EVALUATED, alerts_now
from storage.live.sent_alerts import put_sent

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)
BASE = "/api/v2"
MOST_BYTES = 65_536
"""Of a silence."""
MOST_BYTES_OF_ALERTS = 1_048_576
"""Of a batch: a Prometheus sends 64 alerts at once."""
MOST_TOLD = 10
"""Of alerts that are not taken."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one request asks."""

    stores: Stores
    viewer: Viewer
    started_at: float
    """When this process began to answer, epoch seconds."""
    id: str = ""
    """Of a silence, in the path."""


@dataclass(frozen=True, slots=True)
class Answering:
    """One address and method. What `answer` returns is sent as JSON, None as nothing; it raises Refused."""

    path: str
    answer: Callable[[Call], Any]
    method: str = "GET"
    role: Role = Role.VIEWER
    scope: str = READ
    is_shared: bool = False

    @property
    def endpoint(self) -> str:
        """The name by which Flask knows it."""
        return f"alertmanager:{self.method} {self.path}"


def _status(call: Call) -> Any:
    channels = channel_set(call.stores)
    # Routes name portfolios, and who is told of them.
    routes = channels.routes if call.viewer.portfolios is None else ()
    return status_as_json(routes, channels.in_force, call.started_at)


def _receivers(call: Call) -> Any:
    return receivers_as_json(channel_set(call.stores).in_force)


def _alerts(call: Call) -> Any:
    return alerts_as_json(_firing(call), _wanted())


def _groups(call: Call) -> Any:
    return groups_as_json(_firing(call), _wanted())


def _firing(call: Call) -> Firing:
    """Return what fires. Raises Refused while nobody knows: an empty list would say that all is well."""
    known = alerts_now(call.stores)
    if known.is_stale or known.evaluated_at is None:
        why = known.problem if call.viewer.portfolios is None else NOT_EVALUATED
        raise Refused(503, f"what fires is not known: {why}")
    sight = sight_of(call.stores, call.viewer.portfolios)
    firing = sight.seen(known.firing)
    incidents = sight.incidents(known.incidents, firing)
    return Firing(firing, incidents, known.evaluated_at, channel_set(call.stores).routes)


def _wanted() -> Wanted:
    return wanted_of(request.args.getlist("filter"), request.args.get("receiver", ""), request.args)


def _silences(call: Call) -> Any:
    sight = sight_of(call.stores, call.viewer.portfolios)
    return list_silences(call.stores, sight, request.args.getlist("filter"), request.args.getlist("creator"))


def _put_alerts(call: Call) -> None:
    """Take alerts. Raises Refused that says which ones were not, after the others were taken."""
    now = call.stores.clock.now()
    found, wrong = read_alerts(_sent(MOST_BYTES_OF_ALERTS), now)
    put_sent(call.stores.live, found, now)
    if wrong:
        told = "; ".join(wrong[:MOST_TOLD])
        more = f"; {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        raise Refused(400, f"{told}{more}; {count(len(found), 'other alert')} taken")


def _sent(most_bytes: int) -> bytes:
    """Return the body of the request. Raises Refused for one that is no JSON, or too large."""
    if request.mimetype != KIND:
        raise Refused(415, f"unsupported media type, send {KIND}")
    body = request.stream.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise Refused(413, f"more than {most_bytes:,} bytes")
    return body


def _put_silence(call: Call) -> Any:
    body = _sent(MOST_BYTES)
    sight = sight_of(call.stores, call.viewer.portfolios)
    return {"silenceID": put_silence(call.stores, sight, body, call.viewer.name)}


def _silence(call: Call) -> Any:
    found = find_silence(call.stores, sight_of(call.stores, call.viewer.portfolios), call.id)
    if found is None:
        raise Refused(404, f"silence {call.id[:40]} not found")
    return silence_as_json(found, call.stores.clock.now())


def _expire(call: Call) -> None:
    found = find_silence(call.stores, sight_of(call.stores, call.viewer.portfolios), call.id)
    if found is None:
        raise Refused(404, f"silence {call.id[:40]} not found")
    if found.when(call.stores.clock.now()) is When.EXPIRED:
        raise Refused(500, f"silence {call.id[:40]} already expired")
    expire_silence(call.stores, found.id, call.viewer.name)


ANSWERS = (
    Answering("/status", _status),
    Answering("/receivers", _receivers),
    Answering("/alerts", _alerts),
    Answering("/alerts", _put_alerts, "POST", CHANGING_ROLE, SCOPE, is_shared=True),
    Answering("/alerts/groups", _groups),
    Answering("/silences", _silences),
    Answering("/silences", _put_silence, "POST", CHANGING_ROLE, SCOPE, is_shared=True),
    Answering("/silence/<id>", _silence),
    Answering("/silence/<id>", _expire, "DELETE", CHANGING_ROLE, SCOPE, is_shared=True),
)
"""THE list of what is offered."""


def install(server: Flask, stores: Stores) -> None:
    """Let `server` answer /api/v2. Its guard has found who asks."""
    started_at = stores.clock.now()
    for each in ANSWERS:
        view = partial(_view, each, stores, started_at)
        server.add_url_rule(
            BASE + each.path, each.endpoint, view, methods=[each.method], provide_automatic_options=False
        )
        declare(server, each.endpoint, each.role)


def _view(answering: Answering, stores: Stores, started_at: float, id: str = "") -> Response:
    viewer = viewer_of(request.environ)
    try:
        checked(viewer, role=answering.role, scope=answering.scope)
        if answering.is_shared and viewer.portfolios is not None:
            raise Refused(403, SHARED, fix="Ask an administrator.")
    except Refused as refused:
        return problem_response(refused)
    try:
        answer = answering.answer(Call(stores, viewer, started_at, id))
    except Refused as refused:
        # Its clients know a wrong request as 400, and read the reason as a JSON text.
        status = refused.problem.status
        return _json(str(refused), HTTPStatus.BAD_REQUEST if status == HTTPStatus.UNPROCESSABLE_ENTITY else status)
    except ChangeRejected as error:
        wrong = "; ".join(f"{name} {why}" for name, why in error.fields.items())
        return _json(f"{error.reason} {wrong}".strip(), HTTPStatus.BAD_REQUEST)
    except StorageUnavailable as error:
        return _json(f"storage does not answer: {error}", HTTPStatus.SERVICE_UNAVAILABLE)
    except Exception:
        log.exception("%s failed", answering.endpoint)
        return _json("Fundwatch failed at this; its log says why", HTTPStatus.INTERNAL_SERVER_ERROR)
    return Response(status=200) if answer is None else _json(answer, 200)


def _json(answer: Any, status: int) -> Response:
    return Response(orjson.dumps(answer), status, mimetype=KIND)
