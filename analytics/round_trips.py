"""Trades matched into round trips, first in first out: how many won, how much, how long, and how far they went.

A round trip is what one trade closed (all fills of one order are one trade): units of all lots it took, from the first
one's opening. Prices and profits are after fees, in the currency of the instrument.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats, over
from analytics.execution import expectancy
from analytics.inputs import numbers, positive
from analytics.lots import Closed


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """From the first unit in to the last out."""

    symbol: str
    side: int
    """1 long, −1 short."""
    quantity: float
    opened_seconds: float
    closed_seconds: float
    open_price: float
    """Mean by quantity."""
    close_price: float
    profit: float
    profit_base: float
    order: str

    @property
    def held_seconds(self) -> float:
        """Return how long it took."""
        return self.closed_seconds - self.opened_seconds

    @property
    def return_ratio(self) -> float:
        """Return the profit over what was put in, |quantity · open price|."""
        return float(over(self.profit, self.quantity * abs(self.open_price)))


@dataclass(frozen=True, slots=True)
class TripFigures:
    """Of many round trips; NaN where there is none to tell from. Those at exactly 0 are neither won nor lost."""

    count: int
    won: int
    lost: int
    hit_rate: float
    """Won over all."""
    payoff: float
    """Mean win over mean loss."""
    expectancy: float
    """Mean profit."""
    profit_factor: float
    """All that was won over all that was lost."""
    profit: float
    held_seconds: float
    """Mean."""
    median_held_seconds: float
    best: float
    """Largest profit, below 0 where every trip lost."""
    worst: float


@dataclass(frozen=True, eq=False)
class Excursions:
    """By round trip, as shares of the opening price: how far it went against (≤ 0) and for the holder (≥ 0)."""

    adverse: Floats
    """MAE (Sweeney 1996)."""
    favourable: Floats
    """MFE."""


def round_trips(closed: Iterable[Closed]) -> list[RoundTrip]:
    """Return the round trips of book.Book.closed, by time of closing."""
    parts: dict[tuple[str, int, str, int], list[Closed]] = {}
    for each in closed:
        row = 0 if each.close_order else each.close_row
        parts.setdefault((each.symbol, each.side, each.close_order, row), []).append(each)
    return sorted(map(_trip, parts.values()), key=lambda trip: (trip.closed_seconds, trip.symbol))


def figures(trips: Sequence[RoundTrip]) -> TripFigures:
    """Return what many round trips come to; profits in base currency, so that instruments can be put together."""
    profits = np.array([trip.profit_base for trip in trips], dtype=np.float64)
    wins, losses = profits[profits > 0], -profits[profits < 0]
    won, lost = float(wins.sum()), float(losses.sum())
    mean_win, mean_loss = over(won, len(wins)), over(lost, len(losses))
    held = np.array([trip.held_seconds for trip in trips], dtype=np.float64)
    return TripFigures(
        count=len(trips),
        won=len(wins),
        lost=len(losses),
        hit_rate=float(over(len(wins), len(trips))),
        payoff=float(over(mean_win, mean_loss)),
        expectancy=expectancy(profits),
        profit_factor=float(over(won, lost)),
        profit=float(profits.sum()),
        held_seconds=float(over(held.sum(), len(trips))),
        median_held_seconds=float(np.median(held)) if len(held) else float("nan"),
        best=float(profits.max()) if len(profits) else float("nan"),
        worst=float(profits.min()) if len(profits) else float("nan"),
    )


def by_side(trip: RoundTrip) -> str:
    """Return "long" or "short"."""
    return "long" if trip.side > 0 else "short"


def excursions(
    trips: Sequence[RoundTrip],
    times_seconds: ArrayLike,
    highs: ArrayLike,
    lows: ArrayLike | None = None,
    multiplier: float = 1.0,
) -> Excursions:
    """Return how far the price of one instrument went while each round trip was open.

    highs, lows: of each time, in order; one series of prices does for both. NaN where no price is in the time it was
    open. Raises ValueError when lengths differ, times are out of order, or a price is not above 0.
    """
    times = numbers("times_seconds", times_seconds, None)
    if (np.diff(times) < 0).any():
        raise ValueError("times_seconds: prices are out of order; give the oldest first")
    top = positive("highs", highs, len(times)) * multiplier
    low = top if lows is None else positive("lows", lows, len(times)) * multiplier
    first = np.searchsorted(times, [trip.opened_seconds for trip in trips], "left")
    last = np.searchsorted(times, [trip.closed_seconds for trip in trips], "right")
    paid = np.array([trip.open_price for trip in trips], dtype=np.float64)
    side = np.array([trip.side for trip in trips], dtype=np.float64)
    best = _extreme(np.maximum, top, first, last)
    worst = _extreme(np.minimum, low, first, last)
    up, down = over(best - paid, np.abs(paid)), over(worst - paid, np.abs(paid))
    return Excursions(
        adverse=np.minimum(np.where(side > 0, down, -up), 0.0),
        favourable=np.maximum(np.where(side > 0, up, -down), 0.0),
    )


def _extreme(of: np.ufunc, prices: Floats, first: NDArray[np.intp], last: NDArray[np.intp]) -> Floats:
    """Return the extreme of prices[first:last] of each; NaN where that is empty."""
    if not len(first) or not len(prices):
        return np.full(len(first), np.nan)
    # One more at the end: an edge may lie behind the last price.
    edges = np.stack([first, np.maximum(last, first + 1)], axis=1).ravel()
    found: Floats = of.reduceat(np.append(prices, np.nan), np.minimum(edges, len(prices)))[::2]
    return np.where(last > first, found, np.nan)


def _trip(parts: list[Closed]) -> RoundTrip:
    quantity = sum(part.quantity for part in parts)
    return RoundTrip(
        parts[0].symbol,
        parts[0].side,
        quantity,
        min(part.opened_seconds for part in parts),
        max(part.closed_seconds for part in parts),
        sum(part.quantity * part.open_price for part in parts) / quantity,
        sum(part.quantity * part.close_price for part in parts) / quantity,
        sum(part.profit for part in parts),
        sum(part.profit_base for part in parts),
        parts[0].close_order,
    )
