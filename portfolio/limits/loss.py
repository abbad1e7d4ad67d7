"""Value at risk of what is held now, as the Risk page has it by historical simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analytics.holdings_risk import historical_risk
from core.format import first_of
from portfolio.risk import book_from
from portfolio.risk_query import RiskQuery

if TYPE_CHECKING:
    from portfolio.holdings import Holdings
    from storage.stores import Stores

FEWEST_DAYS = 100
"""From fewer the worst day in a hundred cannot be told."""


class NotKnown(Exception):
    """A figure cannot be worked out; the message says why. It stays within this package."""


def value_at_risk_ratio(stores: Stores, found: Holdings, nav: float, level: float) -> float:
    """Return the loss of a day that is not gone beyond with `level` (0.95), over the net asset value; at least 0.

    Of every position: on the Risk page one without returns is left out, here nothing is known then. Raises NotKnown;
    StorageUnavailable or StorageRejected.
    """
    if unrated := sorted({each.currency for each in found.foreign_cash if not math.isfinite(each.value)}):
        raise NotKnown(f"there is no rate for {first_of(unrated)}")
    if not found.positions and not found.foreign_cash:
        return 0.0
    book = book_from(stores, found, RiskQuery(level))
    returns = book.returns
    if returns.lacks:
        raise NotKnown(returns.lacks)
    if book.old_since is not None:
        raise NotKnown(f"of most of what is held the newest price is of {book.old_since}")
    if returns.left_out:
        names = first_of([each.key.instrument for each in returns.left_out])
        raise NotKnown(f"there are no returns of {names}: {returns.left_out[0].why}")
    if len(returns.days) < FEWEST_DAYS:
        raise NotKnown(f"there are fewer than {FEWEST_DAYS} days on which every instrument has a return")
    return max(historical_risk(book.netted, returns.returns, level).value_at_risk, 0.0) / nav
