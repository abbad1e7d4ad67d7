"""A rule that was tried on the past: in a sentence, and as a chart of the worst series with when it fires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dash import html

from core.alerts.figures import STATE
from core.alerts.rule import Rule
from core.format import count
from core.model import Labels
from dashboard.alerts.parts import SIGNS, STATES, labels_text, unit_of_rule
from dashboard.charts.theme import SERIES, end_label, faded, threshold
from dashboard.charts.timeseries import end_label_text, label_margin, spread, time_axis
from dashboard.components.age import local_time
from status.back_test import BackTest, Fired

HEIGHT_PX = 240
MOST_BANDS = 200
"""Drawn; the longest."""
SCALES = {"ratio": (100.0, "%"), "seconds": (1.0, "s"), "bytes": (1.0, "B"), "bytes/s": (1.0, "B/s"), "/s": (1.0, "/s")}
"""By unit of a figure what values are multiplied with, and the unit that the axis has."""
WORDS = ("ok", "unknown", "warning", "critical", "down")
"""What states are worth, from 0 on."""


def told(found: BackTest) -> html.Div:
    """Return it in words."""
    lines = [html.P(html.Strong(found.sentence))]
    if found.at_once:
        lines.append(html.P(html.Strong(found.at_once.sentence)))
        lines.append(html.P(["Now is ", local_time(found.end), ": check it again for a newer answer."]))
    if found.matched > len(found.drawn) > 0:
        matched = count(found.matched, "series", "series")
        lines.append(html.P(f"{matched} match; the worst {len(found.drawn)} are drawn."))
    lines += [html.P(each) for each in found.notes]
    return html.Div(lines, className="fw-back-test")


def figure(rule: Rule, found: BackTest) -> dict[str, Any]:
    """Return the chart: a line a series, the values at which it fires, and a band where it would have fired."""
    unit = unit_of_rule(rule)
    scale, shown = SCALES.get(unit, (1.0, ""))
    courses = [[None if value is None else round(value * scale, 6) for value in each.values] for each in found.drawn]
    names = _names([each.labels for each in found.drawn], rule.figures[0])
    traces = [
        {
            "type": "scatter", "mode": "lines" if len(each.times) > 2 else "lines+markers", "name": name,
            "x": [round(at) for at in each.times],
            "y": values,
            "line": {"color": SERIES[number], "width": 1.5, "shape": "hv" if unit == STATE else "linear"},
            "hovertemplate": f"%{{y}} {shown}", "connectgaps": False,
        }
        for number, (each, values, name) in enumerate(zip(found.drawn, courses, names, strict=True))
    ]  # fmt: skip
    heights = [value for values in courses for value in values if value is not None]
    limits = [(each.value * scale, each.severity) for each in found.thresholds]
    low, high = _range([*heights, *(value for value, _ in limits)], is_state=unit == STATE)
    ends = [
        (name, last, SERIES[number])
        for number, (values, name) in enumerate(zip(courses, names, strict=True))
        if (last := next((value for value in reversed(values) if value is not None), None)) is not None
    ]
    ends += [(f"{SIGNS[severity]} {severity.word}", value, f"@{STATES[severity]}") for value, severity in limits]
    places = spread([value - low for _, value, _ in ends], high - low, HEIGHT_PX - 36)
    axis: dict[str, Any] = {"range": [low, high], "ticksuffix": f" {shown}" if shown else "", "nticks": 5}
    if unit == STATE:
        axis |= {"tickvals": list(range(len(WORDS))), "ticktext": list(WORDS), "ticksuffix": ""}
    time = time_axis((found.start, found.end))
    time["autorangeoptions"]["clipmax"] = round(found.end)  # a figure of a day holds to its end, which is yet to come
    layout = {
        "xaxis": time,
        "yaxis": axis,
        "margin": {"r": label_margin([text for text, _, _ in ends]), "l": 56},
        "shapes": [*_bands(found.fired), *(threshold(value, f"@{STATES[severity]}") for value, severity in limits)],
        "annotations": [
            end_label(end_label_text(text), place + low, color)
            for (text, _, color), place in zip(ends, places, strict=True)
        ],
        "showlegend": False,
    }
    return {"data": traces, "layout": layout}


def _names(drawn: Sequence[Labels], figure: str) -> list[str]:
    """Return what tells the lines apart: the labels that not all of them have, first those with most values."""
    shared = set(drawn[0]).intersection(*drawn[1:]) if len(drawn) > 1 else set()
    values = Counter(name for name, _ in {pair for each in drawn for pair in each})
    own = [sorted((pair for pair in each if pair not in shared), key=lambda pair: -values[pair[0]]) for each in drawn]
    return [labels_text(dict(each)) or figure for each in own]


def _bands(fired: Sequence[Fired]) -> list[dict[str, Any]]:
    """Return the times in which any of the series would have fired, in its colour; the longest of many."""
    spans: list[tuple[str, float, float]] = []
    for each in sorted(fired, key=lambda each: (_color(each), each.start)):
        color = _color(each)
        if spans and spans[-1][0] == color and each.start <= spans[-1][2]:
            spans[-1] = (color, spans[-1][1], max(each.end, spans[-1][2]))
        else:
            spans.append((color, each.start, each.end))
    longest = sorted(spans, key=lambda span: span[1] - span[2])[:MOST_BANDS]
    return [_band(*span) for span in longest]


def _color(fired: Fired) -> str:
    return "@unknown" if fired.lacks_data else f"@{STATES[fired.severity]}"


def _band(color: str, start: float, end: float) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "x0": round(start), "x1": round(max(end, start + 1)),
        "yref": "paper", "y0": 0, "y1": 1, "fillcolor": faded(color, 0.16), "line": {"color": color, "width": 1},
        "layer": "below",
    }  # fmt: skip


def _range(values: list[float], *, is_state: bool) -> tuple[float, float]:
    """Return the ends of the axis: from zero where nothing is below it, with a tenth of room."""
    if is_state:
        return -0.2, len(WORDS) - 0.8
    low, high = min([0.0, *values]), max([0.0, *values])
    room = 0.1 * (high - low) or 1.0
    return (low - room if low < 0 else 0.0), (high + room if high > 0 else 0.0)
