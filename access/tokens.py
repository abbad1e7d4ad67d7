"""Tokens with which programs ask: made once, shown once, kept as a digest, never worth more than their owner is now.

A secret is 256 random bits, so its digest needs no key and no slow hash: there is no list of likely secrets to try, and
no number of tries finds one, whoever has the digests. A key beside the state database would have to be carried to every
machine that serves, and be lost or copied with it. (RFC 7693: BLAKE2b; the personalisation keeps these digests apart
from any others of the same secret.)
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from access.audit import record_in
from access.viewer import ACTING_ROLE, Viewer
from core.errors import ChangeRejected, StorageError
from core.memo import Believed
from core.roles import Role
from storage.state.accounts import find_account
from storage.state.database import State, Transaction
from storage.state.portfolios import OWN
from storage.state.tokens import (
    NAME_CHARACTERS,
    Owner,
    Token,
    add_token,
    mark_revoked,
    mark_used,
    parents_of,
    token_and_owner,
    token_in,
    tokens_in,
)

if TYPE_CHECKING:
    from core.clock import Clock
    from core.settings.model import Settings

log = logging.getLogger(__name__)

PREFIX = "fw_"
SECRET_BYTES = 32
SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
"""What every secret looks like: 32 bytes are 43 characters of URL-safe base64."""
PERSON = b"fundwatch token"
USED_EVERY_SECONDS = 60.0
"""So seldom is it written that a token was used."""


class Scope(StrEnum):
    """What a token is for."""

    READ = "read"
    INGEST_NAV = "ingest:nav"
    INGEST_TRADES = "ingest:trades"
    INGEST_SAMPLES = "ingest:samples"
    READINESS = "readiness"
    HALTS = "halts"
    ALERTS = "alerts"
    ADMIN = "admin"


SCOPES: Mapping[Scope, tuple[Role, Role, str]] = {
    Scope.READ: (Role.VIEWER, Role.ANALYST, "Read figures, components and portfolios."),
    Scope.INGEST_NAV: (Role.OPERATOR, Role.OPERATOR, "Send NAV."),
    Scope.INGEST_TRADES: (
        Role.OPERATOR,
        Role.OPERATOR,
        "Send orders, trades, positions, cash, instruments, prices and exchange rates.",
    ),
    Scope.INGEST_SAMPLES: (Role.OPERATOR, Role.OPERATOR, "Send measurements and events."),
    Scope.READINESS: (Role.VIEWER, Role.VIEWER, "Ask whether trading is safe."),
    Scope.HALTS: (Role.OPERATOR, Role.OPERATOR, "Halt trading, and resume it."),
    Scope.ALERTS: (Role.OPERATOR, Role.OPERATOR, "Acknowledge and silence alerts."),
    Scope.ADMIN: (Role.ADMIN, Role.ADMIN, "Read users, tokens and the audit; change portfolios and benchmarks."),
}
"""Of each scope: the least role of who may give it, the highest role that it lends, and what it is for."""


def make_token(
    state: State,
    *,
    name: str,
    account: str,
    scopes: Collection[str],
    portfolios: Collection[str] = (),
    expires_at: float = 0.0,
    by: Viewer,
    now: float,
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is kept nowhere and cannot be had again.

    name: what it is for. account: whose it is, that of `by`; empty: a service's, which an admin alone may make.
    portfolios: ids that it is limited to (alpha, or own:alpha as the API says), with those below; none: all that its
    owner may see. expires_at: epoch seconds, 0: never. Raises ChangeRejected that names the fields; StorageUnavailable.
    """
    name, portfolios = " ".join(name.split()), [id.removeprefix(f"{OWN}:") for id in portfolios]
    if wrong := _wrong(state, name, account, scopes, portfolios, expires_at, by, now):
        raise ChangeRejected("No token was made.", wrong)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    chosen, only = frozenset(map(str, scopes)), frozenset(portfolios)
    if not account and not only and by.portfolios is not None:
        only = by.portfolios  # a service has no owner whose limits it would follow
    token = Token(0, name, account, chosen, only, now, by.name, expires_at, 0.0, "", 0.0, "")
    with state.begin() as connection:
        token = add_token(connection, digest_of(secret), token)
        record_in(
            connection,
            who=by.name,
            what="token made",
            target=told(token),
            detail=f"for {', '.join(sorted(chosen))}" + (f"; portfolios {', '.join(sorted(only))}" if only else ""),
            at=now,
        )
    return token, secret


