"""Contribution: what each strategy added to the return of the fund; the bars add up to it."""

from __future__ import annotations

import math
from typing import Any

from core import format as text
from core.format import count, first_of
from dashboard.charts.drawn import Drawn, still
from dashboard.charts.rows import short
from portfolio.contribution import Share, contributed, parts_with_values, parts_without_rate
from portfolio.data import PortfolioData

MOST_BARS = 14
ROOMY = 8
TEXT_SHARE = 0.24
"""Of the width of the chart, for a number beside a bar."""
SMALLEST = 5e-5
"""What the strategies do not explain, as a ratio: less than this would show as 0.00 %."""


def contributions(data: PortfolioData) -> Drawn:
    """Return the chart of the window: strategies from the largest gain to the largest loss, and their total."""
    parts = parts_with_values(data)
    if len(parts) < 2:
        return Drawn(note=f"{_lost(data)}Needs two strategies or more.")
    if len(data.part) < 2:
        return Drawn(note="Needs a return in the window.")
    found = contributed(data, parts)
    if math.isnan(found.explained):
        return Drawn(note="Total loss in the window: contributions do not add up to it.")
    rest = [Share("Unallocated", found.unallocated)] if abs(found.unallocated) >= SMALLEST else []
    bars = [*gathered(found.shares), *rest, Share("Total", found.total)]
    figure = {
        "data": [_bars(bars)],
        "layout": still(
            {
                "xaxis": {"ticksuffix": " %", "nticks": 5, "zeroline": True, "range": _room(bars)},
                "yaxis": {
                    "type": "category",
                    "autorange": "reversed",
                    "showgrid": False,
                    "dtick": 1,
                    "tickfont": {"size": 11 if len(bars) <= ROOMY else 9},
                },
                "bargap": 0.28,
                "margin": {"r": 8, "t": 6, "b": 24},
            },
            "contribution",
        ),
    }
    of = data.own.name if found.are_own else "all strategies"
    without = f"; no rate to {data.family_currency}: {first_of(found.left_out)} left out" if found.left_out else ""
    return Drawn(figure, f"to the {data.query.window_name} return of {short(of)}{without}")


def gathered(shares: list[Share]) -> list[Share]:
    """Return the shares, those in the middle of more than 14 taken together: they add up to the same."""
    if len(shares) <= MOST_BARS:
        return shares
    half = (MOST_BARS - 1) // 2
    middle = shares[half:-half]
    rest = Share(count(len(middle), "other"), sum(share.added for share in middle))
    return [*shares[:half], rest, *shares[-half:]]


def _lost(data: PortfolioData) -> str:
    """Return a sentence about parts that cannot be converted; empty: there are none."""
    lost = parts_without_rate(data)
    if not lost:
        return ""
    currencies = sorted({line.portfolio.currency for line in lost if line.portfolio})
    names = first_of([line.name for line in lost])
    return f"No rate from {first_of(currencies)} to {data.family_currency}: {names} left out. "


def _room(bars: list[Share]) -> list[float]:
    """Return the range of the axis with room for the numbers beyond the bars."""
    low, high = min(0.0, *(bar.added for bar in bars)), max(0.0, *(bar.added for bar in bars))
    room = TEXT_SHARE * ((high - low) or 0.01)
    return [100 * (low - room if low < 0 else low), 100 * (high + room if high > 0 else high)]


def _bars(bars: list[Share]) -> dict[str, Any]:
    last = len(bars) - 1
    colors = ["@text" if at == last else "@gain" if bar.added >= 0 else "@loss" for at, bar in enumerate(bars)]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "contribution",
        "y": [short(bar.name) for bar in bars],
        "x": [round(100 * bar.added, 3) for bar in bars],
        "text": [text.percent(bar.added, signed=True) for bar in bars],
        "textposition": "outside",
        "cliponaxis": False,
        "constraintext": "none",
        "textfont": {"size": 11 if len(bars) <= ROOMY else 9},
        "marker": {"color": colors, "opacity": 0.9},
        "hovertemplate": "%{y}: %{x:.3f} %<extra></extra>",
    }
