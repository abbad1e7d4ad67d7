"""Daily returns of instruments in a portfolio's currency, as risk is worked out from: nothing missing.

Prices are those that are stored or, where they do not reach, those that reports of positions told. A day counts when
instruments with half of the gross exposure have a price on it; on a day without one the last price stands.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from analytics.block import Bools, Floats
from analytics.calendar import Dates, months_before
from core.format import count, percent
from portfolio.histories import exchange
from portfolio.series.exchange import Exchange
from portfolio.stored_prices import StoredPrices, stored_prices
from storage.clickhouse.reads.book import reported_prices, splits_told
from storage.clickhouse.reads.prices import DailyPrices

if TYPE_CHECKING:
    from storage.stores import Stores

History = Literal["1y", "2y", "all"]
HISTORIES: Mapping[History, str] = {"1y": "1 year", "2y": "2 years", "all": "all"}
MONTHS: Mapping[History, int] = {"1y": 12, "2y": 24}
FEWEST_DAYS = 60
"""Returns below which nothing is worked out."""
A_DAY = 0.5
"""Of the gross exposure that has begun: what has a price on a day for it to count."""
COVERED = 0.8
"""Of the gross exposure: a window that is longer begins where so much of it has prices."""
OWN_DAYS = 0.9
"""Of a window's days: on so many an instrument has a price of its own, or it is left out."""
CARRIED_DAYS = 5
"""How old a price may be at either end of the window."""
LONGEST_GAP_DAYS = 2
"""Between two prices in the middle: more are no daily ones."""


