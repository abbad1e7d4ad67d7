"""Accounts of people as a table, and the forms that add and change one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html
from flask import request

from access import second_factor
from access.accounts import Account, add_account, disable, enable, reset, set_portfolios, set_role
from access.links import LINK_SECONDS
from access.sessions import end_sessions
from access.viewer import Viewer
from core.errors import ChangeRejected
from core.format import count
from core.model import Status
from core.roles import Role
from dashboard.access.common import listed, portfolios_cell, portfolios_hint, shown_once, told
from dashboard.components.age import local_time
from dashboard.components.card import state_badge
from dashboard.components.choices import choice_button
from dashboard.components.form import form, hidden, select_field, text_field
from dashboard.components.table import Cell, Column, data_table
from dashboard.views.form import Form, Said, Sent

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "users"
PATH = "/users"
LINK, LINK_AGAIN = f"{ID}-link", f"{ID}-link-again"
"""Places that show a one-time link that was just made: of a new account, of one that is there."""
ROLES: Mapping[Role, str] = {
    Role.VIEWER: "viewer: sees",
    Role.ANALYST: "analyst: and exports",
    Role.OPERATOR: "operator: and imports, changes",
    Role.ADMIN: "admin: and manages people",
}
_COLUMNS = (
    Column("name", "Name", numeric=False),
    Column("state", "State", numeric=False),
    Column("role", "Role", numeric=False),
    Column("portfolios", "Portfolios", numeric=False, definition="That may be seen, with those below them"),
    Column("factor", "Second factor", numeric=False),
    Column("seen", "Last seen", numeric=False, definition="To the minute"),
    Column("sessions", "Sessions", definition="That are open: browsers in which it is signed in"),
    Column("made", "Added", numeric=False),
)


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do."""
    state = stores.state

    def add(sent: Sent, viewer: Viewer) -> Said:
        path = add_account(
            state,
            sent["name"],
            _role(sent, "Not added."),
            listed(sent["portfolios"]),
            viewer.name,
            _now(),
        )
        return Said(f"{sent['name']} added.", html=_link(sent["name"], path))

    def role(sent: Sent, viewer: Viewer) -> Said:
        role = _role(sent)
        set_role(state, sent["account"], role, viewer.name, _now())
        return Said(f"{sent['account']} is {role.word} now.")

    def portfolios(sent: Sent, viewer: Viewer) -> Said:
        ids = listed(sent["portfolios"])
        set_portfolios(state, sent["account"], ids, viewer.name, _now())
        return Said(f"{sent['account']} may see {', '.join(ids) if ids else 'every portfolio'} now.")

    def link(sent: Sent, viewer: Viewer) -> Said:
        path = reset(state, sent["account"], viewer.name, _now())
        return Said("Link made.", html=_link(sent["account"], path))

    def sign_out(sent: Sent, viewer: Viewer) -> Said:
        ended = end_sessions(state, sent["account"], _now(), by=viewer.name)
        return Said(f"{count(ended, 'session')} of {sent['account']} ended.")

    def factor(sent: Sent, viewer: Viewer) -> Said:
        second_factor.remove(state, sent["account"], _now(), by=viewer.name)
        return Said(f"{sent['account']} has no second factor any more.")

    def switch_off(sent: Sent, viewer: Viewer) -> Said:
        disable(state, sent["account"], viewer.name, _now())
        return Said(f"{sent['account']} is disabled.")

    def switch_on(sent: Sent, viewer: Viewer) -> Said:
        enable(state, sent["account"], viewer.name, _now())
        return Said(f"{sent['account']} is enabled.")

    _now: Callable[[], float] = stores.clock.now
    does = {
        "add": add, "role": role, "portfolios": portfolios, "link": link, "sign-out": sign_out,
        "second-factor": factor, "disable": switch_off, "enable": switch_on,
    }  # fmt: skip
    return [Form(f"{PATH}/{name}", told(stores, ID, do), Role.ADMIN) for name, do in does.items()]


def add_form(offered: Sequence[str]) -> html.Form:
    """Return the form of a new account."""
    form_id = f"{ID}-add"
    return form(
        f"{PATH}/add",
        text_field(form_id, "name", "Name", hint="By which the person signs in, such as anna or anna@fund.example."),
        select_field(form_id, "role", "Role", _roles(), Role.VIEWER.word),
        text_field(form_id, "portfolios", "Only portfolios", options=offered, hint=portfolios_hint(offered)),
        id=form_id,
        does="Add",
        into=LINK,
        clears=True,
    )


