"""Where a portfolio's return came from: what each position, group, period and currency added; the parts add up to it.

Profit and loss of positions is the book's (portfolio/book_history.py), value and return are the portfolio's own. What
is between the two is told apart: cash and other (interest, fees, accruals), and what nobody can explain, with why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from analytics.block import Bools, Floats
from analytics.calendar import Dates
from analytics.contribution import Contributions, contributions
from analytics.currency import CurrencySplit, currency_pnl
from analytics.inputs import Groups
from analytics.performance import Track, between_dates
from core.format import count, first_of
from portfolio.allowed import Limits
from portfolio.book_history import BookHistory, book_history
from portfolio.by_period import COSTS, OTHER, RESERVED, UNEXPLAINED, ByPeriod, Every, period_names
from portfolio.data import PortfolioData
from portfolio.history import Nav
from portfolio.holdings import Group
from portfolio.series.exchange import Exchange

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

Cut = Group | Literal["position"]
"""By what positions are added up; position: each by itself."""
NOTHING, SAME = 1e-12, 1e-9
"""Shares of the capital below which what is not explained, and what a value differs from its parts by, is rounding."""
HALF_A_CENT = 0.005
"""By so much an amount that is sent in cents may differ from what it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a position, a group or a rest added over the window."""

    name: str
    pnl: float
    """Money, before costs; of COSTS itself what they took."""
    costs: float
    """Commission and fees of a group, which are COSTS' too; below 0: rebates."""
    added: float
    """Share of the portfolio's return, before costs; a ratio."""
    weight: float
    """Average value over capital, a ratio; NaN of what is no group of positions."""
    count: int = 0
    """Positions."""

    @property
    def net(self) -> float:
        """Return the money after costs."""
        return self.pnl - self.costs


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """Profit and loss of a window in steps, from one known day to the next; money in the portfolio's currency."""

    portfolio: Portfolio
    book: BookHistory
    start: np.datetime64
    """The last day before the window: its value is what the window begins with."""
    days: Dates
    """(n,) last day of each step."""
    pnl: Floats
    """(n, positions), before costs; 0 where it is not known."""
    costs: Floats
    """(n, positions)."""
    weights: Floats
    """(n, positions), value at the start of the step over the capital."""
    capital: Floats
    """(n,) value at the start of the step with the money that came in."""
    returns: Floats
    """(n,) the portfolio's own."""
    other: Floats
    """(n,) what NAV gained beside positions that are all known."""
    unexplained: Floats
    """(n,) what NAV gained where positions or their P&L are not known, or is told apart from them."""
    timing: Floats
    """(n,) share of each step's return that is no money over capital: what moved within a day is linked there."""
    split: CurrencySplit
    """(n, positions) each: local, currency and cross parts of P&L after costs, money."""
    reasons: tuple[str, ...]
    """Why something is not explained."""
    _kept: dict[str, Contributions] = field(default_factory=dict)

    @property
    def total_return(self) -> float:
        """Return the portfolio's time-weighted return of the window."""
        return float(np.prod(1.0 + self.returns) - 1.0)

    @property
    def total_pnl(self) -> float:
        """Return the money that was gained: the change of the value less what was put in."""
        return float((self.pnl - self.costs).sum() + self.other.sum() + self.unexplained.sum())

    @property
    def total_costs(self) -> float:
        """Return commission and fees of the window."""
        return float(self.costs.sum())

    def labels(self, by: Cut) -> tuple[str, ...]:
        """Return the group of each position."""
        if by == "position":
            return tuple(f"{place.portfolio}\n{place.instrument}" for place in self.book.positions)
        return tuple(f"{label} (group)" if label in RESERVED else label for label in self.book.group(by))

    def parts(self, by: Cut) -> list[Part]:
        """Return what each group added, the largest gain first, then cash and other, costs and what is unexplained.

        `added` and `pnl` of all of them sum to the portfolio's own return and P&L.
        """
        found = self._contributions(by)
        added = dict(zip(found.groups, found.total.tolist(), strict=True))
        of = Groups.of("labels", self.labels(by), self.pnl.shape[1])
        sums = [
            of.summed(each).tolist()
            for each in (self.pnl.sum(axis=0), self.costs.sum(axis=0), self.weights.mean(axis=0))
        ]
        counts = np.bincount(of.codes, minlength=len(of.names)).tolist()
        groups = [
            Part(name, pnl, costs, added[name], weight, many)
            for name, pnl, costs, weight, many in zip(of.names, *sums, counts, strict=True)
        ]
        return [*sorted(groups, key=lambda part: -part.added), *self.rest(found)]

    def rest(self, found: Contributions | None = None) -> list[Part]:
        """Return what no position added: cash and other, costs, and what is not explained where there is any."""
        found = found or self._contributions("instrument")
        added = dict(zip(found.groups, found.total.tolist(), strict=True))
        parts = [
            Part(OTHER, float(self.other.sum()), 0.0, added[OTHER], math.nan),
            Part(COSTS, -self.total_costs, 0.0, found.total_costs, math.nan),
        ]
        if self.is_unexplained:
            parts.append(Part(UNEXPLAINED, float(self.unexplained.sum()), 0.0, added[UNEXPLAINED], math.nan))
        return parts

    @property
    def is_unexplained(self) -> bool:
        """Return whether anything is left that nobody can explain."""
        share = self.unexplained / self.capital
        return bool((np.abs(share) > NOTHING).any() or (np.abs(self.timing) > NOTHING).any())

    def by_period(self, by: Group, every: Every) -> ByPeriod:
        """Return what each group added in each period."""
        names = period_names(self.days, every)
        found = contributions(self._columns(), self.capital, self._names(by), names, self.costs.sum(axis=1))
        groups = [part.name for part in self.parts(by)]
        column = {name: at for at, name in enumerate(found.groups)}
        scaled = found.growth[:, None] * found.by_period
        lost = (found.growth * found.costs)[:, None]
        at = [column.get(name, -1) for name in groups]
        added = np.concatenate([scaled, lost], axis=1)[:, at]
        starts = np.searchsorted(_codes(names, found.periods), np.arange(len(found.periods)))
        money = np.add.reduceat(self._money(by, groups), starts, axis=0)
        return ByPeriod(found.periods, tuple(groups), added, money, found.returns)

    def course(self, by: Group) -> tuple[tuple[str, ...], Floats]:
        """Return the groups and what each had added by the end of each step, (n, groups): it ends with their parts'.

        Of the groups of positions alone, in the order of `parts`.
        """
        gained = self._columns() / self.capital[:, None]
        wealth = np.cumprod(np.concatenate([[1.0], 1.0 + self.returns]))[:-1]
        running = np.cumsum(wealth[:, None] * gained, axis=0)
        labels = np.asarray(self.labels(by), dtype=np.str_)
        names = [part.name for part in self.parts(by) if part.count]
        columns = [running[:, : len(labels)][:, labels == name].sum(axis=1) for name in names]
        return tuple(names), np.stack(columns, axis=1) if columns else np.zeros((len(self.days), 0))

    def currencies(self) -> list[tuple[str, Part, tuple[float, float, float]]]:
        """Return each currency with its part (after costs) and how much of that is local, the currency's, and both.

        Shares of the portfolio's return, of positions alone; the three add up to the part's `added`.
        """
        wealth = np.cumprod(np.concatenate([[1.0], 1.0 + self.returns]))[:-1] / self.capital
        labels = np.asarray(self.labels("currency"), dtype=np.str_)
        found = []
        for part in self.parts("currency"):
            if not part.count:
                continue
            own = labels == part.name
            shares = [
                float(wealth @ each[:, own].sum(axis=1))
                for each in (self.split.local, self.split.currency, self.split.cross)
            ]
            net = Part(part.name, part.net, 0.0, math.fsum(shares), part.weight, part.count)
            found.append((part.name, net, (shares[0], shares[1], shares[2])))
        return found

    def _contributions(self, by: Cut) -> Contributions:
        if by not in self._kept:
            self._kept[by] = contributions(self._columns(), self.capital, self._names(by), None, self.costs.sum(axis=1))
        return self._kept[by]

    def _columns(self) -> Floats:
        """Return P&L by position, then what is other, then what is not explained, timing among it."""
        rest = self.unexplained + self.timing * self.capital
        return np.concatenate([self.pnl, self.other[:, None], rest[:, None]], axis=1)

    def _names(self, by: Cut) -> tuple[str, ...]:
        return (*self.labels(by), OTHER, UNEXPLAINED)

    def _money(self, by: Group, groups: Sequence[str]) -> Floats:
        labels = np.asarray(self.labels(by), dtype=np.str_)
        rest = {OTHER: self.other, COSTS: -self.costs.sum(axis=1), UNEXPLAINED: self.unexplained}
        columns = [rest[name] if name in rest else self.pnl[:, labels == name].sum(axis=1) for name in groups]
        return np.stack(columns, axis=1)


