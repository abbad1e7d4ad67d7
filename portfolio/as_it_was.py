"""A fund as it was at a moment of the last days: with the values that were known by then, and no later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from portfolio.fund import Fund
from portfolio.given import NOTHING_SAID, said_of
from storage.clickhouse.reads.nav_points import NavPoints, nav_points
from storage.clickhouse.reads.portfolio import DailyNavs, Moves

if TYPE_CHECKING:
    from storage.clickhouse.client import ClickHouse


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

    def moments(self, start: int, step: int) -> list[int]:
        """Return `start`, and of each step after it the last time at which a value came; epoch seconds."""
        known = np.unique(self.points.known[self.points.known > start])
        is_last = np.diff((known - start - 1) // step, append=-1) != 0
        return [start, *known[is_last].tolist()]

    def at(self, moment: int) -> Fund:
        """Return the fund as it was at a moment, epoch seconds: nothing is in it but what these portfolios reported."""
        navs = _at(self.navs, self.points, self.first, moment)
        there = np.flatnonzero(navs.newest)
        rows = {navs.portfolios[row]: int(row) for row in there}
        return Fund(navs, rows, self.whole.tree, self.whole.exchange, lambda _fund, _portfolio: None)


def past_of(
    clickhouse: ClickHouse, whole: Fund, origin: str, portfolio: str, start: int, end: int, step: int
) -> Past | None:
    """Return a portfolio, or those that it is the sum of, from `start` until `end`, looked at each `step` seconds.

    None: it has no value, or one that is built from trades. Raises StorageUnavailable or StorageRejected.
    """
    names = [each for each in whole.sources(portfolio) if each in whole.rows]
    if not names or is_built(whole, portfolio):
        return None
    points = nav_points(clickhouse, origin, names, start, end, step)
    return Past(
        whole, _of(whole.navs, [whole.rows[each] for each in names]), points, np.datetime64(start // DAY_SECONDS, "D")
    )


def is_built(whole: Fund, portfolio: str) -> bool:
    """Return whether what trades come to is in a portfolio's values: of that no past is known."""
    node = whole.tree.get(portfolio)
    return bool(whole.history(portfolio, said_of(node) if node else NOTHING_SAID).built)


def _of(navs: DailyNavs, rows: list[int]) -> DailyNavs:
    """Return some of the portfolios alone."""
    moves = navs.moves
    some = [np.flatnonzero(moves.number == row) for row in rows]
    at = np.concatenate(some) if some else np.array([], dtype=np.intp)
    number = np.repeat(np.arange(len(rows)), [len(each) for each in some])
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
