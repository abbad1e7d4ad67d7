"""Up and down capture: how much of the benchmark's good and bad periods a portfolio took part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analytics.benchmark import capture
from dashboard.charts.drawn import Drawn, named, still
from dashboard.charts.rows import short
from portfolio.data import Line, PortfolioData
from portfolio.summary import common_periods

FEWEST = 12
"""Capture of fewer common returns says nothing."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Shares of the benchmark's return in its gaining and in its losing periods; NaN where there were none."""

    line: Line
    up: float
    down: float


def captures(data: PortfolioData) -> Drawn:
    """Return the chart of the window: a pair of bars for the portfolio and each that it is compared with."""
    if data.benchmark is None:
        return Drawn(note="Choose a benchmark to see capture ratios.")
    found = [each for line in data.lines if (each := _capture(line, data)) is not None]
    if not found:
        return Drawn(note=f"Needs {FEWEST} {data.units} in common with the benchmark in the window.")
    figure = {
        "data": [_spans(found), _dots("up", found, "@series-1"), _dots("down", found, "@series-2")],
        "layout": still(
            {
                "xaxis": {
                    "ticksuffix": " %",
                    "nticks": 5,
                    "tickangle": 0,
                    "zeroline": True,
                    "autorangeoptions": {"include": [0, 105]},
                },
                "yaxis": {"type": "category", "range": [len(found) - 0.5, -0.5], "showgrid": False},
                "margin": {"r": 12, "t": 6, "b": 24},
                "shapes": [_whole()],
            },
            "capture",
        ),
    }
    name = short(data.benchmark.name)
    bars = [(f"when {name} rose", "@series-1"), (f"when {name} fell", "@series-2")]
    return Drawn(figure, named(bars))


def _capture(line: Line, data: PortfolioData) -> Capture | None:
    own, other = data.pair(line)
    if int(np.isfinite(own.returns).sum()) < FEWEST:
        return None
    periods = common_periods(data.periods_of(line), line.part, own)
    up, down = (float(capture(own.returns, other.returns, side=side, periods=periods)) for side in ("up", "down"))
    return Capture(line, up, down)


def _label(each: Capture) -> str:
    return f"{short(each.line.name)}  {_written(each.up)} / {_written(each.down)}"


def _written(share: float) -> str:
    return "n/a" if share != share else f"{100 * share:.0f} %".replace("-", "−")


def _dots(side: Literal["up", "down"], found: list[Capture], color: str) -> dict[str, Any]:
    shares = [each.up if side == "up" else each.down for each in found]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{side} capture",
        "y": [_label(each) for each in found],
        "x": [None if share != share else round(100 * share, 1) for share in shares],
        "marker": {"color": color, "size": 10},
        "hovertemplate": f"{side} capture %{{x:.1f}} %<extra></extra>",
    }


def _spans(found: list[Capture]) -> dict[str, Any]:
    """Return the line between the two dots of each row."""
    pairs = [(each, share) for each in found for share in (each.up, each.down, None)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "",
        "y": [_label(each) for each, _ in pairs],
        "x": [None if share is None or share != share else round(100 * share, 1) for _, share in pairs],
        "line": {"color": "@line", "width": 3},
        "hoverinfo": "skip",
    }


def _whole() -> dict[str, Any]:
    return {
        "type": "line", "x0": 100, "x1": 100, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": "@muted", "width": 1, "dash": "dot"},
    }  # fmt: skip
