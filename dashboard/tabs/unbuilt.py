"""Tabs whose part of Fundwatch does not exist yet: they say so, and what they will show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from dashboard.components.card import empty
from dashboard.views.tab import Choices, Tab

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores


def unbuilt_tab(id: str, title: str, key: str, shows: str) -> Tab:
    """Return a tab that says plainly that it is not built, and what it is meant to show."""

    def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
        return html.Div(
            empty(
                f"{title} is not built yet",
                [html.P(f"It will show {shows}."), html.P("Nothing is collected for it and nothing is hidden.")],
            ),
            className="fw-content",
        )

    return Tab(id=id, title=title, icon=id, key=key, path=f"/{id}", layout=layout)
