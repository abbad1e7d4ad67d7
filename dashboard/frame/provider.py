"""Signing in at the fund's OpenID provider: where it begins, where the provider sends people back to, and signing out.

What begins stays in a cookie of the browser that began it, until it comes back; so no other browser can end it. The
cookie is signed: what this Fundwatch did not begin, or longer ago than BEGUN_SECONDS, is not gone on with. Each that
begins has a cookie of its own, since people sign in in two tabs at once.
"""

from __future__ import annotations

import hashlib
import hmac
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
from dashboard.frame.plain import plain_page, refusal
from dashboard.frame.rates import SignIns
from dashboard.frame.sign_in import Left, caller_of, form_of_sign_in, signed_in, waiting
from dashboard.views.problem import away
from storage.state.accounts import find_account
from storage.state.signing import signing_key

if TYPE_CHECKING:
    from storage.stores import Stores

BEGUN_SECONDS = 600
"""How long somebody may take to sign in at the provider."""
LONGEST_PLACE = 1_000
"""Characters, as the cookie has it."""
MOST_BEGUN = 4
"""Sign-ins that a browser keeps at once: its cookies fit into the 8,190 bytes that a header may have."""
STATE_CHARACTERS = 12
"""Of a state in the name of its cookie."""
ANOTHER_BROWSER = "This sign-in was not begun in this browser, or too long ago: begin it again."
NO_PAGE = "Only a page that a person opens leads to the provider and back."
LEADS_OUT = Markup('<p>You are signed out of Fundwatch. Now <a href="{}">sign out at the provider</a> too.</p>')
STAYS_IN = Markup("<p>You are signed out of Fundwatch. You may still be signed in at {}: sign out there too.</p>{}")
SIGN_IN_AGAIN = Markup('<p><a href="{}">Sign in</a></p>').format(SIGN_IN)


def install(server: Flask, stores: Stores, attempts: SignIns) -> Left:
    """Serve the way to the provider of the settings and back; return what leads to the sign-out there."""
    oidc = stores.settings.oidc
    provider = Provider(oidc, stores.clock)

    @server.get(PROVIDER)
    def to_provider() -> AnyResponse:
        place = own_place(request.args.get(NEXT, ""))
        if not _is_opened():
            return refusal(403, "Not allowed", NO_PAGE, sign_in=SIGN_IN)
        try:
            address, begun = provider.begin(_address_of(BACK))
        except SignInRefused as error:
            return _refused(error, place)
        try:
            return _remembered(stores, redirect(address, 302), begun, place)
        except StorageError as error:
            return _refused(error, place)

    @server.get(BACK)
    def came_back() -> AnyResponse:
        if not _is_opened():
            return refusal(403, "Not allowed", NO_PAGE, sign_in=SIGN_IN)
        try:
            begun, place = _begun(stores)
        except StorageError as error:
            return _refused(error, "/")
        if begun is None:  # anybody can ask that as often as he likes: nothing is written down
            return _refused(SignInRefused(ANOTHER_BROWSER), place)
        now, caller = stores.clock.now(), caller_of(stores, request)
        try:
            attempts.count()
            if request.args.get("iss", oidc.issuer) != oidc.issuer:  # RFC 9207
                raise NotBelieved("the answer is that of another provider")
            if "code" not in request.args:
                raise NotBelieved("the provider let nobody in", "The provider did not let you in.")
            identity = provider.finish(begun, request.args["code"], _address_of(BACK))
            who = sign_in_as(stores.state, oidc, identity, caller, now)
            answer = signed_in(stores, who, redirect(place, 303))
        except (SignInRefused, StorageError) as error:
            if isinstance(error, NotBelieved):
                tell_not_believed(stores.state, error.why, caller, now)
            answer = _refused(error, place)
            if isinstance(error, ProviderUnavailable) or (isinstance(error, SignInRefused) and error.wait_seconds):
                return answer  # the same address can be opened again in a moment
        _forget(answer, _cookie(stores, begun.state))
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
        return plain_page("Signed out", STAYS_IN.format(provider.host, SIGN_IN_AGAIN), is_narrow=True)
    answer = plain_page("Signed out", LEADS_OUT.format(address), is_narrow=True)
    # No redirect: browsers hold the form's answer to form-action 'self'.
    answer.headers["Refresh"] = f"0; url={address}"
    return answer


def _address_of(path: str) -> str:
    """Return the whole address of a path of ours, as this browser asks for it."""
    return f"{request.host_url.rstrip('/')}{path}"


def _is_opened() -> bool:
    """Return whether a browser was led here in a window of its own, and not by an image or frame of some page."""
    sent = request.headers.get("Sec-Fetch-Mode", "navigate"), request.headers.get("Sec-Fetch-Dest", "document")
    return sent == ("navigate", "document")


def _cookie(stores: Stores, state: str) -> str:
    """Return the name of the cookie of a sign-in that began with this state."""
    return f"{cookie_name(stores.settings, is_secure=request.is_secure)}-begun-{state[:STATE_CHARACTERS]}"


def _forget(answer: AnyResponse, name: str) -> None:
    answer.delete_cookie(name, secure=request.is_secure, httponly=True, samesite="Lax")


def _remembered(stores: Stores, answer: AnyResponse, begun: Begun, place: str) -> AnyResponse:
    quoted = quote(place, safe="")
    at = str(int(stores.clock.now()))
    said = ".".join([at, begun.state, begun.nonce, begun.verifier, quoted if len(quoted) <= LONGEST_PLACE else ""])
    kept = f"{_signature(stores, said)}.{said}"
    name = _cookie(stores, begun.state)
    others = [each for each in request.cookies if each.startswith(_cookie(stores, ""))]
    for old in others[: max(0, len(others) - MOST_BEGUN + 1)]:  # browsers send the oldest first (RFC 6265, 5.4)
        _forget(answer, old)
    answer.set_cookie(name, kept, max_age=BEGUN_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax")
    return answer


def _begun(stores: Stores) -> tuple[Begun | None, str]:
    """Return what this browser began with the state that it brings, None: nothing; and the place to return to."""
    state = request.args.get("state", "")
    signature, _, said = request.cookies.get(_cookie(stores, state), "").partition(".")
    parts = said.split(".", 4)
    if len(parts) < 5 or not all(parts[:4]):
        return None, "/"
    if not hmac.compare_digest(signature.encode(), _signature(stores, said).encode()):
        return None, "/"
    at, kept_state, nonce, verifier, place = parts
    if not hmac.compare_digest(kept_state.encode(), state.encode("utf-8", "replace")):
        return None, "/"
    if stores.clock.now() - int(at) > BEGUN_SECONDS:
        return None, "/"
    return Begun(kept_state, nonce, verifier), own_place(unquote(place))


def _signature(stores: Stores, said: str) -> str:
    """Return what proves that a cookie is as it was given (keyed BLAKE2b, RFC 7693)."""
    return hashlib.blake2b(said.encode("utf-8", "replace"), key=signing_key(stores.state), digest_size=24).hexdigest()
