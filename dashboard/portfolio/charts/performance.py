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
from dashboard.portfolio.data import Shown

Scale = Literal["linear", "log"]
TURNING_POINTS = 10
"""Of this many drawdowns peak, trough and recovery are drawn, however long the history."""


def growth_and_drawdown(shown: Shown, scale: Scale = "linear") -> dict[str, Any]:
    """Return the figure. Growth starts at 100, drawdowns are in percent below the best day of the window.

    A last day with several values is drawn in its course.
    """
    if shown.intraday is not None:
        return intraday(shown, *shown.intraday)
    falls = worst(shown.part, TURNING_POINTS)
    places = drawn_days(shown.part, falls, marked_days(shown))
    water = drawdowns(shown.part)
    rows = [
        growth_row(shown, places, is_log=scale == "log"),
        underwater_row(shown, places, water, falls),
        *rolling_rows(shown, places),
    ]
    return stacked(rows, day_axis(shown.part.dates, "y"), _highlight(shown.part, shown.highlight))


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
