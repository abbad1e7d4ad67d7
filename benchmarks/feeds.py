"""IQFeed and Interactive Brokers: what watching them costs them and us.

python -m benchmarks.feeds
"""

from __future__ import annotations

import time

from benchmarks.report import Figure, show
from collectors.judging.market_hours import market
from collectors.kinds.ib.collector import IbCollector
from collectors.kinds.iqfeed.collector import IqfeedCollector
from core import log
from core.kinds.ib.source import IbSource
from core.kinds.iqfeed.source import IqfeedSource
from tests.support.ib_player import Gateway
from tests.support.iqfeed_player import IqConnect, Script

READINGS = 60


def main() -> None:
    """Print all figures."""
    log.configure("CRITICAL")
    now = time.time()
    market("XNYS", now)
    with IqConnect(Script(period_seconds=1.0)) as feed, Gateway() as gateway:
        cost_of_iqfeed(feed, now)
        cost_of_ib(gateway, now)


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


if __name__ == "__main__":
    main()
