"""Holdings: what a portfolio holds, by group, what it gained and lost, and the history of one position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from access.viewer import Viewer
from core.clock import DAY_SECONDS
from dashboard.components.choices import choice_bar, choice_segments, chosen, spacer
from dashboard.components.panel import panels, slot
from dashboard.holdings import cards, charts, tables
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio.common_choices import (
    WHICH_AND_WHEN,
    as_of_choice,
    chosen_group,
    group_choice,
    portfolio_choice,
)
from dashboard.portfolio.sub_page import lacks, mark, nothing
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.chosen import chosen_portfolio
from portfolio.costs import METHODS, REPORTED, costed
from portfolio.day_holdings import holdings
from portfolio.gained import gained
from portfolio.holdings import GROUPS, Holdings, report_stale_after_seconds
from portfolio.price_doubts import price_doubts
from portfolio.query import PortfolioQuery
from storage.clickhouse.reads.book import history_of_instrument
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, STRIP, MARK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark"
FEED = (
    "Programs send positions, cash and trades (docs/your-data.md), or a file named positions.csv in the inbox of the "
    "data folder does: portfolio, ts, instrument, quantity, price."
)
MAP = Panel(
    f"{ID}-map",
    "Map",
    "A tile a position: as large as its value without its sign, its colour the day's return. Outer tiles are groups.",
    GraphBody(320),
    subtitle_slot=f"{ID}-map-said",
    span=8,
    tools=("png", "svg", "full"),
)
MOVERS = Panel(
    f"{ID}-movers",
    "Movers of the day",
    "The five positions that gained most and the five that lost most since the report of the day before.",
    TableBody(320),
    span=4,
)
GROUPED = Panel(
    f"{ID}-groups",
    "Groups",
    "Positions added up. Day, month and total include what was closed meanwhile; what cash gained is not in them.",
    TableBody(240),
    subtitle_slot=f"{ID}-groups-said",
)
ALL = Panel(
    f"{ID}-positions",
    "Positions",
    "Every position of the newest report up to the day chosen. Figures are in the portfolio's currency, price and cost "
    "in the instrument's own.",
    TableBody(420, 620, tables.POSITIONS),
    subtitle_slot=f"{ID}-positions-said",
)
HISTORY = Panel(
    f"{ID}-history",
    "History of a position",
    "Price and quantity in every report, of all strategies that hold it together.",
    GraphBody(260),
    subtitle_slot=f"{ID}-history-said",
    span=8,
)
CLOSED = Panel(
    f"{ID}-closed",
    "Closed this month",
    "Positions that are not held any more and had a part in the month's profit or loss.",
    TableBody(260),
    span=4,
)
PANELS = (MAP, MOVERS, GROUPED, ALL, HISTORY, CLOSED)
NONE_HELD = "Shows the history of an instrument that was held."
SHOWS = "Shows positions as soon as they are reported."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        as_of_choice(ID, choices),
        group_choice(ID, choices),
        html.Div(
            [
                html.Span("Cost", className="fw-choice-label"),
                choice_segments(ID, "method", [*METHODS.items()], choices, default=REPORTED, label="Cost"),
            ],
            className="fw-choice",
        ),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=480), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what a portfolio holds."""
    query, problems = PortfolioQuery.parse({name: choices[name] for name in ("portfolio", "asof") if name in choices})
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    told = holdings(stores, portfolio, viewer.portfolios, query.as_of) if portfolio is not None else None
    if portfolio is None or told is None:
        title = lacks(portfolio, "reported no positions", query)
        return nothing(PANELS, REMARKS, STRIP, (*not_there, *problems), title, FEED, SHOWS)
    costs = costed(stores, told, viewer.portfolios, chosen([*METHODS.items()], choices, "method", REPORTED))
    found = costs.holdings
    doubts = price_doubts(stores, found)
    group = chosen_group(choices)
    largest = found.positions[0].instrument if found.positions else ""
    picked = choices.get("instrument", largest)
    drawn = charts.treemap(found, group)
    history, history_said = _history(stores, found, picked)
    newest = np.datetime64(found.newest, "s").astype("datetime64[D]")
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    seen_at = float(found.newest) if stale_after is not None else None
    return View(
        figures={MAP.graph: dict(drawn.figure), HISTORY.graph: history},
        slots={
            REMARKS: [*portfolio_bar.adjusted_line((*not_there, *problems)), *cards.remarks(found, doubts)],
            STRIP: html.Div(cards.strip(found, *gained(stores, told, viewer.portfolios)), className="fw-cards"),
            MARK: mark(
                portfolio, f"{'built from trades' if len(found.built) == len(found.names) else 'report'} of {newest}"
            ),
            f"{ID}-map-said": drawn.subtitle,
            MOVERS.slot: tables.movers_table(found),
            f"{ID}-groups-said": f"by {GROUPS[group].lower()}",
            GROUPED.slot: tables.groups_table(found, group),
            f"{ID}-positions-said": f"report of {newest} · cost {costs.said}",
            ALL.slot: tables.positions_table(found, picked, costs, doubts),
            f"{ID}-history-said": history_said,
            CLOSED.slot: tables.closed_table(found),
        },
        as_of={
            **(dict.fromkeys((panel.id for panel in PANELS), seen_at) if seen_at is not None else {}),
            **({} if history["data"] else {HISTORY.id: None}),
            **({MAP.id: None} if drawn.note else {}),
        },
        notes={
            **dict.fromkeys((panel.id for panel in PANELS), ""),
            MAP.id: drawn.note,
            HISTORY.id: "" if history["data"] else NONE_HELD,
        },
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )


def _history(stores: Stores, found: Holdings, picked: str) -> tuple[dict[str, Any], str]:
    """Return the figure of an instrument's history, without data when it was never held, and what it is of."""
    empty_figure: dict[str, Any] = {"data": [], "layout": {}}
    if not picked:
        return empty_figure, ""
    end = (found.newest // DAY_SECONDS + 1) * DAY_SECONDS
    rows = history_of_instrument(stores.clickhouse, found.portfolio.origin, list(found.names), picked, end)
    rows += [row for each in found.built.values() for row in each.history(picked)]
    if not rows:
        return empty_figure, f"{picked} was never held"
    about = next((each for each in (*found.positions, *found.closed) if each.instrument == picked), None)
    currency = about.currency if about else found.portfolio.currency
    return charts.instrument_history(rows, currency), about.about.name if about else picked


PAGE = Page(
    id=ID,
    title="Holdings",
    path="/portfolio/holdings",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, f"{ID}-map-said", MOVERS.slot, f"{ID}-groups-said", GROUPED.slot, f"{ID}-positions-said",
        ALL.slot, f"{ID}-history-said", CLOSED.slot,
    ),
    graphs=(MAP.graph, HISTORY.graph),
)  # fmt: skip
