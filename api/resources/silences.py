"""What keeps alerts quiet: silences, everything muted, and maintenance windows that come once or again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import orjson
from pydantic import Field, field_validator

from access.viewer import CHANGING_ROLE
from api.body import Body
from api.models import Answered, Page, Time, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters, with_zone
from api.problem import Refused
from api.resources.alerts import SCOPE, SOURCE, TAG, number_of
from core.alerts import silence as kept
from core.alerts.matchers import read_matchers, written
from core.alerts.silence import When
from portfolio.alerts import Sight, sight_of
from status.alerts import AlertsNow, alerts_now
from storage.state.silences import (
    DATASET,
    NAME_CHARACTERS,
    WHY_CHARACTERS,
    add_silence,
    add_window,
    end_silence,
    end_window,
    mute_all,
    silence_in,
    silences_in,
    window_in,
    windows_in,
)
from storage.stores import Stores

State = Literal["", "pending", "active", "expired"]
EVERYTHING = "Either matchers, or everything."


class Silence(Answered):
    """What keeps alerts of some labels quiet for a time, or all of them."""

    id: int
    state: str = Field(description="pending, active or expired.")
    matchers: str = Field(description="All must hold; empty: everything is muted.")
    begins: Time | None
    ends: Time | None
    why: str
    who: str
    made_at: Time | None
    ended_by: str = Field(description="Who ended it before its time; empty: nobody.")
    hides: int | None = Field(description="Alerts that fire now and that it means; null: nobody knows what fires.")


class Maintenance(Answered):
    """A window in which alerts of some labels are quiet, once or each time that it comes again."""

    id: int
    name: str
    state: str = Field(description="active: it is open now; pending: it will be; expired.")
    matchers: str
    begins: Time | None
    ends: Time | None = Field(description="Of one that comes again: until when it does.")
    cron: str = Field(description="When it opens; empty: it comes once.")
    zone: str = Field(description="Time zone of cron.")
    lasts_seconds: float = Field(description="How long it then is open.")
    why: str
    who: str
    made_at: Time | None
    ended_by: str
    open_until: Time | None = Field(description="null: it is not open now.")
    next_begins: Time | None = Field(description="When it opens next; null: never again.")
    next_ends: Time | None


class OfSilences(Listed):
    """Which of them."""

    state: State = Field("", description="Only those; left out: all that are not over.")


class _Kept(Body):
    """What silences and windows have in common."""

    begins: datetime | None = Field(None, description="RFC 3339 with a zone; left out: now.")
    why: str = Field(min_length=1, max_length=WHY_CHARACTERS, description="Others will ask.")

    @field_validator("begins", "ends", mode="before", check_fields=False)
    @classmethod
    def _has_zone(cls, value: object) -> object:
        return with_zone(value)


class NewSilence(_Kept):
    """A silence as it is sent."""

    ends: datetime = Field(description="RFC 3339 with a zone.")
    matchers: str = Field("", max_length=8_000, description='Such as component="Redis main", severity=~"info|warning".')
    everything: bool = Field(False, description="Instead of matchers: mutes everything, for a day at most.")


class NewMaintenance(_Kept):
    """A maintenance window as it is sent."""

    ends: datetime | None = Field(None, description="RFC 3339 with a zone; left out of what comes again: for a year.")
    name: str = Field(min_length=1, max_length=NAME_CHARACTERS, description="What it is called.")
    matchers: str = Field(max_length=8_000, description='Such as component="Redis main".')
    cron: str = Field("", max_length=120, description="When it opens, such as 0 2 * * sun; left out: it comes once.")
    zone: str = Field("UTC", max_length=64, description="Time zone of cron.")
    lasts_seconds: float = Field(0.0, description="How long it then is open.")


def _silences(ask: Ask[OfSilences]) -> Page[Silence]:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    with ask.stores.state.reading() as connection:
        found = silences_in(connection, 0.0 if ask.query.state == When.EXPIRED.value else ask.now)
    seen = [each for each in found if not sight.names_hidden(each.matchers) and _is_wanted(ask, each.when(ask.now))]
    part, following = part_of(seen, lambda each: (each.id,), ask.begins)
    items = [_silence(each, known, sight, ask.now) for each in part]
    return Page[Silence](items=items, next=following, source=SOURCE)


def _silence_of(ask: Ask[Parameters]) -> Silence:
    sight = sight_of(ask.stores, ask.viewer.portfolios)
    with ask.stores.state.reading() as connection:
        found = silence_in(connection, number_of(ask.parts["id"]))
    if found is None or sight.names_hidden(found.matchers):
        raise _missing("silence", "silences", ask.parts["id"])
    return _silence(found, alerts_now(ask.stores), sight, ask.now)


def _add_silence(ask: Ask[Parameters]) -> Silence:
    body = ask.sent(NewSilence)
    if bool(body.matchers.strip()) == body.everything:
        raise Refused(422, EVERYTHING, field="matchers", fix="Give one of them.")
    matchers = () if body.everything else read_matchers(body.matchers)
    made = kept.Silence(matchers, _begins(body, ask.now), body.ends.timestamp(), body.why, ask.viewer.name, ask.now)
    done = (mute_all if body.everything else add_silence)(ask.stores.state, made)
    return _silence(done, _changed(ask.stores), sight_of(ask.stores, None), ask.now)


def _end_silence(ask: Ask[Parameters]) -> Silence:
    known = _silence_of(ask)
    done = end_silence(ask.stores.state, known.id, ask.viewer.name, ask.now)
    return _silence(done, _changed(ask.stores), sight_of(ask.stores, None), ask.now)


def _windows(ask: Ask[OfSilences]) -> Page[Maintenance]:
    sight = sight_of(ask.stores, ask.viewer.portfolios)
    with ask.stores.state.reading() as connection:
        found = windows_in(connection, 0.0 if ask.query.state == When.EXPIRED.value else ask.now)
    seen = [each for each in found if not sight.names_hidden(each.matchers) and _is_wanted(ask, each.when(ask.now))]
    part, following = part_of(seen, lambda each: (each.id,), ask.begins)
    return Page[Maintenance](items=[_window(each, ask.now) for each in part], next=following, source=SOURCE)


def _window_of(ask: Ask[Parameters]) -> Maintenance:
    sight = sight_of(ask.stores, ask.viewer.portfolios)
    with ask.stores.state.reading() as connection:
        found = window_in(connection, number_of(ask.parts["id"]))
    if found is None or sight.names_hidden(found.matchers):
        raise _missing("maintenance", "maintenance", ask.parts["id"])
    return _window(found, ask.now)


def _add_window(ask: Ask[Parameters]) -> Maintenance:
    body = ask.sent(NewMaintenance)
    if body.ends is None and not body.cron:
        raise Refused(422, "ends is missing.", field="ends", fix="Give its end, or cron, by which it comes again.")
    begins = _begins(body, ask.now)
    ends = body.ends.timestamp() if body.ends is not None else begins + kept.AGAIN_SECONDS
    made = kept.Window(
        body.name, read_matchers(body.matchers), begins, ends, body.why,
        ask.viewer.name, ask.now, cron=body.cron, zone=body.zone if body.cron else "",
        lasts_seconds=body.lasts_seconds if body.cron else 0.0,
    )  # fmt: skip
    done = add_window(ask.stores.state, made)
    _changed(ask.stores)
    return _window(done, ask.now)


def _end_window(ask: Ask[Parameters]) -> Maintenance:
    done = end_window(ask.stores.state, _window_of(ask).id, ask.viewer.name, ask.now)
    _changed(ask.stores)
    return _window(done, ask.now)


def _begins(body: _Kept, now: float) -> float:
    return body.begins.timestamp() if body.begins is not None else now


def _changed(stores: Stores) -> AlertsNow:
    """Say that what is kept quiet was changed, and return what fires."""
    stores.live.bump(DATASET)
    return alerts_now(stores)


def _is_wanted(ask: Ask[OfSilences], when: When) -> bool:
    return ask.query.state == when if ask.query.state else when is not When.EXPIRED


def _missing(noun: str, path: str, asked: str) -> Refused:
    return Refused(404, f"There is no {noun} {asked[:40]!r}.", field="id", fix=f"Give an `id` that /{path} lists.")


def _silence(each: kept.Silence, known: AlertsNow, sight: Sight, now: float) -> Silence:
    hidden = sum(each.hides(orjson.loads(alert.labels)) for alert in sight.seen(known.firing))
    return Silence(
        id=each.id, state=each.when(now).value, matchers=written(each.matchers), begins=at(each.begins),
        ends=at(each.ends), why=each.why, who=each.who, made_at=at(each.made_at), ended_by=each.ended_by,
        hides=None if known.is_stale else hidden,
    )  # fmt: skip


def _window(each: kept.Window, now: float) -> Maintenance:
    is_open = each.open_at(now)
    next_one = each.opens_after(now) if each.when(now) is not When.EXPIRED else None
    return Maintenance(
        id=each.id, name=each.name, state=each.when(now).value, matchers=written(each.matchers),
        begins=at(each.begins), ends=at(each.ends), cron=each.cron, zone=each.zone, lasts_seconds=each.lasts_seconds,
        why=each.why, who=each.who, made_at=at(each.made_at), ended_by=each.ended_by,
        open_until=at(is_open.ends) if is_open else None, next_begins=at(next_one.begins) if next_one else None,
        next_ends=at(next_one.ends) if next_one else None,
    )  # fmt: skip


OF_SILENCES, OF_WINDOWS = {"id": "As `id` in /silences says."}, {"id": "As `id` in /maintenance says."}
OPERATIONS = (
    Operation(path="/silences", summary="Silences, in the order in which they were made.", answer=_silences,
              model=Page[Silence], query=OfSilences, tag=TAG),
    Operation(path="/silences/{id}", summary="One silence.", answer=_silence_of, model=Silence, parts=OF_SILENCES,
              tag=TAG),
    Operation(path="/silences", method="POST", summary="Keep alerts of some labels quiet for a year at most, or "
              "everything for a day.", answer=_add_silence, model=Silence, body=NewSilence, status=201, tag=TAG,
              role=CHANGING_ROLE, scope=SCOPE, is_shared=True),
    Operation(path="/silences/{id}", method="DELETE", summary="End a silence now.", answer=_end_silence, model=Silence,
              parts=OF_SILENCES, tag=TAG, role=CHANGING_ROLE, scope=SCOPE, is_shared=True),
    Operation(path="/maintenance", summary="Maintenance windows, in the order in which they were made.",
              answer=_windows, model=Page[Maintenance], query=OfSilences, tag=TAG),
    Operation(path="/maintenance/{id}", summary="One maintenance window.", answer=_window_of, model=Maintenance,
              parts=OF_WINDOWS, tag=TAG),
    Operation(path="/maintenance", method="POST", summary="Keep alerts of some labels quiet once, or again by a cron "
              "line in a time zone.", answer=_add_window, model=Maintenance, body=NewMaintenance, status=201, tag=TAG,
              role=CHANGING_ROLE, scope=SCOPE, is_shared=True),
    Operation(path="/maintenance/{id}", method="DELETE", summary="End a maintenance window now, with all times that "
              "were to come.", answer=_end_window, model=Maintenance, parts=OF_WINDOWS, tag=TAG, role=CHANGING_ROLE,
              scope=SCOPE, is_shared=True),
)  # fmt: skip
