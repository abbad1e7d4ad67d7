"""Brings the sample fund into an empty database and out of any."""

from __future__ import annotations

from collections.abc import Callable

from sample.facts import fund_facts
from sample.fund import FUND_ID, build
from sample.prices import BENCHMARK, load_prices
from sample.strategies import STRATEGIES
from storage.portfolio_rows import remove_rows
from storage.portfolios import Portfolio, list_portfolios, put_portfolios, record_import, remove_origin, was_imported
from storage.stores import Stores

ORIGIN = "sample"
IMPORT_NAME = "sample fund"
"""How loading and removing it are recorded, so that a removed sample stays away."""

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is being done."""


def portfolios(origin: str) -> list[Portfolio]:
    """Return the fund and its strategies as portfolios of `origin`."""
    note = "Real prices, invented fund; data ends 2022-12-28"
    fund = Portfolio(origin, FUND_ID, "All strategies", "", BENCHMARK, "USD", note, 0)
    parts = [
        Portfolio(origin, strategy.id, strategy.name, FUND_ID, BENCHMARK, "USD", strategy.note, position)
        for position, strategy in enumerate(STRATEGIES, start=1)
    ]
    return [fund, *parts]


def load_sample(stores: Stores, progress: Progress = lambda done, text: None, *, again: bool = False) -> int:
    """Load the sample fund and return the number of rows; 0 when there is a portfolio, or it was removed before.

    `again` loads it all the same. Raises StorageUnavailable or StorageRejected; a load that was cut off starts afresh.
    """
    if not again and (list_portfolios(stores.state) or was_imported(stores.state, IMPORT_NAME)):
        return 0
    progress(0.0, "sample fund: computing nine years of it")
    prices = load_prices()
    version = int(stores.clock.now() * 1000)
    tables = fund_facts(build(prices), ORIGIN, 0, len(prices), version)
    total = sum(len(facts) for facts in tables)
    done = 0
    for facts in tables:
        progress(done / total, f"sample fund: {facts.table}")
        stores.clickhouse.insert(facts)
        done += len(facts)
    put_portfolios(stores.state, portfolios(ORIGIN))
    record_import(stores.state, IMPORT_NAME, "", total, "taken")
    stores.live.bump("portfolio")
    progress(1.0, "sample fund: loaded")
    return total


def remove_sample(stores: Stores) -> int:
    """Remove every trace of the sample fund but the record that it was removed; return how many portfolios it had."""
    remove_rows(stores.clickhouse, ORIGIN)
    removed = remove_origin(stores.state, ORIGIN)
    record_import(stores.state, IMPORT_NAME, "", 0, "removed")
    stores.live.bump("portfolio")
    return removed
