"""Market hours against days whose hours are known: a holiday, an early close, a lunch break, a change of the clocks."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from collectors.judging.market_hours import Market, market, market_soon
from core.errors import SourceRejected


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOW = at("2026-11-21T12:00:00+00:00")


@pytest.mark.parametrize(
    ("calendar", "moment", "is_open"),
    [
        ("XNYS", "2026-11-20T14:30:00+00:00", True),
        ("XNYS", "2026-11-20T14:29:59+00:00", False),
        ("XNYS", "2026-11-20T21:00:00+00:00", False),
        ("XNYS", "2026-11-21T16:00:00+00:00", False),  # a Saturday
        ("XNYS", "2026-11-26T16:00:00+00:00", False),  # Thanksgiving
        ("XNYS", "2026-11-27T17:59:00+00:00", True),
        ("XNYS", "2026-11-27T18:01:00+00:00", False),  # closes at one o'clock
        ("XNYS", "2026-07-15T13:30:00+00:00", True),  # summer time
        ("XTKS", "2026-11-20T03:00:00+00:00", False),  # lunch
        ("XTKS", "2026-11-20T04:00:00+00:00", True),
        ("CMES", "2026-11-18T23:00:00+00:00", True),
        ("24/7", "2026-11-22T03:00:00+00:00", True),
    ],
)
def test_known_moments(calendar: str, moment: str, is_open: bool) -> None:
    assert market(calendar, NOW).is_open(at(moment)) is is_open


def test_age_counts_only_while_the_market_is_open() -> None:
    hours = market("XNYS", NOW)
    friday, monday = at("2026-11-20T20:59:00+00:00"), at("2026-11-23T14:32:00+00:00")
    assert hours.open_seconds(friday, monday) == 180
    assert hours.open_seconds(monday, friday) == 0
    assert hours.opened(monday) == at("2026-11-23T14:30:00+00:00")
    assert hours.opened(NOW) is None
    assert hours.next_open(NOW) == at("2026-11-23T14:30:00+00:00")


def test_the_ends_of_a_calendar_and_names_that_are_none() -> None:
    hours = Market("one", [100, 250], [200, 300])
    assert (hours.is_open(99), hours.is_open(200), hours.is_open(299), hours.is_open(300)) == (
        False,
        False,
        True,
        False,
    )
    assert (hours.next_open(300), hours.open_seconds(100, 999)) == (None, 150)
    with pytest.raises(SourceRejected, match="NYSEX is no market"):
        market("NYSEX", NOW)


def test_a_calendar_that_takes_long_holds_nobody_up() -> None:
    began = time.monotonic()
    assert market_soon("XHKG", NOW) is None
    assert market_soon("24/7", NOW) is not None
    assert time.monotonic() - began < 0.5
    hours = soon("XHKG", NOW)
    assert hours.is_open(at("2026-11-20T02:00:00+00:00"))
    assert market_soon("XHKG", NOW + 86_400) is hours  # those of the day before, until the new ones are made
    with pytest.raises(SourceRejected, match="NYSEX is no market"):
        soon("NYSEX", NOW)


def soon(name: str, now: float) -> Market:
    ends = time.monotonic() + 60
    while (hours := market_soon(name, now)) is None:
        assert time.monotonic() < ends
        time.sleep(0.02)
    return hours
