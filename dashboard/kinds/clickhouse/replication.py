"""The tables of what a ClickHouse gets from elsewhere: replicas and their queue, dictionaries, refreshes, Kafka."""

from __future__ import annotations

from dash import html

from core.format import bytes_, duration
from core.format import number as whole
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import place, table_of, time_or_never, tone_of, yes
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, words


def replicas(shown: Shown) -> html.Div:
    """Return the replicated tables, the one in most trouble first."""
    fields = (
        *place("Table"),
        Field("is_readonly", "Read-only", yes, "", lambda row: "critical" if row["is_readonly"] else "", False),
        Field("absolute_delay", "Delay", duration, "", tone_of("absolute_delay", 250, 300)),
        Field("queue_size", "Queue", whole),
        Field("inserts_in_queue", "Inserts", whole),
        Field("merges_in_queue", "Merges", whole),
        Field("log_lag", "Log lag", whole, "log_max_index − log_pointer"),
        Field("active_replicas", "Active", whole),
        Field("total_replicas", "Replicas", whole),
        words("exception", "Keeper says"),
    )
    return table_of(shown, "replicas", "replicas", fields, "Replicas", "No table is replicated.")


def queue(shown: Shown) -> html.Div:
    """Return what waits in the replication queue, the oldest first."""
    fields = (
        *place("Table"),
        words("type", "Task"),
        words("part", "Part"),
        Field("created", "Since", local_time, numeric=False),
        Field("num_tries", "Tries", whole),
        Field("num_postponed", "Postponed", whole),
        words("exception", "Last failure"),
        words("postponed", "Waits for"),
    )
    return table_of(shown, "queue", "queue", fields, "Replication queue", "Nothing waits to be replicated.")


def dictionaries(shown: Shown) -> html.Div:
    """Return the dictionaries."""
    fields = (
        Field("name", "Dictionary", str, numeric=False),
        words("status", "State", "", lambda row: "warning" if row["exception"] else ""),
        Field("element_count", "Elements", whole),
        Field("bytes_allocated", "Memory", bytes_),
        Field("query_count", "Look-ups", whole),
        Field("loading_duration", "Load took", duration),
        Field("updated", "Updated", time_or_never, numeric=False),
        words("exception", "Last failure"),
    )
    return table_of(shown, "dictionaries", "dictionaries", fields, "Dictionaries", "There is no dictionary.")


def refreshes(shown: Shown) -> html.Div:
    """Return the refreshable materialised views."""
    fields = (
        Field("view", "View", str, numeric=False),
        words("status", "State", "", lambda row: "warning" if row["exception"] else ""),
        Field("succeeded", "Last good", time_or_never, numeric=False),
        Field("next", "Next", time_or_never, numeric=False),
        Field("read_rows", "Rows read", whole),
        words("exception", "Last failure"),
    )
    return table_of(shown, "views", "refreshes", fields, "View refreshes", "There is no refreshable view.")


def kafka(shown: Shown) -> html.Div:
    """Return the consumers of Kafka tables."""
    fields = (
        *place("Table"),
        words("topics", "Topics"),
        Field("num_messages_read", "Messages", whole),
        Field("polled", "Last poll", time_or_never, numeric=False),
        words("exception", "Last failure", "", lambda row: "warning" if row["exception"] else ""),
    )
    return table_of(shown, "kafka", "kafka", fields, "Kafka tables", "No table reads from Kafka.")
