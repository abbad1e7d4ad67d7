"""One-time sign-in links: whoever has one chooses the password of its account and is signed in."""

from __future__ import annotations

from urllib.parse import quote

from access.secrets import digest_of, new_secret
from storage.state import links
from storage.state.database import State

LINK_SECONDS = 24 * 3_600.0
PATH = "/sign-in/link"
KEY = "key"
"""Parameter of the path with the secret."""


def new_link(state: State, account: str, by: str, now: float) -> str:
    """Return the path of a new link for an account, which works once within a day. The others go on working."""
    secret = new_secret()
    links.forget_links(state, now - LINK_SECONDS)
    links.insert_link(state, digest_of(secret), account, by, now, now + LINK_SECONDS)
    return f"{PATH}?{KEY}={quote(secret)}"


def account_of(state: State, secret: str, now: float) -> str:
    """Return whose link it is; empty when it does not work. Nothing is used up."""
    return links.account_of_link(state, digest_of(secret), now)


def spend(state: State, secret: str, password_hash: str, now: float) -> str:
    """Set the password of a link's account and use up every link of it; return the account, empty: it did not work."""
    return links.spend_link(state, digest_of(secret), password_hash, now)
