"""One connection to a PostgreSQL over libpq, every wait of it against one deadline."""

from __future__ import annotations

import errno
import select
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import orjson
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import OperationalError, ProgrammingError

from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.postgresql.source import PostgresqlSource
from core.kinds.postgresql.spec import PING_MARK
from core.net.reach import Address, Deadline, explained, garbage, resolve

OLDEST = 130_000
DEFAULT_PORT = 5432
APPLICATION = "fundwatch"
LOCK_MILLISECONDS = 100
"""A monitor that waits for a lock stands in the queue before the fund's own queries."""
OWN_MARK = "json_agg(fundwatch)"
OWN_MARKS = (OWN_MARK, PING_MARK)
"""What the text of each of our queries holds: pg_stat_statements shows them beside those of the fund."""
Row = dict[str, Any]


class SqlState(StrEnum):
    """The SQLSTATEs that mean something to us, by their names in PostgreSQL's documentation (appendix A)."""

    INVALID_SCHEMA_NAME = "3F000"
    INSUFFICIENT_PRIVILEGE = "42501"
    UNDEFINED_COLUMN = "42703"
    UNDEFINED_TABLE = "42P01"
    OBJECT_NOT_IN_PREREQUISITE_STATE = "55000"
    """So answers pg_stat_statements that was not loaded at the start."""
    LOCK_NOT_AVAILABLE = "55P03"
    QUERY_CANCELED = "57014"
    """So ends what took longer than statement_timeout."""


class Refused(Exception):
    """The server answered a query with an error; `state` is its SQLSTATE."""

    def __init__(self, state: str, message: str, detail: str = "") -> None:
        self.state = state
        self.detail = detail
        super().__init__(message)


class Server:
    """A connection, opened and set up. Raises SourceUnavailable and SourceRejected throughout, Refused by queries."""

    def __init__(self, source: PostgresqlSource, deadline: Deadline) -> None:
        self._deadline = deadline
        parameters = _parameters(source)
        self.address = _address(parameters)
        self._connection = _open(parameters, self.address, deadline)
        try:
            self.version = self._connection.server_version
            if self.version < OLDEST:
                raise SourceRejected(f"PostgreSQL {self.version_text} is too old: 13 or newer is needed")
            self._set_up(source.timeout_seconds)
        except BaseException:
            self.close()
            raise

    @property
    def version_text(self) -> str:
        """The version as the server tells it: "18.3"."""
        told = self._connection.parameter_status(b"server_version") or b""
        return told.decode(errors="replace").partition(" ")[0]

    @property
    def product(self) -> str:
        """What it is: "PostgreSQL 18.3"."""
        return f"PostgreSQL {self.version_text}"

    @property
    def role(self) -> str:
        """The role that we are."""
        return str(self._connection.user.decode(errors="replace"))

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is under TLS."""
        return bool(self._connection.ssl_in_use)

    def renew(self, deadline: Deadline) -> None:
        """Let all further waits count against `deadline`."""
        self._deadline = deadline

    def left(self) -> float:
        """Return the seconds left of the deadline. Raises TimeoutError when there are none."""
        return self._deadline.left()

    def ask(self, sql: str, *parameters: str) -> list[Row]:
        """Return the rows of a query by column. Its rows are made JSON by the server: one format for all types."""
        found = self._run(f"SELECT coalesce({OWN_MARK}, '[]') FROM ({sql}) fundwatch", parameters)
        rows: list[Row] = orjson.loads(found.get_value(0, 0) or b"[]")
        return rows

    def tell(self, sql: str) -> None:
        """Run a statement that has no rows."""
        self._run(sql, ())

    def close(self) -> None:
        """Close the connection, however it is."""
        self._connection.finish()

    def _set_up(self, timeout_seconds: float) -> None:
        # By SET rather than in the connection's options: poolers refuse those.
        for setting in (
            # Half of ours: a slow question is ended by the server, and the connection lives on.
            f"statement_timeout = {timeout_seconds * 500:.0f}",
            f"lock_timeout = {LOCK_MILLISECONDS}",
            "default_transaction_read_only = on",
            "jit = off",
            "client_encoding = 'UTF8'",
            "search_path = pg_catalog",
        ):
            self.tell(f"SET {setting}")

    def _run(self, sql: str, parameters: Sequence[str]) -> Any:
        with explained(self.address, self._deadline.seconds):
            try:
                self._connection.send_query_params(sql.encode(), [part.encode() for part in parameters])
                result = self._answer()
            except OperationalError as error:
                raise ConnectionAbortedError(errno.ECONNABORTED, str(error)) from error
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode(
            "utf-8", "replace"
        )
        if state.startswith(("57P", "08")) or self._connection.status != pq.ConnStatus.OK:
            raise SourceUnavailable(f"{self.address} ended the connection: {message.strip()}")
        detail = (result.error_field(pq.DiagnosticField.MESSAGE_DETAIL) or b"").decode("utf-8", "replace")
        raise Refused(state, message, detail)

    def _answer(self) -> Any:
        """Return the last result of a query, all others read."""
        connection = self._connection
        while connection.flush():
            self._wait(select.POLLIN | select.POLLOUT)
            connection.consume_input()
        last = None
        while True:
            while connection.is_busy():
                self._wait(select.POLLIN)
                connection.consume_input()
            result = connection.get_result()
            if result is None:
                break
            last = result
        if last is None:
            raise ConnectionAbortedError(errno.ECONNABORTED, "no answer")
        return last

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._connection.socket, events)
        if not poll.poll(self._deadline.left() * 1_000):
            raise TimeoutError("timed out")


def _parameters(source: PostgresqlSource) -> dict[str, Any]:
    try:
        parameters: dict[str, Any] = conninfo_to_dict(source.url.get_secret_value())
    except ProgrammingError as error:
        # libpq repeats what it does not understand, and that may be the password.
        name = (
            str(error).strip() if "URI query parameter" in str(error) else "special characters must be percent-encoded"
        )
        raise SourceRejected(f"the url is not understood: {name}") from None
    parameters |= {"application_name": APPLICATION, "gssencmode": "disable", "client_encoding": "UTF8"}
    parameters |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    if source.ca_file:
        parameters["sslrootcert"] = source.ca_file
        parameters.setdefault("sslmode", "verify-full")
    return parameters


def _address(parameters: Mapping[str, Any]) -> Address:
    host, port = str(parameters.get("host") or "localhost"), int(parameters.get("port") or DEFAULT_PORT)
    if host.startswith("/"):
        return Address(path=f"{host}/.s.PGSQL.{port}")
    asks_tls = parameters.get("sslmode") in ("require", "verify-ca", "verify-full")
    return Address(host, port, tls=asks_tls, ca_file=str(parameters.get("sslrootcert") or ""))


def _open(parameters: Mapping[str, Any], address: Address, deadline: Deadline) -> Any:
    """Return a connection to the first address of the host that answers. libpq's own look-up would not end in time."""
    with explained(address, deadline.seconds):
        found = [] if address.path else [str(pair[1][0]) for pair in resolve(address.host, address.port, deadline)]
        problem: SourceError | None = None
        for numeric in found or [""]:
            given = {**parameters, **({"host": address.host, "hostaddr": numeric} if numeric else {})}
            try:
                return _dial(make_conninfo(**given), address, deadline)
            except SourceUnavailable as error:
                problem = error
        assert problem is not None
        raise problem


