"""System: how the machines under the fund are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import ANYBODY, Viewer
from core.errors import StorageError
from core.format import count, number
from core.machine import metrics, spec
from core.model import Status
from dashboard.charts.rules import RuleLines, rule_lines
from dashboard.components.age import local_time
from dashboard.components.card import cards_slot
from dashboard.components.choices import choice_bar, choice_segments, choice_select, spacer
from dashboard.components.panel import panels, slot, verdict_slot
from dashboard.sources.changes import changes_panel, changes_place, changes_route
from dashboard.system import charts, tables
from dashboard.system.cards import CARD_COUNT, CARD_PX, card_strip, verdict_line
from dashboard.system.present import Present
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.problem import problem_of
from dashboard.views.route import Route
from dashboard.views.span import DEFAULT_WINDOW, Span, chosen_span, filled_span, span_line, window_options
from dashboard.views.tab import Choices, Tab, View
from status.freshness import next_stale_at, reading_stale_after_seconds, status_at
from storage.clickhouse.reads.system import MachineSeries, read_machine, reboots

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "system"
WINDOWS = window_options("15m", "1h", "6h", "24h", "7d", "90d")
COLLECTORS = (spec.SYSTEM, spec.PROCESSES)
PROCESSES_PX = 400
CHART_PX = 170


def _chart(name: str, title: str, subtitle: str, definition: str, span: int = 4) -> Panel:
    return Panel(f"{ID}-{name}", title, definition, GraphBody(CHART_PX), subtitle=subtitle, span=span)


def _table(name: str, title: str, definition: str, height: int = 120) -> Panel:
    return Panel(f"{ID}-{name}", title, definition, TableBody(height), span=4)


CPU = _chart("cpu", "CPU, %", "by mode; limits: of 5 min",
             "Share of time of all cores by what they did. Mean of each step. The limits judge the mean of five "
             "minutes, which a burst does not cross.")  # fmt: skip
MEMORY = _chart(
    "memory", "Memory, GiB", "used and cache", "Used: total less available. Cache: what programs could still have."
)
DISKS = _chart(
    "disk", "Disks, % used", "with forecast", "Share of usable space. Forecast: Theil–Sen line of one or six hours."
)
NETWORK = _chart("network", "Network", "busiest interfaces", "Bytes a second in and out, loopback left out.")
DISK_IO = _chart(
    "io", "Disk I/O", "busiest device", "Bytes a second read from and written to the device that was busiest."
)
PRESSURE = _chart(
    "pressure",
    "Pressure, %",
    "time spent waiting; limits: of 1 min",
    "Pressure stall information of the kernel, from its totals. The limits judge the mean of one minute.",
)
LOAD = _chart("load", "Load", "tasks running or waiting", "Means over 1, 5 and 15 minutes, as the kernel keeps them.")
CORES = _chart("cores", "Cores", "busy, a row a core",
               "Share of time that each core was busy. Mean of each step. Source: /proc/stat.", span=8)  # fmt: skip
CHARTS = (CPU, MEMORY, DISKS, NETWORK, DISK_IO, PRESSURE, LOAD, CORES)
PROCESSES = Panel(
    f"{ID}-processes",
    "Processes",
    "The newest reading: the processes with most CPU, those with most memory, and those in trouble. "
    "Source: /proc/<pid>/stat, io.",
    TableBody(PROCESSES_PX, PROCESSES_PX, f"{ID}-processes-rows"),
    subtitle="most CPU and most memory",
    span=8,
)
FACTS = _table("facts", "Kernel", "The newest reading of what has no chart, and the CPU that watching costs. "
               "Source: /proc, /sys.", 320)  # fmt: skip
MOUNTS = _table("disks", "Disks", "Space and inodes of each mount in the newest reading. Source: statvfs.")
INTERFACES = _table("interfaces", "Interfaces", "Traffic, errors and drops a second since the reading before. "
                    "Source: /proc/net/dev, /sys/class/net.")  # fmt: skip
DEVICES = _table("devices", "Devices", "Reads, writes and waits a second since the reading before. "
                 "Source: /proc/diskstats.")  # fmt: skip
TABLES = (FACTS, MOUNTS, INTERFACES, DEVICES)
"""Those of the collector "system"."""
DRAWN = {
    FACTS: tables.facts_table,
    MOUNTS: tables.disk_table,
    INTERFACES: tables.interface_table,
    DEVICES: tables.device_table,
    PROCESSES: tables.process_table,
}
CHANGES = changes_panel(ID)
PANELS = (*CHARTS, PROCESSES, *TABLES, CHANGES)
GRAPHS = tuple(chart.graph for chart in CHARTS)
HOSTS, SPAN, VERDICT, CARDS = (f"{ID}-{name}" for name in ("hosts", "span", "verdict", "cards"))
"""Slots beside those of the tables."""


def layout(stores: Stores, choices: Choices, _viewer: Viewer = ANYBODY) -> html.Div:
    """Return the tab without data."""
    machine = stores.settings.machine
    hosts = [(host, host) for host in sorted({machine, *stores.live.hosts(spec.SYSTEM)})]
    bar = choice_bar(
        choice_select(ID, "host", hosts, choices, default=machine, label="Host"),
        slot(HOSTS),
        choice_segments(ID, "window", WINDOWS, choices, default=DEFAULT_WINDOW, label="Window"),
        spacer(),
        slot(SPAN),
    )
    content = [
        verdict_slot(VERDICT),
        cards_slot(CARDS, CARD_COUNT, minimum_px=CARD_PX, height=135),
        panels(*(panel.element() for panel in PANELS)),
    ]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer = ANYBODY) -> View:
    """Return what the tab shows. While ClickHouse is away the present goes on and the charts keep their last data."""
    now = stores.clock.now()
    host = choices.get("host", stores.settings.machine)
    span = filled_span(stores, chosen_span(choices, now, WINDOWS), [spec.SYSTEM], host)
    reading = stores.live.reading(spec.SYSTEM, host)
    series, booted, problem = _read(stores, host, span)
    thresholds = stores.settings.thresholds
    present = Present(reading, stores.live.reading(spec.PROCESSES, host), series, now, host, thresholds)
    seen = reading.ts if reading else None
    ages = _Ages(present, series, span, problem)
    return View(
        figures=_figures(stores, present, span, series, rule_lines(stores, viewer.portfolios, host)) if series else {},
        slots={
            HOSTS: hosts_line(stores),
            SPAN: span_line(ID, span, *_booted_line(booted)),
            VERDICT: verdict_line(present),
            CARDS: card_strip(present),
            **_tables(present),
            CHANGES.slot: _changes_place(present, host, now),
        },
        as_of={**ages.charts(), **{table.id: seen for table in TABLES}, **ages.processes()},
        notes=ages.notes(),
        stale_after_seconds=ages.stale_after_seconds(),
        stale_at=next_stale_at([reading, present.processes], now),
    )


def _tables(present: Present) -> dict[str, html.Div]:
    """Return the tables of which there is a reading; the others keep their room."""
    known = {*(TABLES if present.reading else ()), *((PROCESSES,) if present.processes else ())}
    return {
        panel.slot: draw(present, f"{panel.id}-rows", panel.title) for panel, draw in DRAWN.items() if panel in known
    }


def _changes_place(present: Present, host: str, now: float) -> html.Div:
    stamp = " ".join(f"{part.name} {part.status}" for part in present.components)
    return changes_place(ID, Choices.of({"host": host}), stamp, now)


def _routes(stores: Stores) -> list[Route]:
    def which(choices: Choices) -> tuple[tuple[str, ...], str]:
        return COLLECTORS, choices.get("host", stores.settings.machine)

    return [changes_route(stores, ID, which)]


def _read(stores: Stores, host: str, span: Span) -> tuple[MachineSeries | None, list[float], str]:
    try:
        series = read_machine(stores, host, *span.pair)
        return series, reboots(stores.clickhouse, host, *span.pair), ""
    except StorageError as error:
        return None, [], problem_of(error)


def _figures(
    stores: Stores, present: Present, span: Span, series: MachineSeries, rules: RuleLines
) -> dict[str, dict[str, Any]]:
    thresholds, pair = stores.settings.thresholds, span.pair
    seen = present.reading.ts if present.reading and not span.is_zoomed and not present.problem else None
    full = present.by(metrics.DISK_FULL, "mount")
    links = present.by(metrics.LINK_SPEED, "nic")
    return {
        CPU.graph: charts.cpu(series, thresholds, pair, rules),
        MEMORY.graph: charts.memory(series, thresholds, pair, rules),
        DISKS.graph: charts.disks(series, thresholds, pair, full, seen, rules),
        NETWORK.graph: charts.network(series, thresholds, pair, links),
        DISK_IO.graph: charts.disk_io(series, pair),
        PRESSURE.graph: charts.pressure(series, pair, rules),
        LOAD.graph: charts.load(series, pair, present.value(metrics.CPU_CORES), rules),
        CORES.graph: charts.cores(series, pair),
    }


@dataclass(frozen=True, slots=True)
class _Ages:
    """How old each panel is, and what is to be said of it."""

    present: Present
    read: MachineSeries | None
    span: Span
    problem: str

    def charts(self) -> dict[str, float | None]:
        """Return the age of the charts. A window in the past is as old as its end, and never stale."""
        names = [chart.id for chart in CHARTS]
        if self.read is None:
            return {}
        newest = self.read.newest
        if newest is None:
            return dict.fromkeys(names)
        if self.span.is_zoomed:
            return dict.fromkeys(names, min(newest, self.span.end))
        # A step holds what came until its end: with a reading in it, the chart is as young as the reading.
        step = max(data.step_seconds for data in (*self.read.cores, *self.read.others))
        seen = self.present.reading.ts if self.present.reading else newest
        return dict.fromkeys(names, min(seen, newest + step))

    def processes(self) -> dict[str, float | None]:
        """Return the age of the process table."""
        return {PROCESSES.id: self.present.processes.ts if self.present.processes else None}

    def notes(self) -> dict[str, str]:
        """Return why panels are empty or failed."""
        ids = [chart.id for chart in CHARTS]
        notes = dict.fromkeys(ids, self.problem) if self.problem else {}
        if self.read is not None and self.read.newest is None:
            notes |= dict.fromkeys(ids, f"No samples of {self.present.collector_host} in this window.")
        if self.present.reading is None:
            notes |= dict.fromkeys((table.id for table in TABLES), self.present.problem)
        if self.present.processes is None:
            notes[PROCESSES.id] = "No process table yet. The collector “processes” writes one every few seconds."
        return notes

    def stale_after_seconds(self) -> dict[str, float | None]:
        """Return the age beyond which each panel is stale."""
        panels = TABLES if self.span.is_zoomed else (*CHARTS, *TABLES)
        machine = reading_stale_after_seconds(self.present.reading)
        found: dict[str, float | None] = dict.fromkeys((panel.id for panel in panels), machine)
        return found | {PROCESSES.id: reading_stale_after_seconds(self.present.processes)}


def hosts_line(stores: Stores) -> Any:
    """Return how many hosts report and how they are; nothing while there is one."""
    hosts = stores.live.hosts(spec.SYSTEM)
    if len(hosts) < 2:
        return None
    counts: dict[Status, int] = {}
    now = stores.clock.now()
    for host in hosts:
        status = status_at(stores.live.reading(spec.SYSTEM, host), now)
        counts[status] = counts.get(status, 0) + 1
    said = ", ".join(f"{number(each)} {status.value}" for status, each in sorted(counts.items()))
    return html.Span(f"{count(len(hosts), 'host')}: {said}")


def _booted_line(booted: list[float]) -> list[Any]:
    """Return the reboots within the window; nothing when there was none."""
    if not booted:
        return []
    times = "reboot" if len(booted) == 1 else f"{count(len(booted), 'reboot')}, last"
    return [f"{times} ", local_time(booted[-1], "span"), " · "]


TAB = Tab(
    id=ID,
    title="System",
    icon="system",
    key="3",
    path=f"/{ID}",
    layout=layout,
    build=build,
    datasets=COLLECTORS,
    panels=PANELS,
    slots=(HOSTS, SPAN, VERDICT, CARDS, *(panel.slot for panel in DRAWN), CHANGES.slot),
    graphs=GRAPHS,
    zoom_graphs=GRAPHS,
    routes=_routes,
)
