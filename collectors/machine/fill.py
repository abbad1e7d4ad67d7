"""When a disk will be full: a robust line through what it held in the last hour and the last six hours."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from core.limits import FORECAST_SECONDS

POINT_SECONDS = 60.0
LONG_STRIDE = 5
"""Of the six hours every fifth point is used: 72 points give 2,556 slopes, the hour's 60 give 1,770."""
HOUR_SECONDS, SIX_HOURS_SECONDS = 3_600.0, 21_600.0
SHORTEST_SECONDS = {HOUR_SECONDS: FORECAST_SECONDS, SIX_HOURS_SECONDS: 7_200.0}
"""How much must have been seen before the line of a window is believed."""
LONGEST_HOLE = 0.25
"""Share of the hour in which nothing may have been seen: else its line is one of minutes."""
FEWEST_POINTS = 8
CLEAR_GROWTH = 0.6
"""Share of rising minus falling pairs (Kendall's tau, ties counted). One big file written once reaches 0.51 at most."""
HORIZON_SECONDS = 365 * 86_400.0
"""Further than a year nothing measured in hours can tell: such a disk is not filling."""

Point = tuple[float, float]
"""Monotonic seconds, bytes used."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line: bytes a second, through how many seconds of history."""

    bytes_per_second: float
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Fill:
    """When a disk will be full, and the trend that says so."""

    seconds: float
    trend: Trend


def growth(points: Sequence[Point]) -> float | None:
    """Return the slope of a growing series in bytes a second, or None when it does not clearly grow.

    The slope is Theil and Sen's (1950, 1968): the median over all pairs of points, which up to 29 % of
    outliers cannot move. It counts as growth when rising pairs clearly outnumber falling ones.
    """
    slopes = [
        (late[1] - early[1]) / (late[0] - early[0])
        for index, early in enumerate(points)
        for late in points[index + 1 :]
        if late[0] > early[0]
    ]
    if len(points) < FEWEST_POINTS or not slopes:
        return None
    rising, falling = sum(slope > 0 for slope in slopes), sum(slope < 0 for slope in slopes)
    if (rising - falling) / len(slopes) < CLEAR_GROWTH:
        return None
    slope = median(slopes)
    return slope if slope > 0 else None


class FillTrend:
    """The recent past of one disk: a point a minute for six hours, its lines worked out once a minute."""

    def __init__(self, history: Iterable[Point] = ()) -> None:
        self._points: list[Point] = []
        self._trends: list[Trend] = []
        for at, used_bytes in sorted(history):
            self._append(at, used_bytes)
        self._fit()

    def add(self, at: float, used_bytes: float) -> None:
        """Take in what the disk holds at `at` monotonic seconds."""
        if self._append(at, used_bytes):
            self._fit()

    def fill(self, free_bytes: float) -> Fill | None:
        """Return when `free_bytes` will be used up: the sooner of both lines. None: not filling, or unknown yet."""
        fills = [Fill(free_bytes / trend.bytes_per_second, trend) for trend in self._trends]
        soonest = min(fills, key=lambda fill: fill.seconds, default=None)
        return soonest if soonest and soonest.seconds <= HORIZON_SECONDS else None

    def _append(self, at: float, used_bytes: float) -> bool:
        if self._points and at - self._points[-1][0] < POINT_SECONDS - 1:
            return False
        self._points.append((at, used_bytes))
        del self._points[: bisect_left(self._points, (at - SIX_HOURS_SECONDS, 0.0))]
        return True

    def _fit(self) -> None:
        self._trends = []
        if not self._points:
            return
        newest = self._points[-1][0]
        hour = self._points[bisect_left(self._points, (newest - HOUR_SECONDS, 0.0)) :]
        six_hours = self._points[::-LONG_STRIDE][::-1]
        seen = newest - self._points[0][0]
        for points, window in ((hour, HOUR_SECONDS), (six_hours, SIX_HOURS_SECONDS)):
            is_enough = seen >= SHORTEST_SECONDS[window] and _longest_hole(hour) <= LONGEST_HOLE * HOUR_SECONDS
            slope = growth(points) if is_enough else None
            if slope is not None:
                self._trends.append(Trend(slope, window))


def _longest_hole(hour: Sequence[Point]) -> float:
    """Return the longest time without a point in the hour that ends with the last one."""
    times = [hour[-1][0] - HOUR_SECONDS, *(at for at, _ in hour)]
    return max(late - early for early, late in pairwise(times))
