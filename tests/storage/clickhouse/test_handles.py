"""Handles of ClickHouse: threads of any number share a few, and a failed statement costs none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import StorageRejected, StorageUnavailable
from storage.clickhouse.client import ClickHouse

HANDLES = 3


@pytest.fixture
def shared(clickhouse_url: str) -> Iterator[ClickHouse]:
    made = ClickHouse(clickhouse_url, "default", most_handles=HANDLES, timeout_seconds=20.0)
    yield made
    made.close()


def test_threads_of_any_number_share_the_handles(shared: ClickHouse) -> None:
    for _ in range(4):  # new threads each time
        with ThreadPoolExecutor(12) as crowd:
            found = crowd.map(lambda number: shared.rows(f"SELECT {number}")[0][0], range(60))
            assert list(found) == list(range(60))
    assert len(shared._handles) <= HANDLES


def test_a_failed_statement_gives_its_handle_back(shared: ClickHouse) -> None:
    for _ in range(HANDLES + 1):
        with pytest.raises(StorageRejected):
            shared.rows("SELECT nothing_of_this_name")
    assert shared.rows("SELECT 1") == [(1,)]


def test_more_statements_than_handles_are_told_that_it_is_busy(clickhouse_url: str) -> None:
    shared = ClickHouse(clickhouse_url, "default", most_handles=1, timeout_seconds=0.2)
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with shared._statement("held"):
            is_held.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(30)
    with pytest.raises(StorageUnavailable, match=r"busy with 1 statement$"):
        shared.rows("SELECT 1")
    may_end.set()
    holder.join()
    assert shared.rows("SELECT 1") == [(1,)]
    shared.close()
