"""What a page does until it shows its data: it doesn't jump, and mounts no chart that nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from collectors.runtime.publisher import Publisher
from collectors.runtime.registry import build_runner
from core.clock import SystemClock
from core.kinds.registry import Watch
from core.model import SourceId
from storage.stores import Stores
from tests.support.application import create_app

pytestmark = pytest.mark.browser

AWAY = {
    "redis": [{"name": "main", "url": "redis://127.0.0.1:1"}],
    "clickhouse": [{"name": "main", "url": "http://127.0.0.1:1"}, {"name": "spare", "url": "http://127.0.0.1:1"}],
    "postgresql": [{"name": "main", "url": "postgresql://a@127.0.0.1:1/b"}],
    "kafka": [{"name": "main", "bootstrap": "127.0.0.1:1"}],
    "heartbeat": [{"name": "bars", "token": "a-token-of-a-job-1"}, {"name": "night", "token": "a-token-of-a-job-2"}],
    "tcp": [{"name": name, "host": "127.0.0.1", "port": 1} for name in ("fix", "web", "gateway")],
    "http": [{"name": "orders", "url": "http://127.0.0.1:1/health"}],
}  # fmt: skip
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
LARGEST_SHIFT = 0.1
"""What Google's Web Vitals call good."""


@pytest.fixture
def site(stores: Stores, serve: Callable[..., Any], request: pytest.FixtureRequest) -> Iterator[str]:
    """All pages, with sources that are all away, or with none."""
    watched = Watch.model_validate(request.param)
    settings = stores.settings.model_copy(update={"watch": watched})
    live = replace(stores, clock=SystemClock(), settings=settings)
    publisher = Publisher(settings.machine, stores.writer, stores.live)
    for kind in request.param:
        for each in watched.of(kind):
            publisher.failed(SourceId(kind, each.name), live.clock.now(), 60, "nothing listens there (refused)")
    yield str(serve(create_app(live).server).url)


@pytest.mark.parametrize("site", [{}, AWAY], ids=["nothing watched", "several kinds"], indirect=True)
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["wide", "phone"])
def test_no_page_jumps_while_its_data_arrives(site: str, size: tuple[int, int], open_page: Callable[..., Page]) -> None:
    page = open_page(*size)
    page.add_init_script(SHIFTS)
    for tab in ("database", "cache", "services", "system", "pipeline"):
        page.goto(f"{site}/{tab}")
        page.wait_for_selector(".fw-verdict")
        page.wait_for_timeout(1_200)
        shifted = page.evaluate("window.shifted")
        assert shifted <= LARGEST_SHIFT, f"{tab} shifted by {shifted:.3f}"


@pytest.fixture
def first_start(stores: Stores, serve: Callable[..., Any]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Fundwatch before its collectors have run for the first time, and what starts them: they read each second."""
    seconds = dict.fromkeys(("system_seconds", "processes_seconds", "pipeline_seconds"), 1.0)
    intervals = stores.settings.intervals.model_copy(update=seconds)
    live = replace(stores, clock=SystemClock(), settings=stores.settings.model_copy(update={"intervals": intervals}))
    runner = build_runner(live, ["system", "processes", "pipeline"])

    def start() -> None:
        stores.writer.start()
        runner.start()

    yield str(serve(create_app(live).server).url), start
    runner.stop(deadline_seconds=5.0)
    stores.writer.stop()


@pytest.mark.parametrize("tab", ["system", "pipeline"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["wide", "phone"])
def test_the_first_readings_move_nothing(
    first_start: tuple[str, Callable[[], None]], tab: str, size: tuple[int, int], open_page: Callable[..., Page]
) -> None:
    site, start = first_start
    page = open_page(*size)
    page.add_init_script(SHIFTS)
    page.goto(f"{site}/{tab}")
    page.wait_for_selector(".fw-verdict")
    page.wait_for_timeout(1_000)
    start()
    page.wait_for_selector(f"#{tab}-cards .fw-bar-fill", state="attached")
    page.wait_for_timeout(5_000)
    shifted = page.evaluate("window.shifted")
    assert shifted <= LARGEST_SHIFT, f"{tab} shifted by {shifted:.3f}"


@pytest.mark.parametrize("site", [AWAY], ids=["several kinds"], indirect=True)
def test_a_chart_is_drawn_when_it_comes_into_view(site: str, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 120})
    page.goto(f"{site}/pipeline")
    page.wait_for_selector(".fw-verdict")
    last = page.locator("#pipeline-written-graph")
    page.wait_for_timeout(1_000)
    expect(last.locator(".js-plotly-plot")).to_have_count(0)
    last.scroll_into_view_if_needed()
    expect(page.locator("#pipeline-written")).to_be_visible()


@pytest.mark.parametrize("site", [{}], ids=["nothing watched"], indirect=True)
def test_our_own_store_draws_nothing_until_it_is_unfolded(site: str, page: Page) -> None:
    page.goto(f"{site}/cache")
    page.wait_for_selector(".fw-verdict")
    expect(page.locator(".fw-own > summary")).to_have_text("Fundwatch’s own: Redis own")
    expect(page.locator("#cache-cards")).to_be_hidden()
    assert page.locator(".js-plotly-plot").count() == 0
    page.locator(".fw-own > summary").click()
    expect(page.locator("#cache-cards .fw-card").first).to_be_visible()
