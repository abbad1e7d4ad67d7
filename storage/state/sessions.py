"""Sessions of people who signed in: of each the digest of its secret, never the secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.access_tables import accounts, sessions
from storage.state.accounts import Account, account_of
from storage.state.database import State, Transaction


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person has signed in."""

    digest: str
    account: str
    made_at: float
    """When the person signed in, epoch seconds."""
    seen_at: float
    """When it was last used, epoch seconds, to the minute."""
    address: str
    agent: str
    """What the browser calls itself."""
    ended_at: float
    """When it was ended by somebody; 0: it was not."""


def insert_session(connection: Transaction, session: Session) -> None:
    """Keep a new session."""
    connection.execute(sa.insert(sessions).values(**{name: getattr(session, name) for name in _NAMES}))


def find_session(state: State, digest: str) -> tuple[Session, Account] | None:
    """Return the session of a digest with its account; None: there is none. Raises StorageUnavailable."""
    of_session = [sessions.c[name].label(f"session_{name}") for name in _NAMES]
    joined = sa.select(*of_session, accounts).join_from(sessions, accounts, accounts.c.name == sessions.c.account)
    with state.reading() as connection:
        row = connection.execute(joined.where(sessions.c.digest == digest)).first()
        if row is None:
            return None
        return Session(**{name: getattr(row, f"session_{name}") for name in _NAMES}), account_of(row)


def sessions_not_ended(state: State, account: str | None) -> list[Session]:
    """Return the sessions of an account, of everybody when None, that nobody ended, the one used last first.

    Raises StorageUnavailable.
    """
    query = sa.select(sessions).where(sessions.c.ended_at == 0)
    if account is not None:
        query = query.where(sessions.c.account == account)
    with state.reading() as connection:
        return [Session(**row._mapping) for row in connection.execute(query.order_by(sessions.c.seen_at.desc()))]


def mark_ended(connection: Transaction, account: str, now: float, digests: Sequence[str] | None = None) -> int:
    """End the sessions of an account, or only those of these digests; return how many were ended."""
    ended = (sessions.c.account == account) & (sessions.c.ended_at == 0)
    if digests is not None:
        ended &= sessions.c.digest.in_(digests)
    return connection.execute(sa.update(sessions).where(ended).values(ended_at=now)).rowcount


def mark_digest_ended(connection: Transaction, digest: str, now: float) -> None:
    """End the session of a digest, whosever it is."""
    mine = (sessions.c.digest == digest) & (sessions.c.ended_at == 0)
    connection.execute(sa.update(sessions).where(mine).values(ended_at=now))


def mark_seen(state: State, digest: str, account: str, now: float) -> None:
    """Keep when a session and its account were last used."""
    with state.begin() as connection:
        connection.execute(sa.update(sessions).where(sessions.c.digest == digest).values(seen_at=now))
        connection.execute(sa.update(accounts).where(accounts.c.name == account).values(seen_at=now))


def known_addresses(state: State, account: str) -> set[str]:
    """Return the addresses from which somebody has signed in to an account, as far back as sessions are kept."""
    known = sa.select(sessions.c.address).where(sessions.c.account == account).distinct()
    with state.reading() as connection:
        return set(connection.execute(known).scalars())


def forget_sessions(connection: Transaction, before: float) -> None:
    """Delete the sessions that were last used before then."""
    connection.execute(sa.delete(sessions).where(sessions.c.seen_at < before))


_NAMES = tuple(column.name for column in sessions.columns)
