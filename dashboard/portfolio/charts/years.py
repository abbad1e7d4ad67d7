"""Year by year: the return of each calendar year beside the benchmark and those it is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.charts.drawn import Drawn, named, still
from dashboard.charts.rows import short
from dashboard.charts.theme import SERIES
from dashboard.portfolio.colours import compared_colours
from portfolio.data import Line, PortfolioData
from portfolio.since import by_period

MOST_BARS = 72
"""More bars than this cannot be told apart: then only the portfolio and its benchmark are shown."""


def years(data: PortfolioData) -> Drawn:
    """Return the chart: the whole history, the first and the running year as long as the data."""
    if len(data.own.daily) < 2:
        return Drawn(note="Needs a return.")
    own = returns_by_year(data.own)
    lines = [(data.own, SERIES[0])]
    if data.benchmark is not None:
        lines.append((data.benchmark, "@muted"))
    compared = list(zip(data.compared, compared_colours(data), strict=True))
    is_crowded = len(own) * (len(lines) + len(compared)) > MOST_BARS
    lines += [] if is_crowded else compared
    names = [str(year) for year in own]
    figure = {
        "data": [_bars(line, color, list(own), names) for line, color in lines],
        "layout": still(
            {
                "xaxis": {"type": "category", "showgrid": False, "nticks": 11, "tickangle": 0},
                "yaxis": {"ticksuffix": " %", "nticks": 5},
                "bargap": 0.25,
                "bargroupgap": 0.05,
                "hovermode": "x unified",
                "meta": {"x": "year"},
                "margin": {"r": 10, "t": 6, "b": 24},
            },
            "years",
        ),
    }
    more = " · compared portfolios hidden: too many bars" if is_crowded and compared else ""
    return Drawn(figure, named([(short(line.name), color) for line, color in lines], more))


def returns_by_year(line: Line) -> dict[int, float]:
    """Return the compounded return of each year, by year."""
    found = by_period(line.daily, line.cadence, "Y")
    return dict(zip(found.numbers.tolist(), found.returns.tolist(), strict=True))


def _bars(line: Line, color: str, wanted: list[int], names: list[str]) -> dict[str, Any]:
    found = returns_by_year(line)
    own = [found.get(year, np.nan) for year in wanted]
    return {
        "type": "bar",
        "name": line.name,
        "x": names,
        "y": [None if value != value else round(100 * value, 2) for value in own],
        "marker": {"color": color, "opacity": 0.55 if color == "@muted" else 0.95},
        "hovertemplate": "%{y:.2f} %",
    }
