"""The Trades page over a million fills of 200,000 orders: with new trades, with other values, and the orders alone.

Processor time of the whole process, the engine's threads among it: that is what the work takes on a busy machine, too.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from access.viewer import Viewer
from benchmarks.quiet import OtherWork, wait_until_quiet
from benchmarks.report import Figure, show
from core.roles import Role
from core.settings.model import Settings
from dashboard.tabs import trades
from dashboard.views.tab import Choices
from portfolio.orders import blotter, misfits
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores, open_stores

FILLS, FILLS_AN_ORDER = 1_000_000, 5
INSTRUMENTS, PARTS = 250, 4
ROUNDS = 5
FUND = Portfolio("own", "fund", "Fund", currency="USD")
VIEWER = Viewer("bench", Role.VIEWER)
ORDER = f"intDiv(number, {FILLS_AN_ORDER})"
AT = "toDateTime64('2021-01-04 14:30:00', 6, 'UTC') + toIntervalSecond(number * 150)"
_OF = f"""
    concat('p', toString({ORDER} % {PARTS})), concat('o', toString({ORDER})), {AT},
    concat('S', toString({ORDER} % {INSTRUMENTS})), if(cityHash64({ORDER}) % 2, 'buy', 'sell')
"""


def main() -> None:
    """Fill a fund's tables and measure."""
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder) / "data", machine="host-1"))
        try:
            fill(stores)
            wait_until_quiet()
            others = OtherWork()
            measure(stores)
            show(others.figure())
        finally:
            stores.close()


def fill(stores: Stores) -> None:
    """Insert the fills and their orders."""
    parts = [Portfolio("own", f"p{number}", f"Part {number}", "fund", currency="USD") for number in range(PARTS)]
    put_portfolios(stores.state, [FUND, *parts])
    stores.clickhouse.command(
        "INSERT INTO trades (origin, portfolio, order_id, ts, instrument, side, trade_id, quantity, price, commission, "
        f"fees, venue, version) SELECT 'own', {_OF}, toString(number), 1 + number % 7, 100 + number % 13, 0.1, 0.02, "
        f"'X', 1 FROM numbers({FILLS})"
    )
    stores.clickhouse.command(
        "INSERT INTO orders (origin, portfolio, order_id, ts, instrument, side, placed, submitted_at, quantity, "
        f"status, version) SELECT 'own', {_OF}, {AT}, {AT}, 100, 'filled', 1 FROM numbers({FILLS}) "
        f"WHERE number % {FILLS_AN_ORDER} = 0"
    )


def measure(stores: Stores) -> None:
    """Print the times."""

    def page() -> None:
        assert trades.build(stores, Choices(), VIEWER).slots

    def orders() -> None:
        found = blotter(stores, FUND, None, None, {})
        assert found is not None
        assert found.orders

    took("trades page, 1 M fills: first, 200,000 of them matched", page, 1)
    took("trades page, 1 M fills: other values, the same trades", page, ROUNDS, stores)
    took("orders of the newest day, 200,000 orders and 1 M fills", orders, ROUNDS)
    took("fills and orders that do not fit each other", lambda: misfits(stores, FUND, None), ROUNDS, stores)


def took(name: str, what: Callable[[], object], rounds: int, bumped: Stores | None = None) -> None:
    """Print the least clock and processor time of some rounds; `bumped`: its data has another version each time."""
    clock, worked = [], []
    for _ in range(rounds):
        if bumped is not None:
            bumped.live.bump("portfolio")
        began, used = time.perf_counter(), time.process_time()
        what()
        clock.append(time.perf_counter() - began)
        worked.append(time.process_time() - used)
    show(Figure(f"{name}: processor", 1e3 * min(worked), "ms"), Figure(f"{name}: clock", 1e3 * min(clock), "ms"))


if __name__ == "__main__":
    main()
