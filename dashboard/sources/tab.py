"""A tab of watched sources: choice bar, order of parts, ages and notes; what is shown of a kind is its section's.

choice bar (instance, window) → verdict → cards → panels → changes of state → actions → not configured, folded

Only kinds of which there is an instance have their section (`fit`). Where that is Fundwatch's own and nobody named
another, all of it is folded behind the lines that watch one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dash import html

from core.kinds.base import OWN
from core.kinds.registry import KINDS, component_name
from core.model import LiveReading, SourceId
from core.roles import Role
from dashboard.components.card import cards_slot
from dashboard.components.choices import choice_bar, choice_segments, choice_select, spacer
from dashboard.components.markup import markup
from dashboard.components.panel import panels, slot, verdict_slot
from dashboard.sources.actions import action_stores, actions_panel, register_actions
from dashboard.sources.changes import CHANGES, changes_panel, changes_route
from dashboard.sources.choosing import ALL, chosen_instances
from dashboard.sources.rows import room_of
from dashboard.sources.section import Section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import MOST_CARDS, how_to_watch
from dashboard.views.panel import Panel
from dashboard.views.route import HTML, Answer, Route
from dashboard.views.span import DEFAULT_WINDOW, chosen_span, window_options
from dashboard.views.tab import Choices
from status.instances import Instance, instance_names, instances
from storage.clickhouse.reads.sources import SourceSeries

if TYPE_CHECKING:
    from dash import Dash

    from access.viewer import Viewer
    from core.settings.model import Settings
    from storage.stores import Stores

VARIES_BY = ("may_act", "role")
"""What views of watched sources depend on of the viewer: whether their buttons act, and which there are."""
WINDOWS = window_options("15m", "1h", "6h", "24h", "7d", "90d")
CARD_PX = 133
CARD_HEIGHT_PX, TALL_CARD_PX = 116, 135
"""What a card usually measures; with reasons above ages."""


Draw = Callable[[Shown], Any]


@dataclass(frozen=True, slots=True)
class SourceTab:
    """A tab of sections. What stands on it beside them comes with `tables`, by name of the panel `<id>-<name>`."""

    id: str
    sections: tuple[Section, ...]
    tables: Mapping[str, Draw] = field(default_factory=dict)
    before: tuple[Panel, ...] = ()
    """Panels that stand before the sections."""
    after: tuple[Panel, ...] = ()
    """Panels that stand behind them."""
    cards: Callable[[Shown], Sequence[Any]] | None = None
    """The cards; None: those of each section."""
    card_px: int = CARD_PX
    """Least width of a card."""
    is_reason_above_age: bool = False
    """Whether cards say why in whole sentences, above the age and not beside it."""
    more: Callable[[Stores, Shown], Any] | None = None
    """Reads what else cards and tables need from storage. Raises StorageUnavailable."""
    own: tuple[str, ...] = ()
    """Collectors of Fundwatch itself whose changes of state it tells of as well."""
    asked: tuple[str, ...] = ()
    """What else than its kinds has requests that it lists: kinds of the sources that they were asked of."""
    readings: Callable[[Shown], Mapping[str, LiveReading | None]] | None = None
    """Returns what the tables of some panels are made from, by name: their age. Others are as old as the sources."""
    datasets: tuple[str, ...] = ()
    """What else than its kinds and actions the tab is built anew for."""
    first_charts: int | None = None
    """Charts of each section that are sent with the page, the others when they come into view; None: all."""
    unwatched: tuple[str, ...] = ()
    """Kinds of the tab of which no instance is configured: told how to."""
    is_own_alone: bool = False
    """Whether Fundwatch's own is all that there is to show."""
    folds_own: bool = False
    """Whether Fundwatch's own stands, folded, behind what is watched."""

    def fit(self, settings: Settings) -> SourceTab:
        """Return the tab with the sections of kinds of which there is an instance."""
        shown = tuple(
            section.judged_by(settings.watch.of(section.kind))
            for section in self.sections
            if instance_names(settings, section.kind)
        )
        unwatched = tuple(kind for kind in self.kinds if not settings.watch.of(kind))
        is_own_alone = bool(shown) and unwatched == self.kinds
        has_own = any(OWN in instance_names(settings, kind) for kind in self.kinds)
        folds_own = has_own and not is_own_alone
        return replace(self, sections=shown, unwatched=unwatched, is_own_alone=is_own_alone, folds_own=folds_own)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its sections."""
        return tuple(section.kind for section in self.sections)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel of the layout."""
        of_sections = (panel for section in self.sections for panel in section.panels(self.id))
        return (*self.before, *of_sections, *self.after, *self.records)

    @property
    def records(self) -> tuple[Panel, ...]:
        """The last panels: how states changed, unless that is among the tables, and what was done."""
        changes = () if CHANGES in self.tables else (changes_panel(self.id),)
        return (*changes, actions_panel(self.id))

    def arranged(self, chosen: Sequence[Instance]) -> list[Any]:
        """Return what stands in the raster, without the records. chosen: the instances that will be shown."""
        sections = (
            section.layout(self.id, [each for each in chosen if each.kind == section.kind], alone=len(self.kinds) == 1)
            for section in self.sections
        )
        return [*(each.element() for each in self.before), *sections, *(each.element() for each in self.after)]

    def layout(self, stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
        """Return the tab without data."""
        found = instances(stores, *self.kinds)
        options = [(ALL, "all watched" if self.folds_own else "all"), *((each.collector, each.title) for each in found)]
        bar = choice_bar(
            *(
                [choice_select(self.id, "instance", options, choices, default=ALL, label="Instance")]
                if found[1:]
                else []
            ),
            choice_segments(self.id, "window", WINDOWS, choices, default=DEFAULT_WINDOW, label="Window"),
            spacer(),
            slot(f"{self.id}-span"),
        )
        shown = [
            *([self.cards_slot(found, choices)] if self.sections else []),
            panels(*self.arranged(chosen_instances(found, choices)), *(each.element() for each in self.records)),
            *([self._own_place()] if self.folds_own else []),
        ]
        content = [verdict_slot(f"{self.id}-verdict"), *self._beside_how_to(shown)]
        return html.Div([bar, html.Div(content, className="fw-content"), *action_stores(self.id)])

    def cards_slot(self, found: Sequence[Instance], choices: Choices) -> html.Div:
        """Return the slot of the cards of `found`, with room for as many as there will be."""
        chosen = chosen_instances(found, choices)
        kinds = {each.kind for each in chosen}
        alone, counts = room_of(self.sections, chosen)
        if self.cards is not None:
            alone, counts = 0, [min(len(chosen), MOST_CARDS + 1)]
        height = TALL_CARD_PX if self.is_reason_above_age or self.cards else CARD_HEIGHT_PX
        is_headed = len(kinds) > 1
        place = f"{self.id}-cards"
        return cards_slot(
            place, *counts, alone=alone, minimum_px=self.card_px, height=height, is_headed=is_headed
        )  # fmt: skip

    def _own_place(self) -> html.Details:
        names = ", ".join(component_name(SourceId(kind, OWN)) for kind in self.kinds if KINDS[kind].has_own)
        return html.Details(
            [html.Summary(f"Fundwatch’s own: {names}"), slot(f"{self.id}-own")], className="fw-own"
        )  # fmt: skip

    def _beside_how_to(self, shown: list[Any]) -> list[Any]:
        if not self.unwatched:
            return shown
        if not self.sections:
            return [how_to_watch(self.unwatched, is_open=True), *shown]
        if not self.is_own_alone:
            return [*shown, how_to_watch(self.unwatched, is_open=False)]
        names = ", ".join(component_name(SourceId(kind, OWN)) for kind in self.kinds)
        own = html.Details([html.Summary(f"Fundwatch’s own: {names}"), *shown], className="fw-own")
        return [how_to_watch(self.unwatched, is_open=True), own]

    def register(self, app: Dash, stores: Stores) -> None:
        """Register what its buttons ask for, and the addresses that its sections add."""
        register_actions(self.id, {section.kind: section.actions for section in self.sections})(app, stores)
        for section in self.sections:
            if section.install is not None:
                section.install(app.server, stores)

    def routes(self, stores: Stores) -> list[Route]:
        """Return the route of the tables that are fetched when they come into view."""
        lazy = {
            (section.kind, each.id): section for section in self.sections for each in section.tables if each.is_lazy
        }

        def table(choices: Choices, viewer: Viewer, kind: str, name: str) -> Answer | None:
            section = lazy.get((kind, name))
            if section is None:
                return None
            found = instances(stores, *self.kinds)
            span = chosen_span(choices, stores.clock.now(), WINDOWS)
            chosen, series = chosen_instances(found, choices), SourceSeries(*span.pair)
            shown = Shown(self.id, self.kinds, found, chosen, series, span, (), viewer.may_act)
            return Answer(markup(section.draw(shown, name)), HTML)

        def which(choices: Choices) -> tuple[list[str], str]:
            found = instances(stores, *self.kinds)
            chosen = chosen_instances(found, choices) if choices.get("instance", ALL) != ALL else found
            return [*(each.collector for each in chosen), *self.own], choices.get("host", stores.settings.machine)

        changes = [] if CHANGES in self.tables else [changes_route(stores, self.id, which)]
        return [Route(f"/{self.id}/table/<kind>/<name>", table, Role.VIEWER), *changes]

    @property
    def charted(self) -> list[str]:
        """The panels of charts, those of each section in order."""
        return [section.id(self.id, chart.id) for section in self.sections for chart in section.charts]

    @property
    def tabled(self) -> list[str]:
        """The panels of tables, its own first."""
        of_sections = [section.id(self.id, each.id) for section in self.sections for each in section.tables]
        return [*(f"{self.id}-{name}" for name in self.tables), *of_sections]

    @property
    def _headings(self) -> list[str]:
        # They are slots and no panels: an age of theirs would be written into the first panel of their section.
        return [section.id(self.id, "section") for section in self.sections]

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot that `build` fills."""
        names = ("span", "verdict", *(("cards",) if self.sections else ()), *(("own",) if self.folds_own else ()))
        records = (panel.slot for panel in self.records)
        return (
            *(f"{self.id}-{name}" for name in names),
            *(f"{id}-table" for id in (*self.tabled, *self._headings)),
            *records,
        )

    @property
    def graphs(self) -> tuple[str, ...]:
        """Every graph that `build` draws."""
        return tuple(f"{panel}-graph" for panel in self.charted)

    @property
    def lazy_graphs(self) -> tuple[str, ...]:
        """The graphs whose figure is fetched when they come into view."""
        if self.is_own_alone:
            return self.graphs
        if self.first_charts is None:
            return ()
        return tuple(graph for section in self.sections for graph in section.graphs(self.id, self.first_charts))
