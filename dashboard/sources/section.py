"""A tab of several kinds of sources: a section for each, folded away while none of its instances is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dash import html

from core.kinds.registry import KINDS
from dashboard.components.lazy import lazy
from dashboard.components.markup import markup
from dashboard.components.panel import panels, slot
from dashboard.sources.charts import Chart, chart_panel
from dashboard.sources.instances import ALL, chosen_instances, instances
from dashboard.sources.tab import WINDOWS, Shown, SourceTab
from dashboard.views.panel import Panel, TableBody
from dashboard.views.route import HTML, Answer, MakeRoutes, Route
from dashboard.views.span import chosen_span
from dashboard.views.tab import Choices
from storage.clickhouse.reads.sources import Course

if TYPE_CHECKING:
    from dashboard.frame.viewer import Viewer
    from storage.stores import Stores

TALL_PX = 320
LAZY_PX = 48


@dataclass(frozen=True, slots=True)
class TablePanel:
    """The panel of a table: its place in the raster, and what it is; `id` is also its name in `Section.tables`."""

    id: str
    title: str
    subtitle: str
    span: int
    definition: str
    """The exact query behind it."""
    filters: str = ""
    """Id of the table that its filter box narrows; empty for none."""


@dataclass(frozen=True, slots=True)
class Section:
    """What a tab shows of one kind. Names of charts and tables begin with the kind, so that no two meet."""

    kind: str
    charts: tuple[Chart, ...]
    cards: Callable[[Shown], Sequence[Any]]
    """Of the instances of this kind among those shown."""
    tables: Mapping[str, Callable[[Shown], Any]]
    panels: tuple[TablePanel, ...]
    actions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    lazy: frozenset[str] = frozenset()
    """Tables that are fetched when they come into view. They see instances alone: no course, no actions."""

    def layout(self, tab: str) -> html.Div:
        """Return the section without data: heading, charts, tables."""
        heading = slot(f"{tab}-{self.kind}-section-table")
        return html.Div(
            [heading, panels(*(panel.element() for panel in self.all_panels(tab)))],
            id=f"{tab}-{self.kind}-section",
            className="fw-section fw-span-12",
        )

    def all_panels(self, tab: str) -> tuple[Panel, ...]:
        """Return the panels of charts, then those of tables."""
        charts = (chart_panel(tab, chart) for chart in self.charts)
        return (*charts, *(_table_panel(tab, each) for each in self.panels))

    def heading(self, shown: Shown) -> html.Div | html.H2:
        """Return the heading, or what folds the section away (assets/css/23-sources.css)."""
        if not any(each.kind == self.kind for each in shown.chosen):
            return html.Div(className="fw-section-off")
        return html.H2(KINDS[self.kind].TITLE, className="fw-section-title")

    def of(self, shown: Shown) -> Shown:
        """Return what is shown of this kind alone."""
        chosen = [each for each in shown.chosen if each.kind == self.kind]
        return replace(shown, chosen=chosen)


def sectioned(id: str, sections: Sequence[Section]) -> SourceTab:
    """Return the tab that consists of these sections."""
    tables: dict[str, Callable[[Shown], Any]] = {}
    for section in sections:
        tables[f"{section.kind}-section"] = section.heading
        for name, make in section.tables.items():
            tables[name] = _place(id, name) if name in section.lazy else _only(section, make)
    return SourceTab(
        id=id,
        kinds=tuple(section.kind for section in sections),
        charts=tuple(chart for section in sections for chart in section.charts),
        panels=tuple(panel for section in sections for panel in section.all_panels(id)),
        arrange=lambda: [section.layout(id) for section in sections],
        cards=lambda shown: [card for section in sections for card in section.cards(section.of(shown))],
        tables=tables,
        metrics=tuple(metric for section in sections for metric in section.metrics),
        leads=True,
    )


def lazy_routes(id: str, sections: Sequence[Section]) -> MakeRoutes:
    """Return what makes the routes of the tables that are fetched when they come into view."""
    makers = {
        name: _only(section, make)
        for section in sections
        for name, make in section.tables.items()
        if name in section.lazy
    }
    kinds = [section.kind for section in sections]

    def routes(stores: Stores) -> list[Route]:
        def table(choices: Choices, viewer: Viewer, name: str) -> Answer | None:
            make = makers.get(name)
            if make is None:
                return None
            found = instances(stores, *kinds)
            span = chosen_span(choices, stores.clock.now(), WINDOWS)
            shown = Shown(found, chosen_instances(found, choices), Course(*span.pair), span, (), viewer.may_act)
            return Answer(markup(make(shown)), HTML)

        return [Route(f"/{id}/table/<name>", table)]

    return routes


def _place(id: str, name: str) -> Callable[[Shown], Any]:
    """Return what makes the place of a table that is fetched, anew when a reading of those shown has come."""

    def place(shown: Shown) -> html.Div:
        chosen = Choices.of({"instance": shown.only.collector if shown.only else ALL})
        stamp = " ".join(f"{each.collector} {each.reading.ts if each.reading else ''}" for each in shown.chosen)
        return lazy(f"/{id}/table/{name}?{chosen.query}", stamp, LAZY_PX)

    return place


def _only(section: Section, make: Callable[[Shown], Any]) -> Callable[[Shown], Any]:
    return lambda shown: make(section.of(shown))


def _table_panel(tab: str, about: TablePanel) -> Panel:
    return Panel(
        f"{tab}-{about.id}",
        about.title,
        f"Source: {about.definition}",
        TableBody(120, TALL_PX, about.filters),
        subtitle=about.subtitle,
        span=about.span,
    )
