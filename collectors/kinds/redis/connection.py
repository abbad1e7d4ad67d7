"""The Redis protocol (RESP2) over a Connection: commands out, values in, refusals as plain sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.redis.source import RedisSource
from core.net.reach import Address, Connection, Deadline, TlsSilence, connect, explained, garbage

DEFAULT_PORT = 6379
LARGEST_TEXT_BYTES = 67_108_864
LARGEST_ARRAY = 1_000_000
DEEPEST = 8
CLIENT_NAME = "fundwatch"
Command = tuple[str | bytes | int, ...]


class Refused(Exception):
    """A command was answered with an error: `code` is its first word."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = text.partition(" ")[0]


class Resp:
    """A connection to a server, logged in. Raises SourceUnavailable, SourceRejected, and Refused from `ask`."""

    def __init__(self, source: RedisSource, deadline: Deadline) -> None:
        parts = urlsplit(source.url.get_secret_value())
        self.address = address_of(source)
        self._connection = _connected(self.address, deadline)
        self._connection.deadline = deadline
        try:
            if parts.password or parts.username:
                self._log_in(unquote(parts.username or ""), unquote(parts.password or ""))
            self.ask_all([("CLIENT", "SETNAME", CLIENT_NAME)])
        except BaseException:
            self.close()
            raise

    def renew(self, deadline: Deadline) -> None:
        """Let what follows wait until `deadline`."""
        self._connection.deadline = deadline

    def ask(self, *command: str | bytes | int) -> Any:
        """Return the answer to one command. Raises Refused."""
        answer = self.ask_all([command])[0]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """Return the answers to commands sent in one go; a refused one is answered by a Refused."""
        with explained(self.address, self._connection.deadline.seconds):
            self._connection.send(b"".join(map(_encoded, commands)))
            answers = [self._value(0) for _ in commands]
        for answer in answers:
            if isinstance(answer, Refused):
                _raise_if_final(answer)
        return answers

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _log_in(self, user: str, password: str) -> None:
        try:
            self.ask("AUTH", user, password) if user else self.ask("AUTH", password)
        except Refused as error:
            if "without any password configured" in str(error) or "no password is set" in str(error):
                raise SourceRejected("has no password, and the URL has one") from error
            raise SourceRejected(f"wrong user or password ({error})") from error

    def _value(self, depth: int) -> Any:
        line = self._connection.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode("utf-8", "replace")
        if kind == b"-":
            return Refused(rest.decode("utf-8", "replace"))
        if kind == b":":
            return self._number(rest)
        if kind == b"$":
            size = self._number(rest, LARGEST_TEXT_BYTES)
            return None if size < 0 else self._connection.exactly(size + 2)[:-2]
        if kind == b"*" and depth < DEEPEST:
            count = self._number(rest, LARGEST_ARRAY)
            return None if count < 0 else [self._value(depth + 1) for _ in range(count)]
        raise garbage(self.address, "Redis")

    def _number(self, text: bytes, most: int | None = None) -> int:
        try:
            number = int(text)
        except ValueError:
            raise garbage(self.address, "Redis") from None
        if most is not None and number > most:
            raise garbage(self.address, "Redis")
        return number


def _connected(address: Address, deadline: Deadline) -> Connection:
    """Return the connection. A plain server takes a TLS greeting for the begin of a command and waits for its end:

    without an answer to the greeting in half of our time, a plain PING tells.
    """
    if not address.tls:
        return connect(address, deadline)
    try:
        return connect(address, Deadline(deadline.left() / 2))
    except SourceUnavailable as error:
        if not isinstance(error, TlsSilence):
            raise
        plain = connect(replace(address, tls=False), deadline)
        with explained(address, deadline.seconds):
            try:
                plain.send(_encoded(("PING",)))
                is_plain = plain.line()[:1] in (b"+", b"-")
            finally:
                plain.close()
        if is_plain:
            raise SourceRejected(f"{address} speaks no TLS, and we were told that it does") from error
        raise


def address_of(source: RedisSource) -> Address:
    """Return where the server of `source` listens."""
    parts = urlsplit(source.url.get_secret_value())
    if parts.scheme == "unix":
        return Address(path=parts.path)
    is_tls = parts.scheme == "rediss"
    return Address(parts.hostname or "localhost", parts.port or DEFAULT_PORT, tls=is_tls, ca_file=source.ca_file)


def as_source_error(error: Refused) -> SourceError:
    """Return a refusal that ends a reading as the error that the runner knows."""
    if error.code == "NOPERM":
        return SourceRejected(f"the user lacks a permission ({error})")
    return SourceUnavailable(f"answers with an error: {error}")


def text(value: Any) -> str:
    """Return an answer as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def pairs(flat: Iterable[Any]) -> dict[str, Any]:
    """Return a flat list of names and values as a dict."""
    items = list(flat)
    return {text(name): value for name, value in zip(items[::2], items[1::2], strict=False)}


def _raise_if_final(error: Refused) -> None:
    """Raise when an error concerns the connection, not the one command."""
    if error.code == "NOAUTH":
        raise SourceRejected("wants a password, and the URL has none")
    if error.code == "DENIED":
        raise SourceRejected("runs in protected mode and answers only to its own machine")
    if error.code == "LOADING":
        raise SourceUnavailable("is loading its data from disk")
    if "max number of clients" in str(error):
        raise SourceUnavailable("has no room for another client (maxclients reached)")


def _encoded(command: Command) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
