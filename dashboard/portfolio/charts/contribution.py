"""Contribution: what each strategy added to the return of the fund; the bars add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.returns import contribution
from core import format as text
from dashboard.charts.days import carried
from dashboard.charts.drawn import Drawn, still
from dashboard.charts.rows import short
from portfolio.data import Line, PortfolioData

MOST_BARS = 14
ROOMY = 8
TEXT_SHARE = 0.24
"""Of the width of the chart, for a number beside a bar."""
SMALLEST = 5e-5
"""What the strategies do not explain, as a ratio: less than this would show as 0.00 %."""
LONGEST_GAP = np.timedelta64(7, "D")
"""A part whose values ended longer ago than this no longer exists: a weekend or holidays are no end."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """What one part added to the return of the whole, as a ratio."""

    name: str
    added: float


def contributions(data: PortfolioData) -> Drawn:
    """Return the chart of the window: strategies from the largest gain to the largest loss, and their total."""
    parts = [line for line in data.family if line.nav is not None and len(line.nav)]
    if len(parts) < 2:
        return Drawn(note="Needs two strategies or more.")
    if len(data.part) < 2:
        return Drawn(note="Needs a return in the window.")
    shares = shares_of(data, parts)
    total = sum(share.added for share in shares)
    if total != total:
        return Drawn(note="Total loss in the window: contributions do not add up to it.")
    are_own = all(line.portfolio and line.portfolio.parent == data.portfolio.id for line in parts)
    whole = float(data.part.index[-1] - 1.0) if are_own else total
    rest = [Share("Unallocated", whole - total)] if abs(whole - total) >= SMALLEST else []
    bars = [*gathered(shares), *rest, Share("Total", whole)]
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
    of = data.own.name if are_own else "all strategies"
    return Drawn(figure, f"to the {data.query.window_name} return of {short(of)}")


def shares_of(data: PortfolioData, parts: list[Line]) -> list[Share]:
    """Return what each part added over the window, day by day, largest first; they add up to the parts' return.

    That is the return of the parts taken together: their values added, their money in and out, too.
    """
    days = np.unique(np.concatenate([data.own.daily.dates, *[line.daily.dates for line in parts]]))
    inside = days[(days >= data.part.dates[0]) & (days <= data.part.dates[-1])]
    values, flows, returns = (np.stack(each) for each in zip(*[_on_days(line, inside) for line in parts], strict=True))
    start = values[:, :-1] + np.maximum(flows[:, 1:], 0.0)
    whole = start.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(whole > 0, start / whole, 0.0)
    found = np.asarray(contribution(weights, returns[:, 1:]), dtype=np.float64).reshape(-1)
    shares = [Share(line.name, float(added)) for line, added in zip(parts, found, strict=True)]
    return sorted(shares, key=lambda share: -share.added)


def gathered(shares: list[Share]) -> list[Share]:
    """Return the shares, those in the middle of more than 14 taken together: they add up to the same."""
    if len(shares) <= MOST_BARS:
        return shares
    half = (MOST_BARS - 1) // 2
    middle = shares[half:-half]
    rest = Share(f"{len(middle)} others", sum(share.added for share in middle))
    return [*shares[:half], rest, *shares[-half:]]


def _on_days(line: Line, days: NDArray[np.datetime64]) -> tuple[Floats, Floats, Floats]:
    """Return value, flow and return of a part on `days`; 0 before it existed and from a week after its last value.

    On a day without a value it has the last one, and returns and flows span from one of `days` to the next.
    """
    assert line.nav is not None
    nav, daily = line.nav, line.daily
    value, flow = carried(nav.dates, nav.value, days, 0.0), carried(nav.dates, np.cumsum(nav.flow), days, 0.0)
    value[days > nav.dates[-1] + LONGEST_GAP] = 0.0
    level = carried(daily.dates, daily.index, days, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[0.0], np.where(level[:-1] > 0, level[1:] / level[:-1] - 1.0, 0.0)])
    return np.maximum(value, 0.0), np.diff(flow, prepend=0.0), returns


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
