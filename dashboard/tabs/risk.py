"""Risk: what a portfolio may lose, what each position has of it, and whether the model is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core import format as text
from dashboard.components.card import empty
from dashboard.components.choices import choice_bar, choice_input, spacer
from dashboard.components.panel import panels, slot
from dashboard.portfolio.choice_bar import adjusted_line
from dashboard.portfolio.common_choices import WHICH_AND_WHEN, chosen_group, group_choice
from dashboard.risk import cards, charts, tables
from dashboard.risk.bar import FEED, Asked, asked_of, method_choice, portfolio_choices
from dashboard.risk.mark import mark, returns_said
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.book_liquidity import liquidity_of
from portfolio.holdings import GROUPS, report_stale_after_seconds
from portfolio.risk import Book, Risk, risk_of
from portfolio.risk_backtest import past_risk_of
from portfolio.risk_factors import components, picked
from portfolio.risk_query import METHODS

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, STRIP, MARK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark"
POSITIONS = Panel(
    f"{ID}-positions",
    "Risk by position",
    "What each position has of VaR and expected shortfall. Components are value × what one more unit adds (Euler) and "
    "add up to the whole; a component below 0 hedges. Incremental is what VaR falls by when the position is sold.",
    TableBody(360, 480, tables.POSITIONS),
    subtitle_slot=f"{ID}-positions-said",
)
GROUPED = Panel(
    f"{ID}-groups",
    "Risk by group",
    "Components of positions added up: groups add up to the whole.",
    TableBody(300),
    subtitle_slot=f"{ID}-groups-said",
    span=6,
)
FACTORS = Panel(
    f"{ID}-factors",
    "Factors",
    "Without factors in the choices: principal components of what is held, from the shrunk covariance. With them: "
    "least squares of what today's book would have gained on the series picked. Shares are of the book's variance.",
    TableBody(300),
    subtitle_slot=f"{ID}-factors-said",
    span=6,
)
HYPOTHETICAL = Panel(
    f"{ID}-hypothetical",
    "Today's book over the last year",
    "What the book of today would have gained on each of the last 252 days, and minus its VaR of one day.",
    GraphBody(260),
    subtitle_slot=f"{ID}-hypothetical-said",
    span=6,
)
BACK_TEST = Panel(
    f"{ID}-back-test",
    "Back-test",
    "The realised profit and loss of each day of the last year against minus the VaR that was to be said of it the "
    "evening before, from the book as it was then. Kupiec tests how many days are beyond it, Christoffersen whether "
    "they come together; the traffic light is that of the Basel Committee (1996).",
    GraphBody(260),
    subtitle_slot=f"{ID}-back-test-said",
    span=6,
)
CORRELATION = Panel(
    f"{ID}-correlation",
    "Correlation",
    "Of daily returns of the 20 largest instruments in the portfolio's currency, from the shrunk covariance.",
    GraphBody(380),
    subtitle_slot=f"{ID}-correlation-said",
    span=7,
    tools=("table", "csv", "png", "svg", "link", "full"),
)
LIQUIDITY = Panel(
    f"{ID}-liquidity",
    "Liquidity",
    "Share of gross exposure that is out within so many days when all positions are sold at once. Positions of all "
    "strategies in an instrument share its volume; what has no known volume is never out.",
    GraphBody(380),
    subtitle_slot=f"{ID}-liquidity-said",
    span=5,
    tools=("table", "csv", "png", "svg", "link", "full"),
)
PANELS = (POSITIONS, HYPOTHETICAL, BACK_TEST, GROUPED, FACTORS, CORRELATION, LIQUIDITY)


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(
        *portfolio_choices(ID, stores, choices, viewer.portfolios),
        method_choice(ID, choices),
        group_choice(ID, choices),
        choice_input(ID, "factors", choices, default="", label="Factors",
                     hint="Symbols of benchmarks or other series with commas between; empty: principal components"),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=560), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what a portfolio may lose."""
    asked = asked_of(stores, choices, viewer.portfolios)
    if asked.book is None or asked.portfolio is None:
        return _nothing(asked, asked.nothing, FEED)
    if asked.book.returns.lacks:
        title = f"No risk can be worked out: {asked.book.returns.lacks}"
        return _nothing(asked, title, FEED)
    return _view(stores, asked, asked.book, choices, viewer)


def _view(stores: Stores, asked: Asked, book: Book, choices: Choices, viewer: Viewer) -> View:
    portfolio, query = book.found.portfolio, asked.query
    risk = risk_of(stores, book, query)
    group = chosen_group(choices)
    factors = picked(stores, book, query.factors) if query.factors else components(risk)
    past = past_risk_of(stores, portfolio, viewer.portfolios, query, book.newest, book.returns.stored)
    drawn = {
        HYPOTHETICAL: charts.hypothetical(risk),
        BACK_TEST: charts.back_test(past, portfolio.currency),
        CORRELATION: charts.correlations(risk),
        LIQUIDITY: charts.liquidity(liquidity_of((*book.positions, *_without_returns(book)))),
    }
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    seen_at = float(book.found.newest) if stale_after is not None else None
    measured = f"{METHODS[risk.method]}, {query.level_name}, {query.horizon_name}"
    return View(
        figures={panel.graph: dict(each.figure) for panel, each in drawn.items()},
        slots={
            REMARKS: cards.remarks(risk, book, (*asked.problems, *factors.told)),
            STRIP: html.Div(cards.strip(risk), className="fw-cards"),
            MARK: mark(book),
            f"{ID}-positions-said": f"{measured} · {returns_said(book)}",
            POSITIONS.slot: tables.positions_table(risk, choices),
            f"{ID}-groups-said": f"by {GROUPS[group].lower()} · {measured}",
            GROUPED.slot: tables.groups_table(risk, group),
            f"{ID}-factors-said": _factors_said(risk, bool(query.factors)),
            FACTORS.slot: tables.factors_table(factors, bool(query.factors), book.found.portfolio.currency),
            **{panel.subtitle_slot: each.subtitle for panel, each in drawn.items()},
        },
        as_of={
            **(dict.fromkeys((panel.id for panel in PANELS), seen_at) if seen_at is not None else {}),
            **{panel.id: None for panel, each in drawn.items() if each.note},
        },
        notes={**dict.fromkeys((panel.id for panel in PANELS), ""), **{each.id: drawn[each].note for each in drawn}},
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )


def _without_returns(book: Book) -> list[Any]:
    """Return the positions of known value that have no returns: they can be sold all the same."""
    used = {id(each) for each in book.positions}
    lost = {id(each) for each in book.unpriced}
    return [each for each in book.found.positions if id(each) not in used and id(each) not in lost]


def _factors_said(risk: Risk, is_picked: bool) -> str:
    held = text.count(len(risk.book.returns.keys), "instrument")
    return "of the series picked" if is_picked else f"principal components of {held}"


def _nothing(asked: Asked, title: str, how: str) -> View:
    remarks = adjusted_line(asked.problems)
    return View(
        slots={REMARKS: remarks, STRIP: empty(title, how)},
        as_of=dict.fromkeys(panel.id for panel in PANELS),
        notes=dict.fromkeys((panel.id for panel in PANELS), "Shows risk as soon as positions and prices are there."),
    )


PAGE = Page(
    id=ID,
    title="Risk",
    path=tables.PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, POSITIONS.slot, GROUPED.slot, FACTORS.slot,
        *(panel.subtitle_slot for panel in PANELS),
    ),
    graphs=tuple(panel.graph for panel in PANELS if panel.graph),
    lazy_graphs=(CORRELATION.graph, LIQUIDITY.graph),
)  # fmt: skip
