"""Net asset values built from trades, transactions and prices, of a portfolio that reports none.

On each day with a trade, or with a price of what was traded: what is held at its end, at the last price up to it, and
cash. Money in and out is deposits and withdrawals, and instruments that were transferred, at the price of their day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from core.format import first_of, noun
from portfolio.built_holdings import BuiltReports, built_of
from portfolio.history import NOTHING, BuiltNav, Nav
from portfolio.series.exchange import CARRIED_DAYS, spans
from storage.state.series import list_series

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

LAST_SECOND = 2**32 - 1


def built_nav(stores: Stores, whole: Fund, portfolio: Portfolio) -> BuiltNav | None:
    """Return the values that a portfolio's own trades come to; None: it told no trades.

    A day without the price or rate of something held has no value, and money that moved on it is of the next one that
    has. Raises StorageUnavailable or StorageRejected.
    """
    about = {each.symbol: each for each in list_series(stores.state, portfolio.origin)}
    reports = built_of(stores, whole, about, portfolio.id, LAST_SECOND, is_costed=False)
    if reports is None:
        return None
    if why := reports.book.problem or reports.book.no_money:
        return BuiltNav(NOTHING, (f"{portfolio.name}: no value is built from its trades: {why}",))
    return _valued(whole, portfolio, reports)


def _valued(whole: Fund, portfolio: Portfolio, reports: BuiltReports) -> BuiltNav:
    book, days = reports.book, reports.at.astype("datetime64[s]").astype("datetime64[D]")
    currencies = {*book.currencies, *book.cash, *book.flows}
    rates = {each: whole.exchange().rates(each, portfolio.currency, days) for each in currencies}
    values, moved = np.zeros(len(days)), np.zeros(len(days))
    for place, currency in enumerate(book.currencies):
        of_one = reports.prices[:, place] * reports.multiplier(place)
        values += _worth(book.quantities[:, place], of_one * rates[currency])
        moved += _worth(book.transfers[:, place], _next_known(of_one * rates[currency]))
    for currency, amounts in book.cash.items():
        values += _worth(amounts, rates[currency])
    for currency, amounts in book.flows.items():
        moved += _worth(amounts, _next_known(rates[currency]))
    there = np.isfinite(values)
    flows = np.diff(np.cumsum(np.nan_to_num(moved))[there], prepend=0.0)
    kept = days[there]
    nav = Nav(kept, values[there], flows, int(reports.at[there][-1]) if len(kept) else 0)
    return BuiltNav(nav, _told(portfolio, reports, days, kept))


def _told(portfolio: Portfolio, reports: BuiltReports, days: Dates, kept: Dates) -> tuple[str, ...]:
    name = portfolio.name
    if not len(kept):
        return (f"{name}: no value is built from its trades: no day has all prices and rates",)
    said = []
    lost = np.setdiff1d(days, kept)
    if len(lost):
        said.append(f"{name}: a price or rate is missing on {spans(lost)}; no value is built there")
    held = reports.book.at(-1)
    old = [each for each, day in reports.newest.items() if each in held and kept[-1] - day > CARRIED_DAYS]
    if old:
        since = min(reports.newest[each] for each in old)
        said.append(f"{name}: {noun(len(old), 'the price', 'prices')} of {first_of(old)} {noun(len(old), 'is', 'are')} "
                    f"old, the oldest of {since}")  # fmt: skip
    return tuple(said)


def _worth(amounts: Floats, of_one: Floats) -> Floats:
    """Return amounts times what one is worth, which need not be known of nothing."""
    return np.where(amounts == 0, 0.0, amounts * of_one)


def _next_known(values: Floats) -> Floats:
    """Return each value, or the next one that there is."""
    at = np.where(np.isfinite(values), np.arange(len(values)), len(values))
    following = np.minimum.accumulate(at[::-1])[::-1]
    return np.append(values, np.nan)[following]
