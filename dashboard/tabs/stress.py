"""Stress: what stated shocks, the worst days there were and own scenarios would cost today's book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.errors import ChangeRejected
from core.roles import Role
from dashboard.components.card import empty
from dashboard.components.choices import choice_bar, spacer
from dashboard.components.panel import panels, slot
from dashboard.portfolio.choice_bar import adjusted_line
from dashboard.portfolio.common_choices import WHICH_AND_WHEN, chosen_group, group_choice
from dashboard.risk.bar import FEED, Asked, asked_of, portfolio_choices
from dashboard.risk.cards import left_out_line
from dashboard.risk.mark import mark, returns_said
from dashboard.stress import cards, tables
from dashboard.stress.forms import forms, keep_form, try_form
from dashboard.views.forms import SHARED
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.chosen import key_of
from portfolio.holdings import GROUPS, report_stale_after_seconds
from portfolio.risk import Book, book_from
from portfolio.risk_query import DEFAULT_HISTORY, RiskQuery
from portfolio.scenarios import read_scenario
from portfolio.stress import (
    TRIED,
    Outcome,
    Stressed,
    own,
    restless_risk,
    scenarios_for,
    stated,
    stressed,
    tried,
    windows,
    worst,
)
from storage.state.scenarios import DATASET, MOVES

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
REMARKS, STRIP, MARK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark"
STATED = Panel(
    f"{ID}-stated",
    "Stated shocks",
    "The market falls by 10 % and each position by its beta times that; a sector, or a currency against the "
    "portfolio's, falls by 10 % and nothing else moves. Cash and debts in a currency have no part in it.",
    TableBody(260),
    span=6,
)
WINDOWS = Panel(
    f"{ID}-windows",
    "Worst days there were",
    "The days in a row of the loaded prices on which today's book would have lost most, returns compounded. No two of "
    "a length share a day.",
    TableBody(260),
    subtitle_slot=f"{ID}-windows-said",
    span=6,
)
RESTLESS = Panel(
    f"{ID}-restless",
    "Restless markets",
    "Parametric VaR with deviations twice as large and with correlations of 1. With these longs add up and shorts "
    "offset longs in full, so that a hedged book looks safer.",
    TableBody(160),
    subtitle_slot=f"{ID}-restless-said",
    span=6,
)
OWN = Panel(
    f"{ID}-own",
    "Own scenarios",
    "What is tried, and what people keep. Moves of a sector, an asset class and a strategy add to the market's; "
    "currencies multiply.",
    TableBody(160),
    span=6,
)
POSITIONS = Panel(
    f"{ID}-positions",
    "By position",
    "What the shock that is chosen does to each position.",
    TableBody(300, 420, tables.POSITIONS),
    subtitle_slot=f"{ID}-positions-said",
    span=8,
)
GROUPED = Panel(
    f"{ID}-groups",
    "By group",
    "What the shock that is chosen does to groups of positions: they add up to the whole.",
    TableBody(300),
    subtitle_slot=f"{ID}-groups-said",
    span=4,
)
NEW = Panel(
    f"{ID}-new",
    "Try a scenario",
    "Percent behind each name, with commas between. What nothing held is of is refused. It stands in the address of "
    "this page, which can be shared, until somebody keeps it.",
    TableBody(200),
    tools=(),
)
PANELS = (STATED, WINDOWS, POSITIONS, GROUPED, RESTLESS, OWN, NEW)


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(
        *portfolio_choices(ID, stores, choices, viewer.portfolios, "all"),
        group_choice(ID, choices),
        spacer(),
        slot(MARK),
    )
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=560), panels(*(panel.element() for panel in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what today's book would lose."""
    asked = asked_of(stores, choices, viewer.portfolios, "all")
    if asked.book is None or asked.portfolio is None:
        return _nothing(asked)
    return _view(stores, asked, asked.book, choices, viewer)


