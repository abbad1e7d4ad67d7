"""Samples that programs send: each counts once, however old it is, and however often and from where it is sent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from core.settings.stores import Retention
from storage.clickhouse.insert import settle_in_turn
from storage.clickhouse.pushed import insert_pushed, push_token, stored_before, waiting
from storage.clickhouse.reconcile import reconcile
from storage.stores import Stores
from storage.turns import turn
from tests.ingest.test_door import DAY, ONE_OF_EACH, at
from tests.support.funded import Send, count
from tests.support.times import MIDNIGHT

KEPT = Retention()
HOUR = 3_600


def points(stores: Stores, rollup: str = "samples_1h") -> int:
    """Return for how many samples a rollup stands."""
    return int(stores.clickhouse.rows(f"SELECT sum(points) FROM {rollup}")[0][0])


@pytest.mark.parametrize("days", [20, 200])
def test_old_samples_sent_twice_count_once(funded: Stores, send: Send, days: int) -> None:
    begin = (int(time.time()) - days * DAY) // HOUR * HOUR
    rows = [{**ONE_OF_EACH["samples"], "ts": at(begin + second)} for second in range(100)]
    assert send("samples", rows).json["added"] == 100
    funded.clickhouse.command("TRUNCATE TABLE samples")  # as its TTL does
    again = send("samples", rows).json
    assert (again["added"], again["already_there"], points(funded)) == (0, 100, 100)
    assert "points in that minute or hour already" in again["told"][-1]


def test_a_batch_that_waited_and_was_tried_adds_only_what_is_missing(funded: Stores) -> None:
    clickhouse = funded.clickhouse
    series, ts = np.full(100, 7, dtype=np.uint64), MIDNIGHT + np.arange(100, dtype=np.int64)
    batch = waiting(series, ts, np.ones(100))
    half = replace(batch, data=tuple(column[:99] for column in batch.data), token=push_token())
    insert_pushed(clickhouse, half, KEPT)
    funded.writer.keep(batch, 1.0)
    until = time.monotonic() + 60
    while funded.writer.stats().spooled_batches and time.monotonic() < until:
        funded.writer.flush()
    assert (count(funded, "samples"), points(funded), points(funded, "samples_1m")) == (100, 100, 100)
    assert settle_in_turn(clickhouse, funded.settings, batch, 1.0) is not None


def test_the_same_samples_sent_at_once_are_one(funded: Stores, send: Send) -> None:
    rows = [
        {**ONE_OF_EACH["samples"], "ts": at(MIDNIGHT + second), "labels": {"n": str(n)}}
        for second in range(20) for n in range(20)
    ]  # fmt: skip
    added: list[int] = []
    barrier = threading.Barrier(4)

    def one() -> None:
        barrier.wait()
        added.append(send("samples", rows).json["added"])

    threads = [threading.Thread(target=one) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(added) == [0, 0, 0, 400]
    assert (count(funded, "samples"), points(funded)) == (400, 400)


def test_a_turn_is_waited_for_between_processes(funded: Stores) -> None:
    program = f"""
from pathlib import Path
from storage.turns import turn
with turn(Path({str(funded.settings.data_dir)!r}), "samples"):
    print("mine", flush=True)
"""
    with turn(funded.settings.data_dir, "samples"):
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(2)
    assert other.communicate(timeout=60)[0] == "mine\n"


def test_what_is_found_is_right_however_much_lies_between(funded: Stores) -> None:
    clickhouse, rng = funded.clickhouse, np.random.default_rng(5)
    series = np.repeat(np.arange(50, dtype=np.uint64) + 2**63, 2_000)
    ts = np.tile(MIDNIGHT + np.arange(2_000, dtype=np.int64), 50)
    insert_pushed(clickhouse, waiting(series, ts, ts * 0.5), KEPT)
    # Few of a day, one of another day and some that are not there.
    asked = np.sort(rng.choice(len(ts), 40, replace=False))
    wanted_series = np.concatenate([series[asked], series[:1], np.array([3], dtype=np.uint64)])
    wanted_ts = np.concatenate([ts[asked], np.array([MIDNIGHT - DAY, MIDNIGHT])])
    before = stored_before(clickhouse, wanted_series, wanted_ts, KEPT)
    assert before.there.tolist() == [True] * 40 + [False] * 2
    assert np.array_equal(before.values[:40], ts[asked] * 0.5)
    read = [each for each in clickhouse.query_log.drain().data if each]
    rows = [n for kind, n in zip(read[1], read[3], strict=True) if kind == "samples before"]
    assert max(rows) <= 1_000, "what lies between is read too"


def test_rollups_of_any_day_are_completed_at_a_start(funded: Stores) -> None:
    clickhouse = funded.clickhouse
    series = np.arange(5, dtype=np.uint64)
    for days in range(4):
        insert_pushed(clickhouse, waiting(series, np.full(5, MIDNIGHT - days * DAY), np.ones(5)), KEPT)
    clickhouse.command("TRUNCATE TABLE samples_1m")
    assert reconcile(clickhouse, KEPT.raw_days)
    assert points(funded, "samples_1m") == 20
