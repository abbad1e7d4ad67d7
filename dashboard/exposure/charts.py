"""Charts of exposure over time: long and short, by group, and how concentrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.block import Floats
from analytics.concentration import TOP
from dashboard.charts.days import day_axis, drawn, texts, values
from dashboard.charts.drawn import Drawn
from dashboard.charts.rows import End, Row, extent, limit_line, short, stacked
from dashboard.charts.theme import SERIES
from portfolio.exposure import ExposureCourse

MOST_GROUPS = len(SERIES)
OTHERS = "others"
DECIMALS = 2
"""Of percent."""


def course(found: ExposureCourse) -> dict[str, Any]:
    """Return long, short, gross and net in percent of the net asset value, on one axis."""
    nav = found.whole.nav
    lines = [
        ("Gross", found.whole.gross / nav, "@muted"), ("Long", found.whole.long / nav, "@series-2"),
        ("Net", found.whole.net / nav, "@series-1"), ("Short", found.whole.short / nav, "@series-3"),
    ]  # fmt: skip
    return _lines(found, [_row(found, 300, [(name, 100 * ratio, color) for name, ratio, color in lines], "%")])


def by_group(found: ExposureCourse) -> Drawn:
    """Return the net exposure of the largest groups, the rest as one, in percent of the net asset value."""
    net = 100 * found.groups.exposure.net / found.groups.exposure.nav
    order = np.argsort(-np.abs(np.nan_to_num(net)).max(axis=0), kind="stable")
    shown = order if len(order) <= MOST_GROUPS else order[: MOST_GROUPS - 1]
    lines = [(found.groups.names[at], net[:, at], SERIES[place]) for place, at in enumerate(shown)]
    rest = [at for at in order if at not in shown]
    if rest:
        lines.append((OTHERS, np.nan_to_num(net[:, rest]).sum(axis=1), "@muted"))
    return Drawn(_lines(found, [_row(found, 260, lines, "%")]))


def dense(found: ExposureCourse) -> dict[str, Any]:
    """Return the share of the largest positions above their effective number."""
    effective = [("positions", found.dense.effective_number, "@series-1")]
    colors = ("@series-4", "@series-2", "@series-3")
    top = [
        (f"{count} largest", 100 * found.dense.top[:, at], color)
        for at, (count, color) in enumerate(zip(TOP, colors, strict=True))
    ]
    rows = [
        _row(found, 120, top, "%"),
        _row(found, 120, effective, "", caption="effective number of positions"),
    ]
    return _lines(found, rows)


def _row(
    found: ExposureCourse, height_px: int, lines: Sequence[tuple[str, Floats, str]], unit: str, caption: str = ""
) -> Row:
    places = drawn(len(found.days))
    days = texts(found.days[places])
    traces = [_trace(name, days, values(of[places], DECIMALS), color, unit) for name, of, color in lines]
    return Row(
        height_px=height_px,
        traces=traces,
        axis={"nticks": 6, "ticksuffix": unit and f" {unit}", "zeroline": False},
        span=extent(*[trace["y"] for trace in traces]),
        caption=caption,
        ends=[End(short(name), last, color) for name, of, color in lines if (last := _last(of)) is not None],
        limits=[limit_line(0.0)] if unit and not caption else (),
    )


def _trace(name: str, days: Sequence[str], y: Sequence[float | None], color: str, unit: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": days, "y": y, "line": {"color": color, "width": 1.5},
        "hovertemplate": f"%{{y:,.1f}} {unit}".rstrip(),
    }  # fmt: skip


def _last(of: NDArray[np.float64]) -> float | None:
    return float(of[-1]) if len(of) and not np.isnan(of[-1]) else None


def _lines(found: ExposureCourse, rows: Sequence[Row]) -> dict[str, Any]:
    figure = stacked(rows, day_axis(found.days, "y"))
    return {**figure, "layout": {**figure["layout"], "showlegend": False}}
