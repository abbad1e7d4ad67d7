"""A full disk: rows stay in memory until ClickHouse or the spool has them, what no longer fits there is counted."""

from __future__ import annotations

import itertools
import logging
import os
import random
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.pipeline import storage_components
from collectors.runtime import actions
from collectors.runtime.actions import Ended, do_next
from core.errors import StorageUnavailable
from core.format import count
from core.format import number as number_text
from core.model import Facts, Sample, Status
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.settle import settle
from storage.clickhouse.spool import Spool
from storage.clickhouse.writer import Writer
from storage.state.actions import DONE, EXPIRED, recent_actions, request_action
from storage.state.database import State
from storage.state.pings import Ping, add_ping, recent_pings
from storage.stores import Stores
from tests.support.servers import ClickHouseServer
from tests.support.times import MIDNIGHT


class Disk:
    """A disk that can be filled to its last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (2**20, 2**12):
                try:
                    while True:
                        ballast.write(b"\0" * size)
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder]).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield Disk(folder)
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0,))


class Database:
    """Takes batches while it is up, once a token."""

    def __init__(self) -> None:
        self.up = True
        self.rows: list[object] = []
        self._tokens: set[str] = set()

    def insert(self, facts: Facts) -> None:
        if not self.up:
            raise StorageUnavailable("connection refused")
        if facts.token not in self._tokens:
            self._tokens.add(facts.token)
            self.rows += facts.data[-1]


def numbers(*values: float) -> Facts:
    return Facts("samples", ("series", "ts", "value"), ([1] * len(values), [0] * len(values), list(values)))


def noise(number: int, rows: int) -> Facts:
    """Return rows that do not pack well: a batch of them needs more room than a file has left in its pages."""
    return numbers(*(number + random.Random(number * rows + each).random() for each in range(rows)))


def leave_pages(spool: Spool, more: int) -> None:
    """Let the spool's file grow by so many pages and no further, as on a full disk."""
    (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
    spool._db.execute(f"PRAGMA max_page_count = {pages + more}")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["put", "put", "flush", "away", "back", "full", "room"]), max_size=60))
def test_whatever_is_full_and_away_every_row_arrives_once_or_is_counted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool") / "spool.sqlite", 2**26)
    database = Database()
    writer = Writer(database.insert, spool, queue_rows=4_000)
    values = itertools.count()
    put = 0
    for step in steps:
        if step == "put":
            writer.put_facts(numbers(*(next(values) * 1.37 for _ in range(500))))
            put += 500
        elif step == "flush":
            writer.flush()
        elif step in ("full", "room"):
            leave_pages(spool, 0 if step == "full" else 100_000)
        else:
            database.up = step == "back"
    database.up = True
    leave_pages(spool, 100_000)
    writer.flush()
    assert len(database.rows) + writer.stats().dropped_rows == put
    assert len(database.rows) == len(set(database.rows)), "none twice"
    assert (writer.stats().queued_rows, writer.stats().spooled_rows) == (0, 0)
    spool.close()


def test_a_full_disk_is_told_once_and_on_the_writer_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    database = Database()
    database.up = False
    writer = Writer(database.insert, spool, queue_rows=5_000)
    leave_pages(spool, 0)
    caplog.set_level(logging.WARNING)
    for number in range(6):
        writer.put_facts(noise(number, 1_500))
        writer.flush()
    stats = writer.stats()
    assert (stats.queued_rows, stats.dropped_rows, stats.spooled_rows) == (4_500, 4_500, 0)
    (part,) = [each for each in storage_components(stats, "", 2**26) if each.name == "writer"]
    assert part.status is Status.CRITICAL
    rows = count(4_500, "row")
    assert part.why == f"disk full: {rows} waiting, room for {number_text(5_000)}; {rows} dropped since the start"
    assert [line for line in caplog.messages if "disk full" in line] == ["disk full: 1500 rows waiting"]
    assert len([line for line in caplog.messages if "dropped" in line]) == 1
    assert "rollback" not in caplog.text and "Traceback" not in caplog.text
    leave_pages(spool, 100_000)
    writer.flush()
    assert (writer.stats().stuck_why, writer.stats().queued_rows, writer.stats().spooled_rows) == ("", 0, 4_500)
    spool.close()


