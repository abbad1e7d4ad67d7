"""A canary of the state database: a number that is written, committed and read back by another transaction."""

from __future__ import annotations

import sqlalchemy as sa

from core.errors import StorageRejected
from storage.state.database import State, metadata, upsert

canaries = sa.Table(
    "canaries",
    metadata,
    sa.Column("machine", sa.String(253), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)


def put_canary(state: State, machine: str, number: int) -> None:
    """Write a number and read it back.

    Raises StorageUnavailable or StorageRejected, also where another number came back.
    """
    with state.begin() as connection:
        upsert(connection, canaries, [{"machine": machine, "number": number}])
    with state.reading() as connection:
        found = connection.execute(sa.select(canaries.c.number).where(canaries.c.machine == machine)).scalar()
    if found != number:
        raise StorageRejected(f"{number} was written, {found} was read back")
