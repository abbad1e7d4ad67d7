"""The replay hands out every day once, goes on where it stopped, and stays apart from the sample."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

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


def days(stores: Stores) -> tuple[int, date]:
    sql = (
        "SELECT uniqExact(ts), toString(toDate(max(ts))) FROM nav FINAL WHERE origin = 'replay' AND portfolio = 'fund'"
    )
    ((count, last),) = stores.clickhouse.rows(sql)
    return int(count), date.fromisoformat(last)


def weekdays_before(stores: Stores, count: int) -> date:
    """Return the day that lies so many weekdays before the newest one of today."""
    day = datetime.fromtimestamp(stores.clock.now(), UTC).date()
    while True:
        if day.weekday() < 5:
            count -= 1
        if count < 0:
            return day
        day -= timedelta(days=1)


def test_history_comes_at_once_and_then_a_day_a_run_up_to_today(stores: Stores) -> None:
    replay = make(Context(stores.settings, stores, tuple))
    assert str(weekdays_before(stores, 5)) in play(replay, stores)
    assert days(stores) == (2_259, weekdays_before(stores, 5))
    play(replay, stores)
    assert days(stores) == (2_260, weekdays_before(stores, 4))
    assert {item.origin for item in list_portfolios(stores.state)} == {"replay"}
    assert stores.clickhouse.rows("SELECT count() FROM positions WHERE origin = 'sample'") == [(0,)]


def test_a_restart_goes_on_even_on_another_day_and_an_ended_replay_begins_again(stores: Stores) -> None:
    replay = make(Context(stores.settings, stores, tuple))
    play(replay, stores)
    play(replay, stores)
    third = weekdays_before(stores, 3)
    today = weekdays_before(stores, 0)
    stores.clock.advance(10 * 86_400)  # type: ignore[attr-defined]
    again = make(Context(stores.settings, stores, tuple))
    play(again, stores)
    assert days(stores) == (2_261, third)
    for _ in range(4):
        why = play(again, stores)
    assert f"ended with {today}" in why
    assert days(stores) == (2_264, today)
    play(make(Context(stores.settings, stores, tuple)), stores)
    assert days(stores) == (2_259, weekdays_before(stores, 5))
