"""Pipeline: what brings the data, and is Fundwatch itself at work?

Sections of watched sources (each in dashboard/kinds/<kind>), then Fundwatch's own collectors, writer, tables and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dash import html

from core.errors import StorageError
from core.format import duration
from core.model import LiveReading, Outcome
from core.pipeline import spec
from core.requests import SETTINGS
from core.roles import Role
from core.tables import rows_of
from dashboard.components.card import cards_slot
from dashboard.components.choices import choice_bar, choice_segments, choice_select, chosen, spacer
from dashboard.components.lazy import lazy
from dashboard.components.markup import markup
from dashboard.components.panel import panels, slot, verdict_slot
from dashboard.pipeline import charts, tables
from dashboard.pipeline.cards import OWN_CARD_HEIGHT_PX, OWN_CARD_PX, OWN_CARDS, card_strip, verdict_line
from dashboard.pipeline.reload import reload_button, reload_form, reload_slot
from dashboard.sources.actions import action_stores
from dashboard.sources.asking import try_form
from dashboard.sources.drawn import view_over
from dashboard.sources.section import sections_of
from dashboard.sources.strip import how_to_watch
from dashboard.sources.tab import VARIES_BY, SourceTab
from dashboard.sources.table import NO_READING
from dashboard.views.panel import LINKED_TABLE_TOOLS, GraphBody, Panel, TableBody
from dashboard.views.problem import problem_of
from dashboard.views.route import HTML, Answer, Route
from dashboard.views.span import DEFAULT_WINDOW, Span, chosen_span, filled_span, span_line, window_options
from dashboard.views.tab import Choices, Tab, View
from portfolio.withheld import INBOX, reading_for, runs_for
from status.freshness import is_stale, next_stale_at, reading_stale_after_seconds
from status.instances import instances
from status.row_importers import with_refused_rows
from storage.clickhouse.reads.pipeline import FAILED, HISTORY_LIMIT, PipelineHistory, read_history

if TYPE_CHECKING:
    from access.viewer import Viewer
    from core.settings.model import Settings
    from storage.stores import Stores

ID = "pipeline"
WINDOWS = window_options("15m", "1h", "6h", "24h", "7d", "30d")
ALL = "all"
OUTCOMES = ((ALL, "any outcome"), (FAILED, FAILED), *((outcome.value, outcome.value) for outcome in Outcome))
SLOTS = ("span", "verdict", "cards", "reload")
HISTORY_PX, COLLECTORS_PX = 300, 252
COLLECTORS_PATH = f"/{ID}/table/collectors"
"""With a hundred sources this table is half of the page: it is fetched, as plain HTML, when it comes into view."""


def _chart(name: str, title: str, subtitle: str, definition: str) -> Panel:
    return Panel(f"{ID}-{name}", title, definition, GraphBody(200), subtitle=subtitle, span=4)


def _table(name: str, title: str, subtitle: str, definition: str, body: TableBody, span: int = 12) -> Panel:
    tools = LINKED_TABLE_TOOLS
    return Panel(f"{ID}-{name}", title, definition, body, subtitle=subtitle, span=span, tools=tools)


COLLECTORS = _table(
    "collectors", "Collectors", "in trouble first",
    "Every collector of the chosen host: its state, newest run and breaker. Source: the pipeline collector.",
    TableBody(COLLECTORS_PX),
)  # fmt: skip
TOPICS = _table(
    "topics", "Topics", "messages taken in as rows",
    "Kafka topics of the setting consume: what was taken in, refused, and is not read yet. Source: their importers.",
    TableBody(160),
)  # fmt: skip
DURATIONS = _chart(
    "durations", "Run duration, ms", "mean, logarithmic",
    "Mean duration of the runs in each bucket of time, by collector. Source: table runs.",
)  # fmt: skip
FAILURES = _chart(
    "failures", "Failed runs", "count by collector",
    "Runs that did not end with ok: unavailable, rejected, timeout, error. Source: table runs.",
)  # fmt: skip
WRITTEN = _chart(
    "written", "Rows written, per second", "acknowledged",
    "Rows that ClickHouse acknowledged: samples, runs, statements, portfolio data.",
)  # fmt: skip
CHARTS = (DURATIONS, FAILURES, WRITTEN)
HISTORY = _table(
    "history", "Runs", f"newest {HISTORY_LIMIT} of the window",
    "Runs of the chosen collectors and outcomes within the window. Source: table runs.",
    TableBody(HISTORY_PX, HISTORY_PX),
)  # fmt: skip
TABLES = _table(
    "tables", "Tables", f"rows and bytes on disk, read every {duration(spec.SIZES_SECONDS)}",
    "Tables of Fundwatch’s own database. Source: system.parts, active parts.", TableBody(280), span=5,
)  # fmt: skip
QUERIES = _table(
    "queries", "Statements", f"last {duration(spec.STATEMENTS_SECONDS)}, most time first",
    "Statements that Fundwatch sent to ClickHouse, as it timed them. Source: table queries.", TableBody(280), span=7,
)  # fmt: skip
PANELS = (COLLECTORS, TOPICS, *CHARTS, HISTORY, TABLES, QUERIES)
"""Those of Fundwatch's own work; that of topics where the settings name some."""

