"""The charts of the system tab: from series to plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import axis_scale, count, duration
from core.limits import CRITICAL_SHARE, WARNING_SHARE, Limit
from core.machine import metrics
from core.machine.spec import ALL_CORES, LOAD_LIMIT_PER_CORE, LOOPBACK, PRESSURES
from core.model import Labels, labels
from core.settings.thresholds import Thresholds
from dashboard.charts.rules import NO_RULES, RuleLines
from dashboard.charts.theme import SERIES
from dashboard.charts.timeseries import LimitLine, Line, line_figure, nice_ceiling, stack_figure, time_axis, to_scale
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.system import MachineSeries

Span = tuple[float, float]
Figure = dict[str, Any]

GIB = 1024.0**3
MODE_GROUPS = (
    ("user", ("user", "nice"), SERIES[0]),
    ("system", ("system", "irq", "softirq"), SERIES[2]),
    ("iowait", ("iowait",), SERIES[1]),
    ("steal", ("steal",), SERIES[4]),
)
MOST_LINES = 4
ON_SCALE = Limit(WARNING_SHARE, CRITICAL_SHARE)
"""The scale that shares without thresholds of their own are judged on (core.limits.on_scale)."""
FORECAST_WINDOWS = 20
"""A disk's forecast is drawn when it is full within this many windows; flatter lines say nothing."""


def cpu(series: MachineSeries, thresholds: Thresholds, span: Span, rules: RuleLines = NO_RULES) -> Figure:
    """Return time by mode, stacked, in percent of all cores."""
    by_mode = {data.label("mode"): data for data in series.modes}
    lines = []
    for name, modes, color in MODE_GROUPS:
        parts = [by_mode[mode] for mode in modes if mode in by_mode]
        if parts:
            lines.append(Line(name, parts[0].ts, added([part.mean for part in parts], 100.0), color))
    limits = rules.beside(_limits(thresholds.cpu, 100, "%"), {metrics.CPU_BUSY_RATIO: [labels(core=ALL_CORES)]}, 0.01)
    return stack_figure(lines, span, unit="%", top=100.0, limits=limits, decimals=1)


def memory(series: MachineSeries, thresholds: Thresholds, span: Span, rules: RuleLines = NO_RULES) -> Figure:
    """Return memory in use and held as cache that programs could have, in GiB, below all there is."""
    used, total = series.one(metrics.MEMORY_USED), series.one(metrics.MEMORY_TOTAL)
    available, free = series.one(metrics.MEMORY_AVAILABLE), series.one(metrics.MEMORY_FREE)
    if used is None or total is None:
        return line_figure([], span, unit="GiB")
    size = (Line("", (), total.mean, "").last or 0.0) / GIB
    lines = [Line("used", used.ts, scaled(used.mean, GIB), SERIES[0])]
    if available is not None and free is not None and available.ts == used.ts == free.ts:
        cache = [
            max(a - f, 0.0) / GIB if a is not None and f is not None else None
            for a, f in zip(available.mean, free.mean, strict=True)
        ]
        lines.append(Line("cache", used.ts, cache, SERIES[3]))
    limits = [
        *_limits(thresholds.memory, size),
        LimitLine(size, f"{size:.3g} GiB in all", "@muted"),
    ]
    limits = rules.beside(limits, {metrics.MEMORY_USED: [used.labels]}, GIB)
    limits = rules.beside(limits, {metrics.MEMORY_USED_RATIO: [used.labels]}, 1 / size) if size else limits
    return stack_figure(lines, span, unit="GiB", top=size * 1.12, limits=limits)


