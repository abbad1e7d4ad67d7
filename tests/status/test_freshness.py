"""Stale means unknown, at the same age for a machine, a watched source and Fundwatch's own pipeline."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from dash.exceptions import PreventUpdate
from pydantic import SecretStr

from access.viewer import ANYBODY
from core.clock import FakeClock
from core.kinds.redis.source import RedisSource
from core.kinds.registry import Watch
from core.memo import Memo
from core.model import Component, LiveReading, Reading, Status
from core.pipeline.spec import CollectorRuns
from core.tables import columns_of, table_of
from dashboard.tabs import cache, pipeline, system
from dashboard.views.refresh import Refresh
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from status.freshness import (
    NO_READING,
    components_at,
    is_stale,
    next_stale_at,
    reading_stale_after_seconds,
    stale_after_seconds,
    status_at,
    why_unknown,
)
from storage.stores import Stores
from tests.support.views import built, text

NOW = 1_700_000_000.0
EVERY, TIMEOUT = 5.0, 4.0
STALE_AFTER = 17.0
PART = Component("CPU", Status.WARNING, "91 % busy", 0.91, "ratio")
READING = LiveReading("system", "host-1", NOW, EVERY, components=(PART,), timeout_seconds=TIMEOUT)


def test_stale_is_what_is_older_than_two_intervals_a_reading_and_some_seconds() -> None:
    assert stale_after_seconds(EVERY, TIMEOUT) == reading_stale_after_seconds(READING) == STALE_AFTER
    assert stale_after_seconds(60.0) == 123.0
    assert reading_stale_after_seconds(None) is None


@pytest.mark.parametrize(
    ("age_seconds", "expected"), [(-5.0, False), (0.0, False), (STALE_AFTER, False), (STALE_AFTER + 0.01, True)]
)
def test_what_is_as_old_as_it_may_be_is_not_stale(age_seconds: float, expected: bool) -> None:
    assert is_stale(READING, NOW + age_seconds) is expected
    assert bool(why_unknown(READING, NOW + age_seconds)) is expected
    assert status_at(READING, NOW + age_seconds) is (Status.UNKNOWN if expected else Status.WARNING)


def test_a_stale_component_says_why_and_keeps_its_value_which_has_its_age() -> None:
    assert components_at(READING, NOW) == (PART,)
    (stale,) = components_at(READING, NOW + 46)
    assert stale == replace(PART, status=Status.UNKNOWN, why="status unknown: newest reading is 46 s old")


def test_a_stale_failure_is_unknown_too() -> None:
    down = replace(READING, components=(Component("system", Status.DOWN, "refused"),))
    assert status_at(down, NOW) is Status.DOWN
    assert status_at(down, NOW + 60) is Status.UNKNOWN


def test_without_a_reading_nothing_is_known() -> None:
    assert components_at(None, NOW) == ()
    assert status_at(None, NOW) is Status.UNKNOWN
    assert why_unknown(None, NOW) == NO_READING == "status unknown: no reading yet"


def page_verdicts(stores: Stores, age_seconds: float) -> dict[str, tuple[str, str]]:
    """Return level and words of the first line of a machine, a source and the pipeline, all read that long ago."""
    aged = replace(stores, clock=FakeClock(NOW + age_seconds))
    lines = {
        "machine": built(system.TAB, aged).slots["system-verdict"],
        "source": built(cache.TAB, aged, instance="redis:main").slots["cache-verdict"],
        "pipeline": built(pipeline.TAB, aged).slots["pipeline-verdict"],
    }
    found = {}
    for name, line in lines.items():
        level = re.search(r"fw-level-(\w+)", line.className)
        assert level is not None
        found[name] = (level[1], " ".join(text(line).split()))
    return found


@pytest.fixture
def read(stores: Stores) -> Stores:
    """A machine, a source and the pipeline, all fine and read at NOW by the same interval and timeout."""
    source = RedisSource(name="main", url=SecretStr("redis://10.0.0.9"))
    settings = stores.settings.model_copy(update={"watch": Watch(redis=(source,))})
    row: dict[str, Any] = dict.fromkeys(columns_of(CollectorRuns)) | {
        "collector": "system", "kind": "", "status": "ok", "why": "every 5 s", "interval_seconds": EVERY,
        "durations_seconds": [], "failures_in_a_row": 0, "breaker": "closed", "error": "",
    }  # fmt: skip
    table = table_of(CollectorRuns, [CollectorRuns(**row)])
    readings = {
        "system": Reading(components=(Component("CPU", Status.OK, "9 % busy"),)),
        "redis:main": Reading(components=(Component("Redis main", Status.OK, "answers"),)),
        "pipeline": Reading(components=(Component("collector system", Status.OK, "every 5 s"),), tables=(table,)),
    }
    for name, reading in readings.items():
        stores.live.put_reading(name, "host-1", NOW, EVERY, reading, timeout_seconds=TIMEOUT)
    return replace(stores, settings=settings)


def test_machine_source_and_pipeline_turn_unknown_at_the_same_age_in_the_same_words(read: Stores) -> None:
    at_most = page_verdicts(read, STALE_AFTER)
    assert {name: level for name, (level, _) in at_most.items()} == dict.fromkeys(at_most, "ok")
    beyond = page_verdicts(read, STALE_AFTER + 1)
    assert {name: level for name, (level, _) in beyond.items()} == dict.fromkeys(beyond, "unknown")
    for name, (_, words) in beyond.items():
        assert "status unknown: newest reading is 18 s old" in words, name


def test_no_card_and_no_row_of_a_stale_reading_claims_that_something_is_fine(read: Stores) -> None:
    aged = replace(read, clock=FakeClock(NOW + 60))
    views = [built(tab, aged) for tab in (system.TAB, cache.TAB, pipeline.TAB)]
    shown = " ".join(text(content) for view in views for content in view.slots.values())
    assert "✓" not in shown
    reading = aged.live.reading("pipeline", "host-1")
    assert reading is not None
    assert "✓" not in text(pipeline.tables.collector_table(reading, "rows", "Collectors", NOW + 60))


def test_the_browser_is_told_by_the_server_when_a_thing_is_stale(read: Stores) -> None:
    now = replace(read, clock=FakeClock(NOW))
    machine, watched, own = (built(tab, now) for tab in (system.TAB, cache.TAB, pipeline.TAB))
    assert machine.stale_after_seconds["system-facts"] == STALE_AFTER
    assert watched.stale_after_seconds["cache-redis-about"] == STALE_AFTER
    assert own.stale_after_seconds["pipeline-tables"] == STALE_AFTER
    assert "'data-stale-after': '17'" in str(plain(machine.slots["system-cards"]))


def test_what_turns_stale_next_is_the_oldest_that_is_not_stale_yet() -> None:
    older, gone = replace(READING, ts=NOW - 5), replace(READING, ts=NOW - 60)
    assert next_stale_at([READING, older, gone, None], NOW) == NOW - 5 + STALE_AFTER
    assert next_stale_at([gone, None], NOW) is None


def test_a_page_opened_after_the_readings_stopped_says_so_although_no_data_came(read: Stores) -> None:
    clock = FakeClock(NOW)
    refresh = Refresh(replace(read, clock=clock), cache.TAB, Memo())
    fine = payload(refresh)
    assert "fine" in fine
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ANYBODY, orjson.loads(fine)["payload"]["version"], "")
    clock.advance(STALE_AFTER + 1)
    opened = payload(refresh)
    assert "status unknown: newest reading is 18 s old" in opened
    with pytest.raises(PreventUpdate):
        refresh.answer(Choices(), ANYBODY, orjson.loads(opened)["payload"]["version"], "")


def payload(refresh: Refresh) -> str:
    """Return what a page that shows nothing yet is sent."""
    sent, _, *slots = refresh.answer(Choices(), ANYBODY, None, None)
    return orjson.dumps({"payload": sent, "slots": slots}).decode()
