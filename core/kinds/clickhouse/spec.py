"""What is measured of a ClickHouse: its metrics, its checks and their limits. The rows of its tables: tables.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a ClickHouse is judged by."""

    QUERIES = "queries"
    FAILED = "failed"
    MEMORY = "memory"
    PARTS = "parts"
    INSERTS = "inserts"
    MERGES = "merges"
    MUTATIONS = "mutations"
    DISKS = "disks"
    REPLICATION = "replication"
    ERRORS = "errors"
    DETACHED = "detached"
    DICTIONARIES = "dictionaries"
    VIEWS = "views"
    KAFKA = "kafka"
    PING = "ping"
    POOLS = "pools"


class Actions(StrEnum):
    """What can be done to a ClickHouse."""

    KILL_QUERY = "kill_query"
    KILL_MUTATION = "kill_mutation"
    FLUSH_LOGS = "flush_logs"


@dataclass(frozen=True, slots=True)
class MutationTarget:
    """Which mutation an action is about; as a text "mutation_5.txt fund.ticks", which people read as well."""

    mutation_id: str
    database: str
    table: str

    def __str__(self) -> str:
        """Return the target of the action."""
        return f"{self.mutation_id} {self.database}.{self.table}"

    @classmethod
    def parse(cls, target: str) -> MutationTarget:
        """Return the mutation of an action's target."""
        mutation_id, _, place = target.partition(" ")
        database, _, table = place.partition(".")
        return cls(mutation_id, database, table)


QUERY_MEMORY_BYTES = 256 * 2**20
"""Most memory that one of our own queries may take."""

LONG_QUERY = Limit(600.0)
"""Seconds that a query has been running."""
LONG_QUERY_CLEARED = 300.0
"""The warning ends when the longest query runs no longer than that."""
FAILED_QUERIES = Limit(0.10)
"""Failed ones among the queries of the last minute."""
FAILED_LEAST = 10
"""Fewer failed queries are no warning."""
MEMORY = Limit(0.80, 0.90)
"""Tracked memory over the server's limit."""
DELAYED_PARTS, REJECTED_PARTS = 1_000, 3_000
"""Parts in one partition from where inserts are delayed and rejected, unless the server's settings say otherwise."""
DELAYED_PARTS_SETTING, REJECTED_PARTS_SETTING = "parts_to_delay_insert", "parts_to_throw_insert"
PARTS = Limit(300.0, DELAYED_PARTS)
"""Parts in one partition; critical is where the server delays inserts."""
PARTS_CLEARED = 200.0
"""The warning ends when the fullest partition has no more parts than that."""
LONG_MERGE = Limit(3_600.0)
"""Seconds that a merge has been running."""
LONG_MUTATION = Limit(600.0)
"""Seconds since a mutation was created that is not done."""
DISK = Limit(0.90, 0.98)
"""Used share of a disk."""
REPLICA_DELAY = Limit(300.0)
"""Seconds that a replica is behind."""
REPLICA_DELAY_CLEARED = 250.0
"""The warning ends when no replica is further behind than that."""
PING = Limit(0.1)
"""Seconds to the answer to a ping: the median of the last PINGS_JUDGED."""
PINGS_JUDGED = 12
"""A minute at 5 s: one slow answer is no trouble yet."""

UPTIME = Metric("clickhouse_uptime_seconds", "Time since the server started.")
PING_NEWEST = Metric("clickhouse_ping_seconds", "Time to the answer to a ping.")
PING_JUDGED = Metric("clickhouse_ping_judged_seconds", "Median of the last 12 answers to a ping: what is judged.")
PING_P50 = Metric("clickhouse_ping_p50_seconds", "Median of the last 120 answers to a ping.")
PING_P99 = Metric("clickhouse_ping_p99_seconds", "99th percentile of the last 120 answers to a ping.")
LONGEST_QUERY = Metric("clickhouse_longest_query_seconds", "How long the longest of the running queries has run.")
MOST_PARTS = Metric("clickhouse_parts_per_partition_max", "Active parts in the fullest partition.")
REPLICA_DELAY_MAX = Metric("clickhouse_replica_delay_max_seconds", "Delay of the replica furthest behind.")
MEMORY_LIMIT = Metric("clickhouse_memory_limit_bytes", "max_server_memory_usage; else 90 % of the machine's memory.")
MEMORY_USED_RATIO = Metric("clickhouse_memory_used_ratio", "Tracked memory over the server's limit.")
CACHE_BYTES = Metric("clickhouse_cache_bytes", "Bytes in all caches of the server.")
POOL_USED_RATIO = Metric("clickhouse_pool_used_ratio", "Busy threads of a background pool over its size.", "pool")
DISK_USED_RATIO = Metric("clickhouse_disk_used_ratio", "Used share of a disk.", "disk")
DISK_FREE = Metric("clickhouse_disk_free_bytes", "Free space of a disk.", "disk")
TABLES_BYTES = Metric("clickhouse_tables_bytes", "Bytes on disk of the 100 largest tables together.")
TABLE_BYTES = Metric("clickhouse_table_bytes", "Bytes on disk of a table.", "table")
TABLE_ROWS = Metric("clickhouse_table_rows", "Rows of a table.", "table")

