"""A chart without a line says why; a threshold that is drawn is the one that judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from collectors.kinds.heartbeat.collector import HeartbeatCollector
from collectors.runtime.publisher import Publisher
from core.clock import SystemClock
from core.kinds.celery.source import CelerySource
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.registry import Watch
from core.model import SourceId
from core.settings.model import Settings
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
