"""Charts of an attribution: bars of contributions, their course, and returns before and after fees."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import format as text
from dashboard.charts.days import day_axis, drawn, texts, values
from dashboard.charts.drawn import Drawn, named, still
from dashboard.charts.rows import End, Row, extent, short, stacked
from dashboard.charts.theme import SERIES
from portfolio.attribution import Attribution, Part
from portfolio.by_period import TOTAL
from portfolio.fees import Fees
from portfolio.holdings import Group

MOST_BARS = 16
TEXT_SHARE = 0.24
"""Of the width of the chart, for a number beside a bar."""


def bars(found: Attribution, by: Group) -> Drawn:
    """Return the chart of what each group added, the rests after them, and their total."""
    parts = found.parts(by)
    groups = [part for part in parts if part.count]
    if not groups:
        return Drawn(note="No position was held in the window.")
    shown = [*_gathered(groups), *(part for part in parts if not part.count)]
    names = [short(part.name) for part in shown] + [TOTAL]
    added = [part.added for part in shown] + [found.total_return]
    low, high = min(0.0, *added), max(0.0, *added)
    room = TEXT_SHARE * ((high - low) or 0.01)
    colours = ["@gain" if each >= 0 else "@loss" for each in added[:-1]] + ["@text"]
    size = 11 if len(names) <= 12 else 9
    figure = {
        "data": [
            {
                "type": "bar", "orientation": "h", "name": "contribution", "y": names,
                "x": [round(100 * each, 4) for each in added],
                "text": [text.percent(each, signed=True) for each in added], "textposition": "outside",
                "cliponaxis": False, "constraintext": "none", "textfont": {"size": size},
                "marker": {"color": colours, "opacity": 0.9}, "hovertemplate": "%{y}: %{x:.3f} %<extra></extra>",
            }
        ],
        "layout": still(
            {
                "xaxis": {
                    "ticksuffix": " %", "nticks": 5, "zeroline": True,
                    "range": [100 * (low - room if low < 0 else low), 100 * (high + room if high > 0 else high)],
                },
                "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "dtick": 1,
                          "tickfont": {"size": size}},
                "bargap": 0.28,
                "margin": {"r": 8, "t": 6, "b": 24},
            },
            f"{by}-bars",
        ),
    }  # fmt: skip
    return Drawn(figure, "to the time-weighted return, before costs")


def course(found: Attribution, by: Group) -> Drawn:
    """Return the course of what the groups that moved most had added by each day."""
    names, added = found.course(by)
    if not names:
        return Drawn(note="No position was held in the window.")
    largest = np.argsort(-np.abs(added).max(axis=0), kind="stable")[: len(SERIES)]
    places = drawn(len(found.days))
    days = texts(found.days[places])
    lines = []
    for color, column in zip(SERIES, sorted(largest.tolist()), strict=False):
        y = values(100 * added[places, column], 3)
        lines.append((names[column], color, y))
    row = Row(
        height_px=240,
        traces=[
            {
                "type": "scatter", "mode": "lines", "name": name, "x": days, "y": y,
                "line": {"color": color, "width": 1.4}, "hovertemplate": "%{y:.2f} %",
            }
            for name, color, y in lines
        ],
        axis={"ticksuffix": " %", "nticks": 6, "zeroline": True},
        span=extent(*[y for _, _, y in lines]),
        ends=[End(short(name), y[-1] or 0.0, color) for name, color, y in lines],
    )  # fmt: skip
    figure = stacked([row], day_axis(found.days, "y"))
    more = len(names) - len(lines)
    said = f"points of return since {found.start}, before costs"
    return Drawn(figure, f"{said} · the {len(lines)} that moved most of {len(names)}" if more > 0 else said)


def fee_curves(found: Fees) -> Drawn:
    """Return growth of 100 before and after fees."""
    places = drawn(len(found.days))
    days = texts(found.days[places])
    lines = [("Gross", SERIES[1], found.gross), ("Net", SERIES[0], found.net)]
    told = [(name, color, values(100 * index[places], 2)) for name, color, index in lines]
    row = Row(
        height_px=240,
        traces=[
            {
                "type": "scatter", "mode": "lines", "name": name, "x": days, "y": y,
                "line": {"color": color, "width": 1.4}, "hovertemplate": "%{y:.2f}",
            }
            for name, color, y in told
        ],
        axis={"nticks": 6, "zeroline": False},
        span=extent(*[y for _, _, y in told]),
        ends=[End(f"{name} {y[-1] or 0.0:.1f}", y[-1] or 0.0, color) for name, color, y in told],
    )  # fmt: skip
    figure: dict[str, Any] = stacked([row], day_axis(found.days, "y"))
    return Drawn(figure, named([(name, color) for name, color, _ in lines], " of fees · growth of 100"))


def _gathered(parts: list[Part]) -> list[Part]:
    """Return the parts, those in the middle of many taken together: they add up to the same."""
    if len(parts) <= MOST_BARS:
        return parts
    half = (MOST_BARS - 1) // 2
    middle = parts[half:-half]
    rest = Part(
        text.count(len(middle), "other"), sum(part.pnl for part in middle), sum(part.costs for part in middle),
        sum(part.added for part in middle), sum(part.weight for part in middle), sum(part.count for part in middle),
    )  # fmt: skip
    return [*parts[:half], rest, *parts[-half:]]
