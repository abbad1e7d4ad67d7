"""The charts of the cache tab."""

from __future__ import annotations

from core.limits import Limit
from dashboard.sources.charts import Chart

INFO = "Source: INFO ALL."

CHARTS = (
    Chart("memory", "Memory, % of limit", "its own limit, or the machine's memory", {"redis_memory_used_ratio": ""},
          f"used_memory over maxmemory; without a limit over the machine's memory. {INFO}",
          limit=Limit(0.8, 0.9), top=1.0),
    Chart("hits", "Hit rate, %", "of look-ups in each interval", {"redis_hit_ratio": ""},
          f"keyspace_hits over hits and misses, as differences between readings; none without look-ups. {INFO}",
          top=1.0),
    Chart("ops", "Commands, per second", "", {"redis_commands_per_second": ""},
          f"Difference of total_commands_processed. {INFO}"),
    Chart("ping", "PING, latency", "median and p99 of 120 readings",
          {"redis_ping_p50_seconds": "p50", "redis_ping_p99_seconds": "p99"},
          "Time from sending PING to its answer, once a reading.", limit=Limit(0.1)),
    Chart("traffic", "Network, bytes a second", "in and out",
          {"redis_receive_bytes_per_second": "in", "redis_transmit_bytes_per_second": "out"},
          f"Differences of total_net_input_bytes and total_net_output_bytes. {INFO}"),
    Chart("lost", "Keys evicted and expired, per second", "",
          {"redis_evicted_keys_per_second": "evicted", "redis_expired_keys_per_second": "expired"},
          f"Differences of evicted_keys and expired_keys. {INFO}"),
    Chart("used", "Memory, bytes", "used, resident, data",
          {"redis_memory_used_bytes": "used", "redis_memory_resident_bytes": "resident",
           "redis_memory_dataset_bytes": "data"},
          f"used_memory, used_memory_rss, used_memory_dataset. {INFO}"),
    Chart("clients", "Clients", "connected and blocked", {"redis_clients": "", "redis_clients_blocked": "blocked"},
          f"connected_clients and blocked_clients. {INFO}"),
    Chart("keys", "Keys", "by database", {"redis_keys": ""}, "Source: INFO keyspace.", label="db"),
    Chart("latency", "Command latency, p99", "commands that took most time", {"redis_command_p99_seconds": ""},
          "p99 since the server started or was reset. Source: INFO latencystats (Redis 7 and newer).",
          label="command"),
    Chart("errors", "Errors, per second", "answered to clients", {"redis_errors_per_second": ""},
          f"Difference of total_error_replies. {INFO}"),
    Chart("lag", "Stream lag, entries", "consumer groups", {"redis_stream_lag": ""},
          "Entries not yet delivered to a group. Source: XINFO GROUPS.", label="group"),
)  # fmt: skip
