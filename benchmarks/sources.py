"""Watched sources: what watching a Redis and a ClickHouse costs them and us.

python -m benchmarks.sources
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from benchmarks.report import Figure, show
from collectors.kinds.clickhouse.collector import ClickHouseCollector
from collectors.kinds.redis.collector import RedisCollector
from core import log
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.kinds.redis.source import RedisSource
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from tests.support.redis_servers import RedisServer
from tests.support.servers import ClickHouseServer

READINGS, KEYS = 200, 10_000
CLOCK_READS = 3
"""How often a reading of a ClickHouse looks at its clock."""
INTERVAL_SECONDS = 5.0


def main() -> None:
    """Print all figures."""
    log.configure("CRITICAL")
    with tempfile.TemporaryDirectory() as folder:
        cost(Path(folder) / "cost")
        cost_of_clickhouse(Path(folder))


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


if __name__ == "__main__":
    main()
