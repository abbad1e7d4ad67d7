"""An OpenID provider: where people are sent to sign in, and what it says of them after that.

Authorization code flow with PKCE (RFC 7636, S256), state and nonce; the ID token is believed when its signature is by a
key of the provider, and issuer, audience, times and nonce are right (OpenID Connect Core 1.0, 3.1.3.7). Authlib speaks
to the provider and joserfc, which it is made with, looks at the token.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from requests import RequestException, Session

from access.accounts import LONGEST_SUBJECT
from access.door import Door
from access.secrets import new_secret
from core.errors import ProviderUnavailable, SignInRefused
from core.memo import Believed

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
AT_ONCE, MOST_AT_THE_DOOR = 2, 4
"""Of those whose sign-in asks the provider, and those who wait for it too: threads stay for who is signed in."""
DOCUMENT, KEYS = "document", "keys"
MOST_GROUPS = 2_000
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
        self._door = Door(AT_ONCE, MOST_AT_THE_DOOR, TIMEOUT_SECONDS)
        self._documents: Believed[Mapping[str, Any]] = Believed(clock, BELIEVED_SECONDS)
        self._key_sets: Believed[KeySet] = Believed(clock, BELIEVED_SECONDS)
        self._last: Mapping[str, Any] | None = None
        """The document that was read last, however long ago: who leaves may be sent where people left before."""

    @property
    def host(self) -> str:
        """What a person knows the provider by."""
        return self._oidc.issuer.partition("://")[2].partition("/")[0]

    def begin(self, returns_to: str) -> tuple[str, Begun]:
        """Return where to send a browser to sign in, and what it keeps. returns_to: whole address of our own.

        Raises ProviderUnavailable.
        """
        begun = Begun(new_secret(), new_secret(), new_secret())
        self._known()
        place, session = self._endpoint("authorization_endpoint"), self._session(returns_to)
        address, _ = session.create_authorization_url(
            place, state=begun.state, nonce=begun.nonce, code_verifier=begun.verifier
        )
        return str(address), begun

    def finish(self, begun: Begun, code: str, returns_to: str) -> Identity:
        """Return who has signed in, from the code that the provider gave the browser of `begun` to bring here.

        Raises ProviderUnavailable; NotBelieved.
        """
        with self._at_the_door():
            token = self._redeemed(code, begun.verifier, returns_to)
            return self._identity(self._claims(str(token.get("id_token") or ""), begun.nonce))

    def sign_out_address(self, returns_to: str) -> str:
        """Return where a browser ends its session at the provider; empty: nobody knows such a place."""
        try:
            known = self._known()
        except ProviderUnavailable:
            known = self._last or {}
        place = str(known.get("end_session_endpoint") or "")
        if not self._is_safe(place):
            return ""
        params = [("client_id", self._oidc.client_id), ("post_logout_redirect_uri", returns_to)]
        return str(add_params_to_uri(place, params))

    def _at_the_door(self) -> AbstractContextManager[None]:
        """Return what holds a turn to ask the provider. Raises ProviderUnavailable when too many others do."""
        busy = ProviderUnavailable("Too many people sign in just now: try again in some seconds.", TIMEOUT_SECONDS)
        return self._door.turn(busy)

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
        address, session = self._endpoint("token_endpoint"), self._session(returns_to)
        try:
            found = session.fetch_token(
                address, code=code, code_verifier=verifier, grant_type="authorization_code",
                timeout=TIMEOUT_SECONDS, allow_redirects=False,
            )  # fmt: skip
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
        subject, name = self._oidc.subject_of(claims["sub"]), claims.get(self._oidc.name_claim)
        if not isinstance(name, str) or not name or not claims["sub"] or len(subject) > LONGEST_SUBJECT:
            raise NotBelieved(f"the ID token has no name in {self._oidc.name_claim}, or no subject that can be kept")
        groups = claims.get(self._oidc.groups_claim, [])
        groups = [groups] if isinstance(groups, str) else groups
        if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
            raise NotBelieved(f"{self._oidc.groups_claim} of the ID token is no list of groups")
        return Identity(subject, name, frozenset(each for each in groups if isinstance(each, str)))

    def _endpoint(self, name: str) -> str:
        address = str(self._document().get(name) or "")
        if not self._is_safe(address):
            raise self._away(f"its discovery document has no {name} with https://")
        return address

    def _is_safe(self, address: str) -> bool:
        """Return whether nobody on the way can read or change what is sent there."""
        is_here = self._oidc.issuer.startswith("http://")  # on this machine alone: core/settings/oidc.py
        return address.startswith("https://") or (is_here and address.startswith("http://"))

    def _known(self) -> Mapping[str, Any]:
        """Return the discovery document; the door is passed where it has to be asked for."""
        kept = self._documents.kept(DOCUMENT)
        if kept is not None:
            return kept
        with self._at_the_door():
            return self._document()

    def _document(self) -> Mapping[str, Any]:
        return self._documents.get(DOCUMENT, self._read_document) or {}

    def _read_document(self) -> Mapping[str, Any]:
        found = self._read(f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._oidc.issuer:
            raise self._away(f"its discovery document is that of {str(found.get('issuer'))[:200]!r}")
        self._last = found
        return found

    def _key_set(self, *, is_new: bool = False) -> KeySet:
        if is_new:
            self._key_sets.forget(KEYS)
        return self._key_sets.get(KEYS, self._read_keys) or KeySet([])

    def _read_keys(self) -> KeySet:
        """Return the keys that can be read: one of a kind that nobody here knows spoils no other (RFC 7517, 5)."""
        listed = self._read(self._endpoint("jwks_uri")).get("keys")
        keys: list[Key] = []
        for each in listed if isinstance(listed, list) else []:
            try:
                keys.append(JWKRegistry.import_key(each))
            except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("OpenID provider %s: a key is left out: %r", self._oidc.issuer, error)
        if not keys:
            raise self._away("none of its keys can be read")
        return KeySet(keys)

    def _read(self, address: str) -> Mapping[str, Any]:
        try:
            with Session() as session:
                answer = session.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
                if answer.status_code != 200:
                    raise self._away(f"{address} is answered with {answer.status_code}")
                found = answer.json()
        except (RequestException, ValueError) as error:
            raise self._away(error) from error
        if not isinstance(found, dict):
            raise self._away(f"{address} is no JSON object")
        return found

    def _away(self, why: object) -> ProviderUnavailable:
        log.warning("OpenID provider %s: %s", self._oidc.issuer, why)
        return ProviderUnavailable(
            f"{self.host}, where you would sign in, does not answer as it should. Try again later, or sign in with a "
            "name and password if your account has one."
        )
