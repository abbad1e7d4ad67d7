"""Reading a series of ten million samples for a chart 2,000 points wide: raw, and where a rollup serves."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

from benchmarks.report import Figure, show
from core.model import Facts
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import apply_retention, migrate
from storage.clickhouse.reads.series import MINUTE, RAW, Source, read_reduced
from storage.clickhouse.series import series_id

SAMPLES = 10_000_000
POINTS = 2_000
RUNS = 15
SETTLE_SECONDS = 20
"""After the bulk load, so that its merges and write-back are not what is measured."""
HOST, METRIC = "host-1", "load"


def main() -> None:
    """Make the series, one sample a second, then time both reads."""
    with tempfile.TemporaryDirectory() as folder:
        clickhouse = ClickHouse(f"chdb://{folder}", timeout_seconds=600)
        migrate(clickhouse)
        apply_retention(clickhouse, Retention(raw_days=3650, minute_days=3650, hour_days=3650))
        end = int(time.time()) // 86400 * 86400
        start = end - SAMPLES
        series = series_id(HOST, METRIC, ())
        names = ("series", "host", "metric", "labels", "seen")
        clickhouse.insert(Facts("series", names, ([series], [HOST], [METRIC], [{}], [start])))
        clickhouse.command(
            f"INSERT INTO samples SELECT {series}, toDateTime({start} + number), "
            f"50 + 40 * sin(number / 7000) + rand() % 1000 / 100 FROM numbers({SAMPLES})",
            settings={"max_partitions_per_insert_block": 1000, "max_execution_time": 600},
        )
        for table in ("samples", "samples_1m"):
            clickhouse.command(f"OPTIMIZE TABLE {table} FINAL", settings={"max_execution_time": 600})
        time.sleep(SETTLE_SECONDS)

        def read(source: Source) -> Callable[[], int]:
            return lambda: len(
                read_reduced(clickhouse, source, {series: (METRIC, ())}, start, end, -(-SAMPLES // POINTS))[0].ts
            )

        show(
            Figure(f"10,000,000 samples to {POINTS} points, raw", median_ms(read(RAW)), "ms", 150),
            Figure(f"10,000,000 samples to {POINTS} points, from a rollup", median_ms(read(MINUTE)), "ms", 20),
        )
        clickhouse.close()


def median_ms(work: Callable[[], int]) -> float:
    """Return the median milliseconds of the work, which must fill the chart and not overfill it."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        points = work()
        taken.append(time.perf_counter() - began)
        assert POINTS * 0.9 <= points <= POINTS + 1, points
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    main()
