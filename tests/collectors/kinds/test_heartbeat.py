"""Jobs that ping: what their pings mean over time, and the door through which they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr, ValidationError

from collectors.base import Context
from collectors.kinds.heartbeat.collector import HeartbeatCollector, make
from core.clock import FakeClock
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.heartbeat.spec import About
from core.kinds.registry import Watch
from core.model import Status
from core.tables import rows_of
from dashboard.kinds.heartbeat import pings as heartbeats
from storage.state.pings import KEPT, Ping, add_ping, recent_pings
from storage.stores import Stores

TOKEN = "a-secret-of-its-own"
MINUTE = 60.0
Told = tuple[str, Status, str]


def job(**given: Any) -> HeartbeatSource:
    return HeartbeatSource(
        name="bars", token=SecretStr(TOKEN), **{"period_seconds": 600, "grace_seconds": 120, **given}
    )


def told(source: HeartbeatSource, pings: list[Ping], now: float) -> Told:
    reading = HeartbeatCollector(source, lambda: pings[::-1]).collect(now)
    about = rows_of({table.name: table for table in reading.tables}, About)[0]
    return about.state, reading.components[0].status, reading.components[0].why


def test_a_job_goes_from_new_to_up_to_late_to_down_and_back() -> None:
    assert told(job(), [], 0) == ("new", Status.UNKNOWN, "has never pinged")
    pings = [Ping(0, "success", rows=10)]
    assert told(job(), pings, 30)[:2] == ("up", Status.OK)
    assert told(job(), pings, 600)[:2] == ("up", Status.OK)
    assert told(job(), pings, 661) == ("late", Status.WARNING, "last success 11 min ago, late for 61 s")
    assert told(job(), pings, 721) == ("down", Status.DOWN, "last success 12 min ago, overdue for 2 min")
    assert told(job(), [*pings, Ping(722, "success")], 723)[:2] == ("up", Status.OK)


def test_a_job_that_never_pings_is_told_when_its_first_success_is_overdue_also_after_a_restart(
    stores: Stores,
) -> None:
    context = Context(stores.settings, stores, tuple)

    def at(now: float) -> Told:
        collector = make(context, job())  # a new process each time
        reading = collector.collect(now)
        about = rows_of({table.name: table for table in reading.tables}, About)[0]
        assert about.due == 1_600.0
        return about.state, reading.components[0].status, reading.components[0].why

    assert at(1_000.0) == ("new", Status.UNKNOWN, "has never pinged")
    assert at(1_599.0)[:2] == ("new", Status.UNKNOWN)
    assert at(1_661.0) == ("late", Status.WARNING, "has never pinged, late for 61 s")
    assert at(1_721.0) == ("down", Status.DOWN, "has never pinged, overdue for 2 min")
    assert recent_pings(stores.state, "bars") == []
    add_ping(stores.state, "bars", Ping(1_800.0, "success"))
    reading = make(context, job()).collect(1_801.0)
    assert reading.components[0].status is Status.OK


def test_a_failure_is_down_at_once_with_its_words_and_a_new_start_takes_it_back() -> None:
    pings = [Ping(0, "success"), Ping(60, "fail", message="exit code 3: disk full")]
    assert told(job(), pings, 61) == ("down", Status.DOWN, "failed just now: exit code 3: disk full")
    assert told(job(), [*pings, Ping(70, "start")], 71)[:2] == ("running", Status.OK)
    assert told(job(), [*pings, Ping(70, "start"), Ping(90, "success")], 91)[:2] == ("up", Status.OK)


def test_a_job_that_only_starts_is_found_out() -> None:
    started = [Ping(0, "success"), Ping(500, "start")]
    assert told(job(), started, 620)[:2] == ("running", Status.OK)
    late = told(job(), started, 800)
    assert late[:2] == ("down", Status.DOWN)
    assert late[2] == "last success 13 min ago, overdue for 3 min (running for 5 min)"
    long = told(job(longest_seconds=100), started, 610)
    assert long == ("down", Status.DOWN, "has been running for 110 s, and at most 100 s is allowed")
    assert told(job(), [Ping(0, "start")], 10)[:2] == ("running", Status.OK)
    assert told(job(), [Ping(0, "start"), Ping(300, "start")], 730)[:2] == ("down", Status.DOWN)


@pytest.mark.parametrize(
    ("ping", "status", "why"),
    [
        (Ping(0, "success", rows=4_000), Status.OK, "last success just now, 4\u202f000 rows"),
        (Ping(0, "success", rows=3_999), Status.WARNING, "the last success brought 3\u202f999 of 4\u202f000 rows"),
        (Ping(0, "success", rows=0), Status.CRITICAL, "the last success brought 0 of 4\u202f000 rows"),
        (Ping(0, "success", rows=90, expected=90), Status.OK, "last success just now, 90 rows"),
        (Ping(0, "success"), Status.WARNING, "the last success did not report its rows, and 4\u202f000 were expected"),
    ],
)
def test_rows_are_held_against_those_expected(ping: Ping, status: Status, why: str) -> None:
    assert told(job(expected_rows=4_000), [ping], 1)[1:] == (status, why)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_schedule_knows_time_zones_and_weekends() -> None:
    plain = HeartbeatCollector(job(schedule="30 18 * * mon-fri", timezone="America/New_York"), list)
    assert plain.due_after(at("2026-11-20 23:31")) == at("2026-11-23 23:30")
    # In summer half past six in New York is an hour earlier here.
    assert plain.due_after(at("2026-07-01 22:31")) == at("2026-07-02 22:30")
    # A run that is done a minute early is the run of that time.
    assert plain.due_after(at("2026-11-23 23:29:30")) == at("2026-11-24 23:30")
    # Monday is 1: a ping on Saturday is followed by one on Monday.
    mondays = HeartbeatCollector(job(schedule="0 3 * * 1-5"), list)
    assert mondays.due_after(at("2026-11-28 16:56")) == at("2026-11-30 03:00")


@pytest.mark.parametrize(
    ("pinged", "due"),
    [("16:55:02", "17:00"), ("16:56:33", "17:00"), ("16:59:00", "17:00"), ("16:59:50", "17:05"), ("17:00:00", "17:05")],
)
def test_a_late_run_is_not_taken_for_the_next_one_however_long_the_grace(pinged: str, due: str) -> None:
    every_five = HeartbeatCollector(job(schedule="*/5 * * * *", grace_seconds=600), list)
    assert every_five.due_after(at(f"2026-11-28 {pinged}")) == at(f"2026-11-28 {due}")


def test_a_night_that_has_an_hour_twice_expects_one_run() -> None:
    nightly = HeartbeatCollector(job(schedule="30 1 * * *", timezone="America/New_York"), list)
    assert nightly.due_after(at("2026-10-31 05:31")) == at("2026-11-01 05:30")
    assert nightly.due_after(at("2026-11-01 05:31")) == at("2026-11-02 06:30")
    assert nightly.due_after(at("2026-11-01 06:31")) == at("2026-11-02 06:30")


def thanksgiving() -> date:
    """Return the last one that is a year old at most, or a little more: the fourth Thursday of November."""
    year = datetime.now(UTC).year - 1
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


def of_day(day: date, zone: str, hour: int, minute: int) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()


def test_a_schedule_that_follows_a_market_rests_with_it() -> None:
    zone, holiday, day = "America/New_York", thanksgiving(), timedelta(days=1)
    given = {"schedule": "30 18 * * mon-fri", "timezone": zone}
    wednesday = of_day(holiday - day, zone, 18, 31)
    assert HeartbeatCollector(job(**given), list).due_after(wednesday) == of_day(holiday, zone, 18, 30)
    market = HeartbeatCollector(job(**given, calendar="XNYS"), list)
    assert market.due_after(wednesday) == of_day(holiday + day, zone, 18, 30)
    # The evening of a session in New York is the next day in UTC; the session's own date counts.
    late = HeartbeatCollector(job(schedule="30 20 * * *", timezone=zone, calendar="XNYS"), list)
    assert late.due_after(of_day(holiday, zone, 20, 31)) == of_day(holiday + day, zone, 20, 30)
    # Through a weekend, however many times of the schedule are in it.
    often = HeartbeatCollector(job(schedule="*/5 * * * *", timezone=zone, calendar="XNYS"), list)
    assert often.due_after(of_day(holiday + day, zone, 23, 55)) == of_day(holiday + 4 * day, zone, 0, 0)
    # Friday's session of the futures opens on Thursday evening.
    futures = HeartbeatCollector(job(schedule="0 15 * * *", timezone="America/Chicago", calendar="CMES"), list)
    thursday = of_day(holiday - 7 * day, "America/Chicago", 15, 1)
    assert futures.due_after(thursday) == of_day(holiday - 6 * day, "America/Chicago", 15, 0)


def test_a_job_that_has_never_pinged_shows_what_its_schedule_says() -> None:
    saturday = of_day(date(2026, 11, 28), "UTC", 16, 56)
    for given, due in (({"schedule": "0 3 * * 1-5"}, of_day(date(2026, 11, 30), "UTC", 3, 0)), ({}, saturday + 600)):
        reading = HeartbeatCollector(job(**given), list).collect(saturday)
        (about,) = rows_of({table.name: table for table in reading.tables}, About)
        assert about.due == due
        assert "heartbeat_late_seconds" not in {sample.metric for sample in reading.samples}


def test_a_schedule_that_is_none_is_refused_by_the_settings() -> None:
    with pytest.raises(ValidationError, match="schedule must be a cron line"):
        job(schedule="every day")
    with pytest.raises(ValidationError, match="bad day-of-week"):
        job(schedule="0 3 * * 8")
    assert job(schedule="0 3 * * 7").schedule
    with pytest.raises(ValidationError, match="must be a time zone"):
        job(timezone="Mars/Olympus")


@pytest.fixture
def watched(stores: Stores) -> Stores:
    settings = stores.settings.model_copy(update={"watch": Watch(heartbeat=(job(),))})
    return replace(stores, settings=settings, clock=FakeClock())


@pytest.fixture
def client(watched: Stores) -> Iterator[FlaskClient]:
    server = Flask("test")
    heartbeats.install(server, watched)
    yield server.test_client()


def test_a_ping_is_kept_before_it_is_answered_however_it_is_sent(client: FlaskClient, watched: Stores) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get(f"/ping/bars/start?token={TOKEN}").data == b"OK\n"
    assert client.post(f"/ping/bars?token={TOKEN}", data={"rows": "7", "message": "a form"}).status_code == 200
    assert client.post("/ping/bars", headers=bearer, json={"rows": 8, "bytes": 2**40}).status_code == 200
    assert client.post("/ping/bars/fail", headers=bearer, data=b"Traceback\n  disk full").status_code == 200
    assert client.get("/ping/bars/3", headers=bearer).status_code == 200
    assert client.get("/ping/bars/0?rows=9", headers=bearer).status_code == 200
    kept = [(ping.kind, ping.rows, ping.message) for ping in recent_pings(watched.state, "bars")]
    assert kept[::-1] == [
        ("start", None, ""), ("success", 7, "a form"), ("success", 8, ""), ("fail", None, "Traceback disk full"),
        ("fail", None, "exit code 3"), ("success", 9, ""),
    ]  # fmt: skip


def test_what_is_no_ping_is_refused_and_not_kept(client: FlaskClient, watched: Stores) -> None:
    for path in (
        "/ping/bars",
        "/ping/bars?token=wrong",
        f"/ping/other?token={TOKEN}",
        "/ping/other?token=no%20such%20job",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.data) == (403, b"No such job, or the token is wrong.\n")
    assert client.get(f"/ping/bars/bla?token={TOKEN}").status_code == 404
    assert client.get(f"/ping/bars?token={TOKEN}&rows=-1").data == b"rows must be a whole number, not -1\n"
    assert client.post(f"/ping/bars?token={TOKEN}", json=[1]).status_code == 400
    assert client.post(f"/ping/bars?token={TOKEN}", data=b"x" * 20_000).status_code == 400
    assert recent_pings(watched.state, "bars") == []


def test_a_job_in_a_loop_is_slowed_down_and_old_pings_go(client: FlaskClient, watched: Stores) -> None:
    codes = [client.get(f"/ping/bars?token={TOKEN}").status_code for _ in range(61)]
    assert codes == [200] * 60 + [429]
    for number in range(KEPT + 5):
        add_ping(watched.state, "many", Ping(float(number), "success"))
    assert [ping.at for ping in recent_pings(watched.state, "many", 500)] == [float(n) for n in range(KEPT + 4, 4, -1)]


def test_a_ping_reaches_the_reading_of_its_job(client: FlaskClient, watched: Stores) -> None:
    collector = make(Context(watched.settings, watched, tuple), job())
    assert collector.collect(watched.clock.now()).is_up is None
    client.get(f"/ping/bars?token={TOKEN}&rows=12")
    reading = collector.collect(watched.clock.now() + 5)
    assert reading.is_up is True
    assert {sample.metric: sample.value for sample in reading.samples}["heartbeat_rows"] == 12
    client.get(f"/ping/bars/fail?token={TOKEN}")
    assert collector.collect(watched.clock.now() + 6).is_up is False
