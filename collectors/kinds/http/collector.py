"""HTTP addresses: status, response time, content, certificate.

Costs the watched server one request an interval (more where it redirects) on a connection of its own: every check
goes the whole way, name look-up and TLS included. At most 1 MiB of the answer is read.
"""

from __future__ import annotations

import http
import json
import re
import time
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from collectors.base import Context
from collectors.kinds.service import Found, ServiceCollector, WrongAnswer, act, certificate_check, make_service
from core.errors import SourceUnavailable
from core.format import count, duration
from core.kinds.http import spec
from core.kinds.http.source import HttpSource
from core.net.certificates import Certificate, earlier
from core.net.reach import Address, Deadline
from core.net.web import Answer, address_of, ask

__all__ = ["act", "make", "probe"]

MOST_BYTES = 1_048_576
REDIRECTS = (301, 302, 303, 307, 308)
SHOWN_CHARACTERS = 60


def make(context: Context, source: HttpSource) -> ServiceCollector:
    """Return the collector of one address."""
    return make_service(context, source, partial(probe, source))


def probe(source: HttpSource, deadline: Deadline, now: float) -> Found:
    """Ask once. Raises SourceUnavailable when there is no answer or a wrong one."""
    began = time.monotonic()
    answer, where, certificate = _asked(source, deadline)
    seconds = time.monotonic() - began
    found = Found(
        f"{_named(answer.status)} in {duration(seconds)}",
        seconds,
        {
            spec.STATUS_CODE: float(answer.status),
            spec.BODY: float(len(answer.body)),
            spec.CERTIFICATE_LEFT: certificate.ends - now if certificate else None,
        },
        certificate_check(certificate, now, source.certificate_limit),
        certificate,
    )
    try:
        if not source.is_good(answer.status):
            raise SourceUnavailable(f"{where} answers {_named(answer.status)}, expected {source.statuses}")
        _check_content(source, answer, where)
    except SourceUnavailable as error:
        raise WrongAnswer(str(error), found) from None
    return found


def _asked(source: HttpSource, deadline: Deadline) -> tuple[Answer, Address, Certificate | None]:
    """Return the answer, redirects followed, who gave it, and the certificate that ends first on the way."""
    url, method = source.url.get_secret_value(), source.method
    body: bytes | None = source.body.encode() or None
    headers = {name: value.get_secret_value() for name, value in source.headers.items()}
    asked_first = _origin(url)
    certificate: Certificate | None = None
    for _ in range(source.redirects + 1):
        where = address_of(url)
        answer = ask(
            url, deadline, method=method, headers=headers, body=body, ca_file=source.ca_file, most_bytes=MOST_BYTES
        )
        certificate = earlier(certificate, answer.certificate)
        onward = answer.headers.get("location", "")
        if answer.status not in REDIRECTS or not onward or source.is_good(answer.status):
            return answer, where, certificate
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET", None
        url = _onward(url, onward)
        if _origin(url) != asked_first:
            headers = {}  # they may hold secrets that are meant for the first server alone
    raise SourceUnavailable(f"{where} redirects more than {count(source.redirects, 'time')}")


def _onward(url: str, onward: str) -> str:
    """Return where a redirect leads; user and password are kept for the same server only."""
    led = urljoin(url, onward)
    parts = urlsplit(led)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceUnavailable(f"{address_of(url)} redirects to something that is not an HTTP address")
    if _origin(led) != _origin(url) or "@" in parts.netloc:
        return led
    login, at, _ = urlsplit(url).netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=login + at + parts.netloc))


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


def _check_content(source: HttpSource, answer: Answer, where: Address) -> None:
    if source.contains and source.contains not in answer.text:
        raise SourceUnavailable(f"the answer of {where} does not contain “{source.contains[:SHOWN_CHARACTERS]}”")
    if source.lacks and source.lacks in answer.text:
        raise SourceUnavailable(f"the answer of {where} contains “{source.lacks[:SHOWN_CHARACTERS]}”")
    if not source.json_path:
        return
    try:
        value = at_path(json.loads(answer.body), source.json_path)
    except ValueError:
        raise SourceUnavailable(f"the answer of {where} is not JSON") from None
    except LookupError:
        raise SourceUnavailable(f"the JSON of {where} has no {source.json_path}") from None
    shown = value if isinstance(value, str) else json.dumps(value)
    if source.json_equals and shown != source.json_equals:
        raise SourceUnavailable(
            f"{source.json_path} of {where} is {shown[:SHOWN_CHARACTERS]}, expected {source.json_equals}"
        )


def at_path(content: Any, path: str) -> Any:
    """Return the value at a path such as `checks[0].state` ("$." in front may stand). Raises LookupError."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(-?\d+)\]", path.removeprefix("$")):
        if index:
            if not isinstance(content, list):
                raise LookupError(path)
            content = content[int(index)]
        else:
            if not isinstance(content, dict):
                raise LookupError(path)
            content = content[name]
    return content


def _named(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
