"""Watching a PostgreSQL: against a real one in trouble, and against servers that behave badly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from collectors.kinds.postgresql.collector import PostgresqlCollector, act
from collectors.kinds.postgresql.connection import connect_error
from core.clock import FakeClock
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.postgresql import spec
from core.kinds.postgresql.source import PostgresqlSource
from core.limits import Limit
from core.model import Reading, Status
from core.net.reach import Address
from tests.collectors.readings import check, rows, value
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.postgres_servers import PostgresServer

TIMEOUT_SECONDS = 1.0
ROLE = ("CREATE ROLE monitor LOGIN PASSWORD 'watch' CONNECTION LIMIT 3", "GRANT pg_monitor TO monitor")


def source(url: str, **given: Any) -> PostgresqlSource:
    return PostgresqlSource(name="main", url=SecretStr(url), **{"timeout_seconds": TIMEOUT_SECONDS, **given})


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as started:
        started.do(*ROLE, "CREATE EXTENSION pg_stat_statements", "CREATE EXTENSION pgstattuple")
        yield started


@pytest.fixture
def tick() -> FakeClock:
    return FakeClock()


@pytest.fixture
def collector(server: PostgresServer, tick: FakeClock) -> Iterator[PostgresqlCollector]:
    """A collector with the least rights that watch everything, whose seconds the test counts."""
    made = PostgresqlCollector(source(server.url("monitor", "watch"), timeout_seconds=4), tick.monotonic)
    yield made
    made._close()


def until(collect: Callable[[], Reading], found: Callable[[Reading], object], seconds: float = 10) -> Reading:
    """Return the first reading of which `found` is true."""
    ends = time.monotonic() + seconds
    while True:
        reading = collect()
        if found(reading):
            return reading
        assert time.monotonic() < ends, rows(reading, "checks")
        time.sleep(0.05)


def test_the_least_privileged_role_reads_everything(collector: PostgresqlCollector, server: PostgresServer) -> None:
    reading = collector.collect(0)
    about = rows(reading, "about")[0]
    assert about["product"].startswith("PostgreSQL 18")
    assert (about["role"], about["user"], about["may_see_all"]) == ("primary", "monitor", True)
    assert rows(reading, "notes") == []
    assert reading.components[0].name == "PostgreSQL main"
    assert {row["database"] for row in rows(reading, "databases")} >= {"postgres", "template0", "template1"}
    assert all(row["bytes"] for row in rows(reading, "databases"))
    assert value(reading, "postgresql_connections_used_ratio") == pytest.approx(1 / 97)


def test_rates_are_differences_and_a_restart_of_the_server_gives_none(
    server: PostgresServer, collector: PostgresqlCollector, tick: FakeClock
) -> None:
    assert value(collector.collect(0), "postgresql_commits_per_second") is None
    with server.connect() as session:
        for _ in range(200):
            session.execute("SELECT 1")
    tick.advance(10)
    reading = until(lambda: collector.collect(0), lambda each: True)
    commits = value(reading, "postgresql_commits_per_second")
    assert commits is not None
    assert 20 <= commits <= 40
    server.stop()
    with pytest.raises(SourceUnavailable):
        collector.collect(0)
    server.start()
    tick.advance(10)
    assert value(collector.collect(0), "postgresql_commits_per_second") is None


def test_a_blocking_chain_is_told_with_its_root(
    server: PostgresServer, collector: PostgresqlCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spec, "BLOCKED", Limit(0.2, 0.6))
    server.do("CREATE TABLE orders (id int PRIMARY KEY, qty int)", "INSERT INTO orders VALUES (1, 1), (2, 1)")
    with server.connect(autocommit=False, application_name="trader") as root, ExitStack() as stack:
        root.execute("UPDATE orders SET qty = 2 WHERE id = 1")
        for _ in range(2):
            stack.enter_context(server.waiting(server.connect(), "UPDATE orders SET qty = 3 WHERE id = 1"))
        stack.enter_context(server.waiting(server.connect(), "ALTER TABLE orders ADD COLUMN price int"))
        told = f"3 sessions blocked by pid {root.info.backend_pid} (idle in transaction) for"
        reading = until(
            lambda: collector.collect(0),
            lambda each: check(each, "blocking")["status"] is Status.CRITICAL and told in each.components[0].why,
        )
        tree = rows(reading, "blocking")
        assert (tree[0]["depth"], tree[0]["pid"], tree[0]["blocks"]) == (0, root.info.backend_pid, 3)
        assert tree[0]["application"] == "trader"
        assert all(row["depth"] >= 1 and row["blocked_by"] for row in tree[1:])
        assert any("AccessExclusive on public.orders" in (row["lock"] or "") for row in tree)
        sessions = rows(reading, "sessions")
        assert sessions[0]["pid"] == root.info.backend_pid, "who holds up most stands first"
        assert value(reading, "postgresql_blocked_sessions") == 3
        assert value(reading, "postgresql_longest_query_seconds") == 0, "those that wait are told as blocked"
        assert value(reading, "postgresql_connections", state="idle in transaction") == 1
        root.rollback()
    after = until(lambda: collector.collect(0), lambda each: not rows(each, "blocking"))
    assert check(after, "blocking")["status"] == "ok"


@pytest.mark.parametrize(("masks", "shown"), [(True, "SELECT ?, pg_sleep(?)"), (False, "SELECT 'zq7', pg_sleep(9)")])
def test_values_in_the_text_of_queries_are_masked_unless_it_is_switched_off(
    server: PostgresServer, masks: bool, shown: str
) -> None:
    collector = PostgresqlCollector(source(server.url("monitor", "watch"), timeout_seconds=4, mask_literals=masks))
    with server.waiting(server.connect(), "SELECT 'zq7', pg_sleep(9)"):
        reading = until(
            lambda: collector.collect(0),
            lambda each: [row for row in rows(each, "sessions") if "pg_sleep" in (row["query"] or "")],
        )
    collector._close()
    assert shown in [row["query"] for row in rows(reading, "sessions")]
    assert masks == ("zq7" not in str(reading))


def test_a_locked_table_neither_delays_a_reading_nor_spoils_it(
    server: PostgresServer, collector: PostgresqlCollector
) -> None:
    server.do("CREATE TABLE locked (id int)", "CREATE TABLE free (id int)")
    with server.connect(autocommit=False) as session:
        session.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        found = {row["table"] for row in rows(collector.collect(0), "tables")}
        assert time.monotonic() - began < 1
    assert "public.free" in found
    assert "public.locked" not in found


def test_durations_beyond_their_limits_are_told(
    server: PostgresServer, collector: PostgresqlCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QUERY", "TRANSACTION", "IDLE_IN_TRANSACTION"):
        monkeypatch.setattr(spec, name, Limit(0.1))
    with server.connect(autocommit=False, application_name="forgotten") as idle:
        idle.execute("SELECT 1")
        with server.waiting(server.connect(application_name="report"), "SELECT pg_sleep(20)"):
            why = (
                until(
                    lambda: collector.collect(0),
                    lambda each: (
                        check(each, "idle")["status"] == "warning" and check(each, "queries")["status"] == "warning"
                    ),
                )
                .components[0]
                .why
            )
    assert "a session has been idle in transaction for" in why
    assert "forgotten" in why
    assert "a query has been running" in why
    assert "report" in why


def test_a_query_is_cancelled_and_a_session_ended(server: PostgresServer, collector: PostgresqlCollector) -> None:
    url = server.url()
    session = server.connect(application_name="report")
    with server.waiting(session, "SELECT pg_sleep(30)") as thread:
        found = until(lambda: collector.collect(0), lambda each: rows(each, "sessions"))
        target = next(row["target"] for row in rows(found, "sessions") if row["application"] == "report")
        assert "cancelled: SELECT pg_sleep(?)" in act(source(url), "cancel", target).sentence
        thread.join(5)
        assert not thread.is_alive()
        assert ") ended, its last query" in act(source(url), "terminate", target).sentence
        until(lambda: collector.collect(0), lambda each: not rows(each, "sessions"))
        with pytest.raises(SourceRejected, match="is gone"):
            act(source(url), "terminate", target)
    with pytest.raises(SourceRejected, match="is gone"):
        act(source(url), "terminate", f"{target.partition('@')[0]}@1.000000")
    with pytest.raises(SourceRejected, match="no session"):
        act(source(url), "cancel", "1; DROP TABLE orders")


def test_a_signal_that_is_not_heeded_is_told_as_such(server: PostgresServer, collector: PostgresqlCollector) -> None:
    deaf = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(9); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
    with server.waiting(server.connect(), deaf):
        target = rows(until(lambda: collector.collect(0), lambda each: rows(each, "sessions")), "sessions")[0]["target"]
        assert "was signalled and still runs" in act(source(server.url()), "cancel", target).sentence
        act(source(server.url()), "terminate", target)


def test_a_role_that_may_not_signal_is_told(server: PostgresServer) -> None:
    with server.connect() as session:
        start = session.execute(
            "SELECT extract(epoch FROM backend_start)::numeric(20,6)::text FROM pg_stat_activity "
            "WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert start is not None
        with pytest.raises(SourceRejected, match=r"our role may not.*\(Only roles with"):
            act(source(server.url("monitor", "watch")), "cancel", f"{session.info.backend_pid}@{start[0]}")


def test_deadlocks_are_counted(server: PostgresServer, collector: PostgresqlCollector, tick: FakeClock) -> None:
    server.do("CREATE TABLE pairs (id int PRIMARY KEY)", "INSERT INTO pairs VALUES (1), (2)")
    collector.collect(0)
    with server.connect(autocommit=False) as one:
        two = server.connect(autocommit=False)
        one.execute("DELETE FROM pairs WHERE id = 1")
        two.execute("DELETE FROM pairs WHERE id = 2")
        with server.waiting(two, "DELETE FROM pairs WHERE id = 1"), pytest.raises(psycopg.errors.DeadlockDetected):
            for _ in range(2):  # either of the two may be the one that is chosen
                one.execute("DELETE FROM pairs WHERE id = 2")
                raise psycopg.errors.DeadlockDetected
    reading = until(lambda: _later(collector, tick), lambda each: check(each, "deadlocks")["status"] == "warning")
    assert check(reading, "deadlocks")["why"] == "1 deadlock in the last 5 min"
    tick.advance(301)
    assert check(collector.collect(0), "deadlocks")["status"] == "ok"


def test_statements_are_differences_of_the_last_minutes(
    server: PostgresServer, collector: PostgresqlCollector, tick: FakeClock
) -> None:
    with server.connect() as session:
        session.execute("SELECT 41 AS before_the_first_look")
        collector.collect(0)
        for _ in range(7):
            session.execute("SELECT pg_sleep(0.01) AS naps")
        tick.advance(30)
        reading = collector.collect(0)
    found = {row["query"]: row for row in rows(reading, "statements")}
    naps = next(row for query, row in found.items() if "naps" in query)
    assert naps["calls"] == 7
    assert naps["mean_seconds"] >= 0.01
    assert naps["total_seconds"] == pytest.approx(7 * naps["mean_seconds"])
    assert naps["stddev_seconds"] <= naps["longest_seconds"]
    assert naps["busy_ratio"] == pytest.approx(naps["total_seconds"] / 30)
    assert not any("before_the_first_look" in query for query in found)
    assert sum("Fundwatch" in query for query in found) == 1, "our own queries are one row"
    assert not any("json_agg(fundwatch)" in query for query in found)


def test_statements_appear_once_their_extension_is_installed(server: PostgresServer, tick: FakeClock) -> None:
    server.do("CREATE DATABASE bare")
    late = PostgresqlCollector(source(server.url(database="bare"), timeout_seconds=4), tick.monotonic)
    (note,) = rows(late.collect(0), "notes")
    assert note["what"] == "pg_stat_statements"
    assert "CREATE EXTENSION pg_stat_statements" in note["why"]
    with server.connect(dbname="bare") as session:
        session.execute("CREATE EXTENSION pg_stat_statements")
    tick.advance(601)
    assert rows(late.collect(0), "notes") == []
    late._close()


def test_tables_indexes_and_sequences_show_what_is_wrong(
    server: PostgresServer, collector: PostgresqlCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spec, "DEAD_ROWS", Limit(1_000))
    server.do(
        "CREATE TABLE fills (id int, symbol int) WITH (autovacuum_enabled = off)",
        "INSERT INTO fills SELECT n, n % 9 FROM generate_series(1, 5000) n",
        "CREATE INDEX fills_symbol ON fills (symbol)",
        "CREATE INDEX fills_symbol_again ON fills (symbol)",
        "DELETE FROM fills WHERE id <= 4000",
        "CREATE SEQUENCE tickets AS smallint",
        "SELECT setval('tickets', 32000)",
        "GRANT SELECT ON SEQUENCE tickets TO monitor",
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.do("CREATE UNIQUE INDEX CONCURRENTLY fills_unique ON fills (symbol)")
    reading = until(lambda: _anew(collector), lambda each: check(each, "vacuum")["status"] == "warning")
    fills = next(row for row in rows(reading, "tables") if row["table"] == "public.fills")
    assert (fills["live_rows"], fills["dead_rows"]) == (1_000, 4_000)
    assert fills["dead_ratio"] == 0.8
    assert fills["bytes"] > fills["heap_bytes"] > 0
    assert "vacuum does not keep up with fills (80.0 % dead rows)" in reading.components[0].why
    problems = {row["index"]: (row["problem"], row["remark"]) for row in rows(reading, "indexes")}
    assert problems["fills_symbol"] == ("unused", "never used")
    assert problems["fills_symbol_again"] == ("duplicate", "duplicate of fills_symbol")
    assert problems["fills_unique"] == ("invalid", "invalid")
    assert "invalid index: fills_unique" in reading.components[0].why
    assert rows(reading, "sequences")[0]["sequence"] == "public.tickets"
    assert check(reading, "sequences")["status"] == "warning"
    measured = act(source(server.url()), "measure_bloat", fills["target"])
    assert measured.sentence.startswith("public.fills: 72.")
    assert measured.table is not None
    assert measured.table.rows[0][0] == "public.fills"


def test_an_inactive_slot_and_early_checkpoints_are_told(
    server: PostgresServer, collector: PostgresqlCollector, tick: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spec, "SLOT_INACTIVE", Limit(None, 0.0))
    server.do("SELECT pg_create_physical_replication_slot('forgotten', true)")
    collector.collect(0)
    server.do("CHECKPOINT", "CHECKPOINT", "CHECKPOINT", "CHECKPOINT")
    reading = until(lambda: _later(collector, tick), lambda each: check(each, "checkpoints")["status"] == "warning")
    server.do("SELECT pg_drop_replication_slot('forgotten')")
    assert "slot forgotten has no reader for" in check(reading, "slots")["why"]
    assert check(reading, "checkpoints")["why"].startswith("4 of 4 checkpoints in the last hour came early")


def test_a_standby_and_its_primary_see_each_other(server: PostgresServer, collector: PostgresqlCollector) -> None:
    with PostgresServer() as standby:
        standby.stop()
        standby.run("pg_basebackup", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres",
                    "-D", str(standby.folder / "copy"), "-R", "-C", "-S", "standby_1", "--checkpoint=fast")  # fmt: skip
        standby.data = standby.folder / "copy"
        standby.start()
        watcher = PostgresqlCollector(source(standby.url("monitor", "watch"), timeout_seconds=4))
        reading = until(
            lambda: collector.collect(0), lambda each: [r for r in rows(each, "replicas") if r["state"] == "streaming"]
        )
        assert check(reading, "replication")["why"] == "1 standby"
        assert rows(reading, "slots")[0]["is_active"]
        reading = until(lambda: watcher.collect(0), lambda each: check(each, "replication")["status"] == "ok")
        assert rows(reading, "about")[0]["role"] == "standby"
        assert value(reading, "postgresql_replay_behind_bytes") is not None
        server.stop()
        reading = until(lambda: watcher.collect(0), lambda each: check(each, "replication")["status"] == "critical")
        assert "receives nothing" in reading.components[0].why
        server.start()
        watcher._close()
    server.do("SELECT pg_drop_replication_slot('standby_1') FROM pg_sleep(0.2)")


@pytest.mark.parametrize(
    ("user", "password", "database", "suffix", "kind", "words"),
    [
        ("monitor", "wrong", "postgres", "", SourceRejected, "refuses the user or the password"),
        ("nobody", "watch", "postgres", "", SourceRejected, "refuses the user or the password"),
        ("monitor", "watch", "nowhere", "", SourceRejected, 'database "nowhere" does not exist'),
        ("monitor", "watch", "postgres", "?sslmode=require", SourceRejected, "speaks no TLS"),
        ("monitor", "watch", "postgres", "?nonsense=1", SourceRejected, "the url is not understood"),
    ],
)
def test_what_is_refused_is_told_apart(
    server: PostgresServer, user: str, password: str, database: str, suffix: str, kind: type[SourceError], words: str
) -> None:
    with pytest.raises(kind, match=words) as error:
        PostgresqlCollector(source(server.url(user, password, database) + suffix)).collect(0)
    assert password not in str(error.value).replace("password", "")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.4", user "monitor", database "trading", no encryption',
         SourceRejected, "may ask for TLS: add"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.4", user "monitor", database "trading", SSL encryption',
         SourceRejected, "pg_hba.conf does not let us in"),
        ("SSL error: certificate verify failed", SourceRejected, "its certificate is not trusted"),
        ('server certificate for "db" (and 1 other name) does not match host name "10.0.0.7"', SourceRejected,
         "its certificate is for another host"),
        ('root certificate file "/nope.crt" does not exist Either provide the file, use the system\'s', SourceRejected,
         "the file of trusted certificates cannot be read"),
        ("FATAL:  the database system is starting up", SourceUnavailable, "it is starting up"),
        ("FATAL:  sorry, too many clients already", SourceUnavailable, "all its connections are in use"),
    ],
)  # fmt: skip
def test_what_servers_say_when_they_turn_us_away_is_understood(said: str, kind: type[SourceError], words: str) -> None:
    """The sentences are those of PostgreSQL 15.18, with and without TLS, and of libpq 18."""
    error = connect_error(f'connection to server at "10.0.0.7", port 5432 failed: {said}\n', Address("10.0.0.7", 5432))
    assert type(error) is kind
    assert words in str(error)
    assert str(error).startswith("10.0.0.7:5432")


def test_a_server_whose_connections_are_all_in_use_is_down_for_that_reason(server: PostgresServer) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(psycopg.connect(server.url("monitor", "watch")))
        with pytest.raises(SourceUnavailable, match="the connections allowed to our user or database are in use"):
            PostgresqlCollector(source(server.url("monitor", "watch"))).collect(0)


@pytest.mark.parametrize("drip", [b"R", b"N", b"S"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str, drip: bytes) -> None:
    if behaviour != "drip" and drip != b"R":
        return

    def make(host: str, port: int) -> PostgresqlCollector:
        return PostgresqlCollector(source(f"postgresql://a:b@{host}:{port}/c", timeout_seconds=0.5))

    said = assert_survives(make, behaviour, drip)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not PostgreSQL",
        "drip": "",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said


def _later(collector: PostgresqlCollector, tick: FakeClock) -> Reading:
    """Return a reading a second later: a server tells its counters some time after they moved."""
    tick.advance(1)
    return collector.collect(0)


def _anew(collector: PostgresqlCollector) -> Reading:
    """Return a reading for which everything is due."""
    for query in collector._queries:
        query.due = 0.0
    return collector.collect(0)
