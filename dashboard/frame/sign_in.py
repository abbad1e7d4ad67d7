"""The pages where people sign in and out. They need no script; the dialog of an open page posts to the same address."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson
from flask import Flask, Request, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from access import second_factor
from access.links import KEY, account_of
from access.passwords import LEAST_CHARACTERS
from access.sessions import cookie_name
from access.sign_in import NO_LINK, Caller, SignedIn, sign_in, sign_out, use_link
from access.viewer import LOCAL_NAME
from core.errors import ChangeRejected, SignInRefused, StorageError
from core.roles import Role
from dashboard.frame.places import ACCOUNT, LINK, NEXT, PROVIDER, SIGN_IN, SIGN_OUT, own_place
from dashboard.frame.plain import plain_page, refusal
from dashboard.frame.plain_form import Field, form, hidden, wrong
from dashboard.frame.rates import SignIns
from dashboard.frame.viewer import FindViewer, current_viewer
from dashboard.views.problem import away
from dashboard.views.rights import declare_rules
from storage.state.accounts import find_account

if TYPE_CHECKING:
    from core.settings.oidc import Oidc
    from storage.stores import Stores

LONGEST_FIELD = 1_024
AGAIN = "again"
NOT_ALIKE = "The two are not alike: type the same twice."
ELSEWHERE = Markup(
    '<p><a class="fw-button fw-button-main" href="{}?{}={}">{}</a></p><p>Or with a name and password:</p>'
)
Left = Callable[[str], AnyResponse | None]
"""Returns the page that leads an account to the sign-out at its provider; None: it has none."""
FORGOTTEN = Markup(
    '<p class="fw-plain-hint">Forgot the password? An admin gives you a link, or whoever runs Fundwatch does with '
    "<code>python -m dashboard.users reset NAME</code>.</p>"
)


def install(server: Flask, stores: Stores, find_viewer: FindViewer, attempts: SignIns, left: Left) -> None:
    """Serve the sign-in, the pages of one-time links and the sign-out; `left` answers who leaves a provider too."""
    oidc = stores.settings.oidc

    @server.get(SIGN_IN)
    def sign_in_page() -> AnyResponse:
        viewer = find_viewer(request)
        name = "" if viewer is None or viewer.name == LOCAL_NAME else viewer.name
        if _wants_json():
            return _json(200, name=name)
        place = own_place(request.args.get(NEXT, ""))
        if name:
            return redirect(_after_sign_in(stores, name, place), 303)
        return form_of_sign_in(oidc, place)

    @server.post(SIGN_IN)
    def sign_in_posted() -> AnyResponse:
        name, place = field(request, "name"), own_place(field(request, NEXT))
        try:
            attempts.count()
            who = sign_in(
                stores.state, name, field(request, "password"), field(request, "code"),
                caller_of(stores, request), stores.clock.now(),
            )  # fmt: skip
        except (SignInRefused, StorageError) as error:
            return _not_signed_in(oidc, error, name, place)
        goto = _after_sign_in(stores, who.account, place)
        if not _wants_json():
            return signed_in(stores, who, redirect(goto, 303))
        return signed_in(stores, who, _json(200, name=who.account, goto=goto if goto == ACCOUNT else ""))

    @server.get(LINK)
    def link_page() -> AnyResponse:
        account = account_of(stores.state, request.args.get(KEY, ""), stores.clock.now())
        if account is None:
            return refusal(410, "This link does not work", NO_LINK, sign_in=SIGN_IN)
        return _form_of_link(account.name, request.args.get(KEY, ""), account.has_second_factor)

    @server.post(LINK)
    def link_posted() -> AnyResponse:
        key, password = field(request, KEY), field(request, "password")
        account = account_of(stores.state, key, stores.clock.now())
        if account is None:
            return refusal(410, "This link does not work", NO_LINK, sign_in=SIGN_IN)
        again = (account.name, key, account.has_second_factor)
        if password != field(request, AGAIN):
            return _form_of_link(*again, status=400, wrong_again=NOT_ALIKE)
        try:
            who = use_link(
                stores.state, key, password, field(request, "code"), caller_of(stores, request), stores.clock.now()
            )
        except ChangeRejected as error:
            return _form_of_link(*again, status=400, wrong_password=error.fields.get("password", error.reason))
        except SignInRefused as error:
            return waiting(_form_of_link(*again, status=429 if error.wait_seconds else 401, why=str(error)), error)
        return signed_in(stores, who, redirect(_after_sign_in(stores, who.account, "/"), 303))

    @server.post(SIGN_OUT)
    def sign_out_posted() -> AnyResponse:
        caller, name = caller_of(stores, request), current_viewer().name
        if caller.secret:
            sign_out(stores.state, name, caller, stores.clock.now())
        return signed_out(stores, left(name) or redirect(SIGN_IN, 303))

    declare_rules(server, Role.VIEWER, {SIGN_OUT})


def caller_of(stores: Stores, request: Request) -> Caller:
    """Return from where a request comes, and the session that its browser has."""
    secret = request.cookies.get(cookie_name(stores.settings, is_secure=request.is_secure), "")
    return Caller(request.remote_addr or "", request.headers.get("User-Agent", ""), secret)


def field(request: Request, name: str) -> str:
    """Return what was typed into a field of a posted form; empty when it was not sent or is no sensible length."""
    text = request.form.get(name, "")
    return text if len(text) <= max(LONGEST_FIELD, 4_000 if name == NEXT else 0) else ""


def signed_in(stores: Stores, who: SignedIn, answer: AnyResponse) -> AnyResponse:
    """Return an answer that hands the session over to the browser."""
    answer.set_cookie(
        cookie_name(stores.settings, is_secure=request.is_secure), who.secret,
        max_age=int(stores.settings.sessions.longest_seconds), secure=request.is_secure, httponly=True, samesite="Lax",
    )  # fmt: skip
    return answer


def signed_out(stores: Stores, answer: AnyResponse) -> AnyResponse:
    """Return an answer that makes the browser forget its session."""
    answer.delete_cookie(
        cookie_name(stores.settings, is_secure=request.is_secure),
        secure=request.is_secure, httponly=True, samesite="Lax",
    )  # fmt: skip
    return answer


def waiting(answer: Response, error: SignInRefused) -> Response:
    """Return an answer that says when to try again, where there is something to wait for."""
    if error.wait_seconds:
        answer.headers["Retry-After"] = str(math.ceil(error.wait_seconds))
    return answer


def form_of_sign_in(oidc: Oidc, place: str, name: str = "", why: str = "", status: int = 200) -> Response:
    """Return the page of the sign-in. why: nobody was let in a moment ago; empty: nobody has tried."""
    code_hint = "Of your app, or for recovery: only if your account has a second factor."
    return plain_page(
        "Sign in",
        wrong(why)
        + (ELSEWHERE.format(PROVIDER, NEXT, quote(place, safe="/"), oidc.label) if oidc.is_on else Markup())
        + form(
            SIGN_IN, "Sign in",
            Field("name", "Name", "username", value=name, has_focus=not name),
            Field("password", "Password", "current-password", "password", has_focus=bool(name)),
            Field("code", "Code", "one-time-code", hint=code_hint, is_needed=False),
            hidden(NEXT, place),
        )
        + FORGOTTEN,
        status,
        is_narrow=True,
    )  # fmt: skip


def new_password(wrong_password: str = "", wrong_again: str = "", *, has_focus: bool = False) -> tuple[Field, Field]:
    """Return the two fields by which a password is chosen; the first that is wrong has the focus."""
    hint = f"At least {LEAST_CHARACTERS} characters, and none that everybody uses."
    return (
        Field(
            "password", "New password", "new-password", "password", hint=hint, wrong=wrong_password,
            has_focus=bool(wrong_password) or (has_focus and not wrong_again),
        ),
        Field(
            AGAIN, "New password again", "new-password", "password", wrong=wrong_again,
            has_focus=bool(wrong_again) and not wrong_password,
        ),
    )  # fmt: skip


def _after_sign_in(stores: Stores, name: str, place: str) -> str:
    """Return where to go: to set up a second factor first, where the account's role needs one."""
    account = find_account(stores.state, name)
    if account is None or account.has_second_factor or account.is_external:
        return place
    return ACCOUNT if second_factor.must_have(stores.settings, account.role) else place


