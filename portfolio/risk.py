"""What a portfolio may lose: value at risk and expected shortfall of what it holds, and what each position has of them.

Risk is of instruments, netted over strategies; a position's part is its value times what one more unit adds, so that
positions, and groups of them, add up to the whole.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.block import Floats
from analytics.calendar import carried
from analytics.covariance import Components, book_deviation, diversification_ratio, ledoit_wolf, principal_shares
from analytics.factors import factor_loadings
from analytics.holdings_risk import HoldingsRisk, historical_risk, hypothetical_pnl, risk_of_covariance
from analytics.modified_risk import modified_losses, modified_risk
from core.clock import DAY_SECONDS
from core.format import count, first_of
from portfolio.allowed import Limits
from portfolio.day_holdings import holdings
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.holdings import Group, Holding, Holdings
from portfolio.instrument_returns import CARRIED_DAYS, InstrumentReturns, Key, instrument_returns
from portfolio.risk_query import METHODS, Method, RiskQuery
from portfolio.series.reference import reference
from storage.state.series import Series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

FEWEST_COMMON = 20
"""Returns beside those of a benchmark below which there is no beta, and no realised volatility."""

MOST_NAMED = 6
"""Instruments without returns that are named."""


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """What is held and has returns: m positions in k instruments, cash in other currencies among them."""

    found: Holdings
    returns: InstrumentReturns
    positions: tuple[Holding, ...]
    values: Floats
    """(m,)."""
    columns: NDArray[np.intp]
    """(m,): the instrument of each position, a column of the returns."""
    unpriced: tuple[Holding, ...]
    """Positions of no known value."""

    @property
    def netted(self) -> Floats:
        """Return the value of each instrument, (k,)."""
        return np.bincount(self.columns, self.values, len(self.returns.keys)).astype(np.float64)

    @property
    def wide(self) -> Floats:
        """Return the returns of each position, (n, m)."""
        return self.returns.returns[:, self.columns]

    @property
    def newest(self) -> np.datetime64:
        """Return the day of the report."""
        return np.datetime64(self.found.newest // DAY_SECONDS, "D")

    @property
    def old_since(self) -> np.datetime64 | None:
        """Return the day of the newest price of most of what is held; None where it is new enough for the report."""
        days = self.returns.days
        is_old = len(days) and self.newest - days[-1] > np.timedelta64(CARRIED_DAYS, "D")
        return days[-1] if is_old else None

    def matrix(self) -> Floats:
        """Return the covariance of a day, shrunk (Ledoit-Wolf), (k, k)."""
        return ledoit_wolf(self.returns.returns).matrix


@dataclass(frozen=True, slots=True)
class Part:
    """What positions of a group have of the risk: they add up to the book's."""

    name: str
    value: float
    component_var: float
    component_es: float


@dataclass(frozen=True, eq=False, slots=True)
class Risk:
    """Of a book, by every method; money in the portfolio's currency, losses positive."""

    book: Book
    query: RiskQuery
    by_method: Mapping[Method, HoldingsRisk]
    """Without cornish_fisher where it does not hold."""
    diversification_ratio: float
    principal: Components
    """Of what is held, netted."""
    predicted_volatility: float
    """Of the book over NAV, a year."""
    realised_volatility: float
    """Of the portfolio's own returns over the same days, a year; NaN where they are too few."""
    beta: float
    """Of the book over NAV to the benchmark; NaN without one."""
    benchmark: str
    """What it is called; empty: the portfolio has none."""
    matrix: Floats
    """(k, k)."""

    @property
    def method(self) -> Method:
        """Return the method asked for, the historical one where that does not hold."""
        return self.query.method if self.query.method in self.by_method else "historical"

    @property
    def whole(self) -> HoldingsRisk:
        """Return the risk by the method."""
        return self.by_method[self.method]

    @property
    def of_a_day(self) -> tuple[Method, float]:
        """Return the VaR of one day and its method: the one asked for, the historical one where that does not hold."""
        method, whole = self.method, self.whole.value_at_risk
        if method != "cornish_fisher" or self.query.horizon == 1:
            return method, whole / math.sqrt(self.query.horizon)
        day = float(modified_losses(book_pnl(self.book)[None], self.query.level, 1)[0][0])
        if math.isfinite(day):
            return method, day
        return "historical", self.by_method["historical"].value_at_risk / math.sqrt(self.query.horizon)

    @property
    def told(self) -> tuple[str, ...]:
        """Return what must be known beside the figures."""
        if self.query.method == self.method:
            return ()
        wanted, shown = METHODS[self.query.method], METHODS[self.method]
        return (f"{wanted} does not hold here: the tails are too fat for it. {shown} is shown.",)

    def by(self, group: Group) -> list[Part]:
        """Return the parts of groups, the riskiest first."""
        rows: dict[str, list[int]] = defaultdict(list)
        for at, each in enumerate(self.book.positions):
            rows[each.group(group, self.book.found.names)].append(at)
        parts = [self._part(name, at) for name, at in rows.items()]
        return sorted(parts, key=lambda part: -part.component_var)

    def all(self) -> Part:
        """Return all positions together."""
        return self._part("All", range(len(self.book.positions)))

    def _part(self, name: str, at: Sequence[int]) -> Part:
        rows, whole = [*at], self.whole
        return Part(
            name, math.fsum(self.book.values[rows]), math.fsum(whole.component_var[rows]),
            math.fsum(whole.component_es[rows]),
        )  # fmt: skip


