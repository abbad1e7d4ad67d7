"""A webhook in a process of its own, so that what it costs is not paid by what sends: it tells when each request came.

`python -m benchmarks.hook SLOWEST_MS` answers after up to so many milliseconds; `hangs` never answers. It prints its
port, then a line of JSON for each request.
"""

from __future__ import annotations

import contextlib
import random
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import orjson

from tests.support.servers import ROOT

HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request: when its first byte was there (seconds of the machine's steady clock), and what it said."""

    at: float
    path: str
    key: str
    """Its Idempotency-Key; empty: it has none."""
    body: Any


class Hook:
    """The process, and what it was sent so far."""

    def __init__(self, slowest_ms: float | str = 0) -> None:
        self.arrivals: list[Arrival] = []
        command = [sys.executable, "-m", "benchmarks.hook", str(slowest_ms)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def __enter__(self) -> Hook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _collect(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.arrivals.append(Arrival(**orjson.loads(line)))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1_000
    slowest_ms: str


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # Who sent a request may be killed.
        with contextlib.suppress(ConnectionError):
            self._serve()

    def _serve(self) -> None:
        while self.rfile.peek(1):  # type: ignore[attr-defined]
            at = time.monotonic()
            path = self.rfile.readline().split()[1].decode()
            headers = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = orjson.loads(self.rfile.read(int(headers.get("content-length", 0))) or b"null")
            told = {"at": at, "path": path, "key": headers.get("idempotency-key", ""), "body": body}
            sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
            sys.stdout.buffer.flush()
            if self.server.slowest_ms == HANGS:
                time.sleep(3_600)
            time.sleep(random.uniform(0, float(self.server.slowest_ms)) / 1e3)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def main(slowest_ms: str) -> None:
    """Serve until killed."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.slowest_ms = slowest_ms
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
