"""A client's socket under TLS that never waits, neither for the handshake nor for a record: as a plain one does."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence

RECORD_BYTES = 16_384
"""Most that one record of TLS holds."""
HANDSHAKE = b"\x16"
"""First byte of a client that speaks TLS."""
IN_THE_CLEAR = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: 59\r\n\r\nFundwatch speaks TLS here: open the address with https://.\n"
)


class Encrypted:
    """What dashboard/frame/outgoing.py takes for a socket. The handshake is part of the first `recv`."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        """Take over a socket that was accepted. Raises OSError when its client has gone."""
        sock.setblocking(False)
        self._sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._has_begun = False

    def recv(self, size: int) -> bytes:
        """Return what has come, about `size` bytes of it: to the end of a record. Empty at the end.

        Raises BlockingIOError when nothing has come yet, OSError when the client speaks no TLS or has gone.
        """
        if not self._has_begun:
            self._begin()
        found: list[bytes] = []
        while size > 0:
            try:
                data = self._sock.recv(min(size, RECORD_BYTES))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                if found:
                    break
                raise BlockingIOError from error
            if not data:
                break
            found.append(data)
            size -= len(data)
        # The rest of a record that was begun: it is here already, so that the descriptor will not tell of it.
        if rest := self._sock.pending():
            found.append(self._sock.recv(rest))
        return b"".join(found)

    def sendmsg(self, pieces: Sequence[memoryview]) -> int:
        """Send the first bytes of `pieces`, a record at most; return how many. Raises BlockingIOError when none went.

        After that it must be given the same bytes again, and may be given more.
        """
        data: memoryview | bytes = pieces[0][:RECORD_BYTES]
        if len(data) < RECORD_BYTES and len(pieces) > 1:
            data = b"".join(pieces)[:RECORD_BYTES]
        try:
            return self._sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def _begin(self) -> None:
        """Tell a client that speaks no TLS what to do. Raises ConnectionError then, BlockingIOError without a byte."""
        first = socket.socket.recv(self._sock, 1, socket.MSG_PEEK)
        if first and first != HANDSHAKE:
            socket.socket.send(self._sock, IN_THE_CLEAR)
            raise ConnectionError("a client that speaks no TLS")
        self._has_begun = True

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._sock.fileno()

    def shutdown(self, how: int) -> None:
        """Say that no more comes, and close one direction. Raises OSError when the client has gone."""
        with contextlib.suppress(ssl.SSLError, ValueError):  # what is still on its way is nobody's any more
            self._sock.unwrap()
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    def setblocking(self, _flag: bool) -> None:
        """Do nothing: it never blocks."""
