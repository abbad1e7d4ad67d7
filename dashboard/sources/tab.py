"""What all tabs of watched sources share: choice bar, order of parts, ages and notes.

choice bar (instance, window) → verdict → cards → panels → actions → not configured, folded
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import StorageError
from core.kinds.base import Source
from dashboard.components.card import cards
from dashboard.components.choices import choice_bar, choice_segments, choice_select, spacer
from dashboard.components.panel import panels, slot
from dashboard.sources.actions import action_stores, actions_panel, actions_table
from dashboard.sources.charts import Chart, chart_figures, metrics_of
from dashboard.sources.instances import ALL, Instance, chosen_instances, instances, interval, newest, not_configured
from dashboard.sources.strip import kinds_line, not_configured_line, source_verdict
from dashboard.views.panel import Panel
from dashboard.views.problem import problem_of
from dashboard.views.span import DEFAULT_WINDOW, Span, chosen_span, span_line, window_options
from dashboard.views.tab import Choices, View
from storage.clickhouse.reads.sources import Course, read_sources
from storage.state.actions import Action, recent_actions

if TYPE_CHECKING:
    from dashboard.frame.viewer import Viewer
    from storage.stores import Stores

VARIES_BY = ("may_act",)
"""What views of watched sources depend on of the viewer: whether their buttons act."""
WINDOWS = window_options("15m", "1h", "6h", "24h", "7d", "90d")
CARDS_PX, CARD_PX = 110, 133


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tab shows: all instances, those chosen, their series and the actions done to them."""

    all: Sequence[Instance]
    chosen: Sequence[Instance]
    course: Course
    span: Span
    actions: Sequence[Action]
    may_act: bool
    more: Any = None
    """What `SourceTab.more` read."""

    @property
    def only(self) -> Instance | None:
        """The instance, when one alone is shown."""
        return self.chosen[0] if len(self.chosen) == 1 else None


