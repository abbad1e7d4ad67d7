"""The portfolios of an origin in one version of the data, and their histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import Dates
from core.clock import DAY_SECONDS
from portfolio.allowed import Limits, seen
from portfolio.given import NOTHING_SAID, Said, said_of
from portfolio.history import NOTHING, BuiltNav, History, Move, Nav, history_of
from portfolio.series.exchange import Exchange, converted_values, spans
from portfolio.series.total import is_over, summed, within
from storage.clickhouse.reads.portfolio import DailyNavs
from storage.state.portfolios import Portfolio

TOO_FEW = "left out: its values are built from trades, and stand on too few days"


@dataclass(frozen=True, eq=False)
class Fund:
    """Every portfolio of an origin in one version of the data; histories are made when they are needed."""

    navs: DailyNavs
    rows: dict[str, int]
    tree: dict[str, Portfolio]
    exchange: Callable[[], Exchange]
    """Returns what currencies cost; asked only where there are several."""
    built: Callable[[Fund, Portfolio], BuiltNav | None]
    """Returns what a portfolio's trades come to; asked only where neither it nor a part of it reports values."""
    _histories: dict[tuple[str, Said, str], History] = field(default_factory=dict)
    _alone: dict[str, Dates] = field(default_factory=dict)

    def seen(self, limits: Limits) -> Fund:
        """Return the fund as it is to somebody who may see some of its own portfolios alone; histories are shared.

        A portfolio that may be seen has the same history there: it is of its own values or those of what is below it.
        """
        if limits is None:
            return self
        tree = {each.id: each for each in seen(list(self.tree.values()), limits)}
        return replace(self, tree=tree, rows={id: row for id, row in self.rows.items() if id in tree})

    def history(self, portfolio: str, said: Said = NOTHING_SAID, currency: str = "") -> History:
        """Return a portfolio's whole history as is `said` of it: its own, else the sum of its parts; else empty.

        Where nobody reported values of any of them, its own are what its trades come to.

        `currency` is what it is told in, its own when left out.
        """
        if portfolio not in self.tree and portfolio not in self.rows:
            return history_of(NOTHING, said)
        key = (portfolio, said, currency)
        found = self._histories.get(key)
        if found is None:
            found = self._histories[key] = self._made(portfolio, said, currency)
        return found

    def parts(self, portfolio: str) -> list[Portfolio]:
        """Return the portfolios right under one."""
        return [each for each in self.tree.values() if each.parent == portfolio]

    def sources(self, portfolio: str) -> list[str]:
        """Return whose values a portfolio's are: its own id, or those of what it is the sum of, all the way down."""
        if portfolio in self.rows or not self.parts(portfolio):
            return [portfolio]
        return [id for each in self.parts(portfolio) for id in self.sources(each.id)]

    def days_of_parts_alone(self, portfolio: str) -> Dates:
        """Return the days on which the parts of a portfolio with values of its own have one, and it has none.

        All of them as is said of them: days before an inception or after an end are none.
        """
        found = self._alone.get(portfolio)
        if found is None:
            said = said_of(self.tree[portfolio])
            own = self.history(portfolio, said).nav.dates
            days = [self.history(each.id, said_of(each)).nav.dates for each in self.parts(portfolio)]
            alone = np.setdiff1d(np.concatenate(days), own) if days else own[:0]
            found = self._alone[portfolio] = within(alone, said)
        return found

    def _made(self, portfolio: str, said: Said, currency: str) -> History:
        node = self.tree.get(portfolio)
        row = self.rows.get(portfolio)
        if row is not None:
            return self._own(node, _nav(self.navs, row), said, currency)
        is_reported = any(id in self.rows for id in self.sources(portfolio))
        built = None if node is None or is_reported else self.built(self, node)
        if built is None or (not len(built.nav) and self.parts(portfolio)):
            return self._sum(portfolio, said, currency or (node.currency if node else ""))
        found = self._own(node, built.nav, said, currency)
        whose = (portfolio,) if len(found.nav) else ()
        return replace(found, built=whose, told=(*built.told, *found.told))

    def _own(self, node: Portfolio | None, every: Nav, said: Said, currency: str) -> History:
        nav = every.between(said.inception, said.ended)
        is_own = node is None or currency in ("", node.currency)
        found = history_of(nav, said) if is_own or node is None else self._converted(node, nav, said, currency)
        return replace(found, left_out=len(every) - len(nav), ended=said.ended)

    def _sum(self, portfolio: str, said: Said, currency: str) -> History:
        found = [(each, self.history(each.id, said_of(each), currency)) for each in self.parts(portfolio)]
        sparse = _sparse([history for _, history in found])
        there = [(each.id, history) for each, history in found if len(history.nav) and history not in sparse]
        lost = (
            *(line for _, history in found if not len(history.nav) for line in history.told),
            *(f"{each.name}: {TOO_FEW}" for each, history in found if history in sparse),
        )
        if not there:
            return replace(history_of(NOTHING, said), told=lost)
        made = summed(there, said)
        return replace(made, told=(*lost, *made.told))

    def _converted(self, node: Portfolio, nav: Nav, said: Said, currency: str) -> History:
        own = node.currency
        rates = self.exchange().rates(own, currency, nav.dates)
        found = converted_values(nav.value, nav.flow, rates)
        days = nav.dates[found.kept]
        by_day = dict(zip(days.tolist(), rates[found.kept].tolist(), strict=True))
        moves = tuple(_at_rate(move, by_day[day]) for move in nav.moves if (day := move.day.item()) in by_day)
        made = history_of(Nav(days, found.value, found.flow, nav.newest, moves), said)
        if found.kept.all():
            return made
        if not len(days):
            return replace(made, told=(f"{node.name}: there is no rate from {own} to {currency}; it is left out",))
        lost = spans(nav.dates[~found.kept])
        return replace(made, told=(f"{node.name}: no rate from {own} to {currency} on {lost}; left out there",))