def book_of(
    stores: Stores, portfolio: Portfolio, limits: Limits, as_of: np.datetime64 | None, query: RiskQuery
) -> Book | None:
    """Return what a portfolio holds as of a day with its returns; None: it told no positions.

    `returns.lacks` says why there is nothing to work risk out from. Raises StorageUnavailable, StorageRejected.
    """
    found = holdings(stores, portfolio, limits, as_of)
    return book_from(stores, found, query) if found is not None else None


def book_from(stores: Stores, found: Holdings, query: RiskQuery) -> Book:
    """Return what is held with its returns, as `book_of` does."""
    known = held_of(found)
    returns = returns_of(stores, found, [(each, abs(each.value)) for each in known], query)
    return book_with(found, returns, known)


def held_of(found: Holdings) -> tuple[Holding, ...]:
    """Return what has risk and a known value: positions, and cash in other currencies."""
    return tuple(each for each in (*found.positions, *found.foreign_cash) if math.isfinite(each.value))


def returns_of(
    stores: Stores, found: Holdings, sized: Sequence[tuple[Holding, float]], query: RiskQuery
) -> InstrumentReturns:
    """Return the returns of positions' instruments up to the day of what is held; sized: each with its gross value."""
    gross: dict[Key, float] = defaultdict(float)
    moving: set[Key] = set()
    for each, size in sized:
        key = key_of_position(each)
        gross[key] += size
        if each.moves_with_currency:
            moving.add(key)
    last = np.datetime64(found.newest // DAY_SECONDS, "D")
    portfolio = found.portfolio
    return instrument_returns(
        stores, portfolio.origin, portfolio.currency, [*found.names], gross, last, query.history,
        gross.keys() - moving, cash={key_of_position(each) for each, _ in sized if each.is_cash},
    )  # fmt: skip


def book_with(found: Holdings, returns: InstrumentReturns, known: Sequence[Holding]) -> Book:
    """Return the book of those of the positions `known` that have returns."""
    column = {key: at for at, key in enumerate(returns.keys)}
    used = tuple(each for each in known if key_of_position(each) in column)
    unpriced = tuple(each for each in (*found.positions, *found.foreign_cash) if not math.isfinite(each.value))
    return Book(
        found, returns, used, np.array([each.value for each in used], dtype=np.float64),
        np.array([column[key_of_position(each)] for each in used], dtype=np.intp), unpriced,
    )  # fmt: skip


def lost_of(book: Book) -> list[str]:
    """Return what is in no figure of a book beside the instruments that have no returns, a sentence each."""
    said = []
    since = book.old_since
    if since is not None:
        said.append(f"Of most of what is held the newest price is of {since}: what came since is in no figure.")
    if book.unpriced:
        said.append(f"{count(len(book.unpriced), 'position')} of no known value left out.")
    return said


def named_left_out(book: Book) -> str:
    """Return the instruments that have no returns and why, the largest first; empty: all of them have some."""
    lost = sorted(book.returns.left_out, key=lambda each: -each.gross)
    return first_of([f"{each.key.instrument}: {each.why}" for each in lost], MOST_NAMED, "; ")


def key_of_position(each: Holding) -> Key:
    """Return what a position has its returns by: prices are in the currency that is said of them, else in its own."""
    return key_of_instrument(each.about, each.currency)


def key_of_instrument(about: Series, currency: str) -> Key:
    """Return what an instrument has its returns by; currency: of the position in it."""
    is_price = about.kind in ("price", "total_return")
    return Key(about.symbol, (about.currency if is_price else "") or currency)


def risk_of(stores: Stores, book: Book, query: RiskQuery) -> Risk:
    """Return the risk of a book that has returns. Raises StorageUnavailable, StorageRejected."""
    matrix, netted, returns = book.matrix(), book.netted, book.returns
    level, horizon = query.level, query.horizon
    by_method: dict[Method, HoldingsRisk] = {
        "historical": historical_risk(book.values, book.wide, level, horizon),
        "parametric": risk_of_covariance(book.values, matrix[np.ix_(book.columns, book.columns)], level, horizon),
    }
    modified = modified_risk(book.values, book.wide, level, horizon) if query.method == "cornish_fisher" else None
    if modified is not None:
        by_method["cornish_fisher"] = modified
    nav, root = book.found.nav, math.sqrt(returns.days_a_year)
    deviation = book_deviation(netted, matrix)
    benchmark, betas = market_of(stores, book)
    return Risk(
        book=book,
        query=query,
        by_method=by_method,
        diversification_ratio=diversification_ratio(netted, matrix),
        principal=principal_shares(netted, matrix),
        predicted_volatility=root * deviation / nav if nav > 0 else math.nan,
        realised_volatility=_realised(stores, book),
        beta=float(netted @ betas) / nav if betas is not None and nav > 0 else math.nan,
        benchmark=benchmark,
        matrix=matrix,
    )


def market_of(stores: Stores, book: Book) -> tuple[str, Floats | None]:
    """Return what the portfolio's benchmark is called, empty for none, and the beta of each instrument to it, (k,).

    The betas are None where the benchmark does not have the days. Raises StorageUnavailable, StorageRejected.
    """
    portfolio = book.found.portfolio
    if not portfolio.benchmark:
        return "", None
    beside = reference(stores, portfolio.origin, portfolio.benchmark, portfolio.currency)
    market = series_returns(stores, book, portfolio.benchmark)
    if market is None:
        return beside.name, None
    there = np.isfinite(market)
    loadings = factor_loadings(book.returns.returns[there], market[there, None]).loadings
    betas = np.asarray(loadings, dtype=np.float64).reshape(-1)
    return beside.name, betas if np.isfinite(betas).all() else None


def series_returns(stores: Stores, book: Book, key: str) -> Floats | None:
    """Return the returns of a benchmark or other series on the book's days, NaN where it has none; None: too few.

    A return spans from one of the book's days to the next, each with the last value up to a week before.
    """
    portfolio, days = book.found.portfolio, book.returns.days
    track = reference(stores, portfolio.origin, key, portfolio.currency).track
    if len(track) < FEWEST_COMMON or len(days) < FEWEST_COMMON:
        return None
    every = np.concatenate([[book.returns.begins], days])
    levels = carried(track.dates, track.index, every)
    at = np.maximum(np.searchsorted(track.dates, every, side="right") - 1, 0)
    levels = np.where(every - track.dates[at] <= np.timedelta64(7, "D"), levels, np.nan)
    found: Floats = levels[1:] / levels[:-1] - 1.0
    return found if int(np.isfinite(found).sum()) >= FEWEST_COMMON else None


def book_pnl(book: Book) -> Floats:
    """Return what today's book would have gained on each day, (n,)."""
    return hypothetical_pnl(book.netted, book.returns.returns)


def _realised(stores: Stores, book: Book) -> float:
    portfolio, days = book.found.portfolio, book.returns.days
    history = fund(stores, portfolio.origin).history(portfolio.id, said_of(portfolio))
    track = history.track
    inside = (track.dates >= days[0]) & (track.dates <= days[-1])
    returns = track.returns[inside]
    returns = returns[np.isfinite(returns)]
    if len(returns) < FEWEST_COMMON:
        return math.nan
    return float(np.std(returns, ddof=1)) * math.sqrt(history.cadence.periods)
