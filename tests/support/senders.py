"""Two web workers and a collector on servers of their own, programs that send rows to them, and kills in between."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import orjson
import psutil

from access.tokens import make_token
from access.viewer import Viewer
from core.roles import Role
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.spool import Spool
from storage.live.embedded import Valkey
from storage.state.database import State
from storage.state.portfolios import Portfolio, put_portfolios
from tests.support.product import Product
from tests.support.servers import ROOT, ClickHouseServer

BATCH_ROWS = 50
PAUSE_SECONDS = 0.5
"""Between the batches of a program: what waits must be replayed in the end."""
PROGRAMS = 2
ADDRESS = "127.0.0.1"
SAMPLES_FROM_SECONDS = 100_000
"""Ago: the samples of all batches lie in one hour after that, a second each."""


class Cluster:
    """ClickHouse, Valkey, gunicorn with two workers and a collector, each in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clickhouse = ClickHouseServer(folder / "server")
        self._valkey = Valkey(folder / "valkey")
        self._collector: subprocess.Popen[bytes] | None = None
        self.secret = ""
        self._said: deque[str] = deque(maxlen=40)

    def __enter__(self) -> Cluster:
        self.clickhouse.start()
        self._valkey.start()
        gunicorn = str(Path(sys.executable).parent / "gunicorn")
        self.web = Product(
            self.folder / "data", gunicorn, "app:create_server()", sign_in="required", load_sample="false",
            clickhouse_url=self.clickhouse.url, redis_url=self._valkey.url, query__timeout_seconds="20",
        )  # fmt: skip
        (self.folder / "data").mkdir()
        state = State(f"sqlite:///{self.folder / 'data' / 'state.sqlite'}")
        state.migrate()
        put_portfolios(state, [Portfolio("own", "alpha", "alpha")])
        scopes, by = ["ingest:trades", "ingest:samples"], Viewer("test", Role.ADMIN)
        self.secret = make_token(state, name="sender", account="", scopes=scopes, by=by, now=time.time())[1]
        state.close()
        self.web.start(600)
        threading.Thread(target=self._listen, daemon=True).start()
        self.start_collector()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill_collector()
        self.web.kill()
        self.clickhouse.kill()
        self._valkey.stop()

    @property
    def port(self) -> int:
        """Where the web workers listen."""
        return self.web.port

    def start_collector(self) -> None:
        """Start the process that collects."""
        command = [sys.executable, "-m", "collectors"]
        quiet = subprocess.DEVNULL
        self._collector = subprocess.Popen(command, cwd=ROOT, env=self.web.environment, stdout=quiet, stderr=quiet)

    def kill_a_worker(self) -> None:
        """End one web worker as a crash would; gunicorn starts another one."""
        assert self.web.process is not None
        workers = psutil.Process(self.web.process.pid).children()
        if workers:
            os.kill(random.choice(workers).pid, signal.SIGKILL)

    def kill_the_collector(self) -> None:
        """End the collector as a crash would, and start another one."""
        self._kill_collector()
        self.start_collector()

    def kill_clickhouse(self) -> None:
        """End ClickHouse as a crash would, and start it again."""
        self._wait_for_workers()
        self.away(0.3)

    def away(self, seconds: float) -> None:
        """End ClickHouse as a crash would, and start it again so much later."""
        self.clickhouse.kill()
        time.sleep(seconds)
        self.clickhouse.start()

    def _wait_for_workers(self, seconds: float = 600) -> None:
        """Wait until both web workers have opened their stores: each has a spool of its own then."""
        assert self.web.process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(psutil.Error):
                workers = psutil.Process(self.web.process.pid).children()
                if sum(any(file.path.endswith(".lock") for file in each.open_files()) for each in workers) == 2:
                    time.sleep(1)
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the web workers do not start: {''.join(self._said)}")

    def _listen(self) -> None:
        """Read what the web says: a pipe that is full would hold it up."""
        assert self.web.process is not None and self.web.process.stdout is not None
        for line in self.web.process.stdout:
            self._said.append(line)

    def _kill_collector(self) -> None:
        if self._collector is not None:
            self._collector.kill()
            self._collector.wait()

    def waiting(self) -> int:
        """Return how many batches wait in all spools."""
        found = 0
        for file in (self.folder / "data").glob("spool*.sqlite"):
            with contextlib.closing(Spool(file, 2**30)) as spool:
                found += len(spool)
        return found

    def wait_until_replayed(self, seconds: float) -> None:
        """Wait until nothing waits in a spool. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self.waiting():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.waiting()} batches wait still")
            time.sleep(0.5)


class Sender:
    """A program that sends batches one after the other, each again until it is acknowledged."""

    def __init__(self, cluster: Cluster, name: int) -> None:
        self._cluster = cluster
        self._name = name
        self._stopping = threading.Event()
        self.trades: set[str] = set()
        """Ids that were acknowledged."""
        self.samples: set[tuple[int, int]] = set()
        """Number of the series and second of those."""
        self.refused: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._began = int(time.time()) - SAMPLES_FROM_SECONDS

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send the batch that is on its way to its end, and stop."""
        self._stopping.set()
        self._thread.join(600)
        assert not self._thread.is_alive(), "a batch is not acknowledged"

    def _run(self) -> None:
        for number in itertools.count():
            if self._stopping.wait(PAUSE_SECONDS):
                return
            if number % 2:
                second = self._began + number
                rows = [
                    {
                        "ts": second,
                        "metric": "sent_total",
                        "value": n,
                        "labels": {"sender": str(self._name), "n": str(n)},
                    }
                    for n in range(BATCH_ROWS)
                ]
                if self._send("samples", rows):
                    self.samples |= {(n, second) for n in range(BATCH_ROWS)}
            else:
                ids = [f"{self._name}-{number}-{n}" for n in range(BATCH_ROWS)]
                rows = [
                    {"portfolio": "alpha", "trade_id": id, "ts": self._began, "instrument": "A", "side": "buy",
                     "quantity": 1, "price": 1}
                    for id in ids
                ]  # fmt: skip
                if self._send("trades", rows):
                    self.trades |= set(ids)

    def _send(self, kind: str, rows: list[dict[str, object]]) -> bool:
        """Return whether the batch was acknowledged; it is sent again until it is, or refused."""
        headers = {"Authorization": f"Bearer {self._cluster.secret}", "Content-Type": "application/json"}
        if random.random() < 0.5:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        body = orjson.dumps(rows)
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(ADDRESS, self._cluster.port, timeout=60)
                connection.request("POST", f"/api/v1/ingest/{kind}", body, headers)
                answer = connection.getresponse()
                told = answer.read()
                connection.close()
                if answer.status == 200:
                    return True
                if answer.status not in (409, 500, 503):
                    self.refused.append(f"{answer.status} {told[:300]!r}")
                    return False
            time.sleep(0.1)


