"""Gunicorn's threaded worker, which here gives a thread to whole requests only.

One loop reads requests and writes what clients are slow to take; a thread answers what is whole and waits for no
client. So half a request or TLS handshake, a slow one or a silent connection costs a descriptor until its deadline, and
nobody's turn.
"""

from __future__ import annotations

import errno
import logging
import math
import signal
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import IterUnreader
from gunicorn.sock import ssl_context
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.web.bodies import BODY_LIMITS, MOST_BODY_BYTES
from dashboard.frame.encrypted import Encrypted
from dashboard.frame.incoming import HEAD_SECONDS, Incoming, Refused, busy, too_slow
from dashboard.frame.outgoing import Outgoing

READ_BYTES = 262_144
MOST_WAITING_BYTES = 536_870_912
"""Of all bodies that are on their way in or wait for their answer: they lie in temporary files."""
MOST_UNSENT_BYTES = 134_217_728
"""Of all answers that clients are slow to take."""
SEND_SECONDS = 30.0
"""In which a client must take a part of its answer."""
LINGER_SECONDS = 2.0
"""How long a client may take to notice that its last answer was the last."""
SWEEP_SECONDS = 0.5

log = logging.getLogger(__name__)


class Connection(TConn):
    """A client's connection: the request that is on its way, and until when what it waits for must come."""

    def __init__(self, cfg: Any, sock: socket.socket | Encrypted, client: Any, server: Any) -> None:
        super().__init__(cfg, Outgoing(sock), client, server)
        self.initialized = False
        self.incoming = Incoming(lambda _path: MOST_BODY_BYTES)
        self.began = 0.0
        self.deadline = 0.0
        self.is_kept = False
        """Whether another request may follow the answer that is being sent."""

    def init(self) -> None:
        """Make the parser, once. Gunicorn's way would wait here for a handshake."""
        if not self.initialized:
            self.initialized = True
            self.parser = get_parser(self.cfg, self.sock, self.client)


