"""The main figure of the Portfolio tab: growth, the way under water and rolling figures, on one time axis."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from analytics.drawdown import Episode
from analytics.performance import Track, drawdowns, worst
from dashboard.charts.days import Places, day_axis, drawn
from dashboard.charts.rows import Band, stacked
from dashboard.charts.theme import faded
from dashboard.portfolio.charts.growth import growth_row, marked_days
from dashboard.portfolio.charts.intraday import intraday
from dashboard.portfolio.charts.rolling import rolling_rows
from dashboard.portfolio.charts.underwater import underwater_row
from portfolio.data import PortfolioData

Scale = Literal["linear", "log"]
TURNING_POINTS = 10
"""Of this many drawdowns peak, trough and recovery are drawn, however long the history."""


def growth_and_drawdown(data: PortfolioData, scale: Scale = "linear") -> dict[str, Any]:
    """Return the figure. Growth starts at 100, drawdowns are in percent below the best day of the window.

    A last day with several values is drawn in its course.
    """
    if data.intraday is not None:
        return intraday(data, data.intraday)
    falls = worst(data.part, TURNING_POINTS)
    places = drawn_days(data.part, falls, marked_days(data))
    water = drawdowns(data.part)
    rows = [
        growth_row(data, places, is_log=scale == "log"),
        underwater_row(data, places, water, falls),
        *rolling_rows(data, places),
    ]
    return stacked(rows, day_axis(data.part.dates, "y"), _highlight(data.told.part, data.query.highlight))


def drawn_days(part: Track, falls: list[Episode], marked: Places) -> Places:
    """Return which days are drawn: turning points of the worst drawdowns and marked days are always among them."""
    turning = [place for fall in falls for place in (fall.peak, fall.trough, fall.last)]
    return drawn(len(part), [*turning, *marked.tolist()])


def _highlight(part: Track, peak: np.datetime64 | None) -> list[Band]:
    """Return the shades of the drawdown from `peak`: the fall strong, the way back faint. None when it has none."""
    if peak is None or not len(part):
        return []
    fall = next((each for each in worst(part, len(part)) if part.dates[max(each.peak, 0)] == peak), None)
    if fall is None:
        return []
    trough, end = str(part.dates[fall.trough]), str(part.dates[fall.last])
    return [
        Band(str(peak), trough, faded("@loss", 0.16), rows=2),
        Band(trough, end, faded("@loss", 0.07), rows=2),
    ]
