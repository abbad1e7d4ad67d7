"""The panel of the changes of state on the tabs: of what is shown there, of what is chosen there."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from core.clock import FakeClock
from core.model import Component, Reading, Status
from core.settings.model import Settings
from dashboard.tabs import cache, pipeline, system
from dashboard.views.serialize import plain
from dashboard.views.tab import Tab
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import built

NOW = float(int(time.time()))
CPU = ComponentId("host-1", "system", "CPU")


@pytest.fixture
def stores(stores: Stores) -> Stores:
    sources = [{"name": name, "url": "redis://127.0.0.1:1"} for name in ("main", "other")]
    settings = Settings.model_validate(
        {"data_dir": stores.settings.data_dir, "machine": "host-1", "watch": {"redis": sources}}
    )
    made = replace(stores, settings=settings, clock=FakeClock(NOW))
    down = "nothing listens at 127.0.0.1:1 (connection refused)"
    made.clickhouse.insert(state_change_facts([
        StateChange(NOW - 900, ComponentId("", "redis:main"), Status.OK, None, 0.0, "Valkey 9.1"),
        StateChange(NOW - 600, ComponentId("", "redis:main"), Status.DOWN, Status.OK, 300.0, down, "Valkey"),
        StateChange(NOW - 500, ComponentId("", "redis:other"), Status.NOT_CONFIGURED, Status.OK, 60.0, "paused"),
        StateChange(NOW - 400, CPU, Status.WARNING, Status.OK, 7_200.0, "72.0 % of 2 cores busy"),
        StateChange(NOW - 300, CPU._replace(host="host-2"), Status.CRITICAL, Status.OK, 60.0, "99.0 % of 8 cores busy"),
        StateChange(NOW - 200, ComponentId("host-1", "pipeline", "spool"), Status.WARNING, Status.OK, 60.0, "9 rows"),
    ]))  # fmt: skip
    for collector, host in (("redis:main", "host-1"), ("redis:other", "host-1"), ("system", "host-1"),
                            ("system", "host-2"), ("pipeline", "host-1")):  # fmt: skip
        made.live.put_reading(collector, host, NOW, 5, Reading(components=(Component("it", Status.OK, ""),)))
    return made


def fetched(stores: Stores, tab: Tab, path: str) -> str:
    answer = create_app(stores, (tab,)).server.test_client().get(path)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<tbody>")[2]).split())


def place(stores: Stores, tab: Tab, slot: str, **choices: str) -> str:
    return str(plain(built(tab, stores, **choices).slots[slot])["props"]["data-lazy"])


def test_a_tab_of_sources_tells_of_all_of_them_or_of_the_chosen_one(stores: Stores) -> None:
    every = fetched(stores, cache.TAB, place(stores, cache.TAB, "cache-changes-table"))
    assert every == (
        "Redis other ○ paused ok 60 s paused "
        "Redis main ✕ down ok 5 min nothing listens at 127.0.0.1:1 (connection refused) "
        "Redis main ✓ ok not watched – Valkey 9.1"
    )
    one = fetched(stores, cache.TAB, place(stores, cache.TAB, "cache-changes-table", instance="redis:other"))
    assert one == "Redis other ○ paused ok 60 s paused"


def test_the_system_tab_tells_of_the_chosen_machine(stores: Stores) -> None:
    here = fetched(stores, system.TAB, place(stores, system.TAB, "system-changes-table"))
    assert here == "CPU ▲ warning ok 2 h 72.0 % of 2 cores busy"
    there = fetched(stores, system.TAB, place(stores, system.TAB, "system-changes-table", host="host-2"))
    assert there == "CPU ✕ critical ok 60 s 99.0 % of 8 cores busy"


def test_the_pipeline_tab_tells_of_fundwatch_itself_too(stores: Stores) -> None:
    path = place(stores, pipeline.TAB, "pipeline-sources-changes-table")
    assert fetched(stores, pipeline.TAB, path) == "spool ▲ warning ok 60 s 9 rows"


def test_a_collector_that_is_silent_now_stands_first_as_unknown(stores: Stores) -> None:
    stores.clock.advance(600)  # type: ignore[attr-defined]
    assert fetched(stores, system.TAB, "/system/changes?host=host-1").startswith("CPU ? unknown warning")
