"""Cache: the Redis and Valkey servers under the fund, and Fundwatch's own."""

from __future__ import annotations

from dashboard.kinds.redis.cards import SPARKED, cache_cards
from dashboard.kinds.redis.charts import CHARTS
from dashboard.kinds.redis.tables import ACTIONS, ID, TABLES
from dashboard.sources.actions import register_actions
from dashboard.sources.charts import chart_panel
from dashboard.sources.tab import VARIES_BY, SourceTab
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Tab

TALL_PX = 320


def _table(name: str, title: str, subtitle: str, span: int, definition: str, *, is_filtered: bool = False) -> Panel:
    filters = f"{ID}-{name.partition('-')[0]}-rows" if is_filtered else ""
    body = TableBody(120, TALL_PX, filters)
    return Panel(f"{ID}-{name}", title, f"Source: {definition}", body, subtitle=subtitle, span=span)


PANELS = (
    *(chart_panel(ID, chart) for chart in CHARTS),
    _table("commands", "Commands", "most time first", 8, "INFO commandstats and latencystats.", is_filtered=True),
    _table("about", "Servers", "", 4, "INFO ALL, CONFIG GET."),
    _table("slow", "Slow log", "newest first", 7, "SLOWLOG GET 64.", is_filtered=True),
    _table("databases", "Databases", "", 5, "INFO keyspace. Analyse: SCAN, TYPE, MEMORY USAGE, PTTL of a sample."),
    _table("clients-list", "Clients", "most output held first", 12, "CLIENT LIST.", is_filtered=True),
    _table("streams", "Streams", "furthest behind first", 12,
           "SCAN TYPE stream, 2,000 keys a reading; XINFO STREAM, GROUPS, CONSUMERS, XPENDING each 15 s."),
    _table("keys-found", "Keys", "the newest analysis", 5, "A sample: SCAN, TYPE, MEMORY USAGE, PTTL."),
    _table("errors-list", "Errors", "answered to clients", 3, "INFO errorstats."),
    _table("spikes", "Latency events", "", 4, "LATENCY LATEST."),
    _table("replicas", "Replicas", "", 12, "INFO replication."),
)  # fmt: skip

CACHE = SourceTab(
    id=ID, kinds=("redis",), charts=CHARTS, panels=PANELS, cards=cache_cards, tables=TABLES, metrics=SPARKED
)

TAB = Tab(
    id=ID,
    title="Cache",
    icon=ID,
    key="4",
    path=f"/{ID}",
    layout=CACHE.layout,
    build=CACHE.build,
    varies_by=VARIES_BY,
    datasets=("redis", "actions"),
    panels=CACHE.all_panels,
    slots=CACHE.slots,
    graphs=CACHE.graphs,
    zoom_graphs=CACHE.graphs,
    register=register_actions(ID, ACTIONS),
)
