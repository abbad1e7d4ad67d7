"""What the management API says, as rows: nodes, queues; rates; and the samples of a reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.base import gauges
from core.kinds.rabbitmq import spec
from core.kinds.rabbitmq.spec import Node, Queue
from core.metrics import Metric
from core.model import Sample

QUEUES_CHARTED, NODES_CHARTED = 8, 8


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster answered at one reading."""

    overview: Mapping[str, Any]
    nodes: Sequence[Node]
    queues: Sequence[Queue]
    """Those with most messages."""
    queue_count: int
    """All of them."""
    vhosts: Any
    """The newest answer of /api/vhosts."""

    @property
    def rates(self) -> dict[Metric, float | None]:
        """Messages a second; what never happened is 0, unless RabbitMQ measures no rates at all."""
        if self.overview.get("rates_mode") == "none" or self.overview.get("disable_stats") is True:
            return {}
        stats = self.overview.get("message_stats")
        return {metric: _rate(stats, name) or 0.0 for name, metric in spec.RATES.items()}

    @property
    def about(self) -> spec.About:
        """What the cluster is."""
        return spec.About(
            version=str(self.overview["rabbitmq_version"]),
            erlang=str(self.overview.get("erlang_version") or ""),
            cluster=str(self.overview.get("cluster_name") or ""),
            node=str(self.overview.get("node") or ""),
            rates_mode=str(self.overview.get("rates_mode") or ""),
            queues=self.queue_count,
        )


def nodes_of(content: Any) -> list[Node]:
    """Return the nodes of /api/nodes."""
    return [_node(each) for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _node(said: Mapping[str, Any]) -> Node:
    uptime = _number(said.get("uptime"))
    return Node(
        name=str(said.get("name")),
        running=said.get("running") is True,
        memory_bytes=_number(said.get("mem_used")),
        memory_limit_bytes=_number(said.get("mem_limit")),
        memory_alarm=said.get("mem_alarm") is True,
        disk_free_bytes=_number(said.get("disk_free")),
        disk_limit_bytes=_number(said.get("disk_free_limit")),
        disk_alarm=said.get("disk_free_alarm") is True,
        files=_number(said.get("fd_used")),
        files_limit=_number(said.get("fd_total")),
        sockets=_number(said.get("sockets_used")),
        sockets_limit=_number(said.get("sockets_total")),
        processes=_number(said.get("proc_used")),
        processes_limit=_number(said.get("proc_total")),
        run_queue=_number(said.get("run_queue")),
        uptime_seconds=uptime / 1e3 if uptime is not None else None,
        partitions=", ".join(str(each) for each in said.get("partitions") or []),
    )


def queues_of(content: Any, now: float) -> tuple[list[Queue], int]:
    """Return the queues of a page of /api/queues, and how many there are in all."""
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        return [], 0
    found = [_queue(each, now) for each in content["items"] if isinstance(each, dict)]
    return found, int(_number(content.get("total_count")) or len(found))


def _queue(said: Mapping[str, Any], now: float) -> Queue:
    vhost, stats = str(said.get("vhost", "/")), said.get("message_stats") or {}
    head = _number(said.get("head_message_timestamp"))
    members, online = said.get("members"), said.get("online")
    return Queue(
        queue=str(said.get("name")) if vhost == "/" else f"{vhost}/{said.get('name')}",
        type=str(said.get("type") or "classic"),
        state=str(said.get("state") or ""),
        ready=_whole(said.get("messages_ready")),
        unacked=_whole(said.get("messages_unacknowledged")),
        consumers=_whole(said.get("consumers")),
        utilisation=_number(said.get("consumer_utilisation")),
        published_per_second=_rate(stats, "publish"),
        delivered_per_second=_rate(stats, "deliver_get"),
        acknowledged_per_second=_rate(stats, "ack"),
        redelivered_per_second=_rate(stats, "redeliver"),
        memory_bytes=_number(said.get("memory")),
        head_seconds=max(now - head, 0.0) if head else None,
        node=str(said.get("node") or said.get("leader") or ""),
        online=len(online) if isinstance(online, list) else None,
        members=len(members) if isinstance(members, list) else None,
        policy=str(said.get("policy") or ""),
    )


def samples(instance: str, cluster: Cluster) -> list[Sample]:
    """Return the samples of a reading."""
    totals = cluster.overview.get("queue_totals") or {}
    objects = cluster.overview.get("object_totals") or {}
    memory = [each.memory_ratio for each in cluster.nodes if each.memory_ratio is not None]
    values: dict[Metric, float | None] = {
        spec.READY: _number(totals.get("messages_ready", 0)),
        spec.UNACKED: _number(totals.get("messages_unacknowledged", 0)),
        spec.CONNECTIONS: _number(objects.get("connections")),
        spec.CHANNELS: _number(objects.get("channels")),
        spec.CONSUMERS: _number(objects.get("consumers")),
        spec.QUEUE_COUNT: float(cluster.queue_count),
        spec.NODES_RUNNING: float(sum(each.running for each in cluster.nodes)),
        spec.MEMORY_MAX_RATIO: max(memory, default=None),
        spec.QUEUE_AGE_MAX: max((each.head_seconds or 0.0 for each in cluster.queues), default=None),
        **cluster.rates,
    }
    found = gauges(values, instance=instance)
    for node in cluster.nodes[:NODES_CHARTED]:
        of_node = {
            spec.NODE_MEMORY: node.memory_bytes,
            spec.NODE_MEMORY_RATIO: node.memory_ratio,
            spec.NODE_DISK_FREE: node.disk_free_bytes,
            spec.NODE_FILES_RATIO: node.files_ratio,
            spec.NODE_RUN_QUEUE: node.run_queue,
        }
        found += gauges(of_node, instance=instance, node=node.name)
    for queue in cluster.queues[:QUEUES_CHARTED]:
        of_queue = {
            spec.QUEUE_READY: queue.ready,
            spec.QUEUE_UNACKED: queue.unacked,
            spec.QUEUE_HEAD_SECONDS: queue.head_seconds,
        }
        found += gauges(of_queue, instance=instance, queue=queue.queue)
    return found


def _rate(stats: Any, name: str) -> float | None:
    """Return a rate that RabbitMQ tells, of its own samples; None when it has none."""
    details = stats.get(f"{name}_details") if isinstance(stats, dict) else None
    return _number(details.get("rate")) if isinstance(details, dict) else None


def _number(value: Any) -> float | None:
    """Return a number as one; RabbitMQ says "" or "not_set" for what it does not know."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
