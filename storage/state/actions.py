"""Actions on watched sources: the page asks, the collecting process does it, and what came of it is kept.

A request is taken by one process only, and soon or never: ending "session 4121" an hour late may hit another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.audit import Entry, add_entry
from storage.state.database import State, actions

DATASET = "actions"
"""Its version (storage.live.redis.Live.version) moves when an action is asked for or done."""
EXPIRES_SECONDS = 30.0
LOST_SECONDS = 300.0
RESULT_CHARACTERS = 1_000

REQUESTED, RUNNING, DONE, FAILED, EXPIRED = "requested", "running", "done", "failed", "expired"


@dataclass(frozen=True, slots=True)
class Action:
    """Something done, or to be done, to a watched source."""

    id: int
    at: float
    """When it was asked for, epoch seconds."""
    source: str
    """Name of the source's collector: "redis:main"."""
    action: str
    target: str
    status: str
    result: str
    detail: str
    """A table as JSON, from actions that answer with one; else empty."""
    finished_at: float | None
    """Epoch seconds; None until it is done."""
    who: str
    """Name of who asked for it; empty when that was not kept yet."""


def request_action(state: State, now: float, source: str, action: str, target: str, who: str) -> int:
    """Ask for an action in the name of `who` and return its number. Raises StorageUnavailable."""
    row = {"at": now, "source": source, "action": action, "target": target, "status": REQUESTED, "who": who}
    with state.begin() as connection:
        add_entry(connection, Entry(now, who, "action asked for", f"{source}: {action} {target}".strip()))
        key = connection.execute(sa.insert(actions).values(**row)).inserted_primary_key
        return int(key[0]) if key else 0


def take_action(state: State, now: float, only: Sequence[str] = (), without: Sequence[str] = ()) -> Action | None:
    """Return the oldest request, which is then ours to do; None when there is none. Late ones expire.

    only, without: names of actions; of others, or of these, none is taken. What a process took and never finished,
    because it ended, expires as well.
    """
    with state.begin() as connection:
        lost = (actions.c.status == RUNNING) & (actions.c.at < now - LOST_SECONDS)
        ended = {"status": FAILED, "result": "its process ended while it was being done", "finished_at": now}
        connection.execute(sa.update(actions).where(lost).values(**ended))
        late = actions.c.at < now - EXPIRES_SECONDS
        why = f"not done: no collector took it within {EXPIRES_SECONDS:g} s"
        connection.execute(
            sa.update(actions)
            .where(actions.c.status == REQUESTED, late)
            .values(status=EXPIRED, result=why, finished_at=now)
        )
        asked = sa.select(actions).where(actions.c.status == REQUESTED, actions.c.action.not_in(without))
        if only:
            asked = asked.where(actions.c.action.in_(only))
        row = connection.execute(asked.order_by(actions.c.id).limit(1)).first()
        if row is None:
            return None
        mine = (actions.c.id == row.id) & (actions.c.status == REQUESTED)
        taken = connection.execute(sa.update(actions).where(mine).values(status=RUNNING)).rowcount
        return Action(**row._mapping) if taken else None


def finish_action(state: State, now: float, id: int, status: str, result: str, detail: str = "") -> None:
    """Record what came of an action, in the audit too: `status` is DONE or FAILED."""
    values = {"status": status, "result": result[:RESULT_CHARACTERS], "detail": detail, "finished_at": now}
    with state.begin() as connection:
        row = connection.execute(sa.select(actions).where(actions.c.id == id)).first()
        if row is not None:
            told = f"{row.source}: {row.action} {row.target}".strip()
            add_entry(connection, Entry(now, row.who, "action done", told, outcome=status, detail=result))
        connection.execute(sa.update(actions).where(actions.c.id == id).values(**values))


def find_action(state: State, id: int) -> Action | None:
    """Return the action of a number; None: there is none. Raises StorageUnavailable."""
    with state.reading() as connection:
        row = connection.execute(sa.select(actions).where(actions.c.id == id)).first()
        return Action(**row._mapping) if row else None


def newest_done(state: State, source: str, names: Sequence[str]) -> Action | None:
    """Return the newest action of these names that was done to a source. Raises StorageUnavailable."""
    query = (
        sa.select(actions)
        .where(actions.c.source == source, actions.c.action.in_(names), actions.c.status == DONE)
        .order_by(actions.c.id.desc())
        .limit(1)
    )
    with state.reading() as connection:
        row = connection.execute(query).first()
        return Action(**row._mapping) if row else None


def recent_actions(state: State, kinds: Sequence[str], limit: int = 20) -> list[Action]:
    """Return the newest actions on sources of `kinds`, newest first. Raises StorageUnavailable."""
    query = (
        sa.select(actions)
        .where(sa.or_(sa.false(), *(actions.c.source.startswith(f"{kind}:", autoescape=True) for kind in kinds)))
        .order_by(actions.c.id.desc())
        .limit(limit)
    )
    with state.reading() as connection:
        return [Action(**row._mapping) for row in connection.execute(query)]
