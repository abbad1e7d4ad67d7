"""Brings the sample fund into an empty database and out of any."""

from __future__ import annotations

from collections.abc import Callable

from sample.facts import fund_facts
from sample.fund import FUND_ID, build
from sample.instruments import EQUAL_WEIGHTED, INSTRUMENTS, blend_of, series_of
from sample.prices import BENCHMARK, load_prices
from sample.strategies import STRATEGIES
from storage.clickhouse.insert import insert_facts
from storage.clickhouse.portfolio_rows import remove_rows
from storage.live.redis import Live
from storage.state.database import State
from storage.state.imports import SAMPLE_FUND, record_import, was_imported
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios, remove_origin
from storage.state.series import list_blends, list_series, put_blend, put_series, remove_blend, remove_series
from storage.stores import Stores

ORIGIN = "sample"
Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""


def portfolios(origin: str) -> list[Portfolio]:
    """Return the fund and its strategies as portfolios of `origin`."""
    is_sample = origin == ORIGIN
    note = f"Real prices, invented fund; {'data ends 2022-12-28' if is_sample else 'its days moved to end today'}"
    fund = Portfolio(
        origin, FUND_ID, "All strategies", "", BENCHMARK, "USD", note, 0, management_fee="1.5", performance_fee="15",
        nav_is="gross",
    )  # fmt: skip
    parts = [
        Portfolio(origin, strategy.id, strategy.name, FUND_ID, BENCHMARK, "USD", strategy.note, position)
        for position, strategy in enumerate(STRATEGIES, start=1)
    ]
    return [fund, *parts]


def load_sample_if_empty(stores: Stores, progress: Progress = lambda done: None) -> int:
    """Load the sample fund into a database without portfolios; return the number of rows.

    0 when there is a portfolio, or when the sample was there before: whoever removed it does not want it back.
    One of an earlier form is loaded anew.
    """
    if was_imported(stores.state, SAMPLE_FUND):
        if not list_portfolios(stores.state, ORIGIN):
            remove_rows(stores.clickhouse, ORIGIN)
            return 0
        # One that was loaded before its instruments were told of lacks the life of its orders, too.
        if not list_series(stores.state, ORIGIN):
            return load_sample(stores, progress)
        if not list_blends(stores.state, ORIGIN):
            put_blend(stores.state, blend_of(ORIGIN))
        return 0
    if list_portfolios(stores.state):
        return 0
    return load_sample(stores, progress)


def load_sample(stores: Stores, progress: Progress = lambda done: None) -> int:
    """Load the sample fund and return the number of rows; one that is there is replaced.

    Raises StorageUnavailable or StorageRejected. A load that was cut off is not recorded, so the next start repeats it.
    """
    progress(0.0)
    prices = load_prices()
    tables = fund_facts(build(prices), ORIGIN, 0, len(prices), version=int(stores.clock.now() * 1000))
    total = sum(len(facts) for facts in tables)
    done = 0
    for facts in tables:
        insert_facts(stores.clickhouse, facts, source=SAMPLE_FUND)
        done += len(facts)
        progress(done / total)
    put_portfolios(stores.state, portfolios(ORIGIN))
    put_series(stores.state, series_of(ORIGIN))
    put_blend(stores.state, blend_of(ORIGIN))
    record_import(stores.state, SAMPLE_FUND, "", total, "taken")
    stores.live.bump("portfolio")
    return total


def remove_sample(stores: Stores) -> int:
    """Remove every trace of the sample fund but the record that it was removed; return how many portfolios it had."""
    remove_rows(stores.clickhouse, ORIGIN)
    return forget_sample(stores.state, stores.live)


def forget_sample(state: State, live: Live) -> int:
    """Take the sample fund off every page, its rows left for `load_sample_if_empty` to remove at the next start."""
    removed = remove_origin(state, ORIGIN)
    remove_series(state, ORIGIN, list(INSTRUMENTS))
    remove_blend(state, ORIGIN, EQUAL_WEIGHTED)
    record_import(state, SAMPLE_FUND, "", 0, "removed")
    live.bump("portfolio")
    return removed
