"""Bytes a sample takes on disk: 607,200 real samples in the batches that the writer makes."""

from __future__ import annotations

import csv
import gzip
import re
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from benchmarks.report import Figure, show
from core.model import Labels, Sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer

DATA = Path(__file__).parent / "data" / "samples.csv.gz"
BATCH_SECONDS = 10


def rows() -> Iterator[tuple[float, str, Labels, float]]:
    """Yield the recorded samples as (epoch seconds, metric, labels, value)."""
    with gzip.open(DATA, "rt") as file:
        for ts, name, value in list(csv.reader(file))[1:]:
            metric, _, rest = name.partition("{")
            labels = tuple(sorted(re.findall(r"(\w+)=([^,}]*)", rest)))
            yield float(ts), metric, labels, float(value)


def main() -> None:
    """Write the recording, then ask ClickHouse what it takes: as it lies after writing, and merged."""
    with tempfile.TemporaryDirectory() as folder:
        clickhouse = ClickHouse(f"chdb://{folder}/clickhouse")
        migrate(clickhouse)
        spool = Spool(Path(folder) / "spool.sqlite", 2**20)
        writer = Writer(clickhouse.insert, spool)
        seconds: list[float] = []
        for batch, members in groupby(rows(), key=lambda row: int(row[0]) // BATCH_SECONDS):
            for ts, at_once in groupby(members, key=lambda row: row[0]):
                writer.put("host-1", ts, [Sample(metric, value, labels) for _, metric, labels, value in at_once])
            began = time.perf_counter()
            writer.flush()
            seconds.append(time.perf_counter() - began)
            assert batch
        live = bytes_per_sample(clickhouse)
        clickhouse.command("OPTIMIZE TABLE samples FINAL", settings={"max_execution_time": 300})
        merged = bytes_per_sample(clickhouse)
        kept, lossless = clickhouse.rows("SELECT count(), sum(value) FROM samples")[0]
        expected = [value for *_, value in rows()]
        assert kept == len(expected) == 607_200
        assert abs(lossless - sum(expected)) <= 1e-9 * abs(sum(expected))
        seconds.sort()
        show(
            Figure("bytes per sample on disk, live", live, "B", 0.60),
            Figure("bytes per sample on disk, merged", merged, "B", 0.50),
            Figure("insert of a batch of 2,530 samples, median", seconds[len(seconds) // 2] * 1000, "ms"),
        )
        clickhouse.close()


def bytes_per_sample(clickhouse: ClickHouse) -> float:
    """Return bytes on disk, marks and index included, over rows."""
    sql = "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'samples'"
    return float(clickhouse.rows(sql + " AND database = currentDatabase()")[0][0])


if __name__ == "__main__":
    main()