OWN = (spec.PIPELINE, "replay", INBOX)
"""Collectors of Fundwatch itself whose changes of state stand here."""
SOURCES = SourceTab(f"{ID}-sources", sections_of(ID), card_px=190, first_charts=3, own=OWN, asked=(SETTINGS.kind,))
"""What brings the data: a page of its own, of which this one leaves out choice bar and span."""


def layout(
    sources: SourceTab, panels_of_own: Sequence[Panel], stores: Stores, choices: Choices, viewer: Viewer
) -> html.Div:
    """Return the tab without data."""
    own = panels_of_own
    hosts, found = _hosts(stores), instances(stores, *sources.kinds)
    reading = stores.live.reading(spec.PIPELINE, _host(stores, choices))
    collectors = ((ALL, "all collectors"), *((name, name) for name in _collectors(reading)))
    return html.Div(
        [
            choice_bar(
                choice_select(ID, "host", [(name, name) for name in hosts], choices, default=hosts[0], label="Host"),
                choice_segments(ID, "window", WINDOWS, choices, default=DEFAULT_WINDOW, label="Window"),
                choice_select(ID, "collector", collectors, choices, default=ALL, label="Runs of"),
                choice_select(ID, "outcome", OUTCOMES, choices, default=ALL, label="that ended"),
                spacer(),
                slot(f"{ID}-span"),
            ),
            html.Div(
                [
                    *([verdict_slot(f"{sources.id}-verdict")] if sources.sections else []),
                    verdict_slot(f"{ID}-verdict"),
                    *(
                        [sources.cards_slot(found, Choices()), panels(*sources.arranged(found))]
                        if sources.sections
                        else []
                    ),
                    html.H2("Fundwatch’s own work", className="fw-section-title"),
                    cards_slot(f"{ID}-cards", OWN_CARDS, minimum_px=OWN_CARD_PX, height=OWN_CARD_HEIGHT_PX),
                    reload_slot(f"{ID}-reload", viewer),
                    panels(*(panel.element() for panel in own)),
                    panels(*(panel.element() for panel in sources.records)),
                    *([how_to_watch(sources.unwatched, is_open=False)] if sources.unwatched else []),
                ],
                className="fw-content",
            ),
            *action_stores(sources.id),
        ]
    )


