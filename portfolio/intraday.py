"""Growth within the last day, where a portfolio, or one that it is the sum of, has several values on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.returns import linked_return
from core.clock import DAY_SECONDS
from portfolio.given import said_of
from portfolio.series.total import on_days
from storage.clickhouse.reads.portfolio import intraday_nav

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from portfolio.history import History, Nav
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MOST_POINTS = 900
STEP_SECONDS = -(-DAY_SECONDS // MOST_POINTS)
FEWEST_POINTS = 2


@dataclass(frozen=True, slots=True)
class Intraday:
    """Growth within a day, oldest first: time-weighted, linked where money moved."""

    ts: list[int]
    """Epoch seconds."""
    values: list[float]
    """1 at the close before; NaN where that is zero or negative."""


def growth_within(
    stores: Stores, whole: Fund, portfolio: Portfolio, day: np.datetime64, currency: str = ""
) -> Intraday | None:
    """Return the growth of a portfolio of `whole` within its last day, which is `day`; told in `currency`, or its own.

    Of the sum of parts: theirs, weighted as its return of the day is, so that it ends there. A part with one value on
    that day has it as its close. None where the day has fewer than two values.

    Raises StorageUnavailable or StorageRejected.
    """
    currency = currency or portfolio.currency
    history = _until(whole, portfolio, day, currency)
    if len(history.nav) < 2 or history.nav.dates[-1] != day:
        return None
    if history.made_of:
        return _of_sum(stores, whole, history, day, currency)
    own = _until(whole, portfolio, day, portfolio.currency).nav.value[-1]
    rate = 1.0 if currency == portfolio.currency else float(history.nav.value[-1] / own)
    return _of_values(stores, portfolio, history.nav, rate)


def _until(whole: Fund, portfolio: Portfolio, day: np.datetime64, currency: str) -> History:
    said = said_of(portfolio)
    return whole.history(portfolio.id, said, currency).until(day, said)


def _of_values(stores: Stores, portfolio: Portfolio, nav: Nav, rate: float) -> Intraday | None:
    """Return the growth that the values of the last day of `nav` tell, of which one costs `rate` of its currency."""
    start = int(nav.dates[-1].astype(np.int64)) * DAY_SECONDS
    end = start + DAY_SECONDS - 1
    found = intraday_nav(stores.clickhouse, portfolio.origin, portfolio.id, start, end, MOST_POINTS)
    if len(found.ts) < FEWEST_POINTS:
        return None
    opening, day = float(nav.value[-2]), nav.dates[-1]
    moves = [move for move in nav.moves if move.day == day]
    values: list[float] = []
    grown, last = 1.0, opening
    for ts, value in zip(found.ts.tolist(), (found.values * rate).tolist(), strict=True):
        while moves and moves[0].ts <= ts:
            move = moves.pop(0)
            grown *= 1.0 + linked_return(last, move.value, [(move.before, move.value, move.flow)])
            last = move.value
        values.append(grown * value / last if last > 0 else math.nan)
    return Intraday([start, *found.ts.tolist()], [1.0 if opening > 0 else math.nan, *values])


def _of_sum(stores: Stores, whole: Fund, total: History, day: np.datetime64, currency: str) -> Intraday | None:
    parts = [whole.tree[id] for id in total.made_of]
    histories = [_until(whole, part, day, currency) for part in parts]
    curves = [growth_within(stores, whole, part, day, currency) for part in parts]
    ts = _times([curve for curve in curves if curve])
    there = [at for at, history in enumerate(histories) if len(history.nav)]
    if not ts or not there:
        return None
    found = on_days([histories[at] for at in there], total.nav.dates[-2:], day)
    # What each part adds is summed: on a day on which money moved between parts their weights are not 1 together.
    grown = np.ones(len(ts))
    for at, weight, close in zip(there, found.weights()[:, 0], 1.0 + found.returns[:, 1], strict=True):
        grown += weight * (_at(ts, curves[at], float(close)) - 1.0)
    # A return that is none of its parts' (a value below zero, a part that was lost) has no course within the day.
    return Intraday(ts, grown.tolist()) if np.isclose(grown[-1], 1.0 + total.track.returns[-1]) else None


def _times(curves: Sequence[Intraday]) -> list[int]:
    """Return the seconds of all curves, of each step the last."""
    every = np.unique(np.array([ts for curve in curves for ts in curve.ts], dtype=np.int64))
    is_last = np.diff(every // STEP_SECONDS, append=-1) != 0
    is_last[:1] = True
    return [int(ts) for ts in every[is_last]]


def _at(ts: Sequence[int], curve: Intraday | None, close: float) -> NDArray[np.float64]:
    """Return the growth of a part at each time, `close` at the last: of one without a curve then alone."""
    if curve is None:
        grown = np.ones(len(ts))
        grown[-1] = close
        return grown
    values = np.asarray(curve.values)[np.searchsorted(curve.ts, ts, side="right") - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values * close / values[-1])
