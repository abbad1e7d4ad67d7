"""The charts of RabbitMQ."""

from __future__ import annotations

from core.kinds.rabbitmq import spec
from dashboard.sources.charts import Chart

OVERVIEW = f"Source: GET {spec.OVERVIEW}; rates as RabbitMQ reports them, from its own samples of 5 s."
NODES = f"GET {spec.NODES}."
QUEUES = f"GET {spec.QUEUES}, the {spec.MOST_QUEUES} with most messages."

CHARTS = (
    Chart("messages", "Messages held", "all queues", {spec.READY: "ready", spec.UNACKED: "unacked"},
          f"Ready: not yet delivered. Unacked: delivered and not acknowledged. queue_totals. {OVERVIEW}"),
    Chart("rates", "Messages, per second", "",
          {spec.PUBLISHED_RATE: "published", spec.DELIVERED_RATE: "delivered",
           spec.ACKNOWLEDGED_RATE: "acknowledged", spec.REDELIVERED_RATE: "redelivered"},
          f"publish, deliver_get, ack, redeliver of message_stats. {OVERVIEW}"),
    Chart("ready", "Messages ready, by queue", "not yet delivered", {spec.QUEUE_READY: ""}, f"Source: {QUEUES}",
          label="queue"),
    Chart("memory", "Memory of nodes, % of limit", "at 100 % publishers are blocked", {spec.NODE_MEMORY_RATIO: ""},
          f"mem_used over mem_limit. Source: {NODES}", label="node", limit=spec.MEMORY,
          limit_words=("warning", "alarm")),
    Chart("disk", "Disk free", "by node", {spec.NODE_DISK_FREE: ""},
          f"disk_free; the alarm is at disk_free_limit, in the table. Source: {NODES}", label="node"),
    Chart("clients", "Connections and channels", "",
          {spec.CONNECTIONS: "connections", spec.CHANNELS: "channels", spec.CONSUMERS: "consumers"},
          f"object_totals. {OVERVIEW}"),
)  # fmt: skip
