"""The application as most tests want it: everybody on this machine is an operator, and nobody has to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash
from flask import Request

from access.viewer import Viewer
from core.kinds.registry import Watch
from core.roles import Role
from core.settings.binding import is_loopback
from dashboard import factory
from dashboard.frame.viewer import FindViewer
from dashboard.tabs import PAGES
from dashboard.views.tab import Page
from storage.stores import Stores


def local_operator(settings: Any) -> Viewer:
    """Return the operator that every reader on this machine is."""
    return Viewer("ana", Role.OPERATOR, settings.actions_enabled)


def watching_six() -> Watch:
    """Return settings that watch a source of six kinds, none of which answers: pages of every sort have something."""
    return Watch.model_validate(
        {
            "postgresql": [{"name": "main", "url": "postgresql://u:p@127.0.0.1:9/x"}],
            "redis": [{"name": "main", "url": "redis://127.0.0.1:9"}],
            "kafka": [{"name": "main", "bootstrap": "127.0.0.1:9"}],
            "scrape": [{"name": "node", "url": "http://127.0.0.1:9/metrics"}],
            "heartbeat": [{"name": "nightly", "schedule": "0 3 * * *", "token": "t" * 32}],
            "http": [{"name": "site", "url": "http://127.0.0.1:9/"}],
        }
    )


def create_app(
    stores: Stores, pages: Sequence[Page] = PAGES, find_viewer: FindViewer | None = None, **rest: Any
) -> Dash:
    """Return the product's application; without `find_viewer` for readers on this machine, who are operators."""
    operator = local_operator(stores.settings)

    def find_local(request: Request) -> Viewer | None:
        return operator if is_loopback(request.remote_addr or "") else None

    return factory.create_app(stores, pages, find_viewer or find_local, **rest)