class WholeRequestWorker(ThreadWorker):
    """See above. All but `handle` runs on the loop."""

    SIGNALS = [number for number in ThreadWorker.SIGNALS if number != signal.SIGHUP]  # noqa: RUF012 - gunicorn's own

    def init_process(self) -> None:
        """Set up, in the new process."""
        self._waiting: dict[Connection, None] = {}
        """Connections that no thread has, the longest there first."""
        self._bodies: dict[Connection, int] = {}
        """Bytes that the bodies which are not forgotten yet may come to."""
        self._swept = 0.0
        self._told: set[int] = set()
        """Statuses of refusals that stand in the log already."""
        self._end = math.inf
        """When a worker that stops closes what still waits."""
        self._tls: ssl.SSLContext | None = ssl_context(self.cfg) if self.cfg.is_ssl else None
        super().init_process()

    def init_signals(self) -> None:
        """Take gunicorn's signals; SIGHUP (app.py) must not end a worker that still loads the application."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        super().init_signals()

    def accept(self, listener: Any) -> None:
        """Take a new connection, in the place of the one that has waited longest when there is no other."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        try:
            spoken_to = Encrypted(sock, self._tls) if self._tls else sock
        except OSError:  # it has gone again
            sock.close()
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, spoken_to, client, listener.getsockname())
        conn.init()
        self._expect(conn, HEAD_SECONDS)
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def handle(self, conn: Connection) -> bool:
        """Answer the request that is whole, in a thread; return whether another may follow."""
        conn.data_ready = True
        is_kept = bool(super().handle(conn))
        try:
            conn.sock.flush()
        except OSError:
            return False
        return is_kept

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        """Send the rest of the answer, then expect the next request or say farewell."""
        self._forget(conn)
        conn.is_kept = not fs.cancelled() and fs.exception() is None and fs.result()
        self._send(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close every connection, when forced to."""
        if force:
            for conn in tuple(self._waiting):
                self._drop(conn)

    def murder_pending(self) -> None:
        """Close the connections whose deadline has passed."""
        now = time.monotonic()
        if now < self._swept + SWEEP_SECONDS:
            return
        self._swept = now
        for conn in [conn for conn in self._waiting if conn.deadline <= now]:
            if self.alive and conn.incoming.has_begun and not conn.incoming.is_whole:
                self._refuse(conn, too_slow())
            else:
                self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        self._end = deadline
        for conn in self._waiting:
            self._give_until(conn, conn.deadline)

    def _give_until(self, conn: Connection, deadline: float) -> None:
        conn.deadline = min(deadline, self._end)

    def _expect(self, conn: Connection, seconds: float) -> None:
        rest = conn.incoming.rest
        conn.incoming = Incoming(self._most_body)
        self._give_until(conn, time.monotonic() + seconds)
        self._wait(conn, EVENT_READ, self._receive)
        if rest:
            self._take(conn, rest)

    def _receive(self, conn: Connection) -> None:
        data = self._read(conn)
        if data:
            self._take(conn, data)

    def _take(self, conn: Connection, data: bytes) -> None:
        incoming = conn.incoming
        if not incoming.has_begun:
            conn.began = time.monotonic()
        try:
            must_ask = incoming.take(data)
            if incoming.announced_bytes and conn not in self._bodies:
                self._admit(conn)
            if must_ask:
                conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                conn.sock.flush()
        except Refused as refused:
            self._refuse(conn, refused)
            return
        except OSError:
            self._refuse(conn, busy())
            return
        if not incoming.is_whole:
            self._give_until(conn, conn.began + incoming.allowed_seconds)
            return
        self._take_up(conn)
        conn.parser.unreader = IterUnreader(incoming.pieces())
        self.enqueue_req(conn)

    def _admit(self, conn: Connection) -> None:
        """Keep room for a body whose headers are there. Raises Refused where a large one has none beside the others."""
        announced = conn.incoming.announced_bytes
        if announced > MOST_BODY_BYTES and sum(self._bodies.values()) + announced > MOST_WAITING_BYTES:
            raise busy()
        self._bodies[conn] = announced

    def _forget(self, conn: Connection) -> None:
        """Forget the body, and give back its room."""
        conn.incoming.close()
        self._bodies.pop(conn, None)

    def _send(self, conn: Connection) -> None:
        """Send what the client takes, and go on when that was all."""
        before = conn.sock.unsent_bytes
        try:
            is_sent = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if not is_sent:
            if conn not in self._waiting:
                self._wait(conn, EVENT_WRITE, self._send)
                self._give_until(conn, time.monotonic() + SEND_SECONDS)
                self._bound_unsent()
            elif conn.sock.unsent_bytes < before:
                self._give_until(conn, time.monotonic() + SEND_SECONDS)
            return
        self._take_up(conn)
        if conn.is_kept:
            self._expect(conn, self.cfg.keepalive)
        else:
            self._linger(conn)

    def _bound_unsent(self) -> None:
        slow = [conn for conn in self._waiting if conn.sock.unsent_bytes]
        total = sum(conn.sock.unsent_bytes for conn in slow)
        while total > MOST_UNSENT_BYTES and len(slow) > 1:
            total -= slow[0].sock.unsent_bytes
            self._drop(slow.pop(0))

    def _refuse(self, conn: Connection, refused: Refused) -> None:
        if refused.status not in self._told:
            self._told.add(refused.status)
            log.warning("refused with %d before it was read: %s", refused.status, refused)
        path = conn.incoming.path
        self._forget(conn)
        self._take_up(conn)
        try:
            conn.sock.sendall(refused.answer_to(path))
            conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Close our side and let the client read the answer: closing with bytes unread would take it away from it."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.incoming = Incoming(self._most_body)
        self._give_until(conn, time.monotonic() + LINGER_SECONDS)
        self._wait(conn, EVENT_READ, self._read)

    def _read(self, conn: Connection) -> bytes:
        """Return what has come; the connection is dropped when its client has gone."""
        try:
            data: bytes = conn.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
        return data

    def _wait(self, conn: Connection, event: int, then: Callable[[Connection], object]) -> None:
        self._waiting[conn] = None
        self.poller.register(conn.sock, event, partial(self._called, then, conn))

    def _called(self, then: Callable[[Connection], object], conn: Connection, _socket: object) -> None:
        if conn in self._waiting:  # what came before it in the same look may have dropped it
            then(conn)

    def _take_up(self, conn: Connection) -> None:
        if conn in self._waiting:
            del self._waiting[conn]
            self.poller.unregister(conn.sock)

    def _make_room(self) -> None:
        oldest = next(iter(self._waiting), None)
        if oldest is not None:
            self._drop(oldest)

    def _drop(self, conn: Connection) -> None:
        self._take_up(conn)
        self._forget(conn)
        conn.close()
        self.nr_conns -= 1

    def _most_body(self, path: str) -> int:
        limits: dict[str, int] = getattr(self.wsgi, "extensions", {}).get(BODY_LIMITS, {})
        return limits.get(path, MOST_BODY_BYTES)
