"""Kill -9 of writer and app, a full disk, hand-overs, ClickHouse away for two minutes: nothing lost, nothing twice."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, show
from core.errors import StorageError
from core.model import Sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.settle import ROLLUPS, settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.live.embedded import Valkey
from tests.support.product import Product
from tests.support.servers import ROOT, ClickHouseServer

SERIES = 250
START_SECONDS = 12.0
STEPS = 400
"""Of writing, while the disk fills twice."""


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--app-kills", type=int, default=20)
    parser.add_argument("--handovers", type=int, default=10)
    parser.add_argument("--away-seconds", type=float, default=120)
    parser.add_argument("--only", choices=list(PARTS), default="")
    chosen = parser.parse_args()
    for name, part in PARTS.items():
        if chosen.only in ("", name):
            part(chosen)


def kills(chosen: argparse.Namespace) -> None:
    """Kill a process that writes, reopen, compare what it said was acknowledged with what is there."""
    lost, completed, reopen = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.kills):
            child = hammer(folder, str(number))
            assert child.stdout is not None
            for _ in range(20 + number % 7):
                acknowledged = int(child.stdout.readline())
            # A moment later, so that kills fall into every part of an insert.
            time.sleep(random.Random(number).random() / 20)
            os.kill(child.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
            child.wait()
            began = time.monotonic()
            there = counted(folder)
            reopen = max(reopen, time.monotonic() - began)
            lost += max(0, acknowledged - there["rows"])
            completed += there["mended"]
    show(
        Figure(f"acknowledged rows lost in {chosen.kills} kill -9 ({there['rows']:,} rows)", lost, "rows", 0),
        *whole(there),
        Figure("starts that had to complete a rollup", completed, ""),
        Figure("longest start, open, count and stop after a kill -9", reopen, "s"),
    )


def app_kills(chosen: argparse.Namespace) -> None:
    """Kill the whole product at a moment of chance while it collects every second, and count at the end."""
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "data", intervals__system_seconds="1", writer__flush_seconds="0.1")
        before, lost = 0, 0
        for number in range(chosen.app_kills):
            product.start()
            time.sleep(1 + 2 * random.Random(number).random())
            product.kill()
            there = counted(str(Path(folder) / "data" / "clickhouse"))
            lost += max(0, before - there["rows"])
            before = there["rows"]
    show(
        Figure(f"stored rows lost in {chosen.app_kills} kill -9 of the app ({before:,} rows)", lost, "rows", 0),
        *whole(there),
    )


def _wait_for_rows(client: ClickHouse) -> None:
    """Wait until somebody has stored a second that is not over yet."""
    now, until = int(time.time()) + 1, time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(StorageError):
            if client.rows(f"SELECT count() FROM samples WHERE ts > toDateTime({now})")[0][0]:
                return
        time.sleep(0.2)
    raise TimeoutError("nobody collects")


def whole(there: dict[str, Any]) -> list[Figure]:
    """Return whether every row is there once, in `samples` and in each rollup."""
    return [
        Figure("rows doubled in samples", there["rows"] - there["different"], "rows", 0),
        *(
            Figure(f"rows doubled or missing in {name}", abs(points - there["rows"]), "rows", 0)
            for name, points in there["rolled"].items()
        ),
    ]


def counted(folder: str) -> dict[str, Any]:
    """Return what is there after a start (tests.support.hammer.There)."""
    there: dict[str, Any] = json.loads(hammer(folder, "count").communicate()[0])
    return there


def full_disk(_: argparse.Namespace) -> None:
    """Fill the disk of ClickHouse and spool twice while 500 series a tick are written; root only."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", folder]).returncode:
            print("full disk: not measured, only root can mount a small one")
            return
        try:
            _fill_twice(Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def _fill_twice(folder: Path) -> None:
    server = ClickHouseServer(folder / "server")
    server.start()
    client = ClickHouse(server.url)
    migrate(client)
    spool = Spool(folder / "spool.sqlite", 2**26)
    writer = Writer(client.insert, spool, settle=partial(settle, client), flush_seconds=0.1, queue_rows=50_000)
    writer.start()
    start, produced, most_waiting = int(time.time()), 0, 0
    for step in range(STEPS):
        writer.put("host-1", start + step, [Sample("m", step + n / 7, (("n", str(n)),)) for n in range(500)])
        produced += 500
        if step % (STEPS // 2) == STEPS // 10:
            _fill(folder / "ballast")
        if step % (STEPS // 2) == STEPS // 10 * 4:
            (folder / "ballast").unlink()
        if writer.stats().stuck_why:
            most_waiting = max(most_waiting, writer.stats().queued_rows)
        time.sleep(0.02)
    until = time.monotonic() + 120
    while (writer.stats().spooled_batches or writer.stats().queued_rows) and time.monotonic() < until:
        time.sleep(0.1)
    writer.stop()
    stats = writer.stats()
    ((rows, different),) = client.rows("SELECT count(), uniqExact(series, ts) FROM samples")
    counted_rows = stats.dropped_rows
    rolled = client.rows("SELECT sum(points) FROM samples_1m")[0][0]
    show(
        Figure(f"rows produced, twice a full disk: {produced:,}; stored", rows, "rows"),
        Figure("dropped and counted", counted_rows, "rows"),
        Figure("neither stored nor counted", produced - rows - counted_rows, "rows", 0),
        Figure("most rows that waited in memory", most_waiting, "rows"),
        Figure("rows doubled in samples", rows - different, "rows", 0),
        Figure("rows doubled or missing in rollups", abs(rolled - rows), "rows", 0),
    )
    client.close()
    spool.close()
    server.kill()


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        for size in (2**20, 2**12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def handovers(chosen: argparse.Namespace) -> None:
    """Two collectors of one machine on a 1 s schedule; the active one is stopped or killed, the other takes over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, valkey = ClickHouseServer(folder / "server"), Valkey(folder / "valkey")
        server.start()
        valkey.start()
        urls = {"clickhouse_url": server.url, "redis_url": valkey.url, "intervals__system_seconds": "1"}
        command = (sys.executable, "-m", "collectors")
        pair = [Product(folder / f"collector-{number}", *command, **urls) for number in range(2)]
        for each in pair:
            each.launch()
        client = ClickHouse(server.url)
        _wait_for_rows(client)
        for number in range(chosen.handovers):
            time.sleep(START_SECONDS)  # so that the one that stands by has started
            active = pair[number % 2]
            assert active.process is not None
            active.process.send_signal(signal.SIGTERM if number % 4 < 2 else signal.SIGKILL)
            active.process.wait(120)
            _wait_for_rows(client)
            active.launch()
        for each in pair:
            each.kill()
        rows, different = client.rows("SELECT count(), uniqExact(series, ts) FROM samples")[0]
        show(
            Figure(f"rows doubled in {chosen.handovers} hand-overs ({rows:,} rows)", rows - different, "rows", 0),
            *(
                Figure(
                    f"rows doubled or missing in {name}",
                    abs(int(client.rows(f"SELECT sum(points) FROM {name}")[0][0]) - rows),
                    "rows",
                    0,
                )
                for name in ROLLUPS
            ),
        )
        client.close()
        valkey.stop()
        server.kill()


def hammer(folder: str, what: str) -> subprocess.Popen[str]:
    """Start a writer on the folder, or a process that counts what is there."""
    command = [sys.executable, "-m", "tests.support.hammer", folder, what]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def outage(chosen: argparse.Namespace) -> None:
    """Write 250 series a second, ClickHouse away in the middle, and count afterwards."""
    away_seconds = chosen.away_seconds
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


PARTS = {"kills": kills, "app": app_kills, "disk": full_disk, "handovers": handovers, "outage": outage}


if __name__ == "__main__":
    main()
