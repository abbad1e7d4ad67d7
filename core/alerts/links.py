"""Signed links in messages: whoever has one may acknowledge an incident, or put it off, without signing in.

What a link is for stands in it, with an HMAC (RFC 2104, SHA-256, its first 128 bits) by a key of the installation: it
cannot be made up or changed, works for one incident and until a time, and holds no secret beyond that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from core.errors import LinkRefused

PATH = "/m/"
"""What the address of every such link begins with: short, as messages are."""
ACKNOWLEDGE, SNOOZE = "acknowledge", "snooze"
LETTERS: Mapping[str, str] = {ACKNOWLEDGE: "a", SNOOZE: "s"}
SIGNED_BYTES = 16
LONGEST = 300
"""Characters of a link; a longer one is none of ours."""
_FORM = re.compile(r"([as])([1-9]\d{0,14})\.(\d{1,9})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{1,64})")
_IN_TEXT = re.compile(re.escape(PATH) + r"[as]\d+\.[\w.%-]+")
WORDS = {letter: what for what, letter in LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for: an incident, as one message told of it to one channel."""

    what: str
    """ACKNOWLEDGE or SNOOZE."""
    incident: int
    number: int
    """Of the message of that incident."""
    receiver: str
    expires: int
    """Epoch seconds."""

    def token(self, key: str) -> str:
        """Return what stands behind PATH."""
        place = f"{LETTERS[self.what]}{self.incident}.{self.number}.{self.expires:x}"
        return f"{place}.{_signature(key, place, self.receiver)}.{quote(self.receiver, safe='')}"


def read_link(token: str, key: str, now: float) -> Link:
    """Return what a link is for. Raises LinkRefused: it is forged, cut, of another installation, or has expired.

    key: of this installation; empty: it has made no link yet. now: epoch seconds.
    """
    found = _FORM.fullmatch(token) if len(token) <= LONGEST else None
    if found is None or not key:
        raise LinkRefused("This link is not whole, or was not made here: open it from the message again.")
    letter, incident, number, expires, signature, receiver = found.groups()
    place = f"{letter}{incident}.{number}.{expires}"
    if not hmac.compare_digest(signature, _signature(key, place, receiver)):
        raise LinkRefused("This link is not whole, or was not made here: open it from the message again.")
    link = Link(WORDS[letter], int(incident), int(number), receiver, int(expires, 16))
    if now >= link.expires:
        raise LinkRefused("This link has expired: sign in to act on the alert, or use the link of a newer message.")
    return link


def without_links(text: str) -> str:
    """Return a text in which no link stands that somebody could use."""
    return _IN_TEXT.sub(f"{PATH}***", text)


def _signature(key: str, place: str, receiver: str) -> str:
    told = hmac.new(key.encode(), f"fundwatch alert link\n{place}\n{receiver}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(told[:SIGNED_BYTES]).decode().rstrip("=")
