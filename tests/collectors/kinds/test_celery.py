"""Watching Celery: real workers on Valkey that fail, retry, die and fall behind; brokers that behave badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.kinds.celery.collector import CeleryCollector
from collectors.kinds.celery.connection import Ages, QueueState
from collectors.kinds.celery.events import MOST_ENDED, MOST_WORKERS, Heard, Seen
from collectors.kinds.celery.found import Broker, Found
from collectors.kinds.celery.judge import judge
from collectors.kinds.celery.listener import UNREAD_SECONDS
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.celery import spec
from core.kinds.celery.source import CelerySource
from core.model import Reading, Status
from core.tables import R, rows_of
from tests.collectors.readings import check, value
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.celery_workers import CeleryWorker, app
from tests.support.redis_servers import RedisServer
from tests.support.tls_server import TlsServer

SECONDS = 25.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "server") as started:
        app.conf.broker_url = broker(started)
        yield started


def broker(server: RedisServer) -> str:
    return f"{server.url}/0"


def source(url: str, timeout_seconds: float = 1.5, **more: object) -> CelerySource:
    return CelerySource.model_validate(
        {"name": "main", "broker": url, "timeout_seconds": timeout_seconds, "inspect_seconds": 5, **more}
    )


@pytest.fixture
def watch() -> Iterator[Callable[..., CeleryCollector]]:
    """Return a function that makes a collector, whose listener leaves when the test ends."""
    made: list[CeleryCollector] = []

    def start(url: str, **more: object) -> CeleryCollector:
        collector = CeleryCollector(source(url, 2.0, **more))
        made.append(collector)
        return collector

    yield start
    for each in made:
        each.listener.leave()


def send(name: str, *arguments: object, queue: str = "celery", **options: object) -> None:
    with app.connection_for_write(str(app.conf.broker_url)) as connection:
        app.send_task(name, arguments, queue=queue, connection=connection, **options)


def rows(reading: Reading, row: type[R]) -> list[R]:
    return rows_of({table.name: table for table in reading.tables}, row)


def until(collector: CeleryCollector, holds: Callable[[Reading], bool], seconds: float = SECONDS) -> Reading:
    """Read every fifth of a second until a reading holds."""
    ends = time.monotonic() + seconds
    while True:
        reading = collector.collect(time.time())
        if holds(reading):
            return reading
        assert time.monotonic() < ends, [reading.components, reading.tables]
        time.sleep(0.2)


def test_tasks_that_fail_and_are_retried_are_told_with_their_exception(
    server: RedisServer, tmp_path: Path, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server))
    with CeleryWorker(broker(server), tmp_path):
        until(collector, lambda reading: check(reading, "workers")["status"] is Status.OK)
        for number in range(20):
            send("jobs.load", f"S{number}")
        for _ in range(5):
            send("jobs.fail", "AAPL")
        send("jobs.retry")
        send("jobs.wait", 30.0)
        reading = until(
            collector,
            lambda reading: (
                value(reading, "celery_tasks_active") == 1
                and check(reading, "failures")["why"] == "6 of 26 tasks failed in 10 min (jobs.fail 5, jobs.retry 1)"
                and len(rows(reading, spec.Running)) == 1
                and rows(reading, spec.Worker)[0].queues == "celery"  # a worker tells them later than its tasks
            ),
        )
    assert reading.components[0].status is Status.WARNING
    problem = next(row for row in rows(reading, spec.Problem) if row.task == "jobs.fail")
    assert (problem.outcome, problem.exception) == ("failed", "ValueError('no price for AAPL')")
    assert problem.worker == "w1@test" and "AAPL" in problem.arguments
    retried = next(row for row in rows(reading, spec.Problem) if row.outcome == "retried")
    assert (retried.task, retried.exception) == ("jobs.retry", "ConnectionError('vendor away')")
    tasks = {row.task: row for row in rows(reading, spec.Task)}
    assert (tasks["jobs.load"].succeeded, tasks["jobs.fail"].failed, tasks["jobs.retry"].retried) == (20, 5, 1)
    assert 0 < (tasks["jobs.load"].p50_seconds or 0) <= (tasks["jobs.load"].p95_seconds or 0) < 1
    worker = rows(reading, spec.Worker)[0]
    assert (worker.pool, worker.slots, worker.queues) == ("thread", 2, "celery")
    assert rows(reading, spec.Running)[0].task == "jobs.wait"


def test_tasks_that_workers_know_and_those_that_succeeded_are_told(
    server: RedisServer, tmp_path: Path, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server))
    with CeleryWorker(broker(server), tmp_path), CeleryWorker(broker(server), tmp_path, "w2", only="jobs.load"):
        until(collector, lambda reading: value(reading, "celery_workers") == 2)
        for number in range(4):
            send("jobs.load", f"S{number}")
        reading = until(
            collector,
            lambda reading: (
                len(rows(reading, spec.Succeeded)) == 4
                and {row.task for row in rows(reading, spec.Registered) if row.lacking}
                == {"jobs.fail", "jobs.retry", "jobs.wait"}
            ),
        )
    known = {row.task: (row.workers, row.lacking, row.succeeded) for row in rows(reading, spec.Registered)}
    assert known["jobs.load"] == (2, "", 4)
    assert known["jobs.fail"] == (1, "w2@test", 0)
    newest = rows(reading, spec.Succeeded)[0]
    assert (newest.task, newest.retries) == ("jobs.load", 0)
    assert newest.worker in ("w1@test", "w2@test") and newest.seconds is not None
    assert {row.arguments for row in rows(reading, spec.Succeeded)} == {f"('S{number}',)" for number in range(4)}


def test_a_worker_that_dies_is_critical_and_one_that_leaves_is_not(
    server: RedisServer, tmp_path: Path, watch: Callable[..., CeleryCollector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.kinds.celery.spec.LOST_SECONDS", 1.0)
    monkeypatch.setattr("core.kinds.celery.spec.LOST_HEARTBEATS", 2.0)
    collector = watch(broker(server))
    with CeleryWorker(broker(server), tmp_path) as dies, CeleryWorker(broker(server), tmp_path, "w2") as leaves:
        until(collector, lambda reading: value(reading, "celery_workers") == 2)
        leaves.stop()
        reading = until(collector, lambda reading: value(reading, "celery_workers") == 1)
        assert check(reading, "workers")["status"] is Status.OK
        dies.kill()
        reading = until(collector, lambda reading: value(reading, "celery_workers") == 0)
        assert reading.components[0].why.startswith("no worker is online (w1@test fell silent)")
        assert {row.worker: row.state for row in rows(reading, spec.Worker)} == {
            "w1@test": "lost",
            "w2@test": "left",
        }


def test_a_queue_that_nobody_takes_from_is_critical_and_its_age_is_that_of_the_oldest(
    server: RedisServer, tmp_path: Path, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server), queues=["celery", "orders"], queue_warning_seconds=1, queue_critical_seconds=900)
    with CeleryWorker(broker(server), tmp_path):
        until(collector, lambda reading: check(reading, "workers")["status"] is Status.OK)
        for number in range(3):
            send("jobs.load", f"S{number}", queue="orders", priority=3 * number)
        reading = until(collector, lambda reading: check(reading, "queue")["status"] is Status.CRITICAL)
        assert "no worker takes from its queue: orders holds 3 messages" in reading.components[0].why
    time.sleep(1.2)
    aged = {row.queue: row for row in rows(collector.collect(time.time()), spec.Queue)}
    assert aged["orders"].messages == 3 and aged["orders"].is_exact is True
    assert 1.0 < (aged["orders"].oldest_seconds or 0) < SECONDS and aged["orders"].age_status is Status.WARNING


def test_a_worker_without_task_events_is_named_and_its_tasks_are_counted_all_the_same(
    server: RedisServer, tmp_path: Path, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server))
    with CeleryWorker(broker(server), tmp_path, events=False):
        until(collector, lambda reading: check(reading, "workers")["status"] is Status.OK)
        for number in range(5):
            send("jobs.load", f"S{number}")
        reading = until(collector, lambda reading: check(reading, "events")["status"] is Status.WARNING)
    assert "w1@test sends no task events (start it with -E)" in reading.components[0].why
    assert rows(reading, spec.Worker)[0].processed == 5


def test_we_never_put_back_messages_that_others_hold_and_leave_little_behind(
    server: RedisServer, watch: Callable[..., CeleryCollector]
) -> None:
    with server.client() as client:
        client.hset("unacked", "tag", '[{"body": "", "properties": {}}, "", "celery"]')
        client.zadd("unacked_index", {"tag": time.time() - 100_000})
        collector = watch(broker(server))
        reading = until(collector, lambda _: collector.listener.asked is not None)
        time.sleep(2.5)
        assert (client.hlen("unacked"), client.llen("celery")) == (1, 0)
        assert value(reading, "celery_unacked_messages") == 1
        assert (value(reading, "celery_unacked_oldest_seconds") or 0) > 99_000
        names = {key.decode() for key in client.keys("*")}
        assert all(name.startswith(("_kombu.binding", "unacked", "fundwatch")) for name in names), names


def test_a_broker_that_comes_back_is_listened_to_again_by_one_thread(
    server: RedisServer, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server))
    until(collector, lambda _: collector.listener.asked is not None)
    threads = threading.active_count()
    for _ in range(2):
        server.kill()
        with pytest.raises(SourceUnavailable, match="nothing listens at"):
            until(collector, lambda _: False)
        server.start()
        until(collector, lambda _: collector.listener.asked is not None)
        assert threading.active_count() <= threads
    assert collector.listener.session == 3


def test_the_listener_leaves_when_nobody_reads(
    server: RedisServer, watch: Callable[..., CeleryCollector], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert UNREAD_SECONDS >= 60
    collector = watch(broker(server))
    until(collector, lambda _: collector.listener.since is not None)
    collector.listener.leave()
    ends = time.monotonic() + 5
    while any("celery:main" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_too_many_events_pause_the_reading_and_are_told(
    server: RedisServer, watch: Callable[..., CeleryCollector]
) -> None:
    collector = watch(broker(server), events_per_second=10)
    until(collector, lambda _: collector.listener.asked is not None)
    stop = threading.Event()

    def flood() -> None:
        from kombu import Connection, Exchange, Producer

        with Connection(broker(server)) as connection:
            producer = Producer(connection.channel(), Exchange("celeryev", "fanout"))
            while not stop.wait(0.002):
                event = {"type": "task-started", "uuid": "1", "timestamp": 1.0, "hostname": "w"}
                producer.publish(event, routing_key="task.started")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        reading = until(collector, lambda reading: "only a part" in str(check(reading, "events")["why"]))
        assert check(reading, "events")["status"] is Status.WARNING
        before = collector.heard.look(time.time()).counts["events"]
        time.sleep(2)
        assert collector.heard.look(time.time()).counts["events"] == before
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_broker_that_behaves_badly_is_outlived_and_told_apart(behaviour: str, scheme: str) -> None:
    said = assert_survives(lambda host, port: CeleryCollector(source(f"{scheme}://{host}:{port}")), behaviour)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not Redis" if scheme == "redis" else "not AMQP",
        "drip": "no answer from" if scheme == "redis" else "not AMQP",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said


def refusal(url: str) -> str:
    with pytest.raises(SourceRejected) as error:
        CeleryCollector(source(url)).collect(0.0)
    return str(error.value)


def test_each_refusal_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "locked", requirepass="secret") as locked:
        assert "wants a password" in refusal(locked.url)
        wrong = refusal(locked.url.replace("//", "//:hunter2@"))
        assert "wrong user or password" in wrong and "hunter2" not in wrong
        assert "speaks no TLS" in refusal(locked.url.replace("redis:", "rediss:"))
        assert "must be a number, not orders" in refusal(f"{locked.url}/orders")
        assert "no answer from" in _unavailable(locked.url.replace("redis:", "amqp:"))
    with TlsServer(b"") as secured:
        for scheme in ("redis", "amqp"):
            assert "speaks TLS, and we were told that it does not" in refusal(f"{scheme}://127.0.0.1:{secured.port}")


def _unavailable(url: str) -> str:
    with pytest.raises(SourceUnavailable) as error:
        CeleryCollector(source(url)).collect(0.0)
    return str(error.value)


def test_what_is_kept_is_bounded_and_nonsense_is_counted() -> None:
    heard = Heard()
    for number in range(MOST_ENDED + 500):
        id = str(number)
        heard.take({"type": "task-failed", "uuid": id, "timestamp": 1.0, "exception": "x" * 5_000}, 10.0)
        heard.take({"type": "worker-heartbeat", "hostname": f"w{number}", "freq": 2.0}, 10.0)
    heard.take([{"type": "task-failed"}, {"hostname": 3}, None, "text", {"type": "task-unheard-of"}], 10.0)
    seen = heard.look(10.0)
    assert (len(seen.ended), len(seen.problems), len(seen.workers)) == (MOST_ENDED, spec.MOST_PROBLEMS, MOST_WORKERS)
    assert seen.counts["malformed"] == 4
    assert len(seen.problems[0].exception) == 300
    assert heard.look(700.0).ended == ()


def test_arguments_are_left_out_when_told_so() -> None:
    event = {"type": "task-received", "uuid": "1", "name": "pay", "args": "('secret',)", "timestamp": 1.0}
    for shows, expected in ((True, "('secret',)"), (False, "")):
        heard = Heard(show_arguments=shows)
        heard.take([event, {"type": "task-failed", "uuid": "1", "timestamp": 2.0, "exception": "E()"}], 3.0)
        assert heard.look(3.0).problems[0].arguments == expected


def test_the_age_of_the_oldest_is_a_floor_that_never_falls_behind_what_was_seen() -> None:
    def seen(*received: str, **sent: float) -> Seen:
        return Seen({}, (), (), (), dict.fromkeys(received, 0.0), sent)

    def queue(messages: int, oldest: str, newest: str) -> QueueState:
        return QueueState("celery", messages, oldest, newest)

    ages = Ages()
    assert ages.age(queue(2, "a", "b"), seen(), 100.0, hears_all=True).seconds == 0  # type: ignore[union-attr]
    assert ages.age(queue(3, "a", "c"), seen(), 110.0, hears_all=True).seconds == 10  # type: ignore[union-attr]
    moved = ages.age(queue(2, "b", "c"), seen("a"), 120.0, hears_all=True)
    assert moved is not None and (moved.seconds, moved.is_exact) == (20, False)  # b was the newest at 100
    blind = ages.age(queue(2, "c", "d"), seen("a"), 130.0, hears_all=False)
    assert blind is not None and blind.seconds == 0
    exact = ages.age(queue(2, "c", "d"), seen(c=90.0), 130.0, hears_all=True)
    assert exact is not None and (exact.seconds, exact.is_exact) == (40, True)
    empty = ages.age(queue(0, "", ""), seen(), 140.0, hears_all=True)
    assert empty is not None and empty.seconds == 0


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(CelerySource(name="main", broker=SecretStr("redis://:hunter2@h:1/0")))


def test_a_task_that_runs_three_times_its_p99_is_told_once_enough_runs_are_known() -> None:
    def judged(runs: int, seconds: float) -> Status:
        broker = Broker(True, True, "", 0.0, 0.0)
        running = [spec.Running("bars.load", "w1@a", seconds, "", "1")]
        tasks = [spec.Task("bars.load", runs, runs, 0, 0, 0.0, runs, 1.0, 4.0, 5.0, 6.0, "")]
        found = Found(broker, Heard().look(0.0), running=running, tasks=tasks)
        checks = judge(source("redis://h"), found)
        return next(each.status for each in checks if each.name == "runtime")

    assert judged(20, 15.1) is Status.WARNING
    assert judged(20, 14.9) is Status.OK
    assert judged(19, 60.0) is Status.OK