def disks(
    series: MachineSeries, thresholds: Thresholds, span: Span, full_seconds: dict[str, float], as_of: float | None,
    rules: RuleLines = NO_RULES,
) -> Figure:  # fmt: skip
    """Return how full each mount is in percent, with a forecast for those that are filling up soon.

    full_seconds: by mount, when it is full as told at `as_of` (epoch seconds); None for a window in the past.
    """
    mounts = sorted(series.all(metrics.DISK_USED_RATIO), key=lambda data: -(Line("", (), data.mean, "").last or 0.0))
    lines = [
        Line(data.label("mount"), data.ts, scaled(data.mean, 0.01), color)
        for data, color in zip(mounts, SERIES, strict=False)
    ]
    shown: dict[str, list[Labels]] = {metrics.DISK_USED_RATIO: [data.labels for data in mounts[: len(lines)]]}
    limits = rules.beside(_limits(thresholds.disk, 100, "%"), shown, 0.01)
    forecasts, end = [], span[1]
    for line in lines:
        full = full_seconds.get(line.name)
        if as_of is None or full is None or line.last is None or full > FORECAST_WINDOWS * (span[1] - span[0]):
            continue
        until = as_of + min(full, span[1] - span[0])
        reached = line.last + (100 - line.last) * (until - as_of) / full
        times = (round(as_of), round(until))
        forecasts.append(Line(f"full in {duration(full)}", times, (line.last, reached), line.color))
        end = max(end, until)
    figure = line_figure(lines, (span[0], end), unit="%", top=105.0, limits=limits, decimals=1)
    for forecast in forecasts:
        figure["data"].append(_forecast_trace(forecast))
        figure["layout"]["annotations"].append(_forecast_note(forecast))
    return figure


def network(series: MachineSeries, thresholds: Thresholds, span: Span, links: dict[str, float]) -> Figure:
    """Return traffic in and out of the busiest interfaces; `links` holds their speed in bytes a second."""
    received = [d for d in series.all(metrics.RECEIVE_RATE) if d.label("nic") != LOOPBACK]
    busiest = sorted(received, key=_total, reverse=True)[: MOST_LINES // 2]
    pairs = []
    for data in busiest:
        nic = data.label("nic")
        pairs.append((f"{nic} in", data))
        sent = series.one(metrics.TRANSMIT_RATE, nic=nic)
        if sent is not None:
            pairs.append((f"{nic} out", sent))
    speeds = [links[data.label("nic")] for data in busiest if data.label("nic") in links]
    return _throughput(pairs, span, thresholds.network, min(speeds, default=None))


def disk_io(series: MachineSeries, span: Span) -> Figure:
    """Return bytes read from and written to the busiest device."""
    busiest = max(series.all(metrics.DEVICE_BUSY_RATIO), key=_total, default=None)
    if busiest is None:
        return line_figure([], span, unit="MiB/s")
    device = busiest.label("device")
    named = (("read", metrics.DEVICE_READ_RATE), ("written", metrics.DEVICE_WRITTEN_RATE))
    pairs = [(word, series.one(metric, device=device)) for word, metric in named]
    return _throughput([(name, data) for name, data in pairs if data is not None], span, of=f" on {device}")


def pressure(series: MachineSeries, span: Span, rules: RuleLines = NO_RULES) -> Figure:
    """Return the share of time that tasks stood waiting for each resource, in percent."""
    lines, limits = [], []
    shown: list[Labels] = []
    for each, color in zip(PRESSURES, (SERIES[0], SERIES[2], SERIES[1]), strict=True):
        data = series.one(metrics.PRESSURE_STALL_RATIO, resource=each.resource, kind=each.kind)
        if data is not None:
            lines.append(Line(each.name, data.ts, scaled(data.mean, 0.01), color))
            shown.append(data.labels)
            critical = each.limit_ratio * CRITICAL_SHARE * 100
            limits.append(LimitLine(critical, f"{each.resource} critical {critical:.3g} %", color))
    limits = rules.beside(limits, {metrics.PRESSURE_STALL_RATIO: shown}, 0.01)
    return line_figure(lines, span, unit="%", limits=limits)


def load(series: MachineSeries, span: Span, cores: float | None, rules: RuleLines = NO_RULES) -> Figure:
    """Return tasks running or waiting: means over 1, 5 and 15 minutes."""
    lines = []
    shown: list[Labels] = []
    for minutes, color in zip(("1", "5", "15"), SERIES, strict=False):
        data = series.one(metrics.LOAD, minutes=minutes)
        if data is not None:
            shown.append(data.labels)
            lines.append(Line(f"{minutes} min", data.ts, data.mean, color))
    limits = []
    top = nice_ceiling(max((line.highest for line in lines), default=0.0))
    if cores:
        limits = _limits(ON_SCALE, cores * LOAD_LIMIT_PER_CORE, of="5 min ")
        limits.append(LimitLine(cores, count(cores, "core"), "@muted"))
        top = max(top, cores * 1.15)
    return line_figure(lines, span, unit="", top=top, limits=rules.beside(limits, {metrics.LOAD: shown}))


def cores(series: MachineSeries, span: Span) -> Figure:
    """Return a strip of heat: a row a core, brighter where it was busier."""
    rows = [data for data in series.cores if data.label("core") != ALL_CORES]
    rows.sort(key=lambda data: int(data.label("core")))
    times = sorted({ts for data in rows for ts in data.ts})
    heat = []
    for data in rows:
        known = dict(zip(data.ts, scaled(data.mean, 0.01), strict=True))
        heat.append(to_scale([known.get(ts) for ts in times], 100, 1))
    trace = {
        "type": "heatmap",
        "name": "busy",
        "x": times,
        "y": [f"core {data.label('core')}" for data in rows],
        "z": heat,
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, "@grid"], [1, "@series-1"]],
        "colorbar": {"thickness": 8, "outlinewidth": 0, "ticksuffix": " %", "tickvals": [0, 50, 100]},
        "xgap": 0,
        "ygap": 2 if len(rows) <= 32 else 0,
        "hovertemplate": "%{y}: %{z:.1f} %<extra></extra>",
        "hoverongaps": False,
    }
    layout = {
        "xaxis": time_axis(span),
        "yaxis": {"autorange": "reversed", "showgrid": False, "nticks": 16, "zeroline": False},
        "hovermode": "closest",
        "margin": {"l": 52},
    }
    return {"data": [trace], "layout": layout}


