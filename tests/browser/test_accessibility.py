"""Pages of watched sources and of the fund break no rule of axe-core, with what fails and what is stale on them.

Every page, in every look and with every kind of source at work: `python -m benchmarks.accessibility`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from access.viewer import Viewer
from collectors.runtime.publisher import Publisher
from core.clock import SystemClock
from core.model import SourceId
from core.roles import Role
from sample.load import load_sample
from storage.stores import Stores
from tests.support.accessibility import violations
from tests.support.application import create_app, watching_six

pytestmark = pytest.mark.browser
WATCHED = ("database", "cache", "pipeline", "services")
OTHERS = ("overview", "health", "system", "portfolios", "benchmarks", "import")
HOUR_SECONDS = 3_600.0


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    """Six kinds of sources, every other one unreachable now, the rest not read for an hour; and the sample fund."""
    settings = stores.settings.model_copy(update={"watch": watching_six()})
    live = replace(stores, clock=SystemClock(), settings=settings)
    load_sample(live)
    publisher = Publisher(settings.machine, stores.writer, stores.live)
    sources = [(kind, each.name) for kind, instances in settings.watch for each in instances]
    for number, (kind, name) in enumerate(sources):
        at = live.clock.now() - number % 2 * HOUR_SECONDS
        publisher.failed(SourceId(kind, name), at, 60, "nothing listens there (refused)")
    yield str(serve(create_app(live, find_viewer=lambda _: Viewer("ana", Role.OPERATOR, may_act=True)).server).url)


@pytest.mark.parametrize(
    ("size", "theme", "pages"),
    [((1440, 900), "dark", WATCHED), ((390, 844), "light", (*WATCHED, *OTHERS))],
    ids=["wide and dark", "phone and light"],
)
def test_pages_break_no_rule(
    url: str, size: tuple[int, int], theme: str, pages: tuple[str, ...], open_page: Callable[..., Page]
) -> None:
    page = open_page(*size, theme=theme)
    found = []
    for path in pages:
        page.goto(f"{url}/{path}")
        page.wait_for_selector(f"#page-{path}")
        page.wait_for_timeout(1_500)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        page.wait_for_timeout(500)
        found += [f"/{path}: {line}" for line in violations(page)]
    assert not found, "\n".join(found)
