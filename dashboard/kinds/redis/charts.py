"""The charts of Redis."""

from __future__ import annotations

from core.kinds.redis import spec
from dashboard.sources.charts import Chart

INFO = "Source: INFO ALL."

CHARTS = (
    Chart("memory", "Memory, % of limit", "its own limit, or the machine's memory", {spec.MEMORY_USED_RATIO: ""},
          f"used_memory over maxmemory; without a limit over the machine's memory. {INFO}",
          limit=spec.MEMORY, top=1.0),
    Chart("hits", "Hit rate, %", "of look-ups in each interval", {spec.HIT_RATIO: ""},
          f"keyspace_hits over hits and misses, as differences between readings; none without look-ups. {INFO}",
          top=1.0),
    Chart("ops", "Commands, per second", "", {spec.COMMANDS_RATE: ""},
          f"Difference of total_commands_processed. {INFO}"),
    Chart("ping", "PING, latency", "shortest of 3, median and p99 of 120 readings",
          {spec.PING_JUDGED: "shortest of 3", spec.PING_P50: "p50", spec.PING_P99: "p99"},
          "Time from sending PING to its answer, once a reading. The line says from where on the shortest of the last "
          "three is a warning; a single slow answer is none.", limits={"shortest of 3": spec.PING}),
    Chart("traffic", "Network, bytes a second", "in and out",
          {spec.RECEIVE_RATE: "in", spec.TRANSMIT_RATE: "out"},
          f"Differences of total_net_input_bytes and total_net_output_bytes. {INFO}"),
    Chart("lost", "Keys evicted and expired, per second", "",
          {spec.EVICTED_RATE: "evicted", spec.EXPIRED_RATE: "expired"},
          f"Differences of evicted_keys and expired_keys. {INFO}"),
    Chart("used", "Memory, bytes", "used, resident, data",
          {spec.MEMORY_USED: "used", spec.MEMORY_RESIDENT: "resident",
           spec.MEMORY_DATASET: "data"},
          f"used_memory, used_memory_rss, used_memory_dataset. {INFO}"),
    Chart("clients", "Clients", "connected and blocked", {spec.CLIENTS_CONNECTED: "", spec.CLIENTS_BLOCKED: "blocked"},
          f"connected_clients and blocked_clients. {INFO}"),
    Chart("keys", "Keys", "by database", {spec.KEYS: ""}, "Source: INFO keyspace.", label="db"),
    Chart("latency", "Command latency, p99", "commands that took most time", {spec.COMMAND_P99: ""},
          "p99 since the server started or was reset. Source: INFO latencystats (Redis 7 and newer).",
          label="command"),
    Chart("errors", "Errors, per second", "answered to clients", {spec.ERRORS_RATE: ""},
          f"Difference of total_error_replies. {INFO}"),
    Chart("lag", "Stream lag, entries", "consumer groups", {spec.STREAM_LAG: ""},
          "Entries not yet delivered to a group. Source: XINFO GROUPS.", label="group"),
)  # fmt: skip
