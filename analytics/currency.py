"""What currencies did to a profit: local profit, currency and their product."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from analytics.block import Floats
from analytics.inputs import numbers, positive


@dataclass(frozen=True, eq=False)
class CurrencySplit:
    """Parts of profit and loss in base currency; they add up to it."""

    local: Floats
    currency: Floats
    """The rate's own return on what was there at the start."""
    cross: Floats
    """The rate's return on what was gained or lost locally."""

    @property
    def total(self) -> Floats:
        """Return the profit and loss in base currency."""
        return self.local + self.currency + self.cross


def currency_pnl(pnl: ArrayLike, before: ArrayLike, rate_start: ArrayLike, rate_end: ArrayLike) -> CurrencySplit:
    """Return parts of profit and loss in base currency; they add up to it, whatever was bought or sold meanwhile.

    before: value at the start. With e the rate's return and P = what was gained locally, at the rate of the start:
    P&L = P (1 + e) + before · e, so local P = (P&L − before · e) / (1 + e), currency before · e, cross P · e. What was
    paid meanwhile counts at the rate of the end. rates: base currency for a unit of the local one, at the start and the
    end. Raises ValueError when lengths differ, a value is missing or a rate is not above 0.
    """
    gained = numbers("pnl", pnl)
    held = numbers("before", before, *gained.shape)
    start, end = (
        positive(name, given, *gained.shape) for name, given in (("rate_start", rate_start), ("rate_end", rate_end))
    )
    moved = end / start - 1.0
    local = (gained - held * moved) / (1.0 + moved)
    return CurrencySplit(local, held * moved, local * moved)
