"""The tables and samples of a reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.base import gauges
from collectors.judging.consumer_lag import SEVERITY, Verdict
from collectors.kinds.kafka.cluster import NO_LEADER, Cluster
from collectors.kinds.kafka.connection import Place
from collectors.kinds.kafka.lags import GroupLag, Lag
from core.model import Sample, Table

TOPICS_SHOWN, LAGS_SHOWN = 200, 200
TOPICS_CHARTED = 40
LONGEST_TEXT = 120
INTERNAL = "__"
"""Topics whose names begin so are Kafka's own."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """First and next offset of the partitions, and how many messages a second came to each."""

    starts: Mapping[Place, int]
    ends: Mapping[Place, int]
    rates: Mapping[Place, float]

    def held(self, places: Sequence[Place]) -> int | None:
        """Return how many messages the partitions hold; None when none is known. Compaction leaves gaps."""
        known = [place for place in places if place in self.ends and place in self.starts]
        return sum(max(self.ends[place] - self.starts[place], 0) for place in known) if known else None

    def rate(self, places: Sequence[Place]) -> float | None:
        """Return messages a second into the partitions; None when none is known."""
        known = [self.rates[place] for place in places if place in self.rates]
        return sum(known) if known else None


def brokers(cluster: Cluster, offsets: Offsets, mute: Collection[int]) -> Table:
    """Return the brokers, those gone first."""
    led: dict[int, list[Place]] = defaultdict(list)
    copies: dict[int, int] = defaultdict(int)
    behind: dict[int, int] = defaultdict(int)
    for partition in cluster.partitions:
        led[partition.leader].append(partition.place)
        for holder in partition.replicas:
            copies[holder] += 1
            behind[holder] += holder not in partition.in_sync or holder not in cluster.brokers
    rows: list[tuple[Any, ...]] = []
    for id in sorted({*cluster.brokers, *cluster.gone}, key=lambda id: (id in cluster.brokers, id)):
        broker = cluster.brokers.get(id)
        state = "gone" if broker is None else "no answer" if id in mute else "up"
        role = "controller" if id == cluster.controller else ""
        address = broker.address if broker else ""
        rows.append((id, address, state, role, len(led[id]), copies[id], behind[id], offsets.rate(led[id])))
    columns = ("broker", "address", "state", "role", "leads", "copies", "behind", "in_per_second")
    return Table("brokers", columns, tuple(rows))


def topics(
    cluster: Cluster,
    offsets: Offsets,
    groups: Sequence[Lag],
    configs: Mapping[str, Mapping[str, str]],
    dead: Mapping[str, float],
) -> Table:
    """Return the topics: in trouble first, then those with dead letters, then by rate. dead: arrivals by DLQ topic."""
    lags: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for lag in groups:
        lags[lag.place[0]][lag.group] += lag.lag or 0
    offline, under = set(cluster.offline), set(cluster.under_replicated)
    rows: list[tuple[Any, ...]] = []
    for topic, parts in partitions_of(cluster).items():
        places = [part.place for part in parts]
        config = configs.get(topic, {})
        rows.append(
            (
                topic,
                len(parts),
                max(len(part.replicas) for part in parts),
                sum(part in under for part in parts),
                sum(part in offline for part in parts),
                offsets.held(places),
                offsets.rate(places),
                len(lags[topic]),
                max(lags[topic].values(), default=None),
                _milliseconds(config.get("retention.ms")),
                config.get("cleanup.policy", ""),
                "dead letters" if topic in dead else "internal" if topic.startswith(INTERNAL) else "",
                dead.get(topic),
            )
        )
    rows.sort(key=lambda row: (-row[4], -row[3], -(row[12] or 0), -(row[6] or 0), row[0]))
    columns = (
        "topic", "partitions", "copies", "under_replicated", "offline", "messages", "in_per_second", "groups", "lag",
        "retention_seconds", "cleanup", "kind", "arrived",
    )  # fmt: skip
    return Table("topics", columns, tuple(rows[:TOPICS_SHOWN]))


def group_rows(groups: Sequence[GroupLag]) -> Table:
    """Return the groups, the worst first."""
    rows = [
        (
            each.group.name,
            each.verdict.value,
            each.group.state,
            len(each.group.members) if each.group.members is not None else None,
            each.partitions,
            each.lag,
            each.behind.seconds if each.behind else None,
            each.behind.is_least if each.behind else False,
            each.read_per_second,
            ", ".join(sorted({member.client for member in each.group.members or ()}))[:LONGEST_TEXT],
            each.group.assignor,
            each.group.coordinator,
        )
        for each in groups
    ]
    columns = (
        "group", "verdict", "state", "members", "partitions", "lag", "behind_seconds", "is_least", "out_per_second",
        "clients", "assignor", "coordinator",
    )  # fmt: skip
    return Table("groups", columns, tuple(rows))


