"""A small tab and hand-written stores that drive the frame without any database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from dash import html

from access.viewer import Viewer
from core.clock import Clock, SystemClock
from core.errors import StorageUnavailable
from core.kinds.registry import Watch
from core.model import Status
from core.settings.alerts import Alerts
from core.settings.collectors import Sources
from core.settings.oidc import Oidc
from core.settings.visitors import RateLimits
from dashboard.charts.theme import end_label, faded, threshold
from dashboard.components.card import card, cards, empty, verdict
from dashboard.components.choices import choice_bar, choice_segments, choice_select, spacer
from dashboard.components.graph import graph
from dashboard.components.panel import panel, panels, slot
from dashboard.components.table import Cell, Column, data_table, filter_box, scroll_box
from dashboard.views.tab import Choices, Tab, View
from storage.clickhouse.pulse import Pulse
from storage.state.database import State, metadata

WINDOWS = (("15m", "15 m"), ("1h", "1 h"), ("6h", "6 h"))
HOSTS = (("alpha", "alpha"), ("beta", "beta"))
POINTS = 120
SETTINGS = {
    "host": "127.0.0.1", "port": 8050, "refresh_seconds": 5, "actions_enabled": False,
    "watch": Watch(), "sources": Sources(own=False), "machine": "alpha", "host_names": frozenset(), "trusted_proxy": (),
    "rate_limits": RateLimits(),
    "oidc": Oidc(), "pull": (), "consume": (), "row_importers": (), "alerts": Alerts(),
}  # fmt: skip


@dataclass
class FakeLive:
    """Versions that a test moves by hand; `broken` makes the store unreachable."""

    versions: dict[str, int] = field(default_factory=dict)
    broken: bool = False

    def version(self, *datasets: str) -> str:
        if self.broken:
            raise StorageUnavailable("Redis at 127.0.0.1 does not answer")
        return "/".join(str(self.versions.get(name, 0)) for name in datasets)

    def bump(self, dataset: str) -> int:
        self.versions[dataset] = self.versions.get(dataset, 0) + 1
        return self.versions[dataset]

    def readings(self, _names: Any) -> dict[str, Any]:
        return {}  # as before anything was collected

    def ask(self, _question: Callable[[], Any], otherwise: Any) -> Any:
        return otherwise  # as while Redis is away


def empty_state() -> State:
    """Return a state database in memory with nothing in it."""
    state = State("sqlite://")
    metadata.create_all(state.engine)
    return state


@dataclass
class FakeStores:
    """What the frame itself asks of the stores."""

    clock: Clock = field(default_factory=SystemClock)
    live: FakeLive = field(default_factory=FakeLive)
    clickhouse: Any = field(default_factory=lambda: SimpleNamespace(pulse=Pulse(lambda: None)))
    settings: Any = field(default_factory=lambda: SimpleNamespace(**SETTINGS))
    state: State = field(default_factory=lambda: empty_state())
    value: float = 40.0
    as_of: float | None = None
    """When the demo's data was taken; None: at each build."""
    error: Exception | None = None
    """Raised by the demo tab's build."""
    builds: list[dict[str, str]] = field(default_factory=list)


def layout(_stores: FakeStores, choices: Choices, _viewer: Viewer) -> html.Div:
    return html.Div(
        [
            choice_bar(
                choice_select("demo", "host", HOSTS, choices, default="alpha", label="Host"),
                choice_segments("demo", "window", WINDOWS, choices, default="1h", label="Window"),
                spacer(),
                html.Span("sample", className="fw-mark"),
            ),
            html.Div(
                [
                    slot("demo-verdict", 36),
                    slot("demo-cards", 110),
                    panels(
                        panel("demo-cpu", "CPU, %", "by mode", graph("demo-cpu-graph", 220), span=8),
                        panel("demo-disks", "Disks", "", slot("demo-disks-table", 180), span=4, tools=("csv", "full")),
                        panel("demo-memory", "Memory, GiB", "", graph("demo-memory-graph", 200), span=4),
                        panel("demo-empty", "Temperatures", "", graph("demo-empty-graph", 160), span=4),
                        panel(
                            "demo-processes", "Processes", "", span=4, tools=("csv", "full"),
                            children=[
                                filter_box("demo-processes-rows", "Filter processes"),
                                scroll_box(slot("demo-processes-table", 240), 240, "Process table"),
                            ],
                        ),
                    ),
                ],
                className="fw-content",
            ),
        ]
    )  # fmt: skip


