"""A Kafka cluster at one moment: brokers, partitions, groups with their members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka.admin import ClusterMetadata

from collectors.kinds.kafka.connection import Place

NO_LEADER = -1
NO_MEMBERS = ("empty", "dead")
REBALANCING = ("preparing rebalancing", "completing rebalancing")
STABLE = "stable"


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that the cluster counts as alive."""

    id: int
    address: str


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition: who leads it, who holds replicas, whose are in sync."""

    place: Place
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]

    @property
    def name(self) -> str:
        """Return what it is called in sentences: "orders[0]"."""
        return name_of(self.place)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the metadata of a cluster say."""

    id: str
    controller: int
    brokers: Mapping[int, Broker]
    partitions: Sequence[Partition]

    @property
    def topics(self) -> list[str]:
        """Every topic, sorted."""
        return sorted({partition.place[0] for partition in self.partitions})

    @property
    def offline(self) -> list[Partition]:
        """Partitions that nobody leads: nothing can be written or read there."""
        return [each for each in self.partitions if each.leader not in self.brokers]

    @property
    def under_replicated(self) -> list[Partition]:
        """Partitions with a replica that is out of sync or on a broker that is gone."""
        return [each for each in self.partitions if self.in_sync_count(each) < len(each.replicas)]

    @property
    def gone(self) -> dict[int, int]:
        """Brokers that hold replicas and are not alive, with the number of their replicas."""
        found: dict[int, int] = defaultdict(int)
        for partition in self.partitions:
            for broker in partition.replicas:
                if broker not in self.brokers:
                    found[broker] += 1
        return dict(found)

    def in_sync_count(self, partition: Partition) -> int:
        """Return how many replicas are in sync and on a broker that is alive."""
        return sum(broker in self.brokers for broker in partition.in_sync)


@dataclass(frozen=True, slots=True)
class Member:
    """A consumer of a group, and the partitions that it was given."""

    client: str
    host: str
    places: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group. `members` is None when it could not be described."""

    name: str
    state: str
    members: tuple[Member, ...] | None = None
    assignor: str = ""
    coordinator: str = ""

    def owner(self, place: Place) -> Member | None:
        """Return the member that reads a partition."""
        return next((member for member in self.members or () if place in member.places), None)

    def is_alive(self, place: Place) -> bool:
        """Return whether somebody reads the partition, as far as is known; not known counts as alive."""
        if self.state in NO_MEMBERS:
            return False
        if self.members is None:
            return True
        if not any(member.places for member in self.members):
            return bool(self.members) or self.state in REBALANCING
        return self.owner(place) is not None


def cluster_of(metadata: ClusterMetadata) -> Cluster:
    """Return what `metadata` says."""
    brokers = {each.id: Broker(each.id, f"{each.host}:{each.port}") for each in metadata.brokers.values()}
    partitions = [
        Partition((name, each.id), each.leader, tuple(each.replicas), tuple(each.isrs))
        for name, topic in metadata.topics.items()
        for each in topic.partitions.values()
    ]
    partitions.sort(key=lambda partition: partition.place)
    return Cluster(metadata.cluster_id or "", metadata.controller_id, brokers, partitions)


def group_of(name: str, state: str, description: Any) -> Group:
    """Return a group from what the list of groups and its description say; the list is newer."""
    if description is None:
        return Group(name, state)
    told = state_text(description.state)
    state = told if state in ("", "unknown") else state
    members = tuple(
        Member(
            member.client_id or member.member_id or "",
            (member.host or "").removeprefix("/"),
            frozenset((each.topic, each.partition) for each in member.assignment.topic_partitions or ()),
        )
        for member in description.members
    )
    node = description.coordinator
    where = f"{node.id} ({node.host}:{node.port})" if node is not None else ""
    if state in NO_MEMBERS:
        return Group(name, state, (), "", where)
    if state == STABLE and not members:
        # A stable group has members: not every broker that speaks the protocol tells them.
        return Group(name, state, None, "", where)
    return Group(name, state, members, description.partition_assignor or "", where)


def offsets_of(found: Any) -> dict[Place, int]:
    """Return the committed offsets that a group's answer tells; a partition without one has a negative offset."""
    return {
        (each.topic, each.partition): each.offset
        for each in found.topic_partitions or ()
        if each.error is None and each.offset >= 0
    }


def state_text(state: Any) -> str:
    """Return librdkafka's name of a state as words: "preparing rebalancing"."""
    return str(state.name).lower().replace("_", " ") if state is not None else ""


def name_of(place: Place) -> str:
    """Return what a partition is called in sentences: "orders[0]"."""
    return f"{place[0]}[{place[1]}]"
