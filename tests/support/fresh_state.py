"""A state database on PostgreSQL with nothing in it: rows of the audit are never deleted, so all goes at once."""

from __future__ import annotations

import sqlalchemy as sa

from storage.state.database import State


def fresh_postgres(url: str) -> State:
    """Return the database at `url` as a first start makes it."""
    database = State(url)
    with database.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    database.migrate()
    return database
