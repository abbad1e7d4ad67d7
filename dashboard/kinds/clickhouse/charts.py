"""The charts of ClickHouse in the database tab."""

from __future__ import annotations

from dashboard.sources.charts import Chart

KINDS = ("clickhouse",)
EVENTS = "Source: SELECT event, value FROM system.events; a difference between readings."
METRICS = "Source: SELECT metric, value FROM system.metrics."

CHARTS = (
    Chart("clickhouse-queries", "Queries, per second", "asked and failed",
          {"clickhouse_select_queries_per_second": "select", "clickhouse_insert_queries_per_second": "insert",
           "clickhouse_failed_queries_per_second": "failed"}, "/s",
          f"SelectQuery, InsertQuery, FailedQuery a second. {EVENTS}", kinds=KINDS),
    Chart("clickhouse-time", "Query time, mean", "of the queries of each interval",
          {"clickhouse_select_query_mean_seconds": "select", "clickhouse_insert_query_mean_seconds": "insert"},
          "seconds",
          f"SelectQueryTimeMicroseconds over SelectQuery, the same of InsertQuery; none without queries. {EVENTS}",
          kinds=KINDS),
    Chart("clickhouse-running-count", "Running, count", "queries, merges, mutations",
          {"clickhouse_queries_running": "queries", "clickhouse_merges_running": "merges",
           "clickhouse_mutations_running": "mutations"}, "count",
          f"Query (without our own), Merge, PartMutation at the moment of the reading. {METRICS}", kinds=KINDS),
    Chart("clickhouse-longest", "Longest running query", "its time so far", {"clickhouse_longest_query_seconds": ""},
          "seconds", "Source: SELECT max(elapsed) FROM system.processes. Warning from 10 min, cleared at 5 min.",
          limits=((600.0, "warning 10 min", "@warning"),), kinds=KINDS),
    Chart("clickhouse-memory", "Memory, % of limit", "tracked, of max_server_memory_usage",
          {"clickhouse_memory_used_ratio": ""}, "ratio",
          "MemoryTracking (system.metrics) over max_server_memory_usage (system.server_settings).",
          limits=((0.8, "warning 80 %", "@warning"), (0.9, "critical 90 %", "@critical")), top=1.0, kinds=KINDS),
    Chart("clickhouse-cpu", "CPU, cores", "used, waiting for CPU, waiting for disk",
          {"clickhouse_cpu_cores": "used", "clickhouse_cpu_wait_cores": "CPU wait",
           "clickhouse_io_wait_cores": "IO wait"}, "count",
          "OSCPUVirtualTimeMicroseconds, OSCPUWaitMicroseconds, OSIOWaitMicroseconds of the threads of queries, "
          f"seconds a second. {EVENTS}", kinds=KINDS),
    Chart("clickhouse-rows", "Rows, per second", "read, inserted, merged",
          {"clickhouse_selected_rows_per_second": "read", "clickhouse_inserted_rows_per_second": "inserted",
           "clickhouse_merged_rows_per_second": "merged"}, "/s",
          f"SelectedRows, InsertedRows, MergedRows a second. {EVENTS}", kinds=KINDS),
    Chart("clickhouse-bytes", "Bytes a second", "read by queries, inserted, from disk",
          {"clickhouse_selected_bytes_per_second": "read", "clickhouse_inserted_bytes_per_second": "inserted",
           "clickhouse_disk_read_bytes_per_second": "disk"}, "bytes/s",
          f"SelectedBytes and InsertedBytes (uncompressed), OSReadBytes (from the disk itself). {EVENTS}", kinds=KINDS),
    Chart("clickhouse-parts", "Parts in the fullest partition", "", {"clickhouse_parts_per_partition_max": ""}, "count",
          "Source: MaxPartCountForPartition of system.asynchronous_metrics; in our own engine counted in system.parts. "
          "Warning above 300, cleared at 200; inserts are slowed from parts_to_delay_insert (usually 1,000).",
          limits=((300.0, "warning 300", "@warning"), (1_000.0, "slowed 1,000", "@critical")), kinds=KINDS),
    Chart("clickhouse-inserts", "Inserts slowed and refused, per second", "too many parts",
          {"clickhouse_delayed_inserts_per_second": "slowed", "clickhouse_rejected_inserts_per_second": "refused"},
          "/s", f"DelayedInserts, RejectedInserts a second; any is told. {EVENTS}", kinds=KINDS),
    Chart("clickhouse-disk", "Disk used, %", "by disk", {"clickhouse_disk_used_ratio": ""}, "ratio",
          "1 − free_space / total_space. Source: system.disks, each 30 s.", label="disk",
          limits=((0.9, "warning 90 %", "@warning"), (0.98, "critical 98 %", "@critical")), top=1.0, kinds=KINDS),
    Chart("clickhouse-ping", "Ping, latency", "median and p99 of 120 readings",
          {"clickhouse_ping_p50_seconds": "p50", "clickhouse_ping_p99_seconds": "p99"}, "seconds",
          "Time to the answer to GET /ping; in our own engine to SELECT 1. Warning when the median of twelve is above.",
          limits=((0.1, "warning 100 ms", "@warning"),), kinds=KINDS),
    Chart("clickhouse-size", "Largest tables, bytes on disk", "", {"clickhouse_table_bytes": ""}, "bytes",
          "Source: sum(bytes_on_disk) FROM system.parts WHERE active, each minute.", label="table", kinds=KINDS),
    Chart("clickhouse-connections", "Connections and threads, count", "",
          {"clickhouse_tcp_connections": "TCP", "clickhouse_http_connections": "HTTP",
           "clickhouse_threads_active": "threads"}, "count",
          f"TCPConnection, HTTPConnection, GlobalThreadActive. {METRICS} Our own engine has no connections.",
          kinds=KINDS),
    Chart("clickhouse-delay", "Replication delay", "the replica furthest behind",
          {"clickhouse_replica_delay_max_seconds": ""}, "seconds",
          "Source: SELECT max(absolute_delay) FROM system.replicas, each minute. Warning from 300 s, cleared at 250 s.",
          limits=((300.0, "warning 5 min", "@warning"),), kinds=KINDS),
)  # fmt: skip
