"""Growth within the last day, where a portfolio has several values on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.returns import linked_return
from portfolio.query import DAY_SECONDS
from storage.clickhouse.reads.portfolio import intraday_nav

if TYPE_CHECKING:
    from portfolio.history import Nav
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MOST_POINTS = 900
FEWEST_POINTS = 2


@dataclass(frozen=True, slots=True)
class Intraday:
    """Growth within a day, oldest first: time-weighted, linked where money moved."""

    ts: list[int]
    """Epoch seconds."""
    values: list[float]
    """1 at the close before; NaN where that is zero or negative."""


def growth_within(stores: Stores, portfolio: Portfolio, nav: Nav) -> Intraday | None:
    """Return the growth within the last day of `nav`; None where that day has fewer than two values.

    Raises StorageUnavailable or StorageRejected.
    """
    if len(nav) < 2:
        return None
    start = int(nav.dates[-1].astype(np.int64)) * DAY_SECONDS
    end = start + DAY_SECONDS - 1
    found = intraday_nav(stores.clickhouse, portfolio.origin, portfolio.id, start, end, MOST_POINTS)
    if len(found.ts) < FEWEST_POINTS:
        return None
    opening, day = float(nav.value[-2]), nav.dates[-1]
    moves = [move for move in nav.moves if move.day == day]
    values: list[float] = []
    grown, last = 1.0, opening
    for ts, value in zip(found.ts.tolist(), found.values.tolist(), strict=True):
        while moves and moves[0].ts <= ts:
            move = moves.pop(0)
            grown *= 1.0 + linked_return(last, move.value, [(move.before, move.value, move.flow)])
            last = move.value
        values.append(grown * value / last if last > 0 else math.nan)
    return Intraday([start, *found.ts.tolist()], [1.0 if opening > 0 else math.nan, *values])
