"""Cash of a portfolio, as the positions of a day tell it."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from portfolio.histories import cash_on, fund

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores


def cash_of(stores: Stores, portfolio: Portfolio, day: date, currency: str) -> float:
    """Return the cash of a portfolio on a day in a currency, else that of all its parts; NaN where it is not known.

    Raises StorageUnavailable or StorageRejected.
    """
    whole = fund(stores, portfolio.origin)
    found = cash_on(stores, portfolio.origin, (portfolio.id,), day).get(portfolio.id)
    if found is None:
        parts = whole.parts(portfolio.id)
        return math.fsum(cash_of(stores, each, day, currency) for each in parts) if parts else math.nan
    amount, told = found[0], found[1] or portfolio.currency
    if told == currency:
        return amount
    return amount * float(whole.exchange().rates(told, currency, np.array([day], dtype="datetime64[D]"))[0])
