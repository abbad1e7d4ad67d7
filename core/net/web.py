"""HTTP requests with one hard deadline for connecting, sending and every byte of the answer."""

from __future__ import annotations

import base64
import http.client
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from core.net.certificates import Certificate
from core.net.reach import Address, Connection, Deadline, connect, explained, garbage

MOST_BYTES = 8_388_608


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    certificate: Certificate | None
    """Of the server's chain the one that ends first; None without TLS."""
    is_kept: bool = False
    """Whether the connection may carry another request."""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def ask(
    url: str,
    deadline: Deadline,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    ca_file: str = "",
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return the answer to one request, redirects not followed. User and password in the URL become Basic auth.

    Raises SourceUnavailable or SourceRejected; a status of 400 and above is an answer like any other.
    """
    address = address_of(url, ca_file)
    connection = connect(address, deadline)
    try:
        return exchange(connection, url, method=method, headers=headers, body=body, most_bytes=most_bytes)
    finally:
        connection.close()


def address_of(url: str, ca_file: str = "") -> Address:
    """Return where a http or https URL leads."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    return Address(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls, ca_file=ca_file)


def exchange(
    connection: Connection,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    most_bytes: int = MOST_BYTES,
    keep: bool = False,
) -> Answer:
    """Return the answer to one request over a connection that the caller owns, for another request too with `keep`.

    Raises SourceUnavailable or SourceRejected; the connection is of no use then.
    """
    parts, address = urlsplit(url), connection.address
    try:
        with explained(address, connection.deadline.seconds):
            http_client = http.client.HTTPConnection(address.host, address.port)
            http_client.sock = _Socket(connection)
            shared = {"Connection": "keep-alive" if keep else "close", "Accept-Encoding": "identity"}
            sent = {**shared, **_login(parts), **(headers or {})}
            http_client.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, sent)
            response = http_client.getresponse()
            content = response.read(most_bytes)
            named = {name.lower(): value for name, value in response.getheaders()}
            is_kept = keep and not response.will_close and len(content) < most_bytes
            return Answer(response.status, named, content, connection.certificate(), is_kept)
    except http.client.HTTPException as error:
        raise garbage(address, "HTTP") from error


def _login(parts: Any) -> dict[str, str]:
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


class _Socket:
    """A Connection as http.client wants a socket to look."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sendall(self, data: bytes) -> None:
        self._connection.send(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self._connection))

    def close(self) -> None:
        """The connection is closed by whoever opened it."""


class _Raw(io.RawIOBase):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._connection.some(len(buffer))
        buffer[: len(data)] = data
        return len(data)
