"""Bands of outages: joined where they meet, and the same for a minute while something is broken still."""

from __future__ import annotations

from core.alerts.severity import Severity
from portfolio.incidents import Fired
from portfolio.outage import ANY, bands_of
from storage.state.events import Event


def fired(since: float, until: float | None) -> tuple[Fired, Event]:
    return Fired("down", "{}", Severity.CRITICAL, since, until, ""), Event(since, until, "", component="redis:main")


def test_what_is_broken_still_is_so_to_the_end_of_the_minute() -> None:
    told = [fired(90.4, 95.2), fired(95.5, 100.0), fired(300.0, None)]
    bands = ((90, 100), (300, 360))
    assert [bands_of(told, ANY, now) for now in (300.5, 301.0, 360.0)] == [bands] * 3
    assert bands_of(told, "redis:main", 361.0) == ((90, 100), (300, 420))
    assert bands_of(told, "redis:other", 361.0) == ()