class Key(NamedTuple):
    """An instrument and the currency of its price."""

    instrument: str
    currency: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An instrument that has no returns, and why."""

    key: Key
    why: str
    gross: float


@dataclass(frozen=True, eq=False, slots=True)
class InstrumentReturns:
    """Returns of k instruments over n days."""

    keys: tuple[Key, ...]
    days: Dates
    """(n,): on which each return ends."""
    begins: np.datetime64
    """The day on which the first one begins."""
    returns: Floats
    """(n, k)."""
    left_out: tuple[LeftOut, ...]
    gross: float
    """Of everything that was asked for."""
    from_reports: tuple[str, ...] = ()
    """Instruments whose prices are those of position reports."""
    lacks: str = ""
    """Why there are none at all; empty: there are."""
    stored: StoredPrices | None = None
    """Prices that they were made from; None where none was asked for."""

    @property
    def left_out_ratio(self) -> float:
        """Return the share of gross exposure that is left out."""
        return sum(each.gross for each in self.left_out) / self.gross if self.gross else 0.0

    @property
    def days_a_year(self) -> int:
        """Return how many of its days are a year: 252, or 365 where weekends are among them."""
        weekday = (self.days.astype(np.int64) + 3) % 7
        return 365 if len(weekday) and float((weekday >= 5).mean()) > 0.1 else 252


@dataclass(frozen=True, eq=False, slots=True)
class _Prices:
    days: Dates
    values: Floats
    """(k, n), NaN on days without one; of what was split as if it always had been."""


def instrument_returns(
    stores: Stores,
    origin: str,
    currency: str,
    holders: Sequence[str],
    asked: Mapping[Key, float],
    last: np.datetime64,
    history: History,
    settled: Container[Key] = (),
    known: StoredPrices | None = None,
    cash: Container[Key] = (),
) -> InstrumentReturns:
    """Return daily returns up to the day `last` of what is asked for, each with its gross exposure in `currency`.

    holders: ids of the portfolios whose reports and splits count. settled: what no currency moves, since each day's
    gain is cash. cash: what its currency alone moves; it has the days of the others, else those of its rates. known:
    prices that are not read again. Splits are undone where the price shows them, since stored prices may be adjusted
    already. Raises StorageUnavailable, StorageRejected.
    """
    keys = [key for key, gross in asked.items() if gross > 0 and key not in cash]
    money = [key for key, gross in asked.items() if gross > 0 and key in cash]
    gross, every = np.array([asked[key] for key in keys]), np.array([asked[key] for key in (*keys, *money)])
    if not len(every):
        return _none(keys, every, last, "nothing of a known value is held")
    first = months_before(last, MONTHS[history]) if history in MONTHS else None
    since = None if first is None else first - CARRIED_DAYS
    symbols = sorted({key.instrument for key in keys})
    stored = stored_prices(stores, origin, symbols, date_of(last), None if since is None else date_of(since), known)
    prices, from_reports = _prices(stores, holders, keys, stored, since, last)
    rated = exchange(stores, origin)
    days = _days(prices, gross) if keys else _days_of_rates(rated, money, currency, last, first)
    window = days[_start(prices, days, gross, first) :] if keys and len(days) else days
    if len(window) <= FEWEST_DAYS:
        what = "prices" if keys else "rates"
        why = f"there are {what} of {count(len(window), 'day')}; more than {FEWEST_DAYS} are needed"
        return _none((*keys, *money), every, last, why)
    if float(np.median(np.diff(window).astype(np.int64))) > LONGEST_GAP_DAYS:
        return _none((*keys, *money), every, last, "prices are told less often than daily")
    carried, why_not = _carried(prices, window) if keys else (np.empty((0, len(window))), [])
    carried = np.vstack([carried, np.ones((len(money), len(window)))])
    spoken = [currency if key in settled else key.currency for key in (*keys, *money)]
    rates = {each: rated.rates(each, currency, window) for each in {*spoken}}
    reasons = [*why_not, *("" for _ in money)]
    told = [why or _no_rate(rates[of], of, currency) for of, why in zip(spoken, reasons, strict=True)]
    used = [at for at, why in enumerate(told) if not why]
    levels = np.array([carried[at] * rates[spoken[at]] for at in used]).reshape(len(used), len(window))
    keys = [*keys, *money]
    left_out = tuple(LeftOut(keys[at], why, float(every[at])) for at, why in enumerate(told) if why)
    reported = tuple(sorted({keys[at].instrument for at in used if keys[at].instrument in from_reports}))
    returns = np.ascontiguousarray((levels[:, 1:] / levels[:, :-1] - 1.0).T)
    return InstrumentReturns(
        tuple(keys[at] for at in used), window[1:], window[0], returns,
        left_out, float(every.sum()), reported, "" if used else "none of what is held has enough prices", stored,
    )  # fmt: skip


def _days_of_rates(
    known: Exchange, money: Sequence[Key], currency: str, last: np.datetime64, first: np.datetime64 | None
) -> Dates:
    """Return the days up to the last on which a rate of the currencies is told."""
    pairs = {pair for key in money for pair in known.path(key.currency, currency)}
    days = np.unique(np.concatenate([np.array([], dtype="datetime64[D]"), *(known.prices[pair][0] for pair in pairs)]))
    return days[(days <= last) & (first is None or days >= first)]


def date_of(day: np.datetime64) -> date:
    """Return a day as a date."""
    return date.fromisoformat(str(day))


def _seconds(day: np.datetime64) -> int:
    return int(day.astype("datetime64[s]").astype(np.int64))


def _prices(
    stores: Stores, holders: Sequence[str], keys: Sequence[Key], stored: StoredPrices, since: np.datetime64 | None,
    last: np.datetime64,
) -> tuple[_Prices, frozenset[str]]:  # fmt: skip
    """Return prices by key, and the instruments that have those of position reports."""
    symbols, origin = stored.symbols, stored.origin
    counts = np.isfinite(stored.values).sum(axis=1)
    lacking = [symbol for symbol, many in zip(symbols, counts, strict=True) if many <= FEWEST_DAYS]
    start, end = 0 if since is None else max(_seconds(since), 0), _seconds(last + 1)
    told = reported_prices(stores.clickhouse, origin, holders, lacking, start, end) if lacking else None
    merged, from_reports = _merged(symbols, stored.days, stored.values, told)
    _undo_splits(merged, symbols, splits_told(stores.clickhouse, origin, holders, symbols, end))
    row = {symbol: at for at, symbol in enumerate(symbols)}
    return _Prices(merged.days, merged.values[[row[key.instrument] for key in keys]]), from_reports


def _merged(
    symbols: Sequence[str], days: Dates, known: Floats, told: DailyPrices | None
) -> tuple[_Prices, frozenset[str]]:
    """Return stored prices, and those of reports for the instruments of which these tell more."""
    if told is None or not len(told.days):
        return _Prices(days, known.copy()), frozenset()
    every = np.union1d(days, told.days)
    values = np.full((len(symbols), len(every)), np.nan)
    values[:, np.searchsorted(every, days)] = known
    row, better = {symbol: at for at, symbol in enumerate(symbols)}, set()
    at_told = np.searchsorted(every, told.days)
    for symbol, prices in zip(told.instruments, told.values, strict=True):
        at = row[symbol]
        if np.isfinite(prices).sum() > np.isfinite(values[at]).sum():
            values[at] = np.nan
            values[at, at_told] = prices
            better.add(symbol)
    return _Prices(every, values), frozenset(better)


def _undo_splits(prices: _Prices, symbols: Sequence[str], splits: Sequence[tuple[str, np.datetime64, float]]) -> None:
    row = {symbol: at for at, symbol in enumerate(symbols)}
    for symbol, day, ratio in splits:
        undo_split(prices.days, prices.values[row[symbol]], day, ratio)


def undo_split(days: Dates, levels: Floats, day: np.datetime64, ratio: float) -> None:
    """Divide the prices before a split by its ratio where it shows in them, in place: they may be adjusted already.

    Where no price has come since, none was adjusted yet.
    """
    there = np.flatnonzero(np.isfinite(levels))
    after = int(np.searchsorted(days[there], day))
    if not after:
        return
    if after < len(there):
        moved = float(np.log(levels[there[after]] / levels[there[after - 1]]))
        if abs(moved + np.log(ratio)) >= abs(moved):
            return
    levels[: there[after - 1] + 1] /= ratio


def _days(prices: _Prices, gross: Floats) -> Dates:
    """Return the days on which enough of the exposure that has begun has a price."""
    there = np.isfinite(prices.values)
    begun = np.logical_or.accumulate(there, axis=1)
    had, could = gross @ there, gross @ begun
    return prices.days[(had >= A_DAY * could) & (could > 0)]


def _start(prices: _Prices, days: Dates, gross: Floats, first: np.datetime64 | None) -> int:
    """Return the place among `days` at which the window begins."""
    priced = np.isfinite(prices.values).any(axis=1)
    begins = np.array([prices.days[int(np.isfinite(row).argmax())] for row in prices.values[priced]])
    order = np.argsort(begins, kind="stable")
    reached = np.cumsum(gross[priced][order])
    covered = begins[order][int(np.searchsorted(reached, COVERED * reached[-1]))]
    from_ = covered if first is None else max(first, covered)
    return min(int(np.searchsorted(days, from_)), max(len(days) - 1, 0))


def _carried(prices: _Prices, window: Dates) -> tuple[Floats, list[str]]:
    """Return the price of each on each day of the window, the last one carried, and why it is none."""
    there = np.isfinite(prices.values)
    at = np.maximum.accumulate(np.where(there, np.arange(len(prices.days)), -1), axis=1)
    places = np.searchsorted(prices.days, window)
    at = at[:, places]
    levels = np.take_along_axis(prices.values, np.maximum(at, 0), axis=1)
    own = there[:, places].mean(axis=1)
    told = []
    for row, is_there, share in zip(at, there, own.tolist(), strict=True):
        told.append(_why_not(prices.days, row, is_there, share, window))
    return np.where(at >= 0, levels, np.nan), told


def _why_not(days: Dates, at: np.ndarray, there: Bools, own_share: float, window: Dates) -> str:
    if not there.any():
        return "there is no price of it"
    late = np.timedelta64(CARRIED_DAYS, "D")
    begins = days[int(there.argmax())]
    if at[0] < 0 or window[0] - days[at[0]] > late:
        return f"its prices begin on {begins}, the window on {window[0]}"
    if window[-1] - days[at[-1]] > late:
        return f"its newest price is of {days[at[-1]]}"
    if own_share < OWN_DAYS:
        return f"it has a price on {percent(own_share)} of the days alone"
    return ""


def _no_rate(rates: Floats, currency: str, wanted: str) -> str:
    return "" if np.isfinite(rates).all() else f"there is no rate from {currency} to {wanted} on all days"


def _none(keys: Sequence[Key], gross: Floats, last: np.datetime64, why: str) -> InstrumentReturns:
    left_out = tuple(LeftOut(key, why, float(each)) for key, each in zip(keys, gross, strict=True))
    nothing = np.array([], dtype="datetime64[D]")
    return InstrumentReturns((), nothing, last, np.empty((0, 0)), left_out, float(gross.sum()), lacks=why)
