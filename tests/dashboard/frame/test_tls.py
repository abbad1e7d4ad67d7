"""TLS under real gunicorn, through our worker and the whole product: nobody's handshake takes anybody's turn."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dashboard.frame.encrypted import Encrypted
from tests.dashboard.frame.test_worker import APPLICATION, LARGE_BYTES, STALLED, read_all
from tests.support.certificates import self_signed
from tests.support.product import Product
from tests.support.servers import ROOT, free_port

HEAD_SECONDS = 4
GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01"
"""How a handshake begins."""


class TlsServer:
    """Gunicorn with our worker and a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        certificate, key = self_signed(folder)
        (folder / "tested.py").write_text(APPLICATION % {"large": LARGE_BYTES, "head_seconds": HEAD_SECONDS})
        (folder / "conf.py").write_text(
            "from dashboard.frame import worker\n"
            f"worker.HEAD_SECONDS = {HEAD_SECONDS}\n"
            f"certfile, keyfile = {str(certificate)!r}, {str(key)!r}\n"
        )
        self.port = free_port()
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "-c", str(folder / "conf.py"), "--chdir", str(folder)),
                *("--pythonpath", str(ROOT), "-k", "dashboard.frame.worker.WholeRequestWorker", "--threads", "4"),
                *("--worker-connections", "300", "-b", f"127.0.0.1:{self.port}", "tested:application"),
            ],
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not self.is_well():
            assert self.process.poll() is None and time.monotonic() < until
            time.sleep(0.1)

    def raw(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        client.sendall(sent)
        return client

    def secured(self) -> ssl.SSLSocket:
        return self.trust.wrap_socket(self.raw(), server_hostname="localhost")

    def asked(self, sent: bytes) -> bytes:
        with self.secured() as client:
            client.sendall(sent)
            return read_all(client)

    def is_well(self) -> bool:
        try:
            return self.asked(GET % b"healthz").endswith(b"ok")
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    made = TlsServer(tmp_path_factory.mktemp("tls"))
    yield made
    made.process.terminate()
    made.process.wait(10)


def test_a_certificate_is_shown_and_an_old_protocol_refused(server: TlsServer) -> None:
    with server.secured() as client:
        assert client.version() in ("TLSv1.2", "TLSv1.3")
        assert ("DNS", "localhost") in (client.getpeercert() or {})["subjectAltName"]
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError), server.raw() as client:
        old.wrap_socket(client, server_hostname="localhost")


def test_large_answers_and_bodies_come_whole(server: TlsServer) -> None:
    head, _, body = server.asked(GET % b"large").partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert body == bytes(range(250)) * (LARGE_BYTES // 250)
    sent = b"x" * 900_000
    post = b"POST /size HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(sent)
    assert server.asked(post + sent).endswith(b"900000")


def test_a_body_whose_last_read_ends_inside_a_record_is_taken(server: TlsServer) -> None:
    size = 3 * 262_144
    post = b"POST /size HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    with server.secured() as client:
        client.settimeout(10)
        client.sendall(post + b"x" * 300)  # shifts the records of 16 KiB that follow
        time.sleep(0.3)
        client.sendall(b"x" * (size - 300))
        assert read_all(client).endswith(b"%d" % size)


def test_all_that_is_decrypted_is_taken_at_once(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ours, theirs = socket.socketpair()
    client = ssl.create_default_context(cafile=str(certificate)).wrap_socket(
        theirs, server_hostname="localhost", do_handshake_on_connect=False
    )
    encrypted = Encrypted(ours, context)
    client.setblocking(False)
    for _ in range(4):
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        with contextlib.suppress(BlockingIOError):
            encrypted.recv(1)
    for size in (300, 16_384, 16_384):
        client.send(b"x" * size)
    assert len(encrypted.recv(16_384)) == 300 + 16_384
    assert len(encrypted.recv(16_384)) == 16_384
    with pytest.raises(BlockingIOError):
        encrypted.recv(16_384)


def test_one_connection_takes_many_requests(server: TlsServer) -> None:
    with server.secured() as client:
        for _ in range(20):
            client.sendall((GET % b"healthz").replace(b"close", b"keep-alive"))
            answer = b""
            while not answer.endswith(b"ok"):
                answer += client.recv(65_536)


def test_a_client_slow_to_read_gets_all_of_it(server: TlsServer) -> None:
    with server.secured() as client:
        client.sendall(GET % b"large")
        time.sleep(1)
        assert server.is_well()
        assert read_all(client).endswith(bytes(range(250)))


def test_silent_clients_and_half_handshakes_take_nobody_s_turn_and_are_let_go(server: TlsServer) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(server.raw()) for _ in range(STALLED // 2)]
        half = [stack.enter_context(server.raw(HELLO)) for _ in range(STALLED // 2)]
        assert server.is_well()
        for client in (*silent[:3], *half[:3]):
            assert read_all_or_reset(client) == b""
        assert server.is_well()


def test_who_speaks_no_tls_is_told_so(server: TlsServer) -> None:
    with server.raw(GET % b"healthz") as client:
        answer = read_all_or_reset(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in answer
    with server.raw(b"\x00\xff" * 100) as client:
        read_all_or_reset(client)
    assert server.is_well()


def read_all_or_reset(client: socket.socket) -> bytes:
    """What comes until the server closes, or resets the connection since it has not read all that was sent."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65_536):
            found += data
    return found


def test_the_whole_product_serves_over_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    said = {"tls_cert": str(certificate), "tls_key": str(key), "load_sample": "false", "sign_in": "required"}
    trust = ssl.create_default_context(cafile=str(certificate))
    with Product(tmp_path / "data", **said) as product:
        process = product.launch()
        answer = b""
        while b" 200 " not in answer and process.poll() is None:
            try:
                raw = socket.create_connection(("127.0.0.1", product.port), timeout=30)
                with raw, trust.wrap_socket(raw, server_hostname="localhost") as client:
                    client.sendall(GET % b"sign-in")
                    answer = read_all(client)
            except OSError:
                time.sleep(0.2)
        assert b" 200 " in answer, product.output()
        assert product.stop()[0] == 0
        assert f"https://127.0.0.1:{product.port}" in product.output()
