"""How long it takes to get out: shares of what trades a day, days to liquidate, and how much is out by when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over
from analytics.inputs import numbers, refuse

SHARE_OF_VOLUME = 0.2
"""Of the day's volume one dares to be."""
LADDER_DAYS = (1.0, 5.0, 10.0, 20.0, 60.0)


@dataclass(frozen=True, eq=False)
class Ladder:
    """Share of gross that is out within so many days; what is never out is the rest."""

    days: Floats
    share: Floats
    untradable: float
    """Share of gross in what does not trade at all."""


def share_of_volume(values: ArrayLike, volumes: ArrayLike) -> Floats:
    """Return |position| over what trades a day (ADV), both in currency or both in shares; NaN where nothing trades."""
    held, traded = _both(values, volumes)
    return over(np.abs(held), traded)


def days_to_liquidate(values: ArrayLike, volumes: ArrayLike, participation: float = SHARE_OF_VOLUME) -> Floats:
    """Return the days it takes to sell, or buy back, each position at a share of the daily volume.

    NaN where nothing trades; 0 where nothing is held. Raises ValueError when lengths differ, a value is missing, a
    volume is below 0 or `participation` is not within 0 to 1.
    """
    held, traded = _both(values, volumes)
    if not 0.0 < participation <= 1.0:
        raise ValueError(f"participation: {participation} is not above 0 and at most 1; give 0.2 for 20 %")
    return np.where(held == 0, 0.0, over(np.abs(held), traded * participation))


def ladder(
    values: ArrayLike,
    volumes: ArrayLike,
    participation: float = SHARE_OF_VOLUME,
    days: ArrayLike = LADDER_DAYS,
) -> Ladder:
    """Return how much of gross is out after so many days when all positions are sold at once, each day the same part.

    values, volumes: (positions,); NaN shares when nothing is held. Raises as `days_to_liquidate`.
    """
    held = np.abs(numbers("values", values, None))
    needed = days_to_liquidate(held, volumes, participation)
    steps = numbers("days", days, None)
    refuse("days", steps < 0, "is below 0")
    never = np.isnan(needed)
    done = np.where(needed > 0, np.minimum(over(steps[:, None], needed), 1.0), 1.0)
    gross = held.sum()
    out = np.where(never, 0.0, done) @ held
    return Ladder(steps, over(out, gross), float(over(held[never].sum(), gross)))


def _both(values: ArrayLike, volumes: ArrayLike) -> tuple[Floats, Floats]:
    held = numbers("values", values)
    traded = numbers("volumes", volumes, *held.shape)
    refuse("volumes", traded < 0, "is below 0")
    return held, traded
