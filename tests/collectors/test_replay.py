"""The replay hands out every day once, goes on where it stopped, and stays apart from the sample."""

from __future__ import annotations

import pytest

from collectors.base import Context
from collectors.replay import ReplayCollector, make
from core.settings.model import Settings
from storage.state.portfolios import list_portfolios
from storage.stores import Stores


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"demo_start": "2022-12-20"})


def play(replay: ReplayCollector, stores: Stores) -> str:
    reading = replay.collect(stores.clock.now())
    stores.clock.advance(replay.interval_seconds)  # type: ignore[attr-defined]
    for facts in reading.facts:
        stores.writer.put_facts(facts)
    stores.writer.flush()
    return reading.components[0].why


def days(stores: Stores) -> tuple[int, str]:
    sql = (
        "SELECT uniqExact(ts), toString(toDate(max(ts))) FROM nav FINAL WHERE origin = 'replay' AND portfolio = 'fund'"
    )
    ((count, last),) = stores.clickhouse.rows(sql)
    return int(count), str(last)


def test_history_comes_at_once_and_then_a_day_a_run(stores: Stores) -> None:
    replay = make(Context(stores.settings, stores, tuple))
    assert "2022-12-20" in play(replay, stores)
    whole, last = days(stores)
    assert (whole, last) == (2_259, "2022-12-20")
    play(replay, stores)
    assert days(stores) == (2_260, "2022-12-21")
    assert {item.origin for item in list_portfolios(stores.state)} == {"replay"}
    assert stores.clickhouse.rows("SELECT count() FROM positions WHERE origin = 'sample'") == [(0,)]


def test_a_restart_goes_on_and_an_ended_replay_begins_again(stores: Stores) -> None:
    replay = make(Context(stores.settings, stores, tuple))
    play(replay, stores)
    play(replay, stores)
    again = make(Context(stores.settings, stores, tuple))
    play(again, stores)
    assert days(stores) == (2_261, "2022-12-22")
    for _ in range(4):
        why = play(again, stores)
    assert "ended with 2022-12-28" in why
    assert days(stores) == (2_264, "2022-12-28")
    play(make(Context(stores.settings, stores, tuple)), stores)
    assert days(stores) == (2_259, "2022-12-20")
