"""Watching RabbitMQ: its management API in trouble, refusing, and behaving badly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from collectors.kinds.rabbitmq.collector import RabbitmqCollector
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.rabbitmq.source import RabbitmqSource
from core.model import Reading, Status
from tests.collectors.readings import Time, value
from tests.support.bad_servers import BEHAVIOURS, SAID_OF_HTTP, assert_survives
from tests.support.rabbitmq_api import NODE, QUEUE, RabbitmqApi
from tests.support.tls_server import TlsServer

NOW = 1_700_000_000.0


@pytest.fixture
def api() -> Iterator[RabbitmqApi]:
    with RabbitmqApi() as started:
        yield started


def source(url: str, timeout_seconds: float = 0.5, **more: Any) -> RabbitmqSource:
    return RabbitmqSource(name="main", url=SecretStr(url), timeout_seconds=timeout_seconds, **more)


def read(api: RabbitmqApi, **more: Any) -> Reading:
    return RabbitmqCollector(source(api.url, 5.0, **more)).collect(NOW)


def test_a_cluster_that_is_well_is_read_over_one_connection(api: RabbitmqApi) -> None:
    api.message_stats = {"publish": 90, "publish_details": {"rate": 3.0}}
    collector = RabbitmqCollector(source(api.url, 5.0))
    readings = [collector.collect(NOW) for _ in range(3)]
    assert readings[-1].components[0].status is Status.OK
    assert readings[-1].components[0].why == "RabbitMQ 4.1.0, 1 node, 1 queue"
    assert value(readings[-1], "rabbitmq_published_per_second") == 3.0
    assert value(readings[-1], "rabbitmq_redelivered_per_second") == 0.0
    assert value(readings[-1], "rabbitmq_node_memory_used_ratio", node="rabbit@a") == pytest.approx(0.01368, rel=1e-3)
    assert api.connections == 1
    assert api.paths.count("/api/vhosts") == 1 and len(api.paths) == 10


@pytest.mark.parametrize(
    ("nodes", "queues", "vhost", "status", "why"),
    [
        ([{"mem_alarm": True}], [], "running", Status.CRITICAL, "memory alarm on rabbit@a: publishers are blocked"),
        ([{"disk_free_alarm": True}], [], "running", Status.CRITICAL, "disk alarm on rabbit@a: publishers are blocked"),
        ([{"mem_used": 9e9}], [], "running", Status.WARNING, "rabbit@a uses 89.0 % of its memory limit"),
        ([{"disk_free": 8e7}], [], "running", Status.WARNING, "rabbit@a has 76.3 MiB free, its alarm is at 47.7 MiB"),
        ([{}, {"name": "rabbit@b", "running": False}], [], "running", Status.CRITICAL, "rabbit@b is not running"),
        ([{"partitions": ["rabbit@b"]}], [], "running", Status.CRITICAL,
         "the network is partitioned: rabbit@a does not see rabbit@b"),
        ([{"fd_used": 1_000}], [], "running", Status.CRITICAL, "rabbit@a uses 97.7 % of its file descriptors"),
        ([{}], [{"state": "crashed"}], "running", Status.CRITICAL, "orders is crashed"),
        ([{}], [{"members": ["a", "b", "c"], "online": ["a"]}], "running", Status.WARNING,
         "without a majority: orders has 1 of 3 members"),
        ([{}], [{"messages_ready": 7, "consumers": 0, "vhost": "eu"}], "running", Status.WARNING,
         "nobody reads: eu/orders holds 7 messages"),
        ([{}], [{"messages_ready": 7, "head_message_timestamp": NOW - 90}], "running", Status.WARNING,
         "the oldest of 7 messages in orders is 90 s old"),
        ([{}], [{"messages_ready": 7, "consumers": 0, "name": "orders.dlq", "head_message_timestamp": 1}], "running",
         Status.OK, "RabbitMQ 4.1.0"),
        ([{}], [], "stopped", Status.CRITICAL, "virtual host / is stopped on rabbit@a"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_sentence(
    api: RabbitmqApi, nodes: list[Any], queues: list[Any], vhost: str, status: Status, why: str
) -> None:
    api.nodes = [{**NODE, **each} for each in nodes]
    api.queues = [{**QUEUE, **each} for each in queues]
    api.vhosts[0]["cluster_state"]["rabbit@a"] = vhost
    component = read(api, unread_seconds=0).components[0]
    assert component.status is status
    assert why in component.why


def test_a_queue_without_consumer_is_told_only_when_it_lasts(api: RabbitmqApi) -> None:
    clock = Time()
    collector = RabbitmqCollector(source(api.url, 5.0), clock)
    api.queues[0].update(messages_ready=5, consumers=0)
    statuses = []
    for seconds in (0, 20, 11):
        clock.seconds += seconds
        statuses.append(collector.collect(NOW).components[0].status)
    assert statuses == [Status.OK, Status.OK, Status.WARNING]
    api.queues[0]["consumers"] = 1
    assert collector.collect(NOW).components[0].status is Status.OK


def test_deliveries_that_are_repeated_are_told(api: RabbitmqApi) -> None:
    api.message_stats = {"deliver_get_details": {"rate": 20.0}, "redeliver_details": {"rate": 5.0}}
    assert "25.0 % of deliveries are redeliveries" in read(api).components[0].why


def test_what_a_stopped_node_does_not_tell_is_not_invented(api: RabbitmqApi) -> None:
    api.nodes.append({"name": "rabbit@b", "running": False, "type": "disc"})
    reading = read(api)
    assert value(reading, "rabbitmq_nodes_running") == 1
    assert value(reading, "rabbitmq_node_memory_bytes", node="rabbit@b") is None


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    said = assert_survives(
        lambda host, port: RabbitmqCollector(source(f"http://u:p@{host}:{port}")), behaviour, drip=b"H"
    )
    assert SAID_OF_HTTP[behaviour] in said


def refusal(url: str) -> str:
    with pytest.raises(SourceRejected) as error:
        RabbitmqCollector(source(url)).collect(NOW)
    return str(error.value)


def test_each_refusal_has_a_sentence_of_its_own(api: RabbitmqApi) -> None:
    wrong = refusal(api.url.replace("guest:guest", "guest:hunter2"))
    assert "wrong user or password" in wrong and "hunter2" not in wrong
    assert "wants a user and password" in refusal(api.url.replace("guest:guest@", ""))
    assert "speaks no TLS" in refusal(api.url.replace("http:", "https:"))
    api.version = "3.6.16"
    assert "RabbitMQ 3.6.16 is too old: 3.8 is the least" in refusal(api.url)
    api.version = "4.1.0"
    api.statuses["/api/nodes"] = (401, "Not monitor user")
    assert "lacks the tag monitoring" in refusal(api.url)
    api.statuses["/api/overview"] = (404, "")
    assert "has no RabbitMQ's management API (404)" in refusal(api.url)
    api.statuses["/api/overview"] = (503, "")
    with pytest.raises(SourceUnavailable, match="answers 503 to /api/overview"):
        RabbitmqCollector(source(api.url)).collect(NOW)
    with TlsServer(b"") as secured:
        assert "speaks TLS, and we were told that it does not" in refusal(f"http://u:p@127.0.0.1:{secured.port}")


def test_the_port_of_amqp_is_told_from_that_of_management() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1_000)
                    connection.sendall(b"AMQP\x00\x00\x09\x01")

        thread = threading.Thread(target=greet)
        thread.start()
        said = refusal(f"http://u:p@127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert "is the port of AMQP: the management port is needed" in said


def test_settings_refuse_what_cannot_work() -> None:
    for wrong in ({"url": "amqp://u:p@h"}, {"url": "http://h", "ignored_queues": "("}):
        with pytest.raises(ValidationError):
            RabbitmqSource.model_validate({"name": "main", **wrong})
