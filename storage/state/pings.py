"""What jobs told of themselves: the newest pings of each, in the state database, so that none is lost once answered."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.database import State, pings

KEPT = 200
"""Pings kept of each job."""
MESSAGE_CHARACTERS = 500

START, SUCCESS, FAIL = "start", "success", "fail"
WATCHED = "watched"
"""No ping: the row that says since when a job is watched that has not pinged yet."""


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping."""

    at: float
    """Epoch seconds."""
    kind: str
    rows: int | None = None
    bytes: int | None = None
    files: int | None = None
    expected: int | None = None
    """Rows that the job itself expected."""
    message: str = ""


COLUMNS = (pings.c.at, pings.c.kind, pings.c.rows, pings.c.bytes, pings.c.files, pings.c.expected, pings.c.message)


def add_ping(state: State, job: str, ping: Ping) -> None:
    """Keep a ping, and of the job's only the newest. Raises StorageUnavailable."""
    row = {
        "job": job, "at": ping.at, "kind": ping.kind, "rows": ping.rows, "bytes": ping.bytes, "files": ping.files,
        "expected": ping.expected, "message": ping.message[:MESSAGE_CHARACTERS],
    }  # fmt: skip
    last_kept = sa.select(pings.c.id).where(pings.c.job == job).order_by(pings.c.id.desc()).offset(KEPT - 1).limit(1)
    with state.begin() as connection:
        connection.execute(sa.insert(pings).values(**row))
        oldest = connection.execute(last_kept).scalar()
        if oldest is not None:
            connection.execute(sa.delete(pings).where(pings.c.job == job, pings.c.id < oldest))


def recent_pings(state: State, job: str, limit: int = KEPT) -> list[Ping]:
    """Return the newest pings of a job, newest first. Raises StorageUnavailable."""
    of_job = sa.and_(pings.c.job == job, pings.c.kind != WATCHED)
    query = sa.select(*COLUMNS).where(of_job).order_by(pings.c.id.desc()).limit(limit)
    with state.reading() as connection:
        return [Ping(*row) for row in connection.execute(query)]


def watched_since(state: State, job: str, now: float, *, keeps: bool = True) -> float:
    """Return since when (epoch seconds) a job is watched that has not pinged yet: from `now` on if it was not before.

    keeps: whether that is written down. Raises StorageUnavailable.
    """
    query = sa.select(sa.func.min(pings.c.at)).where(pings.c.job == job, pings.c.kind == WATCHED)
    with state.reading() as connection:
        known = connection.execute(query).scalar()
    if known is not None:
        return float(known)
    if keeps:
        add_ping(state, job, Ping(now, WATCHED))
    return now
