"""How far prices went against and for the holder while round trips were open (MAE, MFE), by daily closes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.round_trips import RoundTrip, excursions
from core.clock import DAY_SECONDS
from portfolio.instrument_returns import undo_split
from portfolio.matched_trips import Matched, Trip
from storage.clickhouse.reads.prices import daily_prices_many

if TYPE_CHECKING:
    from storage.stores import Stores

NO_CLOSE = "not known: no daily close is stored of while it was open"
OTHER_CURRENCY = "not known: its prices are stored in another currency"
NO_COST = "not known: what it had cost is not"


@dataclass(frozen=True, slots=True)
class Excursion:
    """Shares of the opening price; NaN where they are not known."""

    adverse: float
    """0 or below."""
    favourable: float
    why: str = ""
    """Why they are not known."""


def excursions_of(stores: Stores, origin: str, found: Matched, trips: Sequence[Trip]) -> list[Excursion]:
    """Return how far each trip went, its closing price among the closes. Raises StorageUnavailable.

    A close is of the end of its day (UTC): those of the days since the opening, without that of the closing, which may
    have come after it. Prices are taken in units of after every split, whether they are stored so or as they were.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(trips):
        places[each.about.symbol].append(place)
    if not places:
        return []
    prices = daily_prices_many(stores.clickhouse, origin, sorted(places))
    ends = (prices.days.astype("datetime64[s]").astype(np.int64) + DAY_SECONDS - 1).astype(np.float64)
    made = [Excursion(math.nan, math.nan)] * len(trips)
    for symbol, row in zip(prices.instruments, prices.values, strict=True):
        of, splits = [trips[place] for place in places[symbol]], found.splits.get(symbol, ())
        levels = np.where(row > 0, row, np.nan)
        for at, ratio in splits:
            undo_split(prices.days, levels, np.datetime64(int(at // DAY_SECONDS), "D"), ratio)
        there = np.isfinite(levels)
        units = [_of_today(each.of, splits) for each in of]
        gone = excursions(units, ends[there], levels[there], multiplier=of[0].about.multiplier)
        for place, each, adverse, favourable in zip(
            places[symbol], of, gone.adverse.tolist(), gone.favourable.tolist(), strict=True
        ):
            made[place] = _excursion(each, adverse, favourable)
    return made


def _of_today(trip: RoundTrip, splits: Sequence[tuple[float, float]]) -> RoundTrip:
    """Return a trip with its opening price in units of after all splits: it is in those of the time of its closing."""
    ratio = math.prod(ratio for at, ratio in splits if at > trip.closed_seconds)
    return replace(trip, open_price=trip.open_price / ratio) if ratio != 1.0 else trip


def _excursion(each: Trip, adverse: float, favourable: float) -> Excursion:
    why = _why_not(each, adverse)
    if why:
        return Excursion(math.nan, math.nan, why)
    at_end = each.of.side * (each.of.close_price - each.of.open_price) / abs(each.of.open_price)
    return Excursion(min(adverse, at_end), max(favourable, at_end))


def _why_not(each: Trip, adverse: float) -> str:
    if not each.of.open_price or math.isnan(each.of.open_price):
        return NO_COST
    if each.about.currency not in ("", each.currency):
        return OTHER_CURRENCY
    return NO_CLOSE if math.isnan(adverse) else ""
