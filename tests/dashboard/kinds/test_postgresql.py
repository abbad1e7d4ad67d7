"""PostgreSQL in the database tab: of a server in trouble, gone, or without pg_stat_statements; and its buttons."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from collectors.kinds.postgresql.collector import PostgresqlCollector
from collectors.runtime.actions import do_next
from collectors.runtime.publisher import Publisher
from core.clock import FakeClock
from core.kinds.postgresql import spec
from core.kinds.postgresql.source import PostgresqlSource
from core.kinds.postgresql.tables import BlockingNode
from core.kinds.registry import Watch
from core.limits import Limit
from core.model import Reading, SourceId
from core.settings.collectors import Sources
from core.tables import rows_of
from dashboard.kinds.postgresql.growth import growth_a_day
from dashboard.kinds.postgresql.section import SECTION
from dashboard.sources.actions import ask
from dashboard.sources.shown import Shown
from dashboard.tabs.database import TAB
from dashboard.views.tab import View
from status.instances import instances
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.sources import SourceSeries
from storage.state.actions import recent_actions
from storage.stores import Stores
from tests.support import views
from tests.support.postgres_servers import PostgresServer
from tests.support.views import OPERATOR

NOW = float(int(time.time()))
shown = partial(views.slot_text, "database")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as started:
        yield started


@pytest.fixture
def watched(stores: Stores, server: PostgresServer) -> Stores:
    instances = [{"name": "main", "url": server.url()}]
    watch = Watch.model_validate({"postgresql": instances})
    chosen = stores.settings.model_copy(update={"sources": Sources(own=False), "watch": watch, "actions_enabled": True})
    return replace(stores, settings=chosen, clock=FakeClock(NOW))


@pytest.fixture
def publisher(watched: Stores) -> Publisher:
    return Publisher(watched.settings.machine, watched.writer, watched.live)


@pytest.fixture
def collector(server: PostgresServer) -> Iterator[PostgresqlCollector]:
    made = PostgresqlCollector(PostgresqlSource(name="main", url=SecretStr(server.url()), timeout_seconds=5))
    yield made
    made._close()


def built(stores: Stores) -> View:
    stores.writer.flush()
    return views.built(TAB, stores)


def blocking(reading: Reading) -> list[BlockingNode]:
    return rows_of({table.name: table for table in reading.tables}, BlockingNode)


def test_a_blocking_chain_is_the_verdict_and_is_ended_from_the_tab(
    watched: Stores, server: PostgresServer, publisher: Publisher, collector: PostgresqlCollector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(spec, "BLOCKED", Limit(0.0, 30.0))
    server.do("CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)")
    with server.connect(autocommit=False, application_name="trader") as root, ExitStack() as stack:
        root.execute("UPDATE orders SET id = 2")
        for _ in range(2):
            stack.enter_context(server.waiting(server.connect(), "UPDATE orders SET id = 3"))
        ends = time.monotonic() + 10
        while len(blocking(reading := collector.collect(NOW))) < 3:
            assert time.monotonic() < ends
        publisher.succeeded(SourceId("postgresql", "main"), NOW, 5, reading)
        view = built(watched)
        told = f"2 sessions blocked by pid {root.info.backend_pid} (idle in transaction) for"
        assert f"PostgreSQL main : {told}" in shown(view, "verdict")
        assert told in shown(view, "cards")
        tree = shown(view, "postgresql-blocking-table")
        assert f" {root.info.backend_pid} " in tree
        assert "└ " in tree
        assert "trader" in tree
        target = next(row.target for row in blocking(reading) if row.pid == root.info.backend_pid)
        request = {"source": "postgresql:main", "action": "terminate", "target": target}
        assert (
            ask(watched, {"postgresql": SECTION.actions}, OPERATOR, request)
            == "Asked for: terminate on PostgreSQL main."
        )
        assert do_next(watched)
        assert root.closed or _is_gone(root)
    publisher.succeeded(SourceId("postgresql", "main"), NOW, 5, collector.collect(NOW))
    view = built(watched)
    assert "PostgreSQL main is fine" in shown(view, "verdict")
    assert "Nobody waited for a lock" in shown(view, "postgresql-blocking-table")
    assert "(trader) ended" in shown(view, "actions-table")
    assert recent_actions(watched.state, ("postgresql",))[0].status == "done"


def _is_gone(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error as error:
        return "terminating connection" in str(error)
    return False


def test_without_pg_stat_statements_it_says_how_to_get_it(
    watched: Stores, publisher: Publisher, collector: PostgresqlCollector
) -> None:
    publisher.succeeded(SourceId("postgresql", "main"), NOW, 5, collector.collect(NOW))
    built(watched)
    for table in ("statements", "about"):
        said = drawn(watched, table)
        assert "not installed in this database" in said
        assert "CREATE EXTENSION pg_stat_statements" in said


def test_every_table_is_drawn_from_a_reading(
    watched: Stores, server: PostgresServer, publisher: Publisher, collector: PostgresqlCollector
) -> None:
    server.do(
        "CREATE TABLE fills (id int PRIMARY KEY, symbol int)",
        "CREATE INDEX fills_symbol ON fills (symbol)",
        "CREATE INDEX fills_symbol_again ON fills (symbol)",
        "CREATE SEQUENCE tickets AS smallint",
        "SELECT pg_create_physical_replication_slot('forgotten', true)",
    )
    with server.connect(application_name="trader") as session:
        session.execute("SELECT 1")
        publisher.succeeded(SourceId("postgresql", "main"), NOW, 5, collector.collect(NOW))
    server.do("SELECT pg_drop_replication_slot('forgotten')")
    built(watched)
    said = {table.id: drawn(watched, table.id) for table in SECTION.tables}
    assert "public.fills" in said["tables"]
    assert "duplicate of fills_symbol" in said["indexes"]
    assert "public.tickets" in said["sequences"]
    assert "forgotten physical no" in said["slots"]
    assert "trader" in said["sessions"]
    assert "trader" in said["connections"]
    assert "template1" in said["databases"]
    assert "max_wal_size" in said["settings"]
    assert "PostgreSQL 18" in said["about"]
    assert "No standby is connected" in said["replicas"]


def drawn(stores: Stores, table: str) -> str:
    """Return the words of a table."""
    found = instances(stores, "postgresql")
    shown = Shown("database", ("postgresql",), found, found, SourceSeries(0, 1), None, (), False)  # type: ignore[arg-type]
    return views.text(SECTION.draw(shown, table))


def test_a_server_that_went_keeps_its_last_tables_with_their_age(
    watched: Stores, publisher: Publisher, collector: PostgresqlCollector
) -> None:
    publisher.succeeded(SourceId("postgresql", "main"), NOW - 60, 5, collector.collect(NOW))
    publisher.failed(SourceId("postgresql", "main"), NOW, 5, "nothing listens at 127.0.0.1:1 (connection refused)")
    view = built(watched)
    assert "nothing listens at 127.0.0.1:1" in shown(view, "verdict")
    assert "template1" in shown(view, "postgresql-databases-table")
    assert view.as_of["database-postgresql-databases"] == NOW - 60


def test_growth_is_told_by_day_and_not_of_a_short_past() -> None:
    data = SeriesData("size", (), [0, 600, 3_600], [None, 100.0, 400.0], [], [], 600)
    assert growth_a_day(data) == pytest.approx(300 / 3_000 * 86_400)
    for last in (60, 1_800, 3_000):
        assert growth_a_day(SeriesData("size", (), [0, last], [1.0, 2.0], [], [], 60)) is None
    assert growth_a_day(SeriesData("size", (), [0, 3_590], [1.0, 2.0], [], [], 10)) is not None, "a window of an hour"
    assert growth_a_day(None) is None
