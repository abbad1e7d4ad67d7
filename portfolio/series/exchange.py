"""Values in one currency as values in another, at the rates of their own days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.block import Bools, Floats
from analytics.calendar import Dates, carried
from analytics.performance import Track, track
from core.currency import Pair
from core.format import count

CARRIED_DAYS = 5
"""How long a rate stands in for the days after it: the longest holiday weekend, Thursday to Tuesday."""
NOTHING = (np.array([], dtype="datetime64[D]"), np.array([], dtype=np.float64))


@dataclass(frozen=True, eq=False, slots=True)
class Exchange:
    """What currencies cost, by pair: days, oldest first, and the price of one unit of the pair's first on each."""

    prices: Mapping[Pair, tuple[Dates, Floats]] = field(default_factory=dict)

    def path(self, own: str, other: str) -> tuple[Pair, ...]:
        """Return the pairs that lead from a currency to another, through at most one more; () where none do."""
        direct = self._step(own, other)
        if direct is not None:
            return (direct,)
        for between in sorted({currency for pair in self.prices for currency in pair}):
            first, second = self._step(own, between), self._step(between, other)
            if first is not None and second is not None:
                return first, second
        return ()

    def rates(self, own: str, other: str, days: Dates) -> Floats:
        """Return what one unit of `own` is worth in `other` on `days`: NaN where no rate is CARRIED_DAYS old or less.

        One over the price where a pair is the other way round; through a third currency the product of two.
        """
        if own == other:
            return np.ones(len(days))
        found, at = np.full(len(days), np.nan), own
        for number, pair in enumerate(self.path(own, other)):
            price = _carried(*self.prices[pair], days)
            leg = price if pair.base == at else 1.0 / price
            found = leg if number == 0 else found * leg
            at = pair.quote if pair.base == at else pair.base
        return found

    def _step(self, own: str, other: str) -> Pair | None:
        return next((pair for pair in (Pair(own, other), Pair(other, own)) if pair in self.prices), None)


def converted_prices(prices: Track, rates: Floats) -> Track:
    """Return a price track times the rate of each day; days without a rate are left out.

    A return that the prices do not know is none afterwards, and neither is one that spans days left out in between
    which it does not know.
    """
    known = np.isfinite(rates) & (rates > 0)
    if not known.any():
        return replace(prices, dates=prices.dates[:0], returns=prices.returns[:0], index=prices.index[:0])
    kept = np.flatnonzero(known)
    made = track(prices.dates[kept], (prices.index * np.where(known, rates, 1.0))[kept])
    unknown = np.cumsum(np.isnan(prices.returns))[kept][: len(made)]
    returns = made.returns.copy()
    returns[1:][unknown[1:] > unknown[:-1]] = np.nan
    return replace(made, returns=returns)


@dataclass(frozen=True, eq=False, slots=True)
class Converted:
    """Values and flows in another currency, on the days that have a rate."""

    kept: Bools
    """Of the days before."""
    value: Floats
    flow: Floats


def converted_values(values: Floats, flows: Floats, rates: Floats) -> Converted:
    """Return values and flows at the rate of their own day.

    What moved on a day that has no rate is converted at the next that has one: no money is lost.
    """
    kept = np.isfinite(rates) & (rates > 0)
    if not kept.any():
        return Converted(kept, values[:0], flows[:0])
    own = np.where(kept, flows * np.where(kept, rates, 0.0), 0.0)
    waiting = np.cumsum(np.where(kept, 0.0, flows))[kept]
    late = np.diff(waiting, prepend=0.0) * rates[kept]
    return Converted(kept, values[kept] * rates[kept], own[kept] + late)


def _carried(dates: Dates, prices: Floats, days: Dates) -> Floats:
    """Return the last price on or before each day; NaN where it is older than CARRIED_DAYS."""
    found = carried(dates, prices, days)
    if not len(dates):
        return found
    at = np.maximum(np.searchsorted(dates, days, side="right") - 1, 0)
    return np.where(days - dates[at] <= np.timedelta64(CARRIED_DAYS, "D"), found, np.nan)


def spans(days: Sequence[np.datetime64] | Dates) -> str:
    """Return days in words: how many, and the first and the last of them."""
    if len(days) == 1:
        return f"{days[0]}"
    return f"{count(len(days), 'day')} from {days[0]} to {days[-1]}"
