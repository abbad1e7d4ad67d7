"""The Execution page with a year of 400,000 orders and 1,000,000 fills: from the choices to what is sent, from cold.

Cold: the data has a new version, so that everything is read, added up and drawn again. Beside the clock stands the
processor's time of the whole process, the engine's threads with it, which other work on the machine touches least.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from access.viewer import Viewer
from benchmarks.quiet import show_quiet
from benchmarks.report import Figure
from core.clock import SystemClock
from core.format import number
from core.model import Facts
from core.roles import Role
from core.settings.model import Settings
from dashboard.tabs import execution
from dashboard.views.serialize import prepare
from dashboard.views.tab import Choices
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.series import Series, put_series
from storage.stores import Stores, open_stores
from tests.support.views import text

ORDERS, FILLS, INSTRUMENTS, STRATEGIES, DAYS = 400_000, 1_000_000, 500, 5, 250
LOOKS = (execution.DEFAULT_BY, "instrument", "venue")
"""What orders are grouped by: as the page opens, by most groups, and by what only fills know."""
BATCH = 50_000
"""Rows of an insert."""
ROUNDS = 5
DAY_SECONDS, OPENS_SECONDS, SESSION_SECONDS = 86_400, 52_200, 23_400
SETTLE_SECONDS = 8
"""After the load, so that its merges are not what is measured."""
REASONS = ("buying power exceeded", "price outside of the band", "no shares to borrow", "symbol halted")
VENUES = ("NYSE", "NASDAQ", "ARCA", "BATS", "IEX")
BROKERS = ("IB", "Prime")
VIEWER = Viewer("bench", Role.VIEWER)


def main() -> None:
    """Measure; say which targets are missed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", machine="host-1")
        # Beside much other work a statement may take longer than the product lets it.
        patient = settings.query.model_copy(update={"timeout_seconds": 120.0})
        stores = open_stores(settings.model_copy(update={"query": patient}))
        try:
            fill(replace(stores, clock=SystemClock()))
            time.sleep(SETTLE_SECONDS)
            show_quiet(lambda: measured(stores))
        finally:
            stores.close()


def measured(stores: Stores) -> Iterator[Figure]:
    """Yield every figure as soon as it is known."""
    size = f"{FILLS:,} fills of {ORDERS:,} orders"
    for by in LOOKS:
        target = 700.0 if by == execution.DEFAULT_BY else None
        clocks, processor = zip(*(_once(stores, by) for _ in range(ROUNDS)), strict=True)
        yield Figure(f"{size}: the whole page, cold, by {by}", statistics.median(clocks), "ms", target)
        yield Figure("  the processor's time", statistics.median(processor), "ms", target)
    began = time.perf_counter()
    _build(stores, LOOKS[-1])
    yield Figure("  the same data drawn again", (time.perf_counter() - began) * 1000, "ms")


def _once(stores: Stores, by: str) -> tuple[float, float]:
    stores.live.bump("portfolio")
    time.sleep(0.2)
    began, used = time.perf_counter(), time.process_time()
    _build(stores, by)
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def _build(stores: Stores, by: str) -> None:
    choices = Choices.of({"by": by, "portfolio": "own:fund"})
    view = execution.build(stores, choices, VIEWER)
    assert number(ORDERS) in text(view.slots[execution.STRIP])
    prepare(execution.PAGE, choices, "1", view)


def fill(stores: Stores) -> None:
    """Insert a fund of five strategies, its value, its instruments with a year of prices, and a year of orders."""
    draw = np.random.default_rng(11)
    strategies = [f"s{number}" for number in range(STRATEGIES)]
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), *(Portfolio("own", id, id.upper(), "fund") for id in strategies)],
    )
    names = [f"I{number:03d}" for number in range(INSTRUMENTS)]
    put_series(
        stores.state,
        [Series("own", name, name, currency="USD", daily_volume=1e6 + 1e4 * at) for at, name in enumerate(names)],
    )
    last = int(time.time()) // DAY_SECONDS * DAY_SECONDS - DAY_SECONDS
    days = last - DAY_SECONDS * np.arange(DAYS)[::-1]
    closes = 100 * np.exp(np.cumsum(draw.normal(0, 0.015, (DAYS, INSTRUMENTS)), axis=0))
    _insert(stores, "prices", {"origin": "own", "instrument": np.tile(names, DAYS), "ts": np.repeat(days, INSTRUMENTS),
                               "price": closes.ravel(), "version": 1})  # fmt: skip
    _insert(stores, "nav", {"origin": "own", "portfolio": "fund", "ts": days, "nav": 1e9 + 1e6 * np.arange(DAYS),
                            "flow": 0.0, "version": 1})  # fmt: skip
    orders(stores, draw, np.array(strategies), np.array(names), days, closes)


