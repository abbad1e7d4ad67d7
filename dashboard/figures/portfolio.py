"""The chart of the Portfolio tab: growth of 100 over the way under water, one time axis and one crosshair."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.performance import Track, drawdowns, worst
from dashboard.figures.timeseries import spread
from dashboard.portfolio_data import Shown
from dashboard.theme import BENCHMARK, SERIES, end_label, faded

GROWTH_DOMAIN = (0.36, 1.0)
WATER_DOMAIN = (0.0, 0.28)
GROWTH_PX = 260
LETTER_PX = 6.4
SHORTEST_LABEL_PX = 80
MOST_DAYS = 900
WORST = 10
Days = np.ndarray[tuple[int], np.dtype[np.intp]]
"""Places in a track."""


def growth_and_drawdown(shown: Shown) -> dict[str, Any]:
    """Return the figure. Days are ISO texts; growth starts at 100, drawdowns are in percent below the best day."""
    part, other = shown.part, shown.part_benchmark
    days = drawn(part)
    lines = [_growth(part, days, shown.portfolio.name, SERIES[0], "solid")]
    if other is not None and len(other):
        same = np.flatnonzero(np.isin(other.dates, part.dates[days])).astype(np.intp)
        lines.append(_growth(other, same, shown.benchmark_name, BENCHMARK, "dot"))
    water = drawdowns(part)
    ends = _growth_labels(lines)
    widest = max((len(label["text"]) for label in ends), default=0)
    return {
        "data": [*lines, _water(part, days, water)],
        "layout": {
            "xaxis": _days_axis(part),
            "yaxis": {"domain": GROWTH_DOMAIN, "nticks": 7, "zeroline": False},
            "yaxis2": {"domain": WATER_DOMAIN, "ticksuffix": " %", "nticks": 4, "rangemode": "tozero"},
            "hoversubplots": "axis",
            "margin": {"r": max(SHORTEST_LABEL_PX, round(LETTER_PX * widest) + 12), "t": 6, "b": 34},
            "annotations": [
                *ends,
                *_water_labels(part, water),
                _caption("Underwater: below the best day shown", WATER_DOMAIN[1] + 0.005),
            ],
        },
    }


def drawn(part: Track) -> Days:
    """Return the places of the days that are drawn: all, or as many as the chart has pixels for.

    The first, the last and the turning points of the worst drawdowns are always among them. A zoom into fewer
    days than that draws each.
    """
    step = -(-len(part) // MOST_DAYS) or 1
    kept = set(range(len(part) - 1, -1, -step)) | ({0} if len(part) else set())
    for fall in worst(part, WORST):
        kept |= {max(fall.peak, 0), fall.trough, *([] if fall.recovery is None else [fall.recovery])}
    return np.array(sorted(kept), dtype=np.intp)


def _days_axis(part: Track) -> dict[str, Any]:
    # A label beside the deepest day would otherwise widen the axis beyond the days there are.
    days = _days(part)
    clip = {"autorangeoptions": {"clipmin": days[0], "clipmax": days[-1]}} if len(days) > 1 else {}
    return {"type": "date", "anchor": "y2", "hoverformat": "%Y-%m-%d", "tickformat": "%b\n%Y", "nticks": 8, **clip}


def _growth(part: Track, days: Days, name: str, color: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _days(part, days),
        "y": np.round(100 * part.index[days], 2).tolist(),
        "line": {"color": color, "width": 1.6 if dash == "solid" else 1.2, "dash": dash},
        "hovertemplate": "%{y:.2f}",
        "xaxis": "x",
        "yaxis": "y",
    }


def _water(part: Track, days: Days, water: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "drawdown",
        "x": _days(part, days),
        "y": np.round(100 * water[days], 2).tolist(),
        "line": {"color": "@loss", "width": 1.2},
        "fill": "tozeroy",
        "fillcolor": faded("@loss", 0.22),
        "hovertemplate": "%{y:.2f} %",
        "xaxis": "x",
        "yaxis": "y2",
    }


def _growth_labels(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ends = [line["y"][-1] for line in lines if line["y"]]
    if not ends:
        return []
    low = min(min(line["y"]) for line in lines if line["y"])
    high = max(max(line["y"]) for line in lines if line["y"])
    places = spread([end - low for end in ends], max(high - low, 1e-9), GROWTH_PX)
    return [
        end_label(f"{line['name']} {end:.0f}", place + low, line["line"]["color"])
        for line, end, place in zip(lines, ends, places, strict=False)
    ]


def _water_labels(part: Track, water: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    if not len(water) or not water.min() < 0:
        return []
    deepest = int(water.argmin())
    is_left = deepest < len(water) * 0.6
    lowest = {
        "text": f"{_percent(float(water[deepest]))} · {part.dates[deepest]}",
        "x": str(part.dates[deepest]), "y": round(100 * float(water[deepest]), 3), "xref": "x", "yref": "y2",
        "xanchor": "left" if is_left else "right", "yanchor": "middle", "xshift": 6 if is_left else -6,
        "showarrow": False, "font": {"size": 11, "color": "@text"},
    }  # fmt: skip
    now = end_label(f"{_percent(float(water[-1]))} now", 100 * float(water[-1]), "@loss", yref="y2")
    return [lowest, now]


def _caption(text: str, y: float) -> dict[str, Any]:
    return {
        "text": text, "x": 0, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 11, "color": "@muted"},
    }  # fmt: skip


def _percent(ratio: float) -> str:
    return f"−{-100 * ratio:.1f} %" if ratio < 0 else "0 %"


def _days(part: Track, which: Days | None = None) -> list[str]:
    dates = part.dates if which is None else part.dates[which]
    days: list[str] = np.datetime_as_string(dates, unit="D").tolist() if len(dates) else []
    return days
