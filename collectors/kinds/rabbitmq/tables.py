"""What the management API says, as values: nodes, queues, rates; and their tables and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from collectors.base import gauges
from core.model import Sample, Table

RATES = {
    "publish": "rabbitmq_published_per_second",
    "confirm": "rabbitmq_confirmed_per_second",
    "deliver_get": "rabbitmq_delivered_per_second",
    "ack": "rabbitmq_acknowledged_per_second",
    "redeliver": "rabbitmq_redelivered_per_second",
    "return_unroutable": "rabbitmq_returned_per_second",
    "drop_unroutable": "rabbitmq_dropped_per_second",
}
QUEUES_CHARTED, NODES_CHARTED = 8, 8


@dataclass(frozen=True, slots=True)
class Node:
    """A node; what a stopped one does not tell is None."""

    name: str
    running: bool
    memory_bytes: float | None
    memory_limit_bytes: float | None
    memory_alarm: bool
    disk_free_bytes: float | None
    disk_limit_bytes: float | None
    disk_alarm: bool
    files: float | None
    files_limit: float | None
    sockets: float | None
    sockets_limit: float | None
    processes: float | None
    processes_limit: float | None
    run_queue: float | None
    uptime_seconds: float | None
    partitions: str
    """Names of the nodes that it lost sight of."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; rates are those that RabbitMQ tells."""

    queue: str
    type: str
    state: str
    ready: int | None
    unacked: int | None
    consumers: int | None
    utilisation: float | None
    """Share of time in which its consumers could take more."""
    published_per_second: float | None
    delivered_per_second: float | None
    acknowledged_per_second: float | None
    redelivered_per_second: float | None
    memory_bytes: float | None
    head_seconds: float | None
    """Age of the oldest message, when producers stamp theirs."""
    node: str
    online: int | None
    members: int | None
    """Of a replicated queue."""
    policy: str


def nodes_of(content: Any) -> list[Node]:
    """Return the nodes of /api/nodes."""
    return [_node(each) for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _node(said: Mapping[str, Any]) -> Node:
    uptime = number(said.get("uptime"))
    return Node(
        str(said.get("name")),
        said.get("running") is True,
        number(said.get("mem_used")),
        number(said.get("mem_limit")),
        said.get("mem_alarm") is True,
        number(said.get("disk_free")),
        number(said.get("disk_free_limit")),
        said.get("disk_free_alarm") is True,
        number(said.get("fd_used")),
        number(said.get("fd_total")),
        number(said.get("sockets_used")),
        number(said.get("sockets_total")),
        number(said.get("proc_used")),
        number(said.get("proc_total")),
        number(said.get("run_queue")),
        uptime / 1e3 if uptime is not None else None,
        ", ".join(str(each) for each in said.get("partitions") or []),
    )


def queues_of(content: Any, now: float) -> tuple[list[Queue], int]:
    """Return the queues of a page of /api/queues, and how many there are in all."""
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        return [], 0
    found = [_queue(each, now) for each in content["items"] if isinstance(each, dict)]
    return found, int(number(content.get("total_count")) or len(found))


def _queue(said: Mapping[str, Any], now: float) -> Queue:
    vhost, stats = str(said.get("vhost", "/")), said.get("message_stats") or {}
    head = number(said.get("head_message_timestamp"))
    members, online = said.get("members"), said.get("online")
    return Queue(
        str(said.get("name")) if vhost == "/" else f"{vhost}/{said.get('name')}",
        str(said.get("type") or "classic"),
        str(said.get("state") or ""),
        _whole(said.get("messages_ready")),
        _whole(said.get("messages_unacknowledged")),
        _whole(said.get("consumers")),
        number(said.get("consumer_utilisation")),
        rate(stats, "publish"),
        rate(stats, "deliver_get"),
        rate(stats, "ack"),
        rate(stats, "redeliver"),
        number(said.get("memory")),
        max(now - head, 0.0) if head else None,
        str(said.get("node") or said.get("leader") or ""),
        len(online) if isinstance(online, list) else None,
        len(members) if isinstance(members, list) else None,
        str(said.get("policy") or ""),
    )


def rate(stats: Any, name: str) -> float | None:
    """Return a rate that RabbitMQ tells, of its own samples; None when it has none."""
    details = stats.get(f"{name}_details") if isinstance(stats, dict) else None
    return number(details.get("rate")) if isinstance(details, dict) else None


def rates_of(overview: Mapping[str, Any]) -> dict[str, float | None]:
    """Return messages a second; what never happened is 0, unless RabbitMQ measures no rates at all."""
    if overview.get("rates_mode") == "none" or overview.get("disable_stats") is True:
        return {}
    return {metric: rate(overview.get("message_stats"), name) or 0.0 for name, metric in RATES.items()}


def samples(
    name: str, overview: Mapping[str, Any], nodes: Sequence[Node], queues: Sequence[Queue], count: int
) -> list[Sample]:
    """Return the samples of a reading."""
    totals, objects = overview.get("queue_totals") or {}, overview.get("object_totals") or {}
    values: dict[str, float | None] = {
        "rabbitmq_messages_ready": number(totals.get("messages_ready", 0)),
        "rabbitmq_messages_unacked": number(totals.get("messages_unacknowledged", 0)),
        "rabbitmq_connections": number(objects.get("connections")),
        "rabbitmq_channels": number(objects.get("channels")),
        "rabbitmq_consumers": number(objects.get("consumers")),
        "rabbitmq_queues": float(count),
        "rabbitmq_nodes_running": float(sum(each.running for each in nodes)),
        "rabbitmq_memory_used_ratio_max": max(
            (each.memory_bytes / each.memory_limit_bytes
             for each in nodes if each.memory_bytes is not None and each.memory_limit_bytes), default=None,
        ),
        "rabbitmq_queue_head_seconds_max": max((each.head_seconds or 0.0 for each in queues), default=None),
        **rates_of(overview),
    }  # fmt: skip
    found = gauges(values, instance=name)
    for node in nodes[:NODES_CHARTED]:
        of_node = {
            "rabbitmq_node_memory_bytes": node.memory_bytes,
            "rabbitmq_node_memory_used_ratio": share(node.memory_bytes, node.memory_limit_bytes),
            "rabbitmq_node_disk_free_bytes": node.disk_free_bytes,
            "rabbitmq_node_files_used_ratio": share(node.files, node.files_limit),
            "rabbitmq_node_run_queue": node.run_queue,
        }
        found += gauges(of_node, instance=name, node=node.name)
    for queue in queues[:QUEUES_CHARTED]:
        of_queue = {
            "rabbitmq_queue_ready": queue.ready,
            "rabbitmq_queue_unacked": queue.unacked,
            "rabbitmq_queue_head_seconds": queue.head_seconds,
        }
        found += gauges(of_queue, instance=name, queue=queue.queue)
    return found


def tables(nodes: Sequence[Node], queues: Sequence[Queue], about: Mapping[str, Any]) -> list[Table]:
    """Return nodes, queues, and what there is to say of the whole."""
    return [
        Table("nodes", tuple(each.name for each in fields(Node)), tuple(astuple(each) for each in nodes)),
        Table("queues", tuple(each.name for each in fields(Queue)), tuple(astuple(each) for each in queues)),
        Table("about", tuple(about), (tuple(about.values()),)),
    ]


def share(part: float | None, whole: float | None) -> float | None:
    """Return part over whole; None when either is not known."""
    return part / whole if part is not None and whole else None


def number(value: Any) -> float | None:
    """Return a number as one; RabbitMQ says "" or "not_set" for what it does not know."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
