"""What a ClickHouse is asked, how often, and the exact query of each question.

COLUMNS('…') selects those of the named columns that the server has: versions differ. A question whose tables the
server does not have is not asked, because every refusal would count among the server's own errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from core.kinds.clickhouse import spec, tables
from core.kinds.clickhouse.source import QUERY_LOG, ClickHouseSource, OwnEngine
from core.tables import Row

ALWAYS = 0.0
LOG_SECONDS = 3_600
"""How far back the query log is looked at."""
LOG_TOP = 15
"""Patterns by each of time, rows, memory and failures."""
OWN_DATABASE = "fundwatch"
"""Where our own query log is, as definitions call it."""

SERVER = "SELECT version() AS version, uptime() AS uptime_seconds, hostName() AS host, currentUser() AS user"
TABLES_THERE = "SELECT name FROM system.tables WHERE database = 'system'"


@dataclass(frozen=True, slots=True)
class Server:
    """The answer to SERVER."""

    version: str
    uptime_seconds: float
    host: str
    user: str


@dataclass(frozen=True, slots=True)
class Number:
    """A counter or a gauge of the server."""

    TABLE: ClassVar[str] = "numbers"

    kind: str
    """event or metric."""
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class AsynchronousMetric:
    """A gauge that the server computes now and then."""

    TABLE: ClassVar[str] = "asynchronous"

    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class MergeTreeSetting:
    """A setting of MergeTree tables."""

    TABLE: ClassVar[str] = "limits"

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """A setting of the server."""

    TABLE: ClassVar[str] = "settings"

    name: str
    value: str
    default_value: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A query whose answer is rows of the class `row`, asked again when `every_seconds` have passed."""

    row: type[Row]
    title: str
    """What it asks for."""
    sql: str
    every_seconds: float = ALWAYS

    @property
    def name(self) -> str:
        """Name of the table that its rows make."""
        return self.row.TABLE

    @property
    def text(self) -> str:
        """The query in one line, and how often it is asked: the definition of what shows its answer."""
        often = f", every {self.every_seconds:.0f} s" if self.every_seconds else ", every reading"
        return " ".join(self.sql.split()) + often

    @property
    def needs(self) -> frozenset[str]:
        """The system tables that it reads."""
        return frozenset(re.findall(r"\bsystem\.(\w+)", self.sql))


