"""Where jobs ping: GET or POST /ping/<name>[/start|/fail|/<exit code>] with the token of the job.

    curl -fsS -m 10 "http://127.0.0.1:8050/ping/nightly-bars?token=…&rows=4213"

The token comes as ?token=… or as Authorization: Bearer. rows, bytes, files, expected (whole numbers) and message may
come in the query, as a form or as JSON; any other body is the message. A ping is kept before it is answered.
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Flask, Response, request

from core.errors import StorageError
from core.kinds.heartbeat.source import HeartbeatSource
from dashboard.views.problem import away
from storage.state.pings import FAIL, MESSAGE_CHARACTERS, START, SUCCESS, Ping, add_ping

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_A_MINUTE = 60
"""Pings that a job may send: one in a loop must not fill the database."""
MOST_BYTES = 16_384
LARGEST = 2**62
EXIT_CODE = re.compile("[0-9]{1,3}")
NUMBERS = ("rows", "bytes", "files", "expected")
KINDS = {"": SUCCESS, "start": START, "success": SUCCESS, "fail": FAIL}


def install(server: Flask, stores: Stores) -> None:
    """Take pings on `server`."""
    pings = Blueprint("pings", __name__)
    recent: dict[str, deque[float]] = {}
    lock = threading.Lock()

    def is_too_much(name: str) -> bool:
        now = time.monotonic()
        with lock:
            seen = recent.setdefault(name, deque(maxlen=MOST_A_MINUTE))
            if len(seen) == MOST_A_MINUTE and now - seen[0] < 60:
                return True
            seen.append(now)
            return False

    @pings.route("/ping/<name>", methods=["GET", "POST"], defaults={"what": ""})
    @pings.route("/ping/<name>/<what>", methods=["GET", "POST"])
    def ping(name: str, what: str) -> Response:
        if not _may_ping(_job(stores, name)):
            return _answer(403, "No such job, or the token is wrong.")
        kind = KINDS.get(what) or (_of_exit_code(what) if EXIT_CODE.fullmatch(what) else "")
        if not kind:
            return _answer(404, "Ping with nothing, /start, /fail or an exit code after the name.")
        if is_too_much(name):
            return _answer(429, f"Not kept: more than {MOST_A_MINUTE} pings within a minute.")
        try:
            fields = _sent_fields()
            add_ping(stores.state, name, _ping(stores.clock.now(), kind, what, fields))
        except ValueError as error:
            return _answer(400, str(error))
        except StorageError as error:
            return _answer(503, f"Not kept, try again. {away(error)}")
        return _answer(200, "OK")

    server.register_blueprint(pings)


def _job(stores: Stores, name: str) -> HeartbeatSource | None:
    jobs = stores.settings.watch.of(HeartbeatSource.KIND)
    return next((each for each in jobs if isinstance(each, HeartbeatSource) and each.name == name), None)


def _may_ping(source: HeartbeatSource | None) -> bool:
    """Return whether the request carries the job's token; takes as long for a job that there is not."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    given = request.args.get("token", "") or bearer
    expected = source.token.get_secret_value() if source else "no such job"
    return hmac.compare_digest(given.encode(), expected.encode()) and source is not None


def _of_exit_code(code: str) -> str:
    return SUCCESS if int(code) == 0 else FAIL


def _ping(now: float, kind: str, what: str, fields: Mapping[str, Any]) -> Ping:
    message = str(fields.get("message", ""))
    if EXIT_CODE.fullmatch(what) and kind == FAIL:
        message = f"exit code {what}" + (f": {message}" if message else "")
    numbers = {name: _number(name, fields.get(name)) for name in NUMBERS}
    return Ping(now, kind, **numbers, message=" ".join(message.split())[:MESSAGE_CHARACTERS])


def _sent_fields() -> dict[str, Any]:
    """Return what the query and the body say. Raises ValueError."""
    fields: dict[str, Any] = request.args.to_dict()
    if request.content_length is not None and request.content_length > MOST_BYTES:
        raise ValueError(f"at most {MOST_BYTES} bytes may be sent")
    if request.is_json:
        content = _json(request.get_data())
        if not isinstance(content, dict):
            raise ValueError('the JSON must be an object: {"rows": 4213}')
        return fields | content
    if request.form:
        return fields | request.form.to_dict()
    body = request.get_data(cache=False)[:MOST_BYTES].decode("utf-8", "replace").strip()
    return {"message": body, **fields} if body else fields


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _number(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{name} must be a whole number, not {str(value)[:40]}")
    return number


def _answer(status: int, sentence: str) -> Response:
    return Response(f"{sentence}\n", status=status, mimetype="text/plain")
