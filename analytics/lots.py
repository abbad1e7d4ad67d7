"""Units bought or sold short together, and which of them a trade closes: first in first out, or at average cost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["fifo", "average"]
METHODS: tuple[Method, ...] = ("fifo", "average")
DUST = 1e-12
"""What is left, as a share of the largest lot that there was since nothing was held, that is rounding and no units:
a lot that is closed in many small parts rounds by its own size each time, not by theirs."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Units that are open. Costs are of a unit, its fees and its multiplier in them."""

    quantity: float
    """Short: below 0."""
    cost: float
    cost_base: float
    """At the rate of its time."""
    opened_seconds: float
    """Of a pooled lot the mean by quantity."""
    first_seconds: float
    order: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """Units of a lot that a trade closed. Prices are of a unit, fees in them: gains are what came after costs."""

    symbol: str
    side: int
    """1 long, −1 short."""
    quantity: float
    """Above 0."""
    opened_seconds: float
    closed_seconds: float
    open_price: float
    close_price: float
    profit: float
    profit_base: float
    close_order: str
    """"" when the trade named none."""
    close_row: int
    """Of the transaction that closed it, counted from 1."""


@dataclass(slots=True)
class Lots:
    """The open lots of one instrument, all long or all short, oldest first."""

    method: Method
    open: deque[Lot] = field(default_factory=deque)
    largest: float = 0.0
    """Units of the largest lot since nothing was held."""

    @property
    def quantity(self) -> float:
        """Return the units held, short ones below 0."""
        return sum(lot.quantity for lot in self.open)

    def split(self, ratio: float) -> None:
        """Make `ratio` units of each; what they cost together stays."""
        self.largest *= ratio
        self.open = deque(
            replace(lot, quantity=lot.quantity * ratio, cost=lot.cost / ratio, cost_base=lot.cost_base / ratio)
            for lot in self.open
        )

    def take(self, new: Lot, symbol: str, row: int) -> list[Closed]:
        """Close what the new units are against, and open the rest: a sale through zero ends short."""
        found: list[Closed] = []
        left = new.quantity
        size = max(self.largest, abs(left)) if self.open else abs(left)
        while self.open and left * self.open[0].quantity < 0:
            old = self.open.popleft()
            quantity = min(abs(left), abs(old.quantity))
            side = 1 if old.quantity > 0 else -1
            found.append(_closed(symbol, row, side, quantity, old, new))
            left = _rest(left + side * quantity, size)
            kept = _rest(old.quantity - side * quantity, size)
            if kept:
                self.open.appendleft(replace(old, quantity=kept))
        if left:
            self._add(new if left == new.quantity else replace(new, quantity=left))
        return found

    def _add(self, new: Lot) -> None:
        before = self.largest if self.open else 0.0
        if self.method == "fifo" or not self.open:
            self.largest = max(before, abs(new.quantity))
            self.open.append(new)
            return
        old = self.open.pop()
        quantity = old.quantity + new.quantity
        self.largest = max(before, abs(quantity))
        share = new.quantity / quantity
        self.open.append(
            Lot(
                quantity,
                old.cost + share * (new.cost - old.cost),
                old.cost_base + share * (new.cost_base - old.cost_base),
                old.opened_seconds + share * (new.opened_seconds - old.opened_seconds),
                old.first_seconds,
            )
        )


def _closed(symbol: str, row: int, side: int, quantity: float, old: Lot, new: Lot) -> Closed:
    return Closed(
        symbol,
        side,
        quantity,
        old.opened_seconds,
        new.opened_seconds,
        old.cost,
        new.cost,
        side * quantity * (new.cost - old.cost),
        side * quantity * (new.cost_base - old.cost_base),
        new.order,
        row,
    )


def _rest(left: float, of: float) -> float:
    return 0.0 if abs(left) <= DUST * abs(of) else left
