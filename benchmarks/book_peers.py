"""The released packages on the book of benchmarks/books.py, each by its own documented call.

What a package wants as a table is made into one before: only its own work is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import bt
import empyrical
import numpy as np
import pandas as pd
import riskfolio
from pyfolio import pos, round_trips, timeseries, txn

from benchmarks import books
from benchmarks.books import PERIODS, TAIL, WINDOW, Book
from benchmarks.worker import serve
from core.clock import DAY_SECONDS

PACKAGES = ("riskfolio-lib", "pyfolio-reloaded", "empyrical-reloaded", "bt", "numpy", "pandas", "scipy")
Job = Callable[[int], Any]


def risk_jobs(given: Book) -> dict[str, Job]:
    """Return riskfolio-lib's: contributions by the difference of the measure a ten-millionth up and down."""

    def contribution(measure: str) -> Any:
        weights = given.weights[:, None]
        return riskfolio.Risk_Contribution(weights, given.returns, given.covariance, rm=measure, alpha=TAIL)

    return {"deviation_parts": lambda _: contribution("MV"), "shortfall_parts": lambda _: contribution("CVaR")}


def book_jobs(given: Book, days: pd.DatetimeIndex) -> dict[str, Job]:
    """Return pyfolio's of positions and fills."""
    held = pd.DataFrame(given.values, days, [f"P{at:04}" for at in range(given.values.shape[1])])
    sector = dict(zip(held.columns, given.sectors, strict=True))
    held["cash"] = given.cash
    fills = pd.DataFrame(
        {
            "amount": given.fill_quantity.astype(int),
            "price": given.fill_price,
            "symbol": [f"S{symbol:03}" for symbol in given.fill_symbol],
        },
        days[given.fill_day],
    )

    def exposures(_: int) -> Any:
        found = pos.get_long_short_pos(held)
        return np.vstack([found.to_numpy().T, timeseries.gross_lev(held).to_numpy()])

    def trips(_: int) -> Any:
        found = round_trips.extract_round_trips(fills).sort_values(["symbol", "close_dt"])
        return np.array([found["pnl"], found["duration"].dt.total_seconds() / DAY_SECONDS])

    return {
        "exposures": exposures,
        "sectors": lambda _: pos.get_sector_exposures(held, sector).drop(columns="cash").to_numpy(),
        "concentrated": lambda _: pos.get_max_median_position_concentration(held).to_numpy().T,
        "turnover": lambda _: txn.get_turnover(held, fills).to_numpy(),
        "trips": trips,
    }


def index_job(given: Book, days: pd.DatetimeIndex) -> Job:
    """Return bt's: a strategy that restores its weights every day."""
    prices = pd.DataFrame(given.levels, days, [f"I{at:02}" for at in range(given.levels.shape[1])])
    weights = dict(zip(prices.columns, given.parts.tolist(), strict=True))

    def work(run: int) -> Any:
        algos = [bt.algos.RunDaily(), bt.algos.SelectAll(), bt.algos.WeighSpecified(**weights), bt.algos.Rebalance()]
        test = bt.Backtest(bt.Strategy(f"index {run}", algos), prices, integer_positions=False, progress_bar=False)
        test.run()
        found = test.strategy.prices.loc[days].to_numpy()
        return found / found[0]

    return work


def brinson_job(given: Book, days: pd.DatetimeIndex) -> Job:
    """Return riskfolio-lib's effects, a month after the other."""
    names = [f"I{at:02}" for at in range(given.levels.shape[1])]
    prices = pd.DataFrame(given.levels, days, names)
    own, passive = pd.Series(given.parts, names), pd.Series(1.0 / len(names), names)
    sectors = pd.DataFrame({"asset": names, "sector": given.sectors[: len(names)]})
    spans = [(str(start.date()), str(end.date())) for start, end in pairwise(days[given.ends])]

    def work(_: int) -> Any:
        found = [
            riskfolio.BrinsonAttribution(prices, own, passive, start, end, sectors, "sector")[0] for start, end in spans
        ]
        return np.concatenate([effects.iloc[:3, :-1].to_numpy(dtype=np.float64) for effects in found], axis=1)

    return work


def rolling_job(given: Book, days: pd.DatetimeIndex) -> Job:
    """Return empyrical's, a series after the other."""
    market = pd.Series(given.market, days)
    every = [pd.Series(series, days) for series in given.series.T]

    def work(_: int) -> Any:
        return np.array(
            [
                [empyrical.roll_annual_volatility(series, window=WINDOW, annualization=PERIODS) for series in every],
                [empyrical.roll_sharpe_ratio(series, window=WINDOW, annualization=PERIODS) for series in every],
                [empyrical.roll_beta(series, market, window=WINDOW) for series in every],
            ]
        ).transpose(0, 2, 1)

    return work


def main(folder: Path) -> None:
    """Serve the jobs on the book in `folder`."""
    given = books.read(folder)
    days = pd.date_range("2014-01-02", periods=len(given.values))
    jobs = {
        **risk_jobs(given),
        **book_jobs(given, days),
        "index": index_job(given, days),
        "brinson": brinson_job(given, days),
        "rolled": rolling_job(given, days),
    }
    serve(folder, "peers", jobs, PACKAGES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
