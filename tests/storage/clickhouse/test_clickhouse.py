"""ClickHouse, embedded and over HTTP: one behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import StartError, StorageRejected, StorageUnavailable
from core.model import Facts, Sample
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import apply_retention, migrate, migrations, statements
from storage.clickhouse.reads.series import read_series
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from tests.support.servers import ClickHouseServer
from tests.support.times import MIDNIGHT


@pytest.fixture(params=["embedded", "http"])
def either(request: pytest.FixtureRequest, clickhouse_url: str, database: str) -> Iterator[ClickHouse]:
    """An empty database on the engine in this process, and on one behind HTTP."""
    url = clickhouse_url if request.param == "embedded" else request.getfixturevalue("clickhouse_server").url
    client = ClickHouse(url, database)
    migrate(client)
    yield client
    client.close()


def samples(rows: list[tuple[int, int, float]], token: str = "") -> Facts:
    series, ts, value = zip(*rows, strict=True)
    return Facts("samples", ("series", "ts", "value"), (series, ts, value), token)


def test_migrations_run_once_and_twice_at_the_same_time_do_no_harm(either: ClickHouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert [job.result() for job in [pool.submit(migrate, either) for _ in range(4)]] == [0, 0, 0, 0]
    numbers = either.rows("SELECT number FROM schema_migrations FINAL ORDER BY number")
    assert numbers == [(each.number,) for each in migrations()]


def test_an_edited_migration_stops_the_start(clickhouse: ClickHouse) -> None:
    clickhouse.command(
        "INSERT INTO schema_migrations (number, name, checksum, applied) VALUES (1, 'x', 'other', now() + 9)"
    )
    with pytest.raises(StartError, match="0001_samples"):
        migrate(clickhouse)


def test_a_schema_of_a_newer_version_stops_the_start(clickhouse: ClickHouse) -> None:
    clickhouse.command("INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'later', 'x')")
    with pytest.raises(StartError, match=r"made by a newer Fundwatch \(schema 9999, .*; start that"):
        migrate(clickhouse)
    clickhouse.command(f"DROP DATABASE {clickhouse.database}")


def test_the_same_batch_twice_counts_once_in_samples_and_in_rollups(either: ClickHouse) -> None:
    batch = samples([(1, MIDNIGHT, 2.0), (1, MIDNIGHT + 1, 4.0), (2, MIDNIGHT, 1.0)], token="batch-1")
    either.insert(batch)
    either.insert(batch)
    assert either.rows("SELECT count() FROM samples") == [(3,)]
    for rollup in ("samples_1m", "samples_1h"):
        rows = either.rows(
            f"SELECT series, min(low), max(high), sum(total), sum(points) FROM {rollup} GROUP BY 1 ORDER BY 1"
        )
        assert rows == [(1, 2.0, 4.0, 6.0, 2), (2, 1.0, 1.0, 1.0, 1)]


def test_a_wrong_statement_is_rejected_and_a_slow_one_is_stopped_at_its_limit(either: ClickHouse) -> None:
    with pytest.raises(StorageRejected, match="nowhere"):
        either.rows("SELECT * FROM nowhere")
    with pytest.raises(StorageRejected):
        either.insert(Facts("samples", ("series", "ts", "colour"), ([1], [MIDNIGHT], [1.0])))
    hurried = ClickHouse(either.url, either.database, timeout_seconds=1)
    with pytest.raises(StorageUnavailable, match=r"(?i)timeout"):
        hurried.rows("SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = 1")
    hurried.close()


def test_a_hungry_statement_is_stopped_at_its_memory_limit(clickhouse_url: str, clickhouse: ClickHouse) -> None:
    small = ClickHouse(clickhouse_url, clickhouse.database, memory_bytes=64 * 2**20)
    with pytest.raises(StorageUnavailable, match=r"(?i)memory"):
        small.rows("SELECT groupArray(number) FROM numbers(100000000)")
    small.close()


def test_every_statement_is_in_our_query_log_with_its_failure(either: ClickHouse) -> None:
    either.query_log.drain()
    either.rows("SELECT number FROM numbers(10)", kind="ten")
    with pytest.raises(StorageRejected):
        either.rows("SELECT nothing", kind="bad")
    newest = either.query_log.newest()
    assert [(query.kind, bool(query.error)) for query in newest] == [("bad", True), ("ten", False)]
    assert newest[1].rows >= 10 and 0 < newest[1].seconds < 5
    facts = either.query_log.drain()
    assert facts is not None
    either.insert(facts)
    assert either.rows("SELECT kind, error != '' FROM queries ORDER BY ts") == [("ten", 0), ("bad", 1)]


def test_a_server_that_is_not_there_is_unavailable(database: str) -> None:
    with pytest.raises(StorageUnavailable):
        migrate(ClickHouse("http://127.0.0.1:9", database))


def test_retention_follows_the_settings(clickhouse: ClickHouse) -> None:
    apply_retention(clickhouse, Retention(raw_days=3, hour_days=400))
    engines = dict(clickhouse.rows("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"))
    assert "toIntervalDay(3)" in engines["samples"]
    assert "toIntervalDay(90)" in engines["samples_1m"]
    assert "toIntervalDay(400)" in engines["samples_1h"]


def test_on_a_cluster_every_migration_is_replicated_and_distributed(clickhouse: ClickHouse) -> None:
    for migration in migrations():
        written = list(statements(migration.sql, cluster="prod"))
        for statement in written:
            clickhouse.command(f"EXPLAIN AST {statement}")
            # What is copied goes through the Distributed tables, which reach every shard.
            assert "ON CLUSTER `prod`" in statement or statement.startswith("INSERT INTO ")
        tables = [each for each in written if "ENGINE = Replicated" in each or each.startswith("RENAME TABLE")]
        spread = [each for each in written if "ENGINE = Distributed" in each]
        views = [each for each in written if "MODIFY QUERY" in each]
        altered = [each.split()[2] for each in written if each.startswith("ALTER TABLE") and each not in views]
        assert len(tables) == len(spread)
        assert {f"{name}_local" for name in altered if not name.endswith("_local")} == {
            name for name in altered if name.endswith("_local")
        }
        assert tables or altered or views


def test_named_series_come_back_with_their_gap(either: ClickHouse, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**20)
    writer = Writer(either.insert, spool)
    for second in [*range(0, 300, 5), *range(600, 900, 5)]:
        writer.put(
            "host-1", MIDNIGHT + second, [Sample("cpu_ratio", second / 1000, (("core", "0"),)), Sample("up", 1.0)]
        )
        writer.put("host-2", MIDNIGHT + second, [Sample("cpu_ratio", 9.0, (("core", "0"),))])
    writer.flush()
    found = read_series(either, host="host-1", metrics=["cpu_ratio"], start=MIDNIGHT, end=MIDNIGHT + 900, points=1000)
    assert [(data.metric, data.label("core")) for data in found] == [("cpu_ratio", "0")]
    assert found[0].mean.count(None) == 1
    gap = found[0].mean.index(None)
    assert (found[0].ts[gap - 1], found[0].ts[gap + 1]) == (MIDNIGHT + 295, MIDNIGHT + 600)
    assert max(value for value in found[0].mean if value is not None) == pytest.approx(0.895)
    spool.close()


@pytest.mark.parametrize("points", [7, 50, 400])
def test_a_reduced_series_keeps_its_extremes_and_its_budget(
    clickhouse: ClickHouse, points: int, tmp_path: Path
) -> None:
    values = [(1, MIDNIGHT + second, float(second % 997) if second != 4321 else 5000.0) for second in range(20_000)]
    clickhouse.insert(samples(values))
    clickhouse.insert(
        Facts("series", ("series", "host", "metric", "labels", "seen"), ([1], ["h"], ["m"], [{}], [MIDNIGHT]))
    )
    (data,) = read_series(clickhouse, host="h", metrics=["m"], start=MIDNIGHT, end=MIDNIGHT + 20_000, points=points)
    assert len(data.ts) <= points + 1
    assert max(value for value in data.high if value is not None) == 5000.0
    assert min(value for value in data.low if value is not None) == 0.0


def test_two_handles_of_one_thread_pool_work_at_once(clickhouse: ClickHouse) -> None:
    def ask() -> int:
        return int(clickhouse.rows("SELECT sum(number) FROM numbers(1000)")[0][0])

    with ThreadPoolExecutor(6) as pool:
        assert [job.result() for job in [pool.submit(ask) for _ in range(12)]] == [499500] * 12


def test_server_keeps_its_data_over_a_crash(clickhouse_server: ClickHouseServer, database: str) -> None:
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    client.insert(samples([(1, MIDNIGHT, 1.0)]))
    clickhouse_server.kill()
    clickhouse_server.start()
    assert client.rows("SELECT count() FROM samples") == [(1,)]
    client.close()


def test_an_insert_that_may_take_longer_is_waited_for_on_a_server_too(
    either: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.clickhouse.client.GRACE_SECONDS", 0.5)
    either.command("CREATE TABLE slow (a UInt8) ENGINE = Null")
    either.command("CREATE MATERIALIZED VIEW slower ENGINE = Null AS SELECT sleep(2.5) AS b FROM slow")
    hurried = ClickHouse(either.url, either.database, timeout_seconds=1)
    hurried.insert(Facts("slow", ("a",), ([1],)), {"max_execution_time": 60})
    if not either.is_embedded:
        with pytest.raises(StorageUnavailable, match=r"(?i)time"):
            hurried.insert(Facts("slow", ("a",), ([1],)))
    hurried.close()
