"""One-time sign-in links: of each the digest of its secret, whose it is and until when it works."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.access_tables import sign_in_links as links
from storage.state.accounts import change_within
from storage.state.database import State


def insert_link(state: State, digest: str, account: str, by: str, now: float, expires_at: float) -> None:
    """Keep a new link."""
    row = {"digest": digest, "account": account, "made_at": now, "made_by": by, "expires_at": expires_at}
    with state.begin() as connection:
        connection.execute(sa.insert(links).values(**row))


def account_of_link(state: State, digest: str, now: float) -> str:
    """Return whose link it is; empty: there is no such link, or it was used or has expired."""
    with state.reading() as connection:
        return str(connection.execute(sa.select(links.c.account).where(_works(digest, now))).scalar() or "")


def spend_link(state: State, digest: str, password: str, now: float) -> str:
    """Use a link up, and every other one of its account, and set the password's hash: all of it or nothing.

    Return whose link it is; empty when it did not work any more, and then nothing was changed.
    """
    with state.begin() as connection:
        account = connection.execute(sa.select(links.c.account).where(_works(digest, now)).with_for_update()).scalar()
        if not account:
            return ""
        unused = (links.c.account == account) & (links.c.used_at == 0)
        connection.execute(sa.update(links).where(unused).values(used_at=now))
        change_within(connection, account, password=password, password_at=now)
        return str(account)


def end_links(state: State, account: str, now: float) -> None:
    """Use up every link of an account."""
    with state.begin() as connection:
        unused = (links.c.account == account) & (links.c.used_at == 0)
        connection.execute(sa.update(links).where(unused).values(used_at=now))


def forget_links(state: State, before: float) -> None:
    """Delete the links that expired before then."""
    with state.begin() as connection:
        connection.execute(sa.delete(links).where(links.c.expires_at < before))


def _works(digest: str, now: float) -> sa.ColumnElement[bool]:
    return (links.c.digest == digest) & (links.c.used_at == 0) & (links.c.expires_at > now)