@dataclass(frozen=True, slots=True)
class SourceTab:
    """The parts of a tab of watched sources. `cards` and `tables` are pure: from what is shown to components."""

    id: str
    kinds: tuple[str, ...]
    charts: tuple[Chart, ...]
    panels: tuple[Panel, ...]
    """The panels in their order, without that of the actions; slots of tables are `<id>-<name>-table`."""
    cards: Callable[[Shown], Sequence[Any]]
    tables: Mapping[str, Callable[[Shown], Any]]
    """By name; each also names a panel `<id>-<name>`."""
    metrics: tuple[str, ...] = ()
    """Metrics beyond those of the charts, for sparklines."""
    card_px: int = CARD_PX
    """Least width of a card."""
    leads: bool = False
    """Whether a line above the cards leads to the sections, which are called `<id>-<kind>-section`."""
    more: Callable[[Stores, Shown], Any] | None = None
    """Reads what else cards and tables need from storage. Raises StorageUnavailable."""
    arrange: Callable[[], Sequence[Any]] | None = None
    """Makes of the panels what stands in the raster, such as sections; None: one after the other."""

    def layout(self, stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
        """Return the tab without data."""
        found = instances(stores, *self.kinds)
        options = [(ALL, "all"), *((each.collector, each.title) for each in found)]
        bar = choice_bar(
            choice_select(self.id, "instance", options, choices, default=ALL, label="Instance"),
            choice_segments(self.id, "window", WINDOWS, choices, default=DEFAULT_WINDOW, label="Window"),
            spacer(),
            slot(f"{self.id}-span"),
        )
        content = [
            slot(f"{self.id}-verdict", 36),
            slot(f"{self.id}-cards", CARDS_PX),
            panels(*self.arranged(), actions_panel(self.id).element()),
            slot(f"{self.id}-unwatched"),
        ]
        return html.Div([bar, html.Div(content, className="fw-content"), *action_stores(self.id)])

    def arranged(self) -> Sequence[Any]:
        """Return what stands in the raster, without the panel of the actions."""
        return self.arrange() if self.arrange else [panel.element() for panel in self.panels]

    def build(self, stores: Stores, choices: Choices, viewer: Viewer) -> View:
        """Return the view: the present from Redis, charts from ClickHouse, either without the other."""
        return self.build_over(stores, choices, viewer, chosen_span(choices, stores.clock.now(), WINDOWS))[0]

    def build_over(self, stores: Stores, choices: Choices, viewer: Viewer, span: Span) -> tuple[View, list[Instance]]:
        """Return the view over `span`, and every instance."""
        found = instances(stores, *self.kinds)
        chosen = chosen_instances(found, choices)
        course, problem = self._course(stores, chosen, span)
        done, lost = _actions(stores, self.kinds)
        shown = Shown(found, chosen, course, span, done, viewer.may_act)
        if self.more is not None and not problem:
            shown, problem = self._with_more(stores, shown)
        return self._draw(shown, problem, lost, not_configured(stores.settings, self.kinds)), found

    def _draw(self, shown: Shown, problem: str, lost: str, unwatched: Sequence[type[Source]]) -> View:
        charted = [f"{self.id}-{chart.id}" for chart in self.charts]
        tabled = [f"{self.id}-{name}" for name in self.tables]
        empty = {} if problem else self._empty(shown.course)
        notes = dict.fromkeys(charted, problem) if problem else empty
        every = interval(shown.chosen)
        return View(
            figures={} if problem else chart_figures(self.id, self.charts, shown.course, shown.chosen, shown.span.pair),
            slots={
                f"{self.id}-span": span_line(self.id, shown.span),
                f"{self.id}-verdict": source_verdict(shown.all, shown.only),
                f"{self.id}-cards": self._cards(shown),
                **{f"{self.id}-{name}-table": make(shown) for name, make in self.tables.items()},
                f"{self.id}-actions-table": actions_table(self.id, shown.actions),
                f"{self.id}-unwatched": not_configured_line(unwatched, is_open=not shown.all),
            },
            as_of={
                **dict.fromkeys(charted, newest(shown.chosen)),
                **dict.fromkeys(empty),
                # Without any instance a table may still hold what is known without one.
                **(dict.fromkeys(tabled, newest(shown.chosen, tables=True)) if shown.all else {}),
            },
            notes={**notes, f"{self.id}-actions": lost},
            interval_seconds=dict.fromkeys((*charted, *tabled), every) if every else {},
        )

    @property
    def all_panels(self) -> tuple[Panel, ...]:
        """Every panel of the layout."""
        return (*self.panels, actions_panel(self.id))

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot that `build` fills."""
        names = ("span", "verdict", "cards", *(f"{name}-table" for name in self.tables), "actions-table", "unwatched")
        return tuple(f"{self.id}-{name}" for name in names)

    @property
    def graphs(self) -> tuple[str, ...]:
        """Every graph that `build` draws."""
        return tuple(f"{self.id}-{chart.id}-graph" for chart in self.charts)

    def _cards(self, shown: Shown) -> Any:
        made = cards(*self.cards(shown), minimum_px=self.card_px)
        line = kinds_line(self.id, self.kinds, shown.chosen) if self.leads else None
        return html.Div([line, made]) if line is not None else made

    def _course(self, stores: Stores, chosen: Sequence[Instance], span: Span) -> tuple[Course, str]:
        metrics = sorted({*metrics_of(self.charts), *self.metrics})
        try:
            return read_sources(stores, metrics, [each.name for each in chosen], *span.pair), ""
        except StorageError as error:
            return Course(*span.pair), problem_of(error)

    def _with_more(self, stores: Stores, shown: Shown) -> tuple[Shown, str]:
        assert self.more is not None
        try:
            return replace(shown, more=self.more(stores, shown)), ""
        except StorageError as error:
            return shown, problem_of(error)

    def _empty(self, course: Course) -> dict[str, str]:
        present = {data.metric for data in course.series}
        return {
            f"{self.id}-{chart.id}": "Nothing measured in this window."
            for chart in self.charts
            if not present & set(chart.metrics)
        }


def _actions(stores: Stores, kinds: Sequence[str]) -> tuple[list[Action], str]:
    try:
        return recent_actions(stores.state, kinds), ""
    except StorageError as error:
        return [], f"The state database does not answer: {error}"
