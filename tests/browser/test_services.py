"""A journey through the Services tab in a real browser: a server that goes down and comes back, and a pause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from collectors.runtime.actions import run_actions
from collectors.runtime.registry import build_runner
from collectors.runtime.reload import Reloading
from core.clock import SystemClock
from core.kinds.http.source import HttpSource
from core.kinds.registry import Watch
from core.kinds.tcp.source import TcpSource
from dashboard.tabs import services
from storage.stores import Stores
from tests.collectors.services import Site
from tests.support.application import create_app
from tests.support.servers import free_port

pytestmark = pytest.mark.browser


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({"/health": (200, {}, b'{"status": "ok"}')})
    yield made
    made.close()


@pytest.fixture
def url(stores: Stores, site: Site, serve: Callable[..., Any]) -> Iterator[str]:
    watch = Watch(
        http=(
            HttpSource(name="orders-api-primary", url=SecretStr(f"{site.url}/health"), interval_seconds=1, retries=0),
        ),
        tcp=(TcpSource(name="dead", host="127.0.0.1", port=free_port(), interval_seconds=1, retries=0),),
    )
    settings = stores.settings.model_copy(update={"watch": watch, "actions_enabled": True})
    real = replace(stores, clock=SystemClock(), settings=settings)
    runner = build_runner(real, ["http:orders-api-primary", "tcp:dead"])
    reloading = Reloading(real, runner)
    runner.attend(partial(run_actions, reloading, runner, {}), "actions")
    stores.writer.start()
    runner.start()
    yield str(serve(create_app(real, pages=(services.TAB,)).server).url) + "/services"
    runner.stop(deadline_seconds=2.0)
    stores.writer.stop()


def test_a_service_goes_down_comes_back_and_is_paused(url: str, site: Site, page: Page) -> None:
    page.goto(url)
    line = page.locator("#services-verdict")
    expect(line).to_contain_text("TCP dead")
    expect(line).to_contain_text("connection refused")
    orders = page.locator("#services-all-rows tbody tr").filter(has_text="HTTP orders-api-primary")
    expect(orders).to_contain_text("200 OK", timeout=20_000)

    site.answers["/health"] = (503, {}, b"")
    expect(line).to_contain_text("answers 503 Service Unavailable, expected 200-299", timeout=20_000)
    site.answers["/health"] = (200, {}, b"{}")
    expect(orders).to_contain_text("200 OK", timeout=20_000)
    changes = page.locator("#services-changes-rows tbody tr").filter(has_text="HTTP orders-api-primary")
    expect(changes.filter(has_text="503")).to_have_count(1, timeout=20_000)

    orders.get_by_role("button", name="Pause").click()
    page.locator("dialog[open]").get_by_role("button", name="Pause").click()
    expect(orders).to_contain_text("paused by hand", timeout=20_000)
    expect(page.locator("#services-actions")).to_contain_text("HTTP orders-api-primary")


def test_a_phone_shows_all_without_scrolling_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844, theme="light")
    page.goto(url)
    expect(page.locator("#services-cards .fw-card")).to_have_count(2)
    expect(page.locator("#services-all-rows tbody tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


LABELS_CUT = """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap((plot) => {
  const end = plot.getBoundingClientRect().right;
  const labels = plot.clientWidth ? [...plot.querySelectorAll(".annotation text")] : [];
  return labels.filter((label) => label.getBoundingClientRect().right > end + 0.5).map((label) => label.textContent);
})"""


def test_names_at_line_ends_are_whole_after_the_window_was_squeezed(url: str, page: Page) -> None:
    page.goto(url)
    expect(page.locator("#services-http-response .annotation text").first).to_be_visible(timeout=20_000)
    page.set_viewport_size({"width": 1, "height": 1})
    page.wait_for_timeout(500)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_timeout(500)
    assert page.evaluate(LABELS_CUT) == []
