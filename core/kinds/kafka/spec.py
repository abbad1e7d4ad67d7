"""What is measured of a Kafka cluster: its metrics, the rows of its tables, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a cluster is judged by."""

    BROKERS = "brokers"
    LEADERS = "leaders"
    CONTROLLER = "controller"
    OFFLINE = "offline"
    COPIES = "copies"
    UNDER_REPLICATED = "under-replicated"
    LATENCY = "latency"
    GROUPS = "groups"
    RETENTION = "retention"
    REBALANCES = "rebalances"
    READING = "reading"
    DEAD_LETTERS = "dead letters"


class Actions(StrEnum):
    """What can be done to a consumer group without members."""

    RESET_TO_END = "reset_to_end"
    RESET_TO_START = "reset_to_start"


class Verdict(StrEnum):
    """How a consumer group keeps up with a partition, by Burrow's rules and two of our own, by severity."""

    OK = "ok"
    WARNING = "falls behind"
    """Its offset moves, its lag never fell and is higher now."""
    SILENT = "commits nothing"
    """It has members and has never committed an offset: how far it is is not known."""
    BEYOND = "beyond the end"
    """It has committed more than there is: the topic was re-created."""
    STALL = "stuck"
    """It is alive, its offset does not move."""
    STOP = "stopped"
    """It has committed nothing for longer than its commits span."""
    REWIND = "went back"
    """Its offset is lower than before."""

    @property
    def is_grave(self) -> bool:
        """Whether messages wait that nobody reads, or are read again."""
        return self in (Verdict.STALL, Verdict.STOP, Verdict.REWIND)


class BrokerState(StrEnum):
    """How a broker is."""

    UP = "up"
    MUTE = "no answer"
    """The cluster counts it as alive, and it does not answer us."""
    GONE = "gone"
    """It holds replicas and is not alive."""


METADATA = Limit(0.5)
"""Seconds to the answer to a Metadata request."""
REBALANCE = Limit(60.0)
"""Seconds that a group has been rebalancing."""
DEAD_LETTER_SECONDS = 600.0
"""How long a message that reached a dead-letter topic is a warning."""
WINDOW_SECONDS = 120.0
"""How long a group is looked at before it counts as stuck or falling behind, unless the source says otherwise."""

MOST_GROUPS = 100
"""Groups whose offsets are read."""
TOPICS_CHARTED = 40
"""Topics with a rate of their own: those with most messages."""
MEMBERS_SECONDS, STARTS_SECONDS, CONFIGS_SECONDS = 15.0, 60.0, 300.0
"""How often members of groups, first offsets and settings of topics are read."""

BROKERS = Metric("kafka_brokers", "Brokers that are alive.")
BROKERS_GONE = Metric("kafka_brokers_gone", "Brokers that hold replicas and are not alive.")
TOPICS = Metric("kafka_topics", "Topics.")
PARTITIONS = Metric("kafka_partitions", "Partitions.")
UNDER_REPLICATED = Metric(
    "kafka_partitions_under_replicated", "Partitions with a replica that is out of sync or on a broker that is gone."
)  # fmt: skip
OFFLINE = Metric("kafka_partitions_offline", "Partitions without a leader.")
GROUPS = Metric("kafka_groups", "Consumer groups that are read.")
MESSAGES_IN_RATE = Metric("kafka_messages_in_per_second", "Messages written, all topics but Kafka's own.")
MESSAGES_OUT_RATE = Metric("kafka_messages_out_per_second", "Messages read by consumer groups.")
LAG = Metric("kafka_lag_messages", "Messages not yet read, all groups.")
LAG_SECONDS = Metric("kafka_lag_seconds", "Age of the oldest unread message of any group.")
METADATA_SECONDS = Metric("kafka_metadata_seconds", "Time to the answer to a Metadata request.")
BROKER_IN_RATE = Metric("kafka_broker_in_per_second", "Messages written to partitions that a broker leads.", "broker")
TOPIC_IN_RATE = Metric("kafka_topic_in_per_second", "Messages written to a topic.", "topic")
DEAD_LETTERS = Metric("kafka_dead_letters", "Messages that a dead-letter topic holds.", "topic")
GROUP_LAG = Metric("kafka_group_lag_messages", "Messages that a group has not read.", "group")
GROUP_LAG_SECONDS = Metric("kafka_group_lag_seconds", "Age of a group's first unread message.", "group")
GROUP_OUT_RATE = Metric("kafka_group_out_per_second", "Messages read by a group.", "group")
GROUP_MEMBERS = Metric("kafka_group_members", "Members of a group.", "group")
GROUP_IS_FAILING = Metric("kafka_group_is_failing", "1 if a group is stuck, has stopped or went back, else 0.", "group")


@dataclass(frozen=True, slots=True)
class About:
    """What a cluster is."""

    TABLE: ClassVar[str] = "about"

    cluster: str
    """Its id."""
    bootstrap: str
    controller: int
    """Id of a broker; -1 without one."""
    brokers: int
    topics: int
    partitions: int
    groups: int
    """Groups that the settings do not leave out."""
    groups_read: int
    """At most MOST_GROUPS of them."""
    requests: int
    """Sent by us since we began to watch it."""
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker."""

    TABLE: ClassVar[str] = "brokers"

    broker: int
    """Its id."""
    address: str
    state: str
    """A BrokerState."""
    role: str
    """controller, or empty."""
    leads: int
    """Partitions that it leads."""
    replicas: int
    """Partitions of which it holds a replica."""
    out_of_sync: int
    """Those of its replicas that are not in sync."""
    in_per_second: float | None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic."""

    TABLE: ClassVar[str] = "topics"

    topic: str
    partitions: int
    replicas: int
    """Of a partition."""
    under_replicated: int
    offline: int
    messages: int | None
    """Last less first offset of its partitions."""
    in_per_second: float | None
    groups: int
    """Groups that have committed an offset."""
    lag: int | None
    """Of the group that is furthest behind."""
    retention_seconds: float | None
    """None: without end, or not known."""
    cleanup: str
    """cleanup.policy."""
    kind: str
    """dead letters, internal, or empty."""
    arrived: float | None
    """Messages of the last DEAD_LETTER_SECONDS, of a dead-letter topic."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group."""

    TABLE: ClassVar[str] = "groups"

    group: str
    verdict: str
    """A Verdict: that of its worst partition."""
    state: str
    """As its coordinator tells it: stable, empty, preparing rebalancing."""
    members: int | None
    partitions: int
    """Of which it has committed an offset."""
    lag: int | None
    behind_seconds: float | None
    """Age of its first unread message."""
    is_least: bool
    """Whether it is that old or older."""
    out_per_second: float | None
    clients: str
    assignor: str
    coordinator: str


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """A partition as a consumer group reads it."""

    TABLE: ClassVar[str] = "lags"

    group: str
    topic: str
    partition: int
    verdict: str
    """A Verdict."""
    committed: int
    end: int | None
    lag: int | None
    behind_seconds: float | None
    """Age of the first unread message."""
    is_least: bool
    """Whether it is that old or older."""
    out_per_second: float | None
    silent_seconds: float | None
    """Since its committed offset was last seen to move."""
    client: str
    host: str
    lost: int
    """Messages deleted before the group read them."""
