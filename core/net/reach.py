"""Reaching a source over a socket: hard deadlines, and plain sentences for whatever goes wrong.

`connect` gives a `Connection` whose every wait counts against one `Deadline`, so that a source which drips a byte a
second cannot outlast it. `explained` turns what sockets, TLS and name look-ups raise into SourceUnavailable or
SourceRejected; the component's name stands before these sentences on the screen.
"""

from __future__ import annotations

import errno
import ipaddress
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from core.addresses import host_and_port
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.net.certificates import Certificate, first_to_end

GRACE_SECONDS = 1.0
"""The runner's deadline is later than a collector's own by this: it is for what the own cannot end."""
CHUNK_BYTES = 65_536
LONGEST_LINE_BYTES = 65_536
TLS_ALERT = b"\x15\x03"
"""How a TLS server begins its answer to something that is no TLS."""

REFUSED = {errno.ECONNREFUSED}
NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
CLOSED = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.ESHUTDOWN}


T = TypeVar("T")


class TlsSilence(SourceUnavailable):
    """A port that accepts connections did not answer our TLS greeting in time."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a source listens: host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False
    ca_file: str = ""

    def __str__(self) -> str:
        return self.path or host_and_port(self.host, self.port)


class Deadline:
    """The end of everything that one reading may wait for."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, above zero. Raises TimeoutError when there are none."""
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class Connection:
    """A connection whose every wait counts against `deadline`, which the owner renews for each reading.

    Raises what sockets raise; ConnectionError when the other side closed; SourceRejected when it speaks TLS and
    we do not.
    """

    def __init__(self, sock: socket.socket, address: Address, deadline: Deadline) -> None:
        self.address = address
        self.deadline = deadline
        self._sock = sock
        self._buffer = bytearray()
        self._has_heard = False

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self.deadline.left())
            view = view[self._sock.send(view) :]

    def line(self, limit: int = LONGEST_LINE_BYTES) -> bytes:
        """Return the next line without its end. Raises SourceUnavailable past `limit` bytes without one."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise garbage(self.address)
            self._receive()
        found = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return found.removesuffix(b"\r")

    def exactly(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        while len(self._buffer) < count:
            self._receive()
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    def some(self, limit: int = CHUNK_BYTES) -> bytes:
        """Return what has come, at least one byte; empty when the other side has closed."""
        if not self._buffer:
            try:
                self._receive()
            except ConnectionAbortedError:
                return b""
        found = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        return found

    def certificate(self) -> Certificate | None:
        """Return the certificate that ends first of the other side's chain; None without TLS."""
        return first_to_end(self._sock) if isinstance(self._sock, ssl.SSLSocket) else None

    def close(self) -> None:
        """Close the connection, however it is."""
        self._sock.close()

    def _receive(self) -> None:
        self._sock.settimeout(self.deadline.left())
        try:
            data = self._sock.recv(CHUNK_BYTES)
        except ConnectionResetError:
            data = b""
        if not self._has_heard and not self.address.tls and self._sounds_like_tls(data):
            raise SourceRejected(f"{self.address} speaks TLS, and we were told that it does not")
        if not data:
            raise ConnectionAbortedError(errno.ECONNABORTED, "closed by the other side")
        self._has_heard = True
        self._buffer += data

    def _sounds_like_tls(self, data: bytes) -> bool:
        """Return whether the first answer is that of a TLS server that hears no TLS: an alert, or it hangs up."""
        return data.startswith(TLS_ALERT) or (not data and _speaks_tls(self.address, self.deadline))


def connect(address: Address, deadline: Deadline) -> Connection:
    """Return a connection to `address`, TLS done. Raises SourceUnavailable or SourceRejected."""
    with explained(address, deadline.seconds):
        return Connection(open_socket(address, deadline), address, deadline)


def open_socket(address: Address, deadline: Deadline) -> socket.socket:
    """Return a socket that is connected to `address`, TLS done, for a library that speaks over it itself.

    Raises what sockets raise: `explained` makes sentences of that.
    """
    sock = _plain(address, deadline)
    try:
        return _secured(sock, address, deadline) if address.tls else sock
    except BaseException:
        sock.close()
        raise


def _speaks_tls(address: Address, deadline: Deadline) -> bool:
    """Return whether a TLS handshake succeeds there, whatever the certificate."""
    if address.path:
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            _plain(address, deadline) as sock,
            context.wrap_socket(sock, server_hostname=address.host, do_handshake_on_connect=False) as secured,
        ):
            _shake_hands(secured, deadline)
    except OSError:
        return False
    return True


def _plain(address: Address, deadline: Deadline) -> socket.socket:
    if address.path:
        return _joined(socket.socket(socket.AF_UNIX), address.path, deadline)
    problem: OSError = OSError(errno.EHOSTUNREACH, "no address")
    for family, where in resolve(address.host, address.port, deadline):
        try:
            sock = _joined(socket.socket(family, socket.SOCK_STREAM), where, deadline)
        except OSError as error:
            problem = error
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise problem


