"""Real trouble for a ClickHouse, made on purpose: what a monitor must see."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from core.errors import StorageError
from storage.clickhouse.client import ClickHouse

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 SETTINGS max_threads = 1"


@contextlib.contextmanager
def endless_query(url: str, database: str, seconds: float = 60) -> Iterator[list[str]]:
    """Run a query that does not end within `seconds`, over a handle of its own; yield the list its error will be in."""
    said: list[str] = []
    client = ClickHouse(url, database, timeout_seconds=seconds)

    def run() -> None:
        try:
            client.rows(ENDLESS)
        except StorageError as error:
            said.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    other = ClickHouse(url, database)
    while not _runs(other):
        time.sleep(0.02)
    yield said
    if _runs(other):
        other.rows("KILL QUERY WHERE startsWith(query, 'SELECT count() FROM numbers(1000000000000)') ASYNC")
    thread.join(10)
    client.close()
    other.close()


def many_parts(client: ClickHouse, count: int, table: str = "splintered") -> None:
    """Make a table whose one partition has `count` parts."""
    client.command(f"CREATE TABLE {table} (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS parts_to_delay_insert = 0")
    client.command(f"SYSTEM STOP MERGES {table}")
    settings = {"max_block_size": 1, "min_insert_block_size_rows": 1, "min_insert_block_size_bytes": 1}
    settings |= {"max_insert_threads": 1, "parts_to_delay_insert": 0, "parts_to_throw_insert": 0}
    client.command(f"INSERT INTO {table} SELECT number FROM numbers({count})", settings=settings)


def failing_mutation(client: ClickHouse, table: str = "stuck") -> None:
    """Begin a mutation that fails at every attempt."""
    client.command(f"CREATE TABLE {table} (a UInt64, b UInt64) ENGINE = MergeTree ORDER BY a")
    client.command(f"INSERT INTO {table} SELECT number, number FROM numbers(10)")
    client.command(
        f"ALTER TABLE {table} UPDATE b = throwIf(a = 3, 'the third row is bad') WHERE 1 SETTINGS mutations_sync = 0"
    )


def failing_dictionary(client: ClickHouse, name: str = "rates") -> None:
    """Make a dictionary whose source does not exist, and ask for it once."""
    client.command(
        f"CREATE DICTIONARY {name} (id UInt64, rate Float64) PRIMARY KEY id "
        "SOURCE(CLICKHOUSE(TABLE 'nowhere')) LAYOUT(FLAT()) LIFETIME(60)"
    )
    with contextlib.suppress(StorageError):
        client.command(f"SYSTEM RELOAD DICTIONARY {name}")


def detached_part(client: ClickHouse, table: str = "parted") -> None:
    """Make a table with a partition that was set aside by hand."""
    client.command(f"CREATE TABLE {table} (d Date, a UInt64) ENGINE = MergeTree ORDER BY a PARTITION BY toYYYYMM(d)")
    client.command(f"INSERT INTO {table} VALUES ('2026-01-01', 1), ('2026-02-01', 2)")
    client.command(f"ALTER TABLE {table} DETACH PARTITION 202601")


def _runs(client: ClickHouse) -> bool:
    sql = "SELECT 1 FROM system.processes WHERE startsWith(query, 'SELECT count() FROM numbers(1000000000000)')"
    return bool(client.rows(sql))