def orders(
    stores: Stores, draw: np.random.Generator, strategies: np.ndarray, names: np.ndarray, days: np.ndarray,
    closes: np.ndarray,
) -> None:  # fmt: skip
    """Insert the orders, and the fills of those that were neither rejected nor cancelled."""
    day = np.sort(draw.integers(0, DAYS, ORDERS))
    instrument = draw.integers(0, INSTRUMENTS, ORDERS)
    strategy = draw.integers(0, STRATEGIES, ORDERS)
    sent = ((days[day] + OPENS_SECONDS + draw.random(ORDERS) * SESSION_SECONDS * 0.9) * 1e6).astype(np.int64)
    quantity = np.ceil(draw.lognormal(5, 1, ORDERS))
    decision = closes[day, instrument] * (1 + draw.normal(0, 0.004, ORDERS))
    arrival = decision * (1 + draw.normal(0, 0.001, ORDERS))
    side = np.where(draw.random(ORDERS) < 0.5, "buy", "sell")
    chance = draw.random(ORDERS)
    status = np.select([chance < 0.012, chance < 0.025, chance < 0.03], ["rejected", "cancelled", "expired"], "filled")
    done = status == "filled"
    reason = np.where(status == "rejected", np.array(REASONS)[draw.integers(0, len(REASONS), ORDERS)], "")
    ids = np.char.add("O-", np.char.zfill(np.arange(ORDERS).astype(str), 8))
    waited = sent + draw.integers(1_000, 9_000_000, ORDERS)
    ended = sent + 60_000_000
    _insert(stores, "orders", {
        "origin": "own", "portfolio": strategies[strategy], "order_id": ids, "ts": ended, "placed": sent,
        "instrument": names[instrument], "side": side, "quantity": quantity, "order_type": "limit",
        "decision_price": decision, "arrival_price": arrival, "status": status, "decided_at": sent - 5_000_000,
        "submitted_at": sent, "acknowledged_at": sent + 900, "first_filled_at": np.where(done, waited, 0),
        "last_filled_at": np.where(done, ended, 0), "ended_at": np.where(done, 0, ended), "reject_reason": reason,
        "broker": np.array(BROKERS)[strategy % len(BROKERS)], "strategy": strategies[strategy], "version": 1,
    })  # fmt: skip
    filled = np.flatnonzero(done)
    of = np.sort(np.concatenate([filled, draw.choice(filled, FILLS - len(filled))]))
    many = np.bincount(of, minlength=ORDERS)[of]
    drift = np.where(side[of] == "buy", 1, -1) * 0.0003
    _insert(stores, "trades", {
        "origin": "own", "portfolio": strategies[strategy[of]],
        "trade_id": np.char.add("T-", np.char.zfill(np.arange(FILLS).astype(str), 8)), "order_id": ids[of],
        "ts": waited[of], "instrument": names[instrument[of]], "side": side[of], "quantity": quantity[of] / many,
        "price": arrival[of] * (1 + drift + draw.normal(0, 0.001, FILLS)), "commission": 0.35, "fees": 0.02,
        "currency": "USD", "venue": np.array(VENUES)[draw.integers(0, len(VENUES), FILLS)], "version": 1,
    })  # fmt: skip


def _insert(stores: Stores, table: str, columns: dict[str, object]) -> None:
    """Insert columns in batches; a single value stands for all of them."""
    count = max(len(values) for values in columns.values() if isinstance(values, np.ndarray))
    for start in range(0, count, BATCH):
        part = [
            values[start : start + BATCH].tolist() if isinstance(values, np.ndarray)
            else [values] * min(BATCH, count - start)
            for values in columns.values()
        ]  # fmt: skip
        stores.clickhouse.insert(Facts(table, tuple(columns), tuple(part), token=f"{table}-{start}"))


if __name__ == "__main__":
    main()
