"""Rows a second through HTTP in batches of 10,000, JSON and Arrow, against the same rows straight into ClickHouse.

The product runs as `make run` starts it, four programs send to it at once. Beside it a process of its own inserts the
same batches with clickhouse-connect, lists by column as its documentation has it, into the same tables of the same kind
of ClickHouse, the engine inside the process; both in turns, in one run. Processor time is that of the whole product,
what it collects meanwhile included, and of the process that inserts straight.

    python -m benchmarks.ingest [trades|samples]
"""

from __future__ import annotations

import gzip
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product as product_of
from pathlib import Path

import orjson
import pyarrow as pa

from access.tokens import make_token
from access.viewer import Viewer
from benchmarks.report import Figure, show
from core.roles import Role
from storage.state.database import State
from storage.state.portfolios import Portfolio, put_portfolios
from tests.support.product import Product

BATCH_ROWS, BATCHES, PROGRAMS, ROUNDS, SETTLE_SECONDS = 10_000, 8, 4, 9, 5
SERIES = 500
TARGETS = {"trades": 50_000.0, "samples": 200_000.0}
MOST_RATIO = 1.5
STRAIGHT = """
import sys, time, uuid
from pathlib import Path
from benchmarks.ingest import BATCHES, columns_of
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from core.model import Facts
client = ClickHouse("chdb://" + sys.argv[1])
migrate(client)
for line in sys.stdin:
    kind, number = line.split()
    batches = [columns_of(kind, int(number) * BATCHES + each) for each in range(BATCHES)]
    began, spent = time.perf_counter(), time.process_time()
    for table, columns, data in batches:
        client.insert(Facts(table, columns, data, uuid.uuid4().hex))
    print(time.perf_counter() - began, time.process_time() - spent, flush=True)
"""


def rows_of(kind: str, number: int, now: int) -> list[dict[str, object]]:
    """Return a batch as it is sent."""
    if kind == "samples":
        start = now - 80_000 + number * (BATCH_ROWS // SERIES)
        return [
            {"ts": start + n // SERIES, "metric": "sent_value", "value": n * 0.5, "labels": {"n": str(n % SERIES)}}
            for n in range(BATCH_ROWS)
        ]
    return [
        {"portfolio": "alpha", "trade_id": f"{number:04}-{n:05}", "order_id": f"o{n}", "ts": now - 80_000 + n / 1_000,
         "instrument": f"I{n % 50}", "side": "buy", "quantity": 1.5 + n, "price": 10.25, "commission": 0.5}
        for n in range(BATCH_ROWS)
    ]  # fmt: skip


def columns_of(kind: str, number: int) -> tuple[str, tuple[str, ...], tuple[list[object], ...]]:
    """Return the same batch as columns for clickhouse-connect: table, names, values."""
    rows = rows_of(kind, number, int(time.time()))
    if kind == "samples":
        data = (
            [hash(str(row["labels"])) % 2**63 for row in rows],
            [row["ts"] for row in rows],
            [row["value"] for row in rows],
        )
        return "samples", ("series", "ts", "value"), data  # type: ignore[return-value]
    names = ("portfolio", "trade_id", "order_id", "instrument", "side", "quantity", "price", "commission")
    ticks: list[object] = [int(float(str(row["ts"])) * 1_000_000) for row in rows]
    own: list[object] = ["own"] * len(rows)
    versions: list[object] = [1] * len(rows)
    return (
        "trades",
        ("origin", "ts", "version", *names),
        (own, ticks, versions, *([row[n] for row in rows] for n in names)),
    )


def main() -> None:
    """Measure trades and samples."""
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder) / "data", load_sample="false") as product:
        product.start()
        secret = _prepared(Path(folder) / "data")
        time.sleep(SETTLE_SECONDS)
        command = [sys.executable, "-c", STRAIGHT, str(Path(folder) / "straight")]
        straight = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            kinds = [(kind, target) for kind, target in TARGETS.items() if kind in (sys.argv[1:] or TARGETS)]
            for begin, (form, (kind, target)) in enumerate(product_of(BODIES, kinds)):
                bodies = Bodies(kind, form, begin * (ROUNDS + 1), int(time.time()))
                _measure(bodies, target, product, secret, lambda n, kind=kind: _straight(straight, kind, n))  # type: ignore[misc]
        finally:
            straight.kill()
            straight.wait()


