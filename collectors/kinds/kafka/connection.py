"""A cluster's client, seen from here: librdkafka's settings, and its questions, which a process of its own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from collectors.kinds.kafka.answers import Answers, Listing, Moved
from collectors.kinds.kafka.cluster import Cluster, Place
from collectors.runtime.child import Child
from core.addresses import host_and_port
from core.errors import SourceUnavailable
from core.kinds.kafka.brokers import Brokers
from core.kinds.kafka.source import KafkaSource
from core.net.reach import Deadline

MODULE = "collectors.kinds.kafka.librdkafka"
LONGEST_CALL_SECONDS = 2.0
SPARE_SECONDS = 0.5
"""An answer may come this much after its time before the process is ended: librdkafka keeps time by itself."""

T = TypeVar("T")


class Client:
    """Asks a cluster; every question ends within the seconds given with it. Raises SourceUnavailable or SourceRejected.

    A part that does not come is a Problem in the answer, and the rest of it stands.
    """

    def __init__(self, source: KafkaSource) -> None:
        self.child = Child(MODULE, "the process that speaks with Kafka", {"settings": settings(source)})
        self.questions = 0
        """Requests sent since the start, as far as we know."""

    def start(self) -> None:
        """Start the process unless it runs: how long that takes is not the cluster's doing."""
        self.child.start()

    def metadata(self, seconds: float) -> Cluster:
        """Return brokers, topics and partitions."""
        self.questions += 1
        return self._ask("metadata", Cluster, seconds)

    def groups(self, seconds: float) -> Listing:
        """Return the states of all consumer groups, and why those of some brokers are missing."""
        self.questions += 1
        return self._ask("groups", Listing, seconds)

    def read(
        self,
        seconds: float,
        *,
        members: Sequence[str] = (),
        commits: Sequence[str] = (),
        last: Sequence[Place] = (),
        first: Sequence[Place] = (),
        configs: Sequence[str] = (),
    ) -> Answers:
        """Return members and committed offsets of groups, last and first offsets of partitions, settings of topics.

        A request a group and question, one for all settings, and one to each broker for the offsets that it leads.
        """
        self.questions += len(members) + len(commits) + bool(last) + bool(first) + bool(configs)
        return self._ask(
            "read", Answers, seconds, members=members, commits=commits, last=last, first=first, configs=configs
        )

    def move(self, seconds: float, group: str, offsets: Mapping[Place, int]) -> Moved:
        """Make a group go on at other offsets; Kafka refuses while it has members."""
        rows = [(topic, number, offset) for (topic, number), offset in offsets.items()]
        return self._ask("move", Moved, seconds, group=group, offsets=rows)

    def close(self) -> None:
        """End the process."""
        self.child.close()

    def _ask(self, question: str, answer: type[T], seconds: float, **parameters: Any) -> T:
        seconds = min(seconds, LONGEST_CALL_SECONDS)
        return self.child.ask(question, answer, seconds + SPARE_SECONDS, seconds=seconds, **parameters)


def settings(source: Brokers) -> dict[str, Any]:
    """Return how librdkafka is set up: short time-outs, no metrics pushed to the cluster, no log on stderr."""
    hosts = [host_and_port(host, port) for host, port in source.hosts]
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(hosts),
        "client.id": "fundwatch",
        "socket.timeout.ms": int(LONGEST_CALL_SECONDS * 1e3),
        "socket.connection.setup.timeout.ms": int(LONGEST_CALL_SECONDS * 1e3),
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 2_000,
        "topic.metadata.refresh.interval.ms": -1,
        "enable.metrics.push": False,
        "log_level": 0,
        "security.protocol": ("SASL_" if source.user else "") + ("SSL" if source.tls else "PLAINTEXT"),
    }
    if source.user:
        found["sasl.mechanism"] = source.mechanism
        found["sasl.username"] = source.user
        found["sasl.password"] = source.password.get_secret_value()
    if source.tls and source.ca_file:
        found["ssl.ca.location"] = source.ca_file
    return found


def left(deadline: Deadline) -> float:
    """Return the seconds left. Raises SourceUnavailable when there are none."""
    try:
        return deadline.left()
    except TimeoutError:
        raise SourceUnavailable(f"no answer within {deadline.seconds:.3g} s") from None