def change_forms(account: Account, sessions: int, offered: Sequence[str]) -> list[Any]:
    """Return the forms that change an account."""
    name = account.name
    limits = ", ".join(account.portfolios)
    role = select_field(_form_id("role", name), "role", "Role", _roles(), account.role.word)
    only = text_field(
        _form_id("portfolios", name), "portfolios", "Only portfolios", limits, options=offered,
        hint=portfolios_hint(offered),
    )  # fmt: skip
    both = [_small(name, "role", "Set role", role), _small(name, "portfolios", "Limit", only)]
    of_provider = "It signs in at the OpenID provider, whose groups say its role and portfolios."
    found = [html.P(of_provider) if account.is_external else html.Div(both, className="fw-forms"), html.Hr()]
    if account.is_disabled:
        return [*found, _small(name, "enable", "Enable")]
    return [
        *found,
        html.Div(
            [
                *([] if account.is_external else [_small(name, "link", "Make sign-in link", into=LINK_AGAIN)]),
                *([_small(name, "sign-out", f"End {count(sessions, 'session')}", is_dangerous=True,
                          question=f"End every session of {name}? Who is signed in must sign in again.")]
                  if sessions else []),
                *([_small(name, "second-factor", "Remove second factor", is_dangerous=True,
                          question=f"Remove the second factor of {name}? The password alone lets in then.")]
                  if account.has_second_factor else []),
                _small(name, "disable", "Disable", is_dangerous=True,
                       question=f"Disable {name}? Sessions and tokens of the account end at once."),
            ],
            className="fw-forms",
        ),
    ]  # fmt: skip


def users_table(accounts: Sequence[Account], sessions: Mapping[str, int], chosen: str) -> html.Div:
    """Return a row an account; its name opens its forms. sessions: how many are open, by name."""
    rows = [_row(each, sessions.get(each.name, 0), chosen) for each in accounts]
    at = next((at for at, each in enumerate(accounts) if each.name == chosen), None)
    return data_table(f"{ID}-rows", _COLUMNS, rows, caption="Users", nothing="No account yet.", chosen=at)


def _row(account: Account, sessions: int, chosen: str) -> dict[str, Any]:
    name, is_open = account.name, account.name == chosen
    opens = choice_button(ID, {"edit": None if is_open else name}, name, pressed=is_open, label=f"Settings of {name}")
    return {
        "name": Cell(opens, sort=name),
        "state": _state(account),
        "role": Cell(account.role.word, sort=float(account.role)),
        "portfolios": portfolios_cell(account.portfolios),
        "factor": "provider's"
        if account.is_external
        else "set up"
        if account.has_second_factor
        else Cell("none", tone="muted"),
        "seen": Cell(local_time(account.seen_at), sort=account.seen_at)
        if account.seen_at
        else Cell("never", tone="muted"),
        "sessions": Cell(str(sessions), sort=float(sessions)),
        "made": Cell(local_time(account.made_at, "date"), sort=account.made_at, hint=f"by {account.made_by}"),
    }


def _state(account: Account) -> Any:
    if account.is_disabled:
        return state_badge(Status.NOT_CONFIGURED, "disabled")
    if not account.has_password:
        return state_badge(Status.UNKNOWN, "has no password yet")
    return state_badge(Status.OK, "may sign in")


def _small(account: str, what: str, does: str, *parts: Any, into: str = "", question: str = "",
           is_dangerous: bool = False) -> html.Form:  # fmt: skip
    """Return a form about one account."""
    return form(
        f"{PATH}/{what}", hidden("account", account), *parts, id=_form_id(what, account), does=does, into=into,
        question=question, is_dangerous=is_dangerous,
    )  # fmt: skip


def _form_id(what: str, account: str) -> str:
    return f"{ID}-{what}-{urlencode({'': account})[1:]}"


def _roles() -> list[tuple[str, str]]:
    return [(role.word, told) for role, told in ROLES.items()]


def _role(sent: Sent, refusal: str = "Not changed.") -> Role:
    found = next((role for role in Role if role.word == sent["role"]), None)
    if found is None:
        raise ChangeRejected(refusal, {"role": "Choose one of the list."})
    return found


def _link(name: str, path: str) -> str:
    """Return the HTML of a one-time link, whole, so that it can be sent."""
    hours = f"{LINK_SECONDS / 3600:g}"
    once = f"The sign-in link of {name}, shown once. It works once, within {hours} hours: give it to that person alone."
    return shown_once(once, f"{request.host_url.rstrip('/')}{path}")