def attribution(stores: Stores, data: PortfolioData, limits: Limits) -> Attribution | None:
    """Return where the return of the window came from; None: no positions were reported on its days.

    Raises StorageUnavailable or StorageRejected.
    """
    part = data.part
    if len(part) < 2:
        return None
    start, end = part.dates[0], part.dates[-1]
    book = book_history(stores, data.portfolio, limits, start.item(), end.item(), from_empty=True)
    if book is None or not len(book.days):
        return None
    return attributed(data.portfolio, between_dates(data.own.daily, start, end), data.nav, book, data.fund.exchange)


def attributed(
    portfolio: Portfolio, track: Track, nav: Nav, book: BookHistory, exchange: Callable[[], Exchange]
) -> Attribution | None:
    """Return where the return of a track came from; None where nothing was at work on one of its days.

    track: the portfolio's own over the window; nav has a value on each of its days.
    """
    is_node = np.isin(track.dates, book.days)
    is_node[[0, -1]] = True
    nodes, index = track.dates[is_node], track.index[is_node]
    at = np.searchsorted(nav.dates, nodes)
    value, flow = nav.value[at], np.diff(np.cumsum(nav.flow)[at])
    gained = value[1:] - value[:-1] - flow
    capital = value[:-1] + np.maximum(flow, 0.0)
    capital = np.where((capital == 0) & (gained == 0), 1.0, capital)
    if len(nodes) < 2 or not (capital > 0).all() or not (index[:-1] > 0).all():
        return None
    steps = _Steps.of(book, nodes)
    pnl, costs, is_known = _between(book, steps)
    rest = gained - pnl.sum(axis=1)
    apart = np.diff(value - steps.worth)
    is_apart = np.abs(apart) > np.maximum(SAME * capital, _rounding(book, steps))
    apart = np.where(np.isfinite(apart) & is_apart, apart, 0.0)
    unexplained = np.where(is_known.all(axis=1), apart, rest)
    other = rest - unexplained
    returns = index[1:] / index[:-1] - 1.0
    timing, held = returns - gained / capital, steps.held[:-1]
    return Attribution(
        portfolio=portfolio, book=book, start=nodes[0], days=nodes[1:], pnl=pnl + costs, costs=costs,
        weights=held / capital[:, None], capital=capital, returns=returns,
        other=np.where(np.abs(other) > NOTHING * capital, other, 0.0), unexplained=unexplained, timing=timing,
        split=currency_pnl(pnl, np.where(book.settled, 0.0, held), *_rates(portfolio, book, nodes, exchange)),
        reasons=_reasons(book, steps, is_known, apart, timing),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Steps:
    """Where the days that steps begin and end with stand in a book."""

    rows: NDArray[np.intp]
    is_covered: Bools
    """(n,) whether a report is known of both ends of a step."""
    held: Floats
    """(n + 1, positions) values, 0 where none is known."""
    worth: Floats
    """(n + 1,) positions and cash together; NaN where not all of it is known."""

    @classmethod
    def of(cls, book: BookHistory, nodes: Dates) -> _Steps:
        rows = np.searchsorted(book.days, nodes)
        at = np.minimum(rows, len(book.days) - 1)
        known = book.days[at] == nodes
        held = np.where(known[:, None], np.nan_to_num(book.values[at]), 0.0)
        worth = np.where(known, book.owned[at].sum(axis=1) + book.cash[at], np.nan)
        return cls(rows, known[1:] & known[:-1], held, worth)


def _between(book: BookHistory, steps: _Steps) -> tuple[Floats, Floats, Bools]:
    """Return P&L after costs, costs, and whether P&L is known, of each step and position."""
    rows = steps.rows
    if steps.is_covered.all() and (np.diff(rows) == 1).all():
        pnl, costs = book.pnl[rows[1:]], book.costs[rows[1:]]
        known = np.isfinite(pnl)
    else:
        pnl, costs, unknown = (_summed(each, rows) for each in (book.pnl, book.costs, ~np.isfinite(book.pnl)))
        known = (unknown < 0.5) & steps.is_covered[:, None]
    return np.where(known, pnl, 0.0), np.where(known, costs, 0.0), known


def _rounding(book: BookHistory, steps: _Steps) -> Floats:
    """Return by how much values and their parts may differ over a step where all of them are sent in cents."""
    currencies = {book.portfolio.currency, *(place.currency for place in book.positions)}
    # The value itself, the cash of each currency, and each position.
    amounts = 1 + len(currencies) + (steps.held != 0).sum(axis=1)
    return np.asarray(HALF_A_CENT * (amounts[1:] + amounts[:-1]), dtype=np.float64)


def _summed(values: Floats | Bools, rows: NDArray[np.intp]) -> Floats:
    """Return what came after each of the rows up to the next one."""
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(np.nan_to_num(values), axis=0)])
    after = np.minimum(rows + 1, len(values))
    return np.asarray(sums[after[1:]] - sums[after[:-1]])