def _in(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_METRICS = (*spec.GAUGES, *(f"{pool}{what}" for pool in spec.POOLS.values() for what in ("Task", "Size")))
_ASYNCHRONOUS = (spec.MOST_PARTS_OF_ALL, *spec.LOADS, *spec.MEMORY_OF_MACHINE)

NUMBERS = f"""
SELECT 'event' AS kind, event AS name, toFloat64(value) AS value FROM system.events
WHERE event IN ({_in(spec.COUNTERS)})
UNION ALL
SELECT 'metric', metric, toFloat64(value) FROM system.metrics
WHERE metric IN ({_in(_METRICS)}) OR metric LIKE '%CacheBytes'"""

ASYNCHRONOUS_METRICS = f"""
SELECT metric AS name, toFloat64(value) AS value FROM system.asynchronous_metrics
WHERE metric IN ({_in(_ASYNCHRONOUS)})"""
"""An engine inside a process has none."""


def _columns(*names: str) -> str:
    return f"COLUMNS('^({'|'.join(names)})$')"


_OF_PROCESS = _columns(
    "query_id", "user", "elapsed", "read_rows", "read_bytes", "total_rows_approx", "memory_usage", "peak_memory_usage"
)
_OF_DISK = _columns(
    "name", "path", "type", "free_space", "total_space", "unreserved_space", "is_broken", "is_read_only"
)

RUNNING = f"""
SELECT {_OF_PROCESS}, toString(address) AS client, substring(query, 1, 400) AS query
FROM system.processes WHERE query_id != queryID() ORDER BY elapsed DESC LIMIT 100"""

MERGES = """
SELECT database, table, elapsed, progress, num_parts, total_size_bytes_compressed AS bytes, memory_usage, is_mutation
FROM system.merges ORDER BY elapsed DESC LIMIT 50"""

TABLES = """
SELECT database, table, engine, rows, bytes, compressed_bytes, uncompressed_bytes, parts, partitions,
       most_parts, last_write, ttl
FROM (
    SELECT database, table, sum(n) AS rows, sum(size) AS bytes, sum(packed) AS compressed_bytes,
           sum(unpacked) AS uncompressed_bytes, sum(part_count) AS parts, count() AS partitions,
           max(part_count) AS most_parts, max(written) AS last_write
    FROM (
        SELECT database, table, partition_id, sum(rows) AS n, sum(bytes_on_disk) AS size, count() AS part_count,
               sum(data_compressed_bytes) AS packed, sum(data_uncompressed_bytes) AS unpacked,
               toUnixTimestamp(max(modification_time)) AS written
        FROM system.parts WHERE active GROUP BY database, table, partition_id
    )
    GROUP BY database, table ORDER BY bytes DESC LIMIT 100
) AS p
LEFT JOIN (
    SELECT database, name AS table, engine, extract(engine_full, 'TTL (.+?)(?: SETTINGS|$)') AS ttl
    FROM system.tables WHERE engine LIKE '%MergeTree'
) AS t USING (database, table)
ORDER BY bytes DESC"""

COLUMNS = """
SELECT database, table, name, type, data_compressed_bytes AS compressed_bytes,
       data_uncompressed_bytes AS uncompressed_bytes, compression_codec AS codec
FROM system.columns
WHERE database IN (SELECT DISTINCT database FROM system.parts WHERE active) AND data_compressed_bytes > 0
ORDER BY compressed_bytes DESC LIMIT 40"""

MUTATIONS = """
SELECT database, table, mutation_id, substring(command, 1, 300) AS command, toUnixTimestamp(create_time) AS created,
       parts_to_do, is_done, latest_fail_reason, now() - create_time AS age_seconds
FROM system.mutations WHERE NOT is_done OR create_time > now() - 86400
ORDER BY is_done, create_time DESC LIMIT 50"""

DETACHED = """
SELECT database, table, ifNull(reason, '') AS reason, count() AS parts, any(name) AS example
FROM system.detached_parts GROUP BY database, table, reason ORDER BY reason = '', parts DESC LIMIT 50"""

DISKS = f"SELECT {_OF_DISK} FROM system.disks"

ERRORS = """
SELECT name, any(code) AS code, sum(value) AS count, toUnixTimestamp(max(last_error_time)) AS last,
       substring(argMax(last_error_message, last_error_time), 1, 300) AS message
FROM system.errors GROUP BY name ORDER BY last DESC LIMIT 60"""

REPLICAS = """
SELECT database, table, is_readonly, absolute_delay, queue_size, inserts_in_queue, merges_in_queue,
       toInt64(log_max_index) - toInt64(log_pointer) AS log_lag, total_replicas, active_replicas,
       substring(zookeeper_exception, 1, 300) AS exception
FROM system.replicas ORDER BY is_readonly DESC, absolute_delay DESC LIMIT 100"""

QUEUE = """
SELECT database, table, type, new_part_name AS part, toUnixTimestamp(create_time) AS created, num_tries,
       num_postponed, substring(last_exception, 1, 300) AS exception,
       substring(postpone_reason, 1, 300) AS postponed
FROM system.replication_queue ORDER BY create_time LIMIT 50"""

DICTIONARIES = """
SELECT database, name, toString(status) AS status, element_count, bytes_allocated, query_count, loading_duration,
       toUnixTimestamp(last_successful_update_time) AS updated, substring(last_exception, 1, 300) AS exception
FROM system.dictionaries ORDER BY exception = '', name LIMIT 50"""

REFRESHES = """
SELECT database, view, toString(status) AS status, toUnixTimestamp(last_success_time) AS succeeded,
       toUnixTimestamp(next_refresh_time) AS next, substring(exception, 1, 300) AS exception,
       COLUMNS('^read_rows$')
FROM system.view_refreshes ORDER BY exception = '', view LIMIT 50"""

KAFKA = """
SELECT database, table, arrayStringConcat(assignments.topic, ', ') AS topics, num_messages_read,
       toUnixTimestamp(last_poll_time) AS polled,
       substring(arrayElement(exceptions.text, -1), 1, 300) AS exception
FROM system.kafka_consumers LIMIT 50"""

LIMITS = f"""
SELECT name, toString(value) AS value FROM system.merge_tree_settings
WHERE name IN ({_in((spec.DELAYED_PARTS_SETTING, spec.REJECTED_PARTS_SETTING))})"""

SETTINGS = """
SELECT name, toString(value) AS value, toString(default) AS default_value, changed FROM system.server_settings
WHERE changed OR name = 'max_server_memory_usage' ORDER BY name LIMIT 100"""

ALL_EVENTS = "SELECT event, toFloat64(value) AS count FROM system.events"
WARNINGS = "SELECT message FROM system.warnings LIMIT 50"


_FIRST = (
    Question(Number, "events and metrics", NUMBERS),
    Question(tables.RunningQuery, "running queries", RUNNING),
    Question(tables.Merge, "merges", MERGES),
    Question(MergeTreeSetting, "MergeTree settings", LIMITS, 300),
    Question(ServerSetting, "server settings", SETTINGS, 300),
    Question(tables.Disk, "disks", DISKS, 30),
    Question(tables.Mutation, "mutations", MUTATIONS, 15),
    Question(tables.ServerError, "errors", ERRORS, 15),
    Question(tables.StoredTable, "tables", TABLES, 60),
)
_THEN = (
    Question(tables.DetachedParts, "detached parts", DETACHED, 60),
    Question(tables.Replica, "replicas", REPLICAS, 60),
    Question(tables.QueuedTask, "replication queue", QUEUE, 60),
    Question(tables.Dictionary, "dictionaries", DICTIONARIES, 60),
    Question(tables.ViewRefresh, "view refreshes", REFRESHES, 60),
    Question(tables.KafkaConsumer, "Kafka tables", KAFKA, 60),
    Question(tables.StoredColumn, "columns", COLUMNS, 300),
    Question(tables.ServerWarning, "warnings", WARNINGS, 300),
    Question(tables.Event, "all events", ALL_EVENTS, 60),
)


def questions(source: ClickHouseSource | OwnEngine) -> tuple[Question, ...]:
    """Return what `source` is asked, the most urgent first."""
    if isinstance(source, OwnEngine):
        return (*_FIRST, *own_log(source.database), *_THEN)
    asynchronous = Question(AsynchronousMetric, "asynchronous metrics", ASYNCHRONOUS_METRICS)
    return (asynchronous, *_FIRST, *server_log(source.query_log), *_THEN)


def definition_of(row: type[Row]) -> str:
    """Return the query behind a table; of the query log that of a server, and what our own engine is asked instead."""
    asked = (*_FIRST, *server_log(QUERY_LOG), *own_log(OWN_DATABASE), *_THEN)
    return "; of our own engine: ".join(each.text for each in asked if each.row is row)


def _top(log: str, pattern: str, condition: str, measures: str, *, has_memory: bool) -> str:
    """Return the query for the patterns that are among the first by time, rows, memory or failures."""
    ranks = ("seconds", "rows", "failed", *(("memory_bytes",) if has_memory else ()))
    numbered = ", ".join(f"row_number() OVER (ORDER BY {name} DESC) AS by_{name}" for name in ranks)
    kept = " OR ".join(f"by_{name} <= {LOG_TOP}" + (" AND failed > 0" if name == "failed" else "") for name in ranks)
    return f"""
SELECT * EXCEPT (key, by_{", by_".join(ranks)}) FROM (
    SELECT *, seconds / sum(seconds) OVER () AS share, {numbered} FROM (
        SELECT {pattern}, count() AS calls, {measures}
        FROM {log} WHERE {condition} GROUP BY key
    )
) WHERE {kept} ORDER BY seconds DESC"""


def server_log(log: str) -> tuple[Question, ...]:
    """Return the questions to a server's query log: patterns of the last hour, and single queries."""
    since = f"event_date >= toDate(now() - {LOG_SECONDS}) AND event_time >= now() - {LOG_SECONDS}"
    ended = f"{since} AND type != 'QueryStart' AND is_initial_query"
    measures = """countIf(exception_code != 0) AS failed, sum(query_duration_ms) / 1e3 AS seconds,
               quantile(0.5)(query_duration_ms) / 1e3 AS p50_seconds,
               quantile(0.95)(query_duration_ms) / 1e3 AS p95_seconds,
               max(query_duration_ms) / 1e3 AS longest_seconds, sum(read_rows) AS rows, sum(read_bytes) AS bytes,
               max(memory_usage) AS memory_bytes,
               substring(argMaxIf(exception, event_time, exception_code != 0), 1, 300) AS error"""
    pattern = "normalized_query_hash AS key, substring(normalizeQuery(any(query)), 1, 400) AS pattern"
    single = f"""
SELECT toUnixTimestamp(event_time) AS ts, query_duration_ms / 1e3 AS seconds, user, read_rows AS rows,
       memory_usage AS memory_bytes, substring(query, 1, 400) AS query, query_id,
       exception_code AS code, substring(exception, 1, 300) AS error
FROM {log} WHERE {ended}"""
    return _of_log(
        _top(log, pattern, ended, measures, has_memory=True),
        f"{single} ORDER BY query_duration_ms DESC LIMIT 40",
        f"{single} AND exception_code != 0 ORDER BY event_time DESC LIMIT 40",
    )


def own_log(database: str) -> tuple[Question, ...]:
    """Return the questions to our own query log: an engine inside a process keeps none (query_log.py)."""
    since = f"q.ts >= now64(3) - {LOG_SECONDS}"
    measures = """countIf(q.error != '') AS failed, sum(q.seconds) AS seconds, quantile(0.5)(q.seconds) AS p50_seconds,
               quantile(0.95)(q.seconds) AS p95_seconds, max(q.seconds) AS longest_seconds, sum(q.rows) AS rows,
               sum(q.bytes) AS bytes, substring(argMaxIf(q.error, q.ts, q.error != ''), 1, 300) AS error"""
    single = f"""
SELECT toUnixTimestamp64Milli(q.ts) / 1e3 AS ts, seconds, rows, kind AS query,
       substring(q.error, 1, 300) AS error
FROM {database}.queries AS q WHERE {since}"""
    log = f"{database}.queries AS q"
    return _of_log(
        _top(log, "kind AS key, kind AS pattern", since, measures, has_memory=False),
        f"{single} ORDER BY seconds DESC LIMIT 40",
        f"{single} AND q.error != '' ORDER BY ts DESC LIMIT 40",
    )


def _of_log(top: str, slow: str, failed: str) -> tuple[Question, ...]:
    return (
        Question(tables.QueryPattern, "query log: patterns", top, 60),
        Question(tables.SlowQuery, "query log: slow queries", slow, 60),
        Question(tables.FailedQuery, "query log: failed queries", failed, 30),
    )
