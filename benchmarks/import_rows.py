"""A large CSV of trades or samples taken by a process that has its stores open: memory above idle, and time.

python -m benchmarks.import_rows [trades|samples] [MEGABYTES] [TIMES]; without them both kinds, 100 MB, twice.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
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

MEGABYTES, TIMES = 100, 2
FIRST = datetime(2024, 1, 2, 9, 30, tzinfo=UTC)
SERIES, SAMPLED_SECONDS = 500, 86_400
MOST_MIB = 300.0
HEADERS = {
    "trades": "portfolio,trade_id,ts,instrument,side,quantity,price,order_id,commission,fees,currency,venue\n",
    "samples": "ts,metric,value,labels,host\n",
}


def main() -> None:
    """Run it and print the figures."""
    kinds = sys.argv[1:2] or [*HEADERS]
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else MEGABYTES
    times = int(sys.argv[3]) if len(sys.argv) > 3 else TIMES
    for kind in kinds:
        _measure(kind, megabytes, times)


def _measure(kind: str, megabytes: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, rows = write(Path(folder) / f"export.{kind}.csv", kind, megabytes * 1_000_000)
        stores = open_stores(Settings(data_dir=Path(folder) / "data"))
        try:
            put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="USD")])
            process = psutil.Process()
            idle = process.memory_info().rss
            for time_number in range(1, times + 1):
                began, spent = time.monotonic(), sum(process.cpu_times()[:2])
                with highest() as seen:
                    taken = take_rows_path(stores, path, path.name, KINDS[kind], "benchmark")
                seconds, busy = time.monotonic() - began, sum(process.cpu_times()[:2]) - spent
                print(taken)
                name = f"{rows:,} {kind} ({path.stat().st_size / 1e6:,.0f} MB), time {time_number}"
                show(
                    Figure(f"{name}: memory above idle", (seen[0] - idle) / 2**20, "MiB", MOST_MIB),
                    Figure(f"{name}: seconds", seconds, "s"),
                    Figure(f"{name}: processor", busy, "s"),
                    Figure(f"{name}: rows a second of processor", rows / busy, "/s"),
                )
        finally:
            stores.close()


def write(path: Path, kind: str, size_bytes: int) -> tuple[Path, int]:
    """Write so many bytes of trades, one a second, or of samples of the last day; return how many rows there are."""
    line: Callable[[int], str] = {"trades": _trade, "samples": _sample(int(time.time()))}[kind]
    rows = size_bytes // len(line(size_bytes // 100))
    with path.open("w") as file:
        file.write(HEADERS[kind])
        file.writelines(map(line, range(rows)))
    return path, rows


def _trade(at: int) -> str:
    when = (FIRST + timedelta(seconds=at % 60_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")
    side, price = "buy" if at % 2 else "sell", 100 + at % 1_000 / 100
    return (
        f"alpha,T-{at:09},{when},SYM{at % 500:03},{side},{1 + at % 300},{price:.2f},O-{at // 4:08},0.35,0.05,USD,XNYS\n"
    )


def _sample(now: int) -> Callable[[int], str]:
    first = now - SAMPLED_SECONDS

    def line(at: int) -> str:
        series, second = at % SERIES, at // SERIES
        labels = f'"{{""desk"":""{series}""}}"'
        return f"{first + second},strategy_lag_seconds,{at % 1_000 / 8},{labels},host-{series % 7}\n"

    return line


if __name__ == "__main__":
    main()
