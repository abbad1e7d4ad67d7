"""An OpenID provider: where people are sent to sign in, and what it says of them after that.

Authorization code flow with PKCE (RFC 7636, S256), state and nonce; the ID token is believed when its signature is by a
key of the provider, and issuer, audience, times and nonce are right (OpenID Connect Core 1.0, 3.1.3.7). Authlib speaks
to the provider and joserfc, which it is made with, looks at the token.
"""

from __future__ import annotations

import hmac
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from requests import RequestException, Session

from access.secrets import new_secret
from core.errors import ProviderUnavailable, SignInRefused

if TYPE_CHECKING:
    from core.clock import Clock
    from core.settings.oidc import Oidc

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""Of signatures that a provider alone can make: neither none, nor those made with the client's secret."""
TIMEOUT_SECONDS = 5.0
BELIEVED_SECONDS = 60.0
"""How long the discovery document and the keys are believed: so long somebody may be sent to a provider that is away. A
key that is not among them is looked for at once."""
LEEWAY_SECONDS = 60
"""By which the clocks here and there may differ."""
AT_ONCE = 2
"""People whose sign-in waits for the provider: threads stay for those who are signed in."""
MOST_GROUPS, LONGEST_CLAIM = 2_000, 255
NOT_BELIEVED = "What the provider sent cannot be trusted: sign in again, or tell an admin, whose audit says why."


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that began here: what its browser keeps until it comes back. All but the state is told to nobody."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider says."""

    subject: str
    """Issuer and subject: the same as long as it is the same person."""
    name: str
    groups: frozenset[str]


class NotBelieved(SignInRefused):
    """The provider's answer does not hold; `why` is for the audit."""

    def __init__(self, why: str, told: str = NOT_BELIEVED) -> None:
        self.why = why[:200]
        super().__init__(told)


