"""Events and notes: what programs and people wrote down of moments, in the state database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from storage.state.database import State, Transaction, events
from storage.state.limits import gone

WHO_CHARACTERS = 80
MOST_FORGOTTEN = 1_000


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
    of_everything: bool = False
    """Only those that are about no portfolio and no component."""


ALL = Wanted()
Place = tuple[float, int]
"""Time and number of an event: what orders them."""


def events_in(connection: Transaction, wanted: Wanted, limit: int, after: Place | None = None) -> list[Event]:
    """Return the events that are wanted and not deleted, the newest first: so many at most, which follow `after`."""
    query = sa.select(*COLUMNS).where(*_conditions(wanted)).order_by(events.c.at.desc(), events.c.id.desc())
    if after is not None:
        at, id = after
        query = query.where((events.c.at < at) | ((events.c.at == at) & (events.c.id < id)))
    return [_event(row) for row in connection.execute(query.limit(limit))]


def count_events(state: State, wanted: Wanted = ALL) -> int:
    """Return how many events are wanted. Raises StorageUnavailable."""
    with state.reading() as connection:
        query = sa.select(sa.func.count()).select_from(events).where(*_conditions(wanted))
        return int(connection.execute(query).scalar_one())


def about_in(connection: Transaction) -> list[Event]:
    """Return an event, of no time and text, for each combination of tags, portfolio and component that there is."""
    columns = (events.c.tags, events.c.portfolio, events.c.component)
    found = connection.execute(sa.select(*columns).where(events.c.deleted_at == 0).distinct())
    return [
        Event(0.0, None, "", tags=tuple(json.loads(tags)), portfolio=portfolio, component=component)
        for tags, portfolio, component in found
    ]


def forget_events(connection: Transaction, before: float) -> int:
    """Forget events of programs, and what was deleted, written and over before that time; return how many.

    Notes of people stay. MOST_FORGOTTEN at a time: nobody waits long for it.
    """
    over = sa.func.coalesce(events.c.until, events.c.at) < before
    goes = over & (events.c.made_at < before) & ((events.c.kind == "event") | (events.c.deleted_at > 0))
    ids = [*connection.execute(sa.select(events.c.id).where(goes).limit(MOST_FORGOTTEN)).scalars()]
    if ids:
        connection.execute(sa.delete(events).where(events.c.id.in_(ids)))
    return len(ids)


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


def forget_in_events(connection: Transaction, ids: Iterable[str]) -> None:
    """Let no event about one of these own portfolios be about whatever gets its id next."""
    for id in ids:
        about = events.c.portfolio == f"own:{id}"
        connection.execute(sa.update(events).where(about).values(portfolio=gone(f"own:{id}")))


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
    if wanted.of_everything:
        found += [events.c.portfolio == "", events.c.component == ""]
    if wanted.component:
        whole = sa.literal("/") + events.c.component + "/"
        found.append(whole.contains(f"/{wanted.component}/", autoescape=True))
    for word in wanted.text.split():
        columns = (events.c.text, events.c.tags, events.c.who)
        found.append(sa.or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return found
