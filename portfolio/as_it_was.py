"""A fund as it was at a moment of the last days: with the values that were known by then, and no later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from portfolio.fund import Fund
from portfolio.given import said_of
from portfolio.history import BuiltNav, Nav
from storage.clickhouse.reads.nav_points import NavPoints, nav_points
from storage.clickhouse.reads.portfolio import DailyNavs, Moves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.clickhouse.client import ClickHouse
    from storage.state.portfolios import Portfolio


@dataclass(frozen=True, eq=False, slots=True)
class Past:
    """Some portfolios of a fund over some days."""

    whole: Fund
    """As it is now."""
    navs: DailyNavs
    """Of the portfolios alone."""
    points: NavPoints
    """Of the days that are looked at."""
    first: np.datetime64
    """The first of them."""
    built: Mapping[str, Nav]
    """By id, of those whose values are built from trades."""
    end: int
    """Epoch seconds."""

    def moments(self, start: int, step: int) -> list[int]:
        """Return `start`, and of each step after it the last time at which a value came; epoch seconds."""
        built = [self._known_of(nav) for nav in self.built.values()]
        known = np.unique(np.concatenate([self.points.known, *built]))
        known = known[known > start]
        is_last = np.diff((known - start - 1) // step, append=-1) != 0
        return [start, *known[is_last].tolist()]

    def at(self, moment: int) -> Fund:
        """Return the fund as it was at a moment, epoch seconds: nothing is in it but values of these portfolios."""
        navs = _at(self.navs, self.points, self.first, moment)
        there = np.flatnonzero(navs.newest)
        rows = {navs.portfolios[row]: int(row) for row in there}

        def built(_whole: Fund, portfolio: Portfolio) -> BuiltNav | None:
            nav = self.built.get(portfolio.id)
            return BuiltNav(self._built_at(nav, moment), ()) if nav is not None else None

        return Fund(navs, rows, self.whole.tree, self.whole.exchange, built)

    def _known_of(self, nav: Nav) -> NDArray[np.int64]:
        """Return from when on built values count, epoch seconds: the end of their day, that of today now."""
        return np.minimum((nav.dates.astype("datetime64[D]").astype(np.int64) + 1) * DAY_SECONDS, self.end)

    def _built_at(self, nav: Nav, moment: int) -> Nav:
        many = int(np.searchsorted(self._known_of(nav), moment, side="right"))
        newest = int(nav.dates[many - 1].astype(np.int64)) * DAY_SECONDS if many else 0
        return Nav(nav.dates[:many], nav.value[:many], nav.flow[:many], newest)


def past_of(
    clickhouse: ClickHouse, whole: Fund, origin: str, portfolio: str, start: int, end: int, step: int
) -> Past | None:
    """Return a portfolio, or those that it is the sum of, from `start` until `end`, looked at each `step` seconds.

    Values that are built from trades are those of now, each from the end of its day on. None: it has no value. Raises
    StorageUnavailable or StorageRejected.
    """
    node = whole.tree.get(portfolio)
    names = [each for each in whole.sources(portfolio) if each in whole.rows]
    built = whole.history(portfolio, said_of(node)).built if node else ()
    if not names and not built:
        return None
    return Past(
        whole,
        _of(whole.navs, [whole.rows[each] for each in names]),
        nav_points(clickhouse, origin, names, start, end, step),
        np.datetime64(start // DAY_SECONDS, "D"),
        {each: whole.history(each, said_of(whole.tree[each])).nav for each in built},
        end,
    )


def _of(navs: DailyNavs, rows: list[int]) -> DailyNavs:
    """Return some of the portfolios alone."""
    moves = navs.moves
    some = [np.flatnonzero(moves.number == row) for row in rows]
    at = np.concatenate(some) if some else np.array([], dtype=np.intp)
    number = np.repeat(np.arange(len(rows)), np.array([len(each) for each in some], dtype=np.intp))
    return DailyNavs(
        tuple(navs.portfolios[row] for row in rows), navs.days, navs.values[rows], navs.flows[rows], navs.newest[rows],
        Moves(number, moves.ts[at], moves.values[at], moves.flows[at], moves.before[at]),
    )  # fmt: skip


def _at(navs: DailyNavs, points: NavPoints, first: np.datetime64, moment: int) -> DailyNavs:
    """Return values as they were known at a moment: what lies before the day `first` was known."""
    then = int(np.searchsorted(points.known, moment, side="right"))
    number, ts, values = points.number[:then], points.ts[:then], points.values[:then]
    days = np.unique(ts // DAY_SECONDS).astype("datetime64[D]")
    old = int(np.searchsorted(navs.days, first))
    newest_of = np.zeros((len(navs.portfolios), len(days)), dtype=np.int64)
    found = np.full(newest_of.shape, np.nan)
    column = np.searchsorted(days, (ts // DAY_SECONDS).astype("datetime64[D]"))
    order = np.argsort(ts, kind="stable")
    newest_of[number[order], column[order]] = ts[order]
    found[number[order], column[order]] = values[order]
    moves, flows = _moves_at(navs.moves, days, newest_of, first)
    return DailyNavs(
        navs.portfolios,
        np.concatenate([navs.days[:old], days]),
        np.hstack([navs.values[:, :old], found]),
        np.hstack([navs.flows[:, :old], flows]),
        np.maximum(points.before, newest_of.max(axis=1, initial=0)),
        moves,
    )


def _moves_at(
    moves: Moves, days: NDArray[np.datetime64], newest_of: NDArray[np.int64], first: np.datetime64
) -> tuple[Moves, NDArray[np.float64]]:
    """Return the moves up to the newest value of each day, and what they come to on the days from `first` on."""
    day = (moves.ts // DAY_SECONDS).astype("datetime64[D]")
    is_new = day >= first
    column = np.minimum(np.searchsorted(days, day), max(len(days) - 1, 0))
    is_there = ~is_new
    if len(days):
        is_there |= (days[column] == day) & (moves.ts <= newest_of[moves.number, column])
    flows = np.zeros(newest_of.shape)
    now = np.flatnonzero(is_there & is_new)
    np.add.at(flows, (moves.number[now], column[now]), moves.flows[now])
    known = Moves(
        moves.number[is_there], moves.ts[is_there], moves.values[is_there], moves.flows[is_there],
        moves.before[is_there],
    )  # fmt: skip
    return known, flows
