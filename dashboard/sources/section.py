"""What a tab shows of one kind of watched source: its cards, its charts, its tables.

A kind's section knows nothing of the tab it stands on: `dashboard/kinds/<kind>/section.py` has `SECTION`, and the list
of kinds (core/kinds/registry.py) says on which tab it is. Every element of it is named `<tab>-<kind>-<name>`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dash import html

from core.kinds.base import Source
from core.kinds.registry import kinds_of, title_of
from dashboard.components.lazy import lazy as lazy_place
from dashboard.components.panel import panels, slot
from dashboard.sources.charts import Chart, chart_panel
from dashboard.sources.choosing import ALL
from dashboard.sources.facts import Facts
from dashboard.sources.silence import is_silent, is_unread, silent_line, why_silent
from dashboard.sources.strip import MOST_CARDS, tile_count
from dashboard.sources.table import Rows
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices
from status.instances import worst_first

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.sources.shown import Shown
    from status.instances import Instance
    from storage.stores import Stores

TALL_PX = 320
LAZY_PX = 48

Draw = Callable[["Shown", str, str], Any]
"""Makes a table from (what is shown, id of its rows, its title)."""


@dataclass(frozen=True, slots=True)
class TablePanel:
    """A panel with a table: its place in the raster, what it is and what it shows."""

    id: str
    title: str
    subtitle: str
    span: int
    definition: str
    """The exact query behind it."""
    content: Rows | Facts | Draw
    is_filtered: bool = False
    """Whether a box above it narrows its rows."""
    is_lazy: bool = False
    """Whether it is fetched when it comes into view. It then sees instances alone: no history, no actions."""

    def panel(self, id: str) -> Panel:
        """Return it as a panel of a page, called `id`."""
        body = TableBody(120, TALL_PX, f"{id}-rows" if self.is_filtered else "")
        return Panel(id, self.title, f"Source: {self.definition}", body, subtitle=self.subtitle, span=self.span)

    def draw(self, shown: Shown, id: str) -> Any:
        """Return its table; `id` is that of its panel."""
        make = self.content.draw if isinstance(self.content, (Rows, Facts)) else self.content
        return make(shown, f"{id}-rows", self.title)


@dataclass(frozen=True, slots=True)
class Section:
    """What is shown of a kind. Names of charts and tables are the kind's own."""

    kind: str
    charts: tuple[Chart, ...]
    cards: Callable[[Shown], Sequence[Any]]
    """Of the instances of this kind among those shown."""
    tables: tuple[TablePanel, ...] = ()
    actions: tuple[str, ...] = ()
    """What may be asked for with a button."""
    metrics: tuple[str, ...] = ()
    """Metrics beyond those of the charts, for sparklines."""
    detail_cards: int = 0
    """Tiles of a lone instance beside its card; 0: its instances have no rows of their own."""
    install: Callable[[Flask, Stores], None] | None = None
    """Adds addresses of its own, for programs; the guard lets through what its list of public ones has."""

    def judged_by(self, sources: Sequence[Source]) -> Section:
        """Return it with the limits of these sources on its charts."""
        return replace(self, charts=tuple(chart.agreed(sources) for chart in self.charts))

    def id(self, tab: str, name: str) -> str:
        """Return the id of one of its elements."""
        return f"{tab}-{self.kind}-{name}"

    def panels(self, tab: str) -> tuple[Panel, ...]:
        """Return the panels of charts, then those of tables."""
        kind = title_of(self.kind)
        charts = (replace(chart_panel(self.id(tab, each.id), each), of=f"{kind} chart") for each in self.charts)
        return (*charts, *(replace(each.panel(self.id(tab, each.id)), of=kind) for each in self.tables))

    def layout(self, tab: str, chosen: Sequence[Instance], *, alone: bool) -> html.Div:
        """Return the section without data: heading, charts, tables. Of what was never read there is no room for them.

        chosen: the instances of this kind that will be shown. alone: whether the tab has no other kind.
        """
        heading = slot(f"{self.id(tab, 'section')}-table")
        if is_silent(chosen) and is_unread(chosen):
            heading.children = self._silent(chosen, alone=alone, is_coming=True)
        return html.Div(
            [
                heading,
                panels(*(panel.element() for panel in self.panels(tab))),
            ],
            id=self.id(tab, "section"),
            className="fw-section fw-span-12",
        )

    def of(self, shown: Shown) -> Shown:
        """Return what is shown of this kind alone."""
        return replace(shown, kind=self.kind, chosen=[each for each in shown.chosen if each.kind == self.kind])

    def draw(self, shown: Shown, name: str) -> Any:
        """Return one of its tables. Raises KeyError."""
        table = {each.id: each for each in self.tables}[name]
        return table.draw(self.of(shown), self.id(shown.tab, name))

    def slots(self, shown: Shown) -> dict[str, Any]:
        """Return heading and tables by their slots; of a table that is fetched its place."""
        of_kind = self.of(shown)
        found = {f"{self.id(shown.tab, 'section')}-table": self._heading(of_kind, alone=len(shown.kinds) == 1)}
        for each in self.tables:
            id = self.id(shown.tab, each.id)
            found[f"{id}-table"] = self._place(of_kind, each.id) if each.is_lazy else each.draw(of_kind, id)
        return found

    def empty_charts(self, shown: Shown, present: Set[str]) -> dict[str, str]:
        """Return why charts are empty, by their panels. present: the metrics of which there is a value."""
        of_kind = self.of(shown)
        why = why_silent(of_kind.chosen) if is_silent(of_kind.chosen) else ""
        empty = (chart for chart in self.charts if not present & set(chart.metrics))
        return {self.id(shown.tab, chart.id): why or chart.nothing for chart in empty}

    def card_counts(self, found: Sequence[Instance]) -> list[int]:
        """Return how many cards there will be in each row of these instances, all of this kind."""
        if not self.detail_cards:
            return [min(len(found), MOST_CARDS + 1)]
        return [
            1 + tile_count(each, len(found), place, self.detail_cards)
            for place, each in enumerate(worst_first(found))
        ]  # fmt: skip

    def graphs(self, tab: str, first: int = 0) -> tuple[str, ...]:
        """Return its graphs, without the first ones."""
        return tuple(f"{self.id(tab, chart.id)}-graph" for chart in self.charts[first:])

    def _heading(self, shown: Shown, *, alone: bool) -> html.Div | html.H2 | None:
        """Return the heading, or what folds the section or what it has no data for (assets/css/23-sources.css)."""
        if not shown.chosen:
            return None if alone else html.Div(className="fw-section-off")
        if is_silent(shown.chosen):
            return self._silent(shown.chosen, alone=alone)
        return None if alone else self._title()

    def _title(self) -> html.H2:
        return html.H2(title_of(self.kind), className="fw-section-title")

    def _silent(self, chosen: Sequence[Instance], *, alone: bool, is_coming: bool = False) -> html.Div:
        """Return heading and reason. is_coming: before it is known whether there is anything of the window."""
        names = {"fw-silent": True, "fw-unread": is_unread(chosen), "fw-coming": is_coming}
        return html.Div(
            [*([] if alone else [self._title()]), silent_line(chosen)],
            className=" ".join(name for name, holds in names.items() if holds),
        )

    def _place(self, shown: Shown, name: str) -> html.Div:
        """Return the place of a table that is fetched, anew when a reading of those shown has come."""
        chosen = Choices.of({"instance": shown.only.collector if shown.only else ALL})
        stamp = " ".join(map(_stamp, shown.chosen))
        return lazy_place(f"/{shown.tab}/table/{self.kind}/{name}?{chosen.query}", stamp, LAZY_PX)


def _stamp(instance: Instance) -> str:
    """Return what changes with each reading, and when the newest one has become stale."""
    return f"{instance.collector} {instance.status} {instance.reading.ts if instance.reading else ''}"


def sections_of(tab: str) -> tuple[Section, ...]:
    """Return the sections that stand on a tab, in the order of the list of kinds."""
    return tuple(import_module(f"dashboard.kinds.{kind}.section").SECTION for kind in kinds_of(tab))
