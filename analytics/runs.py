"""Runs of neighbouring observations: spells under water, streaks of gains. A missing return neither ends nor adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.block import Block, Bools, Floats

Kind = TypeVar("Kind", bound=np.generic)
Positions: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Runs:
    """Every run of k portfolios, one portfolio after the other, oldest first.

    `first` and `last` are positions among all observations laid end to end, portfolio after portfolio.
    """

    portfolios: int
    row: Positions
    """Which portfolio."""
    first: Positions
    last: Positions
    """The last position that belongs to the run."""
    is_open: Bools
    """Whether it reaches the portfolio's last observation."""

    @property
    def length(self) -> Positions:
        """Return how many observations each run has."""
        return self.last - self.first + 1

    def longest(self) -> Floats:
        """Return the length of the longest run, by portfolio; 0 without one."""
        return self.most(self.length.astype(np.float64))

    def most(self, values: Floats) -> Floats:
        """Return the largest of a value a run, by portfolio; 0 without one or when all are below it."""
        found = np.zeros(self.portfolios)
        np.maximum.at(found, self.row, values)
        return found

    def total(self, values: Floats) -> Floats:
        """Return the sum of a value a run, by portfolio."""
        return np.bincount(self.row, weights=values, minlength=self.portfolios).astype(np.float64)

    @property
    def count(self) -> Floats:
        """Return how many runs there are, by portfolio."""
        return np.bincount(self.row, minlength=self.portfolios).astype(np.float64)


def observed(block: Block, values: NDArray[Kind]) -> NDArray[Kind]:
    """Return what a (k, n) array holds where there are returns, laid end to end."""
    return values.ravel() if block.is_complete else values[block.there]


def runs(block: Block, flags: Bools) -> Runs:
    """Return the runs of True in `flags`, (k, n), counted in observations."""
    flat = observed(block, flags)
    counts = block.count.astype(np.intp)
    ends = np.cumsum(counts)
    begins = ends - counts
    opens, closes = flat.copy(), flat.copy()
    opens[1:] &= ~flat[:-1]
    closes[:-1] &= ~flat[1:]
    some = counts > 0
    opens[begins[some]] = flat[begins[some]]
    closes[ends[some] - 1] = flat[ends[some] - 1]
    first, last = np.flatnonzero(opens), np.flatnonzero(closes)
    row = np.searchsorted(ends, first, side="right")
    return Runs(len(counts), row, first, last, last == ends[row] - 1)
