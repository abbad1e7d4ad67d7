"""The table of changes of state through its migrations, and the checks of services."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.base import labels
from core.clock import FakeClock
from core.model import Facts, Sample, Status
from core.settings.stores import Retention
from status import history
from storage.clickhouse import migrate as migrating
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import apply_retention, migrate, migrations, statements
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, read_state_changes
from storage.clickhouse.spool import Spool
from storage.stores import Stores

MS = 1_000
NOW = float(int(time.time()))
"""The present: ClickHouse drops old rows by its own clock."""
ORDERS = ComponentId("", "http:orders")
FIRST = StateChange(NOW - 600, ORDERS, Status.OK, None, 0.0, "200 OK in 34 ms")
SECOND = StateChange(NOW - 60, ORDERS, Status.DOWN, Status.OK, 540.0, "connection refused")
OLDER_COLUMNS = ("ts", "source", "state", "before", "held_seconds", "why")
OLDER_WORDS = {Status.OK: "up", Status.DOWN: "down", None: ""}


def stored(*changes: StateChange, table: str = "state_changes") -> Facts:
    """Return rows as versions before this one wrote them."""
    rows = [
        (round(each.ts * MS), each.id.source, OLDER_WORDS[each.state], OLDER_WORDS[each.before], each.held_seconds,
         each.why)
        for each in changes
    ]  # fmt: skip
    return Facts(table, OLDER_COLUMNS, tuple(map(list, zip(*rows, strict=True))), "a token")


def read(client: ClickHouse) -> list[StateChange]:
    return read_state_changes(client, ["http:orders"], [""], 0, NOW)


def tables(client: ClickHouse) -> dict[str, str]:
    return dict(client.rows("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"))


@pytest.fixture(params=["embedded", "http"])
def empty(request: pytest.FixtureRequest, clickhouse_url: str, database: str) -> Iterator[ClickHouse]:
    """A database without any table on the engine in this process, and on one behind HTTP."""
    url = clickhouse_url if request.param == "embedded" else request.getfixturevalue("clickhouse_server").url
    client = ClickHouse(url, f"{database}_history")
    yield client
    client.close()


def test_rows_ttl_and_remembered_batches_outlive_the_new_name_of_their_table(
    empty: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(migrating, "migrations", lambda: migrations()[:5])
        assert migrate(empty) == 5
    empty.command("ALTER TABLE flips MODIFY TTL toDateTime(ts) + toIntervalDay(400)")
    empty.insert(stored(FIRST, SECOND, table="flips"))
    assert migrate(empty) == len(migrations()) - 5
    assert "flips" not in tables(empty)
    assert "TTL toDateTime(ts) + toIntervalDay(400)" in tables(empty)["state_changes"]
    empty.insert(stored(FIRST, SECOND))
    assert read(empty) == [FIRST, SECOND], "the same batch again changes nothing"
    apply_retention(empty, Retention(hour_days=500))
    assert "TTL toDateTime(ts) + toIntervalDay(500)" in tables(empty)["state_changes"]


def test_the_migration_run_again_keeps_what_has_come_since(empty: ClickHouse) -> None:
    migrate(empty)
    empty.insert(stored(FIRST, SECOND))
    whole = tables(empty)
    for first in (6, 5):  # again alone, and by a process that was so slow that it made the old table once more
        for migration in migrations()[first - 1 : 6]:
            for statement in statements(migration.sql, cluster=""):
                migrating._apply(empty, statement)
        assert tables(empty) == whole
        assert read(empty) == [FIRST, SECOND]


def test_processes_that_start_at_once_on_an_empty_database_do_no_harm(empty: ClickHouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(migrate, empty) for _ in range(4)]:
            job.result()
    assert "state_changes" in tables(empty)
    assert "flips" not in tables(empty)


def test_another_statement_that_fails_is_told(empty: ClickHouse) -> None:
    migrate(empty)
    with pytest.raises(Exception, match="nowhere"):
        migrating._apply(empty, "ALTER TABLE nowhere DROP COLUMN nothing")


def test_a_batch_that_waited_since_before_goes_into_the_table_by_its_new_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**20)
    spool.append(stored(FIRST, table="flips"))
    waiting = spool.oldest()
    assert waiting is not None
    assert (waiting.batch.table, waiting.batch.token) == ("state_changes", "a token")
    spool.close()


@pytest.fixture
def stores(stores: Stores) -> Stores:
    return replace(stores, clock=FakeClock(NOW))


def test_beats_and_uptimes_are_those_of_the_services_asked_for(stores: Stores) -> None:
    for number in range(100):
        failed = max(0, number - 95)
        named = labels(instance="orders")
        samples = [Sample("http_up", float(failed < 2), named), Sample("http_failed_tries", float(failed), named)]
        stores.writer.put("host-1", NOW - 30 * (99 - number), [*samples, Sample("http_response_seconds", 0.02, named)])
    stores.writer.flush()
    every = {("http", "orders"): 30.0, ("tcp", "gateway"): 30.0}
    (beats,) = history.newest_beats(stores, every).values()
    assert [beat.state for beat in beats] == ["up"] * 56 + ["pending"] + ["down"] * 3
    found = history.uptimes(stores, every)[("http", "orders")]
    assert (found.day.up, found.day.count, found.day_seconds) == (97, 100, pytest.approx(0.02))
    assert found.year.share == 0.97
    assert history.newest_beats(stores, {}) == history.uptimes(stores, {}) == {}
