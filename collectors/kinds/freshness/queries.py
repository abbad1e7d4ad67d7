"""Questions about the newest rows of a table, for ClickHouse and PostgreSQL.

A question reads only rows of the last hour, or those after the newest one known, where the table is sorted or indexed
by time; only the first look at a table without rows in the hour asks for the newest of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from collectors.kinds.clickhouse.error_codes import UNREADABLE, WRONG_LOGIN, ErrorCode
from collectors.kinds.postgresql.connection import Refused, Server, SqlState
from core.errors import SourceRejected, SourceUnavailable, StorageRejected
from core.kinds.base import OWN, masked
from core.kinds.freshness.source import FreshnessSource
from core.kinds.freshness.spec import MOST_SYMBOLS, WINDOW_SECONDS
from core.kinds.postgresql.source import PostgresqlSource
from core.net.reach import Address, Deadline, garbage
from core.net.web import ask

MOST_BYTES = 1_048_576
NO_SUCH_RELATION = (SqlState.UNDEFINED_TABLE, SqlState.UNDEFINED_COLUMN, SqlState.INVALID_SCHEMA_NAME)

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Minute:
    """The rows of one minute."""

    start: float
    rows: int
    newest: float


class Questions(Protocol):
    """What is asked of a database. All times in epoch seconds."""

    def minutes(self, deadline: Deadline) -> list[Minute]:
        """Return the minutes of the last hour that have rows, oldest first."""
        ...

    def newest(self, deadline: Deadline, after: float | None) -> float | None:
        """Return the time of the newest row, of those from `after` on; None when there is none."""
        ...

    def symbols(self, deadline: Deadline, since: float) -> list[tuple[str, float]]:
        """Return the instruments whose newest row since `since` is oldest, with its time."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class ClickHouseQuestions:
    """Asks a ClickHouse; `own_rows` runs a query on the one that belongs to Fundwatch."""

    def __init__(self, source: FreshnessSource, own_rows: Callable[[str], Rows]) -> None:
        self._source = source
        self._is_own = source.url.get_secret_value() == OWN
        self._own_rows = own_rows
        self._table = ".".join(f"`{part}`" for part in source.table.split("."))
        self._at = f"`{source.column}`"
        self._where = f" AND ({source.where})" if source.where else ""

    def minutes(self, deadline: Deadline) -> list[Minute]:
        """Return the minutes of the last hour that have rows."""
        at = f"toFloat64(toDateTime64({self._at}, 3))"
        rows = self._rows(
            f"SELECT intDiv(toUnixTimestamp(toDateTime({self._at})), 60) * 60 AS minute, count(), max({at}) "
            f"FROM {self._table} WHERE {self._at} >= now() - {WINDOW_SECONDS}{self._where} "
            "GROUP BY minute ORDER BY minute",
            deadline,
        )
        return [Minute(float(minute), int(count), float(newest)) for minute, count, newest in rows]

    def newest(self, deadline: Deadline, after: float | None) -> float | None:
        """Return the time of the newest row."""
        since = f"{self._at} >= toDateTime({int(after)})" if after is not None else "1"
        sql = (
            f"SELECT count(), max(toFloat64(toDateTime64({self._at}, 3))) FROM {self._table} WHERE {since}{self._where}"
        )
        count, newest = self._rows(sql, deadline)[0]
        return float(newest) if int(count) else None

    def symbols(self, deadline: Deadline, since: float) -> list[tuple[str, float]]:
        """Return the stalest instruments."""
        rows = self._rows(
            f"SELECT toString(`{self._source.symbol}`) AS name, max(toFloat64(toDateTime64({self._at}, 3))) AS newest "
            f"FROM {self._table} WHERE {self._at} >= toDateTime({int(since)}){self._where} "
            f"GROUP BY name ORDER BY newest LIMIT {MOST_SYMBOLS}",
            deadline,
        )
        return [(str(name), float(newest)) for name, newest in rows]

    def close(self) -> None:
        """Nothing is kept open."""

    def _rows(self, sql: str, deadline: Deadline) -> Rows:
        if self._is_own:
            try:
                return self._own_rows(sql)
            except StorageRejected as error:
                raise _refusal(str(error), 500, Address("own ClickHouse")) from error
        url = self._source.url.get_secret_value()
        address = _address(self._source)
        limits = f"readonly=2&max_execution_time={max(deadline.left() * 0.9, 0.1):.1f}"
        limits += "&output_format_json_quote_64bit_integers=0"
        parts = urlsplit(url)
        asked = urlunsplit((parts.scheme, parts.netloc, "/", limits, ""))
        answer = ask(
            asked,
            deadline,
            method="POST",
            body=f"{sql} FORMAT JSONCompact".encode(),
            ca_file=self._source.ca_file,
            most_bytes=MOST_BYTES,
        )
        if answer.status != 200:
            raise _refusal(answer.text, answer.status, address)
        try:
            found: Rows = json.loads(answer.body)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise garbage(address, "ClickHouse") from error
        return found


