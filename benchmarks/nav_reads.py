"""Reading NAV for the Portfolio tab: a portfolio that reports once a second, and two hundred over thirty years."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np

from benchmarks.report import Figure, show
from core.clock import DAY_SECONDS
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.reads.portfolio import daily_navs, intraday_nav
from tests.support.many import insert_navs, many

POINTS = 10_000_000
FIRST = 1_600_000_000 // DAY_SECONDS * DAY_SECONDS
FLOW_SECONDS = 7 * DAY_SECONDS
PIXELS = 2_000
PORTFOLIOS, YEARS = 200, 30
RUNS = 15
SETTLE_SECONDS = 10
"""After the bulk load, so that its merges and write-back are not what is measured."""


def main() -> None:
    """Make the points, then time the reads."""
    with tempfile.TemporaryDirectory() as folder:
        clickhouse = ClickHouse(f"chdb://{folder}", timeout_seconds=600)
        migrate(clickhouse)
        clickhouse.command(
            f"INSERT INTO nav SELECT 'own', 'second', toDateTime({FIRST} + number), "
            f"1e6 + 1e5 * sin(number / 70000) + number % 977, if(number % {FLOW_SECONDS} = 0, 5000, 0), number "
            f"FROM numbers({POINTS})",
            settings={"max_execution_time": 600},
        )
        made = many(PORTFOLIOS, YEARS)
        insert_navs(clickhouse, made)
        time.sleep(SETTLE_SECONDS)

        def one() -> None:
            found = daily_navs(clickhouse, "own", ["second"])
            assert found.values.shape == (1, -(-POINTS // DAY_SECONDS)), found.values.shape
            assert found.flows.sum() == 5000 * -(-POINTS // FLOW_SECONDS)

        def all_of_them() -> None:
            found = daily_navs(clickhouse, "own", made.portfolios)
            assert np.array_equal(found.values, made.values) and np.array_equal(found.flows, made.flows)

        def last_day() -> None:
            end = FIRST + POINTS // DAY_SECONDS * DAY_SECONDS
            assert len(intraday_nav(clickhouse, "own", "second", end - DAY_SECONDS, end - 1, PIXELS).ts) > PIXELS * 0.9

        def whole() -> None:
            assert len(intraday_nav(clickhouse, "own", "second", FIRST, FIRST + POINTS, PIXELS).ts) > PIXELS * 0.9

        show(
            Figure("10,000,000 NAV points, one a second, by day with flows", median_ms(one), "ms", 50),
            Figure("200 portfolios × 30 years by day with flows", median_ms(all_of_them), "ms", 500),
            Figure(f"a day of NAV, one point a second, to {PIXELS} points", median_ms(last_day), "ms", 50),
            Figure(f"10,000,000 NAV points to {PIXELS} points", median_ms(whole), "ms"),
        )
        clickhouse.close()


def median_ms(work: Callable[[], None]) -> float:
    """Return the median milliseconds of the work."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    main()
