"""A panel as data: what it is called and means, how it stands on the page, and what it holds.

Pages declare theirs (Page.panels); dashboard/views/registry.py finds any of them by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from dashboard.components.graph import graph
from dashboard.components.panel import panel, slot
from dashboard.components.table import filter_box, scroll_box

GRAPH_TOOLS = ("note", "incidents", "table", "csv", "png", "svg", "link", "full")
TABLE_TOOLS = ("csv", "xlsx", "full")
LINKED_TABLE_TOOLS = ("csv", "xlsx", "link", "full")


@dataclass(frozen=True, slots=True)
class GraphBody:
    """A chart of `height` px (`narrow_height` below 768 px width): the figure `<panel>-graph` of the view."""

    height: int
    narrow_height: int | None = None


@dataclass(frozen=True, slots=True)
class TableBody:
    """A table, or whatever else the slot `<panel>-table` of the view holds."""

    height: int = 0
    """Of the skeleton that shows until there is one, in px."""
    tall_px: int = 0
    """Height from which it scrolls under its heading; 0: it does not."""
    filters: str = ""
    """Id of the rows that a filter box above it narrows; empty for none."""
    filter_label: str = ""
    """What the filter box is called; empty: "Filter" and the panel's title."""
    beside_filter: Any = None
    """What stands beside the filter box."""
    narrow_height: int = 0
    """Of the skeleton below 768 px width; 0: the same."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of a page."""

    id: str
    """Begins with the id of its page; the key in View.as_of, View.notes and View.stale_after_seconds."""
    title: str
    definition: str
    """What it shows: formula, window, source. On hover, and in what quotes the panel elsewhere."""
    holds: GraphBody | TableBody
    subtitle: Any = ""
    """A text, or a part that is for some roles alone."""
    subtitle_slot: str = ""
    """Id of the slot that says the subtitle, where that depends on the data."""
    controls_slot: str = ""
    """Id of the slot right of the heading."""
    span: int = 12
    """Columns of the raster, of 12."""
    tools: Sequence[str] | None = None
    """Some of those of components.panel.TOOLS; None: all for a chart; CSV, Excel and full screen for a table."""
    of: str = ""
    """What it is of, where a page has several of its title: "PostgreSQL"."""
    csv: str = ""
    """Path that answers with the chart's data in full, where what is drawn is only as much as there are pixels for."""

    @property
    def graph(self) -> str:
        """Id of its graph; empty when it holds none."""
        return f"{self.id}-graph" if isinstance(self.holds, GraphBody) else ""

    @property
    def slot(self) -> str:
        """Id of the slot of its table; empty when it holds none."""
        return f"{self.id}-table" if isinstance(self.holds, TableBody) else ""

    def element(self) -> html.Section:
        """Return the panel without data, for a layout."""
        return panel(
            self.id,
            self.title,
            html.Span(id=self.subtitle_slot) if self.subtitle_slot else self.subtitle,
            self._graph(self.holds) if isinstance(self.holds, GraphBody) else self._table(self.holds),
            span=self.span,
            tools=self._tools(),
            definition=self.definition,
            controls=html.Span(id=self.controls_slot, className="fw-panel-controls") if self.controls_slot else None,
            csv=self.csv,
            of=self.of,
        )

    def _tools(self) -> Sequence[str]:
        if self.tools is not None:
            return self.tools
        return GRAPH_TOOLS if isinstance(self.holds, GraphBody) else TABLE_TOOLS

    def _graph(self, held: GraphBody) -> html.Div:
        return graph(self.graph, held.height, narrow_height=held.narrow_height)

    def _table(self, held: TableBody) -> Any:
        table = slot(self.slot, held.height, narrow_height=held.narrow_height)
        box = scroll_box(table, held.tall_px, self.title) if held.tall_px else table
        if not held.filters:
            return box
        found = filter_box(held.filters, held.filter_label or f"Filter {self.title.lower()}")
        if held.beside_filter is None:
            return [found, box]
        return [html.Div([found, held.beside_filter], className="fw-table-head"), box]