def list_tokens(state: State, by: Viewer) -> list[Token]:
    """Return the tokens that `by` may see, newest first: an admin everybody's, others their own."""
    with state.reading() as connection:
        return tokens_in(connection, None if by.role >= Role.ADMIN else by.name)


def revoke(state: State, id: int, *, by: Viewer, now: float) -> Token:
    """Revoke a token, at once and for ever, and return it. Once more is harmless.

    Raises ChangeRejected for one that is not there or that `by` may not revoke; StorageUnavailable.
    """
    with state.begin() as connection:
        token = token_in(connection, id)
        if token is None or (by.role < Role.ADMIN and token.account != by.name):
            whose = "" if by.role >= Role.ADMIN else " of yours"
            raise ChangeRejected(f"There is no token {id}{whose}: give the number of one in the list.")
        if mark_revoked(connection, id, by.name, now):
            record_in(connection, who=by.name, what="token revoked", target=told(token), at=now)
        return token_in(connection, id) or token


def revoke_all(connection: Transaction, account: str, *, by: str, now: float) -> None:
    """Revoke every token of an account as part of a transaction."""
    for token in tokens_in(connection, account):
        if mark_revoked(connection, token.id, by, now):
            record_in(connection, who=by, what="token revoked", target=told(token), at=now)


def token_of(state: State, secret: str, now: float) -> Token | None:
    """Return the token of a secret; None: there is none, it is revoked or has expired. Raises StorageUnavailable."""
    found = _valid(state, secret, now)
    return found[0] if found else None


def viewer_of_token(state: State, settings: Settings, secret: str, now: float, address: str = "") -> Viewer | None:
    """Return who a program with this secret is, as of `now`; None where it is nobody.

    A token of a person may what both the token and its owner may now: whose account is gone or disabled, it is nobody.
    So is whoever has not signed in at the provider for as long as a session lasts at most, by which his groups are
    known, and whose provider is not that of the settings.
    A service is told from people by the name "service:" and what its token is for.
    Its scopes lend at most the roles in SCOPES. That it was used, and from which address, is kept once a minute.
    Raises StorageUnavailable.
    """
    found = _valid(state, secret, now)
    if found is None:
        return None
    token, owner = found
    if token.account and (owner is None or owner.is_disabled or not _is_vouched_for(owner, settings, now)):
        return None
    if now - token.used_at >= USED_EVERY_SECONDS:
        _keep_used(state, token, now, address)
    owned = Role[owner.role.upper()] if owner else Role.ADMIN
    scopes = frozenset(scope for scope in Scope if scope in token.scopes and SCOPES[scope][0] <= owned)
    role = min(owned, lent(scopes))
    return Viewer(
        name=token.account or f"service:{token.name}",
        role=role,
        may_act=settings.actions_enabled and role >= ACTING_ROLE and Scope.ADMIN in scopes,
        portfolios=_portfolios(state, owner, token),
        scopes=frozenset(map(str, scopes)),
    )


def lent(scopes: Collection[str]) -> Role:
    """Return the highest role that scopes lend, whoever's token they are of."""
    return max((SCOPES[Scope(scope)][1] for scope in scopes), default=Role.VIEWER)


class Bearers:
    """Who programs are, by the secret that they send. One a process; safe to share between threads.

    What was looked up is believed for a moment: a program that asks often costs a look-up every two seconds, and a
    token that was revoked elsewhere, or whose owner may less now, works so long at most.
    """

    def __init__(self, state: State, settings: Settings, clock: Clock) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._known: Believed[Viewer] = Believed(clock)
        """By secret."""

    def viewer(self, secret: str, address: str = "") -> Viewer | None:
        """Return what `viewer_of_token` does. Raises StorageUnavailable."""
        return self._known.get(
            secret, lambda: viewer_of_token(self._state, self._settings, secret, self._clock.now(), address)
        )


def told(token: Token) -> str:
    """Return a token as it is named in the audit: its number and what it is for, and never its secret."""
    whose = f" of {token.account}" if token.account else " of a service"
    return f"token {token.id} ({token.name}){whose}"


