"""librdkafka in a process of its own, run by collectors/runtime/child.py: this module and consumer.py alone load it.

A broker that freezes and thaws makes librdkafka 2.16 abort (`rdkafka_queue.h … eonce->refcnt > 0`): so no process that
holds data has it in its address space. One client is kept: it has one thread for itself, one for answers, and one a
broker; they stay as many however often a reading fails.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

from collectors.kinds.kafka.answers import Answers, Listing, Moved, Offset, PlaceOffsets, Problem
from collectors.kinds.kafka.cluster import Broker, Cluster, Description, Member, Partition, name_of
from collectors.runtime.served import serve
from core.errors import SourceError, SourceRejected, SourceUnavailable

LONGEST_CALL_SECONDS = 2.0
SPARE_SECONDS = 0.05
CONFIGS = ("retention.ms", "cleanup.policy", "min.insync.replicas")
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
LATE_ERRORS = {KafkaError._TIMED_OUT, KafkaError._TIMED_OUT_QUEUE}
UNSUPPORTED_ERRORS = {KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION}


class Asker:
    """The questions; each ends within the seconds given with it, and within two."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}
        self._errors: dict[int, str] = {}

    def open(self, settings: Mapping[str, Any]) -> None:
        """Make the client; nothing is sent yet. Raises SourceRejected."""
        self._settings = settings
        try:
            self._admin = AdminClient(dict(settings) | {"error_cb": self._failed})
        except KafkaException as error:
            raise SourceRejected(f"cannot be asked with these settings: {error.args[0].str()}") from error

    def metadata(self, seconds: float) -> Cluster:
        """Return brokers, topics and partitions. Raises SourceUnavailable or SourceRejected."""
        self._errors.clear()
        try:
            found = self._admin.list_topics(timeout=min(seconds, LONGEST_CALL_SECONDS))
        except KafkaException as error:
            raise self._explained(error) from error
        brokers = {each.id: Broker(each.id, f"{each.host}:{each.port}") for each in found.brokers.values()}
        partitions = [
            Partition((name, each.id), each.leader, tuple(each.replicas), tuple(each.isrs))
            for name, topic in found.topics.items()
            for each in topic.partitions.values()
        ]
        partitions.sort(key=lambda partition: partition.place)
        return Cluster(found.cluster_id or "", found.controller_id, brokers, partitions)

    def groups(self, seconds: float) -> Listing:
        """Return the state of every consumer group, and why those of some brokers are missing."""
        ends = _ends(seconds)
        found = _answer(self._admin.list_consumer_groups(request_timeout=_left(ends)), ends)
        if isinstance(found, Problem):
            return Listing({}, [found])
        states = {each.group_id: _state_text(each.state) for each in found.valid}
        return Listing(states, [_problem(error) for error in found.errors])

    def read(
        self,
        seconds: float,
        members: Sequence[str] = (),
        commits: Sequence[str] = (),
        last: Sequence[Sequence[Any]] = (),
        first: Sequence[Sequence[Any]] = (),
        configs: Sequence[str] = (),
    ) -> Answers:
        """Return members and committed offsets of groups, last and first offsets of places, settings of topics."""
        ends = _ends(seconds)
        asked_members = self._start_descriptions(members, ends)
        asked_commits = self._start_commits(commits, ends)
        asked_last = self._start_offsets(last, OffsetSpec.latest(), ends)  # type: ignore[no-untyped-call]
        asked_first = self._start_offsets(first, OffsetSpec.earliest(), ends)  # type: ignore[no-untyped-call]
        asked_configs = self._start_configs(configs, ends)

        committed, unread = _answers(asked_commits, ends)
        found_last = _place_offsets(asked_last, ends)
        described, undescribed = _answers(asked_members, ends)
        found_first = _place_offsets(asked_first, ends)
        told = _answers(asked_configs, ends)[0]
        self._admin.poll(0)
        return Answers(
            members={name: _description(each) for name, each in described.items()},
            undescribed=undescribed,
            commits={name: _offsets(each) for name, each in committed.items()},
            unread=unread,
            last=found_last,
            first=found_first,
            configs={
                topic: {name: str(found[name].value) for name in CONFIGS if name in found}
                for topic, found in told.items()
            },
        )

    def move(self, seconds: float, group: str, offsets: Sequence[Sequence[Any]]) -> Moved:
        """Make a group go on at other offsets; Kafka refuses while it has members."""
        ends = _ends(seconds)
        wanted = [TopicPartition(topic, number, offset) for topic, number, offset in offsets]
        asked = [ConsumerGroupTopicPartitions(group, wanted)]
        moved = _answer(self._admin.alter_consumer_group_offsets(asked, request_timeout=_left(ends))[group], ends)
        if isinstance(moved, Problem):
            return Moved(f"refused: {moved.why}")
        failed = [each for each in moved.topic_partitions if each.error is not None]
        return Moved(
            f"refused for {name_of((failed[0].topic, failed[0].partition))}: {failed[0].error.str()}" if failed else ""
        )

    def _start_descriptions(self, groups: Sequence[str], ends: float) -> Mapping[str, Future[Any]]:
        if not groups:
            return {}
        return self._admin.describe_consumer_groups(list(groups), request_timeout=_left(ends))

    def _start_commits(self, groups: Sequence[str], ends: float) -> dict[str, Future[Any]]:
        found: dict[str, Future[Any]] = {}
        for group in groups:
            asked = [ConsumerGroupTopicPartitions(group)]
            found |= self._admin.list_consumer_group_offsets(asked, request_timeout=_left(ends))
        return found

    def _start_offsets(
        self, places: Sequence[Sequence[Any]], which: OffsetSpec, ends: float
    ) -> Mapping[TopicPartition, Future[Any]]:
        if not places:
            return {}
        asked = {TopicPartition(topic, number): which for topic, number in places}
        return self._admin.list_offsets(asked, request_timeout=_left(ends))

    def _start_configs(self, topics: Sequence[str], ends: float) -> dict[str, Future[Any]]:
        if not topics:
            return {}
        asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        found = self._admin.describe_configs(asked, request_timeout=_left(ends))
        return {resource.name: future for resource, future in found.items()}

    def _failed(self, error: KafkaError) -> None:
        self._errors[error.code()] = error.str()

    def _explained(self, error: KafkaException) -> SourceError:
        self._admin.poll(0)
        where = self._settings["bootstrap.servers"]
        why = next((text for code, text in self._errors.items() if code in AUTHENTICATION_ERRORS), "")
        code = error.args[0].code()
        if why or code in AUTHENTICATION_ERRORS:
            return SourceRejected(self._refusal(why or error.args[0].str()))
        if KafkaError._SSL in self._errors:
            return SourceRejected(f"no TLS connection to {where}: {self._errors[KafkaError._SSL]}")
        said = self._errors.get(KafkaError._TRANSPORT, "")
        return SourceUnavailable(f"{where} tells no metadata: {said or error.args[0].str()}")

    def _refusal(self, why: str) -> str:
        where, mechanism = self._settings["bootstrap.servers"], self._settings.get("sasl.mechanism")
        if "sasl.username" not in self._settings:
            return f"{where} wants a user and password (SASL)"
        if "supported mechanisms" in why or "mechanism handshake" in why:
            return f"{where} does not take {mechanism} (SASL): another mechanism, or no user at all"
        return f"wrong user or password for {where} ({mechanism})"


