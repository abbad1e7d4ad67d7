"""Parts of a page that are fetched when they come into view (assets/js/64-lazy.js): a page opens with what is seen."""

from __future__ import annotations

from dash import html

from dashboard.components.attributes import attributes


def lazy(url: str, stamp: str, height: int) -> html.Div:
    """Return the place of what `url` answers with, `height` px high until it is there.

    It is fetched when it comes into view, and again when `stamp` changes; what is shown stays until then.
    """
    style = {"minHeight": f"{height}px"}
    return html.Div(className="fw-lazy", style=style, **attributes(data_lazy=url, data_stamp=stamp))
