"""A figure of rows: charts below each other on one time axis, with one crosshair and one zoom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.format import cut
from dashboard.charts.theme import end_label
from dashboard.charts.timeseries import spread

LETTER_PX = 6.4
SHORTEST_LABEL_PX = 64
LONGEST_NAME = 22
GAP_PX = 26
"""Between two rows: the caption of the lower one stands in it."""
MARGIN_PX = {"t": 34, "b": 8}
"""The labels of the time axis stand above the first row: whoever sees a row of the first screen sees its time."""


@dataclass(frozen=True, slots=True)
class End:
    """The name of a line at its right end."""

    text: str
    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Row:
    """One chart of the figure. Traces, notes and shapes say nothing of their y axis: the figure numbers the rows."""

    height_px: int
    """Share of the figure's height beside the other rows."""
    traces: Sequence[dict[str, Any]]
    axis: dict[str, Any]
    span: tuple[float, float]
    """Lowest and highest value drawn: ends are spread over it."""
    caption: str = ""
    """What it is, with the unit; empty where the panel's title says it."""
    ends: Sequence[End] = ()
    notes: Sequence[dict[str, Any]] = ()
    """Annotations at days and values of this row."""
    limits: Sequence[dict[str, Any]] = ()
    """Shapes across this row."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time shaded across the first `rows` rows."""

    start: str
    end: str
    color: str
    rows: int = field(default=1)


def stacked(rows: Sequence[Row], x_axis: dict[str, Any], bands: Sequence[Band] = ()) -> dict[str, Any]:
    """Return the figure of `rows`, first on top. On a narrow page 45-narrow.js makes captions of the ends."""
    total = sum(row.height_px for row in rows) + GAP_PX * (len(rows) - 1)
    layout: dict[str, Any] = {"hoversubplots": "axis", "meta": {"narrow": "captions"}}
    traces, notes, shapes, bottoms = [], [], [], []
    top = 1.0
    for number, row in enumerate(rows, start=1):
        suffix = "" if number == 1 else str(number)
        bottom = max(top - row.height_px / total, 0.0)
        layout[f"yaxis{suffix}"] = {"domain": [round(bottom, 4), round(top, 4)], **row.axis}
        traces += [{**trace, "xaxis": "x", "yaxis": f"y{suffix}"} for trace in row.traces]
        notes += _notes(row, f"y{suffix}", top)
        shapes += [{"xref": "paper", "x0": 0, "x1": 1, **shape, "yref": f"y{suffix}"} for shape in row.limits]
        bottoms.append(bottom)
        top = bottom - GAP_PX / total
    shapes = [_band(band, bottoms[min(band.rows, len(rows)) - 1]) for band in bands] + shapes
    widest = max((len(end.text) for row in rows for end in row.ends), default=0)
    right = max(SHORTEST_LABEL_PX, round(LETTER_PX * widest) + 12)
    layout |= {"xaxis": {**x_axis, "side": "top", "anchor": "y"}, "annotations": notes, "shapes": shapes}
    return {"data": traces, "layout": layout | {"margin": {"r": right, **MARGIN_PX}}}


def short(name: str) -> str:
    """Return a name that fits beside a chart."""
    return cut(name, LONGEST_NAME)


def extent(*columns: Sequence[float | None]) -> tuple[float, float]:
    """Return the lowest and the highest of the numbers that there are, (0, 0) without any."""
    found = [value for column in columns for value in column if value is not None]
    return (min(found), max(found)) if found else (0.0, 0.0)


def note(text: str, day: str, value: float, *, is_left: bool) -> dict[str, Any]:
    """Return the annotation of one point: to the left of it or to the right."""
    return {
        "text": text, "x": day, "y": value, "xref": "x", "xanchor": "right" if is_left else "left", "yanchor": "middle",
        "xshift": -5 if is_left else 5, "showarrow": False, "font": {"size": 11, "color": "@text"},
        "bgcolor": "@panel/0.6", "borderpad": 0,
    }  # fmt: skip


def limit_line(value: float, color: str = "@muted") -> dict[str, Any]:
    """Return a thin dotted line across a row."""
    return {"type": "line", "y0": value, "y1": value, "line": {"color": color, "width": 1, "dash": "dot"}}


def _notes(row: Row, yref: str, top: float) -> list[dict[str, Any]]:
    caption = [_caption(row.caption, top)] if row.caption else []
    return [*caption, *[{**each, "yref": yref} for each in row.notes], *_ends(row, yref)]


def _ends(row: Row, yref: str) -> list[dict[str, Any]]:
    is_log = row.axis.get("type") == "log"
    known = [end for end in row.ends if not is_log or end.value > 0]
    low, high = (_log(value, is_log) for value in row.span)
    heights = [_log(end.value, is_log) - low for end in known]
    places = spread(heights, max(high - low, 1e-9), row.height_px)
    return [
        end_label(end.text, round(place + low, 4), end.color, yref=yref)
        for end, place in zip(known, places, strict=True)
    ]


def _log(value: float, is_log: bool) -> float:
    # Plotly places annotations on a logarithmic axis by their logarithm.
    return math.log10(max(value, 1e-6)) if is_log else value


def _band(band: Band, bottom: float) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "x0": band.start, "x1": band.end, "yref": "paper", "y0": round(bottom, 4), "y1": 1,
        "fillcolor": band.color, "line": {"width": 0}, "layer": "below", "name": "highlight",
    }  # fmt: skip


def _caption(text: str, top: float) -> dict[str, Any]:
    return {
        "text": text, "x": 0, "y": round(top + 0.003, 4), "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "bottom", "showarrow": False, "font": {"size": 11, "color": "@muted"}, "name": "caption",
    }  # fmt: skip
