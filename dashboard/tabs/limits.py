"""Limits: what portfolios may not go beyond, how near they are, when they did, and who set it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.format import count, number
from core.model import Status
from core.portfolio_limits.limit import LimitState
from core.roles import Role
from dashboard.access.common import told_zone
from dashboard.components.card import card, empty
from dashboard.components.choices import choice_bar, spacer
from dashboard.components.needing import needing
from dashboard.components.panel import panels, slot
from dashboard.limits import tables
from dashboard.limits.forms import forms, limit_form
from dashboard.limits.tables import ID, PATH
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio.common_choices import MARKS, WHICH, portfolio_choice
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.route import Answer, Route
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import own_ids, seen
from portfolio.chosen import chosen_portfolio
from portfolio.limits.change import LIMITS, changes, exported
from portfolio.limits.judge import Finding, stands, with_parts
from portfolio.limits.known import known_limits
from storage.state.portfolio_limits import breaches_in
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

REMARKS, STRIP, MARK, ZONE = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark", f"{ID}-zone"
EXPORT_PATH = f"{PATH}/export.yaml"
MOST_BREACHES = 200
AGAIN_SECONDS = 60.0
"""After so long the page is built anew without news: what was reported grows old."""
IN_FORCE = Panel(
    f"{ID}-all",
    "Limits",
    "Every limit of the portfolio and of what is below it, broken ones first. From a severity of critical on, a limit "
    "that is broken or not known is not safe to trade.",
    TableBody(300, 620, f"{ID}-rows"),
    subtitle_slot=f"{ID}-all-said",
    controls_slot=f"{ID}-all-does",
)
RESTRICTED = Panel(
    f"{ID}-restricted",
    "Restricted instruments held",
    "What is on a restricted list and is held by the newest report, or was bought since.",
    TableBody(60),
)
BREACHES = Panel(
    f"{ID}-breaches",
    "Breaches",
    "When limits were broken, those that go on first. A limit that is changed in between keeps its breach as it was.",
    TableBody(120, 420),
    subtitle_slot=ZONE,
)
SET = Panel(f"{ID}-set", "Set a limit", "It holds at once, and stands in the history below.", TableBody(120), tools=())
CHANGED = Panel(f"{ID}-changed", "Changes of limits", "Every version of the limits that were set here.", TableBody(60))
PANELS = (IN_FORCE, RESTRICTED, BREACHES, SET, CHANGED)
HOW = html.P([
    "Limits are of portfolios. ", html.A("Import", href="/import"), " brings the first, or a program does "
    "(docs/your-data.md).",
])  # fmt: skip


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [slot(REMARKS), slot(STRIP, 92, narrow_height=380), panels(*(each.element() for each in PANELS))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return how the limits of a portfolio and of what is below it stand. Raises StorageUnavailable."""
    now = stores.clock.now()
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, choices.get("portfolio", ""))
    if portfolio is None:
        notes = dict.fromkeys((each.id for each in PANELS), "Shows limits as soon as there is a portfolio.")
        return View(slots={STRIP: empty("No portfolio yet", HOW)}, as_of=dict.fromkeys(notes), notes=notes)
    parts = with_parts(known, portfolio)
    found = stands(stores, parts, viewer.portfolios, now)
    ids = None if viewer.portfolios is None else own_ids(known, viewer.portfolios)
    is_own = portfolio.origin == OWN
    may_set = viewer.role >= Role.ADMIN and viewer.portfolios is None and is_own
    with stores.state.reading() as connection:
        breaches = breaches_in(connection, [each.id for each in parts], MOST_BREACHES) if is_own else []
    told = [each for each in changes(stores) if _may_be_told(each.was, ids) and _may_be_told(each.now, ids)]
    names = {each.id: each.name for each in known if each.origin == OWN}
    return View(
        slots={
            REMARKS: portfolio_bar.adjusted_line(not_there),
            STRIP: html.Div(_cards(found, is_own=is_own), className="fw-cards"),
            MARK: _mark(portfolio),
            f"{ID}-all-said": count(len(found), "limit"),
            f"{ID}-all-does": _export() if is_own and ids is None else "",
            IN_FORCE.slot: tables.limits_table(found, ids if is_own else None, may_set=may_set),
            RESTRICTED.slot: tables.restricted_table(found),
            ZONE: told_zone("as limits were at the time", now),
            BREACHES.slot: tables.breaches_table(breaches, {each.id: each for each in parts}, now),
            SET.slot: _form(stores, choices, viewer, portfolio, names),
            CHANGED.slot: tables.changes_table(told, names),
        },
        as_of={IN_FORCE.id: now, RESTRICTED.id: now},
        notes=dict.fromkeys((each.id for each in PANELS), ""),
        stale_at=now + AGAIN_SECONDS,
    )


