"""Watched sources: what watching a Redis and a ClickHouse costs them and us, a tab's callback with every source
unreachable, and whether sources that refuse, hang, talk nonsense or drip disturb the others or pile up threads and
sockets.

    python -m benchmarks.sources [--seconds 60]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from benchmarks.report import Figure, show
from collectors.clickhouse import ClickHouseCollector
from collectors.pipeline import percentile
from collectors.redis import RedisCollector
from collectors.registry import build_runner
from collectors.runner import Runner
from collectors.start import start_collectors
from core import log
from core.model import Outcome
from core.settings import Settings
from core.watch import Watch
from core.watch.clickhouse import ClickHouseSource, OwnEngine
from core.watch.redis import RedisSource
from dashboard.memo import Memo
from dashboard.refresh import Refresh
from dashboard.tab import Choices, Tab
from dashboard.tabs.cache import TAB as CACHE
from dashboard.tabs.database import TAB as DATABASE
from dashboard.wire import Prepared
from storage.clickhouse import ClickHouse
from storage.migrate import migrate
from storage.stores import Stores, open_stores
from tests.support.bad_servers import BEHAVIOURS, THREAD_NAME, BadServer
from tests.support.redis_servers import RedisServer
from tests.support.servers import ClickHouseServer

READINGS, KEYS, ANSWERS = 200, 10_000, 40
CLOCK_READS = 3
"""How often a reading of a ClickHouse looks at its clock."""
INTERVAL_SECONDS = 5.0
TABS: tuple[Tab, ...] = (CACHE, DATABASE)
URLS = {"redis": "redis://{}", "clickhouse": "http://{}", "postgresql": "postgresql://monitor@{}/postgres"}
"""How an instance of each kind is named at an address."""


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    log.configure("CRITICAL")
    with tempfile.TemporaryDirectory() as folder:
        cost(Path(folder) / "cost")
        cost_of_clickhouse(Path(folder))
        pages(Path(folder) / "pages")
        isolation(Path(folder) / "control", chosen.seconds / 2, ())
        isolation(Path(folder) / "isolation", chosen.seconds, BEHAVIOURS)


def cost(folder: Path) -> None:
    """Print what a reading of a Redis of 10,000 keys costs it and us."""
    with RedisServer(folder) as server, server.client() as client:
        client.mset({f"quote:{number}": "x" * 100 for number in range(KEYS)})
        client.xadd("orders", {"n": 1})
        client.xgroup_create("orders", "risk", 0)
        collector = RedisCollector(RedisSource(name="main", url=SecretStr(server.url)))
        collector.collect(0.0)
        before = _spent(client)
        ours = time.process_time()
        for number in range(READINGS):
            collector.collect(float(number))
        ours = (time.process_time() - ours) / READINGS
        seconds, commands = (late - early for late, early in zip(_spent(client), before, strict=True))
    minute = 60 / INTERVAL_SECONDS
    show(
        Figure("redis: commands a minute on the watched server, at 5 s", commands / READINGS * minute, ""),
        Figure("redis: CPU a minute on the watched server, at 5 s", seconds / READINGS * minute * 1e3, "ms"),
        Figure("redis: our CPU a reading", ours * 1e3, "ms"),
        Figure("redis: our CPU at 5 s, share of a core", ours / INTERVAL_SECONDS * 100, "%", 2),
    )


def cost_of_clickhouse(folder: Path) -> None:
    """Print what a reading of a server costs it and us, and what one of our own engine costs."""
    server = ClickHouseServer(folder / "server")
    server.start()
    source = ClickHouseSource(name="main", url=SecretStr(server.url), timeout_seconds=10)
    ours, theirs = _readings(ClickHouseCollector(source, monotonic=_paced()), psutil.Process(server.pid))
    server.kill()
    engine = ClickHouse(f"chdb://{folder / 'engine'}", "fundwatch")
    migrate(engine)
    own = OwnEngine(name="own", url=engine.url, database=engine.database, timeout_seconds=10)
    inside, _ = _readings(ClickHouseCollector(own, monotonic=_paced()), psutil.Process())
    engine.close()
    show(
        Figure(
            "clickhouse: CPU a minute on the server, the test's HTTP layer included, at 5 s",
            theirs * 60 / INTERVAL_SECONDS * 1e3,
            "ms",
        ),
        Figure("clickhouse: our CPU a reading of a server", ours * 1e3, "ms"),
        Figure("clickhouse: CPU a reading of our own engine, its own included", inside * 1e3, "ms"),
        Figure("clickhouse: our own engine at 5 s, share of a core", inside / INTERVAL_SECONDS * 100, "%", 2),
    )


def _readings(collector: ClickHouseCollector, watched: psutil.Process) -> tuple[float, float]:
    """Return CPU seconds a reading: of this process, and of the watched one."""
    collector.collect(0.0)
    ours, theirs = time.process_time(), sum(watched.cpu_times()[:2])
    for number in range(READINGS):
        collector.collect(float(number))
    return (time.process_time() - ours) / READINGS, (sum(watched.cpu_times()[:2]) - theirs) / READINGS


def _paced() -> Callable[[], float]:
    """Return a clock by which each reading comes 5 s after the one before, so that each question is asked as often."""
    clock = itertools.count(0.0, INTERVAL_SECONDS / CLOCK_READS)
    return lambda: next(clock)


def _spent(client: Any) -> tuple[float, float]:
    info = client.info("all")
    return info["used_cpu_sys"] + info["used_cpu_user"], info["total_commands_processed"]


def pages(folder: Path) -> None:
    """Print how long the callback of each tab takes, sources well and every one unreachable."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RedisServer(folder / "server"))
        with server.client() as client:
            client.mset({f"quote:{number}": "x" for number in range(KEYS)})
        _pages_of(folder / "well", "well", {"redis": [("main", server.url)]})
        bad = [stack.enter_context(BadServer(behaviour)) for behaviour in BEHAVIOURS]
        _pages_of(folder / "bad", "all unreachable", _urls(bad))


