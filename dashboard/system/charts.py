"""The charts of the system tab: from series to plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import count, duration
from core.limits import CRITICAL_SHARE, LOAD_LIMIT_PER_CORE, PRESSURE_LIMITS, WARNING_SHARE
from core.settings.model import Thresholds
from dashboard.charts.theme import SERIES
from dashboard.charts.timeseries import LimitLine, Line, line_figure, nice_ceiling, stack_figure, time_axis, to_scale
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.system import Charts

Span = tuple[float, float]
Figure = dict[str, Any]

GIB = 1024.0**3
MODE_GROUPS = (
    ("user", ("user", "nice"), SERIES[0]),
    ("system", ("system", "irq", "softirq"), SERIES[2]),
    ("iowait", ("iowait",), SERIES[1]),
    ("steal", ("steal",), SERIES[4]),
)
SCALES = ((1024.0**3, "GiB/s"), (1024.0**2, "MiB/s"), (1024.0, "KiB/s"), (1.0, "B/s"))
MOST_LINES = 4
FORECAST_WINDOWS = 20
"""A disk's forecast is drawn when it is full within this many windows; flatter lines say nothing."""


def cpu(charts: Charts, thresholds: Thresholds, span: Span) -> Figure:
    """Return time by mode, stacked, in percent of all cores."""
    by_mode = {data.label("mode"): data for data in charts.modes}
    lines = []
    for name, modes, color in MODE_GROUPS:
        parts = [by_mode[mode] for mode in modes if mode in by_mode]
        if parts:
            lines.append(Line(name, parts[0].ts, added([part.mean for part in parts], 100.0), color))
    limits = _limits(thresholds.cpu_warning_ratio * 100, thresholds.cpu_critical_ratio * 100, "%")
    return stack_figure(lines, span, unit="%", top=100.0, limits=limits, decimals=1)


def memory(charts: Charts, thresholds: Thresholds, span: Span) -> Figure:
    """Return memory in use and held as cache that programs could have, in GiB, below all there is."""
    used, available, free, total = (
        charts.one(f"system_memory_{part}_bytes") for part in ("used", "available", "free", "total")
    )
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
        *_limits(thresholds.memory_warning_ratio * size, thresholds.memory_critical_ratio * size, ""),
        LimitLine(size, f"{size:.3g} GiB in all", "@muted", right=True),
    ]
    return stack_figure(lines, span, unit="GiB", top=size * 1.12, limits=limits)


def disks(
    charts: Charts, thresholds: Thresholds, span: Span, full_seconds: dict[str, float], as_of: float | None
) -> Figure:
    """Return how full each mount is in percent, with a forecast for those that are filling up soon.

    full_seconds: by mount, when it is full as told at `as_of` (epoch seconds); None for a window in the past.
    """
    mounts = sorted(charts.all("system_disk_used_ratio"), key=lambda data: -(Line("", (), data.mean, "").last or 0.0))
    lines = [
        Line(data.label("mount"), data.ts, scaled(data.mean, 0.01), color)
        for data, color in zip(mounts, SERIES, strict=False)
    ]
    limits = _limits(thresholds.disk_warning_ratio * 100, thresholds.disk_critical_ratio * 100, "%")
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


def network(charts: Charts, thresholds: Thresholds, span: Span, links: dict[str, float]) -> Figure:
    """Return traffic in and out of the busiest interfaces; `links` holds their speed in bytes a second."""
    received = [d for d in charts.all("system_network_receive_bytes_per_second") if d.label("nic") != "lo"]
    busiest = sorted(received, key=_total, reverse=True)[: MOST_LINES // 2]
    pairs = []
    for data in busiest:
        nic = data.label("nic")
        pairs.append((f"{nic} in", data))
        sent = charts.one("system_network_transmit_bytes_per_second", nic=nic)
        if sent is not None:
            pairs.append((f"{nic} out", sent))
    speeds = [links[data.label("nic")] for data in busiest if data.label("nic") in links]
    warning, critical = thresholds.network_warning_ratio, thresholds.network_critical_ratio
    bounds = (min(speeds) * warning, min(speeds) * critical) if speeds else None
    return _throughput(pairs, span, bounds)


def disk_io(charts: Charts, span: Span) -> Figure:
    """Return bytes read from and written to the busiest device."""
    busiest = max(charts.all("system_device_busy_ratio"), key=_total, default=None)
    if busiest is None:
        return line_figure([], span, unit="MiB/s")
    device = busiest.label("device")
    named = (("read", "system_device_read_bytes_per_second"), ("written", "system_device_written_bytes_per_second"))
    pairs = [(word, charts.one(metric, device=device)) for word, metric in named]
    return _throughput([(name, data) for name, data in pairs if data is not None], span, None, of=f" on {device}")


def pressure(charts: Charts, span: Span) -> Figure:
    """Return the share of time that tasks stood waiting for each resource, in percent."""
    lines, limits = [], []
    for (resource, kind), color in zip(PRESSURE_LIMITS, (SERIES[0], SERIES[2], SERIES[1]), strict=True):
        data = charts.one("system_pressure_stall_ratio", resource=resource, kind=kind)
        if data is not None:
            lines.append(Line(f"{resource} {kind}", data.ts, scaled(data.mean, 0.01), color))
            critical = PRESSURE_LIMITS[resource, kind] * CRITICAL_SHARE * 100
            limits.append(LimitLine(critical, f"{resource} critical {critical:.3g} %", color))
    return line_figure(lines, span, unit="%", limits=limits)


def load(charts: Charts, span: Span, cores: float | None) -> Figure:
    """Return tasks running or waiting: means over 1, 5 and 15 minutes."""
    lines = []
    for minutes, color in zip(("1", "5", "15"), SERIES, strict=False):
        data = charts.one("system_load", minutes=minutes)
        if data is not None:
            lines.append(Line(f"{minutes} min", data.ts, data.mean, color))
    limits = []
    top = nice_ceiling(max((line.highest for line in lines), default=0.0))
    if cores:
        limits = _limits(cores * LOAD_LIMIT_PER_CORE * WARNING_SHARE, cores * LOAD_LIMIT_PER_CORE * CRITICAL_SHARE, "")
        limits.append(LimitLine(cores, count(cores, "core"), "@muted", below=True, right=True))
        top = max(top, cores * 1.15)
    return line_figure(lines, span, unit="", top=top, limits=limits)


def cores(charts: Charts, span: Span) -> Figure:
    """Return a strip of heat: a row a core, brighter where it was busier."""
    rows = [data for data in charts.cores if data.label("core") != "total"]
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


def _limits(warning: float, critical: float, unit: str) -> list[LimitLine]:
    def text(word: str, value: float) -> str:
        return f"{word} {value:.0f} {unit}" if unit else word

    return [
        LimitLine(warning, text("warning", warning), "@warning", below=True),
        LimitLine(critical, text("critical", critical), "@critical"),
    ]


def _throughput(
    pairs: Sequence[tuple[str, SeriesData]], span: Span, bounds: tuple[float, float] | None, of: str = ""
) -> Figure:
    highest = max((value for _, data in pairs for value in data.mean if value is not None), default=0.0)
    scale, unit = next(((scale, unit) for scale, unit in SCALES if highest >= scale), SCALES[-1])
    lines = [
        Line(name, data.ts, scaled(data.mean, scale), color) for (name, data), color in zip(pairs, SERIES, strict=False)
    ]
    limits = _limits(bounds[0] / scale, bounds[1] / scale, "") if bounds else []
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
    }
