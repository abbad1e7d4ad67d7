"""The tables of Kafka, and the buttons in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dash import html

from core.format import coarse_duration, duration, number, tenths
from core.kinds.kafka import spec
from core.kinds.kafka.spec import Actions, BrokerState, Verdict
from dashboard.sources.actions import action_button
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance

TONES: dict[str, str] = {
    Verdict.WARNING: "warning",
    Verdict.SILENT: "warning",
    Verdict.BEYOND: "warning",
    Verdict.STALL: "critical",
    Verdict.STOP: "critical",
    Verdict.REWIND: "critical",
}
BROKER_TONES: dict[str, str] = {BrokerState.GONE: "critical", BrokerState.MUTE: "warning"}
WORST_FIRST = ("critical", "warning", "")
BEHIND = "Age of the first unread message, from the course of end offsets; grey: that long or longer"
DEAD_LETTER_SPAN = coarse_duration(spec.DEAD_LETTER_SECONDS)


def _tone(row: spec.Group | spec.PartitionLag) -> str:
    return TONES.get(row.verdict, "")


def _least(row: spec.Group | spec.PartitionLag) -> str:
    return "muted" if row.is_least else ""


def _by_trouble(row: spec.Group | spec.PartitionLag) -> tuple[int, int]:
    return WORST_FIRST.index(_tone(row)), -(row.lag or 0)


def _bad(key: str, tone: str = "warning") -> Callable[[Any], str]:
    return lambda row: tone if getattr(row, key) else ""


def _rebalancing(row: spec.Group) -> str:
    return "warning" if "rebalancing" in row.state else ""


def _move(action: Actions, shown: Shown, instance: Instance, row: spec.Group) -> html.Button | None:
    """Return the button that moves a group, where moving is possible: it has no members."""
    if row.members != 0:
        return None
    is_end = action is Actions.RESET_TO_END
    where = "end" if is_end else "start"
    what = "skips what it has not read" if is_end else "lets it read again all that is kept"
    question = (
        f"Move group {row.group} on {instance.title} to the {where} of each partition? "
        f"That {what}. Kafka refuses while the group has members. Commits offsets (OffsetCommit)."
    )
    return action_button(shown, instance.collector, action, row.group, f"To {where}", question)


GROUPS = Rows(
    spec.Group,
    (
        words("group", "Group"),
        words("verdict", "Status", "By Burrow's rules; that of its worst partition", _tone),
        words("state", "State", "As its coordinator reports it", _rebalancing),
        Field("lag", "Lag", number, "Messages not yet read: end offsets less committed offsets"),
        Field("behind_seconds", "Behind", duration, BEHIND, _least),
        Field("out_per_second", "Read/s", tenths, "Committed offsets, difference since the reading before"),
        Field("members", "Members", number),
        Field("partitions", "Partitions", number, "Of which it has committed an offset"),
        words("clients", "Clients"),
        words("assignor", "Assignor"),
        words("coordinator", "Coordinator"),
        Field("to_end", "", button=partial(_move, Actions.RESET_TO_END), numeric=False),
        Field("to_start", "", button=partial(_move, Actions.RESET_TO_START), numeric=False),
    ),
    nothing="No consumer groups.",
    sort=_by_trouble,
)

LAGS = Rows(
    spec.PartitionLag,
    (
        words("group", "Group"),
        words("topic", "Topic"),
        Field("partition", "Partition"),
        words("verdict", "Status", "By Burrow's rules", _tone),
        Field("lag", "Lag", number, "Messages: end less committed offset"),
        Field("behind_seconds", "Behind", duration, BEHIND, _least),
        Field("out_per_second", "Read/s", tenths),
        Field("silent_seconds", "Idle", duration, "Since its committed offset was last seen to move"),
        Field("committed", "Committed", number),
        Field("end", "End", number),
        Field("lost", "Lost", number, "Deleted by retention before the group read them", _bad("lost", "critical")),
        words("client", "Client"),
        words("host", "Host"),
    ),
    nothing="No group has committed an offset.",
    sort=_by_trouble,
)


def _by_traffic(row: spec.Topic) -> tuple[float, float, float, float]:
    return -row.offline, -row.under_replicated, -(row.arrived or 0), -(row.in_per_second or 0)


TOPICS = Rows(
    spec.Topic,
    (
        words("topic", "Topic"),
        words("kind", "Kind", "dead letters: its name matches the setting dead_letters"),
        Field("in_per_second", "In/s", tenths, "End offsets, difference since the reading before"),
        Field("lag", "Lag", number, "Of the group that is furthest behind"),
        Field("groups", "Groups", number, "That have committed an offset"),
        Field("messages", "Messages", number, "End less first offset; compaction and transactions leave gaps"),
        Field("arrived", f"New in {DEAD_LETTER_SPAN}", number, "Of dead-letter topics", _bad("arrived")),
        Field("partitions", "Partitions", number),
        Field("replicas", "Replicas", number, "Of a partition"),
        Field("under_replicated", "Under-replicated", number, "Partitions with a replica that is out of sync",
              _bad("under_replicated")),
        Field("offline", "Offline", number, "Partitions without a leader", _bad("offline", "critical")),
        Field("retention_seconds", "Retention", duration, "retention.ms; empty: unlimited or unknown"),
        words("cleanup", "Cleanup policy"),
    ),
    nothing="No topics.",
    sort=_by_traffic,
)  # fmt: skip


def _broker_tone(row: spec.Broker) -> str:
    return BROKER_TONES.get(row.state, "")


BROKERS = Rows(
    spec.Broker,
    (
        Field("broker", "Broker"),
        words("address", "Address"),
        words("state", "State", tone=_broker_tone),
        words("role", "Role"),
        Field("leads", "Leads", number, "Partitions that it leads"),
        Field("replicas", "Replicas", number, "Partitions of which it holds a replica"),
        Field("out_of_sync", "Out of sync", number, "Its replicas that are not in sync", _bad("out_of_sync")),
        Field("in_per_second", "In/s", tenths, "Messages to partitions that it leads"),
    ),
    nothing="No broker is known.",
    sort=lambda row: row.state == BrokerState.UP,
)


def _unread(row: spec.About) -> str:
    return "warning" if row.groups_read < row.groups else ""


CLUSTERS = Rows(
    spec.About,
    (
        words("cluster", "Cluster"),
        words("bootstrap", "Bootstrap"),
        Field("topics", "Topics", number),
        Field("partitions", "Partitions", number),
        Field("groups", "Groups", number),
        Field("groups_read", "Groups read", number,
              f"At most {spec.MOST_GROUPS}; the setting groups narrows them", _unread),
        Field("requests", "Requests sent", number, "By Fundwatch since it began to watch the cluster"),
        Field("window_seconds", "Window", duration, "Of Burrow's rules: the setting window_seconds"),
    ),
    nothing="No cluster has been read yet.",
)  # fmt: skip