def _rates(
    portfolio: Portfolio, book: BookHistory, nodes: Dates, exchange: Callable[[], Exchange]
) -> tuple[Floats, Floats]:
    """Return the rate of each position's currency at the start and at the end of each step; 1 where there is none."""
    found = np.ones((len(nodes), len(book.positions)))
    currencies = np.array([place.currency for place in book.positions], dtype=np.str_)
    for currency in {*currencies.tolist()} - {portfolio.currency}:
        found[:, currencies == currency] = exchange().rates(currency, portfolio.currency, nodes)[:, None]
    known = (found[1:] > 0) & (found[:-1] > 0)
    return np.where(known, found[:-1], 1.0), np.where(known, found[1:], 1.0)


def _reasons(book: BookHistory, steps: _Steps, is_known: Bools, apart: Floats, timing: Floats) -> tuple[str, ...]:
    said = []
    if book.unreported:
        built = first_of(book.unreported)
        said.append(f"Positions of {built} are built from trades: what they gained is not known here.")
    missing = int((~steps.is_covered).sum())
    if missing:
        first, last = book.days[0], book.days[-1]
        said.append(f"Positions are known from {first} to {last}; {count(missing, 'step')} of the window without them.")
    lost = np.flatnonzero((~is_known & steps.is_covered[:, None]).any(axis=0))
    if len(lost):
        names = list(dict.fromkeys(book.positions[at].instrument for at in lost.tolist()))
        said.append(f"Trades do not explain how the quantity of {first_of(names)} changed.")
    days = int((apart != 0).sum())
    if days:
        said.append(f"The net asset value moved apart from positions and cash on {count(days, 'day')}.")
    if (np.abs(timing) > NOTHING).any():
        said.append("Money moved within a day, or parts are weighted by value: the return is linked there.")
    return tuple(said)


def _codes(names: Sequence[str], periods: Sequence[str]) -> np.ndarray:
    order = {name: at for at, name in enumerate(periods)}
    return np.array([order[name] for name in names])