def _may_be_told(limit: Any, ids: frozenset[str] | None) -> bool:
    return ids is None or limit is None or limit.portfolio in ids


def _cards(found: list[Finding], *, is_own: bool) -> list[html.Article]:
    def how_many(*states: LimitState) -> int:
        return sum(each.state in states for each in found)

    broken, near, unknown = (how_many(each) for each in (LimitState.BREACHED, LimitState.NEAR, LimitState.UNKNOWN))
    stops = sum(each.stops for each in found)
    worst = next((each for each in found if each.state is LimitState.BREACHED), None)
    stop = card(
        f"{ID}-stops", "Keep it from being safe", number(stops), state=Status.CRITICAL if stops else Status.OK,
        word="not safe" if stops else "none",
        definition="Limits of severity critical or urgent that are broken or not known",
    )  # fmt: skip
    return [
        card(f"{ID}-broken", "Broken", number(broken), state=Status.CRITICAL if broken else Status.OK,
             word="broken" if broken else "none", why=worst.why if worst else "every known limit is kept"),
        card(f"{ID}-unknown", "Not known", number(unknown), state=Status.UNKNOWN if unknown else Status.OK,
             word="not known" if unknown else "none", why="what is missing stands with each" if unknown else ""),
        card(f"{ID}-near", "Near", number(near), state=Status.WARNING if near else Status.OK,
             word="near" if near else "none", why="warn level reached" if near else ""),
        card(f"{ID}-kept", "Kept", number(how_many(LimitState.OK)), why=f"of {count(len(found), 'limit')}"),
        *([stop] if is_own else []),
    ]  # fmt: skip


def _mark(portfolio: Portfolio) -> html.Span:
    word = MARKS.get(portfolio.origin, "")
    return html.Span(word, className="fw-mark", title=portfolio.note or None) if word else html.Span()


def _export() -> html.A:
    label = "Download the limits that were set here as they stand in fundwatch.yaml"
    return html.A("Export", href=EXPORT_PATH, className="fw-choice-button", title=label, **needing(Role.ADMIN))


def _form(
    stores: Stores, choices: Choices, viewer: Viewer, portfolio: Portfolio, names: dict[str, str]
) -> html.Form | html.P:
    if portfolio.origin != OWN:
        return html.P("The sample brings its limits. Yours are set of your own portfolios.", className="fw-nothing")
    if viewer.role < Role.ADMIN:
        return html.P(needs(Role.ADMIN, "set limits"), className="fw-nothing")
    if viewer.portfolios is not None:
        return html.P("Limits are set by who may see every portfolio.", className="fw-nothing")
    picked = choices.get("limit", "")
    limit = next((each for each in known_limits(stores) if each.is_set_here and each.id == picked), None)
    return limit_form(names, portfolio.id, limit)


def _routes(stores: Stores) -> list[Route]:
    def export(_choices: Choices, viewer: Viewer) -> Answer | None:
        if viewer.portfolios is not None:
            return None
        return Answer(exported(stores), "application/yaml", "limits.yaml")

    return [Route(EXPORT_PATH, export, Role.ADMIN)]


PAGE = Page(
    id=ID,
    title="Limits",
    path=PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    shared_choices=WHICH,
    datasets=("portfolio", LIMITS),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, ZONE, f"{ID}-all-said", f"{ID}-all-does", *(each.slot for each in PANELS),
    ),
    routes=_routes,
    forms=forms,
)  # fmt: skip
