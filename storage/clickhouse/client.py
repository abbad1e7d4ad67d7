"""ClickHouse, the same for the engine inside this process and for a server: only the URL differs.

A handle runs one statement at a time, and there are so many handles and no more: threads of any number share them, so
that the engine's own threads and descriptors stay as few. Every statement has a time and a memory limit and is
recorded in our query log.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import OutOfPatience, StartError, StorageRejected, StorageUnavailable
from core.fatal_signals import end_on_fatal_signals
from core.format import count, duration
from core.model import Facts
from core.patience import seconds_left
from storage.clickhouse.pulse import Pulse
from storage.clickhouse.query_log import Measured, QueryLog

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client
    from numpy.typing import NDArray

REJECTED_CODES = frozenset(
    {6, 10, 16, 20, 26, 27, 36, 38, 41, 42, 43, 44, 46, 47, 50, 53, 60, 62, 69, 72, 117, 131, 497}
)
"""Server error codes that the same statement will meet again: syntax, types, unknown names, bad values, access."""

MOST_HANDLES = 12
"""Of one process: statements that may run at once, of pages, collectors and the writer together."""

GRACE_SECONDS = 5
"""So long past its time limit the answer to a statement is waited for: a server says itself that it gave up."""

GRACE_OF_IMPATIENT_SECONDS = 0.25
"""The same where whoever asks must be back in time (core/patience.py)."""

MOST_STATEMENT_THREADS = 4
"""Of the engine inside this process: it takes as many as there are processors otherwise, and keeps them."""

NOT_COMPILED = {"compile_expressions": 0, "compile_aggregate_expressions": 0, "compile_sort_description": 0}
"""Of the engine inside this process: machine code takes 34 ms an expression, longer than our reads, and memory."""


class ClickHouse:
    """A pool of handles. Safe to share between threads; close it once."""

    def __init__(
        self,
        url: str,
        database: str = "fundwatch",
        *,
        timeout_seconds: float = 10.0,
        memory_bytes: int = 1_073_741_824,
        cluster: str = "",
        most_handles: int = MOST_HANDLES,
        query_log: QueryLog | None = None,
    ) -> None:
        self.url = url
        self.database = database
        self.cluster = cluster
        self.query_log = query_log or QueryLog()
        self.pulse = Pulse(self.ping)
        self._settings = {
            "max_execution_time": timeout_seconds,
            "max_memory_usage": memory_bytes,
            "async_insert": 0,
            "deduplicate_blocks_in_dependent_materialized_views": 1,
        } | ({"insert_distributed_sync": 1} if cluster else {})
        if self.is_embedded:
            self._settings |= {"max_threads": min(os.cpu_count() or 1, MOST_STATEMENT_THREADS), **NOT_COMPILED}
        self._timeout_seconds = timeout_seconds
        self._handles: list[Client] = []
        self._idle: list[Client] = []
        self._places = threading.BoundedSemaphore(most_handles)
        self._most_handles = most_handles
        self._open_lock = threading.Lock()
        self._closed = False
        self._reserved_for: int | None = None
        """The thread that prepares it, while nobody else may use it."""

    def prepare(self, do: Callable[[], None]) -> None:
        """Do what must be done before anybody else may use it, such as migrations.

        Raises what `do` raises: then it answers nobody until a later call ends well.
        """
        self._reserved_for = threading.get_ident()
        do()
        self._reserved_for = None

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs inside this process."""
        return self.url.startswith("chdb://")

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, kind: str = "read") -> list[tuple[Any, ...]]:
        """Return the result as a list of row tuples.

        Parameters bind in the server as `{name:Type}`. Raises StorageUnavailable or StorageRejected.
        """
        with self._statement(kind) as (client, measured):
            result = client.query(sql, parameters=dict(parameters or {}), settings=_hurried({}))
            rows = [tuple(row) for row in result.result_rows]
            _measure(measured, result.summary, len(rows))
        return rows

    def columns(
        self, sql: str, parameters: Mapping[str, Any] | None = None, kind: str = "read"
    ) -> defaultdict[str, list[Any]]:
        """Return the result as one list a column, by column name; an empty result has empty columns."""
        with self._statement(kind) as (client, measured):
            result = client.query(sql, parameters=dict(parameters or {}), settings=_hurried({}), column_oriented=True)
            columns = [list(column) for column in result.result_columns]
            _measure(measured, result.summary, len(columns[0]) if columns else 0)
        return defaultdict(list, zip(result.column_names, columns, strict=bool(columns)))

    def records(
        self,
        sql: str,
        layout: Sequence[tuple[str, str]],
        parameters: Mapping[str, Any] | None = None,
        kind: str = "read",
        settings: Mapping[str, Any] | None = None,
    ) -> NDArray[Any]:
        """Return the result as one array of records, a million rows in tens of milliseconds.

        `layout` is (name, numpy type) of every column in order; the statement must select exactly these types, none
        of them nullable. The array is read-only.
        """
        import numpy as np

        with self._statement(kind) as (client, measured):
            found = np.frombuffer(
                client.raw_query(sql, parameters=dict(parameters or {}), settings=_hurried(settings), fmt="RowBinary"),
                dtype=list(layout),
            )
            measured.rows, measured.bytes = len(found), found.nbytes
        return found

    def arrow(self, sql: str, kind: str = "read", settings: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the result as an Arrow table. Raises StorageUnavailable or StorageRejected."""
        import pyarrow as pa

        with self._statement(kind) as (client, measured):
            found = client.raw_query(sql, settings=_hurried(settings), fmt="ArrowStream")
            table = pa.ipc.open_stream(found).read_all()
            measured.rows, measured.bytes = table.num_rows, len(found)
        return table

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert rows of an Arrow table as `insert` does: a third of the time, since no value becomes an object."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        with self._statement(f"insert {table}") as (client, measured):
            client.raw_insert(
                table,
                rows.column_names,
                sink.getvalue().to_pybytes(),
                fmt="ArrowStream",
                settings={"insert_deduplication_token": token},
            )
            measured.rows = rows.num_rows

    def command(self, sql: str, kind: str = "command", settings: Mapping[str, Any] | None = None) -> Any:
        """Run a statement that returns nothing or one value. Raises StorageUnavailable or StorageRejected."""
        with self._statement(kind) as (client, _):
            return client.command(sql, settings=dict(settings or {}))

    def insert(self, facts: Facts, settings: Mapping[str, Any] | None = None) -> None:
        """Insert whole or not at all; the same `token` inserted again adds nothing, rollups included.

        A `max_execution_time` of `settings` holds for the wait for a server's answer too. Raises StorageUnavailable
        (it may or may not be there: repeat with the same token) or StorageRejected.
        """
        if not len(facts):
            return
        chosen = dict(settings or {}) | ({"insert_deduplication_token": facts.token} if facts.token else {})
        seconds = chosen.get("max_execution_time", self._timeout_seconds) + GRACE_SECONDS
        with self._statement(f"insert {facts.table}") as (client, measured), _waiting(client, seconds):
            client.insert(
                facts.table, facts.data, column_names=list(facts.columns), column_oriented=True, settings=chosen
            )
            measured.rows = len(facts)

    def ping(self) -> None:
        """Raise StorageUnavailable unless ClickHouse answers."""
        self.rows("SELECT 1", kind="ping")

    def close(self) -> None:
        """Close every handle. The pool cannot be used again."""
        self._closed = True
        self._idle.clear()
        while self._handles:
            with contextlib.suppress(Exception):
                self._handles.pop().close()

    @contextlib.contextmanager
    def _statement(self, kind: str) -> Iterator[tuple[Client, Measured]]:
        from clickhouse_connect.driver.exceptions import DataError, Error, ProgrammingError

        with self.query_log.record(kind) as measured, _hurry(), self._lent() as client:
            try:
                with _waiting(client, _left_with_grace()):
                    yield client, measured
            except (DataError, ProgrammingError, ValueError, TypeError) as error:
                raise StorageRejected(_one_line(error)) from error
            except Error as error:
                code = getattr(error, "code", None)
                raise (StorageRejected if code in REJECTED_CODES else StorageUnavailable)(_one_line(error)) from error
            except (OSError, RuntimeError) as error:
                raise StorageUnavailable(_one_line(error)) from error

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Client]:
        """Give a handle that nobody has, as soon as there is one."""
        if self._reserved_for not in (None, threading.get_ident()):
            raise StorageUnavailable("ClickHouse did not answer at the start: its tables are looked at when it does")
        left = seconds_left()
        if not self._places.acquire(
            timeout=self._timeout_seconds if left is None else min(left, self._timeout_seconds)
        ):
            raise StorageUnavailable(f"ClickHouse is busy with {count(self._most_handles, 'statement')}")
        try:
            client = self._handle()
            try:
                yield client
            finally:
                if not self._closed:
                    self._idle.append(client)
        finally:
            self._places.release()

    def _handle(self) -> Client:
        from clickhouse_connect.driver.exceptions import Error

        if self._closed:
            raise StorageUnavailable("ClickHouse is closed")
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            client = self._open(self.database)
        except (Error, OSError, RuntimeError) as error:
            raise StorageUnavailable(_one_line(error)) from error
        self._handles.append(client)
        return client

    def _open(self, database: str | None) -> Client:
        from clickhouse_connect.driver import options as driver_options

        # We send and take lists. Left alone the driver loads pandas (45 MiB, 0.3 s) to see that they are no frames.
        driver_options.pd = None

        options: dict[str, Any] = {"settings": self._settings, "database": database}
        if not self.is_embedded:
            options |= {"autogenerate_session_id": False, "query_retries": 0, "connect_timeout": 3}
        left = seconds_left()
        if not self._open_lock.acquire(timeout=-1 if left is None else left):
            raise StorageUnavailable("ClickHouse does not answer those who ask it first")
        try:
            return self._opened(options)
        finally:
            self._open_lock.release()

    def _opened(self, options: Mapping[str, Any]) -> Client:
        import clickhouse_connect

        if self.is_embedded:
            client = clickhouse_connect.get_client(dsn=self.url, **options)
            end_on_fatal_signals()
            return client
        waits = self._timeout_seconds + GRACE_SECONDS
        # The driver asks who is there, and takes whole seconds.
        first = waits if (left := seconds_left()) is None else min(waits, math.ceil(left))
        client = clickhouse_connect.get_client(dsn=self.url, **options, send_receive_timeout=first)
        _set_wait(client, waits)
        return client

    def create_database(self) -> None:
        """Make the database if absent. Raises StartError when another process owns the embedded folder."""
        from clickhouse_connect.driver.exceptions import Error

        on_cluster = f" ON CLUSTER `{self.cluster}`" if self.cluster else ""
        try:
            with contextlib.closing(self._open("default")) as client:
                client.command(f"CREATE DATABASE IF NOT EXISTS `{self.database}`{on_cluster}")
        except (Error, OSError, RuntimeError) as error:
            if "Cannot lock file" in str(error):
                raise StartError(f"{self.url} is owned by another running process: stop it first") from error
            raise StorageUnavailable(f"ClickHouse at {redacted(self.url)}: {_one_line(error)}") from error


@contextlib.contextmanager
def _hurry() -> Iterator[None]:
    """Say of what fails after all patience is gone that this is why. Raises OutOfPatience."""
    began, allowed = time.monotonic(), seconds_left()
    if allowed == 0:
        raise OutOfPatience("ClickHouse is not asked: what was asked before took all the time that there was")
    try:
        yield
    except StorageUnavailable as error:
        # ClickHouse may say a moment before that it will give up.
        if allowed is None or time.monotonic() - began < 0.9 * allowed:
            raise
        raise OutOfPatience(f"ClickHouse did not answer within {duration(allowed)}") from error


def _hurried(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the settings of a statement, which may take no longer than whoever asks may wait."""
    left = seconds_left()
    return dict(settings or {}) | ({} if left is None else {"max_execution_time": max(left, 0.01)})


def _left_with_grace() -> float | None:
    left = seconds_left()
    return None if left is None else left + GRACE_OF_IMPATIENT_SECONDS


@contextlib.contextmanager
def _waiting(client: Client, seconds: float | None) -> Iterator[None]:
    """Let a handle wait so long for an answer, None: as ever; the engine in this process has no such limit."""
    before = None if seconds is None else _set_wait(client, seconds)
    try:
        yield
    finally:
        if before is not None:
            _set_wait(client, before)


def _set_wait(client: Client, seconds: float) -> float | None:
    """Set how long a handle waits for an answer and return how long it did before; None: it has no such limit."""
    from clickhouse_connect.driver.httpclient import HttpClient
    from urllib3 import Timeout

    if not isinstance(client, HttpClient):
        return None
    before = client.timeout
    client.timeout = Timeout(connect=before.connect_timeout, read=seconds)
    return None if before.read_timeout is None else float(before.read_timeout)


def redacted(url: str) -> str:
    """Return the URL without user and password."""
    return re.sub(r"//[^/@]*@", "//", url)


def _measure(measured: Measured, summary: Mapping[str, Any] | None, rows: int) -> None:
    measured.rows = int((summary or {}).get("read_rows", 0) or rows)
    measured.bytes = int((summary or {}).get("read_bytes", 0) or 0)


def _one_line(error: BaseException) -> str:
    """Return the reason in a line; of a failed connection only what the system said."""
    found = re.search(r"\[Errno -?\d+\] [^\"')]+", str(error))
    return found[0] if found else " ".join(str(error).split())[:500]


def quoted(values: Sequence[str]) -> str:
    """Return `values` as a list of SQL string literals."""
    return ", ".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in values)
