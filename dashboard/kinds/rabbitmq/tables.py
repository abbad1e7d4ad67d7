"""The tables of RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable

from core.format import bytes_, duration, number, percent, tenths
from core.kinds.rabbitmq import spec
from core.model import Status
from dashboard.sources.facts import Fact
from dashboard.sources.table import Field, Rows, words

HEAD = "Now less head_message_timestamp; only when producers stamp their messages."


def _node_state(row: spec.Node) -> str:
    return "running" if row.running else "not running"


def _node_tone(row: spec.Node) -> str:
    return "ok" if row.running else "critical"


def _alarmed(row: spec.Node) -> str:
    return "critical" if row.alarms else ""


def _parted(row: spec.Node) -> str:
    return "critical" if row.partitions else ""


def _full(ratio: Callable[[spec.Node], float | None]) -> Callable[[spec.Node], str]:
    """Return the tone of a ratio of a node."""

    def tone(row: spec.Node) -> str:
        status = spec.NODE_LIMITS.status(ratio(row) or 0.0)
        return "" if status is Status.OK else status.value

    return tone


def _node_order(row: spec.Node) -> tuple[bool, str]:
    return row.running and not row.alarms, row.name


NODES = Rows(
    spec.Node,
    (
        words("name", "Node"),
        words("state", "State", "running", _node_tone, _node_state),
        words("alarms", "Alarms", "While one lasts, publishers are blocked: mem_alarm, disk_free_alarm", _alarmed),
        words("partitions", "Does not see", "Network partitions", _parted),
        Field("memory_bytes", "Memory", bytes_, "mem_used"),
        Field("memory_limit_bytes", "of", bytes_, "mem_limit"),
        Field("disk_free_bytes", "Disk free", bytes_, "disk_free"),
        Field("disk_limit_bytes", "alarm at", bytes_, "disk_free_limit"),
        Field("files_ratio", "Files", percent, "fd_used over fd_total", _full(lambda row: row.files_ratio)),
        Field("sockets_ratio", "Sockets", percent, "sockets_used over sockets_total",
              _full(lambda row: row.sockets_ratio)),
        Field("processes_ratio", "Processes", percent, "Of Erlang: proc_used over proc_total",
              _full(lambda row: row.processes_ratio)),
        Field("run_queue", "Run queue", number, "Erlang processes that wait for a core"),
        Field("uptime_seconds", "Up", duration),
    ),
    nothing="No node is known yet.",
    sort=_node_order,
)  # fmt: skip


def _queue_tone(row: spec.Queue) -> str:
    if row.is_broken:
        return "critical"
    return "warning" if row.state == spec.MINORITY else ""


def _unread(row: spec.Queue) -> str:
    return "warning" if row.is_unread else ""


def _members(row: spec.Queue) -> str:
    return f"{row.online} of {row.members}" if row.members and row.online is not None else ""


def _minority(row: spec.Queue) -> str:
    return "warning" if row.is_minority else ""


QUEUES = Rows(
    spec.Queue,
    (
        words("queue", "Queue"),
        words("type", "Type"),
        words("state", "State", tone=_queue_tone),
        Field("ready", "Ready", number, "Not yet delivered"),
        Field("unacked", "Unacked", number, "Delivered and not acknowledged"),
        Field("consumers", "Consumers", number, "", _unread),
        Field("utilisation", "Consumer capacity", percent,
              "consumer_utilisation: share of time in which its consumers could take messages"),
        Field("published_per_second", "In /s", tenths),
        Field("delivered_per_second", "Out /s", tenths),
        Field("acknowledged_per_second", "Acked /s", tenths),
        Field("redelivered_per_second", "Redelivered /s", tenths),
        Field("head_seconds", "Oldest", duration, HEAD),
        Field("memory_bytes", "Memory", bytes_),
        words("replicas", "Members", "Online of all, of a replicated queue", _minority, _members),
        words("node", "Node"),
        words("policy", "Policy"),
    ),
    nothing="No queues.",
)  # fmt: skip

FACTS = (
    Fact("version", "RabbitMQ"),
    Fact("erlang", "Erlang"),
    Fact("cluster", "Cluster"),
    Fact("node", "Node that answers"),
    Fact("rates_mode", "Rates mode"),
    Fact("queues", "Queues", number),
)
