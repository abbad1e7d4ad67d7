"""Books built from trades and set beside reports: the sample fund, and 1,000,000 fills of 500 instruments over a year.

python -m benchmarks.reconciliation
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.report import Figure, show
from core.settings.model import Settings
from portfolio.reconciliation import reconciliation
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores, open_stores

ROUNDS = 3
FILLS, INSTRUMENTS = 1_000_000, 500
ALPHA = Portfolio("own", "alpha", "Alpha", currency="USD")
FIRST = 1_700_000_000 // 86_400 * 86_400
TRADES = f"""
    INSERT INTO trades (origin, portfolio, trade_id, ts, instrument, side, quantity, price, commission, version)
    SELECT 'own', 'alpha', toString(number),
        toDateTime64({FIRST} + 86400 + intDiv(number * 31536000, {FILLS}), 6, 'UTC'),
        concat('SYM', toString(number % {INSTRUMENTS})), if(cityHash64(number) % 2 = 0, 'buy', 'sell'),
        1 + number % 300, 100 + number % 97, 0.35, 1
    FROM numbers({FILLS})
"""
POSITIONS = f"""
    INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, currency, version)
    SELECT 'own', 'alpha', d.day, instrument, sum(if(side = 'buy', t.quantity, -t.quantity)) AS held, 100, held * 100,
        'USD', 1
    FROM trades AS t CROSS JOIN (
        SELECT toDateTime({FIRST} + 86400 * 28 * number) AS day FROM numbers(1, 13)
    ) AS d
    WHERE origin = 'own' AND toDate(t.ts) <= toDate(d.day)
    GROUP BY d.day, instrument
"""


def main() -> None:
    """Run it and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder) / "data"))
        try:
            load_sample(stores)
            measured(stores, portfolios("sample")[0], "the sample fund, 9 years", looks_back=True)
            put_portfolios(stores.state, [ALPHA])
            stores.clickhouse.command(TRADES)
            stores.clickhouse.command(POSITIONS)
            for looks_back in (True, False):
                measured(stores, ALPHA, f"{FILLS:,} fills, 13 reports", looks_back=looks_back)
        finally:
            stores.close()


def measured(stores: Stores, portfolio: Portfolio, what: str, *, looks_back: bool) -> None:
    """Show what the reconciliation of a portfolio takes from cold, the best of some rounds."""
    clock, busy, beyond = [], [], -1
    for _ in range(ROUNDS):
        stores.live.bump("portfolio")
        began, spent = time.monotonic(), time.process_time()
        found = reconciliation(stores, portfolio, None, looks_back=looks_back)
        clock.append(time.monotonic() - began)
        busy.append(time.process_time() - spent)
        beyond = len(found.beyond) if found is not None else -1
    days = "every day" if looks_back else "the newest report"
    show(
        Figure(f"{what}, {days}: processor", 1_000 * min(busy), "ms"),
        Figure(f"{what}, {days}: time", 1_000 * min(clock), "ms"),
        Figure(f"{what}, {days}: beyond tolerance", beyond, "differences", 0),
    )


if __name__ == "__main__":
    main()
