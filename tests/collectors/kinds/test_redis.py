"""Watching a Redis: against the real Valkey under load, and against servers that behave badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from collectors.kinds.redis.collector import RedisCollector, act
from collectors.kinds.redis.info import Info
from collectors.kinds.redis.streams import GROWING_SECONDS, READ_EVERY_SECONDS
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.redis.source import RedisSource
from core.model import Status
from tests.collectors.readings import rows, value
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.redis_servers import RedisServer
from tests.support.servers import BUSY_SECONDS
from tests.support.tls_server import TlsServer

TIMEOUT_SECONDS = 0.5


class Time:
    """A monotonic clock that a test moves; between moves it runs by microseconds, as PING takes some."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        self.seconds += 1e-6
        return self.seconds


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "server", maxmemory="64mb", slowlog_log_slower_than="1000") as started:
        yield started


@pytest.fixture
def clock() -> Time:
    return Time()


def source(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> RedisSource:
    return RedisSource(name="main", url=SecretStr(url), timeout_seconds=timeout_seconds)


def watching(server: RedisServer, clock: Time | None = None) -> RedisCollector:
    return RedisCollector(source(server.url, 5.0), clock or time.monotonic)


def refusal(url: str) -> str:
    with pytest.raises(SourceRejected) as error:
        RedisCollector(source(url)).collect(0.0)
    return str(error.value)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    said = assert_survives(lambda host, port: RedisCollector(source(f"redis://{host}:{port}")), behaviour)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not Redis",
        "drip": "no answer from",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said


def test_each_refusal_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "locked", requirepass="secret") as locked:
        assert "wants a password" in refusal(locked.url)
        wrong = refusal(locked.url.replace("//", "//:hunter2@"))
        assert "wrong user or password" in wrong and "hunter2" not in wrong
        with locked.client(password="secret") as client:
            client.acl_setuser("blind", enabled=True, passwords=["+x"], commands=["+ping"], keys=["*"])
        assert "lacks a permission" in refusal(locked.url.replace("//", "//blind:x@"))
        assert "speaks no TLS" in refusal(locked.url.replace("redis:", "rediss:"))
        right = RedisCollector(source(locked.url.replace("//", "//:secret@"))).collect(0.0)
        assert right.components[0].status is Status.OK
    with RedisServer(tmp_path / "open") as unlocked:
        assert "has no password, and the URL has one" in refusal(unlocked.url.replace("//", "//:hunter2@"))
    with TlsServer(b"") as secured:
        assert "speaks TLS, and we were told that it does not" in refusal(f"redis://127.0.0.1:{secured.port}")
    with pytest.raises(SourceRejected, match=r"Redis 3\.2\.1 is too old"):
        Info.parse("redis_version:3.2.1\r\n")


def test_rates_and_the_hit_rate_are_of_the_interval(server: RedisServer, clock: Time) -> None:
    collector = watching(server, clock)
    with server.client() as client:
        client.mset({f"k:{number}": "x" for number in range(100)})
        client.get("nothing")
        first = collector.collect(0.0)
        assert value(first, "redis_commands_per_second") is None
        clock.seconds += 10
        for number in range(100):
            client.get(f"k:{number if number < 80 else 1_000}")
        second = collector.collect(10.0)
    assert value(second, "redis_hit_ratio") == pytest.approx(0.8)
    assert value(second, "redis_hits_per_second") == pytest.approx(8.0, rel=0.01)
    assert value(second, "redis_keys", db="db0") == 100
    get = next(row for row in rows(second, "commands") if row["command"] == "get")
    assert get["calls_per_second"] == pytest.approx(10.0, rel=0.01)
    assert isinstance(get["p99_seconds"], float)
    clock.seconds += 10
    assert value(collector.collect(20.0), "redis_hit_ratio") is None


def test_a_restart_and_a_reset_give_no_rate_and_the_connection_is_opened_anew(tmp_path: Path, clock: Time) -> None:
    with RedisServer(tmp_path / "server") as server:
        collector = watching(server, clock)
        collector.collect(0.0)
        with server.client() as client:
            client.config_resetstat()
            clock.seconds += 5
            assert value(collector.collect(5.0), "redis_commands_per_second") is None
            clock.seconds += 5
            assert (value(collector.collect(10.0), "redis_commands_per_second") or -1) > 0
        server.restart()
        with server.client() as client:
            for _ in range(200):  # past what the counters were before
                client.ping()
        clock.seconds += 5
        assert value(collector.collect(15.0), "redis_commands_per_second") is None


def test_memory_is_held_against_its_limit_and_a_cache_that_evicts_is_told(tmp_path: Path, clock: Time) -> None:
    with RedisServer(tmp_path / "full", maxmemory="8mb") as server, server.client() as client:
        client.setrange("big", 6_600_000, b"x")
        component = watching(server).collect(0.0).components[0]
        assert component.status in (Status.WARNING, Status.CRITICAL)
        assert "% of its limit of 8.00 MiB" in component.why
    with RedisServer(tmp_path / "cache", maxmemory="3mb", maxmemory_policy="allkeys-lru") as server:
        collector = watching(server, clock)
        collector.collect(0.0)
        clock.seconds += 5
        with server.client() as client:
            for number in range(3_000):
                client.set(f"bar:{number}", "y" * 1_000)
        told = collector.collect(5.0).components[0]
        assert told.status is Status.WARNING and "evicted" in told.why and "allkeys-lru" in told.why


