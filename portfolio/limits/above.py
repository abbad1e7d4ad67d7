"""What trades that are thought of in a portfolio do to those that it is part of: the same positions change there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from portfolio.histories import exchange
from portfolio.holdings import Holding, Holdings
from portfolio.limits.known import above

if TYPE_CHECKING:
    from portfolio.thought_trades import Priced, Tried
    from storage.stores import Stores


@dataclass(frozen=True, slots=True)
class Thought:
    """What would be held after trades, and these; money in the currency of who would hold it."""

    after: Holdings
    trades: Sequence[Priced]


@dataclass(frozen=True, slots=True)
class _Moved:
    """A position that trades change; None: it is opened."""

    before: Holding | None
    after: Holding

    @property
    def traded(self) -> float:
        """Return the quantity that is bought; below 0: sold."""
        return self.after.quantity - (self.before.quantity if self.before else 0.0)


def thought_above(stores: Stores, held: Holdings, tried: Tried, parents: Mapping[str, str]) -> Thought:
    """Return what a portfolio above that of the trades would hold: the same quantities move in it.

    Where a portfolio in between, or it itself, tells positions of its own, they move in those. held: what it holds now.
    parents: of every portfolio, whoever may see them. Raises StorageUnavailable, StorageRejected.
    """
    assert tried.after is not None, "without it there is nothing to move"
    before, after = tried.book.found, tried.after
    rate = _rate(stores, before, held)
    rows = {(each.portfolio, each.instrument): each for each in held.positions}
    paid = costs = (before.nav - after.nav) * rate
    for each in _moved(before, after):
        key = _teller(each.after.portfolio, held.names, parents), each.after.instrument
        row = rows.get(key)
        moved = _scaled(row, 1 + each.traded / row.quantity) if row else _opened(each, key[0], rate)
        paid += moved.owned - (row.owned if row else 0.0)
        rows[key] = moved
    nav = held.nav - costs
    weighed = [replace(each, weight=each.value / nav) for each in rows.values() if each.quantity]
    positions = tuple(sorted(weighed, key=lambda each: (math.isnan(each.value), -abs(each.value))))
    trades = [replace(each, value=each.value * rate) for each in tried.trades]
    return Thought(replace(held, positions=positions, cash=held.cash - paid, nav=nav), trades)


def _rate(stores: Stores, before: Holdings, held: Holdings) -> float:
    """Return what one unit of the currency of the trades is worth above; NaN without a rate."""
    of, to = before.portfolio.currency, held.portfolio.currency
    if of == to:
        return 1.0
    day = np.array([held.newest // DAY_SECONDS], dtype="datetime64[D]")
    return float(exchange(stores, held.portfolio.origin).rates(of, to, day)[0])


def _moved(before: Holdings, after: Holdings) -> list[_Moved]:
    was = {(each.portfolio, each.instrument): each for each in before.positions}
    is_now = {(each.portfolio, each.instrument): each for each in after.positions}
    gone = [replace(each, quantity=0.0) for key, each in was.items() if key not in is_now]
    there = [each for key, each in is_now.items() if key not in was or was[key].quantity != each.quantity]
    return [_Moved(was.get((each.portfolio, each.instrument)), each) for each in (*there, *gone)]


def _teller(holder: str, names: Mapping[str, str], parents: Mapping[str, str]) -> str:
    """Return which of the portfolios that are added up tells of a holder's positions; one that none does its own."""
    return next((each for each in (holder, *above(holder, parents)) if each in names), holder)


def _opened(moved: _Moved, portfolio: str, rate: float) -> Holding:
    """Return what the trades alone come to, of a position that nobody tells of there."""
    source = moved.before or moved.after
    worth = replace(source, portfolio=portfolio, value=source.value * rate, owned=source.owned * rate)
    return _scaled(worth, moved.traded / source.quantity)


def _scaled(row: Holding, times: float) -> Holding:
    """Return a position of so many times the quantity."""
    return replace(
        row, quantity=row.quantity * times, value=row.value * times, local_value=row.local_value * times,
        owned=row.owned * times, volume_share=row.volume_share * abs(times),
        liquidate_days=row.liquidate_days * abs(times),
    )  # fmt: skip
