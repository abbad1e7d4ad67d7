"""One-time sign-in links: whoever has one chooses the password of its account and is signed in."""

from __future__ import annotations

from urllib.parse import quote

from access.secrets import digest_of, new_secret
from storage.state import links
from storage.state.accounts import Account, account_in
from storage.state.database import State, Transaction

LINK_SECONDS = 24 * 3_600.0
PATH = "/sign-in/link"
KEY = "key"
"""Parameter of the path with the secret."""


def new_link(connection: Transaction, account: str, by: str, now: float) -> str:
    """Return the path of a new link for an account, which works once within a day. The others go on working."""
    secret = new_secret()
    links.forget_links(connection, now - LINK_SECONDS)
    links.insert_link(connection, digest_of(secret), account, by, now, now + LINK_SECONDS)
    return f"{PATH}?{KEY}={quote(secret)}"


def account_of(state: State, secret: str, now: float) -> Account | None:
    """Return whose link it is; None when it does not work, or its account is disabled. Nothing is used up."""
    with state.begin() as connection:
        return account_in_of(connection, secret, now)


def account_in_of(connection: Transaction, secret: str, now: float) -> Account | None:
    """Do what `account_of` does as part of a transaction."""
    account = account_in(connection, links.account_of_link(connection, digest_of(secret), now))
    return None if account is None or account.is_disabled else account