QUERIES_RATE = Metric("clickhouse_queries_per_second", "Queries started, ours included.")
SELECT_QUERIES_RATE = Metric("clickhouse_select_queries_per_second", "SELECT queries started.")
INSERT_QUERIES_RATE = Metric("clickhouse_insert_queries_per_second", "INSERT queries started.")
FAILED_QUERIES_RATE = Metric("clickhouse_failed_queries_per_second", "Queries that failed.")
SELECTED_ROWS_RATE = Metric("clickhouse_selected_rows_per_second", "Rows read by SELECT queries.")
SELECTED_BYTES_RATE = Metric("clickhouse_selected_bytes_per_second", "Bytes read by SELECT queries, uncompressed.")
INSERTED_ROWS_RATE = Metric("clickhouse_inserted_rows_per_second", "Rows inserted.")
INSERTED_BYTES_RATE = Metric("clickhouse_inserted_bytes_per_second", "Bytes inserted, uncompressed.")
MERGED_ROWS_RATE = Metric("clickhouse_merged_rows_per_second", "Rows read by merges.")
MERGED_BYTES_RATE = Metric("clickhouse_merged_bytes_per_second", "Bytes read by merges, uncompressed.")
DELAYED_INSERTS_RATE = Metric("clickhouse_delayed_inserts_per_second", "Inserts delayed because of too many parts.")
REJECTED_INSERTS_RATE = Metric("clickhouse_rejected_inserts_per_second", "Inserts rejected because of too many parts.")
DISK_READ_RATE = Metric("clickhouse_disk_read_bytes_per_second", "Bytes read from disks.")
DISK_WRITTEN_RATE = Metric("clickhouse_disk_written_bytes_per_second", "Bytes written to disks.")
FILE_READ_RATE = Metric("clickhouse_file_read_bytes_per_second", "Bytes read from files, the page cache included.")
CPU_CORES = Metric("clickhouse_cpu_cores", "CPU cores used.")
CPU_WAIT_CORES = Metric("clickhouse_cpu_wait_cores", "Threads that were ready and waited for a CPU.")
IO_WAIT_CORES = Metric("clickhouse_io_wait_cores", "Threads that waited for a disk.")
QUERY_MEAN = Metric("clickhouse_query_mean_seconds", "Mean duration of the queries.")
SELECT_QUERY_MEAN = Metric("clickhouse_select_query_mean_seconds", "Mean duration of the SELECT queries.")
INSERT_QUERY_MEAN = Metric("clickhouse_insert_query_mean_seconds", "Mean duration of the INSERT queries.")

QUERIES_RUNNING = Metric("clickhouse_queries_running", "Running queries without our own.")
MERGES_RUNNING = Metric("clickhouse_merges_running", "Running merges.")
MUTATIONS_RUNNING = Metric("clickhouse_mutations_running", "Parts that are being mutated.")
MEMORY_TRACKED = Metric("clickhouse_memory_tracked_bytes", "Memory that the server tracks as its own.")
PARTS_ACTIVE = Metric("clickhouse_parts_active", "Active parts.")
PARTS_OUTDATED = Metric("clickhouse_parts_outdated", "Parts that a merge has replaced and that are not deleted yet.")
TCP_CONNECTIONS = Metric("clickhouse_tcp_connections", "Clients connected over the native protocol.")
HTTP_CONNECTIONS = Metric("clickhouse_http_connections", "Clients connected over HTTP.")
THREADS = Metric("clickhouse_threads", "Threads of the global pool.")
THREADS_ACTIVE = Metric("clickhouse_threads_active", "Threads of the global pool that have work.")
INSERTS_DELAYED = Metric("clickhouse_inserts_delayed", "Inserts that are being delayed.")
REPLICAS_READONLY = Metric("clickhouse_replicas_readonly", "Replicated tables that are read-only.")
LOAD_1M = Metric("clickhouse_load_1m", "Load average of the machine, 1 minute.")
LOAD_15M = Metric("clickhouse_load_15m", "Load average of the machine, 15 minutes.")

