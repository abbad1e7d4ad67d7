"""Under water: how far below the best day of the window, the worst falls named, and how unusual today's is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.drawdown import Episode, expected_max_drawdown
from analytics.performance import drawdowns
from core import format as text
from dashboard.charts.days import BESIDE, Places, breaks_at, broken, values
from dashboard.charts.rows import End, Row, extent, limit_line, note
from dashboard.charts.theme import faded
from dashboard.portfolio.charts.growth import drawn_of
from dashboard.portfolio.colours import compared_colours
from portfolio.data import PortfolioData

HEIGHT_PX = 92
LABELLED = 3
LABEL_WIDTH, LABEL_HEIGHT = 0.18, 0.13
"""Of the row."""
FARTHEST_EXPECTED = 2.5
"""An expected drawdown beyond this many times the deepest is said in words alone: its line would squash the rest."""
FEWEST_RETURNS = 20
"""An expected drawdown from fewer returns would be a guess."""
Water = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a label stands, as shares of the row from its left and its top."""

    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Return whether the two overlap."""
        is_apart = self.right <= other.left or other.right <= self.left
        return not (is_apart or self.bottom <= other.top or other.bottom <= self.top)


def underwater_row(data: PortfolioData, places: Places, water: Water, falls: Sequence[Episode]) -> Row:
    """Return the row of drawdowns in percent, the compared portfolios as thin lines."""
    compared = _compared(data, places)
    lowest = min(100 * float(water.min(initial=0.0)), extent(*[line["y"] for line in compared])[0])
    expected = 100 * expected_drawdown(data)
    is_near = expected < 0 and expected > FARTHEST_EXPECTED * min(lowest, -1.0)
    floor = min(lowest, expected) if is_near else lowest
    return Row(
        height_px=HEIGHT_PX,
        traces=[*compared, _own(data, places, water)],
        axis={"ticksuffix": " %", "nticks": 4, "range": [round(floor * 1.12 if floor else -1.0, 3), 0]},
        span=(floor, 0.0),
        caption=_caption(data, water, float("nan") if is_near else expected),
        ends=[End(text.percent(float(water[-1])), 100 * float(water[-1]), "@loss")] if len(water) else [],
        notes=[
            *_worst(data, falls, min(floor, -1e-9)),
            *([_expected_label(expected, is_right=_is_early(falls, data))] if is_near else []),
        ],
        limits=[limit_line(expected)] if is_near else [],
    )


def expected_drawdown(data: PortfolioData) -> float:
    """Return the maximum drawdown to expect of this mean, volatility and length; NaN from too few returns."""
    returns = data.part.returns[1:]
    known = returns[~np.isnan(returns)]
    if len(known) < FEWEST_RETURNS:
        return float("nan")
    return float(expected_max_drawdown(float(known.mean()), float(known.std(ddof=1)), len(known)))


def share_of_shallower(water: Water) -> float:
    """Return the share of days that are less far under water than the last; NaN without days before it."""
    return float(np.mean(water[:-1] > water[-1])) if len(water) > 1 else float("nan")


def _own(data: PortfolioData, places: Places, water: Water) -> dict[str, Any]:
    days, breaks = data.part.dates[places], breaks_at(data.part.returns, places)
    x, y = broken(days, values(100 * water[places], 2), breaks)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "drawdown",
        "x": x,
        "y": y,
        "line": {"color": "@loss", "width": 1.2},
        "hovertemplate": "%{y:.2f} %",
        # A fill would lead across a gap, whatever the line does.
        **({} if breaks.any() else {"fill": "tozeroy", "fillcolor": faded("@loss", 0.22)}),
    }


def _compared(data: PortfolioData, places: Places) -> list[dict[str, Any]]:
    lines = []
    for line, color in zip(data.compared, compared_colours(data), strict=True):
        if not len(line.part):
            continue
        kept = drawn_of(line, data, places[::BESIDE])
        days, breaks = line.part.dates[kept], breaks_at(line.part.returns, kept)
        x, y = broken(days, values(100 * drawdowns(line.part)[kept], 2), breaks)
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"drawdown of {line.name}",
                "x": x,
                "y": y,
                "line": {"color": color, "width": 0.9},
                "hoverinfo": "skip",
            }
        )
    return lines


def _worst(data: PortfolioData, falls: Sequence[Episode], floor: float) -> list[dict[str, Any]]:
    """Return labels at the troughs of the worst falls, deepest first; one that would cover another is left out."""
    taken: list[Box] = []
    notes: list[dict[str, Any]] = []
    for fall in falls:
        place = _free(fall, max(len(data.part) - 1, 1), floor, taken)
        if place is None or len(notes) == LABELLED:
            continue
        box, is_left = place
        taken.append(box)
        day = str(data.part.dates[fall.trough])
        label = note(f"{text.percent(fall.depth)} · {day}", day, round(100 * fall.depth, 2), is_left=is_left)
        notes.append(label | ({"name": "wide-only"} if notes else {}))
    return notes


def _free(fall: Episode, width: int, floor: float, taken: Sequence[Box]) -> tuple[Box, bool] | None:
    """Return where the label of a fall may stand, as shares of the row, and whether that is left of the trough."""
    across, down = fall.trough / width, 100 * fall.depth / floor
    right, left = (across, across + LABEL_WIDTH), (across - LABEL_WIDTH, across)
    for start, end in (right, left) if across < 0.5 else (left, right):
        box = Box(start, end, down - LABEL_HEIGHT / 2, down + LABEL_HEIGHT / 2)
        if start >= 0 and end <= 1 and box.top >= 0 and not any(box.meets(other) for other in taken):
            return box, start < across
    return None


def _caption(data: PortfolioData, water: Water, expected: float) -> str:
    if not len(water):
        return "Underwater"
    share = share_of_shallower(water)
    deeper = f" · deeper than {100 * share:.0f} % of {data.units}"
    unusual = deeper if water[-1] < 0 and share == share else ""
    usual = f" · expected maximum {text.percent(expected / 100)}" if expected == expected else ""
    return f"Underwater{unusual}{usual}"


def _is_early(falls: Sequence[Episode], data: PortfolioData) -> bool:
    """Return whether the deepest fall lies in the first half, where a label at the left would meet its name."""
    return bool(falls) and falls[0].trough < len(data.part) / 2


def _expected_label(expected: float, *, is_right: bool) -> dict[str, Any]:
    return {
        "text": f"expected maximum {text.percent(expected / 100)}", "x": 0.996 if is_right else 0.004,
        "y": round(expected, 2), "xref": "paper", "xanchor": "right" if is_right else "left", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 10, "color": "@muted"}, "name": "wide-only",
    }  # fmt: skip
