"""What was answered to a batch that came with an Idempotency-Key: the same one sent again gets it too."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from storage.state.database import State, ingest_answers

ABANDONED_SECONDS = 30.0
"""A batch that nobody has answered for so long was cut off: the next one with its key begins anew. Longer than the time
limit of a statement. Where the first one goes on all the same nothing is doubled: what is there is looked up before,
one batch at a time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch that came with this key before."""

    digest: str
    """Tells its content from any other."""
    answer: str
    """Empty: it is being worked on."""


def begin(state: State, who: str, key: str, digest: str, now: float, keep_seconds: float) -> Kept | None:
    """Return what came with this key before; None: nothing, and from now on this batch has. Raises StorageUnavailable.

    Answers older than `keep_seconds` are forgotten.
    """
    of = (ingest_answers.c.who == who, ingest_answers.c.key == key)
    with state.begin() as connection:
        forgotten = sa.or_(
            ingest_answers.c.at < now - keep_seconds,
            sa.and_(ingest_answers.c.answer == "", ingest_answers.c.at < now - ABANDONED_SECONDS),
        )
        connection.execute(sa.delete(ingest_answers).where(forgotten))
        row = connection.execute(sa.select(ingest_answers).where(*of)).first()
        if row is not None:
            return Kept(row.digest, row.answer)
        try:
            with connection.begin_nested():
                values = {"who": who, "key": key, "digest": digest, "at": now, "answer": ""}
                connection.execute(sa.insert(ingest_answers).values(**values))
        except IntegrityError:  # another process was first, a moment ago
            row = connection.execute(sa.select(ingest_answers).where(*of)).first()
            return Kept(row.digest, row.answer) if row is not None else Kept(digest, "")
    return None


def keep_answer(state: State, who: str, key: str, answer: str) -> None:
    """Keep what was answered. Raises StorageUnavailable."""
    with state.begin() as connection:
        of = (ingest_answers.c.who == who, ingest_answers.c.key == key)
        connection.execute(sa.update(ingest_answers).where(*of).values(answer=answer))


def forget(state: State, who: str, key: str) -> None:
    """Let the key be used for another batch: this one was refused. Raises StorageUnavailable."""
    with state.begin() as connection:
        of = (ingest_answers.c.who == who, ingest_answers.c.key == key)
        connection.execute(sa.delete(ingest_answers).where(*of))
