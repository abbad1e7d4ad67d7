"""Charts of round trips: profit over how long they were held, and how profits are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from core import format as text
from dashboard.charts.drawn import Drawn, named, still
from dashboard.portfolio.charts.distribution import histogram
from portfolio.matched_trips import Trip
from portfolio.round_trips import Trips

MOST_POINTS = 1_500
FEWEST_BARS = 10
"""Fewer round trips have no shape."""
WIDE = 200.0
"""Longest over shortest time held from which the axis is logarithmic."""
SHORTEST_HELD_SECONDS = 1.0
UNITS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
SIDES = ((1, "Long", "@series-1", "circle", "●"), (-1, "Short", "@series-2", "triangle-down", "▼"))
MARGIN = {"r": 10, "b": 42}
"""In px: room for the title of the axis below."""
NOTHING = "Shows the round trips that were closed in the window."


def scatter(found: Trips) -> Drawn:
    """Return profit over time held, a point a round trip: the newest MOST_POINTS of them."""
    every = found.known
    if not every:
        return Drawn(note=NOTHING)
    drawn = every[-MOST_POINTS:]
    held = np.array([max(each.of.held_seconds, SHORTEST_HELD_SECONDS) for each in drawn])
    seconds, unit = next(each for each in UNITS if np.median(held) >= each[0])
    is_wide = held.max() / held.min() > WIDE
    currency = found.portfolio.currency
    figure = {
        "data": [_points(drawn, side, seconds, found, look) for side, *look in SIDES],
        "layout": still(
            {
                "xaxis": {"title": _title(f"held, {unit}"), "type": "log" if is_wide else "linear",
                          "tickformat": "~g", "nticks": 6},
                "yaxis": {"title": _title(f"profit, {currency}"), "tickformat": "~s", "zeroline": True},
                "showlegend": False,
                "margin": MARGIN,
            },
            "trips",
        ),
    }  # fmt: skip
    cut = f" · the newest {text.number(len(drawn))} of {text.number(len(every))}" if len(drawn) < len(every) else ""
    return Drawn(figure, named([(f"{sign} {name.lower()}", color) for _, name, color, _, sign in SIDES], cut))


def _points(drawn: Sequence[Trip], side: int, seconds: float, found: Trips, look: Sequence[str]) -> dict[str, Any]:
    name, color, symbol, _ = look
    of = [each for each in drawn if each.of.side == side]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [round(max(each.of.held_seconds, SHORTEST_HELD_SECONDS) / seconds, 4) for each in of],
        "y": [round(each.profit, 2) for each in of],
        "customdata": [_told(found, each) for each in of],
        "marker": {"color": f"{color}/0.65", "symbol": symbol, "size": 6},
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _told(found: Trips, each: Trip) -> str:
    whose = each.whose(found.names)
    closed = np.datetime64(int(each.of.closed_seconds), "s").astype("datetime64[D]")
    gained = f"{text.money(each.profit, found.portfolio.currency, signed=True)} · {text.percent(each.of.return_ratio)}"
    return f"{each.about.symbol} · {whose}<br>{gained}<br>{text.duration(each.of.held_seconds)} to {closed}"


def distribution(found: Trips) -> Drawn:
    """Return how profits are distributed: no bar holds both gains and losses."""
    profits = np.array([each.profit for each in found.known])
    if len(profits) < FEWEST_BARS:
        has = f"Needs {FEWEST_BARS} round trips; the window has {len(profits)}."
        return Drawn(note=has if len(profits) else NOTHING)
    if np.ptp(profits) == 0:
        return Drawn(note="Every round trip had the same profit: there is no distribution.")
    bars = histogram(profits)
    edges = [f"{text.money(low)} … {text.money(high)}" for low, high in pairwise(bars.edges.tolist())]
    edges[0] = f"below {text.money(float(bars.edges[1]))}" if bars.below else edges[0]
    edges[-1] = f"above {text.money(float(bars.edges[-2]))}" if bars.above else edges[-1]
    figure = {
        "data": [
            {
                "type": "bar",
                "name": "round trips",
                "x": [round(float(each), 6) for each in bars.centres],
                "y": bars.counts.tolist(),
                "width": bars.step,
                "customdata": edges,
                "marker": {
                    "color": ["@loss/0.85" if each < 0 else "@gain/0.85" for each in bars.centres.tolist()],
                    "line": {"width": 1, "color": "@panel"},
                },
                "hovertemplate": "%{customdata}<br>%{y} round trips<extra></extra>",
            }
        ],
        "layout": still(
            {
                "xaxis": {"title": _title(f"profit, {found.portfolio.currency}"), "tickformat": "~s", "nticks": 6,
                          "zeroline": True},
                "yaxis": {"title": _title("round trips"), "nticks": 4, "rangemode": "tozero"},
                "bargap": 0.06,
                "margin": MARGIN,
            },
            "profits",
        ),
    }  # fmt: skip
    return Drawn(figure, f"median {text.money(float(np.median(profits)), found.portfolio.currency, signed=True)}")


def _title(of: str) -> dict[str, Any]:
    return {"text": of, "font": {"size": 11}, "standoff": 8}
