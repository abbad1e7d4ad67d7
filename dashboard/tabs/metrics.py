"""Metrics: every series of the exporters that are watched, to search, each with its chart. A sub-page of Services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import StorageError
from core.events import collector_of
from core.kinds.scrape.spec import Family, Series, told
from dashboard.charts.rules import rule_lines
from dashboard.components.card import empty
from dashboard.components.choices import (
    choice_bar,
    choice_button,
    choice_input,
    choice_segments,
    choice_select,
    chosen,
    spacer,
)
from dashboard.components.panel import panels, slot
from dashboard.kinds.scrape.found import find
from dashboard.kinds.scrape.section import METRICS_PATH
from dashboard.kinds.scrape.series import HEIGHT_PX, Wanted, chart, chosen_page, table
from dashboard.sources.strip import how_to_watch
from dashboard.sources.tab import WINDOWS
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.problem import problem_of
from dashboard.views.span import DEFAULT_WINDOW, Span, chosen_span, span_line
from dashboard.views.tab import Choices, Page, View
from status.freshness import next_stale_at, reading_stale_after_seconds
from status.instances import Instance, instances
from storage.clickhouse.reads.sources import read_metric

if TYPE_CHECKING:
    from access.viewer import Viewer
    from core.settings.model import Settings
    from storage.clickhouse.reads.series import SeriesData
    from storage.state.events import Event
    from storage.stores import Stores

ID = "metrics"
KIND = "scrape"
CHART = Panel(
    f"{ID}-course",
    "Course",
    "The series chosen below as it is stored: a counter as its rate since the scrape before, anything else as it was "
    "served. Of several the six that are highest now.",
    GraphBody(HEIGHT_PX),
    subtitle_slot=f"{ID}-chosen",
)
SERIES = Panel(
    f"{ID}-series",
    "Series",
    "All that was taken at the newest scrape: GET /metrics. The box above finds those that hold every word typed in "
    "name, labels, type or help.",
    TableBody(320),
)
PANELS = (CHART, SERIES)


def layout(stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    names = _options(stores)
    bar = choice_bar(
        choice_select(
            ID, "exporter", names, choices, default=next((each for each, _ in names), ""), label="Exporter"
        ),
        choice_input(ID, "find", choices, default="", label="Find", type="search",
                     hint="Series that hold every word, in name, labels, type or help."),
        choice_segments(ID, "window", WINDOWS, choices, default=DEFAULT_WINDOW, label="Window"),
        spacer(),
        slot(f"{ID}-span"),
    )  # fmt: skip
    return html.Div([bar, html.Div(panels(*(panel.element() for panel in PANELS)), className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the page of the series that are looked for, and the chart of the one chosen."""
    names = _options(stores)
    if not names:
        return View()
    name = chosen(names, choices, "exporter", names[0][0])
    exporter = next(each for each in instances(stores, KIND) if each.name == name)
    now = stores.clock.now()
    span = chosen_span(choices, now, WINDOWS)
    rows = exporter.rows(Series)
    families = {each.family: each for each in exporter.rows(Family)}
    typed = choices.get("find", "")
    found = find(rows, families, typed, chosen_page(choices.get("page", ""), name, typed))
    wanted = Wanted(choices.get("metric", ""), choices.get("series", ""))
    data, problem = _read(stores, name, wanted, span)
    rules = rule_lines(stores, viewer.portfolios)
    return View(
        figures={CHART.graph: chart(wanted.metric, data, span.pair, rules)} if data else {},
        slots={
            f"{ID}-span": span_line(ID, span),
            f"{ID}-chosen": _told(wanted, data),
            SERIES.slot: table(ID, found, families, wanted, name, typed),
        },
        as_of={CHART.id: exporter.reading.ts if data and exporter.reading else None, SERIES.id: _tables_ts(exporter)},
        notes={CHART.id: problem or _nothing(wanted, data)},
        stale_after_seconds=dict.fromkeys((CHART.id, SERIES.id), reading_stale_after_seconds(exporter.reading)),
        stale_at=next_stale_at((exporter.reading,), now),
    )


def _options(stores: Stores) -> list[tuple[str, str]]:
    return [(each.name, each.name) for each in stores.settings.watch.of(KIND)]


def _read(stores: Stores, name: str, wanted: Wanted, span: Span) -> tuple[list[SeriesData], str]:
    if not wanted.metric:
        return [], ""
    try:
        return read_metric(stores, wanted.metric, name, *span.pair, takes=wanted.takes), ""
    except StorageError as error:
        return [], problem_of(error)


def _told(wanted: Wanted, data: list[SeriesData]) -> Any:
    if not wanted.metric:
        return "of the series chosen below"
    if wanted.key:
        labels = next((told(pair for pair in each.labels if pair[0] != "instance") for each in data), "")
        every = choice_button(ID, {"series": None}, "all its series")
        return [f"{wanted.metric}{f' {{{labels}}}' if labels else ''} ", every]
    return f"{wanted.metric}, all its series"


def _nothing(wanted: Wanted, data: list[SeriesData]) -> str:
    if data:
        return ""
    if not wanted.metric:
        return "Choose a metric below: its course is drawn here."
    return "Nothing measured in this window. A counter has a rate from its second scrape on."


def _tables_ts(exporter: Instance) -> float | None:
    return exporter.reading.tables_ts if exporter.reading else None


def _unwatched(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page where no exporter is watched."""
    parts = [
        empty("No exporter is watched", "What exporters serve is searched and charted here."),
        how_to_watch((KIND,), is_open=True),
    ]
    return html.Div(parts, className="fw-content")


def _concerned(stores: Stores, choices: Choices, _viewer: Viewer) -> Callable[[Event], bool]:
    """Return what tells whether an event is about everything, or about the exporter whose series are shown."""
    names = _options(stores)
    shown = f"{KIND}:{chosen(names, choices, 'exporter', names[0][0])}" if names else ""
    return lambda event: not event.portfolio and (not event.component or collector_of(event.component) == shown)


def _fit(settings: Settings) -> Page:
    """Return the page; without its panels where no exporter is watched."""
    if settings.watch.of(KIND):
        return PAGE
    return replace(PAGE, layout=_unwatched, panels=(), slots=(), graphs=(), zoom_graphs=())


PAGE = Page(
    id=ID,
    title="Metrics",
    path=METRICS_PATH,
    parent="services",
    layout=layout,
    build=build,
    concerned=_concerned,
    varies_by=("portfolios",),
    datasets=(KIND,),
    panels=PANELS,
    slots=(SERIES.slot, f"{ID}-span", f"{ID}-chosen"),
    graphs=(CHART.graph,),
    zoom_graphs=(CHART.graph,),
    fit=_fit,
)
