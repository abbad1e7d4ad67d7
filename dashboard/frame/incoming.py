"""A request as it arrives, piece by piece: where it ends, and when it is refused before it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import IO

from core.web.problem import PROBLEM

MOST_HEAD_BYTES = 65_536
"""Of request line and headers. Gunicorn's own limits hold below it: 100 headers, 8,190 bytes each."""
IN_MEMORY_BYTES = 65_536
"""Of a body that still arrives; more of it waits in a temporary file."""

HEAD_SECONDS = 10.0
"""From a request's first byte to the end of its headers."""
BODY_SECONDS = 10.0
"""From there to the end of its body, and one second more for each SLOWEST_BYTES that came."""
SLOWEST_BYTES = 16_384

API = "/api/"
HEAD_END = b"\r\n\r\n"
LONGEST_LINE = 4_096
"""Of the lines between the chunks of a body, in bytes."""
FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.I)
DIGITS = re.compile(rb"\d+")
MOST_DIGITS = 18
"""Of a length, zeros before it apart: one with more is too large anywhere."""
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*)?\r\n")


class Refused(Exception):
    """A request that is answered before it is read, with this status and sentence."""

    def __init__(self, status: int, reason: str, sentence: str, fix: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason
        self.fix = fix

    def answer_to(self, path: str) -> bytes:
        """Return the whole answer: problem details where programs ask, as all of the API's, else a sentence."""
        is_api = path.startswith(API)
        kind = PROBLEM if is_api else "text/plain; charset=utf-8"
        body = self._problem if is_api else f"{self}\n".encode()
        head = (
            f"HTTP/1.1 {self.status} {self.reason}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body

    @property
    def _problem(self) -> bytes:
        told = {"type": "about:blank", "title": self.reason, "status": self.status, "detail": str(self), "field": "",
                "fix": self.fix, "allowed": []}  # fmt: skip
        return json.dumps(told).encode()


def too_slow() -> Refused:
    """Return what is said to a request that did not arrive in time."""
    return Refused(408, "Request Timeout", "The request did not arrive in time.", "Send it again.")


def busy() -> Refused:
    """Return what is said when there is no room for a body."""
    return Refused(
        503, "Service Unavailable", "There is no room for this body now: send it again later.", "Send it again later."
    )


def too_large(most_bytes: int) -> Refused:
    """Return what is said to a body that is larger than it may be."""
    sentence = f"Too large: a request's body has {most_bytes:,} bytes at most here."
    return Refused(413, "Content Too Large", sentence, "Send several.")


def unframed() -> Refused:
    """Return what is said to a request of which another reader could think that it ends elsewhere."""
    return Refused(
        400,
        "Bad Request",
        "Where the body ends is not clear: give one Content-Length, or in HTTP/1.1 Transfer-Encoding: chunked.",
    )


class Incoming:
    """One request on its way in: where it ends is decided here, what it says is left to the server's parser."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_chunks",
        "_file",
        "_head",
        "_most",
        "_most_body",
        "_wanted",
        "is_whole",
        "rest",
    )

    def __init__(self, most_body: Callable[[str], int]) -> None:
        """most_body: the limit of bodies by path."""
        self._most_body = most_body
        self._head = b""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._file: IO[bytes] | None = None
        self._most = 0
        self._wanted: int | None = None
        """Bytes of the body; None until the headers are whole, and for one that comes in chunks."""
        self._chunks: _Chunks | None = None
        self.is_whole = False
        self.rest = b""
        """What came after its end."""

    @property
    def has_begun(self) -> bool:
        """Whether any of it is there."""
        return bool(self._head)

    @property
    def path(self) -> str:
        """What it asks for; empty as long as that is not known."""
        return _path(self._head)

    @property
    def allowed_seconds(self) -> float:
        """How long it may take from its first byte to its last, by what is there."""
        if self._wanted is None and self._chunks is None:
            return HEAD_SECONDS
        return HEAD_SECONDS + BODY_SECONDS + self._body_bytes / SLOWEST_BYTES

    @property
    def announced_bytes(self) -> int:
        """Bytes that its body may come to; 0 as long as that is not known."""
        return self._wanted if self._wanted is not None else self._most

    def take(self, data: bytes) -> bool:
        """Take the next bytes; return whether the client waits for a word before it sends the body.

        Raises Refused, and OSError when a large body cannot be put aside.
        """
        if self._wanted is None and self._chunks is None:
            head = self._head + data
            end = head.find(HEAD_END, max(0, len(self._head) - len(HEAD_END)))
            if (len(head) if end < 0 else end) > MOST_HEAD_BYTES:
                raise Refused(431, "Request Header Fields Too Large", "The request's headers are too large.")
            if end < 0:
                self._head = head
                return False
            self._head, data = head[: end + len(HEAD_END)], head[end + len(HEAD_END) :]
            waits = self._frame()
            self._take_body(data)
            return waits and not self.is_whole and not data
        self._take_body(data)
        return False

    def pieces(self) -> Iterator[bytes]:
        """Give the request, in pieces."""
        if self._file is None:
            yield b"".join((self._head, *self._body))
            return
        yield self._head
        self._file.seek(0)
        while piece := self._file.read(IN_MEMORY_BYTES):
            yield piece

    def close(self) -> None:
        """Forget what is there."""
        self._body.clear()
        if self._file is not None:
            self._file.close()

    def _frame(self) -> bool:
        """Find out how the body ends; return whether the client waits before it sends it. Raises Refused."""
        found: dict[bytes, list[bytes]] = {b"content-length": [], b"transfer-encoding": [], b"expect": []}
        for name, value in FRAMING.findall(self._head):
            found[name.lower()].append(value.strip(b" \t").lower())
        lengths, codings, expected = found.values()
        is_1_1 = self._head.removeprefix(b"\r\n").split(b"\r\n", 1)[0].endswith(b" HTTP/1.1")
        # RFC 9110, section 10.1.1: in HTTP/1.0 it must be ignored.
        waits = is_1_1 and expected == [b"100-continue"]
        if waits:
            self._head = re.sub(rb"\r\nexpect[ \t]*:[^\r\n]*", b"", self._head, flags=re.I)
        self._most = self._most_body(self.path)
        if codings:
            if lengths or codings != [b"chunked"] or not is_1_1:
                raise unframed()
            self._chunks = _Chunks()
        else:
            self._wanted = _length(lengths)
            if self._wanted > self._most:
                raise too_large(self._most)
        return waits

    def _take_body(self, data: bytes) -> None:
        end = self._end_in(data)
        if end is not None:
            data, self.rest = data[:end], data[end:]
            self.is_whole = True
        if not data:
            return
        self._body_bytes += len(data)
        if self._body_bytes > self._most and not self.is_whole:
            raise too_large(self._most)
        self._keep(data)

    def _end_in(self, data: bytes) -> int | None:
        """Return where in `data` the body ends, None when more is to come. Raises Refused."""
        if self._chunks is not None:
            try:
                return self._chunks.end_in(data)
            except ValueError as error:
                raise Refused(400, "Bad Request", str(error)) from error
        missing = (self._wanted or 0) - self._body_bytes
        return missing if len(data) >= missing else None

    def _keep(self, data: bytes) -> None:
        if self._file is None and self._body_bytes > IN_MEMORY_BYTES:
            self._file = TemporaryFile()  # noqa: SIM115 - closed with the request
            self._file.writelines(self._body)
            self._body.clear()
        if self._file is None:
            self._body.append(data)
        else:
            self._file.write(data)


class _Chunks:
    """Finds the end of a body that comes in chunks (RFC 9112, section 7.1)."""

    __slots__ = ("_ends_chunk", "_is_last", "_line", "_skip")

    def __init__(self) -> None:
        self._skip = 0
        self._line = b""
        self._ends_chunk = False
        self._is_last = False

    def end_in(self, data: bytes) -> int | None:
        """Return where in the next bytes the body ends, None when more is to come. Raises ValueError."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                at, self._skip = at + step, self._skip - step
                continue
            end = data.find(b"\n", at) + 1
            self._line += data[at : end or len(data)]
            if len(self._line) > LONGEST_LINE:
                raise ValueError("A line between the chunks of the body is too long.")
            if not end:
                return None
            at, line, self._line = end, self._line, b""
            if not line.endswith(b"\r\n"):
                raise ValueError("A line between the chunks of the body must end with CR LF.")
            if self._is_last:
                if line == b"\r\n":
                    return at
                continue
            if self._ends_chunk:
                if line != b"\r\n":
                    raise ValueError("A chunk of the body is longer than it says.")
                self._ends_chunk = False
                continue
            size = CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise ValueError("The size of a chunk of the body was expected.")
            length = int(size[1], 16)
            self._skip, self._ends_chunk, self._is_last = length, length > 0, length == 0
        return None


def _length(lengths: list[bytes]) -> int:
    """Return the bytes of a body by its headers Content-Length: 0 without one. Raises Refused."""
    if not lengths:
        return 0
    if len(lengths) > 1 or not DIGITS.fullmatch(lengths[0]):
        raise unframed()
    return int(lengths[0].lstrip(b"0")[: MOST_DIGITS + 1] or b"0")


def _path(head: bytes) -> str:
    """Return the path of a request line, empty when there is none."""
    parts = head.split(b" ", 2)
    return parts[1].split(b"?", 1)[0].decode("latin-1") if len(parts) == 3 else ""
