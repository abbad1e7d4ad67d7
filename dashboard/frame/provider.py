"""Signing in at the fund's OpenID provider: where it begins, where the provider sends people back to, and signing out.

What begins stays in a cookie of the browser that began it, until it comes back; so no other browser can end it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from flask import Flask, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from access.provider import Begun, NotBelieved, Provider
from access.sessions import cookie_name
from access.sign_in_elsewhere import sign_in_as, tell_not_believed
from core.errors import ProviderUnavailable, SignInRefused, StorageError
from dashboard.frame.places import BACK, NEXT, PROVIDER, SIGN_IN, own_place
from dashboard.frame.plain import plain_page
from dashboard.frame.rates import SignIns
from dashboard.frame.sign_in import Left, caller_of, form_of_sign_in, signed_in, waiting
from dashboard.views.problem import away
from storage.state.accounts import find_account

if TYPE_CHECKING:
    from storage.stores import Stores

BEGUN_SECONDS = 600
"""How long somebody may take to sign in at the provider."""
LONGEST_PLACE = 2_500
"""Characters, as the cookie has it: browsers keep 4,096 of one."""
ANOTHER_BROWSER = "This sign-in was not begun in this browser, or too long ago: begin it again."


def install(server: Flask, stores: Stores) -> Left:
    """Serve the way to the provider of the settings and back; return what leads to the sign-out there."""
    attempts, oidc = SignIns(stores), stores.settings.oidc
    provider = Provider(oidc, stores.clock)

    @server.get(PROVIDER)
    def to_provider() -> AnyResponse:
        place = own_place(request.args.get(NEXT, ""))
        try:
            attempts.count()
            address, begun = provider.begin(_address_of(BACK))
        except SignInRefused as error:
            return _refused(error, place)
        return _remembered(stores, redirect(address, 302), begun, place)

    @server.get(BACK)
    def came_back() -> AnyResponse:
        begun, place = _begun(stores)
        now, caller = stores.clock.now(), caller_of(stores, request)
        try:
            attempts.count()
            if begun is None:
                raise NotBelieved("no sign-in was begun in this browser", ANOTHER_BROWSER)
            if request.args.get("iss", oidc.issuer) != oidc.issuer:  # RFC 9207
                raise NotBelieved("the answer is that of another provider")
            if "code" not in request.args:
                raise NotBelieved("the provider let nobody in", "The provider did not let you in.")
            given = request.args.get("state", ""), request.args["code"]
            identity = provider.finish(begun, *given, _address_of(BACK))
            who = sign_in_as(stores.state, oidc, identity, caller, now)
            answer = signed_in(stores, who, redirect(place, 303))
        except (SignInRefused, StorageError) as error:
            if isinstance(error, NotBelieved):
                tell_not_believed(stores.state, error.why, caller, now)
            answer = _refused(error, place)
        answer.delete_cookie(_cookie(stores), secure=request.is_secure, httponly=True, samesite="Lax")
        return answer

    def _refused(error: SignInRefused | StorageError, place: str) -> AnyResponse:
        if isinstance(error, StorageError):
            return form_of_sign_in(oidc, place, why=away(error), status=503)
        status = 503 if isinstance(error, ProviderUnavailable) else 429 if error.wait_seconds else 403
        return waiting(form_of_sign_in(oidc, place, why=str(error), status=status), error)

    return partial(_left, stores, provider)


def _left(stores: Stores, provider: Provider, name: str) -> AnyResponse | None:
    account = find_account(stores.state, name)
    if account is None or not account.is_external:
        return None
    address = provider.sign_out_address(_address_of(SIGN_IN))
    if not address:
        return None
    told = Markup('<p>You are signed out of Fundwatch. Now <a href="{}">sign out at the provider</a> too.</p>')
    answer = plain_page("Signed out", told.format(address), is_narrow=True)
    # No redirect: browsers hold the form's answer to form-action 'self'.
    answer.headers["Refresh"] = f"0; url={address}"
    return answer


def _address_of(path: str) -> str:
    """Return the whole address of a path of ours, as this browser asks for it."""
    return f"{request.host_url.rstrip('/')}{path}"


def _cookie(stores: Stores) -> str:
    return f"{cookie_name(stores.settings, is_secure=request.is_secure)}-begun"


def _remembered(stores: Stores, answer: AnyResponse, begun: Begun, place: str) -> AnyResponse:
    quoted = quote(place, safe="")
    kept = ".".join([begun.state, begun.nonce, begun.verifier, quoted if len(quoted) <= LONGEST_PLACE else ""])
    answer.set_cookie(
        _cookie(stores), kept, max_age=BEGUN_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return answer


def _begun(stores: Stores) -> tuple[Begun | None, str]:
    """Return what this browser began, None: nothing; and the place to return to."""
    parts = request.cookies.get(_cookie(stores), "").split(".", 3)
    if len(parts) < 4 or not all(parts[:3]):
        return None, "/"
    return Begun(*parts[:3]), own_place(unquote(parts[3]))
