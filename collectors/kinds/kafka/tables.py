"""The tables and samples of a reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from collectors.base import gauges
from collectors.kinds.kafka.cluster import Cluster, Partition, Place
from collectors.kinds.kafka.lags import GroupLag, Lag
from core.kinds.kafka import spec
from core.kinds.kafka.spec import BrokerState
from core.metrics import Metric
from core.model import Sample

TOPICS_SHOWN, LAGS_SHOWN = 200, 200
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


def brokers(cluster: Cluster, offsets: Offsets, mute: Collection[int]) -> list[spec.Broker]:
    """Return the brokers, those gone first. mute: those that do not answer us."""
    led: dict[int, list[Place]] = defaultdict(list)
    replicas: dict[int, int] = defaultdict(int)
    out_of_sync: dict[int, int] = defaultdict(int)
    for partition in cluster.partitions:
        led[partition.leader].append(partition.place)
        for holder in partition.replicas:
            replicas[holder] += 1
            out_of_sync[holder] += holder not in partition.in_sync or holder not in cluster.brokers
    rows = []
    for id in sorted({*cluster.brokers, *cluster.gone}, key=lambda id: (id in cluster.brokers, id)):
        broker = cluster.brokers.get(id)
        alive = BrokerState.MUTE if id in mute else BrokerState.UP
        rows.append(
            spec.Broker(
                broker=id,
                address=broker.address if broker else "",
                state=alive if broker else BrokerState.GONE,
                role="controller" if id == cluster.controller else "",
                leads=len(led[id]),
                replicas=replicas[id],
                out_of_sync=out_of_sync[id],
                in_per_second=offsets.rate(led[id]),
            )
        )
    return rows


def topics(
    cluster: Cluster,
    offsets: Offsets,
    lags: Sequence[Lag],
    configs: Mapping[str, Mapping[str, str]],
    dead: Mapping[str, float],
) -> list[spec.Topic]:
    """Return the topics: in trouble first, then those with dead letters, then by rate. dead: arrivals by DLQ topic."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for lag in lags:
        sums[lag.place[0]][lag.group] += lag.lag or 0
    offline, under = set(cluster.offline), set(cluster.under_replicated)
    rows = []
    for topic, parts in partitions_of(cluster).items():
        places = [part.place for part in parts]
        config = configs.get(topic, {})
        rows.append(
            spec.Topic(
                topic=topic,
                partitions=len(parts),
                replicas=max(len(part.replicas) for part in parts),
                under_replicated=sum(part in under for part in parts),
                offline=sum(part in offline for part in parts),
                messages=offsets.held(places),
                in_per_second=offsets.rate(places),
                groups=len(sums[topic]),
                lag=max(sums[topic].values(), default=None),
                retention_seconds=_milliseconds(config.get("retention.ms")),
                cleanup=config.get("cleanup.policy", ""),
                kind="dead letters" if topic in dead else "internal" if topic.startswith(INTERNAL) else "",
                arrived=dead.get(topic),
            )
        )
    rows.sort(
        key=lambda row: (
            -row.offline, -row.under_replicated, -(row.arrived or 0), -(row.in_per_second or 0), row.topic,
        )
    )  # fmt: skip
    return rows[:TOPICS_SHOWN]


def groups(found: Sequence[GroupLag]) -> list[spec.Group]:
    """Return the groups, the worst first."""
    return [
        spec.Group(
            group=each.group.name,
            verdict=each.verdict,
            state=each.group.state,
            members=len(each.group.members) if each.group.members is not None else None,
            partitions=each.partitions,
            lag=each.lag,
            behind_seconds=each.behind.seconds if each.behind else None,
            is_least=each.behind.is_least if each.behind else False,
            out_per_second=each.read_per_second,
            clients=", ".join(sorted({member.client for member in each.group.members or ()}))[:LONGEST_TEXT],
            assignor=each.group.assignor,
            coordinator=each.group.coordinator,
        )
        for each in found
    ]