def _prepared(folder: Path) -> str:
    """Return the secret of a new token, made beside the running product, and make a portfolio."""
    state = State(f"sqlite:///{folder / 'state.sqlite'}")
    try:
        put_portfolios(state, [Portfolio("own", "alpha", "alpha")])
        by, scopes = Viewer("benchmark", Role.ADMIN), ["ingest:trades", "ingest:samples"]
        return make_token(state, name="benchmark", account="", scopes=scopes, by=by, now=time.time())[1]
    finally:
        state.close()


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of processor."""

    clock: float
    processor: float


def _straight(process: subprocess.Popen[str], kind: str, number: int) -> Took:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{kind} {number}\n")
    process.stdin.flush()
    return Took(*map(float, process.stdout.readline().split()))


@dataclass(frozen=True)
class Bodies:
    """Batches of a kind in a form; `begin`: the number of the first, so that no row is sent twice."""

    kind: str
    form: str
    begin: int
    now: int

    def of(self, number: int) -> list[bytes]:
        """Return the bodies of a round, packed."""
        batches = [(self.begin + number) * BATCHES + each for each in range(BATCHES)]
        return [gzip.compress(BODIES[self.form][1](rows_of(self.kind, each, self.now)), 1) for each in batches]


def arrow_of(rows: list[dict[str, object]]) -> bytes:
    """Return rows as an Arrow stream: times as such, labels as a dictionary of their texts."""
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0] if name not in ("ts", "labels")}
    ticks = [int(float(str(row["ts"])) * 1_000_000) for row in rows]
    columns["ts"] = pa.array(ticks, pa.timestamp("us", "UTC"))
    if "labels" in rows[0]:
        columns["labels"] = pa.array([orjson.dumps(row["labels"]).decode() for row in rows]).dictionary_encode()
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


BODIES: dict[str, tuple[str, Callable[[list[dict[str, object]]], bytes]]] = {
    "JSON": ("application/json", orjson.dumps),
    "Arrow": ("application/vnd.apache.arrow.stream", arrow_of),
}


def _measure(bodies: Bodies, target: float, product: Product, secret: str, straight: Callable[[int], Took]) -> None:
    straight(bodies.begin)  # both are warm
    _sent(bodies, product, secret, 0)
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        theirs.append(straight(bodies.begin + number))
        ours.append(_sent(bodies, product, secret, number))
    rows = BATCHES * BATCH_ROWS
    pairs = list(zip(ours, theirs, strict=True))
    name = f"ingest of {bodies.kind} as {bodies.form}"
    show(
        Figure(f"{name} through HTTP: rows a second", rows / _median(ours), "/s", target, at_most=False),
        Figure(f"{name}: straight with clickhouse-connect", rows / _median(theirs), "/s"),
        Figure(f"{name}: time, as a share of straight", _share(pairs, "clock"), "", MOST_RATIO),
        Figure(f"{name}: processor, as a share of straight", _share(pairs, "processor"), ""),
        Figure(f"{name}: processor of a batch", 1_000 / BATCHES * _median(ours, "processor"), "ms"),
        Figure(f"{name}: load of the machine", os.getloadavg()[0], ""),
    )


def _median(took: Sequence[Took], of: str = "clock") -> float:
    return float(statistics.median(getattr(each, of) for each in took))


def _share(pairs: Sequence[tuple[Took, Took]], of: str) -> float:
    return float(statistics.median(getattr(mine, of) / getattr(other, of) for mine, other in pairs))


def _spent(product: Product) -> float:
    """Return the processor seconds of all processes of the product until now."""
    return sum(sum(each.cpu_times()[:2]) for each in product.family())


def _sent(batches: Bodies, product: Product, secret: str, number: int) -> Took:
    """Return what it takes until every batch is acknowledged, sent by several programs at once."""
    bodies = batches.of(number)
    failed: list[str] = []
    lock = threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
        while True:
            with lock:
                if not bodies:
                    return
                body = bodies.pop()
            headers = {
                "Authorization": f"Bearer {secret}",
                "Content-Type": BODIES[batches.form][0],
                "Content-Encoding": "gzip",
            }
            connection.request("POST", f"/api/v1/ingest/{batches.kind}", body, headers)
            answer = connection.getresponse()
            told = orjson.loads(answer.read())
            if answer.status != 200 or told["added"] != BATCH_ROWS:
                failed.append(f"{answer.status}: {told}")

    threads = [threading.Thread(target=send) for _ in range(PROGRAMS)]
    spent, began = _spent(product), time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took = time.perf_counter() - began
    assert not failed, failed[0][:500]
    return Took(took, _spent(product) - spent)


if __name__ == "__main__":
    main()
