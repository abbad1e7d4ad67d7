"""What positions cost, worked out from their trades: first in first out, or on average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.book import Position
from analytics.lots import METHODS as LOT_METHODS
from core.format import count
from portfolio.allowed import Limits
from portfolio.histories import fund
from portfolio.holdings import QUANTITY_OFF, Holding, Holdings
from portfolio.matched_trips import matched
from portfolio.reports import covers
from portfolio.tellers import tellers
from storage.clickhouse.reads.trades import Place

if TYPE_CHECKING:
    from storage.stores import Stores

REPORTED = "reported"
METHODS: Mapping[str, str] = {REPORTED: "Reported", "fifo": "FIFO", "average": "Average"}
WORDS = {"fifo": "first in first out", "average": "on average"}


@dataclass(frozen=True, eq=False, slots=True)
class Costed:
    """Positions with what they cost by a method, where their trades explain them; else as reported."""

    holdings: Holdings
    method: str
    """One of METHODS."""
    worked_out: frozenset[Place]
    """Positions whose cost is worked out, by portfolio and instrument."""

    def of(self, each: Holding) -> str:
        """Return how the cost of a position is known."""
        if (each.portfolio, each.instrument) in self.worked_out:
            return f"{WORDS[self.method]}, from its trades"
        return "as reported"

    @property
    def said(self) -> str:
        """Return how costs are known, and of how many positions they are not worked out."""
        if self.method == REPORTED:
            return "as reported"
        left = len(self.holdings.positions) - len(self.worked_out)
        but = (
            f"; of {count(left, 'position')} as reported: no trades in their own currency explain how many are held"
            if left
            else ""
        )
        return f"{WORDS[self.method]}{but}"


def costed(stores: Stores, found: Holdings, limits: Limits, method: str) -> Costed:
    """Return the positions with average cost, unrealised and realised by a method of METHODS.

    A position is explained where its trades, splits and transfers up to its report come to its quantity, and are in its
    currency. Raises StorageUnavailable, StorageRejected.
    """
    lots = next((each for each in LOT_METHODS if each == method), None)
    if lots is None:
        return Costed(found, REPORTED, frozenset())
    portfolio = found.portfolio
    whole = fund(stores, portfolio.origin).seen(limits)
    ids = tellers(stores, whole, portfolio.origin, portfolio.id, "trades")
    held = matched(stores, portfolio, whole, ids, lots, float(covers(found.newest))).open if ids else {}
    positions = tuple(_costed(each, held.get((each.portfolio, each.instrument, ""))) for each in found.positions)
    worked_out = frozenset(
        (each.portfolio, each.instrument)
        for each in positions
        if _is_explained(each, held.get((each.portfolio, each.instrument, "")))
    )
    return Costed(replace(found, positions=positions), lots, worked_out)


def _is_explained(each: Holding, lots: Position | None) -> bool:
    if lots is None or lots.currency != each.currency:
        return False
    return abs(lots.quantity - each.quantity) <= QUANTITY_OFF * max(abs(each.quantity), 1.0)


def _costed(each: Holding, lots: Position | None) -> Holding:
    if lots is None or not _is_explained(each, lots) or not each.local_value:
        return each
    cost = lots.average_cost
    rate = each.value / each.local_value
    unrealised = (each.price - cost) * each.quantity * each.about.multiplier * rate
    return replace(each, average_cost=cost, unrealised=unrealised, realised=each.total - unrealised)
