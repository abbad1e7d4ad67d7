"""Reconciliation: positions, cash and net asset value built from trades beside those that are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from dash import html

from access.viewer import Viewer
from dashboard.components.choices import choice_bar, spacer
from dashboard.components.panel import panels, slot
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio.common_choices import WHICH_AND_WHEN, as_of_choice, portfolio_choice
from dashboard.portfolio.sub_page import lacks, mark, nothing
from dashboard.reconcile import cards, charts, tables
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.chosen import chosen_portfolio, key_of
from portfolio.holdings import report_stale_after_seconds
from portfolio.query import PortfolioQuery
from portfolio.reconciliation import reconciliation
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, STRIP, MARK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark"
FEED = (
    "A portfolio that reports positions and sends its trades has both sides: send trades and transactions "
    "(docs/your-data.md), or put a file of them into the inbox of the data folder. docs/reconciliation.md says how "
    "they are set beside each other."
)
COURSE = Panel(
    f"{ID}-course",
    "Differences over time",
    "What differed at the end of each day's last report: positions and cash without their signs, the net asset value "
    "built less reported.",
    GraphBody(240),
    subtitle_slot=f"{ID}-course-said",
)
POSITIONS = Panel(
    f"{ID}-positions",
    "Positions",
    "Quantities built from trades and transactions, beside those reported, at the time of the newest report.",
    TableBody(320, 620, tables.POSITIONS),
    subtitle_slot=f"{ID}-positions-said",
)
MONEY = Panel(
    f"{ID}-money",
    "Cash and net asset value",
    "Cash in each currency and what portfolios are worth, built and reported. Built values are built positions at the "
    "prices reported, and built cash.",
    TableBody(180, 420, tables.MONEY),
)
PANELS = (POSITIONS, MONEY, COURSE)
SHOWS = "Shows differences as soon as both sides are there."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        as_of_choice(ID, choices),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=480), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what differs."""
    query, problems = PortfolioQuery.parse({name: choices[name] for name in ("portfolio", "asof") if name in choices})
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    found = reconciliation(stores, portfolio, viewer.portfolios, query.as_of) if portfolio is not None else None
    if portfolio is None or found is None:
        title = lacks(portfolio, "has no two sides to compare", query)
        return nothing(PANELS, REMARKS, STRIP, (*not_there, *problems), title, FEED, SHOWS)
    drawn = charts.course(found)
    newest = np.datetime64(found.newest, "s").astype("datetime64[D]")
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    link = {"portfolio": key_of(portfolio), **({"asof": str(query.as_of)} if query.as_of is not None else {})}
    return View(
        figures={COURSE.graph: dict(drawn.figure)},
        slots={
            REMARKS: [*portfolio_bar.adjusted_line((*not_there, *problems)), *cards.remarks(found)],
            STRIP: html.Div(cards.strip(found), className="fw-cards"),
            MARK: mark(portfolio, f"report of {newest}"),
            f"{ID}-course-said": drawn.subtitle,
            f"{ID}-positions-said": f"report of {newest}",
            POSITIONS.slot: tables.positions_table(found, link),
            MONEY.slot: tables.money_table(found),
        },
        as_of={
            **(dict.fromkeys((panel.id for panel in PANELS), float(found.newest)) if stale_after is not None else {}),
            **({COURSE.id: None} if drawn.note else {}),
        },
        notes={**dict.fromkeys((panel.id for panel in PANELS), ""), COURSE.id: drawn.note},
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )


PAGE = Page(
    id=ID,
    title="Reconciliation",
    path="/portfolio/reconcile",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(REMARKS, STRIP, MARK, f"{ID}-course-said", f"{ID}-positions-said", POSITIONS.slot, MONEY.slot),
    graphs=(COURSE.graph,),
)
