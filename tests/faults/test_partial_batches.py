"""A server killed while it takes a batch: it knows the batch's token and lacks the rows, and still none is lost."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from core.errors import StorageUnavailable
from core.model import Facts, Status
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.insert import insert_facts
from storage.clickhouse.migrate import migrate
from storage.clickhouse.nav_rows import NAV_COLUMNS
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, read_state_changes, state_change_facts
from storage.clickhouse.settle import ROLLUPS, settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from tests.support.servers import ClickHouseServer
from tests.support.times import MIDNIGHT

Row = tuple[int, int, float]
"""Series, epoch seconds, value."""


class Torn:
    """A writer to a server that is killed while it takes a batch."""

    def __init__(self, server: ClickHouseServer, database: str, folder: Path) -> None:
        self._server = server
        self._answers = True
        self.client = ClickHouse(server.url, database)
        migrate(self.client)
        self._hold_merges()
        self.spool = Spool(folder / "spool.sqlite", 2**26)
        self.writer = Writer(self._insert, self.spool, settle=partial(settle, self.client))

    def write(self, *batches: Facts) -> None:
        """Bring batches to the server, after what waits."""
        for batch in batches:
            self.writer.put_facts(batch)
        deadline = time.monotonic() + 30
        while (len(self.spool) or self.writer.stats().queued_rows) and time.monotonic() < deadline:
            self.writer.flush()
        assert len(self.spool) == 0

    def write_unanswered(self, *batches: Facts) -> None:
        """Bring batches, or with none what waits, to the server, which takes the first and does not say so."""
        self._answers = False
        for batch in batches:
            self.writer.put_facts(batch)
        self.writer.flush()
        self._answers = True
        assert len(self.spool)

    def tear(self, *tables: str) -> None:
        """Kill the server, take the newest part of each table away as if it was never put in place, start it again.

        What the server knows of tokens stays.
        """
        sql = """
            SELECT path FROM system.parts
            WHERE database = currentDatabase() AND table = {table:String} AND active
            ORDER BY min_block_number DESC, partition_id DESC LIMIT 1
        """
        parts = [Path(path) for table in tables for (path,) in self.client.rows(sql, {"table": table})]
        assert len(parts) == len(tables)
        self._server.kill()
        for part in parts:
            shutil.rmtree(part)
        self._server.start()
        self._hold_merges()

    def _hold_merges(self) -> None:
        """So that the newest part is the newest batch."""
        self.client.command("SYSTEM STOP MERGES")

    def _insert(self, facts: Facts) -> None:
        insert_facts(self.client, facts)
        if not self._answers:
            raise StorageUnavailable("the answer was lost")


@pytest.fixture
def torn(clickhouse_server: ClickHouseServer, database: str, tmp_path: Path) -> Iterator[Torn]:
    made = Torn(clickhouse_server, database, tmp_path)
    yield made
    made.spool.close()
    made.client.close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0.05,))


def samples(rows: Sequence[Row]) -> Facts:
    return Facts("samples", ("series", "ts", "value"), tuple(map(list, zip(*rows, strict=True))))


def rows_of(first: int, seconds: int) -> list[Row]:
    return [(2**63 + n, first + s, float(s * (n - 4))) for s in range(seconds) for n in range(9)]


def assert_exact(client: ClickHouse, rows: Sequence[Row]) -> None:
    """Assert that base and rollups hold these rows, each once."""
    assert client.rows("SELECT series, toUnixTimestamp(ts), value FROM samples ORDER BY 1, 2, 3") == sorted(rows)
    for rollup, width in ROLLUPS.items():
        buckets: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for series, ts, value in rows:
            buckets[series, ts // width * width].append(value)
        sql = f"""
            SELECT series, toUnixTimestamp(at), min(low), max(high), sum(total), sum(points)
            FROM (SELECT *, ts AS at FROM {rollup}) GROUP BY 1, 2 ORDER BY 1, 2
        """
        wanted = [(*key, min(of), max(of), sum(of), len(of)) for key, of in sorted(buckets.items())]
        assert client.rows(sql) == wanted, rollup


@pytest.mark.parametrize(
    "tables",
    [(), ("samples_1h",), ("samples_1m",), ("samples_1m", "samples_1h"), ("samples", "samples_1m", "samples_1h")],
    ids=", ".join,
)
def test_samples_of_a_torn_batch_are_in_base_and_rollups_once(torn: Torn, tables: tuple[str, ...]) -> None:
    before, batch, after = rows_of(MIDNIGHT + 30, 50), rows_of(MIDNIGHT + 80, 50), rows_of(MIDNIGHT + 130, 50)
    torn.write(samples(before))
    torn.write_unanswered(samples(batch))
    torn.tear(*tables)
    torn.write()
    torn.write(samples(after))
    assert_exact(torn.client, before + batch + after)


def test_samples_of_two_days_of_which_the_second_is_torn_are_there_once(torn: Torn) -> None:
    batch = rows_of(MIDNIGHT - 30, 60)
    torn.write_unanswered(samples(batch))
    torn.tear("samples", "samples_1m", "samples_1h")
    ((there, first),) = torn.client.rows("SELECT count(), toUnixTimestamp(min(ts)) FROM samples")
    assert (there, first) == (30 * 9, MIDNIGHT - 30)
    torn.write()
    assert_exact(torn.client, batch)


@pytest.mark.parametrize("tables", [("samples_1m",), ("samples", "samples_1m", "samples_1h")], ids=", ".join)
def test_a_batch_is_there_once_when_what_heals_it_is_torn_again(torn: Torn, tables: tuple[str, ...]) -> None:
    before, batch = rows_of(MIDNIGHT, 50), rows_of(MIDNIGHT + 50, 50)
    torn.write(samples(before))
    torn.write_unanswered(samples(batch))
    for _ in range(2):
        torn.tear(*tables)
        torn.write_unanswered()
    torn.write()
    assert_exact(torn.client, before + batch)


@pytest.mark.parametrize("tables", [(), ("state_changes",)], ids=", ".join)
def test_rows_of_a_table_without_rollups_are_there_once(torn: Torn, tables: tuple[str, ...]) -> None:
    columns = ("ts", "source", "state", "before", "held_seconds", "why")
    changes = [(MIDNIGHT * 1_000 + n, "redis:main", "up", "down", 0.5, f"change {n}") for n in range(6)]
    first, second = (
        Facts("state_changes", columns, tuple(map(list, zip(*of, strict=True)))) for of in (changes[:3], changes[3:])
    )
    torn.write(first)
    torn.write_unanswered(second)
    torn.tear(*tables)
    torn.write()
    assert torn.client.rows("SELECT why FROM state_changes ORDER BY ts") == [(row[-1],) for row in changes]


def test_changes_of_several_components_at_once_are_there_once(torn: Torn) -> None:
    at = float(MIDNIGHT)
    ids = [ComponentId("host-1", "system", name) for name in ("CPU", "Memory", "Disk /")]
    changes = [StateChange(at, id, Status.OK, None, 0.0, f"{id.name} is fine") for id in ids]
    torn.write_unanswered(state_change_facts(changes))
    torn.tear("state_changes")
    torn.write()
    assert read_state_changes(torn.client, ["system"], ["host-1"], at, at) == sorted(changes, key=lambda each: each.id)


@pytest.mark.parametrize(
    "tables",
    [("nav",), ("nav_daily",), ("nav", "nav_daily", "nav_flows", "nav_restatements")],
    ids=", ".join,
)
def test_restated_nav_of_a_torn_batch_is_there_with_its_day_and_its_mark(torn: Torn, tables: tuple[str, ...]) -> None:
    def nav(value: float, flow: float, version: int) -> Facts:
        return Facts("nav", NAV_COLUMNS, (["own"], ["alpha"], [MIDNIGHT], [value], [flow], [version]))

    torn.write(nav(100.0, 0.0, 1))
    torn.write_unanswered(nav(90.0, 5.0, 2))
    torn.tear(*tables)
    torn.write()
    assert torn.client.rows("SELECT nav, flow, version FROM nav FINAL") == [(90.0, 5.0, 2)]
    assert torn.client.rows("SELECT toUnixTimestamp(ts), nav FROM nav_daily FINAL") == [(MIDNIGHT, 90.0)]
    assert torn.client.rows("SELECT count() FROM nav_flows FINAL") == [(1,)]
    assert torn.client.rows("SELECT was, now FROM nav_restatements FINAL") == [(100.0, 90.0)]
