"""Redis as the present: complete after one tick, harmless when away."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from core.model import Component, Reading, Sample, Status, Table
from storage.live.embedded import Valkey
from storage.live.redis import Live

READING = Reading(
    samples=[Sample("cpu_ratio", 0.5, (("core", "0"),)), Sample("cpu_ratio", 0.7, (("core", "1"),))],
    components=[Component("cpu", Status.OK, "60 % busy", 0.6, "ratio")],
    tables=[Table("disks", ("mount", "used_ratio"), (("/", 0.4),))],
)


def test_a_reading_comes_back_as_it_went(live: Live) -> None:
    live.put_reading("system", "host-1", 1000.5, 5, READING, timeout_seconds=4)
    found = live.reading("system", "host-1")
    assert found is not None
    assert (found.ts, found.interval_seconds, found.timeout_seconds) == (1000.5, 5, 4)
    assert found.value("cpu_ratio", core="1") == 0.7
    assert found.value("cpu_ratio", core="2") is None
    assert found.series("cpu_ratio") == {(("core", "0"),): 0.5, (("core", "1"),): 0.7}
    assert found.components == tuple(READING.components)
    assert found.tables == {"disks": READING.tables[0]}
    assert live.hosts("system") == ["host-1"]


def test_a_reading_of_an_older_version_still_loads(live: Live) -> None:
    payload = b'{"ts": 1000, "interval_seconds": 5, "samples": [], "components": [], "tables": []}'
    live.client.hset(live.key("readings", "system"), "host-1", payload)
    found = live.reading("system", "host-1")
    assert found is not None and (found.ts, found.timeout_seconds, found.tables_ts) == (1000, 0, 1000)


def test_a_version_changes_when_one_of_its_datasets_does(live: Live) -> None:
    before = live.version("system", "portfolio")
    live.bump("pipeline")
    assert live.version("system", "portfolio") == before
    live.bump("portfolio")
    assert live.version("system", "portfolio") != before


def test_a_change_that_redis_did_not_hear_of_is_said_later(live: Live, valkey: Valkey) -> None:
    other, before = Live(valkey.url, live.key()), live.version("portfolio")
    live._quiet_until = time.monotonic() + 60  # as after an answer that came too late
    live.bump("portfolio")
    time.sleep(0.11)
    assert other.version("portfolio") == before and live.version("portfolio").startswith("away-")
    live._quiet_until = 0.0
    time.sleep(0.11)
    live.version("system")
    assert other.version("portfolio") != before
    other.close()


def test_after_flushall_no_version_is_one_that_was(live: Live) -> None:
    at_start = live.version("portfolio")
    live.bump("portfolio")
    live.client.flushall()
    time.sleep(0.11)
    again = live.version("portfolio")
    assert again != at_start
    time.sleep(0.11)
    assert live.version("portfolio") == again


def test_after_flushall_the_next_tick_is_complete(live: Live) -> None:
    live.put_reading("system", "host-1", 1000, 5, READING)
    live.bump("system")
    before = live.version("system")
    live.client.flushall()
    assert live.reading("system", "host-1") is None
    live.put_reading("system", "host-1", 1005, 5, READING)
    live.bump("system")
    found = live.reading("system", "host-1")
    assert found is not None and found.ts == 1005
    assert live.version("system") != before


def test_without_redis_nothing_is_known_and_nothing_fails(tmp_path: Path) -> None:
    live = Live(f"unix://{tmp_path / 'nobody.sock'}")
    live.put_reading("system", "host-1", 1000, 5, READING)
    assert live.reading("system", "host-1") is None
    assert live.hosts("system") == []
    assert live.version("system").startswith("away-")
    assert live.problem


def test_the_bundled_valkey_starts_again_when_it_dies_and_ends_with_us(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    server.start()
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    live = Live(server.url)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (server.pid in (first, None) or live.version("x").startswith("away")):
        time.sleep(0.05)
    assert server.pid not in (first, None)
    assert not live.version("x").startswith("away")
    second = server.pid
    server.stop()
    assert second is not None and not Path(f"/proc/{second}/exe").exists()