def _answer(future: Future[Any], ends: float) -> Any:
    """Return what a question gave, or the Problem that it met."""
    try:
        return future.result(timeout=_left(ends) + SPARE_SECONDS)
    except KafkaException as error:
        return _problem(error)
    except (FutureTimeout, TimeoutError):
        return Problem("no answer in time", is_late=True)


def _answers(futures: Mapping[Any, Future[Any]], ends: float) -> tuple[dict[Any, Any], dict[Any, Problem]]:
    """Return what came by key, and what did not."""
    found = {key: _answer(future, ends) for key, future in futures.items()}
    good = {key: each for key, each in found.items() if not isinstance(each, Problem)}
    return good, {key: each for key, each in found.items() if isinstance(each, Problem)}


def _place_offsets(futures: Mapping[TopicPartition, Future[Any]], ends: float) -> PlaceOffsets:
    good, bad = _answers(futures, ends)
    # librdkafka answers -1001 without an error for a partition whose broker fell silent during the question.
    told = {place: int(found.offset) for place, found in good.items() if found.offset >= 0}
    bad |= {place: Problem("no offset told", is_late=True) for place in good if place not in told}
    return PlaceOffsets(
        [(place.topic, place.partition, offset) for place, offset in told.items()],
        [(place.topic, place.partition, problem) for place, problem in bad.items()],
    )


def _offsets(found: Any) -> list[Offset]:
    """Return the committed offsets that a group's answer tells; a partition without one has a negative offset."""
    return [
        (each.topic, each.partition, each.offset)
        for each in found.topic_partitions or ()
        if each.error is None and each.offset >= 0
    ]


def _description(found: Any) -> Description:
    node = found.coordinator
    return Description(
        state=_state_text(found.state),
        members=tuple(
            Member(
                member.client_id or member.member_id or "",
                (member.host or "").removeprefix("/"),
                frozenset((each.topic, each.partition) for each in member.assignment.topic_partitions or ()),
            )
            for member in found.members
        ),
        assignor=found.partition_assignor or "",
        coordinator=f"{node.id} ({node.host}:{node.port})" if node is not None else "",
    )


def _state_text(state: Any) -> str:
    """Return librdkafka's name of a state as words: "preparing rebalancing"."""
    return str(state.name).lower().replace("_", " ") if state is not None else ""


def _problem(error: KafkaException | KafkaError) -> Problem:
    found = error.args[0] if isinstance(error, KafkaException) else error
    code = found.code()
    return Problem(found.str(), code in AUTHORIZATION_ERRORS, code in UNSUPPORTED_ERRORS, code in LATE_ERRORS)


def _ends(seconds: float) -> float:
    return time.monotonic() + seconds


def _left(ends: float) -> float:
    """Return how long a question may take; a reading that has no time left asks with the shortest there is."""
    return min(max(ends - time.monotonic() - SPARE_SECONDS, SPARE_SECONDS), LONGEST_CALL_SECONDS)


if __name__ == "__main__":
    asker = Asker()
    serve({each.__name__: each for each in (asker.open, asker.metadata, asker.groups, asker.read, asker.move)})
