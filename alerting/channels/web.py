"""Handing a message over by HTTP: one deadline for all of it, and what each answer means for the next attempt."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from core.errors import DeliveryRefused, DeliveryUnavailable, SourceError
from core.format import cut
from core.net.reach import Deadline
from core.net.web import Answer, ask

AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that say: later."""
PICTURE = "course.png"
MOST_ANSWER_BYTES = 65_536
LONGEST_TOLD = 200
LONGEST_WAIT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent where."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    ca_file: str = ""


def of_json(url: str, body: Any, headers: Mapping[str, str] | None = None, **more: str) -> Request:
    """Return a request whose body is JSON."""
    named = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Request(url, orjson.dumps(body), named, **more)


def of_form(url: str, fields: Mapping[str, str], name: str, png: bytes) -> Request:
    """Return a request whose body is a form with a picture (RFC 7578), a file of that name."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{value}\r\n'.encode()
        for each, value in fields.items()
    ]
    file = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{PICTURE}"\r\n'
    body = b"".join((*parts, f"{file}Content-Type: image/png\r\n\r\n".encode(), png, f"\r\n--{edge}--\r\n".encode()))
    return Request(url, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})


def deliver(request: Request, deadline: Deadline) -> Answer:
    """Return the answer that says it was taken. Raises DeliveryUnavailable or DeliveryRefused.

    Neither names more of the address than its host: the rest may be a secret.
    """
    try:
        answer = ask(
            request.url, deadline, method=request.method, headers={"User-Agent": "Fundwatch", **request.headers},
            body=request.body, ca_file=request.ca_file, most_bytes=MOST_ANSWER_BYTES,
        )  # fmt: skip
    except SourceError as error:
        # Also a certificate that is not trusted: it may be renewed within the time that it is tried again.
        raise DeliveryUnavailable(str(error)) from error
    if 200 <= answer.status < 300:
        return answer
    where = urlsplit(request.url).hostname
    if 300 <= answer.status < 400:
        raise DeliveryRefused(f"{where} answers {answer.status}: it sends us elsewhere; give the address it sends to")
    told = f"{where} answers {answer.status}: {cut(' '.join(answer.text.split()), LONGEST_TOLD) or 'nothing'}"
    if is_later(answer.status):
        raise DeliveryUnavailable(told, wait_seconds(answer, time.time()))
    raise DeliveryRefused(told)


def wait_seconds(answer: Answer, now: float) -> float:
    """Return how long an answer asks us to wait; 0: it says nothing of that.

    RFC 9110, 10.2.3: seconds or a date; Discord and Telegram say it in their JSON, to the millisecond.
    """
    said = answer.headers.get("retry-after", "").strip()
    found = _seconds(said, now) if said else _in_json(parsed(answer))
    return 0.0 if math.isnan(found) else min(max(found, 0.0), LONGEST_WAIT_SECONDS)


def parsed(answer: Answer) -> Mapping[str, Any]:
    """Return the answer's JSON object; empty: it has none."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def is_later(status: int) -> bool:
    """Return whether a status says that a later attempt may be taken."""
    return status in AGAIN or status >= 500


def said_no(who: str, why: object) -> DeliveryRefused:
    """Return the refusal of a service that says yes by its status and no in its body."""
    return DeliveryRefused(f"{who} answers: {cut(' '.join(str(why).split()), LONGEST_TOLD)}")


def _seconds(said: str, now: float) -> float:
    try:
        return float(said)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(said).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0


def _in_json(found: Mapping[str, Any]) -> float:
    parameters = found.get("parameters")
    said = found.get("retry_after") or (parameters.get("retry_after") if isinstance(parameters, dict) else None)
    return float(said) if isinstance(said, int | float) else 0.0
