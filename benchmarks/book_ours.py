"""Our figures of holdings and trades, on the book of benchmarks/books.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from analytics import attribution, concentration, contribution, execution, exposure, holdings_risk, rolling, round_trips
from analytics import book as built
from analytics.performance import track
from analytics.transactions import Transaction
from benchmarks import books
from benchmarks.books import PERIODS, TAIL, WINDOW, Book
from benchmarks.worker import serve
from core.clock import DAY_SECONDS
from portfolio.series.blend import blended

PACKAGES = ("numpy", "pandas", "scipy")
FIRST_DAY = np.datetime64("2014-01-02")


def deviation_parts(given: Book, _run: int) -> Any:
    """Return what each position has of the deviation: components of parametric VaR over z."""
    found = holdings_risk.risk_of_covariance(given.weights, given.covariance, 1.0 - TAIL)
    return found.component_var / ndtri(1.0 - TAIL)


def shortfall_parts(given: Book, _run: int) -> Any:
    """Return what each position has of expected shortfall; VaR and what it falls by without each come with it."""
    return holdings_risk.historical_risk(given.weights, given.returns, 1.0 - TAIL).component_es


def exposures(given: Book, _run: int) -> Any:
    """Return long, short, net and gross over NAV, (4, days)."""
    nav = given.values.sum(axis=1) + given.cash
    found = exposure.exposure(given.values, nav)
    return np.array([found.long / nav, found.short / nav, found.net_share, found.leverage])


def sectors(given: Book, _run: int) -> Any:
    """Return the net value of each sector, (days, sectors)."""
    nav = given.values.sum(axis=1) + given.cash
    return exposure.exposure_by_group(given.values, nav, given.sectors).exposure.net


def concentrated(given: Book, _run: int) -> Any:
    """Return how concentrated each day is."""
    return concentration.concentration(given.values).top.T


def turnover(given: Book, _run: int) -> Any:
    """Return what is traded on each day over the mean gross book of it and the day before."""
    traded = np.bincount(given.fill_day, np.abs(given.fill_quantity) * given.fill_price, len(given.values))
    gross = np.abs(given.values).sum(axis=1)
    return execution.turnover(traded, (gross + np.concatenate([[0.0], gross[:-1]])) / 2.0)


def trips(given: Book, _run: int) -> Any:
    """Return profit and days held of each round trip, (2, trips), by instrument and time."""
    rows = [
        Transaction(day * DAY_SECONDS, "buy" if quantity > 0 else "sell", f"S{symbol:03}", abs(quantity), price)
        for day, symbol, quantity, price in zip(
            given.fill_day.tolist(), given.fill_symbol.tolist(), given.fill_quantity.tolist(),
            given.fill_price.tolist(), strict=True,
        )
    ]  # fmt: skip
    found = round_trips.round_trips(built.build(rows).closed)
    found.sort(key=lambda trip: (trip.symbol, trip.closed_seconds))
    return np.array([[trip.profit, trip.held_seconds / DAY_SECONDS] for trip in found]).T


def index(given: Book, _run: int) -> Any:
    """Return the index of parts whose weights are restored every day, 1 at first."""
    days = FIRST_DAY + np.arange(len(given.levels))
    parts = [track(days, levels) for levels in given.levels.T]
    found = blended(parts, given.parts.tolist(), "daily").index
    return found / found[0]


def brinson(given: Book, _run: int) -> Any:
    """Return allocation, selection and interaction of each month and sector, (3, months × sectors)."""
    levels = given.levels[given.ends]
    gained = levels[1:] / levels[:-1] - 1.0
    passive = np.full_like(given.parts, 1.0 / len(given.parts))
    own, other = (
        contribution.segments(np.broadcast_to(held, gained.shape), gained, given.sectors[: len(held)])
        for held in (given.parts, passive)
    )
    found = attribution.brinson(own.weights, other.weights, own.returns, other.returns)
    return np.array([found.allocation.ravel(), found.selection.ravel(), found.interaction.ravel()])


def rolled(given: Book, _run: int) -> Any:
    """Return volatility, Sharpe ratio and beta of each window and series, (3, windows, series)."""
    found = rolling.rolling_moments(given.series, given.market, WINDOW, periods=PERIODS)
    return np.array([found.volatility, found.sharpe, found.beta])[:, WINDOW - 1 :]


JOBS: dict[str, Callable[[Book, int], Any]] = {
    "deviation_parts": deviation_parts,
    "shortfall_parts": shortfall_parts,
    "exposures": exposures,
    "sectors": sectors,
    "concentrated": concentrated,
    "turnover": turnover,
    "trips": trips,
    "index": index,
    "brinson": brinson,
    "rolled": rolled,
}


def main(folder: Path) -> None:
    """Serve the jobs on the book in `folder`."""
    given = books.read(folder)
    serve(folder, "ours", {name: partial(job, given) for name, job in JOBS.items()}, PACKAGES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
