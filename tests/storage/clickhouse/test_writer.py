"""The writer and its spool: bounded, in order, exactly once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StorageRejected, StorageUnavailable
from core.model import Facts, Sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.spool import Spool, SpoolStats, pack, unpack
from storage.clickhouse.writer import Writer
from tests.support.times import MIDNIGHT


class Database:
    """Takes batches while it is `up`; remembers tokens as ClickHouse does; may lose its answers."""

    def __init__(self) -> None:
        self.up = True
        self.lost_answers = 0
        self.refuses: set[str] = set()
        self.rows: list[object] = []
        self._tokens: set[str] = set()

    def insert(self, facts: Facts) -> None:
        if not self.up:
            raise StorageUnavailable("connection refused")
        if facts.table in self.refuses:
            raise StorageRejected(f"no table {facts.table}")
        if facts.token not in self._tokens:
            self._tokens.add(facts.token)
            self.rows += facts.data[-1]
        if self.lost_answers:
            self.lost_answers -= 1
            raise StorageUnavailable("the answer was lost")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.sqlite", 2**20)


def numbers(*values: float) -> Facts:
    return Facts("samples", ("series", "ts", "value"), ([1] * len(values), [0] * len(values), list(values)))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0,))


def test_batches_wait_in_order_while_the_database_is_away(spool: Spool) -> None:
    database = Database()
    writer = Writer(database.insert, spool)
    database.up = False
    for value in range(5):
        writer.put_facts(numbers(value))
        writer.flush()
    assert (writer.stats().spooled_batches, writer.stats().spooled_rows, database.rows) == (5, 5, [])
    database.up = True
    writer.put_facts(numbers(5))
    writer.flush()
    assert database.rows == [0, 1, 2, 3, 4, 5]
    assert writer.stats().spooled_batches == 0


def test_a_batch_whose_answer_was_lost_is_not_counted_twice(spool: Spool) -> None:
    database = Database()
    writer = Writer(database.insert, spool)
    database.lost_answers = 3
    writer.put_facts(numbers(1, 2))
    for _ in range(5):
        writer.flush()
    assert database.rows == [1, 2]


def test_what_the_database_refuses_is_set_aside_and_does_not_block(spool: Spool) -> None:
    database = Database()
    database.refuses = {"nowhere"}
    writer = Writer(database.insert, spool)
    writer.put_facts(Facts("nowhere", ("value",), ([9],)))
    writer.put_facts(numbers(1))
    writer.flush()
    assert database.rows == [1]
    assert writer.stats().refused_batches == 1


def test_a_full_queue_drops_the_oldest_and_counts_them(spool: Spool) -> None:
    database = Database()
    writer = Writer(database.insert, spool, queue_rows=10)
    for value in range(15):
        writer.put_facts(numbers(value))
    writer.flush()
    assert database.rows == list(range(5, 15))
    assert writer.stats().dropped_rows == 5


def test_a_full_spool_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", limit_bytes=2_000)
    for value in range(100):
        spool.append(numbers(value))
    stats = spool.stats()
    assert stats.bytes <= 2_000
    assert stats.rows + stats.dropped_rows == 100
    oldest = spool.oldest()
    assert oldest is not None and oldest[1].data[2] == [100 - stats.rows]


def test_the_spool_survives_a_new_process(tmp_path: Path) -> None:
    first = Spool(tmp_path / "spool.sqlite", 2**20)
    first.append(numbers(1, 2))
    second = Spool(tmp_path / "spool.sqlite", 2**20)
    oldest = second.oldest()
    assert len(second) == 1 and oldest is not None and oldest[1].data[2] == [1, 2]


def test_when_a_batch_was_first_sent_stays_with_it_in_a_file_of_any_age(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    Spool(file, 2**20).append(numbers(1))
    with closing(sqlite3.connect(file)) as old:
        old.execute("DROP TABLE tried")
    spool = Spool(file, 2**20)
    spool.append(numbers(2), tried=50.0)
    sent = spool.oldest()
    assert sent is not None and (sent.tried, sent.batch.data[2]) == (50.0, [2]), "what was sent goes first"
    spool.remove(sent.id)
    first = spool.oldest()
    assert first is not None and first.tried is None
    spool.mark_tried(first.id, 60.0)
    spool.mark_tried(first.id, 70.0)
    spool = Spool(file, 2**20)
    first = spool.oldest()
    assert first is not None and first.tried == 60.0


def test_a_batch_is_asked_about_before_it_is_sent_again_and_what_it_lacks_goes_in_its_place(spool: Spool) -> None:
    database = Database()
    asked: list[Facts] = []

    def settle(batch: Facts, tried: float) -> list[Facts]:
        asked.append(batch)
        return [replace(numbers(10), token="a"), replace(numbers(11), token="b")]

    writer = Writer(database.insert, spool, settle=settle)
    database.up = False
    for value in (1, 2):
        writer.put_facts(numbers(value))
        writer.flush(replay=False)
    database.up = True
    writer.flush()
    assert [batch.data[2] for batch in asked] == [[1]]
    assert database.rows == [10, 11, 2]
    assert spool.stats() == SpoolStats(batches=0, rows=0, bytes=0, dropped_rows=0, refused_batches=0)


def test_stop_loses_nothing_that_was_accepted(spool: Spool) -> None:
    database = Database()
    database.up = False
    writer = Writer(database.insert, spool, flush_seconds=60)
    writer.start()
    writer.put_facts(numbers(1, 2, 3))
    writer.stop()
    assert spool.stats().rows == 3


def test_a_value_that_is_not_finite_is_left_out_and_counted(spool: Spool) -> None:
    database = Database()
    writer = Writer(database.insert, spool)
    writer.put("host", 100.5, [Sample("a", float(odd)) for odd in ("nan", "inf", "-inf")] + [Sample("b", 1.5)])
    writer.flush()
    assert database.rows[-1:] == [1.5]
    assert writer.stats().not_finite_rows == 3
    assert len(database.rows) == 2


VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@given(VALUES, st.text(max_size=20), st.text(max_size=20))
def test_a_batch_comes_back_from_disk_as_it_went(values: list[float], table: str, token: str) -> None:
    facts = Facts(table, ("value",), (values,), token)
    assert unpack(pack(facts)) == facts


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["put", "flush", "away", "back", "lose"]), max_size=40))
def test_whatever_happens_every_row_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool") / "spool.sqlite", 2**20)
    database = Database()
    writer = Writer(database.insert, spool)
    count = 0
    for step in steps:
        if step == "put":
            writer.put_facts(numbers(count))
            count += 1
        elif step == "flush":
            writer.flush()
        elif step == "lose":
            database.lost_answers += 1
        else:
            database.up = step == "back"
    database.up, database.lost_answers = True, 0
    writer.flush()
    assert database.rows == list(range(count))
    spool.close()


def test_into_the_real_engine(clickhouse: ClickHouse, spool: Spool) -> None:
    writer = Writer(clickhouse.insert, spool, clickhouse.query_log)
    writer.put("host", MIDNIGHT, [Sample("a", 1.0, (("core", "0"),)), Sample("a", 2.0, (("core", "1"),))])
    writer.flush()
    rows = clickhouse.rows("SELECT labels['core'], value FROM samples JOIN series USING series ORDER BY 1")
    assert rows == [("0", 1.0), ("1", 2.0)]
