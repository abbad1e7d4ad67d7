"""While Fundwatch runs: a source is tried when somebody says so, and the sources of a changed file are taken."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from access.viewer import KEPT, Viewer
from collectors.runtime.runner import Runner
from collectors.runtime.start import start_collectors
from core.clock import SystemClock
from core.model import Status
from core.requests import RELOAD, RELOADED, SETTINGS, TRY_NOW
from core.roles import Role
from core.settings.load import load_settings
from dashboard.frame.newest import follow, renewable_app
from storage.live.embedded import Valkey
from storage.live.redis import Live
from storage.state.actions import Action, find_action, request_action
from storage.stores import Stores
from tests.collectors.fakes import FakeCollector
from tests.support.redis_servers import RedisServer

NOT_OURS = ("system", "processes", "inbox", "own", "requests", "health", "audit")
OFF = f"sources: {{{', '.join(f'{name}: false' for name in NOT_OURS)}, pipeline: true}}\nwatch:\n  redis:\n"
SOON_SECONDS = 20.0


def soon(holds: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)


@dataclass(frozen=True)
class Running:
    stores: Stores
    runner: Runner
    hangup: threading.Event
    file: Path

    def write(self, *lines: str) -> None:
        self.file.write_text(OFF + "".join(f"    - {line}\n" for line in lines) + ("" if lines else "    []\n"))

    def asked(self, action: str, source: str) -> Action:
        number = request_action(self.stores.state, self.stores.clock.now(), source, action, "", "ana")
        soon(lambda: self.outcome(number).finished_at)
        return self.outcome(number)

    def outcome(self, number: int) -> Action:
        found = find_action(self.stores.state, number)
        assert found is not None
        return found

    @property
    def names(self) -> list[str]:
        return [view.collector for view in self.runner.views()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", requirepass="right") as server:
        yield server


@pytest.fixture
def running(stores: Stores, server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "fundwatch.yaml"
    file.write_text(OFF + f"    - {source(server, 'main', 'wrong')}\n    - {source(server, 'still', 'right')}\n")
    settings = load_settings().model_copy(update={"data_dir": stores.settings.data_dir, "machine": "host-1"})
    real = replace(stores, clock=SystemClock(), settings=settings)
    hangup = threading.Event()
    runner = start_collectors(real, hangup)
    yield Running(real, runner, hangup, file)
    runner.stop(2.0)


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def source(server: RedisServer, name: str, password: str) -> str:
    return f"{{name: {name}, url: 'redis://:{password}@127.0.0.1:{server.port}'}}"


def down(running: Running, name: str) -> bool:
    found = running.stores.live.readings([name]).get(name)
    return found is not None and found.components[0].status is Status.DOWN


def test_a_refused_login_is_tried_at_once_when_somebody_says_so_and_not_in_five_minutes(running: Running) -> None:
    main = "redis:main"
    soon(lambda: down(running, main))
    assert running.runner.task(main).breaker.view().retry_in_seconds > 200
    tried = running.asked(TRY_NOW, main)
    assert (tried.status == "failed" and "WRONGPASS" in tried.result) or "password" in tried.result
    fine = running.asked(TRY_NOW, "redis:still")
    assert fine.status == "done" and fine.result.startswith("answers, ")
    assert running.asked(TRY_NOW, "redis:nobody").result == "there is no source redis:nobody"


def test_changed_sources_are_taken_and_those_that_did_not_change_go_on(running: Running, server: RedisServer) -> None:
    soon(lambda: down(running, "redis:main"))
    kept = running.runner.task("redis:still")
    running.write(source(server, "main", "right"), source(server, "still", "right"), source(server, "new", "right"))
    told = running.asked(RELOAD, str(SETTINGS))
    assert told.status == "done"
    assert told.result.startswith("Settings read again: added redis:new; changed redis:main.")
    assert running.names == ["pipeline", "redis:still", "redis:main", "redis:new"]
    assert running.runner.task("redis:still") is kept
    soon(lambda: not down(running, "redis:main"))
    running.write(source(server, "still", "right"))
    running.hangup.set()
    soon(lambda: running.names == ["pipeline", "redis:still"])
    runs = running.runner.task("redis:still")
    soon(lambda: runs.last_run is not None and runs.last_run.started > told.at)


def test_sources_are_taken_while_one_that_was_tried_has_not_answered(running: Running, server: RedisServer) -> None:
    silent = FakeCollector("redis:silent", 60.0, 60.0)
    silent.gate = threading.Event()
    running.runner.add(silent)
    silent.wait_until_entered()
    now = running.stores.clock.now()
    tried = request_action(running.stores.state, now, silent.name, TRY_NOW, "", "ana")
    soon(lambda: running.outcome(tried).status == "running")
    running.write(source(server, "still", "right"))
    assert running.asked(RELOAD, str(SETTINGS)).status == "done"
    assert running.outcome(tried).finished_at is None
    silent.gate.set()
    soon(lambda: running.outcome(tried).status == "done")


def test_what_one_process_takes_every_other_takes_too_that_collects_or_shows_pages(
    running: Running, server: RedisServer, valkey: Valkey, database: str
) -> None:
    pages: list[list[str]] = []
    own = replace(running.stores, live=Live(valkey.url, database))
    stopping = threading.Event()

    def renew(changed: Stores) -> None:
        pages.append([each.name for each in changed.settings.watch.redis])

    follow(own, renew, threading.Event(), stopping)
    other = start_collectors(own)
    running.write(source(server, "still", "right"), source(server, "new", "right"))
    version = running.stores.live.version(RELOADED)
    running.hangup.set()
    soon(lambda: [view.collector for view in other.views()] == ["pipeline", "redis:still", "redis:new"])
    soon(lambda: pages == [["still", "new"]])
    told = running.stores.live.version(RELOADED)
    assert told != version
    other.stop(2.0)
    stopping.set()
    assert own.live.version(RELOADED) == told, "who follows tells nobody to follow"


def test_wrong_settings_change_nothing_are_told_once_and_stand_on_the_pipeline_tab(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    before = running.names
    running.file.unlink()
    gone = running.asked(RELOAD, str(SETTINGS))
    assert (gone.status, running.names) == ("failed", before) and "fundwatch.yaml: it is gone" in gone.result
    running.file.write_text("watch: {mysql: []}\n")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        first, second = running.asked(RELOAD, str(SETTINGS)), running.asked(RELOAD, str(SETTINGS))
    assert first.status == second.status == "failed"
    assert "there is no kind mysql" in first.result
    assert sum("changed settings refused" in each.message for each in caplog.records) == 1
    assert running.names == before

    def refused() -> bool:
        reading = running.stores.live.reading("pipeline", "host-1")
        parts = {part.name: part for part in reading.components} if reading else {}
        return "settings" in parts and "no kind mysql" in parts["settings"].why

    soon(refused)


def test_the_pages_get_the_section_of_a_kind_that_was_not_watched_before(running: Running, tmp_path: Path) -> None:
    app, renew = renewable_app(running.stores)
    client = app.test_client()
    client.environ_base[KEPT] = Viewer("ana", Role.OPERATOR)
    asked = {"source": "tcp:gate"}
    posted = client.post("/services/try", json=asked).get_json()
    assert posted["said"] == "There is no source tcp:gate any more."
    running.file.write_text("watch: {tcp: [{name: gate, host: 127.0.0.1, port: 1}]}\n")
    renew(replace(running.stores, settings=load_settings()))
    assert client.post("/services/try", json=asked).get_json()["done"]


def test_pages_made_anew_leave_no_thread_behind(running: Running) -> None:
    _, renew = renewable_app(running.stores)
    before = names_of_threads()
    for _ in range(2):
        renew(running.stores)
    assert names_of_threads().count("pulse") == before.count("pulse")


def test_a_hangup_that_comes_between_two_looks_is_not_lost(running: Running) -> None:
    class Late(threading.Event):
        """Set right after its first wait has ended in vain."""

        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            if renewed.is_set():
                threading.Event().wait()  # the thread, which never ends, rests from here on
            self.looks += 1
            was_set = super().wait(0.01)
            if self.looks == 1:
                self.set()
            return was_set

    renewed = threading.Event()
    running.file.write_text("watch: {tcp: [{name: gate, host: 127.0.0.1, port: 1}]}\n")
    follow(running.stores, lambda _changed: renewed.set(), Late())
    assert renewed.wait(SOON_SECONDS)