def scaled(values: Sequence[float | None], unit: float) -> list[float | None]:
    """Return values divided by `unit`; gaps stay."""
    return [value / unit if value is not None else None for value in values]


def added(columns: Sequence[Sequence[float | None]], factor: float) -> list[float | None]:
    """Return the sum of columns of equal length times `factor`; a gap in any is a gap."""
    return [
        sum(value for value in row if value is not None) * factor if None not in row else None
        for row in zip(*columns, strict=True)
    ]


def _limits(limit: Limit, whole: float, unit: str = "", of: str = "") -> list[LimitLine]:
    """Return the lines of a limit that is a share of `whole`; labelled with their value where there is a unit.

    of: the line of the chart that it judges, where that is one of several.
    """
    drawn = ((limit.warning, "warning", "@warning"), (limit.critical, "critical", "@critical"))
    return [
        LimitLine(share * whole, f"{of}{word} {share * whole:.3g} {unit}" if unit else f"{of}{word}", color)
        for share, word, color in drawn
        if share is not None
    ]


def _throughput(
    pairs: Sequence[tuple[str, SeriesData]], span: Span, limit: Limit | None = None, speed: float | None = None,
    of: str = "",
) -> Figure:  # fmt: skip
    """Return bytes a second in the unit that fits; `limit` is a share of `speed`, where that is known."""
    highest = max((value for _, data in pairs for value in data.mean if value is not None), default=0.0)
    scale, unit = axis_scale("bytes/s", highest)
    lines = [
        Line(name, data.ts, scaled(data.mean, scale), color) for (name, data), color in zip(pairs, SERIES, strict=False)
    ]
    limits = _limits(limit, speed / scale) if limit and speed else []
    figure = line_figure(lines, span, unit=unit, limits=limits, decimals=1)
    figure["layout"]["yaxis"]["title"] = {"text": unit + of, "standoff": 4}
    return figure


def _total(data: SeriesData) -> float:
    return sum(value for value in data.mean if value is not None)


def _forecast_trace(line: Line) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x": list(line.ts),
        "y": list(line.values),
        "line": {"color": line.color, "width": 1.5, "dash": "dash"},
        "hovertemplate": "%{y:.1f} %",
    }


def _forecast_note(line: Line) -> dict[str, Any]:
    return {
        "text": line.name,
        "x": line.ts[-1],
        "y": line.values[-1],
        "xref": "x",
        "yref": "y",
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": line.color, "size": 11},
        "bgcolor": "@panel/0.7",
    }
