"""The section of ClickHouse in the Database tab: its panels, each with the query behind it, and what may be done."""

from __future__ import annotations

from pydantic import SecretStr

from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from dashboard.kinds.clickhouse import replication, tables
from dashboard.kinds.clickhouse.cards import SPARKED, clickhouse_cards
from dashboard.kinds.clickhouse.cells import ID
from dashboard.kinds.clickhouse.charts import CHARTS
from dashboard.sources.section import OldPanel, old_section
from storage.clickhouse.reads.clickhouse_health import questions


def _asked(name: str) -> str:
    """Return the query behind a table; of the query log that of a server, and what our own engine is asked instead."""
    server = ClickHouseSource(name="main", url=SecretStr("http://server:8123"))
    own = OwnEngine(name="own", url="chdb:///", database="fundwatch")
    texts = [next(each.text for each in questions(source) if each.name == name) for source in (server, own)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]}; of our own engine: {texts[1]}"


_LAYOUT = (
    ("running", tables.running, "Running queries", "longest first", 12, "running", True),
    ("top", tables.top, "Top queries", "last hour, by time, rows, memory or failures", 12, "log_top", True),
    ("slow", tables.slow, "Slow queries", "slowest of the last hour", 7, "log_slow", True),
    ("failed", tables.failed, "Failed queries", "newest first", 5, "log_failed", True),
    ("tables", tables.tables, "Tables", "largest first", 12, "tables", True),
    ("merges", tables.merges, "Merges", "longest first", 6, "merges", False),
    ("mutations", tables.mutations, "Mutations", "not done first", 6, "mutations", False),
    ("errors", tables.errors, "Errors", "newest first", 6, "errors", True),
    ("disks", tables.disks, "Disks", "", 6, "disks", False),
    ("about", tables.about, "Servers", "", 6, "settings", False),
    ("events", tables.events, "Events", "most frequent first", 6, "events", True),
    ("columns", tables.largest_columns, "Columns", "largest first", 8, "columns", True),
    ("pools", tables.pools, "Background pools", "", 4, "numbers", False),
    ("detached", tables.detached, "Detached parts", "by reason", 6, "detached", False),
    ("warnings", tables.warnings, "Warnings", "of the server", 6, "warnings", False),
    ("replicas", replication.replicas, "Replicas", "worst first", 6, "replicas", False),
    ("queue", replication.queue, "Replication queue", "oldest first", 6, "queue", False),
    ("dictionaries", replication.dictionaries, "Dictionaries", "", 4, "dictionaries", False),
    ("views", replication.refreshes, "View refreshes", "", 4, "refreshes", False),
    ("kafka", replication.kafka, "Kafka tables", "", 4, "kafka", False),
)
"""(name, table, title, subtitle, columns of the raster, its question, whether it has a filter)."""

TABLES = {f"clickhouse-{name}": make for name, make, *_ in _LAYOUT}
PANELS = tuple(
    OldPanel(
        f"clickhouse-{name}", title, subtitle, span, _asked(question),
        f"{ID}-clickhouse-{name}-rows" if is_filtered else "",
    )
    for name, _, title, subtitle, span, question, is_filtered in _LAYOUT
)  # fmt: skip

SECTION = old_section(
    kind="clickhouse",
    charts=CHARTS,
    cards=clickhouse_cards,
    tables=TABLES,
    panels=PANELS,
    actions=("kill_query", "kill_mutation", "flush_logs"),
    metrics=SPARKED,
    lazy=frozenset(TABLES) - {"clickhouse-running"},
)
