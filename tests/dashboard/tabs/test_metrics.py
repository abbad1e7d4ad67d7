"""The page of exporters' series: searched and paged on the server, each with its chart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from collectors.kinds.scrape.collector import make
from core.clock import FakeClock
from core.kinds.registry import Watch
from core.kinds.scrape.spec import labels_key
from core.model import labels
from dashboard.components.choices import TAKEN_AFTER_MS
from dashboard.tabs import metrics, services
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from storage.stores import Stores
from tests.support.times import MIDNIGHT
from tests.support.views import OPERATOR, built, laid_out, text

SERIES = 130
EVERY = 30.0


class Exporter:
    """A real exporter with a gauge for each of many books, and a counter; scraped by the product."""

    def __init__(self, stores: Stores) -> None:
        registry = CollectorRegistry()
        self.depth = Gauge("book_depth", "Orders in a book", ["book"], registry=registry)
        self.offset = Gauge("clock_offset_seconds", "Behind or ahead", registry=registry)
        self.fills = Counter("fills", "Orders filled", ["venue"], registry=registry)
        for number in range(SERIES):
            self.depth.labels(f"b{number:03d}").set(number)
        self.offset.set(-0.25)
        self.fills.labels("cme").inc(5)
        self._server, self._thread = start_http_server(0, addr="127.0.0.1", registry=registry)
        url = f"http://127.0.0.1:{self._server.server_port}/metrics"
        watch = Watch.model_validate({"scrape": [{"name": "oms", "url": url, "timeout_seconds": 5}]})
        clock = FakeClock(MIDNIGHT + 40_000)
        self.stores = replace(stores, settings=stores.settings.model_copy(update={"watch": watch}), clock=clock)

        class Context:
            stores = self.stores
            settings = self.stores.settings

        self._collector = make(Context(), watch.of("scrape")[0])  # type: ignore[arg-type]
        self._clock = clock

    def scrape(self) -> None:
        """Take one reading, as the runner would."""
        now = self._clock.now()
        reading = self._collector.collect(now)
        self.stores.live.put_reading("scrape:oms", "host-1", now, EVERY, reading)
        self.stores.writer.put("host-1", now, reading.samples)
        self.stores.writer.flush()
        self._clock.advance(EVERY)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)


@pytest.fixture
def exporter(stores: Stores) -> Iterator[Exporter]:
    made = Exporter(stores)
    for _ in range(3):
        made.fills.labels("cme").inc(60)
        made.scrape()
    yield made
    made.close()


def table(exporter: Exporter, **choices: str) -> str:
    return " ".join(text(built(metrics.PAGE, exporter.stores, **choices).slots["metrics-series-table"]).split())


def test_the_table_pages_through_all_series_and_the_filter_searches_all(exporter: Exporter) -> None:
    first = table(exporter)
    assert "1–100 of 132 series" in first
    assert "book=b000" in first and "book=b129" not in first
    second = table(exporter, page="1 oms")
    assert "101–132 of 132 series" in second
    assert "book=b129" in second and "book=b000" not in second
    found = table(exporter, find="depth B129")
    assert "1 of 132 series" in found and "book=b129" in found
    assert "1 of 132 series" in table(exporter, find="FILLED cme"), "help and labels are searched too"
    assert "None of 132 series matches." in table(exporter, find="no such")
    # A page of other words is the first.
    assert "1–100 of 130 of 132 series" in table(exporter, find="book", page="1 oms")


def figure(exporter: Exporter, **choices: str) -> dict[str, Any]:
    found: dict[str, Any] = built(metrics.PAGE, exporter.stores, **choices).figures["metrics-course-graph"]
    return found


def test_a_row_opens_its_chart_a_counter_as_its_rate(exporter: Exporter) -> None:
    key = labels_key(labels(book="b007"))
    assert f'"metric": "book_depth", "series": "{key}"' in str(
        built(metrics.PAGE, exporter.stores).slots["metrics-series-table"]
    )
    one = figure(exporter, metric="book_depth", series=key)
    assert [line["name"] for line in one["data"]] == ["book_depth"]
    assert {value for value in one["data"][0]["y"] if value is not None} == {7.0}
    every = figure(exporter, metric="book_depth", window="15m")
    assert [line["name"] for line in every["data"]] == [f"book=b{n}" for n in (129, 128, 127, 126, 125, 124)]
    rate = figure(exporter, metric="fills_per_second", series=labels_key(labels(venue="cme")))
    assert rate["layout"]["yaxis"]["ticksuffix"] in (" /s", " K/s", " M/s")
    assert all(value > 0 for value in rate["data"][0]["y"] if value is not None)
    below = figure(exporter, metric="clock_offset_seconds")
    assert below["layout"]["yaxis"]["range"][0] < 0, "what is below zero shows"


def test_what_there_is_no_chart_of_says_why(exporter: Exporter) -> None:
    view = built(metrics.PAGE, exporter.stores)
    assert view.notes["metrics-course"] == "Choose a metric below: its course is drawn here."
    gone = built(metrics.PAGE, exporter.stores, metric="no_such", series="0")
    assert gone.notes["metrics-course"].startswith("Nothing measured in this window.")


def test_services_lead_to_the_series_of_an_exporter(exporter: Exporter) -> None:
    panel = built(services.TAB, exporter.stores).slots["services-scrape-metrics-table"]
    assert "oms 132" in " ".join(text(panel).split())
    assert "/services/metrics?exporter=oms" in str(panel)


def test_without_an_exporter_the_page_says_how_to_watch_one(stores: Stores) -> None:
    assert "No exporter is watched" in laid_out(metrics.PAGE, stores)
    assert built(metrics.PAGE, stores).slots == {}


def test_words_to_find_are_taken_when_typing_pauses(exporter: Exporter) -> None:
    told = json.dumps(plain(metrics.layout(exporter.stores, Choices(), OPERATOR)))
    assert f'"debounce": {TAKEN_AFTER_MS}' in told
    assert '"type": "search"' in told
