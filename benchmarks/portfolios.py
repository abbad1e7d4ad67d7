"""Portfolios to measure with: seeded mixes of the sample's real stocks, as many and as long as asked for.

The real daily returns (2014–2022) follow each other in their order, and start again when they run out; weights are
drawn once a portfolio and restored daily. The S&P 500 of the same days is the benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

SEED = 20221228
LAST_DAY = "2022-12-28"
DAYS_A_YEAR = 252


@dataclass(frozen=True)
class Histories:
    """Daily returns on working days: a column a portfolio, each column in one piece as pandas keeps them."""

    frame: pd.DataFrame
    benchmark: pd.Series[float]

    def one(self, number: int) -> pd.Series[float]:
        """Return one portfolio's returns; numbers beyond the last start again."""
        return self.frame.iloc[:, number % self.frame.shape[1]]

    def first(self, count: int) -> Histories:
        """Return the first `count` portfolios."""
        return Histories(self.frame.iloc[:, :count], self.benchmark)


def mixes(count: int, days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the returns of `count` portfolios as (count, days), and the benchmark's."""
    from sample.prices import ETFS, load_prices

    prices = load_prices()
    stocks = [at for at, name in enumerate(prices.instruments) if name not in ETFS]
    real = prices.close[1:, stocks] / prices.close[:-1, stocks] - 1.0
    market = prices.benchmark[1:] / prices.benchmark[:-1] - 1.0
    weights = np.random.default_rng(SEED).dirichlet(np.ones(len(stocks)), size=count)
    day = np.arange(days) % len(real)
    return np.ascontiguousarray((weights @ real.T)[:, day]), market[day]


def write(folder: Path, count: int, days: int) -> None:
    """Leave the portfolios in `folder` for processes that share nothing else."""
    returns, benchmark = mixes(count, days)
    np.save(folder / "returns.npy", returns)
    np.save(folder / "benchmark.npy", benchmark)


def read(folder: Path) -> Histories:
    """Return the portfolios that `write` left."""
    import pandas as pd

    returns = np.load(folder / "returns.npy")
    index: Any = pd.bdate_range(end=LAST_DAY, periods=returns.shape[1])
    names = [f"p{number:04}" for number in range(len(returns))]
    frame = pd.DataFrame(returns.T, index=index, columns=names, copy=False)
    return Histories(frame, pd.Series(np.load(folder / "benchmark.npy"), index=index, name="SP500"))
