"""Under water: how far below the best day of the window, the worst falls named, and how unusual today's is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.drawdown import Episode
from analytics.performance import drawdowns
from dashboard import format as text
from dashboard.figures.days import Places, texts, values
from dashboard.figures.portfolio_growth import drawn_of
from dashboard.figures.rows import End, Row, limit_line, note
from dashboard.portfolio_data import Shown
from dashboard.theme import COMPARED, faded

HEIGHT_PX = 112
LABELLED = 3
SHORTEST_DISTANCE = 0.2
"""Of the width of the chart: between two labelled falls, so that their texts do not meet."""
FARTHEST_EXPECTED = 2.5
"""An expected drawdown beyond this many times the deepest one is said in words alone: its line would squash all else."""
FEWEST_RETURNS = 20
"""An expected drawdown from fewer returns would be a guess."""
Water = NDArray[np.float64]


def underwater_row(shown: Shown, places: Places, water: Water, falls: Sequence[Episode]) -> Row:
    """Return the row of drawdowns in percent, the compared portfolios as thin lines."""
    lowest = 100 * float(water.min(initial=0.0))
    expected = 100 * expected_drawdown(shown)
    is_near = expected < 0 and expected > FARTHEST_EXPECTED * min(lowest, -1.0)
    floor = min(lowest, expected) if is_near else lowest
    return Row(
        height_px=HEIGHT_PX,
        traces=[*_compared(shown, places), _own(shown, places, water)],
        axis={"ticksuffix": " %", "nticks": 4, "range": [round(floor * 1.12 if floor else -1.0, 3), 0]},
        span=(floor, 0.0),
        caption=_caption(shown, water, expected),
        ends=[End(f"{text.percent(float(water[-1]))} now", 100 * float(water[-1]), "@loss")] if len(water) else [],
        notes=[*_worst(shown, falls), *([_expected_label(expected)] if is_near else [])],
        limits=[limit_line(expected)] if is_near else [],
    )


def expected_drawdown(shown: Shown) -> float:
    """Return the maximum drawdown to expect of this mean, volatility and length, 0 or below; NaN with too few returns."""
    returns = shown.part.returns[1:]
    known = returns[~np.isnan(returns)]
    if len(known) < FEWEST_RETURNS:
        return float("nan")
    return float("nan")


def share_of_shallower(water: Water) -> float:
    """Return the share of days that are less far under water than the last; NaN without days before it."""
    return float(np.mean(water[:-1] > water[-1])) if len(water) > 1 else float("nan")


def _own(shown: Shown, places: Places, water: Water) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "drawdown",
        "x": texts(shown.part.dates[places]),
        "y": values(100 * water[places], 2),
        "line": {"color": "@loss", "width": 1.2},
        "fill": "tozeroy",
        "fillcolor": faded("@loss", 0.22),
        "hovertemplate": "%{y:.2f} %",
    }


def _compared(shown: Shown, places: Places) -> list[dict[str, Any]]:
    lines = []
    for line, color in zip(shown.compared, COMPARED, strict=False):
        if not len(line.part):
            continue
        kept = drawn_of(line, shown, places)
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"drawdown of {line.name}",
                "x": texts(line.part.dates[kept]),
                "y": values(100 * drawdowns(line.part)[kept], 2),
                "line": {"color": color, "width": 0.9},
                "hoverinfo": "skip",
            }
        )
    return lines


def _worst(shown: Shown, falls: Sequence[Episode]) -> list[dict[str, Any]]:
    """Return labels at the troughs of the worst falls, deepest first, none so near another that their texts meet."""
    named: list[Episode] = []
    width = max(len(shown.part) - 1, 1)
    for fall in falls:
        if len(named) < LABELLED and all(
            abs(fall.trough - other.trough) > SHORTEST_DISTANCE * width for other in named
        ):
            named.append(fall)
    days = [str(shown.part.dates[fall.trough]) for fall in named]
    return [
        note(f"{text.percent(fall.depth)} · {day}", day, round(100 * fall.depth, 2), is_left=fall.trough > 0.62 * width)
        for fall, day in zip(named, days, strict=True)
    ]


def _caption(shown: Shown, water: Water, expected: float) -> str:
    if not len(water):
        return "Underwater, %"
    share = share_of_shallower(water)
    today = "today at the best day" if water[-1] == 0 else f"today {text.percent(float(water[-1]))}"
    if share == share and water[-1] < 0:
        today += f", deeper than {100 * share:.0f} % of days shown"
    usual = f" · expected maximum {text.percent(expected / 100)}" if expected == expected else ""
    return f"Underwater, % below the best day shown · {today}{usual}"


def _expected_label(expected: float) -> dict[str, Any]:
    return {
        "text": "expected maximum for this return, volatility and length", "x": 0.004, "y": round(expected, 2),
        "xref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False,
        "font": {"size": 10, "color": "@muted"}, "name": "wide-only",
    }  # fmt: skip
