"""Events and notes: what was written down of moments, and writing, changing and deleting one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from access.tokens import Scope
from access.viewer import CHANGING_ROLE
from api.body import Body
from api.models import Answered, Page, Time, age, at
from api.operation import Ask, Operation
from api.parameters import Listed, Parameters, with_zone
from api.portfolios import allowed
from api.problem import Refused, none_of
from core.events import COMPONENT_CHARACTERS, PORTFOLIO_CHARACTERS, TAG_CHARACTERS, TEXT_CHARACTERS, EventContent, Kind
from core.roles import Role
from portfolio.chosen import key_of
from portfolio.events import DATASET, alter_event, delete_event, find_event, list_events, may_change, write_event
from storage.state.events import Event as Written
from storage.state.events import Wanted

TAG = "Events"
SCOPE = Scope.INGEST_SAMPLES.value
SOURCE = "state database"
OURS = "Who wrote one, or an administrator, changes and deletes it."


class Event(Answered):
    """An event of a program, or a note of a person."""

    id: int
    kind: Kind = Field(description="event: a program sent it; note: a person wrote it.")
    at: Time | None
    until: Time | None = Field(description="End of a span; null: it is a moment.")
    text: str
    tags: list[str]
    portfolio: str = Field(description="`id` of the portfolio that it is about; empty: of none.")
    component: str = Field(description="`id` or collector of the component that it is about; empty: of none.")
    who: str = Field(description="Name of the account, or of the service, that wrote it.")
    made_at: Time | None
    changed_at: Time | None = Field(description="null: never.")


class OfEvents(Listed):
    """Which events."""

    since: datetime | None = Field(None, description="Only those that end then or later, RFC 3339.")
    until: datetime | None = Field(None, description="Only those that begin before, RFC 3339.")
    tag: str = Field("", max_length=TAG_CHARACTERS, description="Only those with this tag.")
    portfolio: str = Field(
        "", max_length=PORTFOLIO_CHARACTERS, description="Only those about this portfolio (own:alpha) or one below it."
    )
    component: str = Field(
        "", max_length=COMPONENT_CHARACTERS,
        description="Only those about this component, or about any that a collector tells of: redis:main.",
    )  # fmt: skip
    text: str = Field("", max_length=200, description="Only those with these words in text, tags or who.")

    @field_validator("since", "until", mode="before")
    @classmethod
    def _has_zone(cls, value: object) -> object:
        return with_zone(value)


class NewEvent(Body, EventContent):
    """An event as it is sent."""


class EventChanges(Body):
    """Fields of an event that become others; what is left out stays."""

    kind: Kind = Field("event", description="event or note.")
    at: datetime | None = Field(None, description="When, RFC 3339 with a zone.")
    until: datetime | None = Field(None, description="End of a span, after `at`; null: it is a moment.")
    text: str = Field("", max_length=TEXT_CHARACTERS, description="What happened or was decided.")
    tags: list[str] = Field([], description="All its tags.")
    portfolio: str = Field("", max_length=PORTFOLIO_CHARACTERS, description="`id` of the portfolio that it is about.")
    component: str = Field("", max_length=COMPONENT_CHARACTERS, description="`id` of the component that it is about.")


def _list(ask: Ask[OfEvents]) -> Page[Event]:
    query = ask.query
    if query.portfolio:
        known = [key_of(each) for each in allowed(ask.stores, ask.viewer.portfolios)]
        if query.portfolio not in known:
            raise none_of("portfolio", query.portfolio, known)
    wanted = Wanted(
        since=query.since.timestamp() if query.since else None, until=query.until.timestamp() if query.until else None,
        tag=query.tag.lower(), component=query.component, text=query.text,
    )  # fmt: skip
    after = ask.begins.after
    if after is not None and [*map(type, after)] not in ([float, int], [int, int]):
        raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
    place = (float(after[0]), int(after[1])) if after else None
    found = list_events(
        ask.stores, ask.viewer.portfolios, wanted, query.portfolio, limit=query.limit + 1, after=place
    )  # fmt: skip
    part = found[: query.limit]
    following = ask.begins.next((part[-1].at, part[-1].id)) if len(found) > query.limit else None
    newest = max((max(each.made_at, each.changed_at) for each in part), default=None)
    return Page[Event](
        items=[_told(each) for each in part], next=following, as_of=at(newest), age_seconds=age(newest, ask.now),
        source=SOURCE,
    )  # fmt: skip


def _one(ask: Ask[Parameters]) -> Event:
    return _told(_found(ask))


def _add(ask: Ask[Parameters]) -> Event:
    event, _ = write_event(ask.stores, ask.sent(NewEvent), ask.viewer.name, ask.viewer.portfolios)
    return _told(event)


def _change(ask: Ask[Parameters]) -> Event:
    event, body = _own(ask), ask.sent(EventChanges)
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    viewer = ask.viewer
    return _told(
        alter_event(ask.stores, event.id, changes, viewer.name, viewer.portfolios, is_admin=_is_admin(ask))
    )  # fmt: skip


def _delete(ask: Ask[Parameters]) -> Event:
    event, viewer = _own(ask), ask.viewer
    return _told(delete_event(ask.stores, event.id, viewer.name, viewer.portfolios, is_admin=_is_admin(ask)))


def _found(ask: Ask[Parameters]) -> Written:
    """Return the event of the path. Raises Refused for one that is not there or may not be seen."""
    text = ask.parts["id"]
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    event = find_event(ask.stores, number, ask.viewer.portfolios)
    if event is None:
        raise Refused(404, f"There is no event {text[:40]!r}.", field="id", fix="Give an `id` that /events lists.")
    return event


def _own(ask: Ask[Parameters]) -> Written:
    """Return the event of the path. Raises Refused for one that the one who asks may not change."""
    event = _found(ask)
    if not may_change(event, ask.viewer.name, is_admin=_is_admin(ask)):
        raise Refused(403, f"{event.who} wrote this event.", field="id", fix=OURS)
    return event


def _is_admin(ask: Ask[Parameters]) -> bool:
    return ask.viewer.role >= Role.ADMIN


def _told(event: Written) -> Event:
    return Event(
        id=event.id, kind="note" if event.kind == "note" else "event", at=at(event.at), until=at(event.until),
        text=event.text, tags=[*event.tags], portfolio=event.portfolio, component=event.component, who=event.who,
        made_at=at(event.made_at), changed_at=at(event.changed_at or None),
    )  # fmt: skip


ID = {"id": "As `id` in /events says."}
OPERATIONS = (
    Operation(path="/events", summary="Events and notes, the newest first.", answer=_list, model=Page[Event],
              query=OfEvents, tag=TAG, datasets=lambda _: (DATASET, "portfolio")),
    Operation(path="/events/{id}", summary="One event.", answer=_one, model=Event, parts=ID, tag=TAG),
    Operation(path="/events", method="POST", summary="Write down an event: it is marked on every chart over time of "
              "what it is about. The same one of the same time by the same is kept once.", answer=_add, model=Event,
              body=NewEvent, status=201, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
    Operation(path="/events/{id}", method="PATCH", summary=f"Change an event. {OURS}", answer=_change, model=Event,
              body=EventChanges, parts=ID, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
    Operation(path="/events/{id}", method="DELETE", summary=f"Delete an event. {OURS}", answer=_delete, model=Event,
              parts=ID, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
)  # fmt: skip
