"""Value at risk of what is held now, by the days that were: each instrument's past returns on its value of today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analytics.holdings_risk import historical_risk
from core.format import first_of
from portfolio.histories import kept
from storage.clickhouse.reads.portfolio import daily_prices_many

if TYPE_CHECKING:
    from portfolio.holdings import Holding
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

DAYS = 500
FEWEST_DAYS = 100
"""From fewer the worst day in a hundred cannot be told."""


class NotKnown(Exception):
    """A figure cannot be worked out; the message says why. It stays within this package."""


def value_at_risk_ratio(
    stores: Stores, portfolio: Portfolio, held: Sequence[Holding], nav: float, level: float
) -> float:
    """Return the loss of a day that is not gone beyond with `level` (0.95), over the net asset value; at least 0.

    Historical simulation over the newest 500 days of which every instrument has a price, in each one's own currency.
    Raises NotKnown; StorageUnavailable or StorageRejected.
    """
    values: defaultdict[str, float] = defaultdict(float)
    for each in held:
        values[each.instrument] += each.value
    if not values:
        return 0.0
    names = sorted(values)
    prices = kept(
        stores, ("prices of limits", portfolio.origin, *names),
        lambda: daily_prices_many(stores.clickhouse, portfolio.origin, names).values,
    )  # fmt: skip
    there = np.isfinite(prices) & (prices > 0)
    without = [name for name, days in zip(names, there, strict=True) if days.sum() <= FEWEST_DAYS]
    if without:
        raise NotKnown(f"{first_of(without)} has fewer than {FEWEST_DAYS} days of prices")
    closes = prices[:, there.all(axis=0)].T[-DAYS - 1 :]
    if len(closes) <= FEWEST_DAYS:
        raise NotKnown(f"there are fewer than {FEWEST_DAYS} days on which every instrument has a price")
    returns = closes[1:] / closes[:-1] - 1.0
    found = historical_risk(np.array([values[name] for name in names]), returns, level)
    return max(found.value_at_risk, 0.0) / nav