def _joined(sock: socket.socket, where: str | tuple[object, ...], deadline: Deadline) -> socket.socket:
    try:
        sock.settimeout(deadline.left())
        sock.connect(where)
    except BaseException:
        sock.close()
        raise
    return sock


def _secured(sock: socket.socket, address: Address, deadline: Deadline) -> socket.socket:
    context = ssl.create_default_context(cafile=address.ca_file or None)
    sock.settimeout(deadline.left())
    secured = context.wrap_socket(sock, server_hostname=address.host, do_handshake_on_connect=False)
    try:
        _shake_hands(secured, deadline)
    except TimeoutError:
        secured.close()
        raise TlsSilence(
            f"{address} accepted the connection but gave no TLS answer within {deadline.seconds:.3g} s: "
            "it hangs, or speaks no TLS"
        ) from None
    except BaseException:
        secured.close()
        raise
    return secured


def _shake_hands(secured: ssl.SSLSocket, deadline: Deadline) -> None:
    """Do the handshake in steps, each against the deadline: one wait alone would start anew at every byte."""
    secured.setblocking(False)
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            _wait(secured, select.POLLIN, deadline)
        except ssl.SSLWantWriteError:
            _wait(secured, select.POLLOUT, deadline)


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    poll = select.poll()
    poll.register(sock, event)
    poll.poll(deadline.left() * 1_000)


_lookups: dict[str, threading.Thread] = {}
_lookups_lock = threading.Lock()


def resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, tuple[object, ...]]]:
    """Return (family, address) pairs of `host`. The look-up itself knows no deadline: it gets a thread, one a name.

    Raises TimeoutError or socket.gaierror.
    """
    if host == "localhost" or _is_numeric(host):
        return _pairs(host, port)
    answers: queue.SimpleQueue[list[tuple[int, tuple[object, ...]]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(_pairs(host, port))
        except OSError as error:
            answers.put(error)

    with _lookups_lock:
        known = _lookups.get(host)
        if known is not None and known.is_alive():
            raise TimeoutError("the look-up of the name still hangs")
        thread = _lookups[host] = threading.Thread(target=look_up, name=f"look-up {host}", daemon=True)
    thread.start()
    try:
        found = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError("the look-up of the name hangs") from None
    if isinstance(found, OSError):
        raise found
    return found


def _pairs(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
    return [(int(each[0]), each[4]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def retried_once(attempt: Callable[[], T], *, was_kept: bool) -> T:
    """Return what `attempt` does; on a connection that `was_kept` since an earlier time, a second try is allowed.

    A server closes what idles: that says nothing of how it is now. Raises what the last attempt does.
    """
    try:
        return attempt()
    except SourceUnavailable:
        if not was_kept:
            raise
    return attempt()


@contextmanager
def explained(address: Address, seconds: float) -> Iterator[None]:
    """Turn what sockets raise within into SourceUnavailable or SourceRejected; SourceErrors pass."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise explain(error, address, seconds) from error


def explain(error: OSError | ValueError, address: Address, seconds: float) -> SourceError:
    """Return `error` as a sentence with the address in it; `seconds` is how long we waited at most."""
    if isinstance(error, ssl.SSLError):
        return _explain_tls(error, address)
    if isinstance(error, socket.gaierror):
        return SourceUnavailable(f"the name {address.host} is not known (DNS: {error.strerror or error})")
    if isinstance(error, TimeoutError):
        if "look-up" in str(error):
            return SourceUnavailable(f"the name {address.host} could not be looked up within {seconds:.3g} s (DNS)")
        return SourceUnavailable(f"no answer from {address} within {seconds:.3g} s")
    number = getattr(error, "errno", None)
    if number in REFUSED:
        return SourceUnavailable(f"nothing listens at {address} (connection refused)")
    if number in NO_ROUTE:
        return SourceUnavailable(f"there is no route to {address}")
    if number in CLOSED or isinstance(error, ConnectionError):
        return SourceUnavailable(f"{address} closed the connection")
    if number == errno.ENOENT and address.path:
        return SourceUnavailable(f"there is no socket {address}")
    if number == errno.ENOENT and address.ca_file:
        return SourceRejected(f"ca_file {address.ca_file} does not exist")
    if number in (errno.EACCES, errno.EPERM):
        return SourceRejected(f"we may not open {address} (permission denied)")
    return SourceUnavailable(f"{address}: {getattr(error, 'strerror', None) or error}")


def _explain_tls(error: ssl.SSLError, address: Address) -> SourceError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceRejected(f"the certificate of {address} is not trusted: {error.verify_message}")
    reason = (error.reason or str(error)).lower().replace("_", " ")
    if "wrong version number" in reason or "record layer" in reason or "unexpected message" in reason:
        return SourceRejected(f"{address} speaks no TLS, and we were told that it does")
    if "eof" in reason:
        return SourceUnavailable(f"{address} closed the connection during the TLS handshake: it may speak no TLS")
    return SourceRejected(f"no TLS connection to {address}: {reason}")


def garbage(address: Address, expected: str = "") -> SourceUnavailable:
    """Return the error for an answer that makes no sense; `expected` names what should have answered."""
    return SourceUnavailable(f"{address} answers something that is not {expected or 'what we asked for'}")
