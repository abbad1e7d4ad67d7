"""A PostgreSQL seen by a role that may see nothing of others: what it is not shown is said, not guessed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pydantic import SecretStr

from collectors.kinds.postgresql.collector import PostgresqlCollector
from core.kinds.postgresql.source import PostgresqlSource
from core.model import Reading
from tests.collectors.readings import check, rows, value
from tests.support.postgres_servers import PostgresServer

GRANT = 'GRANT pg_monitor TO "Plain"'
UNSEEN = f"sessions of others are not visible to this role: {GRANT}"


def watcher(server: PostgresServer, user: str = "Plain") -> PostgresqlCollector:
    url = SecretStr(server.url(user, "watch"))
    return PostgresqlCollector(PostgresqlSource(name="main", url=url, timeout_seconds=4))


def read(server: PostgresServer, user: str = "Plain") -> Reading:
    made = watcher(server, user)
    try:
        return made.collect(0)
    finally:
        made._close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as started:
        started.do(
            """CREATE ROLE "Plain" LOGIN PASSWORD 'watch'""",
            "CREATE ROLE monitor LOGIN PASSWORD 'watch'",
            "GRANT pg_monitor TO monitor",
            "CREATE EXTENSION pg_stat_statements",
            "CREATE TABLE fills (id bigserial)",
            "INSERT INTO fills DEFAULT VALUES",
            "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
        )
        yield started


def test_sessions_of_others_are_counted_and_unknown_not_fine(server: PostgresServer) -> None:
    with ExitStack() as stack:
        holder, waiter = (stack.enter_context(server.connect()) for _ in range(2))
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE fills")
        stack.enter_context(server.waiting(waiter, "SELECT * FROM fills"))
        time.sleep(0.2)
        reading, full = read(server), read(server, "monitor")
        assert check(full, "blocking")["why"].startswith("1 session blocked by pid")
        assert value(reading, "postgresql_connections_used") == value(full, "postgresql_connections_used") == 3
        assert value(reading, "postgresql_connections", state="not visible to this role") == 2
        for name in ("blocking", "queries", "transactions", "idle"):
            assert (check(reading, name)["status"], check(reading, name)["why"]) == ("unknown", UNSEEN)
        for metric in ("blocked_sessions", "longest_query_seconds", "longest_transaction_seconds"):
            assert value(reading, f"postgresql_{metric}") is None
            assert value(full, f"postgresql_{metric}") is not None
        others = [row for row in rows(reading, "sessions") if row["user"] == "postgres"]
        assert {(row["state"], row["query"], row["client"], row["target"]) for row in others} == {
            ("not visible to this role", "not visible to this role", None, "")
        }
        assert reading.components[0].status == "warning"
        assert reading.components[0].reasons == (UNSEEN,)
        holder.execute("ROLLBACK")


def test_what_else_is_refused_is_noted_with_its_grant(server: PostgresServer) -> None:
    reading = read(server)
    notes = {row["what"]: row["why"] for row in rows(reading, "notes")}
    assert notes["pg_stat_statements"] == f"statements of others are not visible to this role: {GRANT}"
    assert notes["databases"] == f"the size of 1 of 4 databases is not visible to this role: {GRANT}"
    assert notes["wal"].endswith(f"not visible to this role: {GRANT}")
    unread = 'the value of 1 of 1 sequence is not visible to this role: GRANT pg_read_all_data TO "Plain"'
    assert notes["sequences"] == unread == check(reading, "sequences")["why"]
    assert value(reading, "postgresql_databases_size_bytes") is None
    assert {row["database"]: row["bytes"] for row in rows(reading, "databases")}["closed"] is None
    assert UNSEEN in rows(reading, "about")[0]["horizon"]
    full = read(server, "monitor")
    assert [row["what"] for row in rows(full, "notes")] == ["sequences"]
    assert full.components[0].status == "ok"


def test_a_standby_and_its_primary_are_not_visible_rather_than_in_state_none(server: PostgresServer) -> None:
    with PostgresServer() as standby:
        standby.stop()
        standby.run("pg_basebackup", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres",
                    "-D", str(standby.folder / "copy"), "-R", "--checkpoint=fast")  # fmt: skip
        standby.data = standby.folder / "copy"
        standby.start()
        ends = time.monotonic() + 20
        while not (found := rows(read(server), "replicas")) and time.monotonic() < ends:
            time.sleep(0.05)
        assert [(row["state"], row["client"]) for row in found] == [("not visible to this role", None)]
        reading = read(server)
        assert check(reading, "replication")["status"] == "unknown"
        assert check(reading, "replication")["why"] == (f"standby walreceiver is not visible to this role: {GRANT}")
        assert value(reading, "postgresql_replica_lag_seconds", replica="walreceiver") is None
        assert "None" not in reading.components[0].why
        told = check(read(standby), "replication")
        assert told["why"] == f"the primary of this standby is not visible to this role: {GRANT}"