def _not_signed_in(oidc: Oidc, error: SignInRefused | StorageError, name: str, place: str) -> Response:
    if isinstance(error, StorageError):
        status, sentence, refused = 503, away(error), SignInRefused("")
    else:
        status, sentence, refused = 429 if error.wait_seconds else 401, str(error), error
    if _wants_json():
        return waiting(_json(status, said=sentence), refused)
    return waiting(form_of_sign_in(oidc, place, name, sentence, status), refused)


def _form_of_link(
    name: str, key: str, has_second_factor: bool, *, status: int = 200, why: str = "", wrong_password: str = "",
    wrong_again: str = "",
) -> Response:  # fmt: skip
    code = (Field("code", "Code", "one-time-code", hint="Of your app, or for recovery."),) if has_second_factor else ()
    return plain_page(
        "Choose your password",
        Markup("<p>You sign in as <strong>{}</strong>. The link works once.</p>").format(name)
        + wrong(why)
        + form(
            LINK, "Set the password and sign in",
            # For password managers, which keep the name beside the password.
            Markup('<input type="text" name="name" value="{}" autocomplete="username" readonly hidden>').format(name),
            *new_password(wrong_password, wrong_again, has_focus=True), *code, hidden(KEY, key),
        ),
        status,
        is_narrow=True,
    )  # fmt: skip


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _json(status: int, **told: str) -> Response:
    return Response(orjson.dumps(told), status, mimetype="application/json")
