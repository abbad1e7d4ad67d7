"""A panel: heading, age, tools and a body with designed states (loading, fresh, stale, failed, empty)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from access.viewer import CHANGING_ROLE, EXPORTING_ROLE
from core.roles import Role
from dashboard.components.attributes import attributes
from dashboard.components.needing import needing

TOOLS = {
    "note": "Write a note",
    "incidents": "Show incidents",
    "table": "Show data as table",
    "csv": "Download CSV",
    "xlsx": "Download Excel",
    "png": "Download PNG",
    "svg": "Download SVG",
    "link": "Copy link",
    "full": "Full screen",
}
NEEDED = {"csv": EXPORTING_ROLE, "xlsx": EXPORTING_ROLE, "note": CHANGING_ROLE}
"""The least role of those who are offered a tool; others are for all."""


def panel(
    id: str,
    title: str,
    subtitle: Any = "",
    children: Any = None,
    *,
    span: int = 12,
    tools: Sequence[str] = ("note", "incidents", "table", "csv", "png", "svg", "link", "full"),
    definition: str = "",
    controls: Any = None,
    csv: str = "",
    of: str = "",
) -> html.Section:
    """Return a panel `span` of 12 columns wide (full width below 992 px).

    `id` is the key in View.as_of, View.notes and View.stale_after_seconds. `definition` explains the figure
    (formula, window, source) on hover. `tools` are some of TOOLS; tables have no picture, and a note is written, and an
    incident shown, on what has a time axis. `controls` stand right of the heading. `csv` is the path that answers with
    the chart's data in full, where what is drawn is only as much as there are pixels for; the query of the page is
    added to it. CSV and Excel are for those who may take data out, a note for those who may write one. `of` goes before
    the title where that is read out: a page may have several panels of one title.
    """
    heading = html.H2(title, id=f"{id}-title", className="fw-panel-title", title=definition or None)
    return html.Section(
        [
            html.Header(
                [
                    heading,
                    html.Span(subtitle, className="fw-panel-subtitle"),
                    *([] if controls is None else [controls]),
                    html.Span(className="fw-age fw-panel-age"),
                    html.Div(
                        [_tool(name) for name in tools], className="fw-tools", role="toolbar",
                        **attributes(aria_label=f"{title}: tools"),
                    ),
                ],
                className="fw-panel-head",
            ),
            html.P(className="fw-panel-note", role="status"),
            html.Div(children, className="fw-panel-body"),
            html.Div(className="fw-panel-data"),
        ],
        id=id,
        className=f"fw-panel fw-span-{span}",
        **attributes(aria_label=f"{of}: {title}" if of else None, aria_labelledby=None if of else f"{id}-title",
                     data_csv=csv or None),
    )  # fmt: skip


def panels(*children: Any) -> html.Div:
    """Return the 12-column raster that panels stand in."""
    return html.Div(list(children), className="fw-raster")


def slot(id: str, height: int = 0, *, narrow_height: int = 0) -> html.Div:
    """Return a container whose content comes from View.slots[id]; a skeleton of `height` px until then.

    narrow_height: that of the skeleton below 768 px width.
    """
    if not height:
        return html.Div(id=id, className="fw-slot")
    style = {"--height": f"{height}px", "--narrow-height": f"{narrow_height or height}px"}
    return html.Div(id=id, className="fw-slot fw-skeleton fw-room", style=style)


def verdict_slot(id: str) -> html.Div:
    """Return the slot of the line that says how things stand: several lines on a narrow screen."""
    return slot(id, 36, narrow_height=92)


def _tool(name: str) -> html.Button:
    """Return the button of a tool; assets/js/60-panel-tools.js draws its icon and says of which panel it is."""
    return html.Button(
        type="button",
        className="fw-tool",
        title=TOOLS[name],
        **attributes(data_tool=name),
        **needing(NEEDED.get(name, Role.VIEWER)),
    )
