"""Events and notes: who may see which, and writing, changing and deleting one.

Who may see a portfolio sees what is about it; what is about a component or about everything, all see. So whoever is
limited to some portfolios writes about those alone. One is changed and deleted by who wrote it, or by an admin.
Every change stands in the audit.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from core.clock import DAY_SECONDS
from core.errors import ChangeRejected
from core.events import AHEAD_SECONDS, EventContent, collector_of, collectors_of
from core.format import cut
from portfolio.allowed import Limits, seen
from portfolio.chosen import key_of
from portfolio.tree.names import ids_of
from storage.state.audit import Entry, add_entry
from storage.state.database import Transaction
from storage.state.events import (
    ALL,
    Event,
    Place,
    Wanted,
    about_in,
    add_event,
    change_event,
    event_in,
    events_in,
    forget_events,
    mark_deleted,
    same_in,
)
from storage.state.portfolios import OWN, Portfolio, list_known_names, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

DATASET = "events"
HIGHEST_NUMBER = 2**31 - 1
"""That an event can have in either database."""
READ_ROWS = 1_000
"""Read at once, of which those are told that may be seen."""
SHOWN_CHARACTERS = 120
"""Of a text, in the audit."""
NOT_WRITTEN, NOT_CHANGED, NOT_DELETED = "Nothing was written.", "Nothing was changed.", "Nothing was deleted."


@dataclass(frozen=True, slots=True)
class _Tree:
    """The portfolios that somebody may see, and what former ids of own ones mean."""

    known: list[Portfolio]
    allowed: list[str]
    """Their keys."""
    meant: Mapping[str, str]
    limits: Limits

    def now(self, event: Event) -> Event:
        """Return an event about the portfolio that its own became part of, where that was merged."""
        origin, _, id = event.portfolio.partition(":")
        return replace(event, portfolio=f"{OWN}:{self.meant.get(id, id)}") if origin == OWN else event

    def is_seen(self, event: Event) -> bool:
        """Return whether an event, as `now` returns it, may be seen."""
        return not event.portfolio or event.portfolio in self.allowed or self.limits is None


def list_events(
    stores: Stores,
    limits: Limits,
    wanted: Wanted = ALL,
    portfolio: str = "",
    *,
    limit: int = READ_ROWS,
    after: Place | None = None,
) -> list[Event]:
    """Return the events that are wanted and may be seen, the newest first: so many at most, which follow `after`.

    portfolio: key of the one that they must be about, it or what is below it; empty: whatever they are about.

    What is about a portfolio that was merged is about the one that it became part of. What is about one that is gone
    is told to those who may see every portfolio. Raises StorageUnavailable.
    """
    tree = _tree(stores, limits)
    parents = parents_of(tree.known)
    found: list[Event] = []
    with stores.state.reading() as connection:
        while True:
            part = events_in(connection, wanted, READ_ROWS, after)
            told = (each for each in map(tree.now, part) if tree.is_seen(each))
            found += [each for each in told if not portfolio or is_part(parents, each.portfolio, portfolio)]
            if len(part) < READ_ROWS or len(found) >= limit:
                return found[:limit]
            after = (part[-1].at, part[-1].id)


def list_about(stores: Stores, limits: Limits) -> list[Event]:
    """Return what there are events about, and their tags, as events of no time and text. Raises StorageUnavailable."""
    tree = _tree(stores, limits)
    with stores.state.reading() as connection:
        return [each for each in map(tree.now, about_in(connection)) if tree.is_seen(each)]


def find_event(stores: Stores, id: int, limits: Limits) -> Event | None:
    """Return the event of a number; None: there is none that may be seen. Raises StorageUnavailable."""
    tree = _tree(stores, limits)
    with stores.state.reading() as connection:
        return _found(connection, id, tree)


def parents_of(known: Sequence[Portfolio]) -> dict[str, str]:
    """Return the key of what each portfolio is part of, by its own; empty: of nothing."""
    return {key_of(each): f"{each.origin}:{each.parent}" if each.parent else "" for each in known}


def is_part(parents: Mapping[str, str], key: str, of: str) -> bool:
    """Return whether the portfolio of a key is that of the other key, or lies below it."""
    met: set[str] = set()
    while key and key not in met:
        if key == of:
            return True
        met.add(key)
        key = parents.get(key, "")
    return False


def write_event(stores: Stores, sent: Mapping[str, Any] | EventContent, who: str, limits: Limits) -> tuple[Event, bool]:
    """Write down an event and return it, and whether it is new: the same one by the same is kept once.

    Raises ChangeRejected that names the fields; StorageUnavailable or StorageRejected.
    """
    now = stores.clock.now()
    content = _checked(stores, sent, _tree(stores, limits), now, NOT_WRITTEN)
    event = replace(_event(content, now), who=who, made_at=now)
    with stores.state.begin() as connection:
        if there := same_in(connection, event) if content.at is not None else None:
            return there, False
        event = add_event(connection, event)
        _record(connection, "written", event, who, now)
        # Whoever adds one makes room: there is no other way to more of them.
        forget_events(connection, now - stores.settings.retention.event_days * DAY_SECONDS)
    stores.live.bump(DATASET)
    return event, True


def alter_event(
    stores: Stores, id: int, changes: Mapping[str, Any], who: str, limits: Limits, *, is_admin: bool
) -> Event:
    """Change some fields of an event and return it. Raises what `write_event` raises."""
    now, tree = stores.clock.now(), _tree(stores, limits)
    with stores.state.begin() as connection:
        before = _to_change(_found(connection, id, tree), id, who, is_admin, NOT_CHANGED)
        content = _checked(stores, {**_fields(before), **changes}, tree, now, NOT_CHANGED, about(before))
        event = replace(_event(content, before.at), id=id, who=before.who, made_at=before.made_at, changed_at=now)
        if replace(event, changed_at=before.changed_at) == before:
            return before
        change_event(connection, event)
        _record(connection, "changed", event, who, now, before)
    stores.live.bump(DATASET)
    return event


def delete_event(stores: Stores, id: int, who: str, limits: Limits, *, is_admin: bool) -> Event:
    """Delete an event and return it. Raises ChangeRejected, StorageUnavailable or StorageRejected."""
    now, tree = stores.clock.now(), _tree(stores, limits)
    with stores.state.begin() as connection:
        event = _to_change(_found(connection, id, tree), id, who, is_admin, NOT_DELETED)
        mark_deleted(connection, id, now)
        _record(connection, "deleted", event, who, now)
    stores.live.bump(DATASET)
    return event


def may_change(event: Event, who: str, *, is_admin: bool) -> bool:
    """Return whether somebody may change and delete an event: who wrote it, or an admin."""
    return is_admin or (bool(who) and event.who == who)


def about(event: Event) -> str:
    """Return what an event is about, by its key or id; empty: everything."""
    return event.portfolio or event.component


def _tree(stores: Stores, limits: Limits) -> _Tree:
    every = list_portfolios(stores.state)
    meant = ids_of([each for each in every if each.origin == OWN], list_known_names(stores.state))
    known = seen(every, limits)
    return _Tree(known, [key_of(each) for each in known], meant, limits)


def _found(connection: Transaction, id: int, tree: _Tree) -> Event | None:
    found = event_in(connection, id) if 0 < id <= HIGHEST_NUMBER else None
    event = tree.now(found) if found else None
    return event if event and tree.is_seen(event) else None


def _to_change(event: Event | None, id: int, who: str, is_admin: bool, refusal: str) -> Event:
    if event is None:
        raise ChangeRejected(f"{refusal} There is no event {id}.")
    if not may_change(event, who, is_admin=is_admin):
        raise ChangeRejected(f"{refusal} Only {event.who or 'an admin'} or an admin may do that.")
    return event


def _checked(
    stores: Stores, sent: Mapping[str, Any] | EventContent, tree: _Tree, now: float, refusal: str, before: str = ""
) -> EventContent:
    """Return what was sent, checked against itself and against what there is. Raises ChangeRejected.

    before: what it was about until now: that may be gone meanwhile.
    """
    try:
        content = sent if isinstance(sent, EventContent) else EventContent.model_validate(sent)
    except ValidationError as error:
        raise ChangeRejected(refusal, _wrong(error)) from error
    wrong: dict[str, str] = {}
    for name, at in (("at", content.at), ("until", content.until)):
        if at is not None and at.timestamp() > now + AHEAD_SECONDS:
            wrong[name] = "is more than a year ahead: give an earlier time"
    if content.at is None and content.until is not None and content.until.timestamp() <= now:
        wrong["until"] = "is over already: give `at` too, or leave it out"
    portfolio, component = content.portfolio, content.component
    if portfolio not in ("", before) and portfolio not in tree.allowed:
        wrong["portfolio"] = f"there is no portfolio {portfolio!r}{_nearest(portfolio, tree.allowed)}"
    there = collectors_of(stores.settings.watch)
    if component not in ("", before) and collector_of(component) not in there:
        wrong["component"] = f"there is no component {component!r}{_nearest(component, there)}"
    if not portfolio and tree.limits is not None:
        wrong["portfolio"] = "name one that you may see: what is about everything is for those who may see everything"
    if wrong:
        raise ChangeRejected(refusal, wrong)
    return content


def _wrong(error: ValidationError) -> dict[str, str]:
    """Return what is wrong with each field."""
    found: dict[str, str] = {}
    for each in error.errors(include_url=False):
        said = str(each["msg"]).removeprefix("Value error, ")
        name = str(each["loc"][0]) if each["loc"] else said.partition(" ")[0]
        found.setdefault(name, said if each["loc"] else said.partition(" ")[2])
    return found


def _nearest(value: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    some = ", ".join([*known][:5])
    return f": did you mean {near[0]}?" if near else f": there are {some}" if some else ""


def _event(content: EventContent, otherwise: float) -> Event:
    return Event(
        at=content.at.timestamp() if content.at is not None else otherwise,
        until=content.until.timestamp() if content.until is not None else None,
        text=content.text,
        kind=content.kind,
        tags=content.tags,
        portfolio=content.portfolio,
        component=content.component,
    )


def _fields(event: Event) -> dict[str, Any]:
    moments = {"at": event.at, "until": event.until}
    times = {name: None if at is None else datetime.fromtimestamp(at, UTC) for name, at in moments.items()}
    names = ("text", "kind", "tags", "portfolio", "component")
    return {name: getattr(event, name) for name in names} | times


def _record(
    connection: Transaction, what: str, event: Event, who: str, now: float, before: Event | None = None
) -> None:
    told = cut(" ".join(event.text.split()), SHOWN_CHARACTERS)
    was = f"; before: {cut(' '.join(before.text.split()), SHOWN_CHARACTERS)}" if before else ""
    target = f"{event.kind} {event.id}" + (f" about {about(event)}" if about(event) else "")
    add_entry(connection, Entry(now, who, f"{event.kind} {what}", target, detail=told + was))