def kill_during_ingest(cluster: Cluster, rounds: int, seconds: float = 1.0) -> tuple[int, int, int, int]:
    """Send from several programs and kill a process each round. Return rows acknowledged, lost, doubled, not rolled up.

    Raises AssertionError when a batch was refused.
    """  # fmt: skip
    senders = [Sender(cluster, number) for number in range(PROGRAMS)]
    for each in senders:
        each.start()
    kills = itertools.cycle(
        [cluster.kill_a_worker, cluster.kill_the_collector, cluster.kill_a_worker, cluster.kill_clickhouse]
    )
    for _ in range(rounds):
        time.sleep(seconds * random.uniform(0.5, 1.5))
        next(kills)()
    time.sleep(seconds)
    for each in senders:
        each.stop()
        assert not each.refused, each.refused[0]
    cluster.wait_until_replayed(900)
    return _count(cluster, senders)


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of rows that were sent while ClickHouse was away for a while."""

    acknowledged: int
    acknowledged_away: int
    """Of them while it was."""
    lost: int
    doubled: int
    lacking: int


def away_during_ingest(cluster: Cluster, seconds: float, around_seconds: float = 3.0) -> Counted:
    """Send from several programs, ClickHouse being away for `seconds` of it; a web worker starts in its absence.

    Raises AssertionError when a batch was refused.
    """
    senders = [Sender(cluster, number) for number in range(PROGRAMS)]
    for each in senders:
        each.start()
    time.sleep(around_seconds)
    cluster.clickhouse.kill()
    before = _acknowledged(senders)
    time.sleep(seconds / 2)
    cluster.kill_a_worker()
    time.sleep(seconds / 2)
    away = _acknowledged(senders) - before
    cluster.clickhouse.start()
    time.sleep(around_seconds)
    for each in senders:
        each.stop()
        assert not each.refused, each.refused[0]
    cluster.wait_until_replayed(900)
    acknowledged, lost, doubled, lacking = _count(cluster, senders)
    return Counted(acknowledged, away, lost, doubled, lacking)


def _acknowledged(senders: list[Sender]) -> int:
    return sum(len(each.trades) + len(each.samples) for each in senders)


def _count(cluster: Cluster, senders: list[Sender]) -> tuple[int, int, int, int]:
    client = ClickHouse(cluster.clickhouse.url)
    try:
        trades = [str(id) for (id,) in client.rows("SELECT trade_id FROM trades FINAL WHERE origin = 'own'")]
        named = "series IN (SELECT series FROM series WHERE metric = 'sent_total')"
        ((samples, different),) = client.rows(f"SELECT count(), uniqExact(series, ts) FROM samples WHERE {named}")
        rolled = [
            int(client.rows(f"SELECT sum(points) FROM samples_{each} WHERE {named}")[0][0]) for each in ("1m", "1h")
        ]
    finally:
        client.close()
    sent = set().union(*(each.trades for each in senders))
    sampled = sum(len(each.samples) for each in senders)
    lost = len(sent - set(trades)) + max(sampled - int(different), 0)
    doubled = len(trades) - len(set(trades)) + int(samples) - int(different)
    return len(sent) + sampled, lost, doubled, max(abs(int(different) - each) for each in rolled)
