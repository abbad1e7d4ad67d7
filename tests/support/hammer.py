"""Writes batches into an embedded ClickHouse as fast as it can, printing how many rows are acknowledged.

`python -m tests.support.hammer FOLDER ROUND`, or `… FOLDER count` to print what is there after a start, as JSON.
"""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import asdict, dataclass

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.reconcile import reconcile
from storage.clickhouse.settle import ROLLUPS
from tests.support.times import MIDNIGHT

ROWS = 250


@dataclass(frozen=True, slots=True)
class There:
    """What is stored: rows, different pairs of series and second, and rows that each rollup stands for."""

    rows: int
    different: int
    rolled: dict[str, int]
    mended: bool
    """Whether the start had to complete a rollup."""


def main(folder: str, what: str) -> None:
    client = ClickHouse(f"chdb://{folder}")
    migrate(client)
    mended = bool(reconcile(client, 7))
    if what == "count":
        print(json.dumps(asdict(there(client, mended))))
        client.close()
        return
    count = client.rows("SELECT count() FROM samples")[0][0]
    for batch in itertools.count():
        ts = [MIDNIGHT + batch] * ROWS
        series = [int(what) * 1000 + row for row in range(ROWS)]
        client.insert(
            Facts("samples", ("series", "ts", "value"), (series, ts, [float(batch)] * ROWS), f"{what}-{batch}")
        )
        count += ROWS
        print(count, flush=True)


def there(client: ClickHouse, mended: bool) -> There:
    """Return what is stored."""
    ((rows, different),) = client.rows("SELECT count(), uniqExact(series, ts) FROM samples")
    rolled = {name: int(client.rows(f"SELECT sum(points) FROM {name}")[0][0]) for name in ROLLUPS}
    return There(int(rows), int(different), rolled, mended)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