def _view(stores: Stores, asked: Asked, book: Book, choices: Choices, viewer: Viewer) -> View:
    portfolio, query = book.found.portfolio, asked.query
    found = stressed(stores, book)
    shocks, past = stated(found), windows(found)
    kept = own(found, scenarios_for(stores, viewer.portfolios))
    thought, wrong = _tried(found, choices)
    owned = [*thought, *kept]
    of_risk = _as_risk_has_it(stores, book, query, choices)
    moved = [] if of_risk.returns.lacks else restless_risk(of_risk, query)
    how = f"parametric, {query.level_name}, {query.horizon_name}, {returns_said(of_risk)}"
    picked, problem = _picked((*shocks, *past, *owned), choices.get("scenario", TRIED if thought else ""))
    group = chosen_group(choices)
    names = {f"{portfolio.origin}:{id}": name for id, name in book.found.names.items()}
    stale_after = report_stale_after_seconds(portfolio, stores.clock.now())
    seen_at = float(book.found.newest) if stale_after is not None else None
    id = picked.id if picked is not None else ""
    nothing = html.P("No shock can be worked out.", className="fw-nothing")
    return View(
        slots={
            REMARKS: [*adjusted_line([*asked.problems, *wrong, *problem]), *left_out_line(book)],
            STRIP: html.Div(cards.strip(found, shocks, past, kept, moved, how), className="fw-cards"),
            MARK: mark(book),
            STATED.slot: tables.stated_table(found, shocks, id),
            f"{ID}-windows-said": returns_said(book),
            WINDOWS.slot: tables.windows_table(found, past, id),
            f"{ID}-restless-said": how,
            RESTLESS.slot: tables.restless_table(moved, book.found.nav, book.found.portfolio.currency),
            OWN.slot: tables.own_table(found, owned, id, names),
            f"{ID}-positions-said": picked.name if picked is not None else "",
            POSITIONS.slot: tables.positions_table(found, picked, choices) if picked is not None else nothing,
            f"{ID}-groups-said": f"{picked.name} · by {GROUPS[group].lower()}" if picked is not None else "",
            GROUPED.slot: tables.groups_table(found, picked, group) if picked is not None else nothing,
            NEW.slot: [try_form(found, choices), *_keep_for(viewer, found, choices, is_tried=bool(thought))],
        },
        as_of=dict.fromkeys((panel.id for panel in PANELS), seen_at) if seen_at is not None else {},
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
        stale_after_seconds=dict.fromkeys((panel.id for panel in PANELS), stale_after),
    )


def _as_risk_has_it(stores: Stores, book: Book, query: RiskQuery, choices: Choices) -> Book:
    """Return the book with the returns that Risk takes: shocks want every day there was, its VaR does not."""
    if "history" in choices:
        return book
    return book_from(stores, book.found, replace(query, history=DEFAULT_HISTORY))


def _picked(outcomes: tuple[Outcome, ...], wanted: str) -> tuple[Outcome | None, list[str]]:
    """Return the outcome that is chosen, the worst without one, and what is wrong with the choice."""
    usable = [each for each in outcomes if not each.why_not]
    found = next((each for each in usable if each.id == wanted), None)
    if found is not None or not wanted:
        return found or worst(usable), []
    return worst(usable), [f"Shock: there is none “{wanted[:80]}” here. The one that loses most is shown."]


def _tried(found: Stressed, choices: Choices) -> tuple[list[Outcome], list[str]]:
    """Return what the scenario in the address does, nothing without one, and what is wrong with it."""
    typed = {name: choices[name] for name in MOVES if name in choices}
    if not typed:
        return [], []
    try:
        return [tried(found, read_scenario(found, typed))], []
    except ChangeRejected as error:
        told = "; ".join(f"{name.replace('_', ' ')}: {why}" for name, why in error.fields.items())
        return [], [f"The scenario in the address is left out: {told}."]


def _keep_for(viewer: Viewer, found: Stressed, choices: Choices, *, is_tried: bool) -> list[Any]:
    """Return what keeps the scenario that is tried, or why it cannot be kept."""
    if viewer.role < Role.ANALYST:
        return [html.P(needs(Role.ANALYST, "keep scenarios"), className="fw-nothing")]
    if viewer.portfolios is not None:
        return [html.P(SHARED, className="fw-nothing")]
    return [keep_form(key_of(found.book.found.portfolio), choices)] if is_tried else []


def _nothing(asked: Asked) -> View:
    return View(
        slots={REMARKS: adjusted_line(asked.problems), STRIP: empty(asked.nothing, FEED)},
        as_of=dict.fromkeys(panel.id for panel in PANELS),
        notes=dict.fromkeys((panel.id for panel in PANELS), "Shows losses as soon as positions are there."),
    )


PAGE = Page(
    id=ID,
    title="Stress",
    path=tables.PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios", "role"),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio", DATASET),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, *(panel.slot for panel in PANELS),
        *(panel.subtitle_slot for panel in PANELS if panel.subtitle_slot),
    ),
    forms=forms,
)  # fmt: skip
