"""Tokens of programs, as they are kept: a digest each, what it may, and when it was last used."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from storage.state.access_tables import accounts, sessions, tokens
from storage.state.database import State, Transaction, portfolios

NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret. Times are epoch seconds; 0: never."""

    id: int
    name: str
    """What it is for, in words of who made it."""
    account: str
    """Name of the account whose token it is; empty: a service's."""
    scopes: frozenset[str]
    portfolios: frozenset[str]
    """Ids of the only portfolios that it is for, with those below them; empty: all that its owner may see."""
    made_at: float
    made_by: str
    expires_at: float
    revoked_at: float
    revoked_by: str
    used_at: float
    used_from: str


@dataclass(frozen=True, slots=True)
class Owner:
    """What of a token's owner decides what the token may."""

    role: str
    portfolios: frozenset[str]
    """Empty: every one."""
    is_disabled: bool
    subject: str
    """Who it is at the OpenID provider; empty: it signs in here."""
    signed_in_at: float
    """When it last signed in, epoch seconds, as far back as sessions are kept; 0: it did not."""


def add_token(connection: Transaction, digest: str, token: Token) -> Token:
    """Keep a token and return it with its number."""
    row = {name: getattr(token, name) for name in FIELDS if name != "id"}
    row |= {"digest": digest, "scopes": _as_text(token.scopes), "portfolios": _as_text(token.portfolios)}
    (number,) = connection.execute(sa.insert(tokens).values(**row)).inserted_primary_key or (0,)
    return replace(token, id=int(number))


def tokens_in(connection: Transaction, account: str | None = None) -> list[Token]:
    """Return the tokens of an account, of everybody and every service when None, newest first."""
    query = sa.select(*COLUMNS).order_by(tokens.c.id.desc())
    if account is not None:
        query = query.where(tokens.c.account == account)
    return [_token(row) for row in connection.execute(query)]


def token_in(connection: Transaction, id: int) -> Token | None:
    """Return the token of a number; None: there is none."""
    row = connection.execute(sa.select(*COLUMNS).where(tokens.c.id == id)).first()
    return _token(row) if row else None


def token_and_owner(state: State, digest: str) -> tuple[Token, Owner | None] | None:
    """Return the token of a digest and the account that it belongs to, where there is one; None: no such token.

    Raises StorageUnavailable.
    """
    with state.reading() as connection:
        row = connection.execute(FOUND, {"digest": digest}).first()
    if row is None:
        return None
    if row.owner_role is None:
        return _token(row), None
    return _token(row), Owner(
        row.owner_role,
        _as_set(row.owner_portfolios),
        row.owner_is_disabled,
        row.owner_subject,
        row.owner_signed_in_at or 0.0,
    )


def mark_revoked(connection: Transaction, id: int, by: str, now: float) -> bool:
    """Revoke a token for ever; return whether it was not revoked before."""
    which = (tokens.c.id == id) & (tokens.c.revoked_at == 0)
    return bool(connection.execute(sa.update(tokens).where(which).values(revoked_at=now, revoked_by=by)).rowcount)


def mark_used(state: State, id: int, now: float, address: str) -> None:
    """Remember when a token was used and from where. Raises StorageUnavailable."""
    values = {"used_at": now, "used_from": address[:64]}
    with state.begin() as connection:
        connection.execute(sa.update(tokens).where(tokens.c.id == id, tokens.c.used_at < now).values(**values))


def parents_of(state: State, origin: str) -> dict[str, str]:
    """Return the parent of each portfolio of an origin, by id; a root has an empty one. Raises StorageUnavailable."""
    query = sa.select(portfolios.c.id, portfolios.c.parent).where(portfolios.c.origin == origin)
    with state.reading() as connection:
        return {row.id: row.parent for row in connection.execute(query)}


FIELDS = tuple(field.name for field in fields(Token))
COLUMNS = tuple(tokens.c[name] for name in FIELDS)
FOUND = (
    sa.select(
        *COLUMNS,
        accounts.c.role.label("owner_role"),
        accounts.c.portfolios.label("owner_portfolios"),
        accounts.c.is_disabled.label("owner_is_disabled"),
        accounts.c.subject.label("owner_subject"),
        sa.select(sa.func.max(sessions.c.made_at))
        .where(sessions.c.account == accounts.c.name, accounts.c.subject != "")
        .correlate(accounts)
        .scalar_subquery()
        .label("owner_signed_in_at"),
    )
    .select_from(tokens.outerjoin(accounts, accounts.c.name == tokens.c.account))
    .where(tokens.c.digest == sa.bindparam("digest"))
)


def _token(row: Any) -> Token:
    sets = {name: _as_set(getattr(row, name)) for name in ("scopes", "portfolios")}
    return Token(**{name: sets.get(name, getattr(row, name)) for name in FIELDS})


def _as_text(values: Collection[str]) -> str:
    return json.dumps(sorted(values)) if values else ""


def _as_set(text: str) -> frozenset[str]:
    return frozenset(json.loads(text)) if text else frozenset()
