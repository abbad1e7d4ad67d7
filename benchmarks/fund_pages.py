"""The pages of a fund: a refresh of each when nothing changed, and the Risk page of 1,000 positions with new data.

Processor time of the whole process, numpy's algebra on one thread: other work on the machine touches it least.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before numpy is loaded: the threads of its algebra are counted together otherwise.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np

from access.viewer import Viewer
from benchmarks.callbacks import refresh_body
from benchmarks.portfolio_tab import HEADERS, VERSION_PAUSE_SECONDS
from benchmarks.quiet import show_quiet
from benchmarks.report import Figure
from core.model import Facts
from core.roles import Role
from core.settings.model import Settings
from dashboard.tabs import (
    attribution,
    execution,
    exposure,
    holdings,
    limits,
    overview,
    portfolio,
    reconcile,
    risk,
    stress,
    trades,
    what_if,
)
from dashboard.views.tab import Choices
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores, open_stores
from tests.support.application import create_app

PAGES = (
    overview.TAB, portfolio.TAB, holdings.PAGE, exposure.PAGE, risk.PAGE, stress.PAGE, what_if.PAGE, attribution.PAGE,
    trades.PAGE, execution.PAGE, limits.PAGE, reconcile.PAGE,
)  # fmt: skip
UNCHANGED_ROUNDS, NEW_ROUNDS = 40, 5
GOAL_MS = 3
OF_SAMPLE = {"portfolio": "sample:fund"}
POSITIONS, REPORT_DAYS, PRICE_DAYS = 1_000, 260, 2_520
BATCH_DAYS = 20
WIDE = Portfolio("own", "wide", "Wide", currency="USD")
VIEWER = Viewer("bench", Role.VIEWER)


def main() -> None:
    """Fill the stores and measure."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", machine="host-1")
        patient = settings.query.model_copy(update={"timeout_seconds": 120.0})
        stores = open_stores(settings.model_copy(update={"query": patient}))
        try:
            load_sample(stores)
            fill(stores)
            show_quiet(lambda: measured(stores))
        finally:
            stores.close()


def fill(stores: Stores) -> None:
    """Insert a portfolio of 1,000 positions: a report of each on 260 days, and ten years of their prices."""
    put_portfolios(stores.state, [WIDE])
    draw = np.random.default_rng(7)
    today = np.datetime64(int(stores.clock.now()), "s").astype("datetime64[D]")
    days = np.busday_offset(today, np.arange(1 - PRICE_DAYS, 1), roll="backward")
    at = days.astype("datetime64[s]").astype(np.int64)
    levels = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.015, (PRICE_DAYS, POSITIONS)), axis=0))
    held = draw.integers(1, 90, POSITIONS) * np.where(draw.random(POSITIONS) < 0.7, 1.0, -1.0)
    names = [f"I{number:04}" for number in range(POSITIONS)]
    for start in range(0, PRICE_DAYS, BATCH_DAYS):
        part = slice(start, start + BATCH_DAYS)
        prices = {"instrument": names, "price": levels[part]}
        _insert(stores, "prices", at[part], prices)
    for start in range(PRICE_DAYS - REPORT_DAYS, PRICE_DAYS, BATCH_DAYS):
        part = slice(start, start + BATCH_DAYS)
        values = levels[part] * held
        told = {"instrument": names, "quantity": held, "price": levels[part], "market_value": values}
        _insert(stores, "positions", at[part], {"portfolio": WIDE.id, **told})
    nav = 1e7 + (levels[-REPORT_DAYS:] * held).sum(axis=1)
    rows = {"portfolio": WIDE.id, "nav": nav[:, None], "flow": 0.0}
    _insert(stores, "nav", at[-REPORT_DAYS:], rows)


def _insert(stores: Stores, table: str, at: Any, columns: dict[str, Any]) -> None:
    """Insert a row a day and instrument; what has fewer axes stands for all."""
    shape = np.broadcast_shapes((len(at), 1), *(np.shape(values) for values in columns.values()))
    every = {"origin": WIDE.origin, "ts": at[:, None], "version": 1, **columns}
    data = tuple(np.broadcast_to(np.asarray(values), shape).ravel().tolist() for values in every.values())
    stores.clickhouse.insert(Facts(table, tuple(every), data, token=f"{table}-{at[0]}"))


def measured(stores: Stores) -> Iterator[Figure]:
    """Yield the time of each page, then those of Risk with new data."""
    client = create_app(stores).server.test_client()
    dependencies = client.get("/_dash-dependencies").json
    assert dependencies is not None
    for page in PAGES:

        def refresh(seen: str | None, id: str = page.id) -> Any:
            body = refresh_body(dependencies, id, seen, OF_SAMPLE)
            return client.post("/_dash-update-component", data=body, headers=HEADERS)

        yield Figure(f"{page.title}, unchanged", unchanged(page.id, refresh), "ms", GOAL_MS)
    choices = Choices.of({"portfolio": f"{WIDE.origin}:{WIDE.id}"})
    yield from new_data(stores, "Risk of the sample fund", lambda: risk.build(stores, Choices.of(OF_SAMPLE), VIEWER))
    yield from new_data(stores, f"Risk of {POSITIONS:,} positions", lambda: risk.build(stores, choices, VIEWER))


def unchanged(id: str, refresh: Callable[[str | None], Any]) -> float:
    """Return the median milliseconds of a refresh that has the newest version. Raises AssertionError when it failed."""
    answer = refresh(None)
    assert answer.status_code == 200, answer.data[:500]
    answered = answer.json["response"]
    assert not answered[f"{id}-problem"]["children"], answered[f"{id}-problem"]
    version = answered[f"{id}-payload"]["data"]["version"]
    taken = []
    for _ in range(UNCHANGED_ROUNDS):
        time.sleep(VERSION_PAUSE_SECONDS)
        used = time.process_time()
        answer = refresh(version)
        taken.append((time.process_time() - used) * 1000)
        assert answer.status_code == 204, answer.status_code
    return statistics.median(taken)


def new_data(stores: Stores, name: str, page: Callable[[], Any]) -> Iterator[Figure]:
    """Yield the median processor time of a page when its data has another version each time."""
    taken = []
    for _ in range(NEW_ROUNDS):
        stores.live.bump("portfolio")
        used = time.process_time()
        view = page()
        taken.append((time.process_time() - used) * 1000)
        assert view.figures, "nothing is shown"
    yield Figure(f"{name}, new data, without HTTP", statistics.median(taken), "ms")


if __name__ == "__main__":
    main()
