"""Portfolio: how the fund and its parts do, against a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from dashboard import portfolio_bar
from dashboard.components.card import empty
from dashboard.components.graph import graph
from dashboard.components.panel import panel, panels, slot
from dashboard.figures.portfolio import growth_and_drawdown
from dashboard.figures.portfolio_now import card_strip
from dashboard.figures.portfolio_tables import drawdown_table, heat_table, parts_table
from dashboard.portfolio_data import Shown, find, key_of, read
from dashboard.tab import Choices, Tab, View
from dashboard.theme import SERIES
from storage.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "portfolio"
PANELS = ("portfolio-growth", "portfolio-drawdowns", "portfolio-months", "portfolio-parts")
OWN_INTERVAL_SECONDS = 2 * 86_400.0
"""NAV comes on working days: over a weekend it is not stale."""
FEED = (
    "Drop a CSV file with the columns date, portfolio, nav, flow into the folder inbox of the data folder, or take it "
    "with: python -m collectors import nav.csv"
)


def layout(stores: Stores, choices: Choices) -> html.Div:
    """Return the tab without data."""
    content = [
        slot("portfolio-notes"),
        slot("portfolio-cards", 200),
        panels(
            panel("portfolio-growth", "Growth of 100", "time-weighted, before tax; the crosshair spans both",
                  graph("portfolio-growth-graph", 430, narrow_height=360), span=8,
                  definition="Index of time-weighted daily returns, 100 at the first day shown; below it the distance "
                  "from the best day so far. The benchmark is shown on the same days; the S&P 500 of the sample is a "
                  "price index, without dividends."),
            panel("portfolio-drawdowns", "Worst drawdowns", "in the window", slot("portfolio-drawdowns-table", 330),
                  span=4, tools=("csv", "full")),
            panel("portfolio-months", "Monthly returns, %", "since inception", slot("portfolio-months-table", 300),
                  span=6, tools=("csv", "full"), definition="Daily time-weighted returns compounded by month."),
            panel("portfolio-parts", "Portfolios", "the fund and its parts", slot("portfolio-parts-table", 200), span=6,
                  tools=("csv", "full")),
        ),
    ]  # fmt: skip
    return html.Div([portfolio_bar.bar(stores, choices), html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices) -> View:
    """Return what the tab shows."""
    portfolio = find(stores, choices)
    if portfolio is None:
        return View(
            slots={"portfolio-cards": empty("No portfolio yet", FEED)},
            as_of=dict.fromkeys(PANELS),
            notes=dict.fromkeys(PANELS, "Shows a portfolio as soon as there is one."),
        )
    shown = read(stores, portfolio, choices)
    family = list_portfolios(stores.state, portfolio.origin)
    relatives = [shown if key_of(each) == key_of(portfolio) else read(stores, each, choices) for each in family]
    seen, interval = _age(stores, shown)
    view = View(
        figures={"portfolio-growth-graph": growth_and_drawdown(shown)},
        slots={
            "portfolio-span": portfolio_bar.span(shown),
            "portfolio-mark": portfolio_bar.mark(shown),
            "portfolio-compared": portfolio_bar.compared(shown, SERIES[1:]),
            "portfolio-notes": portfolio_bar.notes(shown),
            "portfolio-cards": card_strip(shown),
            "portfolio-drawdowns-table": drawdown_table(shown),
            "portfolio-months-table": heat_table(shown),
            "portfolio-parts-table": parts_table(relatives, shown),
        },
        as_of=dict.fromkeys(PANELS, seen) if seen else {},
        interval_seconds=dict.fromkeys(PANELS, interval) if seen else {},
    )
    if not len(shown.nav):
        return _without_values(view, portfolio)
    return view


def _without_values(view: View, portfolio: Portfolio) -> View:
    return View(
        slots={**view.slots, "portfolio-cards": empty(f"{portfolio.name} has no value yet", FEED)},
        as_of=dict.fromkeys(PANELS),
        notes=dict.fromkeys(PANELS, f"{portfolio.name} has no value yet."),
    )


def _age(stores: Stores, shown: Shown) -> tuple[float | None, float]:
    """Return when the newest value came and how often one is due. A sample has no age: its data ended."""
    if shown.portfolio.origin == "own":
        return float(shown.nav.newest), OWN_INTERVAL_SECONDS
    if shown.portfolio.origin == "replay":
        reading = stores.live.reading("replay", stores.settings.machine)
        return (reading.ts, reading.interval_seconds) if reading else (None, 0.0)
    return None, 0.0


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
        "portfolio-cards",
        "portfolio-drawdowns-table",
        "portfolio-months-table",
        "portfolio-parts-table",
    ),
    graphs=("portfolio-growth-graph",),
    zoom_graphs=("portfolio-growth-graph",),
)