def _sparse(parts: Sequence[History]) -> list[History]:
    """Return the parts built from trades that would take days from parts whose values are reported daily.

    Built values stand on days with a trade or price alone.
    """
    there = [each for each in parts if len(each.nav)]
    ends = [each.nav.dates[-1] for each in there if not each.built and each.cadence.rhythm == "daily"]
    if not ends:
        return []
    built = (each for each in there if each.built)
    return [each for each in built if each.cadence.rhythm != "daily" or (not each.ended and is_over(each, max(ends)))]


def _nav(navs: DailyNavs, row: int) -> Nav:
    days, values, flows, newest = navs.days, navs.values[row], navs.flows[row], int(navs.newest[row])
    there = ~np.isnan(values)
    moves = _moves(navs, row)
    if there.all():
        return Nav(days, values, flows, newest, moves)
    return Nav(days[there], values[there], _flows(flows, there), newest, moves)


def _at_rate(move: Move, rate: float) -> Move:
    return Move(move.ts, move.before * rate, move.value * rate, move.flow * rate)


def _moves(navs: DailyNavs, row: int) -> tuple[Move, ...]:
    """Return the moves within days: those at midnight are of a portfolio valued by day, whose flow is the day's."""
    moved = navs.moves
    within = np.flatnonzero((moved.number == row) & (moved.ts % DAY_SECONDS != 0))
    days = np.unique(moved.ts[within] // DAY_SECONDS)
    at = np.flatnonzero((moved.number == row) & np.isin(moved.ts // DAY_SECONDS, days))
    columns = (column[at].tolist() for column in (moved.ts, moved.before, moved.values, moved.flows))
    return tuple(Move(*each) for each in zip(*columns, strict=True))


def _flows(flows: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the flows on the days that have a value; what moved between them belongs to the next."""
    return np.diff(np.cumsum(flows)[there], prepend=0.0)