def _urls(bad: Sequence[BadServer]) -> dict[str, list[tuple[str, str]]]:
    """Return (name, URL) of an instance of every kind at each bad server."""
    return {
        kind: [(each.behaviour.replace("_", "-"), url.format(f"{each.host}:{each.port}")) for each in bad]
        for kind, url in URLS.items()
    }


def _pages_of(folder: Path, how: str, watched: dict[str, list[tuple[str, str]]]) -> None:
    with _stores(folder, watched, interval_seconds=1) as stores:
        runner = start_collectors(stores)
        time.sleep(8)
        stores.writer.flush()
        for tab in TABS:
            changed, unchanged = _answers(stores, tab)
            show(
                Figure(f"{tab.id}, {how}: changed view, median", changed * 1e3, "ms", 60),
                Figure(f"{tab.id}, {how}: unchanged view, median", unchanged * 1e3, "ms", 3),
            )
        runner.stop(2)


def _answers(stores: Stores, tab: Tab) -> tuple[float, float]:
    changed, unchanged = [], []
    for _ in range(ANSWERS):
        memo: Memo[Prepared] = Memo()
        refresh = Refresh(stores, tab, memo)
        changed.append(_timed(lambda refresh=refresh: refresh.answer(Choices(), None, "")))  # type: ignore[misc]
        seen = f"{stores.live.version(*tab.datasets)}?"
        unchanged.append(_timed(lambda refresh=refresh, seen=seen: refresh.answer(Choices(), seen, "")))  # type: ignore[misc]
    return statistics.median(changed), statistics.median(unchanged)


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    with contextlib.suppress(Exception):  # "nothing changed" is told by an exception
        do()
    return time.perf_counter() - began


def isolation(folder: Path, seconds: float, behaviours: Sequence[str]) -> None:
    """Print how late healthy collectors began beside bad sources, and what piled up."""
    with contextlib.ExitStack() as stack:
        bad = [stack.enter_context(BadServer(behaviour)) for behaviour in behaviours]
        urls = _urls(bad)
        server = stack.enter_context(RedisServer(folder / "server"))
        stores = stack.enter_context(
            _stores(folder / "data", urls | {"redis": [*urls["redis"], ("main", server.url)]}, 1)
        )
        runner = build_runner(stores)
        runner.start()
        time.sleep(10)
        early = _held()
        late: list[float] = []
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(1)
            late += _lateness(runner)
        held = _held()
        wrong = [view.collector for view in runner.views() if _is_wrong(view)]
        runner.stop(5)
    p99 = (percentile(late, 0.99) or 0.0) * 1e3
    show(
        Figure(f"healthy collectors beside {sum(map(len, urls.values()))} bad sources: lateness p99", p99, "ms", 50),
        Figure(f"threads grown in {seconds:g} s", held[0] - early[0], "", 0),
        Figure(f"sockets grown in {seconds:g} s", held[1] - early[1], "", 5),
        Figure("sources with the wrong state", len(wrong), "", 0),
    )  # fmt: skip


def _lateness(runner: Runner) -> list[float]:
    return [
        view.last_run.lateness_seconds
        for view in runner.views()
        if view.last_run and view.last_run.outcome is Outcome.OK
    ]


def _is_wrong(view: Any) -> bool:
    is_bad = view.collector.partition(":")[2].replace("-", "_") in BEHAVIOURS
    return view.last_run is not None and (view.last_run.outcome is Outcome.OK) == is_bad


def _held() -> tuple[int, int]:
    """Return threads, without those of the bad servers, and sockets, with theirs (one a connection)."""
    threads = [each for each in threading.enumerate() if each.name != THREAD_NAME]
    return len(threads), len(psutil.Process().net_connections("all"))


@contextlib.contextmanager
def _stores(folder: Path, watched: dict[str, Sequence[tuple[str, str]]], interval_seconds: float) -> Any:
    lists = {
        kind: [{"name": name, "url": url, "interval_seconds": interval_seconds} for name, url in instances]
        for kind, instances in watched.items()
    }
    settings = Settings(data_dir=folder, machine="host-1", load_sample=False, watch=Watch.model_validate(lists))
    stores = open_stores(settings)
    try:
        yield stores
    finally:
        stores.close()


if __name__ == "__main__":
    main()
