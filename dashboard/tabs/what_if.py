"""What-if: trades that are thought of, kept in the address, and every figure of the book before and after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.viewer import Viewer
from core.model import Status
from dashboard.components.card import empty, verdict
from dashboard.components.choices import choice_bar, choice_input, spacer
from dashboard.components.panel import panels, slot
from dashboard.portfolio.choice_bar import adjusted_line, unknown_names
from dashboard.portfolio.common_choices import WHICH_AND_WHEN
from dashboard.risk.bar import FEED, Asked, asked_of, portfolio_choices
from dashboard.risk.mark import mark, returns_said
from dashboard.tabs.limits import AGAIN_SECONDS
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from dashboard.what_if import limits, tables
from dashboard.what_if.forms import forms, trade_form
from portfolio.given import has_ended
from portfolio.holdings import report_stale_after_seconds
from portfolio.limits.change import LIMITS as DATASET_OF_LIMITS
from portfolio.limits.tried import limits_tried
from portfolio.risk import Book
from portfolio.thought_trades import known_instruments, parse_cost, parse_trades, tried

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, MARK = f"{ID}-remarks", f"{ID}-mark"
NEW = Panel(
    f"{ID}-new",
    "Add a trade",
    "A trade is of the largest position in its instrument, or opens one. Cash pays. Nothing is sent anywhere: trades "
    "stand in the address of this page, which can be shared.",
    TableBody(120),
    tools=(),
)
TRADES = Panel(
    f"{ID}-trades",
    "Trades",
    "What is bought and sold, at the prices of the report or the newest stored one.",
    TableBody(200),
    span=5,
)
FIGURES = Panel(
    f"{ID}-figures",
    "Before and after",
    "Cash is NAV less positions, but for futures: nobody paid their value. Exposure over NAV by position, "
    "concentration as on Holdings, VaR and ES as on Risk, beta to the portfolio's benchmark, and how much of gross "
    "exposure is out by when at 20 % of the average volume.",
    TableBody(420),
    subtitle_slot=f"{ID}-figures-said",
    span=7,
)
LIMITS = Panel(
    f"{ID}-limits",
    "Limits before and after",
    "Every limit that holds for this portfolio, as it stands now and as it would after the trades. Turnover counts "
    "them, a restricted instrument that is bought counts. Drawdown and the loss of the last day stay: trades change "
    "nothing that was. Of the portfolios above it: the limits that the trades would break, or of which nobody would "
    "know whether they hold. A strategy's own limits show where the strategy is chosen.",
    TableBody(300),
    subtitle_slot=f"{ID}-limits-said",
)
PANELS = (NEW, FIGURES, TRADES, LIMITS)
NAMES = ("portfolio", "asof", "level", "horizon", "history", "cost", "trades")
PAST = "Shows limits of what is held now: leave the day empty."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(
        *portfolio_choices(ID, stores, choices, viewer.portfolios),
        choice_input(ID, "cost", choices, default="", label="Costs", unit="bp",
                     hint="Of what is traded, in basis points; empty: none"),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what trades would change."""
    asked = asked_of(stores, choices, viewer.portfolios)
    if asked.book is None or asked.portfolio is None:
        return _nothing(asked)
    return _view(stores, asked, asked.book, choices, viewer)


def _view(stores: Stores, asked: Asked, book: Book, choices: Choices, viewer: Viewer) -> View:
    portfolio = book.found.portfolio
    trades, bad_trades = parse_trades(choices.get("trades", ""))
    cost_ratio, bad_cost = parse_cost(choices.get("cost", ""))
    found = tried(stores, book.found, asked.query, trades, cost_ratio)
    problems = [*asked.problems, *unknown_names(choices, NAMES), *bad_trades, *([bad_cost] if bad_cost else [])]
    told = [verdict(Status.WARNING, " ".join(found.told), word="not all of it")] if found.told else []
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    seen_at = float(book.found.newest) if stale_after is not None else None
    measured = f"{portfolio.currency} · {asked.query.level_name}, {asked.query.horizon_name}"
    ids = [panel.id for panel in PANELS]
    now = stores.clock.now()
    by_limits = limits_tried(stores, portfolio, viewer.portfolios, now, found) if asked.as_of is None else []
    is_known = found.after is not None and not has_ended(portfolio, now)
    is_past = html.P(PAST, className="fw-nothing")
    return View(
        slots={
            REMARKS: [*adjusted_line(problems), *limits.breach_line(by_limits, portfolio.id), *told],
            MARK: mark(found.book),
            NEW.slot: trade_form(choices, known_instruments(stores, book.found), portfolio.currency),
            TRADES.slot: tables.trades_table(found, trades, portfolio.currency),
            f"{ID}-figures-said": " · ".join(each for each in (measured, returns_said(found.book)) if each),
            FIGURES.slot: tables.figures_table(found.changes, portfolio.currency),
            LIMITS.subtitle_slot: limits.limits_said(by_limits),
            LIMITS.slot: limits.limits_table(by_limits, is_known=is_known) if asked.as_of is None else is_past,
        },
        as_of=dict.fromkeys(ids, seen_at) if seen_at is not None else {},
        notes=dict.fromkeys(ids, ""),
        stale_after_seconds=dict.fromkeys(ids, stale_after),
        stale_at=now + AGAIN_SECONDS if by_limits else None,
    )


def _nothing(asked: Asked) -> View:
    return View(
        slots={REMARKS: [*adjusted_line(asked.problems), empty(asked.nothing, FEED)]},
        as_of=dict.fromkeys(panel.id for panel in PANELS),
        notes=dict.fromkeys((panel.id for panel in PANELS), "Shows figures as soon as positions are there."),
    )


PAGE = Page(
    id=ID,
    title="What-if",
    path=tables.PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio", DATASET_OF_LIMITS),
    panels=PANELS,
    slots=(REMARKS, MARK, *(panel.slot for panel in PANELS), FIGURES.subtitle_slot, LIMITS.subtitle_slot),
    forms=forms,
)
