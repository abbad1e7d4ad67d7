"""The round trips of a portfolio that were closed in a span of days: what all of them come to, and each group."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.performance import anchor_day
from analytics.round_trips import RoundTrip, TripFigures, figures
from core.clock import DAY_SECONDS
from portfolio.allowed import Limits
from portfolio.histories import fund
from portfolio.matched_trips import Matched, Trip, matched
from portfolio.query import FIRST_DAY, PortfolioQuery
from portfolio.tellers import names_of, tellers

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

GROUPS: Mapping[str, str] = {"instrument": "Instrument", "portfolio": "Strategy", "month": "Month", "side": "Side"}


@dataclass(frozen=True, eq=False, slots=True)
class Trips:
    """The round trips that were closed in a span of days, of one instrument or all."""

    portfolio: Portfolio
    matched: Matched
    trips: tuple[Trip, ...]
    first: np.datetime64
    """First and last day (UTC)."""
    last: np.datetime64
    names: Mapping[str, str]

    @property
    def known(self) -> list[Trip]:
        """Return those of known profit."""
        return [each for each in self.trips if not math.isnan(each.profit)]

    @property
    def unknown(self) -> int:
        """Return how many have no known profit: they are in no figure."""
        return sum(math.isnan(each.profit) for each in self.trips)

    def all(self) -> TripFigures:
        """Return what all of known profit come to, in the portfolio's currency."""
        return figures([each.of for each in self.known])

    def by(self, group: str) -> dict[str, TripFigures]:
        """Return the same by one of GROUPS: months newest first, others by profit, the highest first."""
        parts: dict[str, list[RoundTrip]] = defaultdict(list)
        for each in self.known:
            parts[each.group(group, self.names)].append(each.of)
        found = {name: figures(part) for name, part in parts.items()}
        if group == "month":
            return dict(sorted(found.items(), reverse=True))
        return dict(sorted(found.items(), key=lambda each: (-each[1].profit, each[0])))


def trips_of(
    stores: Stores, portfolio: Portfolio, limits: Limits, query: PortfolioQuery, instrument: str = ""
) -> Trips | None:
    """Return the round trips that were closed in the query's window or range, up to its as-of day or the newest trade.

    None: no trade was told. A portfolio that tells no trades of its own is the sum of its parts. Raises
    StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    ids = tellers(stores, whole, portfolio.origin, portfolio.id, "trades")
    if not ids:
        return None
    found = matched(stores, portfolio, whole, ids, by_strategy=True)
    first, last = _days(query, found)
    begin, end = (float(day.astype("datetime64[s]").astype(np.int64)) for day in (first, last + 1))
    closed = [each.of.closed_seconds for each in found.trips]
    part = found.trips[bisect_left(closed, begin) : bisect_left(closed, end)]
    chosen = tuple(each for each in part if instrument in ("", each.about.symbol))
    return Trips(portfolio, found, chosen, first, last, names_of(whole, ids))


def _days(query: PortfolioQuery, found: Matched) -> tuple[np.datetime64, np.datetime64]:
    traded = np.datetime64(int(found.newest // DAY_SECONDS), "D")
    newest = traded if query.as_of is None else query.as_of
    opening = found.trips[0].of.closed_seconds if found.trips else found.newest
    first = np.datetime64(int(opening // DAY_SECONDS), "D")
    if query.span is not None:
        start, end = query.span
        start = min(first, end) if start == FIRST_DAY else start
        return start, min(end, max(newest, start))
    if query.window == "ITD":
        return min(first, newest), newest
    return anchor_day(np.array([newest - 1, newest]), query.window) + 1, newest
