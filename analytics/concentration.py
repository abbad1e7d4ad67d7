"""How much of a book is in how few positions. Weights are |value| over gross, so that shorts count as longs do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over, smallest
from analytics.inputs import Groups, Labels, numbers

TOP = (1, 5, 10)


@dataclass(frozen=True, eq=False)
class Concentration:
    """By day; NaN where nothing is held."""

    herfindahl: Floats
    """Σ w², from 1 / n of equal positions to 1 of a single one (Herfindahl 1950, Hirschman 1945)."""
    top: Floats
    """(days, counts), what the largest 1, 5 and 10 positions are of gross."""

    @property
    def effective_number(self) -> Floats:
        """Return 1 / HHI: so many equal positions would be as concentrated."""
        return over(1.0, self.herfindahl)


def concentration(values: ArrayLike, top: tuple[int, ...] = TOP, names: Labels | None = None) -> Concentration:
    """Return the concentration of each day. values: (days, positions), 0 where nothing is held.

    names: what each position is of; those of one name are one, longs less shorts. None: each is by itself.
    Raises ValueError when a value is missing, names are too few or many, or `top` holds a number below 1.
    """
    held = numbers("values", values, None, None)
    held = np.abs(held if names is None else Groups.of("names", names, held.shape[1]).summed(held))
    if min(top) < 1:
        raise ValueError(f"top: {min(top)} is below 1")
    gross = held.sum(axis=1)
    shares = over(np.vecdot(held, held), gross * gross)
    count = min(max(top), held.shape[1])
    if not count:
        return Concentration(shares, np.full((len(held), len(top)), np.nan))
    largest = np.cumsum(-smallest(-held, count), axis=1)
    picked = largest[:, [min(size, count) - 1 for size in top]]
    return Concentration(shares, np.minimum(over(picked, gross[:, None]), 1.0))
