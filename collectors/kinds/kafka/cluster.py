"""A Kafka cluster at one moment: brokers, partitions, groups with their members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[str, int]
"""A partition: topic and number."""

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
class Description:
    """What its coordinator tells of a consumer group."""

    state: str
    members: tuple[Member, ...]
    assignor: str
    coordinator: str


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


def group_of(name: str, state: str, told: Description | None) -> Group:
    """Return a group from what the list of groups and its description say; the list is newer."""
    if told is None:
        return Group(name, state)
    state = told.state if state in ("", "unknown") else state
    if state in NO_MEMBERS:
        return Group(name, state, (), "", told.coordinator)
    if state == STABLE and not told.members:
        # A stable group has members: not every broker that speaks the protocol tells them.
        return Group(name, state, None, "", told.coordinator)
    return Group(name, state, told.members, told.assignor, told.coordinator)


def name_of(place: Place) -> str:
    """Return what a partition is called in sentences: "orders[0]"."""
    return f"{place[0]}[{place[1]}]"
