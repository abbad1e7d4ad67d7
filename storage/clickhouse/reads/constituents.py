"""What benchmarks are made of, as it was told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.clickhouse.client import ClickHouse


def weights_told(
    clickhouse: ClickHouse, origin: str, names: Sequence[str], first: int, last: int
) -> tuple[NDArray[np.int64], list[str], NDArray[np.float64]]:
    """Return the weights of a benchmark, known by any of `names`, that were in force between two moments.

    Times (reports,) in epoch seconds, oldest first: the newest up to `first` and all after it until `last`;
    instruments; weights (reports, instruments), 0 where one is not told of. Raises StorageUnavailable, StorageRejected.
    """
    sql = """
        SELECT toUnixTimestamp(w.ts) AS at, instrument, weight FROM benchmark_weights AS w FINAL
        WHERE origin = {origin:String} AND benchmark IN {names:Array(String)}
            AND w.ts <= toDateTime({last:UInt32}) AND w.ts >= (
                SELECT max(b.ts) FROM benchmark_weights AS b WHERE b.origin = {origin:String}
                    AND b.benchmark IN {names:Array(String)} AND b.ts <= toDateTime({first:UInt32})
            )
        ORDER BY at, instrument
    """
    asked = {"origin": origin, "names": list(names), "first": first, "last": last}
    rows = clickhouse.rows(sql, asked, kind="weights of a benchmark")
    times = np.unique(np.array([int(row[0]) for row in rows], dtype=np.int64))
    instruments = sorted({str(row[1]) for row in rows})
    weights = np.zeros((len(times), len(instruments)))
    column = {name: at for at, name in enumerate(instruments)}
    for at, instrument, weight in rows:
        weights[np.searchsorted(times, int(at)), column[str(instrument)]] = float(weight)
    return times, instruments, weights
