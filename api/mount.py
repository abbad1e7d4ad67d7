"""How operations are answered: rights, parameters, the shared answer of this second, ETag, type and compression.

The guard of the application stands in front and has found who asks; here that is only held against what an operation
needs. Whoever comes without having been found is refused.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, request

from access.viewer import KEPT, Viewer, viewer_of
from api import formats
from api.body import sent_body
from api.operation import READ, Ask, Operation
from api.paging import place
from api.parameters import Listed, parsed
from api.problem import BatchProblem, Refused, RowProblem
from core.errors import ChangeRejected, RowsRefused, StorageUnavailable
from core.memo import Memo
from core.roles import Role
from core.web.problem import PROBLEM

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)
BASE = "/api/v1"
ANSWERS_KEPT = 16
SMALLEST_BYTES = 1_400
"""Below one network packet nothing is gained by compressing."""
_AGES = re.compile(rb'"age_seconds":[0-9.e+]+')
ROLES = "fundwatch-rule-roles"
"""Key of Flask.extensions under which the least role of each endpoint stands, for whoever walks all of them."""
REST = "api:rest"
"""Endpoint of whatever else lies below /api/."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SHARED = "This changes what all portfolios share: it needs somebody who may see every portfolio."


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as it is sent."""

    body: bytes
    kind: str
    etag: str
    next: str | None
    status: int = 200


def mount(server: Flask, stores: Stores, operations: Sequence[Operation]) -> None:
    """Let `server` answer the operations, and with a problem whatever else lies below /api/."""
    answers: Memo[Sent] = Memo(ANSWERS_KEPT)
    packed: Memo[bytes] = Memo(ANSWERS_KEPT)
    failed: set[tuple[str, str]] = set()
    for operation in operations:
        rule = BASE + re.sub(r"\{(\w+)\}", r"<path:\1>", operation.path)
        reads = operation.method == "GET"
        make = partial(_answer, operation, stores, answers, packed) if reads else partial(_done, operation, stores)
        view = _answering(make, failed)
        endpoint = endpoint_of(operation)
        methods = [operation.method]
        server.add_url_rule(rule, endpoint, view, methods=methods, merge_slashes=False, provide_automatic_options=False)
        declare(server, endpoint, operation.role)
    view = _answering(_nothing, failed)
    server.add_url_rule("/api/<path:rest>", REST, view, methods=METHODS, merge_slashes=False)
    declare(server, REST, Role.VIEWER)


def endpoint_of(operation: Operation) -> str:
    """Return the name by which Flask knows an operation."""
    return f"api:{operation.path}" if operation.method == "GET" else f"api:{operation.method} {operation.path}"


def declare(server: Flask, endpoint: str, role: Role) -> None:
    """Say which role is the least that an endpoint answers."""
    server.extensions.setdefault(ROLES, {})[endpoint] = role


def problem_response(refused: Refused) -> Response:
    """Return the answer of a request that is refused."""
    problem = refused.problem
    return Response(problem.model_dump_json(), problem.status, mimetype=PROBLEM)


def checked(viewer: Viewer, *, role: int, scope: str) -> None:
    """Raise Refused unless the request's sender was found and may ask for what needs a role and a scope."""
    if KEPT not in request.environ:
        raise Refused(401, "Nobody is signed in.", fix="Sign in, or send Authorization: Bearer with a token.")
    if viewer.role < role:
        does = "see" if request.method in ("GET", "HEAD") else "do"
        raise Refused(403, f"Your role, {viewer.role.word}, may not {does} this.", fix="Ask an administrator.")
    scopes = getattr(viewer, "scopes", None)
    if scopes is not None and scope not in scopes:
        fix = f"Use a token that has the scope {scope}."
        raise Refused(403, f"This token is not for {scope}.", field="Authorization", fix=fix)


def _answering(make: Callable[[dict[str, str]], Response], failed: set[tuple[str, str]]) -> Callable[..., Response]:
    """Return a view that answers with what is made, or with the problem that kept it from being made."""

    def view(**parts: str) -> Response:
        try:
            return make(parts)
        except Refused as refused:
            return problem_response(refused)
        except ChangeRejected as error:
            return problem_response(_rejected(error))
        except RowsRefused as error:
            return problem_response(rows_refused(error))
        except StorageUnavailable as error:
            fix = "Ask again in some seconds; /api/v1/status says what is away."
            return problem_response(Refused(503, f"Storage does not answer: {error}", fix=fix))
        except Exception as error:
            kind = (type(error).__name__, f"{request.method} {request.url_rule}")
            if kind not in failed:
                failed.add(kind)
                log.exception("%s failed", kind[1])
            return problem_response(Refused(500, "Fundwatch failed at this; its log says why."))

    return view


def _rejected(error: ChangeRejected) -> Refused:
    """Return the refusal of a change, which names the first field that is wrong."""
    field, wrong = next(iter(error.fields.items()), ("", ""))
    return Refused(422, error.reason, field=field, fix=f"{field}: {wrong}" if field else "")


