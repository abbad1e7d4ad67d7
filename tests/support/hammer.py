"""Writes batches into an embedded ClickHouse as fast as it can, printing how many rows are acknowledged.

`python -m tests.support.hammer FOLDER ROUND`, or `… FOLDER count` to print how many rows are there.
"""

from __future__ import annotations

import itertools
import sys

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from tests.support.times import MIDNIGHT

ROWS = 250


def main(folder: str, what: str) -> None:
    client = ClickHouse(f"chdb://{folder}")
    migrate(client)
    count = client.rows("SELECT count() FROM samples")[0][0]
    if what == "count":
        print(count)
        client.close()
        return
    for batch in itertools.count():
        ts = [MIDNIGHT + batch] * ROWS
        series = [int(what) * 1000 + row for row in range(ROWS)]
        client.insert(
            Facts("samples", ("series", "ts", "value"), (series, ts, [float(batch)] * ROWS), f"{what}-{batch}")
        )
        count += ROWS
        print(count, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
