"""The tables of what a ClickHouse gets from elsewhere: replicas and their queue, dictionaries, refreshes, Kafka."""

from __future__ import annotations

from core.format import bytes_, duration, number
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.tables import Dictionary, KafkaConsumer, QueuedTask, Replica, ViewRefresh
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import TABLE, nothing_of, time_or_never, warning_if, yes
from dashboard.sources.limits import tone_of
from dashboard.sources.table import Field, Rows, words


def _read_only(row: Replica) -> str:
    return "critical" if row.is_readonly else ""


def _late(row: Replica) -> str:
    return tone_of(spec.REPLICA_DELAY, row.absolute_delay)


REPLICAS = Rows(
    Replica,
    (
        *TABLE,
        Field("is_readonly", "Read-only", yes, "", _read_only, numeric=False),
        Field("absolute_delay", "Delay", duration, "", _late),
        Field("queue_size", "Queue", number),
        Field("inserts_in_queue", "Inserts", number),
        Field("merges_in_queue", "Merges", number),
        Field("log_lag", "Log lag", number, "log_max_index − log_pointer"),
        Field("active_replicas", "Active", number),
        Field("total_replicas", "Replicas", number),
        words("exception", "Keeper error"),
    ),
    nothing=nothing_of(Replica, "No table is replicated."),
    sort=lambda row: (not row.is_readonly, -row.absolute_delay),
)

QUEUE = Rows(
    QueuedTask,
    (
        *TABLE,
        words("type", "Task"),
        words("part", "Part"),
        Field("created", "Since", local_time, numeric=False),
        Field("num_tries", "Tries", number),
        Field("num_postponed", "Postponed", number),
        words("exception", "Last failure"),
        words("postponed", "Postponed because"),
    ),
    nothing=nothing_of(QueuedTask, "The replication queue is empty."),
    sort=lambda row: row.created,
)


def _failed(row: Dictionary | ViewRefresh | KafkaConsumer) -> str:
    return warning_if(row.exception)


DICTIONARIES = Rows(
    Dictionary,
    (
        words("name", "Dictionary"),
        words("status", "State", "", _failed),
        Field("element_count", "Elements", number),
        Field("bytes_allocated", "Memory", bytes_),
        Field("query_count", "Look-ups", number),
        Field("loading_duration", "Load took", duration),
        Field("updated", "Updated", time_or_never, numeric=False),
        words("exception", "Last failure"),
    ),
    nothing=nothing_of(Dictionary, "No dictionary."),
    sort=lambda row: (row.exception == "", row.name),
)

VIEWS = Rows(
    ViewRefresh,
    (
        words("view", "View"),
        words("status", "State", "", _failed),
        Field("succeeded", "Last success", time_or_never, numeric=False),
        Field("next", "Next", time_or_never, numeric=False),
        Field("read_rows", "Rows read", number),
        words("exception", "Last failure"),
    ),
    nothing=nothing_of(ViewRefresh, "No refreshable view."),
    sort=lambda row: (row.exception == "", row.view),
)

KAFKA = Rows(
    KafkaConsumer,
    (
        *TABLE,
        words("topics", "Topics"),
        Field("num_messages_read", "Messages", number),
        Field("polled", "Last poll", time_or_never, numeric=False),
        words("exception", "Last failure", "", _failed),
    ),
    nothing=nothing_of(KafkaConsumer, "No table reads from Kafka."),
    sort=lambda row: (row.exception == "", row.place),
)
