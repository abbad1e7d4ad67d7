"""What is measured of a RabbitMQ: its metrics, the rows of its tables, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a cluster is judged by."""

    NODES = "nodes"
    MEMORY = "memory"
    DISK = "disk"
    LIMITS = "limits"
    QUEUES = "queues"
    OLDEST = "oldest"
    REDELIVERED = "redelivered"
    VHOSTS = "vhosts"


OVERVIEW, NODES, QUEUES, VHOSTS = "/api/overview", "/api/nodes", "/api/queues", "/api/vhosts"
"""What the management API is asked."""
MOST_QUEUES = 100
"""Queues that are read: those with most messages."""

MEMORY = Limit(0.80, 1.00)
"""Used memory of a node over mem_limit; at 1 it blocks publishers."""
DISK_TIMES = Limit(2.0, is_floor=True)
"""Free disk of a node over disk_free_limit; at 1 it blocks publishers, and says so by an alarm."""
NODE_LIMITS = Limit(0.80, 0.95)
"""File descriptors, sockets and Erlang processes of a node over what it may have."""
REDELIVERED = Limit(0.01)
"""Deliveries that are not the first, over all."""
REDELIVERED_LEAST_PER_SECOND = 0.1
"""Fewer mean nothing."""
QUEUE_WARNING_SECONDS, QUEUE_CRITICAL_SECONDS = 60.0, 600.0
"""Age of the oldest message of a queue in seconds, unless the source says otherwise."""
UNREAD_SECONDS = 30.0
"""A queue with messages and no consumer for longer is a warning, unless the source says otherwise."""

BROKEN_STATES = ("crashed", "stopped", "down", "terminated", "stopping")
MINORITY = "minority"

READY = Metric("rabbitmq_messages_ready", "Messages not yet delivered.")
UNACKED = Metric("rabbitmq_messages_unacked", "Messages delivered and not acknowledged.")
CONNECTIONS = Metric("rabbitmq_connections", "Connections.")
CHANNELS = Metric("rabbitmq_channels", "Channels.")
CONSUMERS = Metric("rabbitmq_consumers", "Consumers.")
QUEUE_COUNT = Metric("rabbitmq_queues", "Queues.")
NODES_RUNNING = Metric("rabbitmq_nodes_running", "Nodes that run.")
MEMORY_MAX_RATIO = Metric("rabbitmq_memory_used_ratio_max", "Used memory over its limit, of the fullest node.")
QUEUE_AGE_MAX = Metric("rabbitmq_queue_head_seconds_max", "Age of the oldest message of any queue, in seconds.")
PUBLISHED_RATE = Metric("rabbitmq_published_per_second", "Messages published.")
CONFIRMED_RATE = Metric("rabbitmq_confirmed_per_second", "Messages confirmed to their publishers.")
DELIVERED_RATE = Metric("rabbitmq_delivered_per_second", "Messages delivered to consumers, or fetched.")
ACKNOWLEDGED_RATE = Metric("rabbitmq_acknowledged_per_second", "Messages acknowledged by consumers.")
REDELIVERED_RATE = Metric("rabbitmq_redelivered_per_second", "Deliveries that are not the first of their message.")
RETURNED_RATE = Metric("rabbitmq_returned_per_second", "Unroutable messages returned to their publishers.")
DROPPED_RATE = Metric("rabbitmq_dropped_per_second", "Unroutable messages dropped.")
NODE_MEMORY = Metric("rabbitmq_node_memory_bytes", "mem_used.", "node")
NODE_MEMORY_RATIO = Metric("rabbitmq_node_memory_used_ratio", "mem_used over mem_limit.", "node")
NODE_DISK_FREE = Metric("rabbitmq_node_disk_free_bytes", "disk_free.", "node")
NODE_FILES_RATIO = Metric("rabbitmq_node_files_used_ratio", "fd_used over fd_total.", "node")
NODE_RUN_QUEUE = Metric("rabbitmq_node_run_queue", "Erlang processes that wait for a core.", "node")
QUEUE_READY = Metric("rabbitmq_queue_ready", "Messages of a queue not yet delivered.", "queue")
QUEUE_UNACKED = Metric("rabbitmq_queue_unacked", "Messages of a queue delivered and not acknowledged.", "queue")
QUEUE_HEAD_SECONDS = Metric("rabbitmq_queue_head_seconds", "Age of the oldest message of a queue.", "queue")

RATES = {
    "publish": PUBLISHED_RATE,
    "confirm": CONFIRMED_RATE,
    "deliver_get": DELIVERED_RATE,
    "ack": ACKNOWLEDGED_RATE,
    "redeliver": REDELIVERED_RATE,
    "return_unroutable": RETURNED_RATE,
    "drop_unroutable": DROPPED_RATE,
}
"""The rate of each counter of message_stats."""


@dataclass(frozen=True, slots=True)
class About:
    """What a cluster is."""

    TABLE: ClassVar[str] = "about"

    version: str
    erlang: str
    cluster: str
    node: str
    """The one that answers us."""
    rates_mode: str
    """basic, detailed or none."""
    queues: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node; what a stopped one does not tell is None."""

    TABLE: ClassVar[str] = "nodes"

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

    @property
    def alarms(self) -> str:
        """Its alarms: "memory, disk"."""
        return ", ".join(name for name, is_on in (("memory", self.memory_alarm), ("disk", self.disk_alarm)) if is_on)

    @property
    def memory_ratio(self) -> float | None:
        """Used memory over its limit."""
        return share(self.memory_bytes, self.memory_limit_bytes)

    @property
    def files_ratio(self) -> float | None:
        """Open file descriptors over what it may have."""
        return share(self.files, self.files_limit)

    @property
    def sockets_ratio(self) -> float | None:
        """Open sockets over what it may have."""
        return share(self.sockets, self.sockets_limit)

    @property
    def processes_ratio(self) -> float | None:
        """Erlang processes over what it may have."""
        return share(self.processes, self.processes_limit)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; rates are those that RabbitMQ tells."""

    TABLE: ClassVar[str] = "queues"

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

    @property
    def is_broken(self) -> bool:
        """Whether it does not run."""
        return self.state in BROKEN_STATES

    @property
    def is_minority(self) -> bool:
        """Whether it runs without a majority of its members."""
        if self.is_broken:
            return False
        if self.state == MINORITY:
            return True
        return self.members is not None and self.online is not None and self.online * 2 <= self.members

    @property
    def is_unread(self) -> bool:
        """Whether it holds messages and has no consumer."""
        return bool(self.ready) and self.consumers == 0


def share(part: float | None, whole: float | None) -> float | None:
    """Return part over whole; None when either is not known."""
    return part / whole if part is not None and whole else None
