"""Secrets that are made here: random, told once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32
LONGEST_SECRET = 200
"""Characters of one that is sent: a longer one is none of ours and is not even hashed."""


def new_secret() -> str:
    """Return 256 random bits as text that fits into an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> str:
    """Return what is kept of a secret, 64 characters. A digest is enough for what cannot be guessed."""
    return hashlib.blake2b(secret[:LONGEST_SECRET].encode("utf-8", "replace"), digest_size=32).hexdigest()
