"""A book to measure with beside the released packages: seeded, and read from the same files by both sides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SEED = 7
POSITIONS, DAYS, RISK_DAYS = 1_000, 2_520, 2_500
SECTORS = 11
FILLS, TRADED = 20_000, 200
"""Fills, and instruments that are traded: each once in some days, so that no two fills are merged into one."""
PARTS = 50
"""Of an index whose weights are restored every day."""
MONTHS = 120
"""Spans of 21 days, each with effects of its own against parts held alike."""
SERIES, WINDOW, PERIODS = 10, 63, 252
"""Series of rolling figures, and days of each window."""
TAIL = 0.05


@dataclass(frozen=True, eq=False)
class Book:
    """Days are rows, positions columns; money in one currency."""

    values: Floats
    """(2,520, 1,000): shorts negative, 0 where not held."""
    cash: Floats
    """(2,520,)."""
    returns: Floats
    """(2,500, 1,000), for risk."""
    covariance: Floats
    """(1,000, 1,000), of these."""
    weights: Floats
    """(1,000,): today's, for risk; they are net 1."""
    fill_day: NDArray[np.int64]
    """(20,000,): in order; of an instrument no two on one day."""
    fill_symbol: NDArray[np.int64]
    fill_quantity: Floats
    """Signed, whole numbers: one side holds each unit by itself."""
    fill_price: Floats
    levels: Floats
    """(2,520, 50): prices of the index's parts."""
    parts: Floats
    """(50,): their weights."""
    series: Floats
    """(2,520, 10): daily returns."""
    market: Floats
    """(2,520,)."""

    @property
    def sectors(self) -> list[str]:
        """Return the sector of each position."""
        return [f"sector {at % SECTORS:02}" for at in range(self.values.shape[1])]

    @property
    def ends(self) -> NDArray[np.int64]:
        """Return the days on which months begin and end, (121,)."""
        return np.linspace(0, len(self.levels) - 1, MONTHS + 1).astype(np.int64)


def write(folder: Path) -> None:
    """Leave the book in `folder` for processes that share nothing else."""
    draw = np.random.default_rng(SEED)
    values = draw.normal(2e4, 1e6, (DAYS, POSITIONS)) * (draw.random((DAYS, POSITIONS)) < 0.7)
    returns = draw.normal(0.0, 0.015, (RISK_DAYS, POSITIONS)) + draw.normal(0.0, 0.008, (RISK_DAYS, 1))
    weights = draw.normal(0.0, 0.003, POSITIONS)
    each = FILLS // TRADED
    days = np.concatenate([np.sort(draw.choice(DAYS, each, replace=False)) for _ in range(TRADED)])
    order = np.argsort(days, kind="stable")
    market = draw.normal(0.0004, 0.01, DAYS)
    sized = draw.integers(1, 100, FILLS) * np.where(draw.random(FILLS) < 0.5, 1, -1)
    np.savez(
        folder / "book.npz",
        values=values,
        cash=5e8 - values.sum(axis=1),
        returns=returns,
        covariance=np.cov(returns, rowvar=False),
        weights=weights + (1.0 - weights.sum()) / POSITIONS,
        fill_day=days[order],
        fill_symbol=np.repeat(np.arange(TRADED), each)[order],
        fill_quantity=sized.astype(np.float64),
        fill_price=draw.lognormal(4.0, 0.2, FILLS),
        levels=100.0 * np.exp(np.cumsum(draw.normal(0.0003, 0.015, (DAYS, PARTS)), axis=0)),
        parts=draw.dirichlet(np.ones(PARTS)),
        series=market[:, None] * draw.normal(1.0, 0.3, SERIES) + draw.normal(0.0, 0.01, (DAYS, SERIES)),
        market=market,
    )


def read(folder: Path) -> Book:
    """Return the book that `write` left."""
    with np.load(folder / "book.npz") as found:
        return Book(**found)
