"""Rows of Kafka topics are taken in once, past poison, over the real protocol: a cluster of librdkafka's own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from confluent_kafka import Consumer as Client
from confluent_kafka import Producer, TopicPartition

from collectors import consume
from collectors.consume import Consumer, make
from collectors.runtime.registry import build_runner, enabled
from core.clock import SystemClock
from core.errors import SettingsError, SourceRejected, SourceUnavailable, StorageUnavailable
from core.model import Reading, Status
from core.pipeline.spec import TopicTaken
from core.settings.consume import Consume
from core.settings.load import load_settings
from core.tables import rows_of
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.pulled import read_pull, refused_of
from storage.stores import Stores
from tests.support.certificates import self_signed
from tests.support.kafka_servers import FreezingCluster, MockCluster, SigningInBroker
from tests.support.servers import free_port

AnyCluster = MockCluster | FreezingCluster
BASE = int(time.time()) - 3_600
TOPIC = "oms.fills"
LONGEST_SECONDS = 90.0
"""For a group to be joined, on a machine that has much else to do."""


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster(1) as started:
        started.call("topic_create", TOPIC, 2, 1)
        yield started


@pytest.fixture
def fund(stores: Stores) -> Stores:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    return replace(stores, clock=SystemClock())


def fill(number: int, **given: Any) -> dict[str, Any]:
    row = {"portfolio": "alpha", "trade_id": f"t{number}", "ts": BASE + number / 1_000, "instrument": "ACME",
           "side": "buy", "quantity": number, "price": 100.5}  # fmt: skip
    return {**row, **given}


def send(cluster: AnyCluster, *messages: bytes | dict[str, Any] | list[dict[str, Any]], partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    for message in messages:
        producer.produce(TOPIC, message if isinstance(message, bytes) else orjson.dumps(message), partition=partition)
    assert producer.flush(30) == 0


@contextmanager
def consumer(fund: Stores, cluster: AnyCluster, **given: Any) -> Iterator[Consumer]:
    made = make(fund, topic(cluster.bootstrap, **given))
    try:
        yield made
    finally:
        made.close()


def topic(bootstrap: str, **given: Any) -> Consume:
    return Consume(**{"name": "fills", "kind": "trades", "bootstrap": bootstrap, "topic": TOPIC, **given})


def look_until(importer: Consumer, holds: Callable[[Reading], object]) -> Reading:
    """Return the first reading of which something holds."""
    ends = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            reading = importer.take_in(time.time())
            if holds(reading):
                return reading
        except SourceUnavailable:
            pass
        assert time.monotonic() < ends, "it does not come to that"


def row(reading: Reading) -> TopicTaken:
    return rows_of({table.name: table for table in reading.tables}, TopicTaken)[0]


def has(rows: int, refused: int = 0) -> Callable[[Reading], bool]:
    return lambda reading: row(reading).rows >= rows and row(reading).refused >= refused and row(reading).lag == 0


def trades(stores: Stores) -> list[int]:
    """Return the quantities of every row that is stored, rows that were not replaced yet included once."""
    stores.writer.flush()
    found = stores.clickhouse.rows("SELECT toInt64(quantity) FROM trades FINAL WHERE origin = 'own' ORDER BY quantity")
    return [quantity for (quantity,) in found]


def committed(cluster: AnyCluster) -> list[int]:
    client = Client({"bootstrap.servers": cluster.bootstrap, "group.id": "fundwatch-fills", "log_level": 0})
    try:
        return [each.offset for each in client.committed([TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)], 30)]
    finally:
        client.close()


def test_messages_of_objects_and_lists_are_taken_once_and_committed(fund: Stores, cluster: MockCluster) -> None:
    send(cluster, *(fill(number) for number in range(1, 6)))
    send(cluster, [fill(number) for number in range(6, 9)], partition=1)
    with consumer(fund, cluster, batch_messages=2) as importer:
        told = look_until(importer, has(8))
        assert told.components[0].status is Status.OK
        assert trades(fund) == [*range(1, 9)] and committed(cluster) == [5, 1]
        assert row(told).partitions == 2 and row(told).last_message == pytest.approx(time.time(), abs=LONGEST_SECONDS)
        assert {sample.metric: sample.value for sample in told.samples}["consume_lag_messages"] == 0
        send(cluster, fill(9))
        look_until(importer, has(9))
    assert trades(fund) == [*range(1, 10)]


def test_a_topic_that_never_falls_silent_does_not_hold_up_a_look(fund: Stores, cluster: MockCluster) -> None:
    with consumer(fund, cluster) as importer:
        send(cluster, fill(1))
        look_until(importer, has(1))
        stopping = threading.Event()

        def trickle() -> None:
            number = 1
            while not stopping.wait(0.02):
                number += 1
                send(cluster, fill(number))

        sending = threading.Thread(target=trickle)
        sending.start()
        try:
            batches = []
            fetched = importer._fetched
            importer._fetched = lambda: batches.append(fetched()) or batches[-1]  # type: ignore[method-assign]
            look_until(importer, lambda reading: row(reading).rows > 3)
        finally:
            stopping.set()
            sending.join()
        assert all(batch.is_all for batch in batches), "each look was one batch: it ends where it has caught up"


def test_poison_is_kept_aside_with_its_place_and_stops_nothing(fund: Stores, cluster: MockCluster) -> None:
    poison: list[Any] = [
        b"{not json", b"\xff\xfe\x00", b"", b"7", b"[1, 2]", fill(1, side="sideways"), fill(2, colour="red"),
        {"portfolio": "alpha"}, fill(3, portfolio="nobody"), fill(4, ts=time.time() + 7_200), fill(5, quantity=0),
        b'{"portfolio": "al\\u0000pha"}',
    ]  # fmt: skip
    send(cluster, fill(10), *poison, [fill(11), fill(12, price=-1), fill(13)], fill(14))
    with consumer(fund, cluster) as importer:
        told = look_until(importer, has(4, len(poison) + 1))
    assert trades(fund) == [10, 11, 13, 14]
    assert row(told).refused == len(poison) + 1
    assert told.components[0].status is Status.WARNING and "13 rows refused" in told.components[0].why
    reasons = sorted(each.reason for each in refused_of(fund.state, "consume-fills"))
    for said in (
        "oms.fills[0] offset 1: the message is no JSON",
        "oms.fills[0] offset 2: the message is no UTF-8",
        "oms.fills[0] offset 3: the message is empty",
        "oms.fills[0] offset 4: the message is no object",
        "oms.fills[0] offset 5: the message is no object",
        "oms.fills[0] offset 6: side: is none that there is",
        "oms.fills[0] offset 7: colour: trades have no such column",
        "oms.fills[0] offset 8: ",
        "oms.fills[0] offset 9: portfolio: ",
        "oms.fills[0] offset 10: ts: lies in the future",
        "oms.fills[0] offset 11: quantity: is zero or below",
        "oms.fills[0] offset 13, row 2: price: is zero or below",
    ):
        assert any(reason.startswith(said) for reason in reasons), (said, reasons)
    assert committed(cluster)[0] == 15


def test_nothing_is_committed_before_it_is_durable(
    fund: Stores, cluster: MockCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(cluster, *(fill(number) for number in range(1, 4)))
    with consumer(fund, cluster) as importer:
        with monkeypatch.context() as broken:

            def away(*_args: Any, **_more: Any) -> Any:
                broken.seen = True  # type: ignore[attr-defined]
                raise StorageUnavailable("the disk is full")

            broken.setattr(consume, "take_good_rows", away)
            ends = time.monotonic() + LONGEST_SECONDS
            while not hasattr(broken, "seen"):
                assert time.monotonic() < ends
                try:
                    importer.take_in(time.time())
                except SourceUnavailable as error:
                    said = str(error)
            assert "messages wait where they are" in said
            assert max(committed(cluster)) < 0 and trades(fund) == []
        look_until(importer, has(3))
    assert trades(fund) == [1, 2, 3] and committed(cluster)[0] == 3


def test_a_killed_consumer_and_a_restart_lose_and_double_nothing(fund: Stores, cluster: MockCluster) -> None:
    send(cluster, *(fill(number) for number in range(1, 4)))
    with consumer(fund, cluster) as importer:
        look_until(importer, has(3))
        assert importer.child.pid is not None
        psutil.Process(importer.child.pid).kill()
        send(cluster, fill(4))
        look_until(importer, has(4))
    send(cluster, fill(5), partition=1)
    with consumer(fund, cluster) as importer:
        look_until(importer, has(5))
    assert trades(fund) == [1, 2, 3, 4, 5]
    assert read_pull(fund.state, "consume-fills").rows >= 5


def test_a_broker_goes_and_comes_back(fund: Stores, cluster: MockCluster) -> None:
    send(cluster, fill(1))
    with consumer(fund, cluster) as importer:
        look_until(importer, has(1))
        cluster.call("broker_set_down", 1)
        ends, said = time.monotonic() + LONGEST_SECONDS, ""
        while not said and time.monotonic() < ends:
            try:
                importer.take_in(time.time())
            except SourceUnavailable as error:
                said = str(error)
        assert said, "a broker that is away is told"
        cluster.call("broker_set_up", 1)
        send(cluster, fill(2))
        look_until(importer, has(2))
    assert trades(fund) == [1, 2]


def test_a_broker_that_freezes_loses_and_doubles_nothing(fund: Stores) -> None:
    """It holds its connections and says nothing: between reading and committing, and while it is asked for more."""
    with FreezingCluster(TOPIC, 2) as frozen, consumer(fund, frozen) as importer:
        send(frozen, *map(fill, range(1, 6)))
        look_until(importer, has(5))
        send(frozen, *map(fill, range(6, 9)), partition=1)
        fetched = importer._fetched()
        ends = time.monotonic() + LONGEST_SECONDS
        while not fetched.messages and time.monotonic() < ends:
            fetched = importer._fetched()
        assert fetched.messages, "they are read and not committed"
        frozen.freeze()
        try:
            with pytest.raises(SourceUnavailable):
                for _ in range(20):
                    importer.take_in(time.time())
        finally:
            frozen.thaw()
        send(frozen, *map(fill, range(9, 12)))
        look_until(importer, lambda reading: row(reading).lag == 0 and trades(fund) == [*range(1, 12)])
        assert sum(committed(frozen)) == 11
    assert trades(fund) == [*range(1, 12)]


def test_user_and_encryption_of_the_settings_reach_the_broker(fund: Stores, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with SigningInBroker(certificate, key) as broker:
        given: dict[str, Any] = {"user": "desk", "password": "a b&c", "tls": True, "ca_file": str(certificate)}
        for mechanism in ("PLAIN", "SCRAM-SHA-512"):
            seen, ends = len(broker.signed_in), time.monotonic() + LONGEST_SECONDS
            importer = make(fund, topic(broker.bootstrap, mechanism=mechanism, **given))
            try:
                while len(broker.signed_in) == seen and time.monotonic() < ends:
                    with contextlib.suppress(SourceUnavailable, SourceRejected):
                        importer.take_in(time.time())
            finally:
                importer.close()
        assert broker.signed_in[0] == ("PLAIN", b"\0desk\0a b&c")
        mechanism, first = broker.signed_in[-1]
        assert mechanism == "SCRAM-SHA-512" and first.startswith(b"n,,n=desk,r="), "the password itself is not sent"
        untrusted = make(fund, topic(broker.bootstrap, **{**given, "ca_file": ""}))
        try:
            with pytest.raises(SourceRejected, match="certificate"):
                untrusted.take_in(time.time())
        finally:
            untrusted.close()


def test_two_members_share_the_partitions_and_take_each_row_once(fund: Stores, cluster: MockCluster) -> None:
    with consumer(fund, cluster) as one, consumer(fund, cluster) as other:
        look_until(one, lambda reading: row(reading).partitions == 2)
        number, shares = 0, (0, 0)
        ends = time.monotonic() + LONGEST_SECONDS
        while shares != (1, 1):
            assert time.monotonic() < ends, shares
            number += 1
            send(cluster, fill(number), partition=number % 2)
            shares = tuple(row(look_until(each, lambda _: True)).partitions for each in (one, other))  # type: ignore[assignment]
        look_until(one, lambda reading: row(reading).lag == 0)
        look_until(other, lambda reading: row(reading).lag == 0)
    assert trades(fund) == [*range(1, number + 1)]


def test_lines_of_csv_have_the_header_of_the_settings_or_their_own(fund: Stores, cluster: MockCluster) -> None:
    header = "portfolio,trade_id,ts,instrument,side,quantity,price"
    send(cluster, f"alpha,t1,{BASE},ACME,buy,1,10\nalpha,t2,{BASE},ACME,buy,2,10\n".encode(), b"alpha,t3")
    with consumer(fund, cluster, format="csv", header=header) as importer:
        look_until(importer, has(2, 1))
    assert trades(fund) == [1, 2]
    assert "has 2 cells in row 1" in refused_of(fund.state, "consume-fills")[0].reason
    send(cluster, f"{header}\nalpha,t4,{BASE},ACME,buy,4,10".encode(), partition=1)
    with consumer(fund, cluster, format="csv") as importer:
        look_until(importer, has(3, 1))
    assert trades(fund) == [1, 2, 4]


def test_what_is_wrong_with_the_topic_is_told(fund: Stores, cluster: MockCluster) -> None:
    for where, topic_name, said in (
        (cluster.bootstrap, "nowhere", "topic nowhere: there is no such topic"),
        (f"127.0.0.1:{free_port()}", TOPIC, "nothing listens at"),
    ):
        importer = make(fund, topic(where, topic=topic_name))
        try:
            with pytest.raises((SourceRejected, SourceUnavailable), match=said):
                for _ in range(20):
                    importer.take_in(time.time())
        finally:
            importer.close()


def test_a_topic_is_a_collector_like_any_other_and_wrong_settings_name_the_field(
    fund: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = '{"name": "fills", "kind": "trades", "bootstrap": "localhost:9092", "topic": "oms.fills"%s}'
    monkeypatch.setenv("FUNDWATCH_CONSUME", f"[{given % ''}]")
    settings = load_settings()
    assert "consume-fills" in enabled(settings) and settings.row_importers == ("consume-fills",)
    runner = build_runner(
        replace(fund, settings=fund.settings.model_copy(update={"consume": settings.consume})), ["consume-fills"]
    )
    assert runner.names == ["consume-fills"]
    for more, said in (
        (', "header": "a,b"', "header is of format: csv alone"),
        (', "format": "csv", "header": "portfolio,colour"', "trades have no column 'colour'"),
        (', "topic": "oms fills"', "must be the name of one topic"),
        (', "bootstrap": "kafka://x"', "must be host:port"),
        (', "password": "hunter2", "colour": 1', "unknown setting"),
    ):
        monkeypatch.setenv("FUNDWATCH_CONSUME", f"[{given % more}]")
        with pytest.raises(SettingsError, match=said) as error:
            load_settings()
        assert "hunter2" not in str(error.value)
    monkeypatch.setenv("FUNDWATCH_CONSUME", f"[{given % ''}, {given % ''}]")
    with pytest.raises(SettingsError, match="two topics are named fills"):
        load_settings()
