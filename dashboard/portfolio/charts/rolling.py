"""The rows of rolling Sharpe ratio, volatility and beta below growth and drawdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.calendar import carried
from dashboard.charts.days import BESIDE, Places, breaks_at, broken, on_days, values
from dashboard.charts.rows import GAP_PX, End, Row, extent, limit_line
from dashboard.charts.theme import SERIES
from dashboard.portfolio.colours import compared_colours
from portfolio.data import Line, PortfolioData
from portfolio.rolling import rolling, span_name

ALL_PX = 214
"""Of all rolling rows together, whether there are three or one: what stands above them stays where it is."""
Course = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Figure:
    """A rolling figure of several lines, each by day of its whole history."""

    name: str
    courses: list[tuple[Line, Course]]
    is_percent: bool = False
    """Of a year."""
    has_zero: bool = False
    """Whether zero has a line."""
    limit: float | None = None
    """A value that has a line."""

    @property
    def decimals(self) -> int:
        """Return how many decimals tell it."""
        return 1 if self.is_percent else 2

    @property
    def unit(self) -> str:
        """Return what stands after a number."""
        return " %" if self.is_percent else ""


def rolling_rows(data: PortfolioData, places: Places) -> list[Row]:
    """Return a row a figure; none when the history is too short for any, no beta without a benchmark."""
    lines = [line for line in data.lines if len(line.whole)]
    span, called = data.rolling, span_name(data)
    if not len(data.part) or len(data.whole) <= span:
        return []
    courses = [(line, rolling(line, data)) for line in lines]
    figures = [
        Figure("Sharpe ratio", [(line, c.sharpe) for line, c in courses], has_zero=True),
        Figure("volatility", [(line, 100 * c.volatility) for line, c in courses], is_percent=True),
    ]
    if data.benchmark is not None:
        betas = [(line, c.beta) for line, c in courses if c.beta is not None]
        figures.append(Figure(f"beta to {data.benchmark.name}", betas, limit=1.0))
    days = data.part.dates[places]
    colours = dict(zip([line.key for line in data.lines], (SERIES[0], *compared_colours(data)), strict=True))
    rows = [row for figure in figures if (row := _row(figure, called, days, colours)).span != (0.0, 0.0)]
    height = (ALL_PX - GAP_PX * (len(rows) - 1)) // max(len(rows), 1)
    return [replace(row, height_px=height) for row in rows]


def _row(figure: Figure, called: str, days: NDArray[np.datetime64], colours: Mapping[str, str]) -> Row:
    traces = [_trace(figure, at, days, colours) for at in range(len(figure.courses))]
    own = next((value for value in reversed(traces[0]["y"]) if value is not None), None)
    low, high = extent(*[trace["y"] for trace in traces])
    percent = {"ticksuffix": " %", "rangemode": "tozero"} if figure.is_percent else {}
    return Row(
        height_px=ALL_PX,
        traces=traces,
        axis={"nticks": 3, "zeroline": figure.has_zero, **percent},
        span=(low, high),
        caption=f"Rolling {called}: {figure.name}{', % a year' if figure.is_percent else ''}",
        ends=[] if own is None else [End(_written(own, figure), own, SERIES[0])],
        limits=[limit_line(figure.limit)] if figure.limit is not None and low < figure.limit < high else [],
    )


def _written(value: float, figure: Figure) -> str:
    return f"{value:.{figure.decimals}f}{figure.unit}".replace("-", "−")


def _trace(figure: Figure, at: int, days: NDArray[np.datetime64], colours: Mapping[str, str]) -> dict[str, Any]:
    line, course = figure.courses[at]
    if at == 0:
        more = {"name": figure.name, "hovertemplate": f"%{{y:.{figure.decimals}f}}{figure.unit}"}
    else:
        more = {"name": f"{figure.name} of {line.name}", "hoverinfo": "skip"}
        days = days[::BESIDE]
    found = values((on_days if at == 0 else carried)(line.whole.dates, course, days), figure.decimals)
    at_days = np.minimum(np.searchsorted(line.whole.dates, days), len(line.whole) - 1)
    x, y = broken(days, found, breaks_at(line.whole.returns, at_days))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": colours[line.key], "width": 1.3 if at == 0 else 0.9},
        **more,
    }
