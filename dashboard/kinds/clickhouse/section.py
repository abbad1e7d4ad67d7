"""The section of ClickHouse: its panels, each with the query behind it, and what may be done."""

from __future__ import annotations

from core.kinds.clickhouse import spec, tables
from core.kinds.clickhouse.questions import SERVER, Number, ServerSetting, definition_of
from core.tables import Row
from dashboard.kinds.clickhouse import queries, replication, server, storage
from dashboard.kinds.clickhouse.cards import SPARKED, cards
from dashboard.kinds.clickhouse.charts import CHARTS
from dashboard.sources.facts import Facts
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.table import Rows


def _panel(
    id: str, title: str, subtitle: str, span: int, row: type[Row], content: Rows | Facts, *,
    is_filtered: bool = False, is_lazy: bool = True,
) -> TablePanel:  # fmt: skip
    """Return the panel of a question's rows: of `row`."""
    return TablePanel(id, title, subtitle, span, definition_of(row), content, is_filtered, is_lazy)


SECTION = Section(
    kind="clickhouse",
    charts=CHARTS,
    cards=cards,
    detail_cards=16,
    tables=(
        _panel("running", "Running queries", "longest first", 12, tables.RunningQuery, queries.RUNNING,
               is_filtered=True, is_lazy=False),
        _panel("top", "Top queries", "last hour, by time, rows, memory or failures", 12, tables.QueryPattern,
               queries.TOP, is_filtered=True),
        _panel("slow", "Slow queries", "slowest of the last hour", 7, tables.SlowQuery, queries.SLOW,
               is_filtered=True),
        _panel("failed", "Failed queries", "newest first", 5, tables.FailedQuery, queries.FAILED, is_filtered=True),
        _panel("tables", "Tables", "largest first", 12, tables.StoredTable, storage.TABLES, is_filtered=True),
        _panel("merges", "Merges", "longest first", 6, tables.Merge, storage.MERGES),
        _panel("mutations", "Mutations", "not done first", 6, tables.Mutation, storage.MUTATIONS),
        _panel("errors", "Errors", "newest first", 6, tables.ServerError, server.ERRORS, is_filtered=True),
        _panel("disks", "Disks", "fullest first", 6, tables.Disk, storage.DISKS),
        TablePanel("about", "Servers", "", 6, f"{SERVER}; {definition_of(ServerSetting)}", server.ABOUT, is_lazy=True),
        _panel("events", "Events", "most frequent first", 6, tables.Event, server.EVENTS, is_filtered=True),
        _panel("columns", "Columns", "largest first", 8, tables.StoredColumn, storage.COLUMNS, is_filtered=True),
        _panel("pools", "Background pools", "", 4, Number, server.POOLS),
        _panel("detached", "Detached parts", "by reason", 6, tables.DetachedParts, storage.DETACHED),
        _panel("warnings", "Warnings", "of the server", 6, tables.ServerWarning, server.WARNINGS),
        _panel("replicas", "Replicas", "worst first", 6, tables.Replica, replication.REPLICAS),
        _panel("queue", "Replication queue", "oldest first", 6, tables.QueuedTask, replication.QUEUE),
        _panel("dictionaries", "Dictionaries", "failed first", 4, tables.Dictionary, replication.DICTIONARIES),
        _panel("views", "View refreshes", "failed first", 4, tables.ViewRefresh, replication.VIEWS),
        _panel("kafka", "Kafka tables", "failed first", 4, tables.KafkaConsumer, replication.KAFKA),
    ),
    actions=tuple(spec.Actions),
    metrics=SPARKED,
)  # fmt: skip
