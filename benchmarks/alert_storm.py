"""10,000 alerts in 10 s, as a Prometheus sends them, to the whole product: what is recorded, told, held, and answered.

All the while the question whether trading may go on is asked twenty times a second, as before the storm.
"""

from __future__ import annotations

import http.client
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import psutil

from access.tokens import make_token
from access.viewer import Viewer
from benchmarks.alert_engine import state_of
from benchmarks.hook import Hook
from benchmarks.report import Figure, show
from core.alerts.sent import RULE
from core.roles import Role
from tests.support.product import Product

ALERTS, BATCH, STORM_SECONDS = 10_000, 100, 10.0
SETTLE_SECONDS, CALM_SECONDS, AFTER_SECONDS, MOST_SECONDS = 20.0, 10.0, 10.0, 300.0
ASK_SECONDS = 0.05
MOST_MESSAGES, READINESS_MS, MOST_GROWN_MIB = 50, 5.0, 150.0


class Asking:
    """Asks again and again whether trading may go on, by one connection; what each answer took, in seconds."""

    def __init__(self, product: Product, secret: str) -> None:
        self.taken: list[float] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def since(self, began: int) -> list[Figure]:
        """Return the figures of the answers from that one on."""
        taken = self.taken[began:]
        return [
            Figure(f"… readiness, p50 of {len(taken)} answers", statistics.median(taken) * 1e3, "ms"),
            Figure("… readiness, p99", statistics.quantiles(taken, n=100)[98] * 1e3, "ms", READINESS_MS),
        ]

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(ASK_SECONDS):
            began = time.perf_counter()
            self._connection.request("GET", "/api/v1/trading-readiness", headers=self._headers)
            answer = self._connection.getresponse()
            assert answer.status in (200, 503), answer.status
            answer.read()
            self.taken.append(time.perf_counter() - began)


class Held:
    """The most resident memory of the product's processes together, and their processor time, seen each half second."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.before = self.most = self._mib()
        self._worked = self._seconds()

    def look(self) -> None:
        self.most = max(self.most, self._mib())

    def figures(self) -> list[Figure]:
        """Return what was held, and worked since the beginning."""
        return [
            Figure("… resident memory of all processes: before", self.before, "MiB"),
            Figure("… grown at most by", self.most - self.before, "MiB", MOST_GROWN_MIB),
            Figure("… processor time of all processes until all was recorded", self._seconds() - self._worked, "s"),
        ]

    def _mib(self) -> float:
        return float(sum(each.memory_info().rss for each in self._product.family())) / 2**20

    def _seconds(self) -> float:
        times = [each.cpu_times() for each in self._product.family()]
        return float(sum(each.user + each.system for each in times))


def send(product: Product, secret: str, held: Held) -> float:
    """Send all within ten seconds, if the product takes them as fast; return how long it took."""
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    began = time.monotonic()
    for first in range(0, ALERTS, BATCH):
        time.sleep(max(0.0, began + STORM_SECONDS * first / ALERTS - time.monotonic()))
        connection.request("POST", "/api/v2/alerts", orjson.dumps([alert(first + n) for n in range(BATCH)]), headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        if first % 500 == 0:
            held.look()
    return time.monotonic() - began


def alert(number: int) -> dict[str, object]:
    """Return an alert as Prometheus writes it."""
    labels = {"alertname": f"Down{number % 40}", "instance": f"host-{number}", "severity": "critical"}
    return {"labels": labels, "annotations": {"summary": f"host {number} does not answer"}}


def recorded(folder: Path) -> int:
    """Return how many of them the history has."""
    with closing(sqlite3.connect(f"file:{folder / 'state.sqlite'}?mode=ro", uri=True, timeout=30)) as connection:
        asked = "SELECT count(DISTINCT labels) FROM alert_history WHERE rule = ? AND what = 'fires'"
        return int(connection.execute(asked, [RULE]).fetchone()[0])


def _until(is_so: Callable[[], bool], look: Callable[[], None]) -> float:
    began = time.monotonic()
    while not is_so() and time.monotonic() - began < MOST_SECONDS:
        look()
        time.sleep(0.5)
    return time.monotonic() - began


def token(folder: Path) -> str:
    """Return the secret of a new token, made beside the running product."""
    with closing(state_of(folder)) as state:
        by = Viewer("benchmark", Role.ADMIN)
        scopes = ["read", "alerts", "readiness"]
        return make_token(state, name="benchmark", account="", scopes=scopes, by=by, now=time.time())[1]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, Hook() as hook:
        folder = Path(name) / "data"
        channels = orjson.dumps([{"name": "desk", "url": f"{hook.url}/desk"}]).decode()
        free = {"rate_limits__api_per_minute": "100000000", "channels__webhook": channels}
        with Product(folder, **free) as product:
            product.start(300)
            secret = token(folder)
            time.sleep(SETTLE_SECONDS)
            asking, held, calm_messages = Asking(product, secret), Held(product), len(hook.arrivals)
            time.sleep(CALM_SECONDS)
            calm = asking.since(0)
            began = len(asking.taken)
            took = send(product, secret, held)
            after = _until(lambda: recorded(folder) >= ALERTS, held.look)
            figures = held.figures()
            time.sleep(AFTER_SECONDS)
            held.look()
            asking.stop()
            show(
                Figure(f"{ALERTS:,} alerts sent in", took, "s"),
                Figure("… of them not recorded", ALERTS - recorded(folder), "", 0),
                Figure("… the last recorded after the storm by", after, "s"),
                Figure("… messages", len(hook.arrivals) - calm_messages, "", MOST_MESSAGES),
                *figures,
                *asking.since(began),
                Figure("before it, the same asked:", 0, ""),
                *calm,
                Figure("load of the machine, five minutes", psutil.getloadavg()[1], ""),
            )


if __name__ == "__main__":
    main()
