"""Kill -9 while collecting, twenty times; ClickHouse away for two minutes under load."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.report import Figure, show
from core.model import Sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.settle import settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from tests.support.servers import ROOT, ClickHouseServer

SERIES = 250


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--away-seconds", type=float, default=120)
    chosen = parser.parse_args()
    kills(chosen.kills)
    outage(chosen.away_seconds)


def kills(times: int) -> None:
    """Kill a process that writes, reopen, compare what it said was acknowledged with what is there."""
    lost, batches, reopen = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            child = hammer(folder, str(number))
            assert child.stdout is not None
            for _ in range(20 + number % 7):
                acknowledged = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
            child.wait()
            began = time.monotonic()
            counted = hammer(folder, "count")
            there = int(counted.communicate()[0])
            reopen = max(reopen, time.monotonic() - began)
            lost += max(0, acknowledged - there)
            batches = there // SERIES
    show(
        Figure(f"acknowledged rows lost in {times} kill -9 ({batches:,} batches)", lost, "rows", 0),
        Figure("longest start, open, count and stop after a kill -9", reopen, "s"),
    )


def hammer(folder: str, what: str) -> subprocess.Popen[str]:
    """Start a writer on the folder, or a process that counts what is there."""
    command = [sys.executable, "-m", "tests.support.hammer", folder, what]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def outage(away_seconds: float) -> None:
    """Write 250 series a second, ClickHouse away in the middle, and count afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = ClickHouseServer(Path(folder) / "server")
        server.start()
        client = ClickHouse(server.url)
        migrate(client)
        spool = Spool(Path(folder) / "spool.sqlite", 2**29)
        writer = Writer(client.insert, spool, settle=partial(settle, client))
        writer.start()
        start = int(time.time())
        total = int(away_seconds) + 30
        for second in range(total):
            writer.put("host-1", start + second, [Sample("m", 1.0, (("n", str(n)),)) for n in range(SERIES)])
            if second == 10:
                server.kill()
            if second == 10 + int(away_seconds):
                server.start()
                back = time.monotonic()
            time.sleep(max(0.0, start + second + 1 - time.time()))
        while (writer.stats().spooled_batches or writer.stats().queued_rows) and time.monotonic() < back + 120:
            time.sleep(0.1)
        writer.stop()
        rows, different = client.rows("SELECT count(), uniqExact(series, ts) FROM samples")[0]
        rolled = client.rows("SELECT sum(points) FROM samples_1m")[0][0]
        show(
            Figure(f"rows missing after ClickHouse was away {away_seconds:g} s", total * SERIES - different, "rows", 0),
            Figure("rows doubled in samples", rows - different, "rows", 0),
            Figure("rows doubled or missing in rollups", abs(rolled - total * SERIES), "rows", 0),
        )
        client.close()
        spool.close()
        server.kill()


if __name__ == "__main__":
    main()
