"""The released packages at work, each by its own documented call, in the environment of requirements-bench.txt."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import empyrical
import ffn
import numpy as np
from pyfolio.timeseries import perf_stats
from quantstats import reports
from quantstats.utils import _PREPARE_RETURNS_CACHE

from benchmarks import portfolios
from benchmarks.portfolios import Histories
from benchmarks.worker import serve

PACKAGES = ("QuantStats", "ffn", "pyfolio-reloaded", "empyrical-reloaded", "numpy", "pandas", "scipy")
MANY = 200
QUANTSTATS_SAMPLE = 4
"""Portfolios of the 200 that QuantStats is run on; its time is scaled to all."""
WINDOW = 63
ALONE = (
    *("annual_return", "cum_returns_final", "annual_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio"),
    *("stability_of_timeseries", "max_drawdown", "omega_ratio", "downside_risk", "tail_ratio", "value_at_risk"),
    "conditional_value_at_risk",
)
AGAINST = ("alpha", "beta", "capture", "up_capture", "down_capture")

Series = Any
Work = Callable[[Series, Series], Any]


def quantstats(returns: Series, benchmark: Series | None) -> Any:
    """Return the full table, of returns not seen before: what is remembered of an earlier run is dropped."""
    _PREPARE_RETURNS_CACHE.clear()
    return reports.metrics(returns, benchmark=benchmark, mode="full", display=False)


def ffn_stats(returns: Series, _benchmark: Series) -> Any:
    """Return ffn's figures of the price history that the returns make; making it is part of the work."""
    return ffn.calc_stats(100.0 * (1.0 + returns).cumprod()).stats


def pyfolio(returns: Series, _benchmark: Series) -> Any:
    """Return the 13 figures."""
    return perf_stats(returns).to_numpy()


def empyrical_stats(returns: Series, benchmark: Series) -> Any:
    """Return 18 figures, as its functions give them one by one."""
    alone = [getattr(empyrical, name)(returns) for name in ALONE]
    return np.array(alone + [getattr(empyrical, name)(returns, benchmark) for name in AGAINST])


def one(histories: Histories, work: Work, run: int) -> Any:
    """Do one portfolio, another one in each run; the copies keep what a package writes on its input to itself."""
    return work(histories.one(run).copy(), histories.benchmark.copy())


def many(histories: Histories, work: Work, count: int, run: int) -> Any:
    """Do `count` portfolios one after the other, others in each run; return the first figures by portfolio."""
    found = [one(histories, work, run * count + at) for at in range(count)]
    return np.array(found).T if isinstance(found[0], np.ndarray) else found[0]


def rolling(histories: Histories, _run: int) -> Any:
    """Return 63-day Sharpe, volatility and beta of all portfolios with pandas alone: there is no peer."""
    window = histories.frame.rolling(WINDOW)
    deviation = window.std()
    market = histories.benchmark
    beta = window.cov(market).div(market.rolling(WINDOW).var(), axis=0)
    return window.mean() / deviation * 252**0.5, deviation * 252**0.5, beta


def main(folder: Path) -> None:
    """Serve the jobs on the portfolios in `folder`."""
    warnings.simplefilter("ignore")
    histories = portfolios.read(folder)
    jobs: dict[str, Callable[[int], Any]] = {"pandas_rolling": partial(rolling, histories)}
    calls: dict[str, tuple[Work, int]] = {
        "quantstats": (lambda returns, _: quantstats(returns, None), QUANTSTATS_SAMPLE),
        "quantstats_benchmark": (quantstats, QUANTSTATS_SAMPLE),
        "ffn": (ffn_stats, MANY),
        "pyfolio": (pyfolio, MANY),
        "empyrical": (empyrical_stats, MANY),
    }
    for name, (work, count) in calls.items():
        jobs[f"{name}_one"] = partial(one, histories, work)
        jobs[f"{name}_many"] = partial(many, histories, work, count)
    serve(folder, "peers", jobs, PACKAGES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
