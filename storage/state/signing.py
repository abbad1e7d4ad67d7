"""The key that signs what browsers keep for us: made once, the same for every process on the state database."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from storage.state.access_tables import marks
from storage.state.database import State

PARTS = tuple(f"signing key {number}" for number in range(1, 5))
"""Marks that hold 63 bits of it each."""
PART_BITS = 63


def signing_key(state: State) -> bytes:
    """Return the key, 32 bytes; it is made where there is none. Raises StorageUnavailable."""
    asked = sa.select(marks.c.name, marks.c.value).where(marks.c.name.in_(PARTS))
    with state.reading() as connection:
        found = dict(connection.execute(asked).all())
    if len(found) < len(PARTS):
        with state.deciding_accounts() as connection:  # one process at a time, so that all have the same
            found = dict(connection.execute(asked).all())
            made = {name: secrets.randbits(PART_BITS) for name in PARTS if name not in found}
            if made:
                connection.execute(sa.insert(marks), [{"name": name, "value": value} for name, value in made.items()])
            found |= made
    return b"".join(found[name].to_bytes(8, "big") for name in PARTS)