class PostgresqlQuestions:
    """Asks a PostgreSQL over one kept connection."""

    def __init__(self, source: FreshnessSource) -> None:
        self._source = source
        schema, _, table = source.table.rpartition(".")
        self._table = f'"{schema or "public"}"."{table}"'
        self._at = f'"{source.column}"'
        self._where = f" AND ({source.where})" if source.where else ""
        self._server: Server | None = None

    def minutes(self, deadline: Deadline) -> list[Minute]:
        """Return the minutes of the last hour that have rows."""
        rows = self._rows(
            f"SELECT floor(extract(epoch FROM {self._at}) / 60) * 60 AS minute, count(*) AS rows, "
            f"extract(epoch FROM max({self._at})) AS newest FROM {self._table} "
            f"WHERE {self._at} >= now() - interval '{WINDOW_SECONDS} seconds'{self._where} GROUP BY 1 ORDER BY 1",
            deadline,
        )
        return [Minute(float(row["minute"]), int(row["rows"]), float(row["newest"])) for row in rows]

    def newest(self, deadline: Deadline, after: float | None) -> float | None:
        """Return the time of the newest row."""
        since = f"{self._at} >= to_timestamp({int(after)})" if after is not None else "true"
        sql = f"SELECT extract(epoch FROM max({self._at})) AS newest FROM {self._table} WHERE {since}{self._where}"
        newest = self._rows(sql, deadline)[0]["newest"]
        return float(newest) if newest is not None else None

    def symbols(self, deadline: Deadline, since: float) -> list[tuple[str, float]]:
        """Return the stalest instruments."""
        rows = self._rows(
            f'SELECT "{self._source.symbol}"::text AS name, extract(epoch FROM max({self._at})) AS newest '
            f"FROM {self._table} WHERE {self._at} >= to_timestamp({int(since)}){self._where} "
            f"GROUP BY 1 ORDER BY 2 LIMIT {MOST_SYMBOLS}",
            deadline,
        )
        return [(str(row["name"]), float(row["newest"])) for row in rows]

    def close(self) -> None:
        """Close the connection, however it is."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _rows(self, sql: str, deadline: Deadline) -> list[dict[str, Any]]:
        try:
            if self._server is None:
                source = self._source
                self._server = Server(
                    PostgresqlSource(
                        name=source.name, url=source.url, ca_file=source.ca_file, timeout_seconds=source.timeout_seconds
                    ),
                    deadline,
                )
                self._server.tell("SET timezone = 'UTC'")
            self._server.renew(deadline)
            return self._server.ask(sql)
        except Refused as error:
            self.close()
            if error.state in NO_SUCH_RELATION:
                raise SourceRejected(f"no such table or column: {error}") from error
            if error.state == SqlState.INSUFFICIENT_PRIVILEGE:
                raise SourceRejected(f"we may not read it: {error}") from error
            if error.state == SqlState.QUERY_CANCELED:
                half = self._source.timeout_seconds / 2
                raise SourceUnavailable(f"the query took longer than {half:g} s: is {self._at} indexed?") from error
            raise SourceRejected(f"refused: {error}") from error
        except BaseException:
            self.close()
            raise


def _refusal(text: str, status: int, address: Address) -> SourceRejected | SourceUnavailable:
    """Return what ClickHouse's answer with an error means."""
    words = " ".join(text.split())
    head, _, rest = words.partition("DB::Exception: ")
    code = "".join(letter for letter in head if letter.isdigit())
    if not code or not rest:
        return garbage(address, "ClickHouse")
    if int(code) in WRONG_LOGIN or status in (401, 403):
        return SourceRejected(f"{address} refuses us: user or password is wrong")
    said = rest.partition(" (version")[0].partition(". In scope")[0][:300]
    if int(code) in UNREADABLE:
        return SourceRejected(f"we cannot read it: {said}")
    if int(code) == ErrorCode.TIMEOUT_EXCEEDED:
        return SourceUnavailable("the query took too long: is the table sorted by its time?")
    return SourceUnavailable(f"{address} answers error {code}: {said}")


def _address(source: FreshnessSource) -> Address:
    parts = urlsplit(masked(source.url))
    return Address(parts.hostname or "", parts.port or (8443 if parts.scheme == "https" else 8123))
