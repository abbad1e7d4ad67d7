"""When did the message at an offset arrive? Read off a table of (end offset, time) that the looks fill.

A message arrived after the last look at which the end was at or below its offset, and before the first at which it
was above. Between them it is interpolated, as kafka-lag-exporter does (Lightbend, 2019); below the table's oldest
entry only "at least as long ago" is known, and said.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

MOST_POINTS = 60


@dataclass(slots=True)
class Point:
    """An end offset, and when it was first and last seen to be the end."""

    offset: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Behind:
    """How long ago the first unread message arrived; `is_least`: that long at least."""

    seconds: float
    is_least: bool = False


class Ends:
    """The end offset of one partition in the course of time; older points lie further apart."""

    def __init__(self) -> None:
        self._points: list[Point] = []

    def look(self, at: float, end: int) -> None:
        """Remember that the next message will have offset `end`. A lower one than before begins anew."""
        if self._points and end < self._points[-1].offset:
            self._points.clear()
        if self._points and self._points[-1].offset == end:
            self._points[-1].last = at
            return
        self._points.append(Point(end, at, at))
        if len(self._points) > MOST_POINTS:
            # Every second of the older half goes, so that the table reaches ever further back.
            del self._points[1 : MOST_POINTS // 2 : 2]

    def behind(self, offset: int, now: float) -> Behind:
        """Return how far in time a consumer is behind whose next message is `offset`."""
        points = self._points
        if not points or offset >= points[-1].offset:
            return Behind(0.0)
        place = bisect_right(points, offset, key=lambda point: point.offset) - 1
        if place < 0:
            return Behind(now - points[0].first, is_least=True)
        before, after = points[place], points[place + 1]
        share = (offset - before.offset) / (after.offset - before.offset)
        return Behind(now - (before.last + share * (after.first - before.last)))
