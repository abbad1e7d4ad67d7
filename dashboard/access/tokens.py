"""The tokens of programs as a table, and the forms that make and revoke one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from access.tokens import SCOPES, Scope, make_token, revoke
from access.viewer import Viewer
from core.clock import DAY_SECONDS
from core.model import Status
from core.roles import Role
from dashboard.access.common import listed, portfolios_cell, portfolios_hint, shown_once, told
from dashboard.components.age import local_time
from dashboard.components.card import state_badge
from dashboard.components.form import form, hidden, select_field, text_field, tick
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.views.form import Form, Said, Sent
from storage.state.tokens import Token

if TYPE_CHECKING:
    from access.accounts import Account
    from storage.stores import Stores

ID = "tokens"
PATH = "/tokens"
MADE = f"{ID}-made"
"""Place that shows the secret of a token that was just made."""
LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never"))
MINE, SERVICE = "mine", "service"
_COLUMNS = (
    Column("name", "For", numeric=False, definition="What it is for, as who made it said"),
    Column("whose", "Whose", numeric=False),
    Column("state", "State", numeric=False),
    Column("scopes", "Scopes", numeric=False, definition="What it may; never more than its owner may now"),
    Column("portfolios", "Portfolios", numeric=False, definition="That it is limited to, with those below them"),
    Column("made", "Made", numeric=False),
    Column("expires", "Expires", numeric=False),
    Column("used", "Last used", numeric=False, definition="To the minute"),
    Column("from", "From", numeric=False, definition="Address that it was last used from"),
    Column("id", "", numeric=False, plain="Revoke", has_buttons=True),
)


def forms(stores: Stores) -> list[Form]:
    """Return what the page's forms do."""

    def make(sent: Sent, viewer: Viewer) -> Said:
        now, days = stores.clock.now(), sent["days"]
        if days not in dict(LIVES):
            return Said("No token was made.", is_done=False, fields={"days": "Choose one of the list."})
        token, secret = make_token(
            stores.state,
            name=sent["name"],
            account="" if sent["whose"] == SERVICE else viewer.name,
            scopes=[scope for scope in Scope if sent[scope.value]],
            portfolios=listed(sent["portfolios"]),
            expires_at=now + float(days) * DAY_SECONDS if days else 0.0,
            by=viewer,
            now=now,
        )
        once = f"The token for {token.name}. Copy it now: it is kept nowhere and never shown again."
        return Said(f"Token for {token.name} made.", html=shown_once(once, secret))

    def revoke_one(sent: Sent, viewer: Viewer) -> Said:
        number = int(sent["id"]) if sent["id"].isdecimal() and len(sent["id"]) < 16 else 0
        token = revoke(stores.state, number, by=viewer, now=stores.clock.now())
        return Said(f"Token for {token.name} revoked.")

    does = {"make": make, "revoke": revoke_one}
    return [Form(f"{PATH}/{name}", told(stores, ID, do), Role.VIEWER) for name, do in does.items()]


def make_form(viewer: Viewer, offered: Sequence[str]) -> html.Form:
    """Return the form of a new token, with the scopes that the viewer's role may give."""
    form_id = f"{ID}-make"
    whose = [(MINE, f"mine ({viewer.name})"), (SERVICE, "a service's")]
    allowed = [scope for scope in Scope if SCOPES[scope][0] <= viewer.role]
    scopes = [
        tick(form_id, scope.value, html.Code(scope.value), is_ticked=scope is Scope.READ, hint=SCOPES[scope][2])
        for scope in allowed
    ]
    return form(
        f"{PATH}/make",
        text_field(form_id, "name", "For", hint="The program and where it runs, such as: risk report on node 3."),
        *([select_field(form_id, "whose", "Whose", whose, MINE, hint="A service's outlives whoever made it.")]
          if viewer.role >= Role.ADMIN else []),
        select_field(form_id, "days", "Expires in", LIVES, "90"),
        text_field(form_id, "portfolios", "Only portfolios", options=offered, hint=portfolios_hint(offered)),
        html.Fieldset([html.Legend("Scopes", className="fw-field-label"), *scopes], className="fw-ticks"),
        id=form_id,
        does="Make token",
        into=MADE,
        clears=True,
    )  # fmt: skip


def tokens_table(tokens: Sequence[Token], accounts: Mapping[str, Account], now: float) -> html.Div:
    """Return a row a token, the newest first. accounts: by name, of whose tokens are shown."""
    rows = [_row(token, accounts.get(token.account), now) for token in tokens]
    nothing = "No token yet. A program that asks Fundwatch over HTTP needs one."
    return data_table(f"{ID}-rows", _COLUMNS, rows, caption="Tokens", nothing=nothing)


def _row(token: Token, owner: Account | None, now: float) -> dict[str, Any]:
    is_over, state = _state(token, owner, now)
    return {
        "name": cut_cell(token.name),
        "whose": token.account or Cell("a service's", tone="muted", hint=f"made by {token.made_by}"),
        "state": state,
        "scopes": ", ".join(scope.value for scope in Scope if scope in token.scopes),
        "portfolios": portfolios_cell(token.portfolios),
        "made": Cell(local_time(token.made_at, "date"), sort=token.made_at, hint=f"by {token.made_by}"),
        "expires": Cell(local_time(token.expires_at, "date"), sort=token.expires_at)
        if token.expires_at
        else Cell("never", tone="muted"),
        "used": Cell(local_time(token.used_at), sort=token.used_at) if token.used_at else Cell("never", tone="muted"),
        "from": token.used_from or None,
        "id": "" if is_over else _revoke_form(token),
    }


def _state(token: Token, owner: Account | None, now: float) -> tuple[bool, Any]:
    """Return whether nothing brings it back, and what is told of it."""
    if token.revoked_at:
        return True, Cell(state_badge(Status.NOT_CONFIGURED, "revoked"), hint=f"by {token.revoked_by}")
    if 0 < token.expires_at <= now:
        return True, state_badge(Status.NOT_CONFIGURED, "expired")
    if token.account and owner is None:
        return False, state_badge(Status.WARNING, "its account is gone")
    if owner is not None and owner.is_disabled:
        return False, state_badge(Status.WARNING, "its account is disabled")
    return False, state_badge(Status.OK, "works")


def _revoke_form(token: Token) -> html.Form:
    return form(
        f"{PATH}/revoke",
        hidden("id", str(token.id)),
        id=f"{ID}-revoke-{token.id}",
        does="Revoke",
        question=f"Revoke the token for {token.name}? Programs that use it are refused from then on.",
        is_dangerous=True,
    )
