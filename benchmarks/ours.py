"""Our figures at work, in Fundwatch's own environment; see benchmarks/peers.py for the other side."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import ratios, rolling
from analytics.metrics import METRICS, Metric
from analytics.summary import summarize, summary
from benchmarks import portfolios
from benchmarks.portfolios import Histories
from benchmarks.worker import serve

PACKAGES = ("numpy", "pandas", "scipy")
MANY = 200
SIZES = (200, 250, 500, 1_000)
WINDOW = 63
PERIODS = 252.0


def _pyfolio_metrics() -> tuple[Metric, ...]:
    """Return the 13 figures of pyfolio's perf_stats in its order; two of them are not among ours."""
    known = {metric.key: metric for metric in METRICS}
    known["stability"] = Metric(
        "stability", "Stability", "Returns", "number", "R² of log wealth over time", lambda s: ratios.stability(s.block)
    )
    known["two_sigma"] = Metric(
        "two_sigma", "Daily value at risk", "Risk", "percent", "mean − 2 · std",
        lambda s: s.block.mean - 2 * s.block.deviation(1),
    )  # fmt: skip
    keys = (
        *("annual_return", "total_return", "volatility", "sharpe", "calmar", "stability", "max_drawdown", "omega"),
        *("sortino", "skewness", "kurtosis", "tail_ratio", "two_sigma"),
    )
    return tuple(known[key] for key in keys)


PYFOLIO = _pyfolio_metrics()


def one(histories: Histories, run: int) -> Any:
    """Return every metric of one portfolio beside the benchmark, another one in each run."""
    return summarize(histories.one(run), histories.benchmark)


def one_alone(histories: Histories, run: int) -> Any:
    """Return every metric of one portfolio that needs no benchmark."""
    return summarize(histories.one(run))


def first(histories: Histories, _run: int) -> Any:
    """Return every metric of all portfolios beside the benchmark."""
    return summarize(histories.frame, histories.benchmark)


def thirteen(histories: Histories, _run: int) -> NDArray[np.float64]:
    """Return pyfolio's 13 figures as (13, portfolios)."""
    return summary(None, histories.frame.to_numpy().T, metrics=PYFOLIO).values


def rolled(histories: Histories, _run: int) -> Any:
    """Return 63-day Sharpe, volatility and beta of all portfolios."""
    found = rolling.rolling_moments(histories.frame, histories.benchmark, WINDOW, periods=PERIODS)
    return found.sharpe, found.volatility, found.beta


def main(folder: Path) -> None:
    """Serve the jobs on the portfolios in `folder`."""
    histories = portfolios.read(folder)
    many = histories.first(MANY)
    jobs: dict[str, Callable[[int], Any]] = {
        "one": partial(one, many),
        "one_alone": partial(one_alone, many),
        "thirteen": partial(thirteen, many),
        "rolling": partial(rolled, many),
    }
    for size in SIZES:
        jobs[f"first_{size}"] = partial(first, histories.first(size))
    serve(folder, "ours", jobs, PACKAGES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
