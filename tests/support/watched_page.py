"""The page of a tab whose sources are watched by real collectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from collectors.runtime.start import start_collectors
from core.clock import SystemClock
from core.settings.collectors import Sources
from dashboard.views.tab import Tab
from storage.stores import Stores
from tests.support.application import create_app

NONE_OF_OURS = Sources(**dict.fromkeys(Sources.model_fields, False))


@contextmanager
def watched_page(stores: Stores, serve: Callable[..., Any], tab: Tab, **settings: Any) -> Iterator[str]:
    """Collect and serve `tab` with these settings, actions allowed; gives its address."""
    chosen = {"sources": NONE_OF_OURS, "actions_enabled": True} | settings
    watching = replace(stores, clock=SystemClock(), settings=stores.settings.model_copy(update=chosen))
    stores.writer.start()
    runner = start_collectors(watching)
    try:
        yield str(serve(create_app(watching, pages=(tab,)).server).url) + tab.path
    finally:
        runner.stop(deadline_seconds=2.0)
        stores.writer.stop()
