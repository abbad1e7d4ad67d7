"""RabbitMQ on the pipeline tab: nodes, alarms, queues, rates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, duration, number, percent, tenths
from core.limits import Limit
from dashboard.sources.charts import Chart
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import Instance, Row
from storage.clickhouse.reads.sources import SourceSeries

KIND = "rabbitmq"
KINDS = (KIND,)
OVERVIEW = "Source: GET /api/overview; rates as RabbitMQ tells them, of its own samples of 5 s."
NODES = "Source: GET /api/nodes."
QUEUES = "Source: GET /api/queues, the 100 with most messages."
HEAD = "Now less head_message_timestamp; only when producers stamp their messages."

CHARTS = (
    Chart("rabbitmq-messages", "Messages held", "all queues",
          {"rabbitmq_messages_ready": "ready", "rabbitmq_messages_unacked": "unacked"},
          f"Ready: not yet delivered. Unacked: delivered and not acknowledged. queue_totals. {OVERVIEW}"),
    Chart("rabbitmq-rates", "Messages, per second", "",
          {"rabbitmq_published_per_second": "published", "rabbitmq_delivered_per_second": "delivered",
           "rabbitmq_acknowledged_per_second": "acknowledged", "rabbitmq_redelivered_per_second": "redelivered"},
          f"publish, deliver_get, ack, redeliver of message_stats. {OVERVIEW}"),
    Chart("rabbitmq-ready", "Messages ready, by queue", "not yet delivered", {"rabbitmq_queue_ready": ""},
          QUEUES, label="queue"),
    Chart("rabbitmq-memory", "Memory of nodes, % of limit", "at 100 % publishers are blocked",
          {"rabbitmq_node_memory_used_ratio": ""}, f"mem_used over mem_limit. {NODES}", label="node",
          limit=Limit(0.8, 1.0), limit_words=("warning", "alarm")),
    Chart("rabbitmq-disk", "Disk free", "by node", {"rabbitmq_node_disk_free_bytes": ""},
          f"disk_free; the alarm is at disk_free_limit, in the table. {NODES}", label="node"),
    Chart("rabbitmq-clients", "Connections and channels", "",
          {"rabbitmq_connections": "connections", "rabbitmq_channels": "channels", "rabbitmq_consumers": "consumers"},
          f"object_totals. {OVERVIEW}"),
)  # fmt: skip


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each cluster, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _card, _details)


def _card(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        number(instance.value("rabbitmq_messages_ready")),
        "ready",
        bar_ratio=instance.value("rabbitmq_memory_used_ratio_max"),
        spark=series.one("rabbitmq_messages_ready", instance=instance.name),
        definition=f"Messages not yet delivered; the bar is the fullest node's memory against its limit. {OVERVIEW}",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    def spark(metric: str) -> Any:
        return series.one(metric, instance=instance.name)

    value = instance.value
    return [
        detail_card(instance, "nodes", "RabbitMQ nodes", number(value("rabbitmq_nodes_running")), "running",
                    definition=f"Critical when one does not run, or does not see another. {NODES}"),
        detail_card(instance, "memory", "RabbitMQ memory", percent(value("rabbitmq_memory_used_ratio_max")),
                    definition="Of the fullest node. Warning 80 % of mem_limit, critical with mem_alarm: publishers "
                    f"are blocked then. {NODES}"),
        detail_card(instance, "disk", "RabbitMQ disk", bytes_(_least_free(instance)), "free",
                    definition="Of the node with least. Warning below twice disk_free_limit, critical with "
                    f"disk_free_alarm. {NODES}"),
        detail_card(instance, "queues", "RabbitMQ queues", number(value("rabbitmq_queues")),
                    spark=spark("rabbitmq_messages_ready"),
                    definition="Critical when one crashed or stopped; warning without a majority of its members, or "
                    f"with messages and no consumer for a while (unread_seconds). {QUEUES}"),
        detail_card(instance, "oldest", "RabbitMQ oldest", duration(value("rabbitmq_queue_head_seconds_max")),
                    spark=spark("rabbitmq_queue_head_seconds_max"), definition=f"{HEAD} {QUEUES}"),
        detail_card(instance, "redelivered", "RabbitMQ repeated", tenths(value("rabbitmq_redelivered_per_second")),
                    "/s", definition=f"Deliveries that are not the first. Warning above 1 % of all. {OVERVIEW}"),
    ]  # fmt: skip


def _least_free(instance: Instance) -> float | None:
    rows = instance.dicts("nodes") if instance.check("disk") else []
    return min((row["disk_free_bytes"] for row in rows if row["disk_free_bytes"] is not None), default=None)


def nodes(shown: Shown) -> html.Div:
    """Return the nodes, those in trouble first."""
    fields = (
        words("name", "Node"),
        words("state", "State", "running", lambda row: "ok" if row["running"] else "critical"),
        words("alarms", "Alarms", "While one lasts, publishers are blocked: mem_alarm, disk_free_alarm", _critical),
        words("partitions", "Does not see", "Network partitions", lambda row: "critical" if row["partitions"] else ""),
        Field("memory_bytes", "Memory", bytes_, "mem_used"),
        Field("memory_limit_bytes", "of", bytes_, "mem_limit"),
        Field("disk_free_bytes", "Disk free", bytes_, "disk_free"),
        Field("disk_limit_bytes", "alarm at", bytes_, "disk_free_limit"),
        Field("files_ratio", "Files", percent, "fd_used over fd_total", partial(_full, "files_ratio")),
        Field("sockets_ratio", "Sockets", percent, "sockets_used over sockets_total", partial(_full, "sockets_ratio")),
        Field("processes_ratio", "Processes", percent, "Of Erlang: proc_used over proc_total",
              partial(_full, "processes_ratio")),
        Field("run_queue", "Run queue", number, "Erlang processes that wait for a core"),
        Field("uptime_seconds", "Up", duration),
    )  # fmt: skip
    rows = [_node(row) for row in source_rows(shown.chosen, "nodes")]
    rows.sort(key=lambda row: (row["running"] and not row["alarms"], row["name"]))
    return source_table("rabbitmq-nodes-rows", fields, rows, caption="Nodes", nothing="No node is known yet.")


def _node(row: Row) -> Row:
    alarms = [name for name, key in (("memory", "memory_alarm"), ("disk", "disk_alarm")) if row[key]]
    ratios = {
        f"{name}_ratio": row[name] / row[f"{name}_limit"] if row[name] is not None and row[f"{name}_limit"] else None
        for name in ("files", "sockets", "processes")
    }
    return {**row, **ratios, "state": "running" if row["running"] else "not running", "alarms": ", ".join(alarms)}


def _critical(row: Row) -> str:
    return "critical" if row["alarms"] else ""


def _full(key: str, row: Row) -> str:
    share = row[key] or 0.0
    return "critical" if share >= 0.95 else "warning" if share >= 0.8 else ""


def queues(shown: Shown) -> html.Div:
    """Return the queues, those with most messages first."""
    fields = (
        words("queue", "Queue"),
        words("type", "Type"),
        words("state", "State", tone=lambda row: "" if row["state"] in ("running", "idle", "flow", "") else "critical"),
        Field("ready", "Ready", number, "Not yet delivered"),
        Field("unacked", "Unacked", number, "Delivered and not acknowledged"),
        Field("consumers", "Consumers", number, "", _alone),
        Field("utilisation", "Ready to take", percent, "consumer_utilisation: share of time its consumers could take"),
        Field("published_per_second", "In /s", tenths),
        Field("delivered_per_second", "Out /s", tenths),
        Field("acknowledged_per_second", "Acked /s", tenths),
        Field("redelivered_per_second", "Repeated /s", tenths),
        Field("head_seconds", "Oldest", duration, HEAD),
        Field("memory_bytes", "Memory", bytes_),
        words("replicas", "Members", "Online of all, of a replicated queue", _few),
        words("node", "Node"),
        words("policy", "Policy"),
    )
    rows = [{**row, "replicas": _members(row)} for row in source_rows(shown.chosen, "queues")]
    return source_table("rabbitmq-queues-rows", fields, rows, caption="Queues", nothing="There is no queue.")


def _members(row: Row) -> str:
    return f"{row['online']} of {row['members']}" if row["members"] and row["online"] is not None else ""


def _alone(row: Row) -> str:
    return "warning" if row["ready"] and row["consumers"] == 0 else ""


def _few(row: Row) -> str:
    return "warning" if row["members"] and row["online"] is not None and row["online"] * 2 <= row["members"] else ""


SECTION = old_section(
    KIND,
    CHARTS,
    cards,
    {"rabbitmq-nodes": nodes, "rabbitmq-queues": queues},
    (
        OldPanel("rabbitmq-nodes", "Nodes", "in trouble first", 12, NODES.removeprefix("Source: ")),
        OldPanel("rabbitmq-queues", "RabbitMQ queues", "most messages first", 12, QUEUES.removeprefix("Source: "),
                   "rabbitmq-queues-rows"),
    ),
    metrics=("rabbitmq_queue_head_seconds_max",),
)  # fmt: skip
