"""Events and notes: what programs and people wrote down of moments, in the state database."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from storage.state.database import Transaction, events

WHO_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Event:
    """An event or a note. Times are epoch seconds."""

    at: float
    until: float | None
    """End of a span; None: it is a moment."""
    text: str
    kind: str = "event"
    tags: tuple[str, ...] = ()
    portfolio: str = ""
    """Key (origin:id) of the portfolio that it is about."""
    component: str = ""
    """Id of the component that it is about, or its collector's name; neither: it is about everything."""
    who: str = ""
    made_at: float = 0.0
    changed_at: float = 0.0
    """0: never."""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for. What is empty leaves nothing out."""

    since: float | None = None
    """Epoch seconds: only those that end then or later."""
    until: float | None = None
    """Only those that begin before."""
    tag: str = ""
    component: str = ""
    """Its id, or the name of a collector for everything that it tells of."""
    text: str = ""
    """Words of the text, of a tag or of who wrote it, in any case."""


ALL = Wanted()


def events_in(connection: Transaction, wanted: Wanted = ALL) -> list[Event]:
    """Return the events that are wanted and not deleted, the newest first."""
    query = sa.select(*COLUMNS).where(*_conditions(wanted)).order_by(events.c.at.desc(), events.c.id.desc())
    return [_event(row) for row in connection.execute(query)]


def event_in(connection: Transaction, id: int) -> Event | None:
    """Return the event of a number; None: there is none, or it was deleted."""
    row = connection.execute(sa.select(*COLUMNS).where(events.c.id == id, events.c.deleted_at == 0)).first()
    return _event(row) if row else None


def same_in(connection: Transaction, event: Event) -> Event | None:
    """Return the event that says the same, by the same, of the same time; None: there is none."""
    row = _row(event)
    same = [events.c[name] == row[name] for name in row if name not in ("made_at", "changed_at")]
    found = connection.execute(sa.select(*COLUMNS).where(events.c.deleted_at == 0, *same).limit(1)).first()
    return _event(found) if found else None


def add_event(connection: Transaction, event: Event) -> Event:
    """Keep an event and return it with its number."""
    (number,) = connection.execute(sa.insert(events).values(**_row(event))).inserted_primary_key or (0,)
    return replace(event, id=int(number))


def change_event(connection: Transaction, event: Event) -> None:
    """Let the event of its number be this one."""
    connection.execute(sa.update(events).where(events.c.id == event.id).values(**_row(event)))


def mark_deleted(connection: Transaction, id: int, now: float) -> None:
    """Delete an event: its row stays, and is told of nowhere any more."""
    connection.execute(sa.update(events).where(events.c.id == id).values(deleted_at=now))


FIELDS = tuple(field.name for field in fields(Event))
COLUMNS = tuple(events.c[name] for name in FIELDS)


def _row(event: Event) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in FIELDS if name != "id"}
    return row | {"tags": json.dumps(event.tags, ensure_ascii=False), "who": event.who[:WHO_CHARACTERS]}


def _event(row: Any) -> Event:
    return Event(**{name: getattr(row, name) for name in FIELDS} | {"tags": tuple(json.loads(row.tags))})


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [events.c.deleted_at == 0]
    if wanted.since is not None:
        found.append(sa.func.coalesce(events.c.until, events.c.at) >= wanted.since)
    if wanted.until is not None:
        found.append(events.c.at < wanted.until)
    if wanted.tag:
        found.append(events.c.tags.contains(json.dumps(wanted.tag, ensure_ascii=False), autoescape=True))
    if wanted.component:
        whole = sa.literal("/") + events.c.component + "/"
        found.append(whole.contains(f"/{wanted.component}/", autoescape=True))
    for word in wanted.text.split():
        columns = (events.c.text, events.c.tags, events.c.who)
        found.append(sa.or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return found
