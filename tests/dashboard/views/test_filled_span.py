"""A window that is not filled yet begins when collecting began, and says so; a hole in it is no beginning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.base import labels
from core.clock import FakeClock
from core.model import Sample
from dashboard.views.span import SHORTEST_SECONDS, Span, filled_span, span_line
from storage.stores import Stores
from tests.support.times import MIDNIGHT
from tests.support.views import text

NOW = MIDNIGHT + 40_000.0
HOUR = Span(NOW - 3_600, NOW, False)


@pytest.fixture
def stores(stores: Stores) -> Stores:
    return replace(stores, clock=FakeClock(NOW))


def heard(stores: Stores, *ago: float, source: str = "system", host: str = "host-1") -> None:
    for each in ago:
        stores.writer.put(host, NOW - each, [Sample("collector_up", 1.0, labels(collector=source))])
    stores.writer.flush()


def test_the_window_begins_with_the_first_reading_and_says_so(stores: Stores) -> None:
    heard(stores, 600, 300, 0)
    span = filled_span(stores, HOUR, ["system"], "host-1")
    assert 600 <= NOW - span.start < 660
    assert span.end == NOW
    assert text(span_line("system", span)).startswith("since the start")
    day = Span(NOW - 86_400, NOW, False)
    assert filled_span(stores, day, ["system"]).start == span.start
    assert filled_span(stores, HOUR, ["system"], "host-2") == HOUR, "of that machine nothing is known"


@pytest.mark.parametrize("earlier", [3_700, 7_000, 30_000])
def test_a_hole_in_the_window_is_no_beginning(stores: Stores, earlier: float) -> None:
    heard(stores, earlier, 600, 300, 0)
    span = filled_span(stores, HOUR, ["system"], "host-1")
    assert span == HOUR
    assert "since the start" not in text(span_line("system", span))


def test_a_zoom_stays_and_the_first_seconds_have_room(stores: Stores) -> None:
    heard(stores, 1)
    zoom = Span(NOW - 3_600, NOW, True)
    assert filled_span(stores, zoom, ["system"]) == zoom
    assert filled_span(stores, HOUR, []) == HOUR
    assert SHORTEST_SECONDS <= NOW - filled_span(stores, HOUR, ["system"]).start < 120


def test_storage_is_asked_once_and_the_window_moves_on_past_the_beginning(stores: Stores) -> None:
    heard(stores, 600, 300, 0)
    first = filled_span(stores, HOUR, ["system"], "host-1")
    stores.clickhouse.command("TRUNCATE TABLE samples_1m")
    later = Span(HOUR.start + 60, NOW + 60, False)
    assert filled_span(stores, later, ["system"], "host-1") == Span(first.start, NOW + 60, False, True)
    filled = Span(NOW - 300, NOW + 3_300, False)
    assert filled_span(stores, filled, ["system"], "host-1") == filled
    day = Span(NOW - 86_400, NOW, False)
    assert filled_span(stores, day, ["system"], "host-1") == day, "asked anew: nothing is known any more"