def partition_lags(lags: Sequence[Lag]) -> list[spec.PartitionLag]:
    """Return the partitions of groups, the worst first."""
    return [
        spec.PartitionLag(
            group=lag.group,
            topic=lag.place[0],
            partition=lag.place[1],
            verdict=lag.verdict,
            committed=lag.committed,
            end=lag.end,
            lag=lag.lag,
            behind_seconds=lag.behind.seconds if lag.behind else None,
            is_least=lag.behind.is_least if lag.behind else False,
            out_per_second=lag.read_per_second,
            silent_seconds=lag.silent_seconds,
            client=lag.client,
            host=lag.host,
            lost=lag.lost,
        )
        for lag in lags[:LAGS_SHOWN]
    ]


def samples(
    instance: str, cluster: Cluster, offsets: Offsets, groups: Sequence[GroupLag], dead: Mapping[str, float]
) -> list[Sample]:
    """Return the cluster's numbers, then those of brokers, topics, dead-letter topics and groups."""
    lags = [each.lag for each in groups if each.lag is not None]
    behind = [each.behind.seconds for each in groups if each.behind is not None]
    rates = [each.read_per_second for each in groups if each.read_per_second is not None]
    values: dict[Metric, float | None] = {
        spec.BROKERS: len(cluster.brokers),
        spec.BROKERS_GONE: len(cluster.gone),
        spec.TOPICS: len(cluster.topics),
        spec.PARTITIONS: len(cluster.partitions),
        spec.UNDER_REPLICATED: len(cluster.under_replicated),
        spec.OFFLINE: len(cluster.offline),
        spec.GROUPS: len(groups),
        spec.MESSAGES_IN_RATE: offsets.rate(list(offsets.ends)),
        spec.MESSAGES_OUT_RATE: sum(rates) if rates else None,
        spec.LAG: sum(lags) if lags else None,
        spec.LAG_SECONDS: max(behind, default=None),
    }
    found = gauges(values, instance=instance)
    for id in cluster.brokers:
        led = [part.place for part in cluster.partitions if part.leader == id]
        found += gauges({spec.BROKER_IN_RATE: offsets.rate(led)}, instance=instance, broker=str(id))
    for topic, places in _busiest(cluster, offsets):
        found += gauges({spec.TOPIC_IN_RATE: offsets.rate(places)}, instance=instance, topic=topic)
    parts = partitions_of(cluster)
    for topic in dead:
        held = offsets.held([part.place for part in parts.get(topic, ())])
        found += gauges({spec.DEAD_LETTERS: held}, instance=instance, topic=topic)
    for each in groups:
        found += gauges(_group_values(each), instance=instance, group=each.group.name)
    return found


def partitions_of(cluster: Cluster) -> dict[str, list[Partition]]:
    """Return the partitions of each topic."""
    found: dict[str, list[Partition]] = defaultdict(list)
    for partition in cluster.partitions:
        found[partition.place[0]].append(partition)
    return found


def _group_values(each: GroupLag) -> dict[Metric, float | None]:
    return {
        spec.GROUP_LAG: each.lag,
        spec.GROUP_LAG_SECONDS: each.behind.seconds if each.behind else None,
        spec.GROUP_OUT_RATE: each.read_per_second,
        spec.GROUP_MEMBERS: len(each.group.members) if each.group.members is not None else None,
        spec.GROUP_IS_FAILING: float(each.verdict.is_grave),
    }


def _busiest(cluster: Cluster, offsets: Offsets) -> list[tuple[str, list[Place]]]:
    """Return the topics that have had most messages ever: a choice that stays the same from reading to reading."""
    sums = {
        topic: (sum(offsets.ends.get(part.place, 0) for part in parts), [part.place for part in parts])
        for topic, parts in partitions_of(cluster).items()
        if not topic.startswith(INTERNAL)
    }
    ordered = sorted(sums.items(), key=lambda each: (-each[1][0], each[0]))
    return [(topic, places) for topic, (_, places) in ordered[: spec.TOPICS_CHARTED]]


def _milliseconds(value: str | None) -> float | None:
    """Return a duration in seconds; None when it is not known or without end (-1)."""
    number = int(value) if value and value.lstrip("-").isdigit() else -1
    return number / 1e3 if number >= 0 else None
