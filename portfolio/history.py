"""What is known of a portfolio: its values and flows by day, and the track made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from analytics.cadence import FEWEST_DAILY, Cadence, cadence_of
from analytics.calendar import Dates
from analytics.performance import Track, track, until, without_gaps
from analytics.returns import linked_return
from core.clock import DAY_SECONDS
from portfolio.given import NOTHING_SAID, Said


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

    def between(self, inception: str, ended: str) -> Nav:
        """Return the values from the day `inception` to the day `ended`; either may be empty."""
        start = int(np.searchsorted(self.dates, np.datetime64(inception))) if inception else 0
        end = int(np.searchsorted(self.dates, np.datetime64(ended), side="right")) if ended else len(self)
        if (start, end) == (0, len(self)):
            return self
        days = self.dates[start:end]
        moves = tuple(move for move in self.moves if len(days) and days[0] <= move.day <= days[-1])
        newest = self.newest if end == len(self) else int(days[-1].astype(np.int64)) * DAY_SECONDS if len(days) else 0
        return Nav(days, self.value[start:end], self.flow[start:end], newest, moves)


@dataclass(frozen=True, eq=False, slots=True)
class BuiltNav:
    """Values that are built from trades, and what is to be said of them."""

    nav: Nav
    """In the portfolio's currency; empty where none can be built."""
    told: tuple[str, ...]


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

    left_out: int = 0
    """Values before its inception and after its end."""
    ended: str = ""
    """Last day, as somebody said it; empty: only its values tell whether it goes on."""
    built: tuple[str, ...] = ()
    """Ids of those, itself or parts of it, whose values are built from trades, since nobody reported any."""

    def until(self, day: np.datetime64, said: Said = NOTHING_SAID) -> History:
        """Return the history up to and including `day`: what was found of its rhythm then."""
        whole, given = until(self.track, day), said.given()
        if len(whole) < FEWEST_DAILY and self.cadence.rhythm == "daily" and given.calendar is None:
            given = replace(given, calendar=self.cadence.calendar)
        cadence = cadence_of(whole.dates, given)
        return replace(self, nav=self.nav.until(day), track=without_gaps(whole, cadence), cadence=cadence)


NOTHING = Nav(np.array([], dtype="datetime64[D]"), np.array([], dtype=np.float64), np.array([], dtype=np.float64), 0)


def history_of(nav: Nav, said: Said = NOTHING_SAID) -> History:
    """Return the history of values, as is `said` of it."""
    whole = track(nav.dates, nav.value, nav.flow, _linked(nav))
    cadence = cadence_of(whole.dates, said.given())
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
