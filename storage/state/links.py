"""One-time sign-in links: of each the digest of its secret, whose it is and until when it works."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.access_tables import sign_in_links as links
from storage.state.database import Transaction


def insert_link(connection: Transaction, digest: str, account: str, by: str, now: float, expires_at: float) -> None:
    """Keep a new link."""
    row = {"digest": digest, "account": account, "made_at": now, "made_by": by, "expires_at": expires_at}
    connection.execute(sa.insert(links).values(**row))


def account_of_link(connection: Transaction, digest: str, now: float) -> str:
    """Return whose link it is; empty: there is no such link, or it was used or has expired."""
    works = (links.c.digest == digest) & (links.c.used_at == 0) & (links.c.expires_at > now)
    return str(connection.execute(sa.select(links.c.account).where(works).with_for_update()).scalar() or "")


def use_up_links(connection: Transaction, account: str, now: float) -> None:
    """Let no link of an account work any more."""
    unused = (links.c.account == account) & (links.c.used_at == 0)
    connection.execute(sa.update(links).where(unused).values(used_at=now))


def forget_links(connection: Transaction, before: float) -> None:
    """Delete the links that expired before then."""
    connection.execute(sa.delete(links).where(links.c.expires_at < before))