RATES = {
    "Query": QUERIES_RATE,
    "SelectQuery": SELECT_QUERIES_RATE,
    "InsertQuery": INSERT_QUERIES_RATE,
    "FailedQuery": FAILED_QUERIES_RATE,
    "SelectedRows": SELECTED_ROWS_RATE,
    "SelectedBytes": SELECTED_BYTES_RATE,
    "InsertedRows": INSERTED_ROWS_RATE,
    "InsertedBytes": INSERTED_BYTES_RATE,
    "MergedRows": MERGED_ROWS_RATE,
    "MergedUncompressedBytes": MERGED_BYTES_RATE,
    "DelayedInserts": DELAYED_INSERTS_RATE,
    "RejectedInserts": REJECTED_INSERTS_RATE,
    "OSReadBytes": DISK_READ_RATE,
    "OSWriteBytes": DISK_WRITTEN_RATE,
    "OSReadChars": FILE_READ_RATE,
}
"""The rate of each counter of system.events."""
CORES = {
    "OSCPUVirtualTimeMicroseconds": CPU_CORES,
    "OSCPUWaitMicroseconds": CPU_WAIT_CORES,
    "OSIOWaitMicroseconds": IO_WAIT_CORES,
}
"""The rate, in seconds a second, of each counter of microseconds."""
MEANS = {
    "QueryTimeMicroseconds": (QUERY_MEAN, QUERIES_RATE),
    "SelectQueryTimeMicroseconds": (SELECT_QUERY_MEAN, SELECT_QUERIES_RATE),
    "InsertQueryTimeMicroseconds": (INSERT_QUERY_MEAN, INSERT_QUERIES_RATE),
}
"""Of each counter of microseconds the mean, and the rate of what it is a mean of."""
COUNTERS = {**RATES, **CORES, **{event: mean for event, (mean, _) in MEANS.items()}}
"""The metric that is made of each counter of system.events."""
GAUGES = {
    "Query": QUERIES_RUNNING,
    "Merge": MERGES_RUNNING,
    "PartMutation": MUTATIONS_RUNNING,
    "MemoryTracking": MEMORY_TRACKED,
    "PartsActive": PARTS_ACTIVE,
    "PartsOutdated": PARTS_OUTDATED,
    "TCPConnection": TCP_CONNECTIONS,
    "HTTPConnection": HTTP_CONNECTIONS,
    "GlobalThread": THREADS,
    "GlobalThreadActive": THREADS_ACTIVE,
    "DelayedInserts": INSERTS_DELAYED,
    "ReadonlyReplica": REPLICAS_READONLY,
}
"""The metric of each gauge of system.metrics."""
LOADS = {"LoadAverage1": LOAD_1M, "LoadAverage15": LOAD_15M}
"""The metric of each gauge of system.asynchronous_metrics."""
MOST_PARTS_OF_ALL = "MaxPartCountForPartition"
"""The gauge of system.asynchronous_metrics that is MOST_PARTS."""
MEMORY_OF_MACHINE = ("CGroupMemoryTotal", "OSMemoryTotal")
"""The gauges of system.asynchronous_metrics that tell how much memory there is."""

MERGES_POOL = "merges"
POOLS = {
    MERGES_POOL: "BackgroundMergesAndMutationsPool",
    "fetches": "BackgroundFetchesPool",
    "common": "BackgroundCommonPool",
    "moves": "BackgroundMovePool",
    "schedule": "BackgroundSchedulePool",
}
"""Background pools; system.metrics has of each how many threads are busy (…Task) and how many there are (…Size)."""
