"""How far each pull has come, and the rows that were not taken, with why."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.database import State, pulled, refused_rows, upsert

MOST_REFUSED = 1_000
"""Rows kept of each source, the newest."""
KeptPlace = tuple[float, str, str]
CONTENT_CHARACTERS, REASON_CHARACTERS = 4_000, 500


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a pull has come."""

    mark: str = ""
    """As JSON; empty: nothing was read yet."""
    rows: int = 0
    """That were taken since ever, those read again too."""
    refused: int = 0
    """That were not."""
    refused_at: float = 0.0
    """When the last one was, epoch seconds; 0: never."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken."""

    content: str
    """As JSON."""
    reason: str
    place: str = ""
    """Where it stands, where it has a place of its own: the message of a topic. Empty: it is known by its content."""


def read_pull(state: State, name: str) -> Mark:
    """Return how far a pull has come. Raises StorageUnavailable."""
    columns = (pulled.c.mark, pulled.c.rows, pulled.c.refused, pulled.c.refused_at)
    with state.reading() as connection:
        row = connection.execute(sa.select(*columns).where(pulled.c.name == name)).first()
    return Mark(*row) if row else Mark()


def move_pull(
    state: State, name: str, before: Mark, mark: str, rows: int, refused: Sequence[RefusedRow], now: float
) -> Mark:
    """Move the mark of a pull past rows that are durable, keep those refused, and return where it is now.

    A row that is refused again is kept and counted once, as long as it is among those kept. Raises StorageUnavailable.
    """
    found = [(_digest(each), each) for each in refused]
    with state.begin() as connection:
        kept = sa.select(refused_rows.c.digest).where(refused_rows.c.source == name)
        known = set(connection.execute(kept).scalars()) if found else set()
        fresh = {digest: each for digest, each in found if digest not in known}
        rows_of = [
            {"source": name, "digest": digest, "at": now, "content": _storable(each.content[:CONTENT_CHARACTERS]),
             "reason": _storable(each.reason[:REASON_CHARACTERS])}
            for digest, each in fresh.items()
        ]  # fmt: skip
        upsert(connection, refused_rows, rows_of)
        at = now if fresh else before.refused_at
        made = Mark(mark, before.rows + rows, before.refused + len(fresh), at)
        values = {"mark": made.mark, "rows": made.rows, "refused": made.refused, "refused_at": made.refused_at}
        upsert(connection, pulled, [{"name": name, **values}])
        if fresh:
            newest = kept.order_by(refused_rows.c.at.desc(), refused_rows.c.digest).limit(MOST_REFUSED)
            old = (refused_rows.c.source == name) & refused_rows.c.digest.not_in(newest)
            connection.execute(sa.delete(refused_rows).where(old))
    return made


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row that was refused, as it is kept."""

    source: str
    """The importer."""
    digest: str
    at: float
    """When, epoch seconds."""
    content: str
    reason: str


def read_refused(
    state: State, source: str = "", *, after: KeptPlace | None = None, offset: int = 0, limit: int = 100
) -> list[KeptRow]:
    """Return rows that were refused, the newest first: of one importer, or of all.

    after: time, importer and digest of the row that they follow. Raises StorageUnavailable.
    """
    of = refused_rows.c
    query = sa.select(of.source, of.digest, of.at, of.content, of.reason)
    query = query.order_by(of.at.desc(), of.source, of.digest).offset(offset).limit(limit)
    if source:
        query = query.where(of.source == source)
    if after is not None:
        at, name, digest = after
        follows = (of.source > name) | ((of.source == name) & (of.digest > digest))
        query = query.where((of.at < at) | ((of.at == at) & follows))
    with state.reading() as connection:
        return [KeptRow(*row) for row in connection.execute(query)]


def count_refused(state: State) -> dict[str, int]:
    """Return how many rows are kept by the importer that was refused them. Raises StorageUnavailable."""
    query = sa.select(refused_rows.c.source, sa.func.count()).group_by(refused_rows.c.source)
    with state.reading() as connection:
        return {source: int(rows) for source, rows in connection.execute(query)}


def _digest(row: RefusedRow) -> str:
    known_by = f"{row.place}\n{row.content}" if row.place else row.content
    return hashlib.blake2b(known_by.encode(), digest_size=16).hexdigest()


def _storable(text: str) -> str:
    """Return a text without NUL, which PostgreSQL takes in none."""
    return text.replace("\0", "�")


def refused_of(state: State, name: str) -> list[RefusedRow]:
    """Return the rows that a pull did not take, the newest first. Raises StorageUnavailable."""
    query = sa.select(refused_rows.c.content, refused_rows.c.reason).where(refused_rows.c.source == name)
    with state.reading() as connection:
        found = connection.execute(query.order_by(refused_rows.c.at.desc(), refused_rows.c.digest))
        return [RefusedRow(*row) for row in found]
