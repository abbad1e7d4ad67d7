"""Limits worked out anew after new data: the sample fund's, and ten limits of a portfolio of 1,000 positions."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alerting.limits import LimitWatch
from benchmarks.report import Figure, show
from core.model import Facts
from core.settings.model import Settings
from portfolio.limits.change import save
from portfolio.limits.judge import stands
from sample.load import load_sample
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios
from storage.stores import Stores, open_stores

POSITIONS, ROUNDS = 1_000, 9
LIMITS = {
    "position": "20 %", "position_money": "5 M", "gross": "200 %", "net": "100 %", "leverage": "2 x", "hhi": "0.2",
    "largest_1": "20 %", "largest_5": "50 %", "largest_10": "60 %", "turnover": "50 %",
}  # fmt: skip


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder) / "data", machine="host-1"))
        try:
            load_sample(stores)
            sample = list_portfolios(stores.state, "sample")
            known = len(stands(stores, sample, None, stores.clock.now()))
            of_sample = f"{known} limits of the sample fund and its {len(sample) - 1} parts"
            _measure(of_sample, stores, lambda: stands(stores, sample, None, stores.clock.now()))
            _fill(stores)
            watch = LimitWatch(stores)
            watch.look()
            _measure(f"{len(LIMITS) + 2} limits of {POSITIONS:,} positions", stores, lambda: LimitWatch(stores).look())
            began = time.process_time()
            for _ in range(100):
                watch.look()
            show(Figure("the same, nothing new", (time.process_time() - began) * 10, "ms, processor"))
        finally:
            stores.close()


def _fill(stores: Stores) -> None:
    now = int(stores.clock.now())
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    of_nav = ("origin", "portfolio", "ts", "nav", "flow", "version")
    days = [now // 86_400 * 86_400 - number * 86_400 for number in range(250)]
    values = [1e7 + 1e3 * number for number in range(250)]
    stores.clickhouse.insert(
        Facts("nav", of_nav, (["own"] * 250, ["alpha"] * 250, days, values, [0.0] * 250, [1] * 250))
    )
    columns = ("origin", "portfolio", "ts", "instrument", "quantity", "price", "market_value", "version")
    names = [f"I{number:04}" for number in range(POSITIONS)]
    held = [float(number % 90 + 1) for number in range(POSITIONS)]
    rows = (
        ["own"] * POSITIONS, ["alpha"] * POSITIONS, [now] * POSITIONS, names, held, [100.0] * POSITIONS,
        [100.0 * each for each in held], [1] * POSITIONS,
    )  # fmt: skip
    stores.clickhouse.insert(Facts("positions", columns, rows))
    for figure, value in LIMITS.items():
        save(stores, {"portfolio": "alpha", "figure": figure, "value": value}, "bench")


def _measure(what: str, stores: Stores, do: Callable[[], object]) -> None:
    clock, processor = [], []
    for _ in range(ROUNDS):
        stores.live.bump("portfolio")
        at, cpu = time.perf_counter(), time.process_time()
        do()
        clock.append((time.perf_counter() - at) * 1e3)
        processor.append((time.process_time() - cpu) * 1e3)
    show(
        Figure(f"{what}: new data, processor", statistics.median(processor), "ms"),
        Figure(f"{what}: new data, clock", statistics.median(clock), "ms"),
    )


if __name__ == "__main__":
    main()
