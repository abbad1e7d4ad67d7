"""Watching Kafka: a broker with real groups, a cluster of three that loses one, and servers that behave badly."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import OFFSET_INVALID, TopicPartition
from confluent_kafka.admin import ListOffsetsResultInfo
from pydantic import SecretStr, ValidationError

from collectors.kinds.kafka.collector import KafkaCollector, act
from collectors.kinds.kafka.librdkafka import _place_offsets
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.kafka import spec
from core.kinds.kafka.source import KafkaSource
from core.model import Reading, Status
from core.tables import R, rows_of
from tests.collectors.readings import Time, value
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.kafka_servers import MockCluster, Tansu, commit, create, member, produce, until
from tests.support.servers import BUSY_SECONDS, free_port
from tests.support.tls_server import TlsServer

TIMEOUT_SECONDS = 1.0
STEP_SECONDS = 15.0


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Tansu]:
    with Tansu(tmp_path / "broker") as started:
        create(started.bootstrap, orders=2, orders__DLQ=1)
        yield started


def source(bootstrap: str, timeout_seconds: float = 2.0, **more: Any) -> KafkaSource:
    return KafkaSource(name="main", bootstrap=bootstrap, timeout_seconds=timeout_seconds, **more)


def steps(collector: KafkaCollector, clock: Time, seconds: float) -> Reading:
    """Return the last of the readings that fill `seconds`."""
    for _ in range(round(seconds / STEP_SECONDS)):
        clock.seconds += STEP_SECONDS
        reading = collector.collect(clock.seconds)
    return reading


def rows(reading: Reading, row: type[R]) -> list[R]:
    return rows_of({table.name: table for table in reading.tables}, row)


def group(reading: Reading, name: str) -> spec.Group:
    return next(row for row in rows(reading, spec.Group) if row.group == name)


def refusal(watched: KafkaSource) -> str:
    with pytest.raises(SourceRejected) as error:
        KafkaCollector(watched).collect(0.0)
    return str(error.value)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    said = assert_survives(lambda host, port: KafkaCollector(source(f"{host}:{port}", TIMEOUT_SECONDS)), behaviour)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not Kafka",
        "drip": "not Kafka",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said


def test_each_refusal_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    with Tansu(tmp_path / "locked", "--authentication") as locked:
        wrong = refusal(source(locked.bootstrap, user="desk", password=SecretStr("hunter2"), mechanism="SCRAM-SHA-256"))
        assert "wrong user or password" in wrong and "hunter2" not in wrong
        assert "does not take PLAIN" in refusal(
            source(locked.bootstrap, user="desk", password=SecretStr("hunter2"), mechanism="PLAIN")
        )
        assert "sasl.password must be set" in refusal(source(locked.bootstrap, user="desk"))
        with pytest.raises(SourceUnavailable, match=r"closes the connection .* may want a user and password"):
            KafkaCollector(source(locked.bootstrap)).collect(0.0)
    with Tansu(tmp_path / "open") as broker:
        said = f"{_failure(source(broker.bootstrap, TIMEOUT_SECONDS, tls=True))}"
        assert "it hangs, or speaks no TLS" in said or "speaks no TLS" in said
    with TlsServer(b"") as secured:
        assert "speaks TLS, and we were told that it does not" in refusal(source(f"127.0.0.1:{secured.port}"))
        assert "is not trusted" in refusal(source(f"127.0.0.1:{secured.port}", tls=True))
    with MockCluster(1) as old:
        old.call("set_apiversion", 2, 0, 0)
        assert "too old" in refusal(source(old.bootstrap))
    with pytest.raises(ValidationError, match="host:port"):
        source("kafka://somewhere")
    nowhere = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    assert "none of 2 brokers" in str(_failure(source(nowhere)))


def _failure(watched: KafkaSource) -> Exception:
    with pytest.raises((SourceRejected, SourceUnavailable)) as error:
        KafkaCollector(watched).collect(0.0)
    return error.value


def test_lag_is_told_in_messages_and_in_seconds(broker: Tansu, clock: Time) -> None:
    collector = KafkaCollector(source(broker.bootstrap), clock)
    commit(broker.bootstrap, "audit", "orders", 0)
    collector.collect(0.0)
    for _ in range(6):  # a message a second
        produce(broker.bootstrap, "orders", 15)
        reading = steps(collector, clock, STEP_SECONDS)
    commit(broker.bootstrap, "audit", "orders", 60)
    reading = steps(collector, clock, STEP_SECONDS)
    found = group(reading, "audit")
    assert (found.lag, found.state, found.members, found.verdict) == (30, "empty", 0, "ok")
    assert found.behind_seconds == pytest.approx(30 + STEP_SECONDS, abs=0.1) and not found.is_least
    assert value(reading, "kafka_group_lag_messages", group="audit") == 30
    assert value(reading, "kafka_group_out_per_second", group="audit") == pytest.approx(60 / STEP_SECONDS)
    topic = next(row for row in rows(reading, spec.Topic) if row.topic == "orders")
    assert (topic.messages, topic.lag, topic.groups) == (90, 30, 1)
    produce(broker.bootstrap, "orders", 30, partition=1)
    reading = steps(collector, clock, STEP_SECONDS)
    assert value(reading, "kafka_messages_in_per_second") == pytest.approx(30 / STEP_SECONDS)


def test_a_living_group_that_does_not_move_is_stuck_and_once_it_commits_again_all_is_well(
    broker: Tansu, clock: Time
) -> None:
    produce(broker.bootstrap, "orders", 50)
    collector = KafkaCollector(source(broker.bootstrap), clock)
    with member(broker.bootstrap, "risk", "orders") as consumer:
        consumer.commit(asynchronous=False)
        committed = int(consumer.committed(consumer.assignment())[0].offset)
        collector.collect(0.0)
        stuck = steps(collector, clock, 165)
        component = stuck.components[0]
        assert component.status is Status.CRITICAL
        assert f"group risk is stuck at offset {committed} of orders[0], {50 - committed} messages" in component.why
        assert group(stuck, "risk").state == "stable"
        until(lambda: _reads_all(consumer), "the rest does not come")
        consumer.commit(asynchronous=False)
        assert steps(collector, clock, STEP_SECONDS).components[0].status is Status.OK


def _reads_all(consumer: Any) -> bool:
    message = consumer.poll(0.1)
    return message is not None and message.error() is None and message.offset() == 49


def test_a_group_that_nobody_reads_for_any_more_has_stopped(broker: Tansu, clock: Time) -> None:
    produce(broker.bootstrap, "orders", 10)
    commit(broker.bootstrap, "audit", "orders", 10)
    collector = KafkaCollector(source(broker.bootstrap), clock)
    assert collector.collect(0.0).components[0].status is Status.OK
    produce(broker.bootstrap, "orders", 1_200)
    stopped = steps(collector, clock, 180)
    assert stopped.components[0].status is Status.CRITICAL
    why = "group audit has stopped: nobody reads orders[0], 1\u202f200 messages (3 min) behind"
    assert why in stopped.components[0].why
    assert value(stopped, "kafka_group_is_failing", group="audit") == 1
    ignoring = KafkaCollector(source(broker.bootstrap, ignored_groups="^audit$"), clock)
    assert not rows(ignoring.collect(0.0), spec.Group)


def test_a_group_whose_offset_went_back_is_told_with_both_offsets(broker: Tansu, clock: Time) -> None:
    produce(broker.bootstrap, "orders", 100)
    commit(broker.bootstrap, "risk", "orders", 90)
    collector = KafkaCollector(source(broker.bootstrap), clock)
    collector.collect(0.0)
    commit(broker.bootstrap, "risk", "orders", 20)
    reading = steps(collector, clock, STEP_SECONDS)
    assert reading.components[0].status is Status.CRITICAL
    assert "group risk went back from 90 to 20 on orders[0], 80 messages" in reading.components[0].why
    assert value(reading, "kafka_group_out_per_second", group="risk") is None


def test_a_group_that_has_committed_beyond_the_end_is_no_group_without_lag(broker: Tansu, clock: Time) -> None:
    produce(broker.bootstrap, "orders", 20)
    commit(broker.bootstrap, "audit", "orders", 500)
    collector = KafkaCollector(source(broker.bootstrap), clock)
    collector.collect(0.0)
    reading = steps(collector, clock, STEP_SECONDS)
    assert reading.components[0].status is Status.WARNING
    why = "topic orders was re-created: group audit has committed 500 of orders[0], beyond its end 20"
    assert why in reading.components[0].why
    found = group(reading, "audit")
    assert (found.verdict, found.lag, found.behind_seconds) == ("beyond the end", None, None)
    assert value(reading, "kafka_group_lag_messages", group="audit") is None
    commit(broker.bootstrap, "audit", "orders", 15)
    healed = steps(collector, clock, STEP_SECONDS)
    assert healed.components[0].status is Status.OK and group(healed, "audit").lag == 5, "it did not go back"


def test_a_dead_letter_is_told_for_ten_minutes(broker: Tansu, clock: Time) -> None:
    collector = KafkaCollector(source(broker.bootstrap), clock)
    produce(broker.bootstrap, "orders.DLQ", 5)
    assert collector.collect(0.0).components[0].status is Status.OK, "those of before are old news"
    produce(broker.bootstrap, "orders.DLQ", 3)
    told = steps(collector, clock, STEP_SECONDS)
    assert told.components[0].status is Status.WARNING
    assert "dead letters in the last 10 min: 3 in orders.DLQ" in told.components[0].why
    assert value(told, "kafka_dead_letters", topic="orders.DLQ") == 8
    assert steps(collector, clock, 630).components[0].status is Status.OK


def test_a_group_without_members_is_moved_and_one_with_members_is_not(broker: Tansu, clock: Time) -> None:
    watched = source(broker.bootstrap)
    produce(broker.bootstrap, "orders", 100)
    commit(broker.bootstrap, "audit", "orders", 40)
    told = act(watched, "reset_to_end", "audit").sentence
    assert told == "group audit moved to the end of 1 partition: 60 messages skipped"
    assert group(KafkaCollector(watched, clock).collect(0.0), "audit").lag == 0
    assert "100 messages to be read again" in act(watched, "reset_to_start", "audit").sentence
    assert group(KafkaCollector(watched, clock).collect(0.0), "audit").lag == 100
    with member(broker.bootstrap, "risk", "orders"), pytest.raises(SourceRejected, match="stop its members first"):
        act(watched, "reset_to_end", "risk")
    with pytest.raises(SourceRejected, match="nobody"):
        act(watched, "reset_to_end", "nobody")
    with pytest.raises(SourceRejected, match="no action"):
        act(watched, "delete_topic", "orders")


def test_a_broker_that_dies_and_comes_back(clock: Time) -> None:
    with MockCluster(3) as cluster:
        cluster.call("topic_create", "orders", 6, 3)
        cluster.call("partition_set_leader", "orders", 0, 2)
        collector = KafkaCollector(source(cluster.bootstrap), clock)
        collector.collect(0.0)
        before = threading.active_count(), psutil.Process().num_threads()
        cluster.call("broker_set_down", 2)
        began = time.monotonic()
        reading = steps(collector, clock, STEP_SECONDS)
        assert time.monotonic() - began < 2 + BUSY_SECONDS
        component = reading.components[0]
        assert component.status is Status.CRITICAL
        assert "without a leader: orders[0]" in component.why
        assert "broker 2 (replicas of 6 partitions) is gone" in component.why
        assert value(reading, "kafka_partitions_under_replicated") == 6
        assert (value(reading, "kafka_brokers"), value(reading, "kafka_brokers_gone")) == (2, 1)
        gone = rows(reading, spec.Broker)[0]
        assert (gone.broker, gone.state) == (2, "gone")
        steps(collector, clock, 10 * STEP_SECONDS)
        cluster.call("broker_set_up", 2)
        healed = steps(collector, clock, STEP_SECONDS)
        assert "gone" not in healed.components[0].why and value(healed, "kafka_brokers") == 3
        steps(collector, clock, 10 * STEP_SECONDS)
        after = threading.active_count(), psutil.Process().num_threads()
        assert after[0] <= before[0] and after[1] <= before[1] + 1


def test_a_cluster_that_cannot_list_groups_still_tells_its_brokers(clock: Time) -> None:
    with MockCluster(2) as cluster:
        cluster.call("topic_create", "orders", 2, 2)
        reading = KafkaCollector(source(cluster.bootstrap), clock).collect(0.0)
    assert value(reading, "kafka_brokers") == 2
    assert reading.components[0].status is Status.UNKNOWN
    assert "cannot list its consumer groups" in reading.components[0].why


def test_a_broker_that_falls_silent_is_left_within_the_deadline_and_nothing_piles_up(
    broker: Tansu, clock: Time
) -> None:
    collector = KafkaCollector(source(broker.bootstrap, TIMEOUT_SECONDS), clock)
    collector.collect(0.0)
    us = psutil.Process()
    threads, processes = us.num_threads(), len(us.children())
    broker.freeze()
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"no answer .* accepted the connection and says nothing"):
            collector.collect(5.0)
        assert time.monotonic() - began < TIMEOUT_SECONDS + BUSY_SECONDS
    broker.thaw()
    until(lambda: _answers(collector), "it does not come back")
    assert us.num_threads() <= threads and len(us.children()) <= processes


@pytest.mark.parametrize("frozen_seconds", [0.5, 3.0, 9.0])
def test_a_broker_that_thaws_is_all_well_at_the_second_reading(broker: Tansu, frozen_seconds: float) -> None:
    produce(broker.bootstrap, "orders", 5)
    for number in range(10):
        commit(broker.bootstrap, f"group-{number}", "orders", 5)
    collector = KafkaCollector(source(broker.bootstrap))
    until(lambda: _is_well(collector), "it is not well")
    broker.freeze()
    ends = time.monotonic() + frozen_seconds
    while time.monotonic() < ends:
        assert not _is_well(collector)
    broker.thaw()
    assert _is_well(collector) or _is_well(collector), collector.collect(0.0).components[0].why
    assert len(rows(collector.collect(0.0), spec.Group)) == 10


def test_an_offset_that_librdkafka_does_not_know_is_no_offset() -> None:
    answered: Future[ListOffsetsResultInfo] = Future()
    answered.set_result(ListOffsetsResultInfo(OFFSET_INVALID, -1, -1))
    known: Future[ListOffsetsResultInfo] = Future()
    known.set_result(ListOffsetsResultInfo(7, -1, -1))
    asked = {TopicPartition("orders", 0): answered, TopicPartition("orders", 1): known}
    found = _place_offsets(asked, time.monotonic())
    assert found.offsets == {("orders", 1): 7}
    assert found.silent[("orders", 0)].is_late


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
def test_a_client_that_is_killed_or_aborts_costs_no_reading(broker: Tansu, number: signal.Signals) -> None:
    others = set(_clients())
    collector = KafkaCollector(source(broker.bootstrap))
    until(lambda: _is_well(collector), "it is not well")
    (child,) = set(_clients()) - others
    child.send_signal(number)
    assert _is_well(collector)


def _clients() -> list[psutil.Process]:
    """Return the processes of librdkafka; some may be of collectors of before."""
    return [each for each in psutil.Process().children() if "collectors.kinds.kafka.librdkafka" in each.cmdline()]


def _is_well(collector: KafkaCollector) -> bool:
    try:
        return collector.collect(0.0).components[0].status is Status.OK
    except SourceUnavailable:
        return False


def _answers(collector: KafkaCollector) -> bool:
    try:
        return bool(collector.collect(10.0).components)
    except SourceUnavailable:
        return False


def test_a_restart_gives_no_rate_and_the_client_finds_the_way_back(broker: Tansu, clock: Time) -> None:
    produce(broker.bootstrap, "orders", 50)
    collector = KafkaCollector(source(broker.bootstrap), clock)
    collector.collect(0.0)
    broker.kill()
    with pytest.raises(SourceUnavailable, match="nothing listens at"):
        collector.collect(5.0)
    broker.start()
    create(broker.bootstrap, orders=2)
    produce(broker.bootstrap, "orders", 10)
    until(lambda: _answers(collector), "it does not come back")
    clock.seconds += STEP_SECONDS
    assert (value(collector.collect(0.0), "kafka_messages_in_per_second") or 0) >= 0
