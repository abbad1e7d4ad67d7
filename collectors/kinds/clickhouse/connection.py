"""How a ClickHouse is asked: a server over HTTP, and the engine inside this process. One behaviour for both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

from collectors.kinds.clickhouse.error_codes import SETTING_REFUSED, WRONG_LOGIN, ErrorCode
from core.errors import SourceError, SourceRejected, SourceUnavailable, StorageRejected, StorageUnavailable
from core.format import bytes_
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.kinds.clickhouse.spec import QUERY_MEMORY_BYTES
from core.net.reach import Connection, Deadline, connect, explained, garbage
from core.net.web import MOST_BYTES, Answer, address_of, exchange
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.query_log import QueryLog

Row = dict[str, Any]

OUR_SHARE_OF_DEADLINE = 0.7
"""How much of the time that is left a query may take, so that its refusal still reaches us."""
POLITE = {
    "max_threads": "1",
    "max_memory_usage": str(QUERY_MEMORY_BYTES),
    "log_queries": "0",
    "cancel_http_readonly_queries_on_client_close": "1",
}
"""What we set for our own queries: little work, no trace in the query log, an end when we hang up."""
SHAPE = {
    "wait_end_of_query": "1",
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
}
KIND = "watch ClickHouse"
"""What our queries to the own engine are called in our query log."""

_CODE = re.compile(r"Code: (\d+)\.?")
_NATIVE_PORT = b"is for clickhouse-client"
_WHOLE = re.compile(r"^(Nullable\()?U?Int(64|128|256)\b")


class Refused(Exception):
    """ClickHouse understood the question and said no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class TooLong(SourceRejected):
    """The answer has more bytes than are read."""


