"""Servers that behave badly, and the proof that a collector outlives them: no source may hang or leak."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType

import psutil
import pytest

from core.errors import SourceError
from core.model import Collector
from tests.support.servers import BUSY_SECONDS, free_port

GARBAGE = b"\x00\xff\xfe" + b"no protocol that anybody speaks " * 64 + b"\r\n"
DRIP_SECONDS = 0.05
BEHAVIOURS = ("refuses", "silent", "garbage", "drip", "hangs_up")
SAID_OF_HTTP = {
    "refuses": "nothing listens at",
    "silent": "no answer from",
    "garbage": "not HTTP",
    "drip": "no answer from",
    "hangs_up": "closed the connection",
}
"""What is said of each where HTTP was expected."""
RUNS = 3
THREAD_NAME = "bad-server"
SETTLE_SECONDS = 2.0


class BadServer:
    """Listens on a loopback port and behaves as told.

    refuses: nothing listens. silent: accepts and never answers. garbage: answers nonsense, whatever it is asked.
    drip: answers the same byte again and again, for ever, each well within any timeout of a single wait.
    hangs_up: closes each connection at once.
    """

    def __init__(self, behaviour: str, drip: bytes = b"+") -> None:
        self.behaviour = behaviour
        self.port = free_port()
        self.host = "127.0.0.1"
        self._drop = drip[:1]
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> BadServer:
        if self.behaviour != "refuses":
            self._listener = socket.create_server((self.host, self.port))
            self._listener.settimeout(0.05)
            self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(2)
        if self._listener is not None:
            self._listener.close()

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._spawn(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                behave = {"garbage": self._garbage, "drip": self._drip, "hangs_up": self._hang_up}
                behave.get(self.behaviour, self._hold)(connection)
            except OSError:  # the collector has gone, as it should
                return

    def _hang_up(self, connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    def _garbage(self, connection: socket.socket) -> None:
        connection.sendall(GARBAGE)
        self._hold(connection)

    def _drip(self, connection: socket.socket) -> None:
        while not self._stopping.wait(DRIP_SECONDS):
            connection.sendall(self._drop)

    def _hold(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while not self._stopping.is_set():
            try:
                if not connection.recv(65_536):
                    return
            except TimeoutError:
                continue

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=THREAD_NAME, daemon=True)
        self._threads.append(thread)
        thread.start()


def assert_survives(make_collector: Callable[[str, int], Collector], behaviour: str, drip: bytes = b"+") -> str:
    """Run a collector against a server that behaves badly and return what it said of it.

    Each run must end within the collector's own deadline with SourceUnavailable or SourceRejected, whose sentence
    names the port; threads and sockets must not pile up.
    """
    with BadServer(behaviour, drip) as server:
        collector = make_collector(server.host, server.port)
        said = _run(collector)
        threads, sockets = threading.active_count(), _sockets()
        for _ in range(RUNS - 1):
            said = _run(collector)
        gc.collect()
        ends = time.monotonic() + SETTLE_SECONDS
        while (_sockets() > sockets or threading.active_count() > threads) and time.monotonic() < ends:
            time.sleep(0.02)  # the bad server has yet to see that we hung up
        assert threading.active_count() <= threads, f"threads grew from {threads} to {threading.active_count()}"
        assert _sockets() <= sockets, f"sockets grew from {sockets} to {_sockets()}"
    assert str(server.port) in said, said
    return said


def _run(collector: Collector) -> str:
    began = time.monotonic()
    with pytest.raises(SourceError) as error:
        collector.collect(time.time())
    took = time.monotonic() - began
    assert took <= collector.timeout_seconds + BUSY_SECONDS, f"{took:.1f} s of {collector.timeout_seconds:g}"
    return str(error.value)


def _sockets() -> int:
    return len(psutil.Process().net_connections("all"))
