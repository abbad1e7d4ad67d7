"""Kafka, PostgreSQL, Valkey and RabbitMQ frozen (SIGSTOP) and thawed again and again, with pages open: is storage alive
all the time, what is said of each, how soon it is right after a thaw, and how long a page waits for its answer.

    python -m benchmarks.freezes [--rounds 50]

RabbitMQ is a process that speaks its management API, the others are the servers themselves (Kafka: tansu).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import psutil

from benchmarks.callbacks import callback, post
from benchmarks.report import Figure, show
from core.model import Component, Status
from core.settings.model import Settings
from storage.live.redis import Live
from storage.stores import running_valkey_url
from tests.support.kafka_servers import Tansu, commit, create, produce
from tests.support.postgres_servers import PostgresServer
from tests.support.product import Product
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT

INTERVAL_SECONDS, TIMEOUT_SECONDS = 5.0, 2.0
FREEZES_SECONDS = (1.0, 3.0, 8.0, 16.0)
"""Shorter than a reading's deadline, longer than an interval, longer than it takes to be left alone."""
TOLD_SECONDS = 2 * INTERVAL_SECONDS + TIMEOUT_SECONDS
"""A freeze of that length must have been told."""
SPARE_SECONDS = 1.0
"""For the reading itself, and for what looks at it ten times a second."""
MOST_SECONDS = 60.0
BEFORE_SECONDS = 30.0
LONGEST_SECONDS = 1.0
GROUPS = 10
PAGES = ("pipeline", "database", "cache")
RABBITMQ = """
import threading
from tests.support.rabbitmq_api import RabbitmqApi
with RabbitmqApi() as api:
    print(api.url, flush=True)
    threading.Event().wait()
"""


@dataclass(slots=True)
class Seen:
    """What was seen while servers froze and thawed."""

    answers_seconds: list[float] = field(default_factory=list)
    failed_pages: int = 0
    health_failures: int = 0
    healths: int = 0
    children: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        watched = servers(stack, folder)
        sources = {f"watch__{kind}": orjson.dumps([instance]).decode() for kind, (instance, _) in watched.items()}
        product = stack.enter_context(Product(folder / "data", **sources)).start()
        rounds(product, {kind: port for kind, (_, port) in watched.items()}, chosen.rounds)


