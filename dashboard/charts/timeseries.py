"""Parts of charts over time: lines, stacked areas, thresholds, and labels at line ends that do not overlap."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.charts.theme import end_label, faded, threshold

LABEL_HEIGHT_PX = 13
LABEL_MARGIN_PX, WIDEST_MARGIN_PX = 74, 144
"""Room right of a chart: what it is without a long label, and what it is at most."""
LABEL_SHIFT_PX = 12
"""Of that room, what is not for letters."""
LETTER_PX = 11.0
LETTER_WIDTHS = (("ijl.,:;'|! ", 0.36), ("frt-/()[]I", 0.43), ("mwMW%@…", 1.0))
"""Widths of letters as shares of their size, in the widest of the fonts of assets/css/01-tokens.css."""
CAPITAL_WIDTH, OTHER_WIDTH, BEYOND_LATIN_WIDTH = 0.8, 0.64, 1.0
STEPS_OF_AN_AXIS = 300
LONE_POINT_PX = 5
"""A point between two gaps has no line to show it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: values in the unit of the axis, None for a gap."""

    name: str
    ts: Sequence[int]
    values: Sequence[float | None]
    color: str
    dash: str = "solid"

    @property
    def last(self) -> float | None:
        """Return the last value that there is."""
        return next((value for value in reversed(self.values) if value is not None), None)

    @property
    def highest(self) -> float:
        """Return the highest value; 0 when there is none."""
        return max((value for value in self.values if value is not None), default=0.0)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A threshold line: `text` stands at its right end, where no curve runs."""

    value: float
    text: str
    color: str = "@critical"


