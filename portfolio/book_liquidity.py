"""How fast a book can be sold, from what its instruments trade a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.liquidity import SHARE_OF_VOLUME, Ladder, ladder
from portfolio.holdings import Holding

DAYS = (1.0, 2.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True, eq=False, slots=True)
class Liquidity:
    """Share of gross exposure that is out by when."""

    steps: Ladder
    unknown_ratio: float
    """Share of gross exposure of no known volume: it counts as never out."""


def liquidity_of(positions: Sequence[Holding]) -> Liquidity:
    """Return the ladder; positions of all strategies in an instrument share what it trades, longs and shorts alike."""
    gross: dict[str, float] = defaultdict(float)
    volumes: dict[str, float] = {}
    for each in positions:
        gross[each.instrument] += abs(each.value)
        volumes[each.instrument] = daily_value(each)
    held = np.array([*gross.values()], dtype=np.float64)
    traded = np.array([volumes[name] for name in gross], dtype=np.float64)
    whole = float(held.sum())
    unknown = float(held[traded == 0].sum()) / whole if whole > 0 else 0.0
    return Liquidity(ladder(held, traded, SHARE_OF_VOLUME, DAYS), unknown)


def daily_value(each: Holding) -> float:
    """Return what trades of an instrument in a day, in the portfolio's currency; 0 where nobody said."""
    volume = each.about.daily_volume
    return volume * abs(each.value / each.quantity) if volume and each.quantity else 0.0