def build(sources: SourceTab, stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the view: the present from the live reading, the past from ClickHouse, either without the other."""
    host = _host(stores, choices)
    limits = viewer.portfolios
    reading = reading_for(stores.live.reading(spec.PIPELINE, host), limits)
    now = stores.clock.now()
    span = filled_span(stores, chosen_span(choices, now, WINDOWS), [spec.PIPELINE], host)
    history: PipelineHistory | None = None
    problem = ""
    try:
        history = read_history(
            stores,
            host,
            span.start,
            span.end,
            collector=_unless_all(choices.get("collector", ALL)),
            outcome=_unless_all(chosen(OUTCOMES, choices, "outcome", ALL)),
        )
    except StorageError as error:
        problem = problem_of(error)
    if history is not None:
        history = replace(history, runs=runs_for(history.runs, limits))
    inbox = reading_for(stores.live.reading(INBOX, host), limits)
    pulls = _pulls(stores, host, viewer)
    if reading is not None:
        reading = with_refused_rows(reading, pulls, now)
    own = _view(host, now, span, reading, inbox, pulls, bool(stores.settings.consume), history, problem)
    return _joined(own, _watched(sources, stores, viewer, host, span))


def _view(
    host: str,
    now: float,
    span: Span,
    reading: LiveReading | None,
    inbox: LiveReading | None,
    pulls: Sequence[LiveReading | None],
    any_topic: bool,
    history: PipelineHistory | None,
    problem: str,
) -> View:
    slots: dict[str, object] = {
        f"{ID}-span": span_line(ID, span),
        f"{ID}-verdict": verdict_line(reading, host, now, [inbox, *pulls]),
        f"{ID}-reload": reload_button(reading),
    }
    if reading is not None:
        stamp = f"{reading.ts} {is_stale(reading, now)}"
        slots |= {
            f"{ID}-cards": card_strip(reading, history.series if history else {}, now, inbox),
            COLLECTORS.slot: lazy(_collectors_url(host), stamp, COLLECTORS_PX),
            TABLES.slot: tables.size_table(reading, *_named(TABLES)),
            QUERIES.slot: tables.statement_table(reading, *_named(QUERIES)),
        }
    if any_topic:
        slots[TOPICS.slot] = tables.topic_table(pulls, *_named(TOPICS), now)
    if history is not None:
        slots[HISTORY.slot] = tables.run_table(history.runs, *_named(HISTORY))
    present = (COLLECTORS.id, TABLES.id, QUERIES.id)
    past = (*(chart.id for chart in CHARTS), HISTORY.id)
    notes = dict.fromkeys(past, problem)
    if reading is None:
        notes |= dict.fromkeys(present, NO_READING)
    as_of = dict.fromkeys(present, reading.ts if reading else None)
    if any_topic:
        notes[TOPICS.id] = ""
    if history is not None:
        as_of |= dict.fromkeys(past, reading.ts if reading else history.end)
    return View(
        figures=_figures(reading, history) if history else {},
        slots=slots,
        as_of=as_of,
        notes=notes,
        stale_after_seconds=dict.fromkeys(as_of, reading_stale_after_seconds(reading)),
        stale_at=next_stale_at([reading, inbox, *pulls], now),
    )


def _pulls(stores: Stores, host: str, viewer: Viewer) -> list[LiveReading | None]:
    names = stores.settings.row_importers
    return [reading_for(stores.live.reading(name, host), viewer.portfolios) for name in names]


def _watched(sources: SourceTab, stores: Stores, viewer: Viewer, host: str, span: Span) -> View:
    view = view_over(sources, stores, Choices.of({"host": host}), viewer, instances(stores, *sources.kinds), span)
    return replace(view, slots={id: view.slots[id] for id in _slots(sources)})


def _slots(sources: SourceTab) -> tuple[str, ...]:
    """Return the slots of `sources` that stand on this page: without its span; without sections the actions alone."""
    left_out = ("span",) if sources.sections else ("span", "verdict", "cards")
    return tuple(id for id in sources.slots if id not in {f"{sources.id}-{name}" for name in left_out})


def _joined(one: View, two: View) -> View:
    return View(
        figures={**one.figures, **two.figures},
        slots={**one.slots, **two.slots},
        as_of={**one.as_of, **two.as_of},
        notes={**one.notes, **two.notes},
        stale_after_seconds={**one.stale_after_seconds, **two.stale_after_seconds},
        stale_at=min((at for at in (one.stale_at, two.stale_at) if at is not None), default=None),
    )


def _figures(reading: LiveReading | None, history: PipelineHistory) -> dict[str, dict[str, object]]:
    known = _collectors(reading)
    colour = charts.colours([*known, *sorted({bucket.collector for bucket in history.buckets} - set(known))])
    span = (history.start, history.end)
    return {
        DURATIONS.graph: charts.durations(history.buckets, colour, *span, history.step_seconds),
        FAILURES.graph: charts.failures(history.buckets, colour, *span, history.step_seconds),
        WRITTEN.graph: charts.rows_written(history.series.get(spec.WRITTEN_RATE), *span),
    }


def _collectors(reading: LiveReading | None) -> list[str]:
    return [row.collector for row in rows_of(reading.tables, spec.CollectorRuns)] if reading else []


def _named(panel: Panel) -> tuple[str, str]:
    """Return the id of the rows of a panel's table, and its title."""
    return f"{panel.id}-rows", panel.title


def _hosts(stores: Stores) -> list[str]:
    """Return the hosts that report, this machine first."""
    here = stores.settings.machine
    return [here, *(name for name in stores.live.hosts(spec.PIPELINE) if name != here)]


def _host(stores: Stores, choices: Choices) -> str:
    hosts = _hosts(stores)
    return chosen([(name, name) for name in hosts], choices, "host", hosts[0])


def _unless_all(choice: str) -> str:
    return "" if choice == ALL else choice


def _collectors_url(host: str) -> str:
    return f"{COLLECTORS_PATH}?{Choices.of({'host': host}).query}"


def _routes(sources: SourceTab, stores: Stores) -> list[Route]:
    def collectors(choices: Choices, viewer: Viewer) -> Answer:
        reading = reading_for(stores.live.reading(spec.PIPELINE, _host(stores, choices)), viewer.portfolios)
        if reading is None:
            return Answer("", HTML)
        now = stores.clock.now()
        told = with_refused_rows(reading, _pulls(stores, reading.host, viewer), now)
        table = tables.collector_table(told, *_named(COLLECTORS), now)
        return Answer(markup(table), HTML)

    return [Route(COLLECTORS_PATH, collectors, Role.VIEWER), *sources.routes(stores)]


def _tab(sources: SourceTab, own: Sequence[Panel] = PANELS) -> Tab:
    graphs = (*(chart.graph for chart in CHARTS), *sources.graphs)
    return Tab(
        id=ID,
        title="Pipeline",
        icon=ID,
        key="6",
        path=f"/{ID}",
        layout=partial(layout, sources, own),
        build=partial(build, sources),
        varies_by=(*VARIES_BY, "portfolios"),
        datasets=(*sources.own, *sources.kinds, "actions"),
        panels=(*own, *sources.panels),
        slots=(
            *(f"{ID}-{name}" for name in SLOTS),
            *(panel.slot for panel in own if panel.slot),
            *_slots(sources),
        ),
        graphs=graphs,
        zoom_graphs=graphs,
        lazy_graphs=sources.lazy_graphs,
        routes=partial(_routes, sources),
        forms=lambda stores: [try_form(stores, ID), reload_form(stores)],
        register=sources.register,
        fit=lambda settings: _tab(
            _fitted(sources, settings), [each for each in PANELS if each is not TOPICS or settings.consume]
        ),
    )


def _fitted(sources: SourceTab, settings: Settings) -> SourceTab:
    return replace(sources.fit(settings), own=(*OWN, *settings.row_importers))


TAB = _tab(SOURCES)