def digest_of(secret: str) -> str:
    """Return what is kept of a secret: 64 hexadecimal digits."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=PERSON).hexdigest()


def within_both(first: Collection[str], second: Collection[str], parent_of: Mapping[str, str]) -> frozenset[str] | None:
    """Return the portfolios that lie at or below one of `first` and one of `second`; None: no limit at all.

    Either being empty means that it does not limit. What is in both, and below it, is seen; a portfolio that is not in
    the tree is seen by nobody.
    """
    if not first or not second:
        return frozenset([*first, *second]) or None
    return frozenset(
        [each for each in first if _lies_in(each, second, parent_of)]
        + [each for each in second if _lies_in(each, first, parent_of)]
    )


def _lies_in(id: str, those: Collection[str], parent_of: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    while id in parent_of and id not in seen:
        if id in those:
            return True
        seen.add(id)
        id = parent_of[id]
    return False


def _is_vouched_for(owner: Owner, settings: Settings, now: float) -> bool:
    """Return whether what is known of an owner's rights is said here, or was by the provider not too long ago."""
    if not owner.subject:
        return True
    return settings.oidc.is_of(owner.subject) and now - owner.signed_in_at < settings.sessions.longest_seconds


def _portfolios(state: State, owner: Owner | None, token: Token) -> frozenset[str] | None:
    of_owner = owner.portfolios if owner else frozenset()
    if not of_owner or not token.portfolios:
        return within_both(of_owner, token.portfolios, {})
    return within_both(of_owner, token.portfolios, parents_of(state, OWN))


def _valid(state: State, secret: str, now: float) -> tuple[Token, Owner | None] | None:
    if not SECRET.fullmatch(secret):
        return None
    found = token_and_owner(state, digest_of(secret))
    if found is None or found[0].revoked_at or 0 < found[0].expires_at <= now:
        return None
    return found


def _keep_used(state: State, token: Token, now: float, address: str) -> None:
    """Remember the use of a token; a program that could be let in is not sent away because that cannot be written."""
    try:
        mark_used(state, token.id, now, address)
    except StorageError as error:
        log.warning("use of %s not kept: %s", told(token), error)


def _wrong(
    state: State,
    name: str,
    account: str,
    scopes: Collection[str],
    portfolios: Collection[str],
    expires_at: float,
    by: Viewer,
    now: float,
) -> dict[str, str]:
    """Return what is wrong with each field of a token that is to be made."""
    wrong: dict[str, str] = {}
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable():
        wrong["name"] = f"Say in 1 to {NAME_CHARACTERS} characters what it is for."
    if by.scopes is not None:
        wrong["account"] = "A person makes tokens, a token does not."
    elif account and account != by.name:
        wrong["account"] = "Make it for yourself, or as an admin for a service."
    elif account and find_account(state, account) is None:
        wrong["account"] = "Sign in to an account of your own first."
    elif not account and by.role < Role.ADMIN:
        wrong["account"] = "An admin makes tokens of services; make one of your own."
    if unknown := sorted(set(map(str, scopes)) - set(Scope)):
        wrong["scopes"] = f"There is no scope {', '.join(unknown)[:80]}; there are {', '.join(Scope)}."
    elif not scopes:
        wrong["scopes"] = f"Choose at least one of {', '.join(_scopes_of(by.role))}."
    elif above := sorted(set(map(str, scopes)) - set(_scopes_of(by.role))):
        wrong["scopes"] = f"Leave out what is more than your role {by.role.word} may: {', '.join(above)}."
    if expires_at and expires_at <= now:
        wrong["expires_at"] = "It lies in the past: choose a later day, or none."
    if portfolios:
        known = parents_of(state, OWN)
        mine = frozenset(known) if by.portfolios is None else by.portfolios
        unseen = sorted(id for id in portfolios if not _lies_in(id, mine, known))
        if unseen:
            wrong["portfolios"] = f"You see no portfolio {', '.join(unseen)[:80]}: give its id, alpha or own:alpha."
    return wrong


def _scopes_of(role: Role) -> list[str]:
    """Return the scopes that somebody of a role may give."""
    return [scope.value for scope in Scope if SCOPES[scope][0] <= role]
