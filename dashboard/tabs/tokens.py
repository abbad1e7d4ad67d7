"""Tokens, the first page of Settings: with what programs ask in somebody's name, or in a service's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.accounts import list_accounts
from access.tokens import list_tokens
from access.viewer import LOCAL_NAME, Viewer
from core.roles import Role
from dashboard.access.common import once_place, own_portfolios, told_zone
from dashboard.access.tokens import ID, MADE, PATH, forms, make_form, tokens_table
from dashboard.components.panel import panels
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Tab, View

if TYPE_CHECKING:
    from storage.stores import Stores

ALL = Panel(
    f"{ID}-all",
    "Tokens",
    "A token lets a program in: Authorization: Bearer fw_… Only a digest of it is kept. It never may more than its "
    "owner may at that moment.",
    TableBody(120, 480),
    subtitle_slot=f"{ID}-whose",
)
NEW = Panel(f"{ID}-new", "Make a token", "It is shown once, here.", TableBody(150), subtitle="for a program", tools=())
PANELS = (ALL, NEW)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    api = html.P(["What they may ask for: ", html.A("the API", href="/api/docs"), "."], className="fw-muted")
    return html.Div([api, panels(*(panel.element() for panel in PANELS), once_place(MADE))], className="fw-content")


def build(stores: Stores, _choices: Choices, viewer: Viewer) -> View:
    """Return the tokens that the viewer may see, and the form of a new one."""
    accounts = {each.name: each for each in list_accounts(stores.state)}
    is_admin = viewer.role >= Role.ADMIN
    return View(
        slots={
            ALL.slot: tokens_table(list_tokens(stores.state, viewer), accounts, stores.clock.now()),
            f"{ID}-whose": told_zone("of everybody and every service" if is_admin else "yours", stores.clock.now()),
            NEW.slot: make_form(viewer, own_portfolios(stores, viewer.portfolios))
            if viewer.name and viewer.name != LOCAL_NAME
            else html.P("Sign in to make tokens: each is somebody's.", className="fw-nothing"),
        },
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
    )


TAB = Tab(
    id=ID,
    title="Settings",
    called="Tokens",
    icon="settings",
    key="9",
    path=PATH,
    layout=layout,
    build=build,
    varies_by=("name", "role", "portfolios"),
    datasets=("tokens", "users", "audit"),
    panels=PANELS,
    slots=(*(panel.slot for panel in PANELS), f"{ID}-whose"),
    forms=forms,
)
