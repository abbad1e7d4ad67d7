"""A journey through the pipeline tab in a real browser: real collectors, one of which fails, on real stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from collectors.runtime.registry import build_runner
from collectors.runtime.runner import Runner
from core.clock import SystemClock
from core.errors import SourceUnavailable
from dashboard.tabs import pipeline
from storage.stores import Stores
from tests.collectors.fakes import FakeCollector, finish
from tests.support.application import create_app

pytestmark = pytest.mark.browser


@pytest.fixture
def source() -> FakeCollector:
    source = FakeCollector("iqfeed", interval_seconds=1.0)
    source.answer = SourceUnavailable("connection to 127.0.0.1:9300 refused")
    return source


@pytest.fixture
def runner(stores: Stores, source: FakeCollector) -> Iterator[Runner]:
    """Collectors that run by themselves, the pipeline's each second."""
    intervals = stores.settings.intervals.model_copy(update={"pipeline_seconds": 1.0, "system_seconds": 1.0})
    settings = stores.settings.model_copy(update={"intervals": intervals})
    runner = build_runner(replace(stores, clock=SystemClock(), settings=settings), ["system", "pipeline"])
    runner.add(source)
    stores.writer.start()
    runner.start()
    yield runner
    runner.stop(deadline_seconds=2.0)
    stores.writer.stop()


@pytest.fixture
def url(stores: Stores, runner: Runner, serve: Callable[..., Any]) -> str:
    finish(runner, "iqfeed", 3)
    app = create_app(replace(stores, clock=SystemClock()), pages=(pipeline.TAB,))
    return str(serve(app.server).url) + "/pipeline"


def test_trouble_is_read_first_found_in_history_and_gone_when_it_is_over(
    url: str, source: FakeCollector, page: Page
) -> None:
    page.goto(url)
    line = page.locator("#pipeline-verdict")
    expect(line).to_contain_text("Collector iqfeed")
    expect(line).to_contain_text("connection to 127.0.0.1:9300 refused")
    first = page.locator("#pipeline-collectors-rows tbody tr").first
    expect(first).to_contain_text("iqfeed", timeout=60_000)
    expect(first).to_contain_text("open until")

    history = page.locator("#pipeline-history-rows tbody tr")
    expect(history.filter(has_text="unavailable").first).to_be_visible()
    page.get_by_label("that ended").select_option("failed")
    page.wait_for_url("**outcome=failed**")
    expect(history.filter(has_text="system")).to_have_count(0)
    page.get_by_text("15 m", exact=True).click()
    page.wait_for_url("**window=15m**")
    page.reload()
    expect(page.get_by_label("that ended")).to_have_value("failed")
    expect(history.filter(has_text="unavailable").first).to_be_visible()

    source.answer = FakeCollector().answer
    expect(line).to_contain_text("components fine", timeout=60_000)
    expect(first).not_to_contain_text("open until")


def test_a_phone_shows_all_without_scrolling_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844, theme="light")
    page.goto(url)
    page.locator("#pipeline-durations-graph").scroll_into_view_if_needed()
    page.wait_for_selector("#pipeline-durations-graph .scatterlayer .trace", state="attached")
    expect(page.locator("#pipeline-cards .fw-card")).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    narrow = page.evaluate("fundwatch.fitNarrow({margin: {l: 46, r: 120}, xaxis: {type: 'date', nticks: 6}}, 350)")
    assert narrow["xaxis"]["nticks"] == 2, "more would not stand side by side, and plotly would turn them upright"