def test_errors_that_stop_writers_are_told_for_a_minute(tmp_path: Path, clock: Time) -> None:
    with RedisServer(tmp_path / "server", maxmemory="1mb") as server, server.client() as client:
        client.config_set("maxmemory", "100mb")
        client.set("k", "x")
        client.config_set("maxmemory", "1")
        with pytest.raises(redis.OutOfMemoryError):
            client.set("k", "x")
        client.config_set("maxmemory", "100mb")
        collector = watching(server, clock)
        collector.collect(0.0)
        client.config_set("maxmemory", "1")
        with pytest.raises(redis.OutOfMemoryError):
            client.set("k", "x")
        client.config_set("maxmemory", "100mb")
        clock.seconds += 5
        assert "answered 1 OOM error in" in collector.collect(5.0).components[0].why
        clock.seconds += 61
        assert collector.collect(66.0).components[0].status is Status.OK


def test_a_replica_that_lost_its_primary_is_critical(tmp_path: Path, server: RedisServer) -> None:
    with RedisServer(tmp_path / "replica", replicaof=f"127.0.0.1 {server.port}") as replica:
        until_linked(replica)
        assert "replica" in watching(replica).collect(0.0).components[0].why
        assert [row["state"] for row in rows(watching(server).collect(0.0), "replicas")] == ["online"]
        server.kill()
        ends = time.monotonic() + 5
        component = watching(replica).collect(0.0).components[0]
        while component.status is not Status.CRITICAL and time.monotonic() < ends:
            time.sleep(0.05)
            component = watching(replica).collect(0.0).components[0]
        assert component.status is Status.CRITICAL and "has lost its primary" in component.why


def until_linked(replica: RedisServer) -> None:
    ends = time.monotonic() + 10
    with replica.client() as client:
        while client.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < ends
            time.sleep(0.05)


def test_streams_are_found_and_a_growing_lag_is_told(server: RedisServer, clock: Time) -> None:
    collector = watching(server, clock)
    with server.client() as client:
        client.mset({f"other:{number}": "x" for number in range(3_000)})
        client.xadd("orders", {"n": 0})
        client.xgroup_create("orders", "risk", 0)
        client.xreadgroup("risk", "desk", {"orders": ">"}, count=1)
        now, steps = 0.0, int(GROWING_SECONDS / READ_EVERY_SECONDS) + 4
        for step in range(steps):
            client.xadd("orders", {"n": step})
            clock.seconds += READ_EVERY_SECONDS
            now += READ_EVERY_SECONDS
            reading = collector.collect(now)
    found = rows(reading, "streams")[0]
    assert (found["stream"], found["group"], found["pending"], found["consumers"]) == ("orders", "risk", 1, 1)
    assert value(reading, "redis_stream_lag", db="db0", stream="orders", group="risk") == steps
    assert reading.components[0].status is Status.WARNING
    assert "lag of orders (risk) has grown" in reading.components[0].why


def test_actions_do_what_they_say(server: RedisServer) -> None:
    watched = source(server.url, 5.0)
    with server.client() as client:
        client.eval("local n = 0 for i = 1, 3000000 do n = n + i end return n", 0)
        assert rows(watching(server).collect(0.0), "slowlog")[0]["command"].startswith("EVAL")  # type: ignore[attr-defined]
        assert "1 entries" in act(watched, "reset_slowlog", "").sentence or client.slowlog_len() == 0
        number = client.client_id()
        assert act(watched, "kill_client", str(number)).sentence == f"client {number} disconnected"
        with pytest.raises(SourceRejected, match="there is no client"):
            act(watched, "kill_client", str(number))
        for number in range(1_000):
            client.set(f"quote:{number}", "x" * 100, ex=60 if number % 4 else None)
        done = act(watched, "analyse_keys", "0")
    assert "all 1\u202f000 of 1\u202f000 keys" in done.sentence and done.table is not None
    of = {(row[0], row[1]): row for row in done.table.rows}
    assert of["namespace", "quote:"][3] == 1_000 and of["namespace", "quote:"][5] == pytest.approx(0.25)
    with pytest.raises(SourceRejected, match="no action"):
        act(watched, "flushall", "")


def test_a_server_that_falls_silent_is_left_within_the_deadline(server: RedisServer) -> None:
    collector = RedisCollector(source(server.url))
    collector.collect(0.0)
    server.freeze()
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no answer"):
        collector.collect(5.0)
    assert time.monotonic() - began < TIMEOUT_SECONDS + BUSY_SECONDS
    server.thaw()
    assert collector.collect(10.0).components[0].status is Status.OK


def test_a_user_with_few_rights_still_tells_what_it_may(server: RedisServer) -> None:
    with server.client() as client:
        client.acl_setuser("monitor", enabled=True, passwords=["+x"], commands=["+ping", "+info"])
    reading = RedisCollector(source(server.url.replace("//", "//monitor:x@"))).collect(0.0)
    assert value(reading, "redis_clients") is not None
    assert "SLOWLOG GET" in str(rows(reading, "about")[0]["denied"])
