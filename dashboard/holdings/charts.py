"""Charts of what is held: a map of the positions by group, and the history of one of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import format as text
from core.clock import DAY_SECONDS
from dashboard.charts.days import day_axis, texts
from dashboard.charts.drawn import Drawn, still
from portfolio.holdings import Group, Holding, Holdings

FULL_RETURN = 0.06
"""Day's return from which a tile has its full colour."""
MOST_MARKED = 9
"""Reports up to which each has a mark: a line through two of them would look like a course."""
FEW_UNITS = 4
"""Of quantity, up to which each whole one has its tick."""
ALL = "\nall"
"""Id of the tile that holds the groups; no group is called so."""
SCALE = ((0, "@loss"), (0.5, "@panel"), (1, "@gain"))
"""Opaque: a map mixes what shines through with a dark ground of its own, whatever the theme."""


@dataclass(frozen=True, slots=True)
class _Tile:
    id: str
    parent: str
    """ALL: it is a group; empty: it is all of them."""
    label: str
    size: float
    day_return: float | None
    """What its colour says; 0 of a group, which the colours of its tiles lie upon."""
    shown: str
    more: str
    """For who points at it."""


def treemap(found: Holdings, group: Group) -> Drawn:
    """Return the map: a tile a position, as large as its value without the sign, coloured by the day's return."""
    known = [each for each in found.positions if each.value and not math.isnan(each.value)]
    if not known:
        return Drawn(note="Shows positions with a known value.")
    tiles = _tiles(found, known, group)
    figure = {
        "data": [
            {
                "type": "treemap",
                "ids": [each.id for each in tiles],
                "labels": [each.label for each in tiles],
                "parents": [each.parent for each in tiles],
                "values": [round(each.size, 2) for each in tiles],
                "branchvalues": "total",
                "marker": {
                    "colors": [each.day_return for each in tiles],
                    "colorscale": [list(step) for step in SCALE],
                    "cmin": -FULL_RETURN,
                    "cmax": FULL_RETURN,
                    "line": {"width": 1, "color": "@panel"},
                },
                "text": [each.shown for each in tiles],
                "customdata": [each.more for each in tiles],
                "hovertemplate": "%{label}<br>%{customdata}<extra></extra>",
                "texttemplate": "%{label}<br>%{text}",
                "textfont": {"color": "@text"},
                "tiling": {"pad": 1},
                "pathbar": {"visible": False},
            }
        ],
        "layout": still({"margin": {"l": 0, "r": 0, "t": 0, "b": 0}}, "treemap"),
    }
    return Drawn(figure, "size: value without its sign · colour: the day's return")


def _tiles(found: Holdings, known: Sequence[Holding], group: Group) -> list[_Tile]:
    groups: dict[str, list[Holding]] = defaultdict(list)
    for each in known:
        groups[each.group(group, found.names)].append(each)
    whole = found.portfolio.name
    tiles = [
        _Tile(ALL, "", whole, math.fsum(abs(each.value) for each in known), 0.0, "", text.count(len(known), "position"))
    ]
    for name, parts in groups.items():
        size = math.fsum(abs(each.value) for each in parts)
        gained = _return_of(parts)
        tiles.append(_Tile(name, ALL, name, size, 0.0, _signed(gained), text.count(len(parts), "position")))
        tiles += [_tile(found, each, name) for each in parts]
    return tiles


def _tile(found: Holdings, each: Holding, parent: str) -> _Tile:
    whose = found.names.get(each.portfolio, each.portfolio)
    return _Tile(
        id=f"{parent}\n{each.portfolio}\n{each.instrument}",
        parent=parent,
        label=each.instrument if each.value > 0 else f"{each.instrument} short",
        size=abs(each.value),
        day_return=None if math.isnan(each.day_return) else round(each.day_return, 6),
        shown=_signed(each.day_return),
        more=f"{each.about.name} · {whose}<br>{text.percent(each.weight)} of NAV · day {_signed(each.day_return)}",
    )


def _signed(ratio: float | None) -> str:
    return text.percent(ratio, signed=True)


def instrument_history(rows: Sequence[tuple[str, int, float, float, float]], currency: str) -> dict[str, Any]:
    """Return the figure of a position over time: quantity of all portfolios together, and price, a day each.

    rows: oldest first. Of a day counts what each portfolio told last, which may be at other times than others did.
    """
    last: dict[tuple[int, str], float] = {}
    price: dict[int, float] = {}
    for portfolio, ts, held, of_one, _ in rows:
        last[ts // DAY_SECONDS, portfolio] = held
        price[ts // DAY_SECONDS] = of_one
    quantity: dict[int, float] = defaultdict(float)
    for (day, _), held in last.items():
        quantity[day] += held
    times = sorted(quantity)
    dates = np.array(times, dtype="datetime64[D]")
    days, held_at = texts(dates), [quantity[day] for day in times]
    mode = "lines" if len(times) > MOST_MARKED else "lines+markers"
    return {
        "data": [
            {
                "type": "scatter", "mode": mode, "name": "Price", "x": days, "y": [price[day] for day in times],
                "line": {"color": "@series-1", "width": 1.5}, "hovertemplate": f"%{{y:,.2f}} {currency}",
            },
            {
                "type": "scatter", "mode": "lines", "name": "Quantity", "x": days,
                "y": held_at, "yaxis": "y2", "fill": "tozeroy", "fillcolor": "@series-2/0.15",
                "line": {"color": "@series-2", "width": 1, "shape": "hv"}, "hovertemplate": "%{y:,.0f}",
            },
        ],
        "layout": {
            "yaxis": {"domain": [0.42, 1], "title": {"text": f"price, {currency}"}},
            "yaxis2": {"domain": [0, 0.34], "title": {"text": "quantity"}, **_whole_ticks(held_at)},
            "xaxis": day_axis(dates, "y2"),
            "margin": {"l": 56, "r": 32, "t": 12, "b": 44},
            "showlegend": False,
        },
    }  # fmt: skip


def _whole_ticks(held: Sequence[float]) -> dict[str, Any]:
    """Return an axis whose ticks are whole where every quantity is: a tenth of a share that nobody holds is no tick."""
    if any(each != round(each) for each in held):
        return {"nticks": 4}
    span = max(*held, 0.0) - min(*held, 0.0)
    return {"tickformat": ",d", "nticks": 4} | ({"tick0": 0, "dtick": 1} if span <= FEW_UNITS else {})


def _return_of(parts: Sequence[Holding]) -> float | None:
    gained = math.fsum(each.day for each in parts if not math.isnan(each.day))
    before = math.fsum(abs(each.value - each.day) for each in parts if not math.isnan(each.day))
    return gained / before if before else None
