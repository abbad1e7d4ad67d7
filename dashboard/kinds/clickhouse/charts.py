"""The charts of ClickHouse."""

from __future__ import annotations

from core.format import duration, number
from core.kinds.clickhouse import spec
from dashboard.sources.charts import Chart
from dashboard.sources.limits import limit_text

EVENTS = "Source: SELECT event, value FROM system.events; a difference between readings."
METRICS = "Source: SELECT metric, value FROM system.metrics."

CHARTS = (
    Chart("queries", "Queries, per second", "started and failed",
          {spec.SELECT_QUERIES_RATE: "select", spec.INSERT_QUERIES_RATE: "insert", spec.FAILED_QUERIES_RATE: "failed"},
          f"SelectQuery, InsertQuery, FailedQuery. {EVENTS}"),
    Chart("time", "Query time, mean", "of the queries of each interval",
          {spec.SELECT_QUERY_MEAN: "select", spec.INSERT_QUERY_MEAN: "insert"},
          f"SelectQueryTimeMicroseconds over SelectQuery, the same of InsertQuery; none without queries. {EVENTS}"),
    Chart("activity", "Running, count", "queries, merges, mutations",
          {spec.QUERIES_RUNNING: "queries", spec.MERGES_RUNNING: "merges", spec.MUTATIONS_RUNNING: "mutations"},
          f"Query (without our own), Merge, PartMutation at the moment of the reading. {METRICS}"),
    Chart("longest", "Longest running query", "its time so far", {spec.LONGEST_QUERY: ""},
          f"Source: SELECT max(elapsed) FROM system.processes. {limit_text(spec.LONG_QUERY, 'seconds')}, "
          f"cleared at {duration(spec.LONG_QUERY_CLEARED)}.",
          limit=spec.LONG_QUERY),
    Chart("memory", "Memory, % of limit", "tracked, of max_server_memory_usage", {spec.MEMORY_USED_RATIO: ""},
          "MemoryTracking (system.metrics) over max_server_memory_usage (system.server_settings).",
          limit=spec.MEMORY, top=1.0),
    Chart("cpu", "CPU, cores", "used, waiting for CPU, waiting for disk",
          {spec.CPU_CORES: "used", spec.CPU_WAIT_CORES: "CPU wait", spec.IO_WAIT_CORES: "IO wait"},
          "OSCPUVirtualTimeMicroseconds, OSCPUWaitMicroseconds, OSIOWaitMicroseconds of the threads of queries, "
          f"seconds per second. {EVENTS}"),
    Chart("rows", "Rows, per second", "read, inserted, merged",
          {spec.SELECTED_ROWS_RATE: "read", spec.INSERTED_ROWS_RATE: "inserted", spec.MERGED_ROWS_RATE: "merged"},
          f"SelectedRows, InsertedRows, MergedRows. {EVENTS}"),
    Chart("bytes", "Bytes per second", "read by queries, inserted, read from disk",
          {spec.SELECTED_BYTES_RATE: "read", spec.INSERTED_BYTES_RATE: "inserted", spec.DISK_READ_RATE: "disk"},
          f"SelectedBytes and InsertedBytes (uncompressed), OSReadBytes (from the disk itself). {EVENTS}"),
    Chart("parts", "Parts in the fullest partition", "", {spec.MOST_PARTS: ""},
          f"Source: {spec.MOST_PARTS_OF_ALL} of system.asynchronous_metrics; in our own engine counted in "
          f"system.parts. Warning from {number(spec.PARTS.warning)}, cleared at {number(spec.PARTS_CLEARED)}; inserts "
          f"are delayed from {spec.DELAYED_PARTS_SETTING} (default {number(spec.DELAYED_PARTS)}).",
          limit=spec.PARTS, limit_words=("warning", "delayed")),
    Chart("inserts", "Inserts delayed and rejected, per second", "too many parts",
          {spec.DELAYED_INSERTS_RATE: "delayed", spec.REJECTED_INSERTS_RATE: "rejected"},
          f"DelayedInserts, RejectedInserts. A delayed insert is a warning, a rejected one critical. {EVENTS}"),
    Chart("disk", "Disk used, %", "by disk", {spec.DISK_USED_RATIO: ""},
          "Used over used and available, as df has it; of a server, which does not tell what it uses, 1 − "
          "free_space / total_space: there the share kept for root counts as used. Source: system.disks, every 30 s.",
          label="disk", limit=spec.DISK, top=1.0),
    Chart("ping", "Ping, latency", f"median of {spec.PINGS_JUDGED}, median and p99 of 120 readings",
          {spec.PING_JUDGED: f"median of {spec.PINGS_JUDGED}", spec.PING_P50: "p50", spec.PING_P99: "p99"},
          "Time to the answer to GET /ping; in our own engine to SELECT 1. "
          f"{limit_text(spec.PING, 'seconds')}, median of {spec.PINGS_JUDGED} readings.",
          limits={f"median of {spec.PINGS_JUDGED}": spec.PING}),
    Chart("size", "Largest tables, bytes on disk", "", {spec.TABLE_BYTES: ""},
          "Source: sum(bytes_on_disk) FROM system.parts WHERE active, every minute.", label="table"),
    Chart("connections", "Connections and threads, count", "",
          {spec.TCP_CONNECTIONS: "TCP", spec.HTTP_CONNECTIONS: "HTTP", spec.THREADS_ACTIVE: "threads"},
          f"TCPConnection, HTTPConnection, GlobalThreadActive. {METRICS} Our own engine has no connections."),
    Chart("delay", "Replication delay", "the replica furthest behind", {spec.REPLICA_DELAY_MAX: ""},
          "Source: SELECT max(absolute_delay) FROM system.replicas, every minute. "
          f"{limit_text(spec.REPLICA_DELAY, 'seconds')}, cleared at {duration(spec.REPLICA_DELAY_CLEARED)}.",
          limit=spec.REPLICA_DELAY),
)  # fmt: skip
