"""What a batch lacks that ClickHouse took in part: asked of the real engine, a part taken away by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.settle import ADDED, ROLLUPS, settle
from tests.support.times import MIDNIGHT

MS = 1_000
BATCHES = (
    Facts("samples", ("series", "ts", "value"), ([1, 2, 2], [MIDNIGHT, MIDNIGHT, MIDNIGHT + 61], [1.5, -0.1, 1e300])),
    Facts(
        "runs",
        ("ts", "host", "collector", "duration_seconds", "lateness_seconds", "outcome", "samples", "error"),
        ([MIDNIGHT * MS + 1, MIDNIGHT * MS + 2], ["h", "h"], ["a", "b"], [0.1, 0.1], [0.0, 0.0], ["ok"] * 2, [1, 1],
         ["", ""]),
    ),
    Facts(
        "queries",
        ("ts", "kind", "seconds", "rows", "bytes", "error"),
        ([MIDNIGHT * MS + 999, MIDNIGHT * MS + 1_000], ["read", "read"], [0.1, 0.2], [1, 1], [1, 1], ["", ""]),
    ),
    Facts(
        "state_changes",
        ("ts", "source", "state", "before", "held_seconds", "why"),
        ([MIDNIGHT * MS], ["redis:main"], ["up"], ["down"], [0.1], ["it answers"]),
    ),
)  # fmt: skip
"""A batch of every table whose rows do not replace themselves."""


def samples(rows: Sequence[tuple[int, int, float]], token: str = "a token") -> Facts:
    return Facts("samples", ("series", "ts", "value"), tuple(map(list, zip(*rows, strict=True))), token)


def rows(batches: Sequence[Facts] | None) -> list[tuple[str, list[tuple[Any, ...]]]]:
    assert batches is not None
    return [(batch.table, sorted(zip(*batch.data, strict=True))) for batch in batches]


def test_every_table_whose_rows_add_up_is_known(clickhouse: ClickHouse) -> None:
    sql = """
        SELECT name, engine FROM system.tables
        WHERE database = currentDatabase() AND engine NOT IN ('ReplacingMergeTree', 'MaterializedView')
    """
    assert dict(clickhouse.rows(sql)) == dict.fromkeys(ADDED, "MergeTree") | dict.fromkeys(
        ROLLUPS, "AggregatingMergeTree"
    )
    assert {batch.table for batch in BATCHES} == set(ADDED)


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch.table)
def test_a_batch_that_is_there_lacks_nothing_and_one_that_is_not_goes_whole_as_another(
    clickhouse: ClickHouse, batch: Facts
) -> None:
    clickhouse.insert(batch)
    assert settle(clickhouse, batch, tried=0.0) == []
    clickhouse.command(f"TRUNCATE TABLE {batch.table}")
    for rollup in ROLLUPS:
        clickhouse.command(f"TRUNCATE TABLE {rollup}")
    again = settle(clickhouse, batch, tried=0.0)
    assert rows(again) == rows([batch])
    assert again is not None and again[0].token not in ("", batch.token)


def test_the_same_rows_of_another_batch_do_not_stand_for_one_that_is_not_there(clickhouse: ClickHouse) -> None:
    other, batch = [(1, MIDNIGHT + 5, 1.0)], [(1, MIDNIGHT + 5, 1.0), (1, MIDNIGHT + 6, 2.0)]
    clickhouse.insert(samples(other))
    assert rows(settle(clickhouse, samples(batch), tried=0.0)) == [("samples", batch)]


def test_a_rollup_gets_what_it_lacks_of_the_series_of_the_batch(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.clickhouse.settle.SERIES_AT_ONCE", 2)
    before = [(series, MIDNIGHT + 5, 1.0) for series in range(5)]
    batch = [(series, MIDNIGHT + 9, 3.0) for series in range(5)]
    clickhouse.insert(samples(before))
    clickhouse.command("TRUNCATE TABLE samples_1m")
    clickhouse.insert(samples(batch, "another token"))
    lacking = settle(clickhouse, samples(batch[:4]), tried=0.0)
    wanted = [("samples_1m", [(series, MIDNIGHT, 1.0, 3.0, 1.0, 1) for series in range(4)])]
    assert rows(lacking) == wanted
    # What fills a rollup is a batch as others are: torn itself, it is settled in the same way.
    assert lacking is not None
    assert rows(settle(clickhouse, lacking[0], tried=0.0)) == wanted
    clickhouse.insert(lacking[0])
    assert settle(clickhouse, lacking[0], tried=0.0) == []


def test_rows_that_replace_themselves_go_again(clickhouse: ClickHouse) -> None:
    batch = Facts("series", ("series", "host", "metric", "labels", "seen"), ([1], ["h"], ["m"], [{}], [1]), "a token")
    again = settle(clickhouse, batch, tried=0.0)
    assert rows(again) == rows([batch])
    assert again is not None and again[0].token != batch.token


def test_a_batch_that_was_first_sent_to_the_running_engine_keeps_its_token(clickhouse: ClickHouse) -> None:
    clickhouse.ping()
    assert settle(clickhouse, BATCHES[0], time.time() + 2) is None


def test_on_a_cluster_nothing_is_torn(clickhouse_url: str) -> None:
    assert settle(ClickHouse(clickhouse_url, cluster="prod"), BATCHES[0], tried=0.0) is None
