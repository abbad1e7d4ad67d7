"""Queries for PostgreSQL 13 to 18, built from the columns that each has (captured from running servers)."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.kinds.postgresql import queries, space, statements
from collectors.kinds.postgresql.catalog import Catalog
from collectors.kinds.postgresql.collector import PostgresqlCollector
from core.errors import SourceRejected
from core.kinds.postgresql.source import PostgresqlSource

CAPTURED = json.loads((Path(__file__).parents[1] / "captured" / "postgresql_columns.json").read_text())
VERSIONS = tuple(CAPTURED)
ALL_COLUMNS = {name for views in CAPTURED.values() for columns in views.values() for name in columns.split()}
WORD = re.compile(r"(?<![.'\w])[a-z_]+[a-z0-9_]*(?!['\w(])")


def catalog(version: str) -> Catalog:
    views = CAPTURED[version]
    return Catalog({view: frozenset(columns.split()) for view, columns in views.items()}, "public")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_query_names_a_view_that_the_version_lacks(version: str) -> None:
    has = catalog(version)
    built = [make(has) for make in (queries.sessions, queries.waits_for_locks, queries.databases, queries.writing)]
    built += [make(has) for make in (queries.replicas, queries.slots, queries.receiver, queries.progress)]
    built += [make(has) for make in (space.tables, space.indexes)]
    known = {view for views in CAPTURED.values() for view in views}
    for sql in built:
        named = {word for word in re.findall(r"\bpg_\w+", sql) if word in known}
        assert named <= set(has.columns), named - set(has.columns)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_query_names_a_column_that_the_version_lacks(version: str) -> None:
    has = catalog(version)
    for view, sql in (
        ("pg_stat_activity", queries.sessions(has)),
        ("pg_stat_database", queries.databases(has)),
        ("pg_stat_replication", queries.replicas(has)),
        ("pg_replication_slots", queries.slots(has)),
        ("pg_stat_wal_receiver", queries.receiver(has)),
        ("pg_stat_statements", statements._query(has)),
    ):
        expressions = re.sub(r"\bAS \S+", "", sql)
        named = {word for word in WORD.findall(expressions) if word in ALL_COLUMNS}
        assert named <= has.columns[view], named - has.columns[view]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("13", ("checkpoints_timed AS timed", "NULL AS wal_records", "NULL AS wal_syncs", "buffers_backend")),
        ("14", ("checkpoints_timed AS timed", "(SELECT wal_records FROM pg_stat_wal)", "(SELECT wal_sync FROM")),
        ("16", ("checkpoints_req AS requested", "(SELECT wal_sync_time FROM pg_stat_wal) AS wal_sync_ms")),
        ("17", ("num_timed AS timed", "FROM pg_stat_checkpointer, pg_stat_bgwriter", "NULL AS backend_buffers")),
        ("18", ("num_timed AS timed", "(SELECT sum(fsync_time) FROM pg_stat_io WHERE object = 'wal') AS wal_sync_ms")),
    ],
)
def test_what_moved_between_versions_is_found_where_it_is(version: str, expected: tuple[str, ...]) -> None:
    sql = queries.writing(catalog(version))
    for part in expected:
        assert part in sql


def test_statements_know_the_names_of_their_times_in_each_version() -> None:
    before, since = statements._query(catalog("16")), statements._query(catalog("17"))
    assert "blk_read_time + blk_write_time AS io_ms" in before
    assert "shared_blk_read_time + shared_blk_write_time AS io_ms" in since
    assert "true AS toplevel" in statements._query(catalog("13"))


def test_a_version_that_is_too_old_is_told() -> None:
    with speaks("12.22") as port:
        source = PostgresqlSource(name="main", url=SecretStr(f"postgresql://a:b@127.0.0.1:{port}/c"))
        with pytest.raises(SourceRejected, match=r"PostgreSQL 12\.22 is too old: 13 or newer is needed"):
            PostgresqlCollector(source).collect(0)


@contextmanager
def speaks(version: str) -> Iterator[int]:
    """Yield the port of a server that lets everyone in and says that it has this version."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)  # asks for TLS
                connection.sendall(b"N")
                connection.recv(4_096)
                told = b"server_version\0" + version.encode() + b"\0"
                status = b"S" + struct.pack("!i", 4 + len(told)) + told
                connection.sendall(b"R" + struct.pack("!ii", 8, 0) + status + b"Z" + struct.pack("!i", 5) + b"I")
                connection.recv(4_096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(5)
