"""Crashes and outages: what was acknowledged stays, what waited arrives once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from core.model import Sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.settle import ROLLUPS, settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from tests.support.servers import ROOT, ClickHouseServer
from tests.support.times import MIDNIGHT


def test_kill_9_while_writing_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for round_number in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.hammer", str(tmp_path / "clickhouse"), str(round_number)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(20 + 7 * round_number):
            acknowledged = int(child.stdout.readline())
        child.kill()
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
        child.wait()
    counted = subprocess.run(
        [sys.executable, "-m", "tests.support.hammer", str(tmp_path / "clickhouse"), "count"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    there = json.loads(counted.stdout)
    assert there["rows"] >= acknowledged
    assert there["different"] == there["rows"], "none is there twice"
    assert there["rolled"] == dict.fromkeys(ROLLUPS, there["rows"]), "rollups stand for the very same rows"


def test_an_outage_of_the_server_loses_and_doubles_nothing(
    clickhouse_server: ClickHouseServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0.1,))
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    writer = Writer(client.insert, spool, settle=partial(settle, client), flush_seconds=0.05)
    writer.start()
    for second in range(200):
        writer.put("host-1", MIDNIGHT + second, [Sample("m", second * 1.0, (("n", str(n)),)) for n in range(50)])
        if second == 50:
            clickhouse_server.kill()
        if second == 150:
            clickhouse_server.start()
        time.sleep(0.01)
    deadline = time.monotonic() + 30
    while (writer.stats().spooled_batches or writer.stats().queued_rows) and time.monotonic() < deadline:
        time.sleep(0.05)
    writer.stop()
    assert client.rows("SELECT count(), uniqExact(series, ts) FROM samples") == [(10_000, 10_000)]
    assert client.rows("SELECT sum(points), sum(total) FROM samples_1m") == [(10_000, 50.0 * sum(range(200)))]
    assert client.rows("SELECT uniqExact(series) FROM series") == [(50,)]
    assert writer.stats().dropped_rows == 0
    client.close()
    spool.close()
