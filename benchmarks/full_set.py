"""Every kind of source at once: what watching all of them costs, the callback of each tab with all of them well and
with all unreachable, and whether sources that refuse, hang, talk nonsense, drip or hang up disturb the others or pile
up threads and sockets.

    python -m benchmarks.full_set [--seconds 600]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import psutil
import yaml
from dash.exceptions import PreventUpdate

from access.viewer import Viewer
from benchmarks.all_sources import Instances, unreachable, well
from benchmarks.quiet import OtherWork, wait_until_quiet
from benchmarks.report import Figure, show
from collectors.pipeline import percentile
from collectors.runtime.registry import build_runner
from collectors.runtime.runner import Runner
from collectors.runtime.start import start_collectors
from core import log
from core.kinds.base import OWN
from core.kinds.registry import KINDS, Watch
from core.memo import Memo
from core.model import Outcome, Status
from core.settings.model import Settings
from dashboard.tabs import TABS
from dashboard.views.refresh import Refresh
from dashboard.views.serialize import Prepared
from dashboard.views.tab import Choices, Tab
from status.instances import instances
from storage.stores import Stores, open_stores
from tests.support.application import local_operator
from tests.support.bad_servers import BEHAVIOURS, THREAD_NAME, BadServer
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ClickHouseServer

COST_SECONDS, WARM_SECONDS, SETTLE_SECONDS = 60.0, 30.0, 20.0
ANSWERS = 40
LOOKS = 31
CHANGED_MS, UNCHANGED_MS, COST_PERCENT, LATENESS_MS = 60, 3, 2, 50


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600, help="how long bad sources are watched")
    chosen = parser.parse_args()
    log.configure("CRITICAL")
    wait_until_quiet()
    other = OtherWork()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        sources = well(stack, folder / "watched")
        cost(folder / "cost", sources)
        pages(folder / "well", "all well", sources)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        bad = unreachable([stack.enter_context(BadServer(behaviour)) for behaviour in BEHAVIOURS])
        pages(folder / "bad", "all unreachable", bad)
        isolation(folder / "isolation", bad, chosen.seconds)
    show(other.figure())


def cost(folder: Path, sources: Instances) -> None:
    """Print the CPU of a process that collects from every kind, the stores being processes of their own."""
    with RedisServer(folder / "live") as live:
        clickhouse = ClickHouseServer(folder / "clickhouse")
        clickhouse.start()
        shares = {}
        for title, watched in (("without", {}), ("with", sources)):
            environment = {
                "FUNDWATCH_DATA_DIR": str(folder / title), "FUNDWATCH_REDIS_URL": live.url,
                "FUNDWATCH_CLICKHOUSE_URL": clickhouse.url, "FUNDWATCH_CLICKHOUSE_DATABASE": title,
            }  # fmt: skip
            shares[title] = _share(folder / f"{title}.yaml", watched, environment)
        clickhouse.kill()
    show(
        Figure("our own collectors, 5 s: share of a core", shares["without"] * 100, "%"),
        Figure(f"and {len(sources)} kinds of sources, 5 s: share of a core", shares["with"] * 100, "%", COST_PERCENT),
    )


def _share(config: Path, watched: Instances, environment: dict[str, str]) -> float:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(yaml.safe_dump({"watch": watched}))
    collecting = subprocess.Popen(
        [sys.executable, "-m", "collectors"],
        cwd=ROOT,
        env={**os.environ, **environment, "FUNDWATCH_CONFIG": str(config), "FUNDWATCH_LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
    )
    try:
        time.sleep(WARM_SECONDS)
        process = psutil.Process(collecting.pid)
        before = _spent(process)
        time.sleep(COST_SECONDS)
        return (_spent(process) - before) / COST_SECONDS
    finally:
        collecting.terminate()
        collecting.wait()


def _spent(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system + used.children_user + used.children_system)


def pages(folder: Path, how: str, sources: Instances) -> None:
    """Print how long the callback of each tab takes."""
    with _stores(folder, sources) as stores:
        runner = start_collectors(stores)
        time.sleep(SETTLE_SECONDS)
        stores.writer.flush()
        counted = sum(map(len, sources.values()))
        for tab in TABS:
            changed, unchanged = answers(stores, tab)
            show(
                Figure(f"{tab.id}, {counted} sources {how}: changed view, median", changed * 1e3, "ms", CHANGED_MS),
                Figure(f"{tab.id}, {counted} sources {how}: unchanged view", unchanged * 1e3, "ms", UNCHANGED_MS),
            )
        runner.stop(5)


def answers(stores: Stores, tab: Tab) -> tuple[float, float]:
    """Return the median seconds of the tab's callback, all of it drawn anew and nothing changed."""
    viewer = local_operator(stores.settings)
    changed, unchanged = [], []
    for _ in range(ANSWERS):
        memo: Memo[Prepared] = Memo()
        refresh = Refresh(stores, tab, memo)
        seconds, payload = _timed(refresh, viewer, None)
        changed.append(seconds)
        assert payload is not None
        seconds, payload = _timed(refresh, viewer, orjson.loads(orjson.dumps(payload))["version"])
        if payload is None:  # else a collector published in between
            unchanged.append(seconds)
    return statistics.median(changed), statistics.median(unchanged)