class Provider:
    """The provider of the settings. One a process; safe to share between threads."""

    def __init__(self, oidc: Oidc, clock: Clock) -> None:
        self._oidc = oidc
        self._clock = clock
        self._door = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._keys: tuple[float, KeySet] = (0.0, KeySet([]))
        """Both with the monotonic second until which they are believed."""

    def begin(self, returns_to: str) -> tuple[str, Begun]:
        """Return where to send a browser to sign in, and what it keeps. returns_to: whole address of our own.

        Raises ProviderUnavailable.
        """
        begun = Begun(new_secret(), new_secret(), new_secret())
        with self._at_the_door():
            place, session = self._endpoint("authorization_endpoint"), self._session(returns_to)
        address, _ = session.create_authorization_url(
            place, state=begun.state, nonce=begun.nonce, code_verifier=begun.verifier
        )
        return str(address), begun

    def finish(self, begun: Begun, state: str, code: str, returns_to: str) -> Identity:
        """Return who has signed in, from the code that the provider gave the browser of `begun` to bring here.

        Raises ProviderUnavailable; NotBelieved.
        """
        if not hmac.compare_digest(begun.state.encode(), state.encode("utf-8", "replace")):
            raise NotBelieved("the state is that of another sign-in")
        with self._at_the_door():
            token = self._redeemed(code, begun.verifier, returns_to)
            return self._identity(self._claims(str(token.get("id_token") or ""), begun.nonce))

    def sign_out_address(self, returns_to: str) -> str:
        """Return where a browser ends its session at the provider; empty: there is no such place, or it is away."""
        try:
            with self._at_the_door():
                place = str(self._document().get("end_session_endpoint") or "")
        except ProviderUnavailable:
            return ""
        if not place.startswith(("https://", "http://")):
            return ""
        params = [("client_id", self._oidc.client_id), ("post_logout_redirect_uri", returns_to)]
        return str(add_params_to_uri(place, params))

    @contextmanager
    def _at_the_door(self) -> Iterator[None]:
        if not self._door.acquire(blocking=False):
            raise ProviderUnavailable("Too many people sign in just now: try again in some seconds.")
        try:
            yield
        finally:
            self._door.release()

    def _session(self, returns_to: str) -> OAuth2Session:
        secret = self._oidc.client_secret.get_secret_value()
        offered = self._document().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Session(
            self._oidc.client_id,
            secret or None,
            token_endpoint_auth_method=method if secret else "none",
            scope=self._oidc.scopes,
            redirect_uri=returns_to,
            code_challenge_method="S256",
        )

    def _redeemed(self, code: str, verifier: str, returns_to: str) -> Mapping[str, Any]:
        address = self._endpoint("token_endpoint")
        try:
            found = self._session(returns_to).fetch_token(
                address, code=code, code_verifier=verifier, grant_type="authorization_code", timeout=TIMEOUT_SECONDS
            )
        except RequestException as error:
            raise self._away(error) from error
        except AuthlibBaseError as error:
            raise NotBelieved(f"the code was refused: {error.error}") from error
        except ValueError as error:
            raise self._away(error) from error
        return found if isinstance(found, Mapping) else {}

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """Return what a token says. Raises NotBelieved unless the provider says it to us, now, for this sign-in."""
        now = int(self._clock.now())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._oidc.issuer},
            aud={"essential": True, "value": self._oidc.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = self._signed(token)
            registry.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotBelieved(f"the ID token does not hold: {error}") from error
        audience, party = claims["aud"], claims.get("azp", self._oidc.client_id)
        if party != self._oidc.client_id or (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims):
            raise NotBelieved("the ID token is for another client")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that a key of the provider has signed, also one that it has only now."""
        try:
            return jwt.decode(token, self._key_set(), algorithms=ALGORITHMS).claims
        except (InvalidKeyIdError, BadSignatureError, ValueError):  # another key than those that are known
            return jwt.decode(token, self._key_set(is_new=True), algorithms=ALGORITHMS).claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, name = f"{self._oidc.issuer} {claims['sub']}", claims.get(self._oidc.name_claim)
        if not isinstance(name, str) or not name or not claims["sub"] or len(subject) > LONGEST_CLAIM:
            raise NotBelieved(f"the ID token has no name in {self._oidc.name_claim}, or no subject that can be kept")
        groups = claims.get(self._oidc.groups_claim, [])
        groups = [groups] if isinstance(groups, str) else groups
        if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
            raise NotBelieved(f"{self._oidc.groups_claim} of the ID token is no list of groups")
        return Identity(subject, name, frozenset(each for each in groups if isinstance(each, str)))

    def _endpoint(self, name: str) -> str:
        address = str(self._document().get(name) or "")
        if not address.startswith(("https://", "http://")):
            raise self._away(f"its discovery document has no {name}")
        return address

    def _document(self) -> Mapping[str, Any]:
        until, kept = self._metadata
        if self._clock.monotonic() < until:
            return kept
        found = self._read(f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._oidc.issuer:
            raise self._away(f"its discovery document is that of {str(found.get('issuer'))[:200]!r}")
        self._metadata = (self._clock.monotonic() + BELIEVED_SECONDS, found)
        return found

    def _key_set(self, *, is_new: bool = False) -> KeySet:
        until, kept = self._keys
        if self._clock.monotonic() < until and not is_new:
            return kept
        try:
            found = KeySet.import_key_set(self._read(self._endpoint("jwks_uri")))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise self._away(f"its keys cannot be read: {error}") from error
        self._keys = (self._clock.monotonic() + BELIEVED_SECONDS, found)
        return found

    def _read(self, address: str) -> Mapping[str, Any]:
        with self._lock:  # one asks, and the others wait for what it finds out
            try:
                with Session() as session:
                    answer = session.get(address, timeout=TIMEOUT_SECONDS)
                    answer.raise_for_status()
                    found = answer.json()
            except (RequestException, ValueError) as error:
                raise self._away(error) from error
        if not isinstance(found, dict):
            raise self._away(f"{address} is no JSON object")
        return found

    def _away(self, why: object) -> ProviderUnavailable:
        log.warning("OpenID provider %s: %s", self._oidc.issuer, why)
        host = self._oidc.issuer.partition("://")[2].partition("/")[0]
        return ProviderUnavailable(
            f"{host}, where you would sign in, does not answer as it should. Try again later, or sign in with a name "
            "and password if your account has one."
        )
