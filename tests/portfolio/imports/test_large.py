"""A file near the limits costs memory for its numbers and its text, not for half a million lists of cells."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.import_rows import NAV, Rows, insert_import
from tests.support.servers import ROOT

MOST_BYTES = 150 * 2**20
READ = """
import resource
from portfolio.imports.mapping import Mapping
from portfolio.imports.understand import understand

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

days = [f"{1990 + at // 336}-{at // 28 % 12 + 1:02}-{at % 28 + 1:02}" for at in range(10_000)]
lines = (f"{day},Portfolio number {of:02},{1e7 + of * 1e3 + at * 1.01:.9f},0.00000000\\n"
         for of in range(45) for at, day in enumerate(days))
small = b"date,portfolio,nav,flow\\n2024-01-02,A,1,0\\n2024-01-03,A,1,0\\n"
understand("small.csv", small, Mapping(), 1.8e9)
content = bytearray(b"date,portfolio,nav,flow\\n")
for line in lines:
    content += line.encode()
content = bytes(content)
before = peak()
understood = understand("big.csv", content, Mapping(), 1.8e9)
assert understood.points is not None and len(understood.points) == 450_000, understood.mistakes
print(peak() - before)
"""


def test_reading_a_file_near_the_limit_stays_within_its_memory() -> None:
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MOST_BYTES


class Counting(ClickHouse):
    """ClickHouse that counts how often it was asked for what stands."""

    asked = 0

    def records(self, *arguments: Any, **named: Any) -> NDArray[Any]:
        self.asked += 1
        return super().records(*arguments, **named)


def test_what_stands_is_looked_up_in_few_statements_however_many_times_a_file_has(clickhouse: ClickHouse) -> None:
    counting = Counting(clickhouse.url, clickhouse.database)
    count = 60_000
    times = np.arange(count, dtype=np.int64) * 60 + 1_600_000_000
    rows = Rows("own", ("A",), np.zeros(count, np.int64), times, (np.ones(count), np.zeros(count)))
    assert insert_import(counting, NAV, rows, 1, "file").added == count
    counting.asked = 0
    again = insert_import(counting, NAV, rows, 2, "file")
    assert (again.added, again.restated, counting.asked) == (0, 0, 1)
    # Few of many: those alone are read.
    few = Rows("own", ("A",), np.zeros(2, np.int64), times[[0, -1]], (np.full(2, 7.0), np.zeros(2)))
    assert insert_import(counting, NAV, few, 3, "file").restated == 2
    counting.close()