def _timed(refresh: Refresh, viewer: Viewer, seen: str | None) -> tuple[float, object | None]:
    """Return how many seconds an answer took, and its payload; None when nothing changed."""
    began = time.perf_counter()
    try:
        payload = refresh.answer(Choices(), viewer, seen, "")[0]
    except PreventUpdate:
        payload = None
    return time.perf_counter() - began, payload


def isolation(folder: Path, bad: Instances, seconds: float) -> None:
    """Print how late healthy collectors began beside bad sources, and what piled up; each second one look."""
    with _stores(folder, bad) as stores:
        runner = build_runner(stores)
        runner.start()
        time.sleep(SETTLE_SECONDS)
        watched = [each for each in instances(stores, *bad) if each.name != OWN]
        wrong = [each.collector for each in watched if each.status is not Status.DOWN]
        early, late, ends = _held(), [], time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(1)
            late += _lateness(runner)
        threads, sockets = _held()
        runner.stop(5)
    p99 = (percentile(late, 0.99) or 0.0) * 1e3
    show(
        Figure(f"healthy collectors beside {sum(map(len, bad.values()))} bad sources: lateness p99", p99, "ms",
               LATENESS_MS),
        Figure(f"threads grown in {seconds:g} s", threads - early[0], "", 0),
        Figure(f"sockets grown in {seconds:g} s", sockets - early[1], "", 5),
        Figure(f"not told down after {SETTLE_SECONDS:g} s {' '.join(wrong)}", len(wrong), "", 0),
    )  # fmt: skip


def _lateness(runner: Runner) -> list[float]:
    return [
        view.last_run.lateness_seconds
        for view in runner.views()
        if view.last_run and view.last_run.outcome is Outcome.OK and view.collector.partition(":")[0] not in KINDS
    ]


def _held() -> tuple[float, float]:
    """Return the usual number of threads, without those of the bad servers, and of sockets, with theirs."""
    looks = []
    for _ in range(LOOKS):
        threads = [each for each in threading.enumerate() if each.name != THREAD_NAME]
        looks.append((len(threads), len(psutil.Process().net_connections("all"))))
        time.sleep(0.5)
    return statistics.median(look[0] for look in looks), statistics.median(look[1] for look in looks)


@contextlib.contextmanager
def _stores(folder: Path, sources: Instances) -> Iterator[Stores]:
    watch = Watch.model_validate(sources)
    stores = open_stores(Settings(data_dir=folder, machine="host-1", load_sample=False, watch=watch))
    try:
        yield stores
    finally:
        stores.close()


if __name__ == "__main__":
    main()
