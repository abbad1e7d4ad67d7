"""A CSV of 1,200,000 trades (100 MB) taken twice by a process that has its stores open: memory above idle, and time.

python -m benchmarks.import_rows [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from benchmarks.import_memory import highest
from benchmarks.report import Figure, show
from core.ingest.kinds import KINDS
from core.settings.model import Settings
from portfolio.ingest.files import take_rows_path
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import open_stores

ROWS = 1_200_000
FIRST = datetime(2024, 1, 2, 9, 30, tzinfo=UTC)
MOST_MIB = 300.0
HEADER = "portfolio,trade_id,ts,instrument,side,quantity,price,order_id,commission,fees,currency,venue\n"


def main() -> None:
    """Run it and print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "broker export.csv", rows)
        stores = open_stores(Settings(data_dir=Path(folder) / "data"))
        try:
            put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="USD")])
            process = psutil.Process()
            idle = process.memory_info().rss
            for name in ("first", "second"):
                began, spent = time.monotonic(), sum(process.cpu_times()[:2])
                with highest() as seen:
                    taken = take_rows_path(stores, path, path.name, KINDS["trades"], "benchmark")
                seconds, busy = time.monotonic() - began, sum(process.cpu_times()[:2]) - spent
                print(taken)
                show(
                    Figure(f"{name} of {rows:,} trades, memory above idle", (seen[0] - idle) / 2**20, "MiB", MOST_MIB),
                    Figure(f"{name}, time", seconds, "s"),
                    Figure(f"{name}, processor", busy, "s"),
                )
        finally:
            stores.close()


def write(path: Path, rows: int) -> Path:
    """Write trades, one a second."""
    with path.open("w") as file:
        file.write(HEADER)
        for at in range(rows):
            when = (FIRST + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
            side, price = "buy" if at % 2 else "sell", 100 + at % 1_000 / 100
            file.write(
                f"alpha,T-{at:09},{when},SYM{at % 500:03},{side},{1 + at % 300},{price:.2f},O-{at // 4:08},"
                f"0.35,0.05,USD,XNYS\n"
            )
    return path


if __name__ == "__main__":
    main()