def _dial(conninfo: str, address: Address, deadline: Deadline) -> Any:
    connection = pq.PGconn.connect_start(conninfo.encode())
    try:
        connection.nonblocking = 1
        events = select.POLLOUT
        while True:
            if connection.status == pq.ConnStatus.BAD:
                raise connect_error(connection.error_message.decode("utf-8", "replace"), address)
            poll = select.poll()
            poll.register(connection.socket, events)
            if not poll.poll(deadline.left() * 1_000):
                raise TimeoutError("timed out")
            state = connection.connect_poll()
            if state == pq.PollingStatus.OK:
                return connection
            if state == pq.PollingStatus.FAILED:
                raise connect_error(connection.error_message.decode("utf-8", "replace"), address)
            events = select.POLLIN if state == pq.PollingStatus.READING else select.POLLOUT
    except BaseException:
        connection.finish()
        raise


REJECTED = (
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it asks for a password, and the url has none"),
    ("does not support SSL", "it speaks no TLS, and we were told that it does"),
    ("certificate verify failed", "its certificate is not trusted"),
    ("does not match host name", "its certificate is for another host"),
    ("root certificate file", "the file of trusted certificates cannot be read"),
    ("certificate authentication failed", "it refuses our certificate"),
    ("is not permitted to log in", "our user may not log in"),
)
"""What libpq or the server says, and what it means; trying again cannot help."""

UNAVAILABLE = (
    ("too many clients already", "all its connections are in use"),
    ("remaining connection slots are reserved", "all its connections but those of superusers are in use"),
    ("too many connections for", "the connections allowed to our user or database are in use"),
    ("the database system is starting up", "it is starting up"),
    ("the database system is shutting down", "it is shutting down"),
    ("the database system is in recovery mode", "it recovers from a crash"),
    ("the database system is not yet accepting connections", "it is starting up"),
)
"""The same, of what may be over by the next try."""

NOT_POSTGRESQL = (
    "invalid response to SSL negotiation", "expected authentication request", "unexpected message", "invalid message",
    "unexpected response from server", "unrecognized message", "message length",
)  # fmt: skip
CLOSED = ("server closed the connection", "Connection reset", "Broken pipe")


def connect_error(said: str, address: Address) -> SourceError:
    """Return what `said`, the words of libpq about a connection that failed, means."""
    said = " ".join(said.split())
    told = said.rpartition("FATAL: ")[2].strip() if "FATAL: " in said else said.partition(" failed: ")[2] or said
    for words, meaning in REJECTED:
        if words in said:
            return SourceRejected(f"{address}: {meaning} ({told})")
    for words, meaning in UNAVAILABLE:
        if words in said:
            return SourceUnavailable(f"{address}: {meaning} ({told})")
    if "pg_hba.conf" in said:
        tls = "no encryption" in said or "SSL off" in said
        hint = "it may ask for TLS: add ?sslmode=require to the url" if tls else "its pg_hba.conf does not let us in"
        return SourceRejected(f"{address}: {hint} ({told})")
    if "does not exist" in said and ("database" in said or "role" in said):
        return SourceRejected(f"{address}: {told}")
    return _network_error(said, told, address)


def _network_error(said: str, told: str, address: Address) -> SourceError:
    if "Connection refused" in said:
        return SourceUnavailable(f"nothing listens at {address} (connection refused)")
    if "No such file or directory" in said and address.path:
        return SourceUnavailable(f"there is no socket {address}")
    if "No route to host" in said or "Network is unreachable" in said:
        return SourceUnavailable(f"there is no route to {address}")
    if "timed out" in said or "timeout expired" in said:
        return SourceUnavailable(f"no answer from {address}: the network gave up")
    if any(words in said for words in NOT_POSTGRESQL):
        return garbage(address, "PostgreSQL")
    if any(words in said for words in CLOSED):
        return SourceUnavailable(f"{address} closed the connection")
    if "SSL" in said:
        return SourceRejected(f"{address}: no TLS connection: {told}")
    return SourceUnavailable(f"{address}: {told}")
