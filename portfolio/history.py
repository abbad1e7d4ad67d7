"""What is known of a portfolio: its values and flows by day, and the track made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from analytics.cadence import Cadence, cadence_of
from analytics.calendar import Dates
from analytics.performance import Track, track, until, without_gaps
from analytics.returns import linked_return

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Move:
    """A point within a day at which money moved."""

    ts: int
    """Epoch seconds."""
    before: float
    """Value at the point before; NaN where the day has none."""
    value: float
    """With the money that moved."""
    flow: float

    @property
    def day(self) -> np.datetime64:
        """Return the day of the move."""
        return np.datetime64(self.ts // DAY_SECONDS, "D")


@dataclass(frozen=True, eq=False, slots=True)
class Nav:
    """A portfolio's value and the external money by day, oldest first."""

    dates: Dates
    value: NDArray[np.float64]
    flow: NDArray[np.float64]
    """Into the portfolio; negative where money was taken out."""
    newest: int
    """Epoch seconds of the newest value; 0 when there is none. Of a sum: of the part that is behind the others."""
    moves: tuple[Move, ...] = ()
    """Of the days whose money moved at other times than their only value, oldest first."""

    def __len__(self) -> int:
        return len(self.dates)

    def until(self, day: np.datetime64) -> Nav:
        """Return the values up to and including `day`."""
        end = int(np.searchsorted(self.dates, day, side="right"))
        moves = tuple(move for move in self.moves if move.day <= day)
        return Nav(self.dates[:end], self.value[:end], self.flow[:end], self.newest, moves)


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """A portfolio's values with the track made of them, which has no returns across gaps."""

    nav: Nav
    track: Track
    cadence: Cadence
    made_of: tuple[str, ...] = ()
    """Ids of the parts that it is the sum of; empty: its values are its own."""
    told: tuple[str, ...] = ()
    """What could not be converted or added, and is left out."""

    def until(self, day: np.datetime64, declared: float) -> History:
        """Return the history up to and including `day`: what was found of its rhythm then."""
        whole = until(self.track, day)
        cadence = cadence_of(whole.dates, declared)
        return replace(self, nav=self.nav.until(day), track=without_gaps(whole, cadence), cadence=cadence)


NOTHING = Nav(np.array([], dtype="datetime64[D]"), np.array([], dtype=np.float64), np.array([], dtype=np.float64), 0)


def history_of(nav: Nav, declared: float) -> History:
    """Return the history of values. `declared` are its returns a year where its dates are too few to tell."""
    whole = track(nav.dates, nav.value, nav.flow, _linked(nav))
    cadence = cadence_of(whole.dates, declared)
    return History(nav, without_gaps(whole, cadence), cadence)


def _linked(nav: Nav) -> dict[int, float]:
    """Return the returns of the days within which money moved, by position; the first day has none."""
    found: dict[int, float] = {}
    for day, moves in groupby(nav.moves, key=lambda move: move.day):
        place = int(np.searchsorted(nav.dates, day))
        if place > 0:
            steps = [(move.before, move.value, move.flow) for move in moves]
            found[place] = linked_return(float(nav.value[place - 1]), float(nav.value[place]), steps)
    return found
