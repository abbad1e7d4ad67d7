"""The page of who is signed in: own password, second factor and sessions. It needs no script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from access import second_factor
from access.secrets import digest_of
from access.sessions import end_session, end_sessions, is_over, sessions_of
from access.sign_in import Caller, change_password, check_password
from core.errors import ChangeRejected, SignInRefused
from core.format import count
from core.roles import Role
from dashboard.frame.agents import browser_of
from dashboard.frame.places import ACCOUNT, SIGN_IN, SIGN_OUT
from dashboard.frame.plain import plain_page
from dashboard.frame.plain_form import Field, form, hidden, said, wrong
from dashboard.frame.sign_in import (
    AGAIN,
    NOT_ALIKE,
    Left,
    caller_of,
    field,
    new_password,
    signed_in,
    signed_out,
    waiting,
)  # fmt: skip
from dashboard.frame.viewer import current_viewer
from dashboard.views.rights import declare_rules
from storage.state.accounts import Account, find_account

if TYPE_CHECKING:
    from storage.state.sessions import Session
    from storage.stores import Stores

PASSWORD, SESSIONS = f"{ACCOUNT}/password", f"{ACCOUNT}/sessions"
FACTOR, CONFIRM, REMOVE = (
    f"{ACCOUNT}/second-factor",
    f"{ACCOUNT}/second-factor/confirm",
    f"{ACCOUNT}/second-factor/remove",
)
RULES = (ACCOUNT, PASSWORD, SESSIONS, FACTOR, CONFIRM, REMOVE)
"""Of whoever is signed in, about the own account alone."""
DONE = {
    "password": "The password is changed; sessions elsewhere are ended.",
    "session": "The session is ended.",
    "removed": "The second factor is removed.",
}
"""What was done, by what the address says of it."""
SETUP, REMOVAL = "setup", "removal"
"""Which form about the second factor the password was wrong in."""
BACK = Markup('<p><a href="/">Back to Fundwatch</a></p>')
OF_PROVIDER = Markup("<p>Password, second factor and role of this account are the OpenID provider's.</p>")
ROW = Markup("<tr><td>{began}</td><td>{seen}</td><td>{address}</td><td>{agent}</td><td>{end}</td></tr>")
TABLE = Markup(
    '<div class="fw-plain-table" tabindex="0" role="region" aria-label="Sessions"><table><thead><tr>'
    '<th scope="col">Signed in</th><th scope="col">Last used</th><th scope="col">From</th>'
    '<th scope="col">Browser</th><td></td></tr></thead><tbody>{}</tbody></table></div>'
)


def install(server: Flask, stores: Stores, left: Left) -> None:
    """Serve the page and what its forms do; `left` answers who leaves a provider too."""

    @server.get(ACCOUNT)
    def account_page() -> AnyResponse:
        return _page(stores, done=DONE.get(request.args.get("done", ""), ""))

    @server.post(PASSWORD)
    def password_posted() -> AnyResponse:
        old, new, caller = field(request, "old"), field(request, "password"), caller_of(stores, request)
        if new != field(request, AGAIN):
            return _page(stores, 400, {AGAIN: NOT_ALIKE})
        try:
            who = change_password(stores.state, current_viewer().name, old, new, caller, stores.clock.now())
        except (ChangeRejected, SignInRefused) as error:
            return _refused(stores, error)
        return signed_in(stores, who, redirect(f"{ACCOUNT}?done=password", 303))

    @server.post(SESSIONS)
    def sessions_posted() -> AnyResponse:
        name, now, caller = current_viewer().name, stores.clock.now(), caller_of(stores, request)
        digest = field(request, "session")
        if digest:
            end_session(stores.state, name, digest, now, by=name)
        else:
            end_sessions(stores.state, name, now, by=name)
        if not digest or digest == digest_of(caller.secret):
            return signed_out(stores, left(name) or redirect(SIGN_IN, 303))
        return redirect(f"{ACCOUNT}?done=session", 303)

    @server.post(FACTOR)
    def factor_posted() -> AnyResponse:
        try:
            _check(stores, caller_of(stores, request))
        except (ChangeRejected, SignInRefused) as error:
            return _refused(stores, error, field_as=SETUP)
        return _setup_page(second_factor.start(stores.state, current_viewer().name, stores.clock.now()))

    @server.post(CONFIRM)
    def confirm_posted() -> AnyResponse:
        name = current_viewer().name
        try:
            codes = second_factor.confirm(stores.state, name, field(request, "code"), stores.clock.now())
        except ChangeRejected as error:
            setup = second_factor.offered(stores.state, name, stores.clock.now())
            told = error.fields.get("code", "")
            return _setup_page(setup, told) if setup else _page(stores, 400, why=f"{error.reason} {told}")
        return _codes_page(codes)

    @server.post(REMOVE)
    def remove_posted() -> AnyResponse:
        viewer = current_viewer()
        if second_factor.must_have(stores.settings, viewer.role):
            return _page(stores, 403, {REMOVAL: f"The role {viewer.role.word} needs a second factor here: it stays."})
        try:
            _check(stores, caller_of(stores, request))
        except (ChangeRejected, SignInRefused) as error:
            return _refused(stores, error, field_as=REMOVAL)
        second_factor.remove(stores.state, viewer.name, stores.clock.now())
        return redirect(f"{ACCOUNT}?done=removed", 303)

    declare_rules(server, Role.VIEWER, RULES)


def _check(stores: Stores, caller: Caller) -> None:
    """Raise ChangeRejected or SignInRefused unless the password of who is signed in was sent along."""
    name, now, refused = current_viewer().name, stores.clock.now(), "second factor change refused"
    check_password(stores.state, name, field(request, "old"), caller, now, refused=refused)


def _refused(stores: Stores, error: ChangeRejected | SignInRefused, field_as: str = "old") -> AnyResponse:
    if isinstance(error, SignInRefused):
        return waiting(_page(stores, 429, {field_as: str(error)}), error)
    return _page(stores, 400, {field_as if name == "old" else name: told for name, told in error.fields.items()})


def _page(
    stores: Stores, status: int = 200, fields: dict[str, str] | None = None, why: str = "", done: str = ""
) -> Response:
    account = find_account(stores.state, current_viewer().name)
    if account is None:  # a reader of this machine who has not signed in, or an account that is gone
        return Response(status=303, headers={"Location": f"{SIGN_IN}?next={ACCOUNT}"})
    wrong_fields = fields or {}
    return plain_page(
        "Your account",
        Markup("<p><strong>{}</strong> · {}</p>").format(account.name, account.role.word)
        + said(done)
        + wrong(why)
        + _sessions(stores, account)
        + (OF_PROVIDER if account.is_external else _proofs(stores, account, wrong_fields))
        + BACK,
        status,
    )  # fmt: skip


def _proofs(stores: Stores, account: Account, wrong_fields: dict[str, str]) -> Markup:
    """Return the forms of password and second factor."""
    return (
        Markup("<h2>Password</h2>")
        + form(
            PASSWORD, "Change the password",
            _password("Your password now", wrong_fields.get("old", "")),
            *new_password(wrong_fields.get("password", ""), wrong_fields.get(AGAIN, "")),
        )
        + _second_factor(stores, account, wrong_fields)
    )  # fmt: skip


def _sessions(stores: Stores, account: Account) -> Markup:
    now, mine = stores.clock.now(), digest_of(caller_of(stores, request).secret)
    open_ones = [each for each in sessions_of(stores.state, account.name) if not is_over(each, stores.settings, now)]
    rows = Markup().join(_row(each, each.digest == mine) for each in open_ones)
    return (
        Markup("<h2>Sessions</h2>")
        + TABLE.format(rows)
        + Markup('<div class="fw-plain-row">')
        + form(SIGN_OUT, "Sign out")
        + form(SESSIONS, "Sign out everywhere", is_grave=True)
        + Markup("</div>")
    )


def _row(session: Session, is_mine: bool) -> Markup:
    end = "this one" if is_mine else form(SESSIONS, "End", hidden("session", session.digest))
    return ROW.format(
        began=_time(session.made_at), seen=_time(session.seen_at), address=session.address or "unknown",
        agent=browser_of(session.agent) or "unknown", end=end,
    )  # fmt: skip


def _password(label: str, wrong: str) -> Field:
    """Return the field of the own password; the page opens at it where it was wrong."""
    return Field("old", label, "current-password", "password", wrong=wrong, has_focus=bool(wrong))


def _second_factor(stores: Stores, account: Account, wrong: dict[str, str]) -> Markup:
    password = _password("Your password", wrong.get(SETUP, ""))
    if not account.has_second_factor:
        must = second_factor.must_have(stores.settings, account.role)
        why = f"Your role {account.role.word} needs one: set it up before you go on." if must else "Not set up."
        return (
            Markup("<h2>Second factor</h2><p>{} With it a code from an app on your phone is asked for as well.</p>")
        ).format(why) + form(FACTOR, "Set up a second factor", password)
    left = count(second_factor.unused_codes(stores.state, account.name), "recovery code")
    return (
        Markup("<h2>Second factor</h2><p>Switched on; {} left.</p>").format(left)
        + form(FACTOR, "Set it up anew", password)
        + form(REMOVE, "Remove it", _password("Your password", wrong.get(REMOVAL, "")), is_grave=True)
    )


def _setup_page(setup: second_factor.Setup, wrong_code: str = "") -> Response:
    return plain_page(
        "Set up a second factor",
        Markup("<ol><li>Scan this with the app, or type its secret.</li><li>Type the code that it shows.</li></ol>")
        + Markup('<div class="fw-plain-code">{}</div><p><code>{}</code></p>').format(Markup(setup.svg), setup.secret)
        + form(CONFIRM, "Switch it on", Field("code", "Code", "one-time-code", wrong=wrong_code, has_focus=True))
        + Markup('<p><a href="{}">Cancel</a></p>').format(ACCOUNT),
        400 if wrong_code else 200,
    )


def _codes_page(codes: tuple[str, ...]) -> Response:
    rows = Markup().join(Markup("<li><code>{}</code></li>").format(each) for each in codes)
    return plain_page(
        "The second factor is switched on",
        Markup("<p>Keep these recovery codes where the phone is not: each lets you in once without it. They are shown "
               "this once.</p><ul>{}</ul>").format(rows)
        + BACK,
    )  # fmt: skip


def _time(at: float) -> Markup:
    moment = datetime.fromtimestamp(at, UTC)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(moment.isoformat(), moment)
