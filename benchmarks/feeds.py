"""IQFeed and Interactive Brokers: what watching them costs them and us, and the Pipeline tab while none can be reached.

python -m benchmarks.feeds
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, show
from benchmarks.sources import _answers as answers
from benchmarks.sources import _held as held
from benchmarks.sources import _lateness as lateness
from collectors.ib import IbCollector
from collectors.iqfeed import IqfeedCollector
from collectors.market_hours import market
from collectors.pipeline import percentile
from collectors.registry import build_runner
from collectors.start import start_collectors
from core import log
from core.model import Outcome
from core.settings import Settings
from core.watch import Watch
from core.watch.ib import IbSource
from core.watch.iqfeed import IqfeedSource
from dashboard.tabs.pipeline import TAB
from storage.stores import Stores, open_stores
from tests.support.bad_servers import BEHAVIOURS, BadServer
from tests.support.ib_player import Gateway
from tests.support.iqfeed_player import IqConnect, Script

READINGS = 60
ISOLATION_SECONDS = 60.0
OFF = dict.fromkeys(("level1_port", "lookup_port", "level2_port", "derivative_port"), 0)
Instance = dict[str, Any]


def main() -> None:
    """Print all figures."""
    log.configure("CRITICAL")
    now = time.time()
    market("XNYS", now)
    with tempfile.TemporaryDirectory() as folder, IqConnect(Script(period_seconds=1.0)) as feed, Gateway() as gateway:
        cost_of_iqfeed(feed, now)
        cost_of_ib(gateway, now)
        pages(Path(folder) / "well", "feeds well", [{**feed.settings}], [{"port": gateway.port}])
        with contextlib.ExitStack() as stack:
            bad = [stack.enter_context(BadServer(behaviour)) for behaviour in BEHAVIOURS]
            feeds = [{"admin_port": each.port, **OFF} for each in bad]
            gateways = [{"port": each.port} for each in bad]
            pages(Path(folder) / "bad", "feeds unreachable", feeds, gateways)
            isolation(Path(folder) / "beside", [*feeds, feed.settings], [*gateways, {"port": gateway.port}])


def cost_of_iqfeed(feed: IqConnect, now: float) -> None:
    """Print our CPU for a reading of five seconds of lines."""
    collector = IqfeedCollector(IqfeedSource.model_validate({"name": "main", **feed.settings}))
    collector.collect(now)
    spent, count = 0.0, 4
    for _ in range(count):
        time.sleep(collector.interval_seconds)
        began = time.thread_time()
        collector.collect(now)
        spent += time.thread_time() - began
    ours = spent / count
    show(
        Figure("iqfeed: connections a minute to IQConnect beside the kept one", len(feed.settings) - 2, ""),
        Figure("iqfeed: our CPU a reading", ours * 1e3, "ms", 10),
        Figure("iqfeed: our CPU at 5 s, share of a core", ours / collector.interval_seconds * 100, "%", 2),
    )


def cost_of_ib(gateway: Gateway, now: float) -> None:
    """Print requests a minute and our CPU a reading."""
    collector = IbCollector(IbSource(name="main", port=gateway.port))
    collector.collect(now)
    asked, began = len(gateway.script.asked), time.thread_time()
    for _ in range(READINGS):
        collector.collect(now)
    ours = (time.thread_time() - began) / READINGS
    minute = 60 / collector.interval_seconds
    requests = (len(gateway.script.asked) - asked) / READINGS * minute + 1
    show(
        Figure("ib: requests a minute to the gateway, at 10 s", requests, ""),
        Figure("ib: our CPU a reading", ours * 1e3, "ms", 10),
        Figure("ib: our CPU at 10 s, share of a core", ours / collector.interval_seconds * 100, "%", 2),
    )


def pages(folder: Path, how: str, feeds: Sequence[Instance], gateways: Sequence[Instance]) -> None:
    """Print how long the callback of the Pipeline tab takes."""
    with _stores(folder, feeds, gateways) as stores:
        runner = start_collectors(stores)
        time.sleep(12)
        stores.writer.flush()
        changed, unchanged = answers(stores, TAB)
        runner.stop(2)
    show(
        Figure(f"pipeline, {how}: changed view, median", changed * 1e3, "ms", 60),
        Figure(f"pipeline, {how}: unchanged view, median", unchanged * 1e3, "ms", 3),
    )


def isolation(folder: Path, feeds: Sequence[Instance], gateways: Sequence[Instance]) -> None:
    """Print how late collectors begin beside feeds that behave badly, and what piles up; the last of each is well."""
    with _stores(folder, feeds, gateways) as stores:
        runner = build_runner(stores)
        runner.start()
        time.sleep(10)
        early, late, ends = held(), [], time.monotonic() + ISOLATION_SECONDS
        while time.monotonic() < ends:
            time.sleep(1)
            late += lateness(runner)
        threads, sockets = held()
        views = {view.collector: view.last_run for view in runner.views() if ":n" in view.collector}
        runner.stop(5)
    well = {f"iqfeed:n{len(feeds) - 1}", f"ib:n{len(gateways) - 1}"}
    wrong = [name for name, run in views.items() if run and (run.outcome is Outcome.OK) != (name in well)]
    show(
        Figure("collectors beside ten bad feeds: lateness p99", (percentile(late, 0.99) or 0.0) * 1e3, "ms", 50),
        Figure(f"threads grown in {ISOLATION_SECONDS:g} s", threads - early[0], "", 0),
        Figure(f"sockets grown in {ISOLATION_SECONDS:g} s", sockets - early[1], "", 5),
        Figure("feeds with the wrong state", len(wrong), "", 0),
    )


@contextlib.contextmanager
def _stores(folder: Path, feeds: Sequence[Instance], gateways: Sequence[Instance]) -> Iterator[Stores]:
    lists = {"iqfeed": _named(feeds), "ib": _named(gateways)}
    settings = Settings(data_dir=folder, machine="host-1", load_sample=False, watch=Watch.model_validate(lists))
    stores = open_stores(settings)
    try:
        yield stores
    finally:
        stores.close()


def _named(instances: Sequence[Instance]) -> list[Instance]:
    return [{"name": f"n{number}", "interval_seconds": 1, **each} for number, each in enumerate(instances)]


if __name__ == "__main__":
    main()