def test_a_full_disk_keeps_no_new_row_from_a_database_that_answers(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    database = Database()
    sent: list[str] = []

    def insert(facts: Facts) -> None:
        database.insert(facts)
        sent.append(facts.token)

    writer = Writer(insert, spool)
    database.up = False
    writer.put_facts(noise(0, 1_500))
    writer.flush()
    spool._db.execute("PRAGMA query_only = ON")
    writer.put_facts(noise(1, 1_500))
    writer.flush()
    assert writer.stats().queued_rows == 1_500
    database.up = True
    for number in (2, 3):
        writer.put_facts(noise(number, 1_500))
        writer.flush()
    assert (len(database.rows), writer.stats().queued_rows, writer.stats().spooled_rows) == (6_000, 0, 1_500)
    assert "readonly" in writer.stats().stuck_why, "told until the spool can be emptied"
    assert len(sent) == 4, "what waits on disk is sent once, though it cannot be removed"
    spool._db.execute("PRAGMA query_only = OFF")
    writer.flush()
    assert (len(database.rows), writer.stats().spooled_rows, writer.stats().stuck_why) == (6_000, 0, "")
    assert len(sent) == 4
    spool.close()


def test_a_batch_that_may_have_arrived_before_the_disk_was_full_is_not_counted_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    database = Database()
    asked = []

    def insert(facts: Facts) -> None:
        database.insert(facts)
        if len(asked) == 0:
            raise StorageUnavailable("the answer was lost")

    def settled(batch: Facts, tried: float) -> None:
        asked.append((len(batch), tried > 0))

    writer = Writer(insert, spool, settle=settled)
    leave_pages(spool, 0)
    writer.put_facts(noise(0, 3_000))
    writer.flush()
    assert writer.stats().queued_rows == 3_000
    writer.flush()
    assert asked == [(3_000, True)]
    assert len(database.rows) == 3_000
    assert writer.stats().queued_rows == 0
    spool.close()


def test_what_the_end_of_the_program_finds_no_room_for_is_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    database = Database()
    database.up = False
    writer = Writer(database.insert, spool, flush_seconds=60)
    leave_pages(spool, 0)
    writer.start()
    writer.put_facts(noise(0, 3_000))
    writer.stop()
    assert writer.stats().dropped_rows == 3_000
    assert "3000 rows lost at the end of the program: disk full" in caplog.text
    spool.close()


def test_what_is_on_its_way_when_the_program_ends_is_spooled(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 2**26)
    hangs, go_on = threading.Event(), threading.Event()

    def insert(_: Facts) -> None:
        hangs.set()
        go_on.wait(30)

    writer = Writer(insert, spool, flush_seconds=0.01)
    writer.put_facts(numbers(1, 2, 3))
    writer.start()
    assert hangs.wait(10)
    writer.put_facts(numbers(4))
    writer.stop(timeout_seconds=0.1)
    first = spool.oldest()
    assert first is not None and first.batch.data[2] == [1, 2, 3] and first.tried is not None
    assert spool.stats().rows == 4
    go_on.set()


def test_the_engine_on_a_disk_that_is_full_twice_has_every_row_that_is_not_counted(
    disk: Disk, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = ClickHouseServer(disk.folder / "server")
    server.start()
    client = ClickHouse(server.url, database)
    migrate(client)
    spool = Spool(disk.folder / "spool.sqlite", 2**26)
    writer = Writer(client.insert, spool, settle=partial(settle, client), flush_seconds=0.05)
    writer.start()
    second = itertools.count()

    def produce(seconds: int) -> None:
        for _ in range(seconds):
            at = next(second)
            writer.put("host-1", MIDNIGHT + at, [Sample("m", at + n / 7, (("n", str(n)),)) for n in range(500)])
            time.sleep(0.02)

    for _ in range(2):
        produce(20)
        disk.fill()
        produce(60)
        assert writer.stats().stuck_why == "disk full", writer.stats()
        disk.free()
        produce(20)
    deadline = time.monotonic() + 60
    while (writer.stats().spooled_batches or writer.stats().queued_rows) and time.monotonic() < deadline:
        time.sleep(0.05)
    writer.stop()
    produced = 2 * 100 * 500
    stats = writer.stats()
    ((stored, different),) = client.rows("SELECT count(), uniqExact(series, ts) FROM samples")
    assert (stored + stats.dropped_rows, different) == (produced, stored)
    for rollup in ("samples_1m", "samples_1h"):
        assert client.rows(f"SELECT sum(points) FROM {rollup}") == [(stored,)], rollup
    assert "Traceback" not in caplog.text and "rollback" not in caplog.text
    client.close()
    spool.close()
    server.kill()


def test_the_state_database_on_a_full_disk_says_so_and_keeps_what_it_has(disk: Disk) -> None:
    state = State(f"sqlite:///{disk.folder / 'state.sqlite'}")
    state.migrate()
    add_ping(state, "backup", Ping(1.0, "success"))
    disk.fill()
    with pytest.raises(StorageUnavailable, match=r"full|disk"):
        for number in range(2_000):
            add_ping(state, f"job-{number}", Ping(2.0, "success", message="x" * 400))
    assert [ping.at for ping in recent_pings(state, "backup")] == [1.0]
    disk.free()
    add_ping(state, "backup", Ping(3.0, "success"))
    assert [ping.at for ping in recent_pings(state, "backup")] == [3.0, 1.0]
    state.close()


def test_what_came_of_an_action_is_kept_until_the_state_database_takes_it(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = Settings(data_dir=stores.settings.data_dir, machine="host-1", actions_enabled=True)
    able = Stores(allowed, stores.clickhouse, stores.live, stores.state, stores.writer, stores.clock)
    number = request_action(able.state, able.clock.now(), "redis:gone", "kill_client", "12", "local")
    done: list[int] = []
    finish = actions.finish_action

    def full_once(*arguments: object) -> None:
        done.append(number)
        if len(done) == 1:
            raise StorageUnavailable("database or disk is full")
        finish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "finish_action", full_once)
    untold: deque[Ended] = deque()
    with pytest.raises(StorageUnavailable):
        do_next(able, untold=untold)
    assert [ended.id for ended in untold] == [number]
    assert not do_next(able, untold=untold)
    assert not untold
    (known,) = recent_actions(able.state, ("redis",))
    assert known.status not in (DONE, EXPIRED) and known.result == "there is no source redis:gone"
