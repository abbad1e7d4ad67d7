"""The one librdkafka client of a cluster: its settings, its questions with deadlines, its errors in words.

A client has one thread for itself, one for answers, and one a broker; they stay as many however often a reading fails,
because the client is kept. It is closed only when the cluster refuses us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, OffsetSpec

from collectors.net.reach import Deadline
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.kafka.source import KafkaSource

LONGEST_CALL_SECONDS = 2.0
SPARE_SECONDS = 0.05
AUTHENTICATION_ERRORS = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.ILLEGAL_SASL_STATE,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
}
AUTHORIZATION_ERRORS = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
}
UNSUPPORTED_ERRORS = {KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION}

Place = tuple[str, int]
"""A partition: topic and number."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one part of an answer is missing; the rest of the reading stands."""

    code: int
    why: str

    @property
    def is_denied(self) -> bool:
        """Whether our user may not ask this."""
        return self.code in AUTHORIZATION_ERRORS

    @property
    def is_unsupported(self) -> bool:
        """Whether the cluster does not know the question."""
        return self.code in UNSUPPORTED_ERRORS


class Client:
    """Asks a cluster; every question ends within the deadline given with it, and within two seconds."""

    def __init__(self, source: KafkaSource) -> None:
        self._source = source
        self._errors: dict[int, str] = {}
        try:
            self._admin = AdminClient(settings(source) | {"error_cb": self._failed})
        except KafkaException as error:
            raise SourceRejected(f"cannot be asked with these settings: {error.args[0].str()}") from error
        self.questions = 0
        """Requests sent since the start, as far as we know."""

    def metadata(self, seconds: float) -> ClusterMetadata:
        """Return brokers, topics and partitions. Raises SourceUnavailable or SourceRejected."""
        self._errors.clear()
        self.questions += 1
        try:
            return self._admin.list_topics(timeout=min(seconds, LONGEST_CALL_SECONDS))
        except KafkaException as error:
            raise self._explained(error) from error

    def groups(self, deadline: Deadline) -> tuple[list[Any], list[Problem]]:
        """Return the listings of all consumer groups, and why those of some brokers are missing."""
        self.questions += 1
        found = answer(self._admin.list_consumer_groups(request_timeout=_left(deadline)), deadline)
        if isinstance(found, Problem):
            return [], [found]
        return list(found.valid), [_problem(error) for error in found.errors]

    def start_descriptions(self, groups: Sequence[str], deadline: Deadline) -> dict[str, Future[Any]]:
        """Ask for the members of groups; a request each."""
        self.questions += len(groups)
        return self._admin.describe_consumer_groups(list(groups), request_timeout=_left(deadline)) if groups else {}

    def start_commits(self, groups: Sequence[str], deadline: Deadline) -> dict[str, Future[Any]]:
        """Ask for the committed offsets of groups; a request each."""
        self.questions += len(groups)
        found: dict[str, Future[Any]] = {}
        for group in groups:
            asked = [ConsumerGroupTopicPartitions(group)]
            found |= self._admin.list_consumer_group_offsets(asked, request_timeout=_left(deadline))
        return found

    def start_offsets(
        self, places: Sequence[Place], deadline: Deadline, *, is_first: bool = False
    ) -> dict[Place, Future[Any]]:
        """Ask for the first or last offsets of partitions; a request for each broker that leads some."""
        if not places:
            return {}
        self.questions += 1
        which = OffsetSpec.earliest() if is_first else OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, number): which for topic, number in places}
        found = self._admin.list_offsets(asked, request_timeout=_left(deadline))
        return {(place.topic, place.partition): future for place, future in found.items()}

    def start_move(self, group: str, offsets: Mapping[Place, int], deadline: Deadline) -> Future[Any]:
        """Ask that a group goes on at other offsets; Kafka refuses while it has members."""
        wanted = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        asked = [ConsumerGroupTopicPartitions(group, wanted)]
        return self._admin.alter_consumer_group_offsets(asked, request_timeout=_left(deadline))[group]

    def start_configs(self, topics: Sequence[str], deadline: Deadline) -> dict[str, Future[Any]]:
        """Ask for the settings of topics, in one request."""
        if not topics:
            return {}
        self.questions += 1
        asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        found = self._admin.describe_configs(asked, request_timeout=_left(deadline))
        return {resource.name: future for resource, future in found.items()}

    def settle(self) -> None:
        """Take what librdkafka wants to tell, so that it does not pile up."""
        self._admin.poll(0)

    def _failed(self, error: KafkaError) -> None:
        self._errors[error.code()] = error.str()

    def _explained(self, error: KafkaException) -> SourceError:
        self.settle()
        why = next((text for code, text in self._errors.items() if code in AUTHENTICATION_ERRORS), "")
        if why:
            return SourceRejected(_refusal(self._source, why))
        code = error.args[0].code()
        if code in AUTHENTICATION_ERRORS:
            return SourceRejected(_refusal(self._source, error.args[0].str()))
        if KafkaError._SSL in self._errors:
            return SourceRejected(f"no TLS connection to {self._source.bootstrap}: {self._errors[KafkaError._SSL]}")
        said = self._errors.get(KafkaError._TRANSPORT) or error.args[0].str()
        return SourceUnavailable(f"{self._source.bootstrap} tells no metadata: {said}")


def settings(source: KafkaSource) -> dict[str, Any]:
    """Return how librdkafka is set up: short time-outs, no metrics pushed to the cluster, no log on stderr."""
    hosts = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in source.hosts]
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


def answer(future: Future[Any], deadline: Deadline) -> Any:
    """Return what a question gave, or the Problem that it met."""
    try:
        return future.result(timeout=_left(deadline) + SPARE_SECONDS)
    except KafkaException as error:
        return _problem(error)
    except (FutureTimeout, TimeoutError):
        return Problem(KafkaError._TIMED_OUT, "no answer in time")


def answers(futures: Mapping[Any, Future[Any]], deadline: Deadline) -> tuple[dict[Any, Any], dict[Any, Problem]]:
    """Return what came by key, and what did not."""
    good: dict[Any, Any] = {}
    bad: dict[Any, Problem] = {}
    for key, future in futures.items():
        found = answer(future, deadline)
        if isinstance(found, Problem):
            bad[key] = found
        else:
            good[key] = found
    return good, bad


def _left(deadline: Deadline) -> float:
    """Return how long a question may take; a reading that has no time left asks with the shortest there is."""
    try:
        return min(max(deadline.left() - SPARE_SECONDS, SPARE_SECONDS), LONGEST_CALL_SECONDS)
    except TimeoutError:
        return SPARE_SECONDS


def _problem(error: KafkaException | KafkaError) -> Problem:
    found = error.args[0] if isinstance(error, KafkaException) else error
    return Problem(found.code(), found.str())


def _refusal(source: KafkaSource, why: str) -> str:
    if not source.user:
        return f"{source.bootstrap} wants a user and password (SASL)"
    if "supported mechanisms" in why or "mechanism handshake" in why:
        return f"{source.bootstrap} does not take {source.mechanism} (SASL): another mechanism, or no user at all"
    return f"wrong user or password for {source.bootstrap} ({source.mechanism})"
