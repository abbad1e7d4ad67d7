"""The pipeline tab's charts: run durations, failed runs, rows written. Plain figure dicts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise, zip_longest
from typing import Any

from core.format import count
from dashboard.charts.theme import SERIES, end_label
from dashboard.charts.timeseries import LONE_POINT_PX, Line, end_label_text, label_margin, nice_ceiling, stack_figure
from storage.clickhouse.reads.pipeline import RunBucket
from storage.clickhouse.reads.series import SeriesData

GAP_STEPS = 2.5
LABEL_GAP_RATIO = 0.1
"""Least distance between two labels at line ends, as a share of the axis."""

Figure = dict[str, Any]


def colours(collectors: Sequence[str]) -> dict[str, str]:
    """Return a colour for each collector by its place; past the sixth all are muted, told apart on hover."""
    return dict(zip_longest(collectors, SERIES[: len(collectors)], fillvalue="@muted"))


def durations(buckets: Sequence[RunBucket], colour: Mapping[str, str], start: float, end: float, step: int) -> Figure:
    """Return mean run duration in ms over time, a line a collector, on a logarithmic axis."""
    traces, ends = [], {}
    for name, part in by_collector(buckets).items():
        ts, values = with_gaps([bucket.ts for bucket in part], [_milliseconds(bucket) for bucket in part], step)
        traces.append(_line(name, ts, values, colour.get(name, "@muted"), "%{y:.3~g} ms"))
        ends[name] = math.log10(max(part[-1].mean_seconds * 1000, 1e-3))
    lows = [bucket.mean_seconds * 1000 for bucket in buckets if bucket.mean_seconds > 0]
    bottom, top = (math.log10(min(lows)) - 0.2, math.log10(max(lows)) + 0.2) if lows else (-1.0, 3.0)
    positions = spread(ends, (top - bottom) * LABEL_GAP_RATIO)
    return {
        "data": traces,
        "layout": {
            "xaxis": _time(start, end),
            "yaxis": {"type": "log", "range": [bottom, top], "dtick": 1, "exponentformat": "none", "ticksuffix": " ms"},
            "margin": {"r": label_margin(list(positions))},
            "annotations": [
                end_label(end_label_text(name), y, colour.get(name, "@muted")) for name, y in positions.items()
            ],
        },
    }


def _milliseconds(bucket: RunBucket) -> float:
    """Return the mean duration with the three digits that hover shows."""
    return float(f"{bucket.mean_seconds * 1000:.3g}")


def failures(buckets: Sequence[RunBucket], colour: Mapping[str, str], start: float, end: float, step: int) -> Figure:
    """Return the number of failed runs in each bucket, stacked by collector; says so when there was none."""
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": [bucket.ts + step / 2 for bucket in part if bucket.failures],
            "y": [bucket.failures for bucket in part if bucket.failures],
            "width": step * 1000,
            "marker": {"color": colour.get(name, "@muted")},
            "hovertemplate": "%{y} failed",
        }
        for name, part in by_collector(buckets).items()
        if any(bucket.failures for bucket in part)
    ]
    at_once = Counter[int]()
    for bucket in buckets:
        at_once[bucket.ts] += bucket.failures
    highest = max(at_once.values(), default=0)
    layout: Figure = {
        "xaxis": _time(start, end),
        "yaxis": {"rangemode": "tozero", "tickformat": "d", "dtick": max(1, math.ceil(highest / 4))},
        "barmode": "stack",
        "showlegend": len(traces) > 1,
    }
    if not traces:
        runs = sum(bucket.runs for bucket in buckets)
        layout["yaxis"] |= {"range": [0, 1], "tickvals": [0]}
        layout["annotations"] = [_remark(f"none of {count(runs, 'run')} failed" if runs else "no run in this window")]
    return {"data": traces, "layout": layout}


def rows_written(data: SeriesData | None, start: float, end: float) -> Figure:
    """Return rows written to ClickHouse per second over time; a gap stays one; says so when there is none."""
    layout: Figure = {"xaxis": _time(start, end), "yaxis": {"rangemode": "tozero", "ticksuffix": "/s"}}
    if data is None or not data.ts:
        return {"data": [], "layout": layout | {"annotations": [_remark("nothing measured in this window")]}}
    line = Line("rows", data.ts, data.mean, SERIES[0])
    area = stack_figure([line], (start, end), unit="rows/s", top=nice_ceiling(line.highest), decimals=1)
    return {"data": area["data"], "layout": layout}


def by_collector(buckets: Sequence[RunBucket]) -> dict[str, list[RunBucket]]:
    """Return the buckets of each collector, in their order."""
    found: dict[str, list[RunBucket]] = {}
    for bucket in buckets:
        found.setdefault(bucket.collector, []).append(bucket)
    return found


def with_gaps(ts: Sequence[int], values: Sequence[float], step: int) -> tuple[list[int], list[float | None]]:
    """Return the points with a None between two that are much further apart than usual, so that a gap shows."""
    distances = sorted(later - earlier for earlier, later in pairwise(ts))
    usual = max(step, distances[len(distances) // 2]) if distances else step
    out_ts: list[int] = []
    out: list[float | None] = []
    for moment, value in zip(ts, values, strict=True):
        if out_ts and moment - out_ts[-1] > GAP_STEPS * usual:
            out_ts.append(out_ts[-1] + usual)
            out.append(None)
        out_ts.append(moment)
        out.append(value)
    return out_ts, out


def spread(positions: Mapping[str, float], gap: float) -> dict[str, float]:
    """Return `positions` moved apart so that no two are closer than `gap`; their order stays."""
    names = sorted(positions, key=positions.__getitem__)
    placed = [positions[name] for name in names]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + gap)
    # Pushing upwards only would lift the whole stack: bring it back by half of what the top one moved.
    lift = (placed[-1] - positions[names[-1]]) / 2 if names else 0.0
    return {name: y - lift for name, y in zip(names, placed, strict=True)}


def _line(name: str, ts: Sequence[int], values: Sequence[float | None], color: str, hover: str) -> Figure:
    lone = _lone(values)
    return {
        "type": "scatter",
        "mode": "lines+markers" if any(lone) else "lines",
        "marker": {"size": [LONE_POINT_PX if alone else 0 for alone in lone], "color": color},
        "name": name,
        "x": list(ts),
        "y": list(values),
        "line": {"color": color, "width": 1.5},
        "connectgaps": False,
        "hovertemplate": hover,
    }


def _lone(values: Sequence[float | None]) -> list[bool]:
    """Return for each value whether it stands between two gaps, where no line would show it."""
    padded = [None, *values, None]
    return [
        here is not None and before is None and after is None
        for before, here, after in zip(padded, padded[1:], padded[2:], strict=False)
    ]


def _time(start: float, end: float) -> Figure:
    return {"type": "date", "range": [start, end]}


def _remark(text: str) -> Figure:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "font": {"size": 12},
    }
