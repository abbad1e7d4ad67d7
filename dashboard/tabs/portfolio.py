"""Portfolio: how the fund and its parts do, against a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, EXPORTING_ROLE, Viewer
from core.errors import NoPortfolio
from dashboard.components.attributes import attributes
from dashboard.components.card import empty
from dashboard.components.needing import needing
from dashboard.components.panel import panels, slot
from dashboard.portfolio import choice_bar, downloads, fragments
from dashboard.portfolio.cards import card_strip
from dashboard.portfolio.colours import compared_colours
from dashboard.portfolio.common_choices import WHICH_AND_WHEN
from dashboard.portfolio.metric_tables import METRIC_ROWS, PART_ROWS
from dashboard.portfolio.panels import CHART_GRAPHS, CHART_PANELS, CHART_SLOTS, chart_panel, draw_charts
from dashboard.portfolio.rule_limits import drawdown_limits, with_limits
from dashboard.portfolio.tables import drawdown_table
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import holders
from dashboard.views.route import Route
from dashboard.views.tab import Choices, Tab, View
from portfolio import given
from portfolio.data import PortfolioData
from portfolio.imports.accepted import AcceptedDoubts, accepted_doubts
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.warnings import warnings
from status.freshness import reading_stale_after_seconds

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "portfolio"
GROWTH = "portfolio-growth-graph"
MONTHS_PX = 300
LONG_PX = 420
"""Height of the tables that scroll."""
FRAGMENT_PX = {"months": MONTHS_PX, "extremes": 300, "captures": 120, "parts": LONG_PX, "metrics": LONG_PX}
"""Height in pixels of what is fetched when it comes into view, until it is there."""
FEED = (
    ": a file of NAV, returns or prices (CSV, Excel, Parquet). It says what it understood, and asks where one can be "
    "read in two ways. The folder inbox of the data folder takes files too, and so does: "
    "python -m collectors import FILE."
)


def _files() -> html.Div:
    """Return the exports of the metrics: into the clipboard, as CSV, as an Excel workbook."""
    copy = html.Button("Copy", type="button", className="fw-choice-button", **attributes(data_export_copy=METRIC_ROWS))
    carries = attributes(data_export_choices="")
    links = [
        html.A(name, href=f"{fragments.FILE}.{kind}", className="fw-file", **carries)
        for name, kind in (("CSV", "csv"), ("Excel", "xlsx"))
    ]
    return html.Div([copy, *links], className="fw-files", **needing(EXPORTING_ROLE))


DRAWDOWNS = Panel(
    f"{ID}-drawdowns",
    "Worst drawdowns",
    "The ten deepest falls from a best day so far until the day back at it, of the window’s time-weighted returns.",
    TableBody(310),
    subtitle="click one to shade it in the chart",
    controls_slot=choice_bar.LINE_SLOTS[0],
)
MONTHS = Panel(
    f"{ID}-months",
    "Monthly and yearly returns, %",
    "Time-weighted returns compounded by month and by year, newest year first.",
    TableBody(MONTHS_PX, MONTHS_PX),
    subtitle="since inception",
    controls_slot=choice_bar.LINE_SLOTS[1],
)
CAPTURES = Panel(
    f"{ID}-captures",
    "Capture ratios",
    "Annualised return over the periods in which the benchmark rose (fell), over the benchmark's own.",
    TableBody(120),
    subtitle="of the benchmark's rises and falls",
    span=4,
)
EXTREMES = Panel(
    f"{ID}-extremes",
    "Best and worst returns",
    "The ten highest gains and the ten deepest losses of the window, the benchmark's return beside each.",
    TableBody(300),
    subtitle="of the window",
    span=4,
)
PARTS = Panel(
    f"{ID}-parts",
    "Portfolios",
    "Value, share, returns and risk of the fund and of each part, over its own days within the window.",
    TableBody(LONG_PX, LONG_PX, PART_ROWS),
    subtitle="parts of the fund, each in its own window",
    span=7,
)
METRICS = Panel(
    f"{ID}-metrics",
    "All metrics",
    "Every metric of the window for each line shown; the definition of each on hover, and in the files.",
    TableBody(LONG_PX, LONG_PX, METRIC_ROWS, "Find metrics", _files()),
    subtitle="of the window; definitions and reasons on hover",
    span=5,
    tools=("link", "full"),
)
TABLES = (DRAWDOWNS, MONTHS, EXTREMES, CAPTURES, PARTS, METRICS)
PANELS = (*CHART_PANELS, *TABLES)
PANEL_IDS = tuple(panel.id for panel in PANELS)


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the tab without data."""
    content = [
        slot("portfolio-notes"),
        slot("portfolio-cards", 283, narrow_height=1140),
        panels(
            chart_panel("growth").element(),
            html.Div([DRAWDOWNS.element(), MONTHS.element()], className="fw-column fw-span-4"),
            chart_panel("distribution").element(),
            chart_panel("years").element(),
            chart_panel("capture").element(),
            chart_panel("backtest").element(),
            CAPTURES.element(),
            chart_panel("contribution").element(),
            chart_panel("correlation").element(),
            EXTREMES.element(),
            PARTS.element(),
            METRICS.element(),
        ),
    ]
    return html.Div([choice_bar.bar(stores, choices, viewer.portfolios), html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what the tab shows."""
    query, problems = PortfolioQuery.parse(choices)
    try:
        data = read(stores, query, viewer.portfolios)
    except NoPortfolio:
        return _without_portfolio()
    doubted = accepted_doubts(stores.state, data.portfolio, viewer.portfolios)
    bar = _bar_slots(stores, data, [*problems, *warnings(stores, data, query)], doubted)
    if not len(data.nav):
        return _without_values(data, bar)
    seen, stale_after = _age(stores, data)
    charts = draw_charts(data, choices)
    bare = {} if data.benchmark else {CAPTURES.id: "Choose a benchmark to see capture ratios."}
    lines = drawdown_limits(stores, data, viewer.portfolios)
    figures = {**charts.figures, GROWTH: with_limits(charts.figures[GROWTH], lines)} if lines else charts.figures
    return View(
        figures=figures,
        slots={
            **charts.slots,
            **bar,
            **_places(stores, choices, viewer),
            "portfolio-cards": card_strip(data, seen, stale_after),
            "portfolio-drawdowns-table": drawdown_table(data),
        },
        as_of={**(dict.fromkeys(PANEL_IDS, seen) if seen else {}), **dict.fromkeys(charts.empty | bare.keys())},
        notes={**dict.fromkeys((table.id for table in TABLES), ""), **charts.notes, **bare},
        stale_after_seconds=dict.fromkeys(PANEL_IDS, stale_after),
    )


def _places(stores: Stores, choices: Choices, viewer: Viewer) -> dict[str, Any]:
    return {
        f"portfolio-{name}-table": fragments.place(stores, choices, viewer.portfolios, name, height)
        for name, height in FRAGMENT_PX.items()
    }


def _bar_slots(
    stores: Stores, data: PortfolioData, adjusted: list[str], doubted: Sequence[AcceptedDoubts]
) -> dict[str, Any]:
    return {
        "portfolio-benchmark": choice_bar.benchmark(stores, data),
        "portfolio-windows": choice_bar.windows(data),
        "portfolio-frequency": choice_bar.frequencies(data),
        "portfolio-rolling": choice_bar.rolling(data),
        "portfolio-span": choice_bar.span(data),
        **{slot: choice_bar.lines(data) for slot in choice_bar.LINE_SLOTS},
        "portfolio-mark": choice_bar.mark(data),
        "portfolio-compared": choice_bar.compared(data, compared_colours(data)),
        "portfolio-notes": choice_bar.notes(data, adjusted, doubted),
    }


def _without_portfolio() -> View:
    return View(
        slots={"portfolio-cards": empty("No portfolio yet", _feed())},
        as_of=dict.fromkeys(PANEL_IDS),
        notes=dict.fromkeys(PANEL_IDS, "Shows a portfolio as soon as there is one."),
    )


def _feed() -> html.P:
    """Return how a portfolio comes to be, and by whom: the view is the same for those who may not import."""
    may = holders(CHANGING_ROLE).capitalize()
    return html.P([f"{may} bring one on the page ", html.A("Import", href=choice_bar.IMPORT), FEED])


def _without_values(data: PortfolioData, bar: dict[str, Any]) -> View:
    portfolio = data.portfolio
    when = f" on or before {data.query.as_of}" if data.query.as_of is not None else " yet"
    return View(
        slots={
            **bar,
            "portfolio-cards": empty(f"{portfolio.name} has no value{when}", _feed()),
        },
        as_of=dict.fromkeys(PANEL_IDS),
        notes=dict.fromkeys(PANEL_IDS, f"{portfolio.name} has no value{when}."),
    )


def _age(stores: Stores, data: PortfolioData) -> tuple[float | None, float | None]:
    """Return when the newest value came and the age beyond which it is stale; None for a sample and for what ended."""
    if given.has_ended(data.portfolio, stores.clock.now()):
        return None, None
    if data.portfolio.origin == "own":
        of, nav = data.portfolio, data.nav
        newest = given.newest_value(of.calendar, data.own.cadence, nav.dates[-1], float(nav.newest))
        return newest.known_at, newest.stale_after_seconds
    if data.portfolio.origin == "replay":
        reading = stores.live.reading("replay", stores.settings.machine)
        return (reading.ts if reading else None), reading_stale_after_seconds(reading)
    return None, None


def _routes(stores: Stores) -> list[Route]:
    return [*fragments.routes(stores), *downloads.routes(stores)]


TAB = Tab(
    id=ID,
    title="Portfolio",
    icon="portfolio",
    key="2",
    path=f"/{ID}",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(
        *choice_bar.SLOTS,
        *choice_bar.LINE_SLOTS,
        *CHART_SLOTS,
        "portfolio-cards",
        "portfolio-drawdowns-table",
        *(f"portfolio-{name}-table" for name in FRAGMENT_PX),
    ),
    graphs=CHART_GRAPHS,
    zoom_graphs=(GROWTH,),
    zooms_to_days=True,
    lazy_graphs=tuple(graph for graph in CHART_GRAPHS if graph != GROWTH),
    routes=_routes,
)
