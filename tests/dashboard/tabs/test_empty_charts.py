"""A chart without a line says why; a threshold that is drawn is the one that judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from collectors.kinds.heartbeat.collector import HeartbeatCollector
from collectors.runtime.publisher import Publisher
from core.checks import Check
from core.clock import SystemClock
from core.kinds.celery.source import CelerySource
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.kafka.source import KafkaSource
from core.kinds.registry import Watch
from core.model import Reading, SourceId
from core.settings.model import Settings
from core.tables import table_of
from dashboard.components.markup import markup
from dashboard.kinds.celery.section import SECTION as CELERY
from dashboard.tabs.pipeline import TAB
from dashboard.views.tab import fitted
from storage.state.pings import SUCCESS, Ping
from storage.stores import Stores
from tests.support.views import built

JOB = HeartbeatSource(name="nightly", token=SecretStr("a-long-token"), period_seconds=3_600)


@pytest.fixture
def watching(stores: Stores) -> Iterator[Stores]:
    settings = Settings(data_dir=stores.settings.data_dir, machine="host-1", watch=Watch(heartbeat=(JOB,)))
    yield replace(stores, settings=settings, clock=SystemClock())


def test_a_chart_that_has_no_line_says_what_it_needs(watching: Stores) -> None:
    now = watching.clock.now()
    ping = Ping(at=now - 60, kind=SUCCESS, rows=None, expected=None, bytes=None, files=None, message="")
    reading = HeartbeatCollector(JOB, lambda: [ping]).collect(now)
    Publisher("host-1", watching.writer, watching.live).succeeded(SourceId("heartbeat", "nightly"), now, 5, reading)
    watching.writer.flush()
    view = built(TAB, watching)
    empty = {id: note for id, note in view.notes.items() if note}
    assert "needs /ping/<name>/start" in empty["pipeline-sources-heartbeat-duration"]
    assert "?rows=" in empty["pipeline-sources-heartbeat-rows"]
    assert "pipeline-sources-heartbeat-age" not in empty
    panels = {panel.id for panel in fitted((TAB,), watching.settings)[0].panels}
    assert set(view.as_of) <= panels, "an age of what is no panel is written into the first panel inside it"


def celery(name: str, warning: float) -> CelerySource:
    return CelerySource(name=name, broker=SecretStr("redis://127.0.0.1"), queue_warning_seconds=warning)


def test_a_limit_that_sources_set_themselves_is_drawn_where_all_have_the_same() -> None:
    def drawn(*sources: CelerySource) -> list[float]:
        charts = {chart.id: chart for chart in CELERY.judged_by(sources).charts}
        return [line.value for line in charts["oldest"].limit_lines]

    assert drawn(celery("a", 30.0), celery("b", 30.0))[0] == 30.0
    assert drawn(celery("a", 30.0), celery("b", 40.0)) == []


def test_charts_of_sources_that_are_down_say_what_is_the_matter_and_are_left_out(watching: Stores) -> None:
    kafka = KafkaSource(name="main", bootstrap="127.0.0.1:1")
    watching = replace(watching, settings=watching.settings.model_copy(update={"watch": Watch(kafka=(kafka,))}))
    publisher, now = Publisher("host-1", watching.writer, watching.live), watching.clock.now()
    publisher.failed(kafka.id, now, 5, "connection refused")
    view = built(TAB, watching)
    charts = [
        panel.id for panel in fitted((TAB,), watching.settings)[0].panels if "-kafka-" in panel.id and panel.graph
    ]
    assert len(charts) == 6
    assert {view.notes[id] for id in charts} == {"Kafka main is down: connection refused."}
    heading = markup(view.slots["pipeline-sources-kafka-section-table"])
    assert "fw-silent fw-unread" in heading
    assert "Charts and tables are left out until one answers." in heading
    publisher.succeeded(kafka.id, now - 60, 5, Reading(tables=[table_of(Check, [])]))
    publisher.failed(kafka.id, now, 5, "connection refused")
    heading = markup(built(TAB, watching).slots["pipeline-sources-kafka-section-table"])
    assert "fw-unread" not in heading, "what was read before stays, with its age"
    assert "Charts without data are left out until one answers." in heading and f'data-ts="{now - 60:.3f}"' in heading
