"""TCP ports: whether they accept connections, how fast, and what they greet with or answer.

A connection is accepted by the kernel, on behalf of a process that may long be hanging: only what the process itself
says (`expects`, or a TLS handshake) tells that it lives.

Costs the watched server one connection an interval, closed at once (after its answer, where one is expected).
"""

from __future__ import annotations

import time
from functools import partial

from collectors.base import Context
from collectors.kinds.service import Found, ServiceCollector, act, certificate_check, make_service
from core.errors import SourceUnavailable
from core.format import duration
from core.kinds.tcp import spec
from core.kinds.tcp.source import TcpSource
from core.net.reach import Address, Connection, Deadline, connect, explained

__all__ = ["act", "make", "probe"]

GREETING_BYTES = 4_096
SHOWN_CHARACTERS = 60


def make(context: Context, source: TcpSource) -> ServiceCollector:
    """Return the collector of one port."""
    return make_service(context, source, partial(probe, source))


def probe(source: TcpSource, deadline: Deadline, now: float) -> Found:
    """Connect once. Raises SourceUnavailable or SourceRejected."""
    address = Address(source.host, source.port, tls=source.tls, ca_file=source.ca_file)
    began = time.monotonic()
    connection = connect(address, deadline)
    try:
        seconds = time.monotonic() - began
        certificate = connection.certificate()
        if source.expects:
            _answered(source, connection)
    finally:
        connection.close()
    return Found(
        f"connected in {duration(seconds)}{_by_whom(source)}",
        seconds,
        {spec.CERTIFICATE_LEFT: certificate.ends - now if certificate else None},
        certificate_check(certificate, now, source.certificate_limit),
        certificate,
    )


def _by_whom(source: TcpSource) -> str:
    """Return who it was that answered, where that was not the process itself."""
    return "" if source.expects or source.tls else "; only the kernel answered: set expects to hear the process"


def _answered(source: TcpSource, connection: Connection) -> None:
    heard = b""
    wanted = source.expects.encode()
    with explained(connection.address, source.timeout_seconds):
        if source.send:
            connection.send(source.send.encode())
        while wanted not in heard and len(heard) < GREETING_BYTES:
            try:
                part = connection.some()
            except TimeoutError:
                if heard:
                    break
                raise _hangs(source, connection) from None
            if not part:
                break
            heard += part
    if wanted not in heard:
        said = heard.decode("utf-8", "replace")[:SHOWN_CHARACTERS].strip()
        verb, nothing = ("answers", "answers nothing") if source.send else ("greets with", "sends no greeting")
        greeting = f"{verb} “{said}”" if said else nothing
        raise SourceUnavailable(f"{connection.address} {greeting}, expected “{source.expects[:SHOWN_CHARACTERS]}”")


def _hangs(source: TcpSource, connection: Connection) -> SourceUnavailable:
    silence = f"within {source.timeout_seconds:g} s"
    return SourceUnavailable(
        f"the kernel accepts connections at {connection.address}, and the process behind it says nothing {silence}: "
        "it hangs, or is not the one expected"
    )
