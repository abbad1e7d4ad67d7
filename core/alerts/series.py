"""A series of the past, as rules are tried on it."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.alerts.expression import Figure
from core.model import Labels


@dataclass(frozen=True, slots=True)
class Point:
    """What a series was in a moment, or in the little while before it that is taken as one."""

    at: float
    value: float
    """The newest."""
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a figure: times in seconds in their order, None for a value that is gone.

    means, lows, highs: where a value stands for several that came since the one before; empty: it stands for itself.
    """

    figure: Figure
    """Without matchers."""
    labels: Labels
    times: Sequence[float]
    values: Sequence[float | None]
    stale_after_seconds: float
    means: Sequence[float] = ()
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    is_gone_when_stale: bool = False
    """Where no value counts it is not reported at all: else it is, without a value."""

    def is_reported(self, now: float) -> bool:
        """Return whether it is reported at a time, with a value or without one."""
        place = bisect.bisect_right(self.times, now) - 1
        return place >= 0 and not (self.is_gone_when_stale and now - self.times[place] > self.stale_after_seconds)

    def at(self, now: float) -> float | None:
        """Return the value that counts at a time, None: it is stale."""
        place = bisect.bisect_right(self.times, now) - 1
        if place < 0 or now - self.times[place] > self.stale_after_seconds:
            return None
        return self.values[place]

    def between(self, start: float, end: float) -> list[Point]:
        """Return what there is from `start` to `end`, both included."""
        first, last = bisect.bisect_left(self.times, start), bisect.bisect_right(self.times, end)
        return [self._point(place, value) for place in range(first, last) if (value := self.values[place]) is not None]

    def _point(self, place: int, value: float) -> Point:
        if not self.means:
            return Point(self.times[place], value, value, value, value)
        return Point(self.times[place], value, self.means[place], self.lows[place], self.highs[place])


@dataclass(frozen=True, slots=True)
class PastFigures:
    """A figure of portfolios over a time."""

    series: Sequence[Series]
    left_out: int
    """Portfolios that are meant and were not looked at."""
    step_seconds: int
    """Of each step the last value was looked at."""


OfPortfolios = Callable[[Figure, int, int, int], PastFigures]
"""Returns a figure of portfolios between two times (whole epoch seconds), as evaluations find it that are so many whole
seconds apart."""
