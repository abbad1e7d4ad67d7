"""How far prices went against and for the holder while round trips were open (MAE, MFE), by daily closes."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.round_trips import excursions
from portfolio.round_trips import Matched, Trip
from storage.clickhouse.reads.portfolio import DAY_SECONDS, daily_prices_many

if TYPE_CHECKING:
    from storage.stores import Stores

SPLIT_MEANWHILE = "not known: prices before and after its split are of other units"
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
    have come after it.
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
        of = [trips[place] for place in places[symbol]]
        there = row > 0
        gone = excursions([each.of for each in of], ends[there], row[there], multiplier=of[0].about.multiplier)
        for place, each, adverse, favourable in zip(
            places[symbol], of, gone.adverse.tolist(), gone.favourable.tolist(), strict=True
        ):
            made[place] = _excursion(found, each, adverse, favourable)
    return made


def _excursion(found: Matched, each: Trip, adverse: float, favourable: float) -> Excursion:
    why = _why_not(found, each, adverse)
    if why:
        return Excursion(math.nan, math.nan, why)
    at_end = each.of.side * (each.of.close_price - each.of.open_price) / abs(each.of.open_price)
    return Excursion(min(adverse, at_end), max(favourable, at_end))


def _why_not(found: Matched, each: Trip, adverse: float) -> str:
    splits = found.splits.get((each.portfolio, each.about.symbol), ())
    if not each.of.open_price or math.isnan(each.of.open_price):
        return NO_COST
    if bisect_right(splits, each.of.closed_seconds) > bisect_left(splits, each.of.opened_seconds):
        return SPLIT_MEANWHILE
    if each.about.currency not in ("", each.currency):
        return OTHER_CURRENCY
    return NO_CLOSE if math.isnan(adverse) else ""
