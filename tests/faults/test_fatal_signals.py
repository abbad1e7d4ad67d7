"""A crash of native code in a process that holds the engine: it ends at once, and the next worker serves as before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from core.fatal_signals import FATAL
from core.model import Status
from core.settings.model import Settings
from storage.live.redis import Live
from storage.stores import running_valkey_url
from tests.faults.test_start_and_stop import wait_for_reading
from tests.support.kafka_servers import Tansu
from tests.support.product import Product, gone
from tests.support.servers import ROOT, wait_for_http

HOLDS_THE_ENGINE = """
import os, sys
from storage.clickhouse.client import ClickHouse
for _ in range(2):  # the engine is opened anew when its last handle has gone
    clickhouse = ClickHouse("chdb://" + sys.argv[1])
    clickhouse.create_database()
    clickhouse.ping()
    clickhouse.close()
clickhouse = ClickHouse("chdb://" + sys.argv[1])
clickhouse.ping()
os.kill(os.getpid(), int(sys.argv[2]))
clickhouse.ping()
print("still here")
"""


@pytest.mark.parametrize("number", FATAL)
def test_a_fatal_signal_ends_a_process_that_holds_the_engine(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", HOLDS_THE_ENGINE, str(tmp_path / "clickhouse"), str(int(number))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -number, ended.stdout + ended.stderr
    assert "Fatal Python error" in ended.stderr and "still here" not in ended.stdout


def test_after_a_worker_aborted_the_next_one_collects_and_serves(tmp_path: Path) -> None:
    with Product(tmp_path / "data", intervals__system_seconds="1") as product:
        product.start()
        live = Live(running_valkey_url(Settings(data_dir=product.folder)))
        before = wait_for_reading(live, 0)[0]
        worker = worker_of(product)
        os.kill(worker.pid, signal.SIGABRT)
        assert gone([worker])
        wait_for_http(product.port)
        assert worker_of(product).pid != worker.pid
        assert wait_for_reading(live, before + 1)[1] > 50, "folder, engine and Valkey are the new worker's"
        assert product.stop()[0] == 0
        assert "Fatal Python error: Aborted" in product.output()


def test_a_crash_of_librdkafka_touches_nothing_but_its_process(tmp_path: Path) -> None:
    with Tansu(tmp_path / "broker") as broker:
        watched = json.dumps([{"name": "main", "bootstrap": broker.bootstrap, "interval_seconds": 1}])
        with Product(tmp_path / "data", watch__kafka=watched) as product:
            product.start()
            live = Live(running_valkey_url(Settings(data_dir=product.folder)))
            worker = worker_of(product)
            after = 0.0
            for number in (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV):
                after = wait_until_ok(live, "kafka:main", after)
                asking = asking_kafka(product)
                asking.send_signal(number)
                assert gone([asking])
            wait_until_ok(live, "kafka:main", after)
            assert worker_of(product).pid == worker.pid
            assert urllib.request.urlopen(f"http://127.0.0.1:{product.port}/healthz").status == 200
            asking = asking_kafka(product)
            assert product.stop()[0] == 0 and gone([asking])


def asking_kafka(product: Product) -> psutil.Process:
    (found,) = (each for each in product.family() if "collectors.kinds.kafka.librdkafka" in each.cmdline())
    return found


def wait_until_ok(live: Live, collector: str, after: float) -> float:
    """Wait for a reading taken later than `after` that says that all is well, and return when it was taken."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        reading = live.reading(collector, "host-1")
        if reading is not None and reading.ts > after and reading.components[0].status is Status.OK:
            return reading.ts
        time.sleep(0.05)
    raise AssertionError(f"{collector} is not well")


def worker_of(product: Product) -> psutil.Process:
    """Return the child of the master that runs the same program."""
    master, *children = product.family()
    return next(child for child in children if child.cmdline() == master.cmdline())
