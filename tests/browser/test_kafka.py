"""A journey through Kafka's section in a real browser: a group that stopped, moved to the end by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.kinds.registry import Watch
from dashboard.tabs import pipeline
from storage.stores import Stores
from tests.support.kafka_servers import Tansu, commit, create, produce
from tests.support.watched_page import NONE_OF_OURS, watched_page

pytestmark = pytest.mark.browser

SECTION = "#pipeline-sources-kafka"


@pytest.fixture
def url(tmp_path: Path, stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    with Tansu(tmp_path / "broker") as broker:
        create(broker.bootstrap, ticks=2)
        produce(broker.bootstrap, "ticks", 100)
        commit(broker.bootstrap, "risk", "ticks", 40)
        instances = [{"name": "main", "bootstrap": broker.bootstrap, "interval_seconds": 1, "window_seconds": 30}]
        watch, sources = Watch.model_validate({"kafka": instances}), NONE_OF_OURS.model_copy(update={"pipeline": True})
        with watched_page(stores, serve, pipeline.TAB, watch=watch, sources=sources) as address:
            yield address


def test_a_group_that_stopped_is_read_first_and_moved_only_when_a_person_says_so(
    url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(url)
    verdict = page.locator("#pipeline-sources-verdict")
    expect(verdict).to_contain_text("group risk has stopped: nobody reads ticks[0], 60 messages", timeout=60_000)
    page.locator(f"{SECTION}-groups").scroll_into_view_if_needed()
    row = page.locator(f"{SECTION}-groups-rows tbody tr", has_text="risk")
    row.get_by_role("button", name="To end").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Move group risk on Kafka main to the end of each partition?")
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_have_count(0)
    row.get_by_role("button", name="To end").click()
    dialog.get_by_role("button", name="To end").click()
    expect(page.locator("#pipeline-sources-actions-table")).to_contain_text("60 messages skipped", timeout=20_000)
    expect(verdict).to_contain_text("Kafka main is fine", timeout=30_000)


def test_a_narrow_screen_never_scrolls_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(390, 844)
    page.goto(url)
    expect(page.locator("#pipeline-sources-cards article").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
