"""Reaching a source: each thing that can be wrong has a sentence of its own, and nothing outlasts its deadline."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import SourceRejected, SourceUnavailable
from core.net import reach
from core.net.reach import Address, Deadline, connect
from core.net.web import ask
from tests.support.bad_servers import BadServer
from tests.support.servers import BUSY_SECONDS, free_port
from tests.support.tls_server import CERTIFICATE, TlsServer

SECONDS = 0.4
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Sign: seen\r\n\r\nok"


def said(kind: type[Exception], question: Callable[[], object]) -> str:
    began = time.monotonic()
    with pytest.raises(kind) as error:
        question()
    assert time.monotonic() - began < SECONDS + BUSY_SECONDS
    return str(error.value)


def test_a_port_where_nothing_listens() -> None:
    port = free_port()
    told = said(SourceUnavailable, lambda: connect(Address("127.0.0.1", port), Deadline(SECONDS)))
    assert told == f"nothing listens at 127.0.0.1:{port} (connection refused)"


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "none.sock")
    assert (
        said(SourceUnavailable, lambda: connect(Address(path=path), Deadline(SECONDS))) == f"there is no socket {path}"
    )


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    told = said(SourceUnavailable, lambda: connect(Address("feed.invalid", 1), Deadline(SECONDS)))
    assert "the name feed.invalid is not known" in told


def test_a_name_server_that_hangs_costs_one_thread_however_often_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def slow(*_: object, **__: object) -> list[object]:
        asked.append(time.monotonic())
        time.sleep(3 * SECONDS)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    for _ in range(2):
        told = said(SourceUnavailable, lambda: connect(Address("slow.example", 1), Deadline(SECONDS)))
        assert "could not be looked up within 0.4 s" in told
    assert len(asked) == 1
    reach._lookups["slow.example"].join(5)


def test_no_tls_where_tls_was_expected() -> None:
    with BadServer("garbage") as server:
        told = said(SourceRejected, lambda: connect(Address(server.host, server.port, tls=True), Deadline(SECONDS)))
    assert "speaks no TLS, and we were told that it does" in told


@pytest.mark.parametrize("behaviour", ["silent", "drip"])
def test_a_handshake_that_never_ends(behaviour: str) -> None:
    with BadServer(behaviour, drip=b"\x16") as server:
        told = said(Exception, lambda: connect(Address(server.host, server.port, tls=True), Deadline(SECONDS)))
    assert "TLS" in told


def test_tls_where_none_was_expected() -> None:
    with TlsServer(b"") as server:
        told = said(SourceRejected, lambda: ask(f"http://127.0.0.1:{server.port}/", Deadline(SECONDS)))
    assert "speaks TLS, and we were told that it does not" in told


def test_a_certificate_that_nobody_vouches_for_and_the_same_one_trusted() -> None:
    with TlsServer(HTTP) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert "is not trusted" in said(SourceRejected, lambda: ask(url, Deadline(SECONDS)))
        answer = ask(url, Deadline(2), ca_file=str(CERTIFICATE))
    assert (answer.status, answer.text, answer.headers["x-sign"]) == (200, "ok", "seen")
    assert answer.certificate is not None and answer.certificate.ends > time.time() + 86_400


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [("refuses", "nothing listens"), ("silent", "no answer"), ("garbage", "not HTTP"), ("drip", ""), ("hangs_up", "")],
)
def test_http_from_servers_that_behave_badly(behaviour: str, word: str) -> None:
    with BadServer(behaviour, drip=b"H") as server:
        told = said(SourceUnavailable, lambda: ask(f"http://127.0.0.1:{server.port}/", Deadline(SECONDS)))
    assert word in told and str(server.port) in told
