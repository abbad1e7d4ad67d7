"""Prices of what is held that are hard to believe: far from the ones beside them, or old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.clock import DAY_SECONDS
from core.format import count, number
from portfolio.imports.doubts import JUMP
from portfolio.instrument_returns import CARRIED_DAYS, date_of
from storage.clickhouse.reads.prices import newest_prices

if TYPE_CHECKING:
    from portfolio.holdings import Holding, Holdings
    from storage.stores import Stores

LOOKS_BACK_DAYS = 400
"""An instrument without a stored price for longer is one that nobody sends prices of."""


def price_doubts(stores: Stores, found: Holdings) -> dict[tuple[str, str], str]:
    """Return why the price of a position is doubted, in words, by portfolio and instrument: of those that are.

    It is more than JUMP times, or less than a JUMP-th of, that of the report before or the newest stored price; or the
    newest stored price is more than CARRIED_DAYS older than the report. Raises StorageUnavailable, StorageRejected.
    """
    last = np.datetime64(found.newest // DAY_SECONDS, "D")
    symbols = sorted({each.instrument for each in found.positions})
    stored = newest_prices(
        stores.clickhouse, found.portfolio.origin, symbols, date_of(last - LOOKS_BACK_DAYS), date_of(last)
    )
    doubts = {}
    for each in found.positions:
        day = found.reported[each.portfolio] // DAY_SECONDS
        why = _jumped(each) or _against(each, stored.get(each.instrument), day)
        if why:
            doubts[each.portfolio, each.instrument] = why
    return doubts


def _jumped(each: Holding) -> str:
    if not _is_far(each.price, each.price_before):
        return ""
    before, now = _written(each.price_before), _written(each.price)
    return f"{before} in the report before, {now} now: {_by(each.price_before, each.price)}"


def _against(each: Holding, stored: tuple[int, float] | None, day: int) -> str:
    if stored is None:
        return ""
    at, price = stored
    when, age = np.datetime64(at // DAY_SECONDS, "D"), day - at // DAY_SECONDS
    if age > CARRIED_DAYS:
        return f"the newest stored price is of {when}, {count(age, 'day')} before the report"
    is_comparable = not each.about.currency or each.about.currency == each.currency
    if is_comparable and _is_far(each.price, price):
        return f"{_written(each.price)} in the report, {_written(price)} stored of {when}: {_by(price, each.price)}"
    return ""


def _is_far(one: float, other: float) -> bool:
    """Return whether two prices are too far from each other; of what is unknown or not above 0 that is not known."""
    return one > 0 and other > 0 and not 1 / JUMP <= one / other <= JUMP


def _by(before: float, now: float) -> str:
    return f"more than {JUMP:.0f} times" if now > before else f"less than a {JUMP:.0f}th"


def _written(price: float) -> str:
    return number(price, 4 if price < JUMP else 2)
