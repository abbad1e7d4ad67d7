"""Whether the model is right: the VaR of the book of each past day, said the evening before, against what came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.backtest import REACH_BACK, Backtest, Zone, backtest, traffic_light
from analytics.block import Floats
from analytics.calendar import Dates, months_before
from analytics.past_risk import past_var
from portfolio.allowed import Limits
from portfolio.book_history import BookHistory, book_history
from portfolio.holdings import is_settled_daily
from portfolio.instrument_returns import InstrumentReturns, Key, date_of, instrument_returns
from portfolio.risk import key_of_instrument
from portfolio.risk_query import Method, RiskQuery
from portfolio.stored_prices import StoredPrices

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MONTHS = 12
WORDS: Mapping[Zone, str] = {
    "green": "green: no more than chance brings",
    "yellow": "yellow: more than a right model mostly has",
    "red": "red: the model is wrong",
}


@dataclass(frozen=True, eq=False, slots=True)
class PastRisk:
    """The days of the last year, what was to be said of each, and what came; money in the portfolio's currency."""

    days: Dates
    forecast: Floats
    """VaR of one day, as a positive loss."""
    pnl: Floats
    """Realised; NaN where it is not known."""
    result: Backtest
    zone: Zone
    method: Method
    historical_days: int
    """On which the method does not hold: the historical VaR is said of them."""
    reach: int
    """Days before each that its VaR is made from."""
    left_out_ratio: float
    """Of the exposure there was: what has too few prices, and is in the P&L but not in the VaR."""


def past_risk_of(
    stores: Stores, portfolio: Portfolio, limits: Limits, query: RiskQuery, last: np.datetime64,
    known: StoredPrices | None = None,
) -> PastRisk | None:  # fmt: skip
    """Return the back-test of the year up to the day `last`; None where no day of it can be tested.

    None too where a part reports no positions: the P&L is of all parts, the VaR of those that report. Each day's VaR is
    of the book of the evening before, by the method (historical where that does not hold) from the days before; a day
    whose report before is of an earlier evening is left out. known: prices that are not read again. Raises
    StorageUnavailable, StorageRejected.
    """
    history = book_history(stores, portfolio, limits, date_of(months_before(last, MONTHS)), date_of(last))
    if history is None or len(history.days) < 2 or history.unreported:
        return None
    keys = [key_of_instrument(place.about, place.currency) for place in history.positions]
    returns = _returns(stores, history, keys, last, known)
    reach = min(REACH_BACK, len(returns.days) // 2)
    if returns.lacks or reach < 2:
        return None
    at = np.searchsorted(returns.days, history.days[1:])
    # A return of one day is no measure of what came over several: both begin with the evening before.
    starts = np.concatenate([[returns.begins], returns.days])[at]
    is_day = np.isin(history.days[1:], returns.days) & (at >= reach) & (history.days[:-1] >= starts)
    if not is_day.any():
        return None
    column = {key: number for number, key in enumerate(returns.keys)}
    used = [number for number, key in enumerate(keys) if key in column]
    books = np.nan_to_num(history.values[:-1][is_day][:, used])
    columns = [column[keys[number]] for number in used]
    said = past_var(books, returns.returns[:, columns], at[is_day], query.level, reach, query.method)
    is_unsaid = np.isnan(said)
    if is_unsaid.any():
        instead = past_var(books[is_unsaid], returns.returns[:, columns], at[is_day][is_unsaid], query.level, reach)
        said[is_unsaid] = instead
    pnl = realised(history)[1:][is_day]
    result = backtest(pnl, said, query.level)
    if not result.observations:
        return None
    zone = traffic_light(result.exceedances, result.observations, query.level)
    return PastRisk(
        history.days[1:][is_day], said, pnl, result, zone, query.method, int(is_unsaid.sum()), reach,
        returns.left_out_ratio,
    )  # fmt: skip


def realised(history: BookHistory) -> Floats:
    """Return the P&L of each day: the value's change less flows, else that of the positions; NaN where not known."""
    gained = np.concatenate([[np.nan], np.diff(history.nav)]) - history.flows
    return np.where(np.isfinite(gained), gained, history.pnl.sum(axis=1))


def _returns(
    stores: Stores, history: BookHistory, keys: list[Key], last: np.datetime64, known: StoredPrices | None
) -> InstrumentReturns:
    gross: dict[Key, float] = defaultdict(float)
    sizes = np.nansum(np.abs(history.values), axis=0)
    for key, size in zip(keys, sizes.tolist(), strict=True):
        gross[key] += size
    portfolio = history.portfolio
    holders = sorted({place.portfolio for place in history.positions})
    settled = {key for key, place in zip(keys, history.positions, strict=True) if is_settled_daily(place.about)}
    return instrument_returns(stores, portfolio.origin, portfolio.currency, holders, gross, last, "2y", settled, known)
