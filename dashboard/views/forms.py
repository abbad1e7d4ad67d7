"""How forms are answered. Each is registered here and nowhere else.

One way for all: the guard has found the viewer and refused other sites; here the role is asked for, the body is held to
its limit before it is read, the fields are parsed, and it is said when storage does not answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import orjson
from flask import Flask, Response, request

from core.errors import StorageUnavailable
from core.format import bytes_
from core.roles import Role
from core.web.bodies import BODY_LIMITS, MOST_BODY_BYTES
from dashboard.frame.viewer import current_viewer
from dashboard.views.form import Form, Said, Sent
from dashboard.views.problem import problem_of
from dashboard.views.rights import declare, needs
from dashboard.views.tab import Page

FILE = "file"
"""Query parameter with the name of a posted file."""
MOST_FIELDS = 200
MOST_CHARS = 10_000
"""Of one field."""
SHARED = "This changes what all portfolios share: it needs somebody who may see every portfolio."
log = logging.getLogger(__name__)


def install(server: Flask, forms: Iterable[Form], page: Page) -> None:
    """Let `server` take `forms` from viewers of their role, and of that of their `page`."""
    for form in forms:
        endpoint = f"form:{form.rule}"
        needed = max(form.role, page.role)
        declare(server, needed, [endpoint])
        if form.most_bytes > MOST_BODY_BYTES:
            server.extensions.setdefault(BODY_LIMITS, {})[form.rule] = form.most_bytes
        server.add_url_rule(form.rule, endpoint, _view(form, needed, page.title), methods=["POST"])


def _view(form: Form, role: Role, page: str) -> Callable[[], Response]:
    def view() -> Response:
        viewer = current_viewer()
        if viewer.role < role:
            return _answer(403, Said(needs(role, f"change anything on the page {page}"), is_done=False))
        if form.is_shared and viewer.portfolios is not None:
            return _answer(403, Said(SHARED, is_done=False))
        content = _content(form.most_bytes)
        if content is None:
            return _answer(413, Said(f"Too large: {bytes_(form.most_bytes)} at most.", is_done=False))
        sent = _sent(form, content)
        if sent is None:
            return _answer(400, Said("Not understood: the fields of a form were expected.", is_done=False))
        try:
            said = form.do(sent, viewer)
        except StorageUnavailable as error:
            return _answer(503, Said(problem_of(error), is_done=False))
        except Exception:
            log.exception("form %s failed", form.rule)
            return _answer(500, Said("Not done: Fundwatch failed at it; its log says why.", is_done=False))
        return _answer(200, said)

    return view


def _content(most_bytes: int) -> bytes | None:
    """Return the body; None when it is larger than it may be."""
    request.max_content_length = most_bytes + 1  # Flask cuts a body without a length there, and says nothing
    if (request.content_length or 0) > most_bytes:
        return None
    content = request.stream.read(most_bytes + 1)
    return None if len(content) > most_bytes else content


def _sent(form: Form, content: bytes) -> Sent | None:
    if form.takes_file:
        fields = request.args.to_dict()
        name = fields.pop(FILE, "")
        return Sent(fields, name, content) if _are_fields(fields) else None
    try:
        fields = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return Sent({name: text.strip() for name, text in fields.items()}) if _are_fields(fields) else None


def _are_fields(fields: object) -> bool:
    if not isinstance(fields, dict) or len(fields) > MOST_FIELDS:
        return False
    return all(isinstance(value, str) and len(value) <= MOST_CHARS for value in fields.values())


def _answer(status: int, said: Said) -> Response:
    told = {
        "said": said.sentence,
        "done": said.is_done,
        "fields": dict(said.fields),
        "goto": said.goto,
        "html": said.html,
    }
    return Response(orjson.dumps(told), status, mimetype="application/json")