def rows_refused(error: RowsRefused) -> Refused:
    """Return the refusal of a batch, which names every row that is wrong."""
    first, others = error.faults[0], len(error.faults) + error.more - 1
    more = f", and {others:,} more" if others else ""
    where = f"Row {first.row}: " if first.row else ""
    named = f"{first.field} " if first.field else ""
    refused = Refused(422, f"Nothing was stored. {where}{named}{first.reason}{more}.", field=first.field, fix=first.fix)
    rows = [RowProblem.model_validate(fault, from_attributes=True) for fault in error.faults]
    refused.problem = BatchProblem(**refused.problem.model_dump(), rows=rows, more=error.more)
    return refused


def _done(operation: Operation, stores: Stores, parts: dict[str, str]) -> Response:
    """Do what an operation is for, and answer with what it returns."""
    viewer = viewer_of(request.environ)
    checked(viewer, role=operation.role, scope=operation.scope)
    if operation.is_shared and viewer.portfolios is not None:
        raise Refused(403, SHARED, fix="Ask an administrator.")
    if operation.method not in _methods_of(request.path):
        return _not_offered()
    kind = formats.chosen(request.accept_mimetypes, is_list=False)
    query = parsed(operation.query, request.args)
    body = sent_body(operation.body, request) if operation.body is not None else None
    answer = operation.answer(Ask(stores, viewer, query, stores.clock.now(), None, parts, body))
    return Response(answer.model_dump_json(by_alias=True), operation.status, content_type=kind)


def _answer(
    operation: Operation, stores: Stores, answers: Memo[Sent], packed: Memo[bytes], parts: dict[str, str]
) -> Response:
    viewer = viewer_of(request.environ)
    checked(viewer, role=operation.role, scope=operation.scope)
    if any("/" in each for each in parts.values()) and "GET" not in _methods_of(request.path):
        return _not_offered()
    kind = formats.chosen(request.accept_mimetypes, is_list=operation.is_list)
    now = stores.clock.now()
    make = partial(_made, operation, parts, stores, viewer, kind, now)
    if operation.datasets is None:
        sent = make()
    else:
        version = stores.live.version(*operation.datasets(stores.settings))
        asked = (operation.path, *parts.values(), request.query_string, kind)
        sent = answers.get((version, int(now), viewer.portfolios, *asked), make)
    return _response(sent, packed)


def _made(
    operation: Operation, parts: dict[str, str], stores: Stores, viewer: Viewer, kind: str, now: float
) -> Sent:  # fmt: skip
    query = parsed(operation.query, request.args)
    where = place(request.path, query, now) if isinstance(query, Listed) else None
    answer = operation.answer(Ask(stores, viewer, query, now, where, parts))
    body = answer.model_dump_json(by_alias=True).encode()
    digest = hashlib.blake2b(_AGES.sub(b"", body), digest_size=12, person=kind.encode()[-16:])
    return Sent(
        formats.written(kind, body, item_of(operation)) if operation.is_list else body,
        kind,
        digest.hexdigest(),
        getattr(answer, "next", None),
        200 if operation.is_well is None or operation.is_well(answer) else 503,
    )


def item_of(operation: Operation) -> type[Any]:
    """Return the model of one item of a list."""
    annotation = operation.model.model_fields["items"].annotation
    found: type[Any] = annotation.__args__[0]  # type: ignore[union-attr]
    return found


def _response(sent: Sent, packed: Memo[bytes]) -> Response:
    headers = {"ETag": f'W/"{sent.etag}"', "Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding"}
    if sent.next is not None:
        query = urlencode({**request.args, "cursor": sent.next})
        headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    if sent.status == 200 and request.if_none_match.contains_weak(sent.etag):
        return Response(status=304, headers=headers)
    body = sent.body
    if len(body) >= SMALLEST_BYTES and request.accept_encodings["gzip"]:
        body = packed.get((sent.kind, body), lambda: gzip.compress(sent.body, compresslevel=5, mtime=0))
        headers["Content-Encoding"] = "gzip"
    return Response(body, sent.status, headers, content_type=sent.kind)


def _nothing(_parts: dict[str, str]) -> Response:
    checked(viewer_of(request.environ), role=0, scope=READ)
    if _methods_of(request.path):
        return _not_offered()
    raise Refused(404, "There is nothing at this address.", fix=f"{BASE}/openapi.json lists what there is.")


def _not_offered() -> Response:
    """Return the answer to a method that an address does not take, which takes others."""
    allowed = _methods_of(request.path)
    fix = f"Use {' or '.join(allowed)}."
    response = problem_response(Refused(405, f"{request.method} is not offered here.", fix=fix, allowed=allowed))
    response.headers["Allow"] = ", ".join(allowed)
    return response


def _methods_of(path: str) -> list[str]:
    """Return the methods that an address below /api/ takes; none when nothing is there.

    What stands at the end of a path can hold slashes: what is done to /portfolios/{id} is not offered at
    /portfolios/{id}/nav, which is an address of its own.
    """
    from flask import current_app

    rules = current_app.url_map.bind("localhost")
    found = {method: rules.match(path, method, return_rule=True)[0] for method in METHODS}
    there = {method: rule.rule for method, rule in found.items() if rule.endpoint != REST}
    own = max(there.values(), key=lambda rule: len(re.sub("<.*?>", "", rule)), default="")
    methods = [method for method, rule in there.items() if rule == own]
    return ["GET", "HEAD", *(each for each in methods if each != "GET")] if "GET" in methods else methods