def line_figure(
    lines: Sequence[Line],
    span: tuple[float, float],
    *,
    unit: str,
    top: float | None = None,
    limits: Sequence[LimitLine] = (),
    height_px: int = 170,
    decimals: int = 2,
    extra: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return a chart of `lines` over `span` (epoch seconds) with the y axis from 0 to `top`.

    Without `top` the axis reaches a tenth past the highest value. Limits that lie above the axis are not drawn:
    they would squeeze what is measured against the floor.
    """
    ceiling = top if top is not None else nice_ceiling(max((line.highest for line in lines), default=0.0))
    traces = [_line(line, unit, decimals, ceiling) for line in lines]
    return _figure([*traces, *extra], lines, span, unit, ceiling, limits, height_px)


def stack_figure(
    lines: Sequence[Line],
    span: tuple[float, float],
    *,
    unit: str,
    top: float,
    limits: Sequence[LimitLine] = (),
    height_px: int = 170,
    decimals: int = 2,
) -> dict[str, Any]:
    """Return a chart of `lines` stacked on each other, first at the bottom. A gap in the data stays a gap.

    All lines share their times, as the series of one collector do.
    """
    traces = [
        _line(line, unit, decimals, top, part)
        | {
            "mode": "lines" if part.stop - part.start > 1 else "lines+markers",
            "marker": {"size": LONE_POINT_PX, "color": line.color},
            "stackgroup": f"part-{number}",
            "fillcolor": faded(line.color, 0.35),
            "line": {"color": line.color, "width": 1},
        }
        for number, part in enumerate(_unbroken(lines))
        for line in lines
    ]
    heights = list(itertools.accumulate(line.last or 0.0 for line in lines))
    middles = [height - (line.last or 0.0) / 2 for height, line in zip(heights, lines, strict=True)]
    labelled = [Line(line.name, (), (middle,), line.color) for line, middle in zip(lines, middles, strict=True)]
    return _figure(traces, labelled, span, unit, top, limits, height_px)


def nice_ceiling(highest: float) -> float:
    """Return where an axis from zero ends: a tenth above the highest value, 1 when there is nothing."""
    return highest * 1.1 if highest > 0 else 1.0


def spread(heights: Sequence[float], top: float, height_px: float) -> list[float]:
    """Return `heights` moved apart, as little as may be, until labels of one text line do not overlap.

    heights: where labels belong on an axis from 0 to `top` that is `height_px` high; their order is kept.
    """
    distance = LABEL_HEIGHT_PX / height_px * top
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    floor = -distance
    for place in order:
        moved[place] = floor = max(moved[place], floor + distance)
    ceiling = max(top, distance * (len(heights) - 1)) + distance
    for place in reversed(order):
        moved[place] = ceiling = min(moved[place], ceiling - distance)
    return moved


def text_px(text: str) -> float:
    """Return about how wide a label is, rather too wide."""
    return LETTER_PX * sum(map(_letter_width, text))


def shortened(text: str, px: float) -> str:
    """Return `text`, cut so that it is no wider than `px`."""
    if text_px(text) <= px:
        return text
    kept = text
    while kept and text_px(kept + "…") > px:
        kept = kept[:-1]
    return kept.rstrip(" -_.:") + "…"


def label_margin(names: Sequence[str]) -> int:
    """Return the room right of a chart for labels at line ends, which are cut where even the most is not enough."""
    widest = LABEL_SHIFT_PX + max(map(text_px, names), default=0.0)
    return math.ceil(min(max(widest, LABEL_MARGIN_PX), WIDEST_MARGIN_PX))


def end_label_text(name: str, margin_px: float = WIDEST_MARGIN_PX) -> str:
    """Return as much of a line's name as the room right of the chart holds; hover shows all of it."""
    return shortened(name, margin_px - LABEL_SHIFT_PX)


def time_axis(span: tuple[float, float]) -> dict[str, Any]:
    """Return the x axis that always shows the whole window, and that a double click leads back to."""
    return {"type": "date", "autorangeoptions": {"include": [round(span[0]), round(span[1])]}, "nticks": 6}


def to_scale(values: Sequence[float | None], top: float, decimals: int) -> list[float | None]:
    """Return `values` with the decimals that hover shows, and more where the height of the axis needs them."""
    needed = math.ceil(-math.log10(top / STEPS_OF_AN_AXIS)) if top > 0 else 0
    shown = max(decimals, needed)
    return [None if value is None else round(value, shown) for value in values]


def _figure(
    traces: Sequence[dict[str, Any]],
    labelled: Sequence[Line],
    span: tuple[float, float],
    unit: str,
    top: float,
    limits: Sequence[LimitLine],
    height_px: int,
) -> dict[str, Any]:
    drawn = [limit for limit in limits if limit.value <= top]
    ends = [(line.name, line.last, line.color) for line in labelled if line.last is not None]
    ends += [(limit.text, limit.value, limit.color) for limit in drawn]
    places = spread([height for _, height, _ in ends], top, height_px - 36)
    notes = [
        end_label(end_label_text(text), place, color) for (text, _, color), place in zip(ends, places, strict=True)
    ]
    layout = {
        "xaxis": time_axis(span),
        "yaxis": {"range": [0, top], "ticksuffix": f" {unit}" if unit == "%" else "", "nticks": 5},
        "margin": {"r": label_margin([text for text, _, _ in ends]), "l": 44},
        "shapes": [threshold(limit.value, limit.color) for limit in drawn],
        "annotations": notes,
    }
    return {"data": list(traces), "layout": layout}


def _letter_width(letter: str) -> float:
    for letters, width in LETTER_WIDTHS:
        if letter in letters:
            return width
    if ord(letter) > 0x2E7F:
        return BEYOND_LATIN_WIDTH
    return CAPITAL_WIDTH if letter.isupper() else OTHER_WIDTH


def _line(line: Line, unit: str, decimals: int, top: float, part: slice = slice(None)) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x": list(line.ts[part]),
        "y": to_scale(line.values[part], top, decimals),
        "line": {"color": line.color, "width": 1.5, "dash": line.dash},
        "hovertemplate": f"%{{y:.{decimals}f}} {unit}",
        "connectgaps": False,
    }


def _unbroken(lines: Sequence[Line]) -> list[slice]:
    """Return the stretches without a gap in the first line."""
    if not lines:
        return []
    parts: list[slice] = []
    begin = 0
    values = lines[0].values
    for place, value in enumerate([*values, None]):
        if value is None:
            if place > begin:
                parts.append(slice(begin, place))
            begin = place + 1
    return parts
