"""Where people sign in, and to where they return after it."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from access.links import PATH as LINK

__all__ = ["LINK"]

SIGN_IN, SIGN_OUT, ACCOUNT = "/sign-in", "/sign-out", "/account"
PROVIDER, BACK = f"{SIGN_IN}/provider", f"{SIGN_IN}/provider/back"
"""Where a sign-in at the OpenID provider begins, and where the provider sends people back to."""
OVERVIEW = "overview"
"""Id of the page that opens first."""
SAFE = f"/{OVERVIEW}/safe"
"""What the badge of every tab asks."""
READINESS = "/readiness"
"""Every check, and where trading is halted and resumed."""
NEXT = "next"
"""Parameter of the sign-in with the place to return to."""
LONGEST_NEXT = 4_000


def sign_in_path(place: str) -> str:
    """Return the address of the sign-in that leads back to a place of our own; without it where there is no such."""
    own = own_place(place)
    return SIGN_IN if own == "/" else f"{SIGN_IN}?{NEXT}={quote(own, safe='/')}"


def own_place(place: str) -> str:
    """Return an address within Fundwatch, path and query, as it was given; "/" where it is none or leads elsewhere.

    A browser takes //host, /\\host and what it makes of blanks and control characters for another host's address: what
    could be read as such, also when it is decoded again, is none of ours.
    """
    if not 0 < len(place) <= LONGEST_NEXT:
        return "/"
    for read in (place, unquote(place), unquote(unquote(place))):
        path = read.split("?", 1)[0]
        if not path.startswith("/") or path.startswith("//") or "\\" in path or not _is_printable(path):
            return "/"
    parts = urlsplit(place)
    is_ours = not parts.scheme and not parts.netloc and place.isprintable()
    return place if is_ours and parts.path not in (SIGN_IN, SIGN_OUT, LINK, PROVIDER, BACK) else "/"


def _is_printable(path: str) -> bool:
    return path.isprintable() and path == path.strip()
