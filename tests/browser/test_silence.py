"""A source that never answered takes one card and one line of the page, and all of its room when it answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from core.kinds.redis.source import RedisSource
from core.kinds.registry import Watch
from dashboard.tabs import cache
from storage.stores import Stores
from tests.support.redis_servers import RedisServer
from tests.support.watched_page import watched_page

pytestmark = pytest.mark.browser


def test_a_section_of_what_does_not_answer_is_its_line_alone_until_it_does(
    stores: Stores, serve: Callable[..., Any], page: Page, tmp_path: Path
) -> None:
    server = RedisServer(tmp_path / "redis")
    source = RedisSource(name="main", url=SecretStr(server.url), interval_seconds=1)
    with watched_page(stores, serve, cache.TAB, watch=Watch(redis=(source,))) as url:
        page.goto(url)
        section = page.locator("#cache-redis-section")
        expect(section).to_contain_text("Redis main is down: nothing listens at")
        expect(section.locator(".fw-panel:visible")).to_have_count(0)
        with server:
            expect(section.locator(".fw-panel:visible").first).to_be_visible(timeout=30_000)
            expect(section).not_to_contain_text("is down")
