"""When silences and maintenance windows hold: to the second, over clocks that change, again and again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.matchers import read_matchers
from core.alerts.silence import Silence, Span, When, Window

HOST = read_matchers('host="a"')
FOR_EVER = 4e9


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def weekly(cron: str, zone: str, hours: float, begins: float = 0.0, ends: float = FOR_EVER) -> Window:
    return Window("backup", HOST, begins, ends, "backup", "ana", 0.0, cron, zone, hours * 3_600)


def test_a_silence_holds_from_its_beginning_and_no_longer_at_its_end() -> None:
    silence = Silence(HOST, 100.0, 200.0, "why", "ana", 50.0)
    assert [silence.when(now) for now in (99.9, 100.0, 199.9, 200.0)] == [
        When.PENDING, When.ACTIVE, When.ACTIVE, When.EXPIRED,
    ]  # fmt: skip
    assert silence.hides({"host": "a", "rule": "cpu"}) and not silence.hides({"host": "b"})


def test_a_window_that_comes_once_is_open_once() -> None:
    window = Window("move", HOST, 100.0, 200.0, "move", "ana", 0.0)
    assert [window.open_at(now) for now in (99.0, 100.0, 200.0)] == [None, Span(100.0, 200.0), None]
    assert (window.opens_after(50.0), window.opens_after(150.0)) == (Span(100.0, 200.0), None)


# The clocks of New York go forward on 2026-03-08 at 07:00 UTC and back on 2026-11-01 at 06:00 UTC.
@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-03-07 06:59", False),
        ("2026-03-07 07:00", True),  # 02:00 EST
        ("2026-03-07 09:59", True),
        ("2026-03-07 10:00", False),
        ("2026-03-08 06:59", False),
        ("2026-03-08 07:00", True),  # there is no 02:00: at 03:00 EDT, as soon as the hour is over
        ("2026-03-08 10:00", False),
        ("2026-03-09 05:59", False),
        ("2026-03-09 06:00", True),  # 02:00 EDT
        ("2026-10-31 06:00", True),
        ("2026-11-01 06:30", False),  # 01:30 for the second time
        ("2026-11-01 07:00", True),  # 02:00 EST, three hours that pass
        ("2026-11-01 09:59", True),
        ("2026-11-01 10:00", False),
    ],
)
def test_a_window_by_local_time_follows_the_clocks(now: str, is_open: bool) -> None:
    window = weekly("0 2 * * *", "America/New_York", 3)
    assert (window.open_at(utc(now)) is not None) == is_open


def test_a_window_that_comes_again_opens_within_its_bounds_alone() -> None:
    window = weekly("0 3 * * *", "UTC", 2, begins=utc("2026-06-02 00:00"), ends=utc("2026-06-03 04:00"))
    assert window.open_at(utc("2026-06-01 03:30")) is None
    assert window.open_at(utc("2026-06-02 03:30")) == Span(utc("2026-06-02 03:00"), utc("2026-06-02 05:00"))
    assert window.open_at(utc("2026-06-03 03:30")) == Span(utc("2026-06-03 03:00"), utc("2026-06-03 04:00"))
    assert window.opens_after(utc("2026-05-01 00:00")) == Span(utc("2026-06-02 03:00"), utc("2026-06-02 05:00"))
    assert window.opens_after(utc("2026-06-03 03:00")) is None
    assert [window.when(utc(f"2026-06-0{day} 03:30")) for day in (1, 2, 4)] == [
        When.PENDING, When.ACTIVE, When.EXPIRED,
    ]  # fmt: skip


@given(
    st.sampled_from(["0 2 * * *", "30 1 * * 0", "0 */6 * * *", "15 22 * * 5"]),
    st.sampled_from(["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe"]),
    st.sampled_from([0.5, 3.0, 30.0]),
    st.integers(0, 366 * 24 * 60),
)
def test_what_is_open_began_at_the_time_that_was_to_come(cron: str, zone: str, hours: float, minute: int) -> None:
    window, now = weekly(cron, zone, hours), utc("2026-01-10 00:00") + minute * 60.0
    span = window.open_at(now)
    if span is None:
        return
    assert span.begins <= now < span.ends
    before = window.opens_after(span.begins - 60.0)
    assert before is not None and before.begins == span.begins


def test_openings_of_two_weeks_follow_the_clocks_of_their_zone() -> None:
    """In March 02:30 of the 8th is missing: it opens as soon as that hour is over. In November 01:30 comes twice."""
    nightly = weekly("30 2 * * *", "America/New_York", 1)
    spring = [*nightly.spans(utc("2026-03-06 12:00"), utc("2026-03-10 12:00"))]
    assert [each.begins for each in spring] == [
        utc("2026-03-07 07:30"), utc("2026-03-08 07:00"), utc("2026-03-09 06:30"), utc("2026-03-10 06:30"),
    ]  # fmt: skip
    assert {each.ends - each.begins for each in spring} == {3_600.0}
    early = weekly("30 1 * * *", "America/New_York", 2)
    autumn = [*early.spans(utc("2026-10-31 12:00"), utc("2026-11-02 12:00"))]
    assert [each.begins for each in autumn] == [utc("2026-11-01 05:30"), utc("2026-11-02 06:30")]


def test_what_is_open_now_is_the_first_opening_and_what_ends_before_is_none() -> None:
    nightly = weekly("0 2 * * *", "UTC", 4, ends=utc("2026-03-05 03:00"))
    found = [*nightly.spans(utc("2026-03-03 03:00"), utc("2026-03-20 00:00"))]
    assert found == [
        Span(utc("2026-03-03 02:00"), utc("2026-03-03 06:00")), Span(utc("2026-03-04 02:00"), utc("2026-03-04 06:00")),
        Span(utc("2026-03-05 02:00"), utc("2026-03-05 03:00")),
    ]  # fmt: skip
    once = Window("move", HOST, 100.0, 200.0, "move", "ana", 0.0)
    assert [*once.spans(50.0, 90.0)] == [] and [*once.spans(50.0, 101.0)] == [*once.spans(150.0, 160.0)]
