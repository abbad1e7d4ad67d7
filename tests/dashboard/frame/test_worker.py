"""The worker under real gunicorn and real sockets: stalled clients take nobody's turn, and bodies have limits."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from core.web.bodies import MOST_BODY_BYTES
from tests.support.servers import ROOT, free_port, wait_for_http

STALLED = 200
PATIENCE_SECONDS = 5
"""How long a client of these tests waits: half of the deadline of the requests that stall."""
LARGE_BYTES = 30_000_000

APPLICATION = """
from flask import Flask, Response, request
from dashboard.frame import incoming
from core.web.bodies import BODY_LIMITS, MOST_BODY_BYTES
application = Flask("tested")
application.extensions[BODY_LIMITS] = {"/import": 5 * MOST_BODY_BYTES}
incoming.HEAD_SECONDS, incoming.BODY_SECONDS = %(head_seconds)s, %(head_seconds)s
@application.get("/healthz")
def healthz():
    return "ok"
@application.post("/size")
@application.post("/import")
def size():
    return str(len(request.get_data()))
@application.get("/large")
def large():
    return Response(bytes(range(250)) * (%(large)d // 250))
"""


class Server:
    def __init__(self, folder: Path, head_seconds: float, more: str = "") -> None:
        """more: the application goes on with it."""
        (folder / "tested.py").write_text(APPLICATION % {"large": LARGE_BYTES, "head_seconds": head_seconds} + more)
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "-c",
                    "/dev/null",
                    "--chdir",
                    str(folder),
                    "--pythonpath",
                    str(ROOT),
                ),
                *("-k", "dashboard.frame.worker.WholeRequestWorker", "--threads", "4", "--worker-connections", "300"),
                *("-b", f"127.0.0.1:{self.port}", "tested:application"),
            ],
            stderr=subprocess.DEVNULL,
        )
        wait_for_http(self.port)

    def connected(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        client.sendall(sent)
        return client

    def asked(self, sent: bytes) -> bytes:
        """What comes back until the server closes."""
        with self.connected(sent) as client:
            return read_all(client)

    def is_well(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/healthz"
        return bool(urllib.request.urlopen(url, timeout=PATIENCE_SECONDS).read() == b"ok")

    def worker(self) -> psutil.Process:
        (worker,) = psutil.Process(self.process.pid).children()
        return worker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"), 10.0)
    yield made
    made.process.terminate()
    made.process.wait(10)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


POST = b"POST /size HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "stall",
    [
        b"",
        b"GET /heal",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        POST + b"Content-Length: 1000\r\n\r\nhalf",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["silent", "half a line", "half headers", "half a body", "half a chunk", "kept alive", "never reading"],
)
def test_two_hundred_stalled_clients_keep_nobody_from_an_answer(server: Server, stall: bytes) -> None:
    count = 20 if b"large" in stall else STALLED
    with ExitStack() as stalled:
        for _ in range(count):
            stalled.enter_context(server.connected(stall))
        for _ in range(3):
            assert server.is_well()


def test_more_clients_than_there_is_room_for_push_out_the_longest_waiting(server: Server) -> None:
    with ExitStack() as stalled:
        first = stalled.enter_context(server.connected())
        for _ in range(350):
            stalled.enter_context(server.connected())
        assert server.is_well()
        assert first.recv(1) == b"", "closed"


def test_a_body_above_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    for length in (MOST_BODY_BYTES + 1, 10**15):
        answer = server.asked(POST + b"Content-Length: %d\r\n\r\n" % length)
        assert answer.startswith(b"HTTP/1.1 413 ") and b"1,048,576 bytes at most" in answer
    answer = server.asked(POST + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 "), "and never told to go on"


def test_memory_does_not_grow_with_bodies_that_are_refused(server: Server) -> None:
    before = server.worker().memory_info().rss
    megabyte = b"x" * 2**20
    for head, piece in (
        (b"Content-Length: %d\r\n\r\n" % 2**29, megabyte),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + megabyte + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n20000000\r\n", megabyte),
    ):
        with server.connected(POST + head) as client:
            try:
                for _ in range(128):
                    client.sendall(piece)
            except ConnectionError:
                continue  # it was closed after the answer
            assert read_all(client).startswith(b"HTTP/1.1 413 ")
    assert server.worker().memory_info().rss - before < 20 * 2**20


def test_a_path_with_a_limit_of_its_own_takes_its_size_either_way(server: Server) -> None:
    body = b"x" * (4 * MOST_BODY_BYTES)
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    for headers, sent in (({}, body), ({"Transfer-Encoding": "chunked"}, iter([body[:9], body[9:]]))):
        client.request("POST", "/import", sent, headers, encode_chunked=bool(headers))
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, str(len(body)).encode())
    client.close()


def test_a_body_that_is_longer_than_it_says_is_the_next_request(server: Server) -> None:
    answer = server.asked(POST + b"Content-Length: 3\r\n\r\nabcdef\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in answer and answer.count(b"HTTP/1.1 400") == 1


@pytest.mark.parametrize("framing", [b"Content-Length: -1", b"Content-Length: 1, 2", b"Content-Length: x"])
def test_a_length_that_is_none_is_refused(server: Server, framing: bytes) -> None:
    assert server.asked(POST + framing + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_too_many_headers_are_refused(server: Server) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(150))
    for head in (many, b"X: " + b"y" * 9_000 + b"\r\n", b"X: y\r\n" * 20_000):
        with server.connected() as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
            assert client.recv(100).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


def test_requests_that_come_together_are_answered_in_their_order(server: Server) -> None:
    sent = b"".join(POST + b"Content-Length: %d\r\n\r\n" % n + b"x" * n for n in (1, 0, 2_000, 30))
    with server.connected(sent) as client:
        answers = b""
        while answers.count(b"\r\n\r\n") < 4 or not answers.endswith(b"30"):
            answers += client.recv(65_536)
    assert [part.split(b"HTTP")[0] for part in answers.split(b"\r\n\r\n")[1:]] == [b"1", b"0", b"2000", b"30"]


def test_a_client_that_waits_for_a_word_before_its_body_gets_one(server: Server) -> None:
    with server.connected(POST + b"Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n") as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n3") and b"100" not in answer


def test_a_large_answer_comes_whole_to_a_client_that_is_slow_to_read(server: Server) -> None:
    with server.connected(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as client:
        assert server.is_well()
        body = read_all(client).split(b"\r\n\r\n", 1)[1]
    assert body == bytes(range(250)) * (LARGE_BYTES // 250)


def test_what_does_not_arrive_in_time_is_told_so(tmp_path: Path) -> None:
    server = Server(tmp_path, 0.3)
    try:
        for half in (b"GET / HT", POST + b"Content-Length: 9\r\n\r\nhalf"):
            assert server.asked(half).startswith(b"HTTP/1.1 408 ")
        with server.connected() as trickling:
            answer = b""
            while not answer:
                trickling.sendall(b"x")
                trickling.settimeout(0.1)
                try:
                    answer = trickling.recv(100)
                except TimeoutError:
                    continue
            assert answer.startswith(b"HTTP/1.1 408 ")
        assert server.is_well()
    finally:
        server.process.terminate()
        server.process.wait(10)


HOLDING = """
import threading
from dashboard.frame import worker
worker.MOST_WAITING_BYTES = 6 * MOST_BODY_BYTES
held, released = threading.Event(), threading.Event()
application.extensions[BODY_LIMITS]["/hold"] = 5 * MOST_BODY_BYTES
@application.post("/hold")
def hold():
    held.set()
    released.wait(30)
    return "given back"
@application.get("/held")
def is_held():
    held.wait(30)
    return "held"
@application.get("/release")
def release():
    released.set()
    return "released"
"""


def test_bodies_beyond_the_room_are_refused_at_once_and_those_that_have_begun_come_to_their_end(tmp_path: Path) -> None:
    server = Server(tmp_path, 10.0, HOLDING)
    large = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4194304\r\n\r\n"
    body = b"x" * 4_194_304
    get = b"GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with ExitStack() as small, server.connected(large % b"import" + body[:-1]) as first:
            for _ in range(4):
                small.enter_context(server.connected(POST + b"Content-Length: %d\r\n\r\nx" % MOST_BODY_BYTES))
            assert server.asked(large % b"import").startswith(b"HTTP/1.1 503 "), "there is no room"
            first.sendall(b"x")
            assert read_all(first).startswith(b"HTTP/1.1 200 "), "its room was kept"
        with server.connected(large % b"hold" + body) as held:
            assert server.asked(get % b"held").endswith(b"held")
            assert server.asked(large % b"import").startswith(b"HTTP/1.1 503 "), (
                "a thread holds it: it still needs room"
            )
            assert server.asked(get % b"release").endswith(b"released")
            assert read_all(held).endswith(b"given back")
        assert server.asked(large % b"import" + body).endswith(b"4194304"), "its room is free again"
    finally:
        server.process.kill()
        server.process.wait(10)


def test_a_hangup_during_the_start_does_not_end_the_worker(tmp_path: Path) -> None:
    more = "\nimport os, signal\nos.kill(os.getpid(), signal.SIGHUP)\n"
    server = Server(tmp_path, 10.0, more)
    server.process.terminate()
    assert server.process.wait(10) == 0


def test_a_worker_that_dies_is_started_again_by_its_master(tmp_path: Path) -> None:
    server = Server(tmp_path, 10.0)
    try:
        dead = server.worker()
        dead.send_signal(signal.SIGSEGV)
        dead.wait(10)
        wait_for_http(server.port)
        assert server.worker().pid != dead.pid
    finally:
        server.process.terminate()
        server.process.wait(10)


def test_stopping_answers_what_is_whole_and_waits_for_no_client(tmp_path: Path) -> None:
    server = Server(tmp_path, 10.0)
    stalled = [server.connected(POST + b"Content-Length: 9\r\n\r\nhalf") for _ in range(20)]
    server.process.terminate()
    assert server.process.wait(10) == 0
    for client in stalled:
        client.close()