class Engine(Protocol):
    """One connection to a ClickHouse."""

    def renew(self, deadline: Deadline) -> None:
        """Give the connection the deadline of another reading."""

    def ping(self) -> None:
        """Wait for the shortest answer there is."""

    def ask(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
        """Return the rows of the answer by column name. Raises Refused, SourceUnavailable, SourceRejected."""

    def do(self, sql: str, parameters: Mapping[str, str] | None = None) -> None:
        """Run a statement that asks nothing. Raises as `ask` does."""

    def close(self) -> None:
        """Close the connection."""


def open_engine(source: ClickHouseSource | OwnEngine, deadline: Deadline, log: QueryLog | None = None) -> Engine:
    """Return a connection to `source`; what we ask our own engine is recorded in `log`."""
    if isinstance(source, OwnEngine):
        return EmbeddedEngine(source, deadline, log)
    return HttpEngine(source, deadline)


class HttpEngine:
    """A server, over one kept connection that is opened again when it was closed meanwhile."""

    def __init__(self, source: ClickHouseSource, deadline: Deadline, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._url = source.url.get_secret_value()
        self._address = address_of(self._url, source.ca_file)
        self._deadline = deadline
        self._connection: Connection | None = None
        self._polite: Mapping[str, str] = POLITE

    @property
    def may_set(self) -> bool:
        """Whether the server lets us set limits on our own queries."""
        return bool(self._polite)

    def renew(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def ping(self) -> None:
        answer = self._exchange("/ping", "", None)
        if answer.body.strip() != b"Ok.":
            raise self._strange(answer)

    def ask(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
        try:
            return self._ask(sql, parameters or {})
        except Refused as error:
            if error.code not in SETTING_REFUSED or not self._polite:
                raise
            # A user with readonly = 1 may set nothing: it is asked without limits then.
            self._polite = {}
            return self._ask(sql, parameters or {})

    def do(self, sql: str, parameters: Mapping[str, str] | None = None) -> None:
        self._send(sql, parameters or {}, is_logged=True)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, sql: str, parameters: Mapping[str, str]) -> list[Row]:
        answer = self._send(f"{sql}\nFORMAT JSONCompact", parameters)
        if len(answer.body) >= self._most_bytes:
            raise TooLong(f"{self._address} answers with more than {bytes_(self._most_bytes)}")
        try:
            return _rows(json.loads(answer.body))
        except (ValueError, KeyError, TypeError) as error:
            raise garbage(self._address, "ClickHouse") from error

    def _send(self, sql: str, parameters: Mapping[str, str], *, is_logged: bool = False) -> Answer:
        settings: dict[str, str] = {}
        if self._polite:
            longest = max(self._left() * OUR_SHARE_OF_DEADLINE, 0.1)
            settings = {**SHAPE, **self._polite, "max_execution_time": f"{longest:.1f}"}
            settings |= {"log_queries": "1"} if is_logged else {}
        named = {f"param_{name}": value for name, value in parameters.items()}
        answer = self._exchange("/", urlencode({**settings, **named}), sql.encode())
        if answer.status != 200:
            raise self._refusal(answer)
        return answer

    def _exchange(self, path: str, query: str, body: bytes | None) -> Answer:
        was_kept = self._connection is not None
        try:
            return self._attempt(path, query, body)
        except SourceUnavailable:
            # A server closes what idles: that says nothing of how it is now.
            if not was_kept:
                raise
            self._left()
            return self._attempt(path, query, body)

    def _attempt(self, path: str, query: str, body: bytes | None) -> Answer:
        parts = urlsplit(self._url)
        url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))
        try:
            if self._connection is None:
                self._connection = connect(self._address, self._deadline)
            self._connection.deadline = self._deadline
            method = "POST" if body else "GET"
            answer = exchange(self._connection, url, method=method, body=body, most_bytes=self._most_bytes, keep=True)
        except BaseException:
            self.close()
            raise
        if not answer.is_kept:
            self.close()
        return answer

    def _left(self) -> float:
        with explained(self._address, self._deadline.seconds):
            return self._deadline.left()

    def _refusal(self, answer: Answer) -> Exception:
        told = _CODE.search(answer.text)
        code = answer.headers.get("x-clickhouse-exception-code", told[1] if told else "")
        if not code.isdigit():
            return self._strange(answer)
        if int(code) in WRONG_LOGIN:
            user = urlsplit(self._url).username or "default"
            return SourceRejected(f"{self._address} refuses the user {user}: wrong name or password")
        return Refused(int(code), plain(answer.text))

    def _strange(self, answer: Answer) -> SourceError:
        if _NATIVE_PORT in answer.body:
            return SourceRejected(
                f"{self._address} speaks ClickHouse's native protocol: the HTTP port is needed (8123 by default)"
            )
        return garbage(self._address, f"ClickHouse (HTTP status {answer.status})")


class EmbeddedEngine:
    """The engine inside this process, by a handle of its own: handles run beside each other."""

    def __init__(self, source: OwnEngine, deadline: Deadline, log: QueryLog | None = None) -> None:
        self._clickhouse = ClickHouse(
            source.url,
            source.database,
            timeout_seconds=source.timeout_seconds * OUR_SHARE_OF_DEADLINE,
            memory_bytes=QUERY_MEMORY_BYTES,
            query_log=log,
        )
        self._deadline = deadline

    def renew(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def ping(self) -> None:
        self.ask("SELECT 1")

    def ask(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
        with self._translated():
            columns = self._clickhouse.columns(sql, parameters, kind=KIND)
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def do(self, sql: str, parameters: Mapping[str, str] | None = None) -> None:
        with self._translated():
            self._clickhouse.rows(sql, parameters, kind=KIND)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            self._deadline.left()
            yield
        except TimeoutError as error:
            raise SourceUnavailable(f"no answer within {self._deadline.seconds:g} s") from error
        except (StorageRejected, StorageUnavailable) as error:
            told = _CODE.search(str(error))
            if told is None:
                raise SourceUnavailable(str(error)) from error
            raise Refused(int(told[1]), plain(str(error))) from error

    def close(self) -> None:
        self._clickhouse.close()


def as_source_error(error: Refused) -> SourceError:
    """Return what to say of a source that refuses the question without which there is no reading."""
    if error.code == ErrorCode.IP_ADDRESS_NOT_ALLOWED:
        return SourceRejected("does not accept our user from this machine's address")
    if error.code == ErrorCode.TOO_MANY_SIMULTANEOUS_QUERIES:
        return SourceUnavailable("rejects new queries: too many are running at once")
    if error.code == ErrorCode.ACCESS_DENIED:
        return SourceRejected(f"our user may not do that: {error}")
    return SourceUnavailable(f"refused with code {error.code}: {error}")


def plain(text: str) -> str:
    """Return ClickHouse's message without its code, stack and version, in one line of at most 300 characters."""
    line = " ".join(text.split())
    line = re.sub(r"^.*?Code: \d+\.? ?(DB::Exception: )?", "", line)
    line = re.sub(r" ?\(version [^)]*\)?\)?$", "", line)
    return line[:300]


def _rows(answer: Any) -> list[Row]:
    """Return the rows of JSONCompact; older servers write 64-bit numbers as texts."""
    names = [column["name"] for column in answer["meta"]]
    whole = [bool(_WHOLE.match(column["type"])) for column in answer["meta"]]
    return [
        {
            name: int(value) if is_whole and isinstance(value, str) else value
            for name, is_whole, value in zip(names, whole, row, strict=True)
        }
        for row in answer["data"]
    ]