def servers(stack: contextlib.ExitStack, folder: Path) -> dict[str, tuple[dict[str, object], int]]:
    """Start what is watched; return its instance in the settings and its port, by kind."""
    kafka = stack.enter_context(Tansu(folder / "kafka"))
    create(kafka.bootstrap, orders=4)
    produce(kafka.bootstrap, "orders", 20)
    for number in range(GROUPS):
        commit(kafka.bootstrap, f"group-{number}", "orders", 20)
    postgres = stack.enter_context(PostgresServer())
    redis = stack.enter_context(RedisServer(folder / "redis"))
    rabbitmq = stack.enter_context(
        subprocess.Popen(
            # Clients that have gone meanwhile are no news: they go at every freeze.
            [sys.executable, "-c", RABBITMQ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    stack.callback(rabbitmq.kill)
    assert rabbitmq.stdout is not None
    url = rabbitmq.stdout.readline().strip()
    same = {"name": "main", "interval_seconds": INTERVAL_SECONDS, "timeout_seconds": TIMEOUT_SECONDS}
    return {
        "kafka": (same | {"bootstrap": kafka.bootstrap}, kafka.port),
        "postgresql": (same | {"url": postgres.url()}, postgres.port),
        "redis": (same | {"url": redis.url}, redis.port),
        "rabbitmq": (same | {"url": url}, int(url.rpartition(":")[2])),
    }


def rounds(product: Product, ports: dict[str, int], count: int) -> None:
    """Freeze and thaw all of them `count` times and print what was seen."""
    live = Live(running_valkey_url(Settings(data_dir=product.folder)))
    wait_until_well(live, ports, time.time())
    seen, stop = Seen(), threading.Event()
    looking = [threading.Thread(target=open_page, args=(product, page, seen, stop)) for page in PAGES]
    looking.append(threading.Thread(target=ask_health, args=(product, seen, stop)))
    for thread in looking:
        thread.start()
    time.sleep(BEFORE_SECONDS)
    before, seen.answers_seconds = seen.answers_seconds, []
    slowest, late, untold = dict.fromkeys(ports, 0.0), 0, 0
    for number in range(count):
        seconds = FREEZES_SECONDS[number % len(FREEZES_SECONDS)] + random.random()
        frozen = [process for port in ports.values() for process in holders(port)]
        for process in frozen:
            process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        if seconds > TOLD_SECONDS:
            untold += sum(component(live, kind)[1].status is not Status.DOWN for kind in ports)
        for process in frozen:
            process.send_signal(signal.SIGCONT)
        for kind, took in wait_until_well(live, ports, time.time()).items():
            slowest[kind] = max(slowest[kind], took)
            late += took > 2 * INTERVAL_SECONDS + SPARE_SECONDS
    stop.set()
    for thread in looking:
        thread.join()
    show(
        Figure(f"storage: failures of /healthz, of {seen.healths} asked, {count} rounds", seen.health_failures, "", 0),
        Figure("workers that have served", len(seen.workers), "", 1),
        Figure("processes of librdkafka that ended", len(seen.children) - 1, ""),
        Figure("a freeze longer than two intervals not told as down", untold, "", 0),
        Figure("states not right within two intervals of a thaw", late, "", 0),
        *(Figure(f"slowest to be right after a thaw: {kind}", took, "s") for kind, took in slowest.items()),
        Figure(f"pages not answered, of {len(before + seen.answers_seconds)} asked", seen.failed_pages, "", 0),
        *answers("before the first freeze", before),
        *answers("from then on", seen.answers_seconds),
    )


def answers(when: str, seconds: list[float]) -> list[Figure]:
    """Return the median and the longest of answers."""
    return [
        Figure(f"median answer of a page {when}", statistics.median(seconds), "s"),
        Figure(f"longest answer of a page {when}", max(seconds), "s", LONGEST_SECONDS),
    ]


def holders(port: int) -> list[psutil.Process]:
    """Return the process that listens on a port, and its children."""
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    found = [psutil.Process(each.pid) for each in listening if each.pid and each.laddr[1:] == (port,)]
    return [*found, *(child for process in found for child in process.children(recursive=True))]


def component(live: Live, kind: str) -> tuple[float, Component]:
    """Return when a source was last read, and how it is."""
    reading = live.reading(f"{kind}:main", "host-1")
    return (reading.ts, reading.components[0]) if reading else (0.0, Component("", Status.UNKNOWN, "never read"))


def wait_until_well(live: Live, kinds: Iterable[str], after: float) -> dict[str, float]:
    """Return the seconds from `after` to a reading of each kind that says that all is well; MOST_SECONDS without."""
    found: dict[str, float] = {}
    while len(found) < len(set(kinds)) and time.time() - after < MOST_SECONDS:
        for kind in set(kinds) - found.keys():
            ts, how = component(live, kind)
            if ts > after and how.status is Status.OK:
                found[kind] = time.time() - after
        time.sleep(0.1)
    for kind in set(kinds) - found.keys():
        found[kind] = MOST_SECONDS
        print(f"{kind}: {component(live, kind)[1].why[:300]}", flush=True)
    return found


def open_page(product: Product, page: str, seen: Seen, stop: threading.Event) -> None:
    """Ask for a page's view each second, as an open page does."""
    base = f"http://127.0.0.1:{product.port}"
    body = callback(base, page, seen=None)
    while not stop.wait(1.0):
        began = time.monotonic()
        try:
            status = post(f"{base}/_dash-update-component", body)[0]
        except OSError:
            status = 0
        seen.failed_pages += status != 200
        seen.answers_seconds.append(time.monotonic() - began)


def ask_health(product: Product, seen: Seen, stop: threading.Event) -> None:
    """Ask each second whether storage is alive, and look at the processes."""
    while not stop.wait(1.0):
        seen.healths += 1
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{product.port}/healthz", timeout=10).close()
        except (urllib.error.URLError, OSError) as error:
            seen.health_failures += 1
            print(f"/healthz: {error}", flush=True)
        look_at_processes(product, seen)


def look_at_processes(product: Product, seen: Seen) -> None:
    """Note the workers and the processes of librdkafka that are there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        master, *family = product.family()
        command = master.cmdline()
        for process in family:
            words = process.cmdline()
            if words == command:
                seen.workers.add(process.pid)
            if "collectors.kinds.kafka.librdkafka" in words:
                seen.children.add(process.pid)


if __name__ == "__main__":
    main()