def lag_rows(lags: Sequence[Lag]) -> Table:
    """Return the partitions of groups, the worst first."""
    rows = [
        (
            lag.group, lag.place[0], lag.place[1], lag.verdict.value, lag.committed, lag.end, lag.lag,
            lag.behind.seconds if lag.behind else None, lag.behind.is_least if lag.behind else False,
            lag.read_per_second, lag.silent_seconds, lag.client, lag.host, lag.lost,
        )
        for lag in lags[:LAGS_SHOWN]
    ]  # fmt: skip
    columns = (
        "group", "topic", "partition", "verdict", "committed", "end", "lag", "behind_seconds", "is_least",
        "out_per_second", "silent_seconds", "client", "host", "lost",
    )  # fmt: skip
    return Table("lags", columns, tuple(rows))


def samples(
    instance: str, cluster: Cluster, offsets: Offsets, groups: Sequence[GroupLag], dead: Mapping[str, float]
) -> list[Sample]:
    """Return the cluster's numbers, then those of brokers, topics, dead-letter topics and groups."""
    lags = [each.lag for each in groups if each.lag is not None]
    behind = [each.behind.seconds for each in groups if each.behind is not None]
    rates = [each.read_per_second for each in groups if each.read_per_second is not None]
    values: dict[str, float | None] = {
        "kafka_brokers": len(cluster.brokers),
        "kafka_brokers_gone": len(cluster.gone),
        "kafka_topics": len(cluster.topics),
        "kafka_partitions": len(cluster.partitions),
        "kafka_partitions_under_replicated": len(cluster.under_replicated),
        "kafka_partitions_offline": len(cluster.offline),
        "kafka_groups": len(groups),
        "kafka_messages_in_per_second": offsets.rate(list(offsets.ends)),
        "kafka_messages_out_per_second": sum(rates) if rates else None,
        "kafka_lag_messages": sum(lags) if lags else None,
        "kafka_lag_seconds": max(behind, default=None),
    }
    found = gauges(values, instance=instance)
    for id in cluster.brokers:
        led = [part.place for part in cluster.partitions if part.leader == id]
        found += gauges({"kafka_broker_in_per_second": offsets.rate(led)}, instance=instance, broker=str(id))
    for topic, places in _busiest(cluster, offsets):
        found += gauges({"kafka_topic_in_per_second": offsets.rate(places)}, instance=instance, topic=topic)
    parts = partitions_of(cluster)
    for topic in dead:
        held = offsets.held([part.place for part in parts.get(topic, ())])
        found += gauges({"kafka_dead_letters": held}, instance=instance, topic=topic)
    for each in groups:
        found += gauges(_group_values(each), instance=instance, group=each.group.name)
    return found


def partitions_of(cluster: Cluster) -> dict[str, list[Any]]:
    """Return the partitions of each topic."""
    found: dict[str, list[Any]] = defaultdict(list)
    for partition in cluster.partitions:
        found[partition.place[0]].append(partition)
    return found


def leaders(cluster: Cluster) -> dict[int, list[Place]]:
    """Return the partitions that each living broker leads."""
    found: dict[int, list[Place]] = defaultdict(list)
    for partition in cluster.partitions:
        if partition.leader != NO_LEADER and partition.leader in cluster.brokers:
            found[partition.leader].append(partition.place)
    return found


def _group_values(each: GroupLag) -> dict[str, float | None]:
    return {
        "kafka_group_lag_messages": each.lag,
        "kafka_group_lag_seconds": each.behind.seconds if each.behind else None,
        "kafka_group_out_per_second": each.read_per_second,
        "kafka_group_members": len(each.group.members) if each.group.members is not None else None,
        "kafka_group_is_failing": float(SEVERITY[each.verdict] > SEVERITY[Verdict.WARNING]),
    }


def _busiest(cluster: Cluster, offsets: Offsets) -> list[tuple[str, list[Place]]]:
    """Return the topics that have had most messages ever: a choice that stays the same from reading to reading."""
    sums = {
        topic: (sum(offsets.ends.get(part.place, 0) for part in parts), [part.place for part in parts])
        for topic, parts in partitions_of(cluster).items()
        if not topic.startswith(INTERNAL)
    }
    ordered = sorted(sums.items(), key=lambda each: (-each[1][0], each[0]))
    return [(topic, places) for topic, (_, places) in ordered[:TOPICS_CHARTED]]


def _milliseconds(value: str | None) -> float | None:
    """Return a duration in seconds; None when it is not known or without end (-1)."""
    number = int(value) if value and value.lstrip("-").isdigit() else -1
    return number / 1e3 if number >= 0 else None
