"""A TCP server that plays a part: each connection is a script in a thread, until the test ends."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.support.servers import free_port

POLL_SECONDS = 0.02


class Player:
    """Listens on a loopback port; `serve` plays one connection and returns when it is over."""

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self.connections = 0
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._stopping.clear()
        self._listener = socket.create_server((self.host, self.port))
        self._listener.settimeout(POLL_SECONDS)
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """End every connection and stop listening."""
        self._stopping.set()
        self.hang_up()
        for thread in list(self._threads):
            thread.join(2)
        if self._listener is not None:
            self._listener.close()
        self._threads.clear()

    def hang_up(self) -> None:
        """End every connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def is_over(self) -> bool:
        """Whether the play has ended."""
        return self._stopping.is_set()

    @property
    def is_heard(self) -> bool:
        """Whether somebody is connected."""
        return bool(self._open)

    def serve(self, connection: socket.socket) -> None:
        """Play one connection."""
        raise NotImplementedError

    def broadcast(self, data: bytes) -> None:
        """Send to every connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.sendall(data)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            connection.settimeout(POLL_SECONDS)
            self._spawn(self._play, connection)

    def _play(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection, contextlib.suppress(OSError):
            self.serve(connection)
        self._open.discard(connection)

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="bad-server", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
