"""Exposure: long, short, by group and how concentrated, over time and on the last day."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from analytics.performance import WINDOWS
from dashboard.components.choices import choice_bar, choice_segments, spacer
from dashboard.components.panel import panels, slot
from dashboard.exposure import charts, tables
from dashboard.portfolio.common_choices import (
    WHICH_AND_WHEN,
    as_of_choice,
    chosen_group,
    group_choice,
    portfolio_choice,
)
from dashboard.portfolio.links import to_group
from dashboard.portfolio.sub_page import lacks, mark, nothing
from dashboard.tabs.holdings import FEED
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.book_history import book_history
from portfolio.chosen import chosen_portfolio
from portfolio.exposure import ExposureCourse, exposure_course
from portfolio.holdings import GROUPS, Group, report_stale_after_seconds
from portfolio.query import DEFAULT_WINDOW, PortfolioQuery
from storage.state.portfolios import Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, STRIP, MARK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark"
OFFERED = [(each, each) for each in WINDOWS if each not in ("1D", "WTD")]
COURSE = Panel(
    f"{ID}-course",
    "Exposure over time",
    "Long, short, gross and net exposure at the end of each day, over the net asset value of the day.",
    GraphBody(330),
    subtitle="percent of the net asset value",
    span=8,
)
DENSE = Panel(
    f"{ID}-dense",
    "Concentration",
    "Effective number of positions (one over the sum of squared shares of gross exposure) and the share of gross "
    "exposure that the largest 1, 5 and 10 are, by instrument: what several strategies hold of one is added up.",
    GraphBody(330),
    subtitle="share of gross exposure",
    span=4,
)
BY_GROUP = Panel(
    f"{ID}-group",
    "Net by group",
    "Net exposure of the groups that were largest in the window, over the net asset value; the rest is one line.",
    GraphBody(320),
    subtitle_slot=f"{ID}-group-said",
    span=7,
)
NOW = Panel(
    f"{ID}-groups",
    "Groups",
    "Exposure by group on the last day of the window, over the net asset value, and the change of net over the window.",
    TableBody(320),
    subtitle_slot=f"{ID}-groups-said",
    span=5,
)
PANELS = (COURSE, DENSE, BY_GROUP, NOW)
GRAPHS = tuple(panel.graph for panel in PANELS if panel.graph)
SHOWS = "Shows exposure as soon as positions are reported."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        choice_segments(ID, "window", OFFERED, choices, default=DEFAULT_WINDOW, label="Window"),
        as_of_choice(ID, choices),
        group_choice(ID, choices),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=480), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the exposure of a portfolio."""
    asked = {name: choices[name] for name in ("portfolio", "window", "from", "to", "asof") if name in choices}
    query, problems = PortfolioQuery.parse(asked)
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    book = book_history(stores, portfolio, viewer.portfolios) if portfolio is not None else None
    by = chosen_group(choices)
    found = exposure_course(book, query, by) if book is not None else None
    if portfolio is None or book is None or found is None:
        title = lacks(portfolio, "reported no positions", query)
        if portfolio is not None and book is not None:
            title = f"{portfolio.name} has no positions with a net asset value in this window"
        return nothing(PANELS, REMARKS, STRIP, (*not_there, *problems), title, FEED, SHOWS)
    leads = partial(to_group, PAGE.path, portfolio, book.names, by, choices=choices)
    return _shown(stores, portfolio, found, by, leads, [*not_there, *problems])


def _shown(
    stores: Stores, portfolio: Portfolio, found: ExposureCourse, by: Group, leads: Callable[[str], Any],
    problems: list[str],
) -> View:  # fmt: skip
    last = found.days[-1]
    drawn = charts.by_group(found)
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    seen_at = float(found.newest) if stale_after is not None else None
    return View(
        figures={COURSE.graph: charts.course(found), DENSE.graph: charts.dense(found),
                 BY_GROUP.graph: dict(drawn.figure)},
        slots={
            REMARKS: tables.remarks(found, problems),
            STRIP: html.Div(tables.strip(found, portfolio.currency), className="fw-cards"),
            MARK: mark(portfolio, f"{found.days[0]} – {last}"),
            f"{ID}-group-said": f"by {GROUPS[by].lower()} · percent of the net asset value",
            f"{ID}-groups-said": f"on {last}",
            NOW.slot: tables.groups_table(found, by, leads),
        },
        as_of=dict.fromkeys((panel.id for panel in PANELS), seen_at) if seen_at is not None else {},
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )  # fmt: skip


PAGE = Page(
    id=ID,
    title="Exposure",
    path="/portfolio/exposure",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(REMARKS, STRIP, MARK, f"{ID}-group-said", f"{ID}-groups-said", NOW.slot),
    graphs=GRAPHS,
    zoom_graphs=(COURSE.graph, BY_GROUP.graph, DENSE.graph),
    zooms_to_days=True,
)
