"""A client's socket that never waits: what the client does not read yet is kept, and sent when it does."""

from __future__ import annotations

import socket
from collections import deque
from itertools import islice

from dashboard.frame.encrypted import Encrypted

TOGETHER_BYTES = 262_144
"""From here on an answer that is still being written is sent on."""
MOST_PIECES = 16


class Outgoing:
    """What gunicorn takes for the socket of a connection. One thread at a time uses it."""

    def __init__(self, sock: socket.socket | Encrypted) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._unsent: deque[memoryview] = deque()
        self.unsent_bytes = 0

    def sendall(self, data: bytes) -> None:
        """Take the next bytes of an answer. Raises OSError when the client has gone."""
        self._unsent.append(memoryview(data))
        self.unsent_bytes += len(data)
        if self.unsent_bytes >= TOGETHER_BYTES:
            self.flush()

    def send(self, data: bytes) -> int:
        """Take the next bytes of an answer, all of them."""
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Send what the client takes; return whether that was all. Raises OSError when it has gone."""
        while self._unsent:
            try:
                sent = self._sock.sendmsg(list(islice(self._unsent, MOST_PIECES)))
            except BlockingIOError:
                return False
            self.unsent_bytes -= sent
            while self._unsent and sent >= len(self._unsent[0]):
                sent -= len(self._unsent.popleft())
            if sent:
                self._unsent[0] = self._unsent[0][sent:]
        return True

    def recv(self, size: int) -> bytes:
        """Return what has come. Raises BlockingIOError when nothing has."""
        return self._sock.recv(size)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._sock.fileno()

    def shutdown(self, how: int) -> None:
        """Close one direction."""
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close it, with what is still unsent."""
        self._unsent.clear()
        self.unsent_bytes = 0
        self._sock.close()

    def setblocking(self, _flag: bool) -> None:
        """Do nothing: it never blocks."""

    def settimeout(self, _seconds: float | None) -> None:
        """Do nothing: it never blocks."""

    def gettimeout(self) -> float:
        """Return that it never blocks."""
        return 0.0
