"""The last day of the health score, component by component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.clock import DAY_SECONDS
from core.format import number
from core.model import LiveReading
from core.pipeline.health import HEALTH, POINTS, SCORE
from dashboard.charts.timeseries import LimitLine, Line, line_figure
from dashboard.components.spark import spark
from dashboard.overview.components import title_of
from status.health import GREEN_FROM, YELLOW_FROM
from status.readings import Found
from storage.clickhouse.reads.series import SeriesData, read_series

if TYPE_CHECKING:
    from storage.stores import Stores

SPARK_POINTS, CHART_POINTS = 96, 720
"""Every quarter of an hour, and every two minutes."""


@dataclass(frozen=True, slots=True)
class Courses:
    """What is stored of a day. Each point is the lowest of its step: a dip is what matters."""

    span: tuple[float, float]
    """Epoch seconds."""
    of: Mapping[tuple[str, str, str], SeriesData]
    """Points of components by host (empty: of none), collector and name."""
    chosen: Sequence[tuple[str, SeriesData]]
    """What is drawn: its name and its course, the whole first."""

    @property
    def newest(self) -> float | None:
        """Epoch seconds of the last point of what is drawn; None: nothing is stored."""
        points = (zip(data.ts, data.low, strict=True) for _, data in self.chosen)
        return max((ts for each in points for ts, low in each if low is not None), default=None)

    def spark(self, found: Found) -> Any:
        """Return the course of a component as a sparkline; None: nothing is stored of it."""
        data = self.of.get((found.host, found.collector, found.part.name))
        if data is None:
            return None
        lowest = min((each for each in data.low if each is not None), default=None)
        return spark(data.low, label=f"{title_of(found)}: fewest points in 24 h: {number(lowest)}")

    def lowest(self, found: Found) -> float | None:
        """Return the fewest points that a component had."""
        data = self.of.get((found.host, found.collector, found.part.name))
        return min((each for each in data.low if each is not None), default=None) if data else None


def read_courses(stores: Stores, readings: Sequence[LiveReading], chosen: Found | None, now: float) -> Courses:
    """Return the last day of every component, finer of all together and of the one chosen. Raises StorageUnavailable.

    readings: the newest; who told the score last says which machine's is read.
    """
    host = next((each.host for each in readings if each.collector == HEALTH), stores.settings.machine)
    start = now - DAY_SECONDS
    found = read_series(stores.clickhouse, host=host, metrics=[POINTS], start=start, end=now, points=SPARK_POINTS)
    of = {(each.label("host"), each.label("collector"), each.label("component")): each for each in found}
    drawn = [("all together", each) for each in read_series(
        stores.clickhouse, host=host, metrics=[SCORE], start=start, end=now, points=CHART_POINTS
    )]  # fmt: skip
    if chosen is not None:
        wanted = {"component": chosen.part.name, "collector": chosen.collector}
        fine = read_series(
            stores.clickhouse, host=host, metrics=[POINTS], start=start, end=now, points=CHART_POINTS, labels=wanted
        )
        drawn += [(title_of(chosen), each) for each in fine if each.label("host") == chosen.host]
    return Courses((start, now), of, drawn)


def courses_figure(found: Courses, height_px: int) -> dict[str, Any]:
    """Return the courses that are drawn."""
    lines = [Line(name, data.ts, data.low, f"@series-{place + 1}") for place, (name, data) in enumerate(found.chosen)]
    limits = [LimitLine(GREEN_FROM, "green", "@ok"), LimitLine(YELLOW_FROM, "yellow", "@warning")]
    return line_figure(lines, found.span, unit="", top=100, limits=limits, height_px=height_px, decimals=0)
