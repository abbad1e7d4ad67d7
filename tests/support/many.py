"""Many synthetic portfolios with long histories, for what must stay quick at a size no sample has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores

ORIGIN = "own"
ROOT = "p000"
NAV_COLUMNS = ("origin", "portfolio", "ts", "nav", "flow", "version")
TRADING_DAYS = 252
FLOW_DAYS = 21
"""Money comes in or goes out on every 21st day."""
ROWS_AN_INSERT = 250_000


@dataclass(frozen=True, slots=True)
class Many:
    """k seeded portfolios on n weekdays: NAV and flows as stored, both (k, n)."""

    portfolios: tuple[str, ...]
    days: NDArray[np.datetime64]
    values: NDArray[np.float64]
    flows: NDArray[np.float64]


def many(count: int = 200, years: float = 30, seed: int = 1, last: str = "2025-12-31") -> Many:
    """Return `count` portfolios that share a market, on the weekdays up to `last`; the same for the same seed."""
    random = np.random.default_rng(seed)
    length = int(years * TRADING_DAYS)
    days = np.busday_offset(last, np.arange(1 - length, 1), roll="backward")
    market = random.normal(0.0003, 0.008, length)
    returns = random.uniform(0.2, 1.2, (count, 1)) * market + random.normal(0.0, 0.006, (count, length))
    returns[:, 0] = 0.0
    flows = np.zeros((count, length))
    flows[:, 0] = 1_000_000.0
    flows[:, FLOW_DAYS::FLOW_DAYS] = np.round(random.normal(0.0, 5_000.0, flows[:, FLOW_DAYS::FLOW_DAYS].shape), 2)
    values = np.zeros((count, length))
    nav = np.zeros(count)
    for day in range(length):
        nav = np.maximum(nav * (1.0 + returns[:, day]) + flows[:, day], 1_000.0)
        values[:, day] = nav
    return Many(tuple(f"p{number:03d}" for number in range(count)), days, values, flows)


def insert_navs(clickhouse: ClickHouse, made: Many, version: int = 1) -> None:
    """Store the NAVs of `made` as own data."""
    ts = made.days.astype("datetime64[s]").astype(np.int64)
    at_once = max(ROWS_AN_INSERT // len(ts), 1)
    for first in range(0, len(made.portfolios), at_once):
        part = slice(first, first + at_once)
        names = made.portfolios[part]
        rows = len(names) * len(ts)
        data = (
            [ORIGIN] * rows,
            [name for name in names for _ in range(len(ts))],
            np.tile(ts, len(names)).tolist(),
            made.values[part].ravel().tolist(),
            made.flows[part].ravel().tolist(),
            [version] * rows,
        )
        clickhouse.insert(Facts("nav", NAV_COLUMNS, data))


def insert_many(
    stores: Stores, count: int = 200, years: float = 30, seed: int = 1, last: str = "2025-12-31"
) -> list[Portfolio]:
    """Store `count` portfolios with their NAVs, the first one the parent of the others, and return them."""
    made = many(count, years, seed, last)
    insert_navs(stores.clickhouse, made)
    portfolios = [
        Portfolio(ORIGIN, name, f"Portfolio {name[1:]}", parent="" if name == ROOT else ROOT, position=position)
        for position, name in enumerate(made.portfolios)
    ]
    put_portfolios(stores.state, portfolios)
    stores.live.bump("portfolio")
    return portfolios