def build(stores: FakeStores, choices: Choices, _viewer: Viewer) -> View:
    stores.builds.append(dict(choices))
    if stores.error:
        raise stores.error
    now = stores.as_of or stores.clock.now()
    line = [stores.value + (i * 37 % 23) - 11 for i in range(POINTS)]
    limit, label = threshold(80), end_label("critical 80 %", 80, "@critical")
    trace = {
        "type": "scatter", "mode": "lines", "name": "user",
        "x": [int(now) - 30 * (POINTS - i) for i in range(POINTS)], "y": line,
        "line": {"color": "@series-1", "width": 1.5}, "fill": "tozeroy", "fillcolor": faded("@series-1", 0.2),
    }  # fmt: skip
    figure = {
        "data": [trace],
        "layout": {
            "xaxis": {"type": "date"}, "yaxis": {"range": [0, 100], "ticksuffix": " %"}, "margin": {"r": 60},
            "shapes": [limit], "annotations": [label, end_label("user", line[-1], "@series-1")],
        },
    }  # fmt: skip
    memory = {"data": [trace], "layout": {"xaxis": {"type": "date", "range": [int(now) - 3_600, int(now)]}}}
    columns = [Column("mount", "Mount", numeric=False), Column("used", "Used"), Column("free", "Free")]
    disks = [
        {"mount": "/data", "used": Cell("93 %", sort=0.93, tone="critical"), "free": Cell("128 GiB", sort=128)},
        {
            "mount": "/",
            "used": Cell(f"{stores.value:.0f} %", sort=stores.value / 100),
            "free": Cell("196 GiB", sort=196),
        },
        {"mount": "/var", "used": Cell("61 %", sort=0.61), "free": Cell("19.6 GiB", sort=19.6)},
    ]
    strip = cards(
        card(
            "demo-card-cpu", "CPU", f"{stores.value:.0f} %", state=Status.OK, why="8 cores",
            bar_ratio=stores.value / 100, spark=line[-40:], as_of=now, stale_after_seconds=13, definition="Busy share.",
        ),
        card("demo-card-disk", "Disk /data", "93 %", state=Status.CRITICAL, why="full in 2 h 40 min", bar_ratio=0.93),
        card("demo-card-day", "Day", "−1.16 %", tone="loss", why="−145.6 K"),
        minimum_px=160,
    )  # fmt: skip
    return View(
        figures={
            "demo-cpu-graph": figure,
            "demo-memory-graph": memory,
        },
        slots={
            "demo-verdict": verdict(Status.CRITICAL, "Disk /data is 93 % full. Everything else is fine."),
            "demo-cards": strip,
            "demo-disks-table": data_table("demo-disks-rows", columns, disks, caption="Disks"),
            "demo-processes-table": _processes(),
        },
        as_of={"demo-cpu": now, "demo-disks": now, "demo-processes": now, "demo-empty": None},
        notes={"demo-empty": "This machine has no temperature sensors."},
        stale_after_seconds={"demo-cpu": 13, "demo-disks": 13},
    )


def _processes() -> html.Div:
    columns = [Column("name", "Name", numeric=False), Column("pid", "PID"), Column("memory", "Memory")]
    rows = [
        {"name": f"process-{pid}", "pid": str(pid), "memory": Cell(f"{pid * 7919 % 97} MiB", sort=pid * 7919 % 97)}
        for pid in range(1, 41)
    ]
    return data_table("demo-processes-rows", columns, rows, caption="Processes", stack=False)


DEMO = Tab(
    id="demo",
    title="Demo",
    icon="system",
    key="9",
    path="/demo",
    layout=layout,  # type: ignore[arg-type]
    build=build,  # type: ignore[arg-type]
    datasets=("demo",),
    slots=("demo-verdict", "demo-cards", "demo-disks-table", "demo-processes-table"),
    graphs=("demo-cpu-graph", "demo-memory-graph"),
    zoom_graphs=("demo-cpu-graph",),
)


PLAIN = Tab(
    id="alerts", title="Alerts", icon="alerts", key="8", path="/alerts",
    layout=lambda *_: html.Div(empty("A plain page", "Nothing changes."), className="fw-content"),
)  # fmt: skip
"""A tab that shows nothing that changes."""
