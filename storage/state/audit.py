"""The audit: who did what, on what, from where, when, and what came of it. Rows are added and never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.access_tables import audit, marks
from storage.state.database import AUDIT_LOCK, State, Transaction, upsert

WHO_CHARACTERS, WHAT_CHARACTERS, TARGET_CHARACTERS, ADDRESS_CHARACTERS = 80, 64, 255, 64
DETAIL_CHARACTERS = 2_000
ASKED_FROM: ContextVar[str] = ContextVar("asked_from", default="")
"""Address of the request that is being answered: that of rows which name none, such as of an import by browser."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit. `at` is in epoch seconds; `id` grows in the order in which rows were added."""

    at: float
    who: str
    """Name of an account, of a token's owner, or of what acts by itself."""
    what: str
    target: str = ""
    """What it was done to."""
    address: str = ""
    """Where it came from; empty: this machine's command line or Fundwatch itself."""
    outcome: str = "done"
    """done, refused or failed."""
    detail: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of the audit are asked for. What is empty leaves nothing out."""

    who: str = ""
    what: str = ""
    outcome: str = ""
    since: float = 0.0
    """Epoch seconds, included."""
    until: float = 0.0
    """Epoch seconds, not included; 0: no end."""


ALL = Wanted()


def add_entry(connection: Transaction, entry: Entry) -> int:
    """Add a row as part of the transaction that does what it tells, and return its number. Long texts are cut."""
    if connection.dialect.name == "postgresql":
        # A number is drawn before its row is there: alone, rows are there in the order of their numbers.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})
    row = {
        "at": entry.at,
        "who": entry.who[:WHO_CHARACTERS],
        "what": entry.what[:WHAT_CHARACTERS],
        "target": entry.target[:TARGET_CHARACTERS],
        "address": (entry.address or ASKED_FROM.get())[:ADDRESS_CHARACTERS],
        "outcome": entry.outcome,
        "detail": entry.detail[:DETAIL_CHARACTERS],
    }
    (number,) = connection.execute(sa.insert(audit).values(**row)).inserted_primary_key or (0,)
    return int(number)


def read_entries(state: State, wanted: Wanted = ALL, *, before: int = 0, limit: int = 100) -> list[Entry]:
    """Return the newest rows that are wanted, newest first.

    before: number of a row: only those added before it, 0: from the newest. Raises StorageUnavailable.
    """
    query = sa.select(audit).where(*_conditions(wanted))
    if before:
        query = query.where(audit.c.id < before)
    with state.reading() as connection:
        return [Entry(**row._mapping) for row in connection.execute(query.order_by(audit.c.id.desc()).limit(limit))]


def newest_of(connection: Transaction, what: Collection[str], limit: int, before: int) -> list[Entry]:
    """Return the newest rows, before the row of a number, of these things that were done; the newest first.

    Each of them is looked up in the index: what else was done meanwhile, however often, costs nothing.
    """
    each = [
        sa.select(sa.select(audit).where(audit.c.what == word, audit.c.id < before)
                  .order_by(audit.c.id.desc()).limit(limit).subquery())
        for word in sorted(what)
    ]  # fmt: skip
    found = sa.union_all(*each).subquery()
    rows = connection.execute(sa.select(found).order_by(found.c.id.desc()).limit(limit))
    return [Entry(**row._mapping) for row in rows]


def count_entries(state: State, wanted: Wanted = ALL) -> int:
    """Return how many rows are wanted. Raises StorageUnavailable."""
    query = sa.select(sa.func.count()).select_from(audit).where(*_conditions(wanted))
    with state.reading() as connection:
        return int(connection.execute(query).scalar_one())


def entries_after(state: State, number: int, limit: int) -> list[Entry]:
    """Return the rows added after row `number`, oldest first. Raises StorageUnavailable."""
    query = sa.select(audit).where(audit.c.id > number).order_by(audit.c.id).limit(limit)
    with state.reading() as connection:
        return [Entry(**row._mapping) for row in connection.execute(query)]


def known_of(state: State) -> tuple[list[str], list[str]]:
    """Return every name that did something, and everything that was done, each sorted. Raises StorageUnavailable."""
    with state.reading() as connection:
        who, what = (
            sorted(connection.execute(sa.select(column).distinct()).scalars()) for column in (audit.c.who, audit.c.what)
        )
        return who, what


def read_mark(state: State, name: str) -> int:
    """Return how far a job has come; 0 when it has not begun. Raises StorageUnavailable."""
    with state.reading() as connection:
        return int(connection.execute(sa.select(marks.c.value).where(marks.c.name == name)).scalar() or 0)


def set_mark(state: State, name: str, value: int) -> None:
    """Remember how far a job has come. Raises StorageUnavailable."""
    with state.begin() as connection:
        upsert(connection, marks, [{"name": name, "value": value}])


def _conditions(wanted: Wanted) -> Sequence[sa.ColumnElement[bool]]:
    exact = {audit.c.who: wanted.who, audit.c.what: wanted.what, audit.c.outcome: wanted.outcome}
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in exact.items() if value]
    if wanted.since:
        found.append(audit.c.at >= wanted.since)
    if wanted.until:
        found.append(audit.c.at < wanted.until)
    return found
