"""Users: the accounts of people, for admins: what each may, and adding, limiting, resetting, disabling one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dash import html

from access.accounts import list_accounts
from access.sessions import is_over, sessions_of
from access.viewer import Viewer
from core.roles import Role
from dashboard.access.common import once_place, own_portfolios, told_zone
from dashboard.access.users import ID, LINK, LINK_AGAIN, PATH, add_form, change_forms, forms, users_table
from dashboard.components.panel import panels
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View

if TYPE_CHECKING:
    from storage.stores import Stores

ALL = Panel(
    f"{ID}-all",
    "Users",
    "The accounts of people. Each role has the rights of those before it: viewer, analyst, operator, admin.",
    TableBody(160, 560),
    subtitle_slot=f"{ID}-zone",
)
CHOSEN = Panel(
    f"{ID}-chosen",
    "Account",
    "What is changed holds at once, in every session and for every token of the account.",
    TableBody(90),
    subtitle_slot=f"{ID}-who",
    tools=(),
)
NEW = Panel(
    f"{ID}-new",
    "Add a user",
    "The link that is shown lets its owner choose a password.",
    TableBody(90),
    subtitle="with a sign-in link",
    tools=(),
)
PANELS = (ALL, CHOSEN, NEW)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    parts = [ALL.element(), CHOSEN.element(), once_place(LINK_AGAIN), NEW.element(), once_place(LINK)]
    return html.Div(panels(*parts), className="fw-content")


def build(stores: Stores, choices: Choices, _viewer: Viewer) -> View:
    """Return every account, and the forms of the one that is chosen."""
    accounts, sessions = list_accounts(stores.state), _open_sessions(stores)
    name = choices.get("edit", "")
    chosen = next((each for each in accounts if each.name == name), None)
    offered = own_portfolios(stores)
    return View(
        slots={
            ALL.slot: users_table(accounts, sessions, name),
            f"{ID}-zone": told_zone("choose one to change it", stores.clock.now()),
            f"{ID}-who": name if chosen else "of the user who is chosen above",
            CHOSEN.slot: change_forms(chosen, sessions[name], offered) if chosen else _nobody(name),
            NEW.slot: add_form(offered),
        },
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
    )


def _open_sessions(stores: Stores) -> Counter[str]:
    """Return how many sessions are open, by account."""
    now = stores.clock.now()
    return Counter(each.account for each in sessions_of(stores.state, None) if not is_over(each, stores.settings, now))


def _nobody(name: str) -> Any:
    missing = f"There is no account {name}. " if name else ""
    return html.P(f"{missing}Choose a user by the name.", className="fw-nothing")


PAGE = Page(
    id=ID,
    title="Users",
    path=PATH,
    parent="tokens",
    role=Role.ADMIN,
    layout=layout,
    build=build,
    datasets=("users", "audit"),
    panels=PANELS,
    slots=(*(panel.slot for panel in PANELS), f"{ID}-zone", f"{ID}-who"),
    forms=forms,
)
