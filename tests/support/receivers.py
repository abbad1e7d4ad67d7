"""Receivers of alerts that do as they are told: answer, refuse, hang, break off in the middle, answer twice."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import orjson

GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Reply:
    """What a receiver does with one request.

    behaviour: answers, hangs, drips, cuts (closes within the first line of its reply), halves (closes in the middle of
    its body), twice, floods (answers with GIGABYTE bytes).
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    behaviour: str = "answers"


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Receiver:
    """A real HTTP server. It gives each reply once, in order, and then the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.received: list[Received] = []
        self.flooded_bytes = 0
        """How much of floods was taken from us."""
        self._replies = deque(replies or (Reply(),))
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._answer(self)

            def do_PATCH(self) -> None:
                receiver._answer(self)

            def log_message(self, *args: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    def then(self, *replies: Reply) -> None:
        """Do this from now on."""
        with self._lock:
            self._replies = deque(replies)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        named = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.received.append(Received(handler.command, handler.path, named, body))
            reply = self._replies.popleft() if len(self._replies) > 1 else self._replies[0]
        handler.close_connection = True
        if reply.behaviour == "hangs":
            self._stopping.wait(30)
            return
        if reply.behaviour == "drips":
            while not self._stopping.wait(0.05):
                try:
                    handler.wfile.write(b"H")
                except OSError:
                    return
            return
        head = f"HTTP/1.1 {reply.status} Said\r\nContent-Length: {len(reply.body)}\r\n".encode()
        head += b"".join(f"{name}: {value}\r\n".encode() for name, value in reply.headers.items())
        whole = head + b"\r\n" + reply.body
        if reply.behaviour == "cuts":
            handler.wfile.write(head[:9])
        elif reply.behaviour == "halves":
            handler.wfile.write(whole[: len(whole) - len(reply.body) // 2])
        elif reply.behaviour == "floods":
            self._flood(handler, f"HTTP/1.1 {reply.status} Said\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        else:
            handler.wfile.write(whole * (2 if reply.behaviour == "twice" else 1))

    def _flood(self, handler: BaseHTTPRequestHandler, head: bytes) -> None:
        try:
            handler.wfile.write(head)
            while self.flooded_bytes < GIGABYTE and not self._stopping.is_set():
                handler.wfile.write(b" " * 65_536)
                self.flooded_bytes += 65_536
        except OSError:  # it hung up
            return
