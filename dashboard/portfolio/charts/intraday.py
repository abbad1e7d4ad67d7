"""The last day in its course: growth since the close before, and the way under water within the day."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.drawdown import underwater
from core import format as text
from dashboard.charts.days import values
from dashboard.charts.rows import End, Row, extent, short, stacked
from dashboard.charts.theme import SERIES, faded
from portfolio.data import PortfolioData
from portfolio.intraday import Intraday

GROWTH_PX, WATER_PX = 420, 160
Floats = NDArray[np.float64]


def intraday(data: PortfolioData, day: Intraday) -> dict[str, Any]:
    """Return the figure of a day, its first value the close before, which is 100.

    A close of zero or below has no growth: then the figure has no line.
    """
    index = 100 * np.asarray(day.values, dtype=np.float64)
    water = 100 * underwater(index)
    rows = [_growth(data, day.ts, index), _water(day.ts, water)]
    # A zoom of the page is a span of days.
    return stacked(rows, {"type": "date", "nticks": 8, "fixedrange": True})


def _growth(data: PortfolioData, ts: list[int], index: Floats) -> Row:
    line = _line(data.own.name, ts, values(index, 3), SERIES[0], "%{y:.3f}")
    last = float(index[-1])
    return Row(
        height_px=GROWTH_PX,
        traces=[line],
        axis={"nticks": 7, "zeroline": False},
        span=extent(line["y"]),
        ends=[End(f"{short(data.own.name)} {last:.2f}", last, SERIES[0])] if last == last else [],
    )


def _water(ts: list[int], water: Floats) -> Row:
    line = _line("drawdown", ts, values(water, 3), "@loss", "%{y:.3f} %")
    last = float(water[-1])
    return Row(
        height_px=WATER_PX,
        traces=[line | {"fill": "tozeroy", "fillcolor": faded("@loss", 0.22)}],
        axis={"ticksuffix": " %", "nticks": 4, "rangemode": "tozero"},
        span=extent(line["y"]),
        caption="Underwater, intraday",
        ends=[End(text.percent(last / 100), last, "@loss")] if last == last else [],
    )


def _line(name: str, ts: list[int], y: list[float | None], color: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": ts,
        "y": y,
        "line": {"color": color, "width": 1.4, "shape": "hv"},
        "hovertemplate": hover,
    }
