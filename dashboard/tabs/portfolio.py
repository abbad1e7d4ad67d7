"""Portfolio: how the fund and its parts do, against a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from core.errors import NoPortfolio
from dashboard.charts.theme import COMPARED
from dashboard.components.attributes import attributes
from dashboard.components.card import empty
from dashboard.components.panel import panel, panels, slot
from dashboard.components.table import filter_box, scroll_box
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio import downloads as portfolio_download
from dashboard.portfolio import fragments as portfolio_fragments
from dashboard.portfolio.cards import card_strip
from dashboard.portfolio.metric_tables import METRIC_ROWS, PART_ROWS
from dashboard.portfolio.panels import CHART_GRAPHS, CHART_PANELS, CHART_SLOTS, chart_panel, draw_charts
from dashboard.portfolio.tables import drawdown_table
from dashboard.views.tab import Choices, Tab, View
from portfolio.data import PortfolioData, read
from portfolio.query import PortfolioQuery
from portfolio.warnings import warnings

if TYPE_CHECKING:
    from dash import Dash

    from storage.stores import Stores

ID = "portfolio"
GROWTH = "portfolio-growth-graph"
TABLES = tuple(f"{ID}-{name}" for name in ("drawdowns", "months", "extremes", "captures", "parts", "metrics"))
PANELS = (*CHART_PANELS, *TABLES)
MONTHS_PX = 300
LONG_PX = 420
"""Height of the tables that scroll."""
FRAGMENT_PX = {"months": MONTHS_PX, "extremes": 300, "captures": 120, "parts": LONG_PX, "metrics": LONG_PX}
"""Height in pixels of what is fetched when it comes into view, until it is there."""
OWN_INTERVAL_SECONDS = 2 * 86_400.0
"""NAV comes on working days: over a weekend it is not stale."""
FEED = (
    "Drop a CSV file with the columns date, portfolio, nav, flow into the folder inbox of the data folder, or run: "
    "python -m collectors import nav.csv"
)


def layout(stores: Stores, choices: Choices) -> html.Div:
    """Return the tab without data."""
    content = [
        slot("portfolio-notes"),
        slot("portfolio-cards", 230),
        panels(
            chart_panel("growth"),
            html.Div([_drawdowns(), _months()], className="fw-column fw-span-4"),
            chart_panel("distribution"),
            chart_panel("years"),
            chart_panel("capture"),
            chart_panel("backtest"),
            _captures(),
            chart_panel("contribution"),
            chart_panel("correlation"),
            _extremes(),
            _parts(),
            _metrics(),
        ),
    ]
    return html.Div([portfolio_bar.bar(stores, choices), html.Div(content, className="fw-content")])


def _drawdowns() -> html.Section:
    return panel(
        "portfolio-drawdowns", "Worst drawdowns", "in the window; click one to shade it in the chart",
        slot("portfolio-drawdowns-table", 310), span=12, tools=("csv", "full"),
    )  # fmt: skip


def _months() -> html.Section:
    table = scroll_box(slot("portfolio-months-table", MONTHS_PX), MONTHS_PX, "Monthly returns")
    return panel(
        "portfolio-months", "Monthly and yearly returns, %", "since inception", table, span=12, tools=("csv", "full"),
        definition="Time-weighted returns compounded by month and by year, newest year first.",
    )  # fmt: skip


def _captures() -> html.Section:
    return panel(
        "portfolio-captures", "Capture ratios", "against the benchmark, in the window",
        slot("portfolio-captures-table", 120),
        span=4, tools=("csv", "full"),
    )  # fmt: skip


def _extremes() -> html.Section:
    return panel(
        "portfolio-extremes", "Best and worst returns", "of the window", slot("portfolio-extremes-table", 300), span=4,
        tools=("csv", "full"),
    )  # fmt: skip


def _parts() -> html.Section:
    table = scroll_box(slot("portfolio-parts-table", LONG_PX), LONG_PX, "Portfolios")
    return panel(
        "portfolio-parts", "Portfolios", "parts of the fund, each in its own window",
        [filter_box(PART_ROWS, "Filter portfolios"), table], span=7, tools=("csv", "full"),
    )  # fmt: skip


def _metrics() -> html.Section:
    table = scroll_box(slot("portfolio-metrics-table", LONG_PX), LONG_PX, "All metrics")
    return panel(
        "portfolio-metrics", "All metrics", "of the window; definitions and reasons on hover",
        [html.Div([filter_box(METRIC_ROWS, "Find metrics"), _files()], className="fw-metrics-head"), table], span=5,
        tools=("link", "full"),
    )  # fmt: skip


def _files() -> html.Div:
    """Return the exports of the metrics: into the clipboard, as CSV, as an Excel workbook."""
    copy = html.Button("Copy", type="button", className="fw-choice-button", **attributes(data_export_copy=METRIC_ROWS))
    carries = attributes(data_export_choices="")
    links = [
        html.A(name, href=f"{portfolio_fragments.FILE}.{kind}", className="fw-file", **carries)
        for name, kind in (("CSV", "csv"), ("Excel", "xlsx"))
    ]
    return html.Div([copy, *links], className="fw-files")


def build(stores: Stores, choices: Choices) -> View:
    """Return what the tab shows."""
    query, problems = PortfolioQuery.parse(choices)
    try:
        data = read(stores, query)
    except NoPortfolio:
        return _without_portfolio()
    bar = _bar_slots(data, [*problems, *warnings(stores, data)])
    if not len(data.nav):
        return _without_values(data, bar)
    seen, interval = _age(stores, data)
    charts = draw_charts(data, choices)
    return View(
        figures=charts.figures,
        slots={
            **charts.slots,
            **bar,
            **_places(stores, choices),
            "portfolio-cards": card_strip(data, seen, interval),
            "portfolio-drawdowns-table": drawdown_table(data),
        },
        as_of={**(dict.fromkeys(PANELS, seen) if seen else {}), **dict.fromkeys(charts.empty)},
        notes={**dict.fromkeys(TABLES, ""), **charts.notes},
        interval_seconds=dict.fromkeys(PANELS, interval) if seen else {},
    )


def _places(stores: Stores, choices: Choices) -> dict[str, Any]:
    return {
        f"portfolio-{name}-table": portfolio_fragments.place(stores, choices, name, height)
        for name, height in FRAGMENT_PX.items()
    }


def _bar_slots(data: PortfolioData, adjusted: list[str]) -> dict[str, Any]:
    return {
        "portfolio-span": portfolio_bar.span(data),
        "portfolio-mark": portfolio_bar.mark(data),
        "portfolio-compared": portfolio_bar.compared(data, COMPARED),
        "portfolio-notes": portfolio_bar.notes(data, adjusted),
    }


def _without_portfolio() -> View:
    return View(
        slots={"portfolio-cards": empty("No portfolio yet", FEED)},
        as_of=dict.fromkeys(PANELS),
        notes=dict.fromkeys(PANELS, "Shows a portfolio as soon as there is one."),
    )


def _without_values(data: PortfolioData, bar: dict[str, Any]) -> View:
    portfolio = data.portfolio
    when = f" on or before {data.query.as_of}" if data.query.as_of is not None else " yet"
    return View(
        slots={
            **bar,
            "portfolio-cards": empty(f"{portfolio.name} has no value{when}", FEED),
        },
        as_of=dict.fromkeys(PANELS),
        notes=dict.fromkeys(PANELS, f"{portfolio.name} has no value{when}."),
    )


def _age(stores: Stores, data: PortfolioData) -> tuple[float | None, float]:
    """Return when the newest value came and how often one is due. A sample has no age: its data ended."""
    if data.portfolio.origin == "own":
        return float(data.nav.newest), OWN_INTERVAL_SECONDS
    if data.portfolio.origin == "replay":
        reading = stores.live.reading("replay", stores.settings.machine)
        return (reading.ts, reading.interval_seconds) if reading else (None, 0.0)
    return None, 0.0


def _register(app: Dash, stores: Stores) -> None:
    portfolio_fragments.register(app, stores)
    portfolio_download.register(app, stores)


TAB = Tab(
    id=ID,
    title="Portfolio",
    icon="portfolio",
    key="1",
    path=f"/{ID}",
    layout=layout,
    build=build,
    datasets=("portfolio",),
    slots=(
        *portfolio_bar.SLOTS,
        *CHART_SLOTS,
        "portfolio-cards",
        "portfolio-drawdowns-table",
        *(f"portfolio-{name}-table" for name in FRAGMENT_PX),
    ),
    graphs=CHART_GRAPHS,
    zoom_graphs=(GROWTH,),
    later_graphs=tuple(graph for graph in CHART_GRAPHS if graph != GROWTH),
    register=_register,
)
