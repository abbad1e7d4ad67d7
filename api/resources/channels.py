"""Channels by which alerts reach people: kinds, limits, what came of them; making and trying them. Never a secret."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import Field

from access.audit import record_in
from access.viewer import CHANGING_ROLE
from api.body import Body
from api.models import Answered, Page, Time, at
from api.operation import ADMIN, Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import Refused, none_of
from api.resources.alerts import SCOPE, SOURCE, TAG
from core.alerts.channel_set import MADE_HERE, ChannelSet
from core.alerts.kept import STATE_DATABASE
from core.roles import Role
from core.settings import channels as configured
from portfolio.allowed import Limits
from portfolio.channel_set import channel_set
from portfolio.own_channels import TOLD_OF, Wanted, delete, place_of, save, switch
from portfolio.withheld import WITHHELD
from status.alerts import alerts_now
from storage.state import outbox
from storage.state.alerts import KeptMessage, MessageStatus
from storage.state.database import Transaction
from storage.state.outbox import Retried


class ChannelTest(Answered):
    """A message that tells nothing but that a channel works."""

    number: int
    made_at: Time | None
    status: str = Field(description="queued, retrying, sent or failed.")
    attempts: int
    done_at: Time | None = Field(description="null: not yet.")
    problem: str = Field(description="Why the last attempt failed.")
    told: str = Field("", description="Why it may wait: no alert engine runs. Empty: it is sent within seconds.")


class Channel(Answered):
    """A way in which alerts reach people."""

    name: str
    kind: str
    fallback: str = Field(description="Channel that gets what this one cannot deliver; empty: none.")
    per_hour: int = Field(description="Most messages in any hour; 0: no limit.")
    per_day: int
    timeout_seconds: float
    give_up_seconds: float
    file: str = Field(description="Where it stands: fundwatch.yaml with its line, or state database: made here.")
    on: bool = Field(description="false: somebody switched it off, and it is told of nothing.")
    severities: list[str] = Field(description="Of a channel that was made here: what it is told of. Else routes say.")
    labels: dict[str, str] = Field(description="Of a channel that was made here: what labels of alerts must match.")
    version: int = Field(description="Of a channel that was made here: send it to change it. Else 0.")
    changed_by: str = Field(description="Of a channel that was made here: who saved it last.")
    changed_at: Time | None
    waiting: int = Field(description="Messages that wait to be sent.")
    held_back: int = Field(description="Messages over the limit that come together in one.")
    last_sent_at: Time | None = Field(description="When it last delivered something; null: never, as far as is kept.")
    last_failed_at: Time | None = Field(description="When what was last tried was given up; null: it was delivered.")
    retrying: int = Field(description="Messages that were tried, not delivered, and are tried again.")
    problem: str = Field(description="Why those were not delivered, or what was last tried failed.")
    last_test: ChannelTest | None


class NewChannel(Body):
    """A channel as it is sent."""

    name: str = Field(min_length=1, max_length=64, description="Letters, digits, _ and -; it names it for ever.")
    kind: str = Field(description=f"One of {', '.join(MADE_HERE)}.")
    settings: dict[str, Any] = Field(
        description="As docs/settings.md has them for the kind, without the name. Of a change all of them, but for "
        "secrets: one that is left out or empty stays as it is, null takes it away."
    )
    severities: list[str] = Field([*TOLD_OF], description="What it is told of.")
    labels: dict[str, str] = Field({}, description="What labels of alerts must be: a regular expression each.")


class ChangedChannel(NewChannel):
    """Another form of a channel."""

    version: int = Field(ge=1, description="As it was read: who has changed it meanwhile is not overwritten.")


class SwitchedChannel(Body):
    """Whether a channel is told of alerts."""

    on: bool


class GoneChannel(Answered):
    """A channel that was deleted."""

    name: str


def _list(ask: Ask[Listed]) -> Page[Channel]:
    found = channel_set(ask.stores)
    known = [*found.every().values()]
    part, following = part_of(sorted(known, key=lambda each: each.name), lambda each: (each.name,), ask.begins)
    with ask.stores.state.reading() as connection:
        sent = outbox.last_sent(connection)
        items = [_told(connection, found, each, sent.get(each.name), ask.viewer.portfolios) for each in part]
    wrong = [f"{each.kept.name} is left out: {each.wrong}" for each in found.own if each.wrong]
    told = [*filter(None, [found.problem]), *(wrong if ask.viewer.portfolios is None else [])]
    return Page[Channel](items=items, next=following, source=SOURCE, told=told)


def _one(ask: Ask[Parameters]) -> Channel:
    return _told_of(ask, _channel(ask).name)


def _told_of(ask: Ask[Parameters], name: str) -> Channel:
    found = channel_set(ask.stores)
    with ask.stores.state.reading() as connection:
        sent = outbox.last_sent(connection).get(name)
        return _told(connection, found, found.every()[name], sent, ask.viewer.portfolios)


def _add(ask: Ask[Parameters]) -> Channel:
    done = save(ask.stores, _wanted(ask.sent(NewChannel)), ask.viewer.name)
    return _told_of(ask, done.name)


def _change(ask: Ask[Parameters]) -> Channel:
    body, name = ask.sent(ChangedChannel), _made(ask)
    if body.name != name:
        raise Refused(422, f"It is {name} for ever.", field="name", fix="Make another channel, and delete this one.")
    save(ask.stores, _wanted(body), ask.viewer.name, version=body.version)
    return _told_of(ask, name)


def _delete(ask: Ask[Parameters]) -> GoneChannel:
    name = _made(ask)
    delete(ask.stores, name, ask.viewer.name)
    return GoneChannel(name=name)


def _switch(ask: Ask[Parameters]) -> Channel:
    name = _made(ask)
    switch(ask.stores, name, ask.viewer.name, on=ask.sent(SwitchedChannel).on)
    return _told_of(ask, name)


def _wanted(body: NewChannel) -> Wanted:
    return Wanted(body.name, body.kind, body.settings, body.severities, body.labels)


def _made(ask: Ask[Parameters]) -> str:
    """Return the name of the path. Raises Refused: no channel has it."""
    found, name = channel_set(ask.stores), ask.parts["name"]
    if found.made(name) is None:
        _channel(ask)
    return name


def _test(ask: Ask[Parameters]) -> ChannelTest:
    channel, who, known = _channel(ask), ask.viewer.name, alerts_now(ask.stores)
    if channel.name not in channel_set(ask.stores).in_force:
        raise Refused(422, f"{channel.name} is switched off.", field="name", fix="Switch it on first.")
    with ask.stores.state.begin() as connection:
        message = outbox.put_test(connection, channel.name, who, ask.now)
        record_in(connection, who=who, what="alert channel tested", target=channel.name, at=ask.now)
    return _told_test(message, known.problem if known.is_stale else "")


def _channel(ask: Ask[Parameters]) -> configured.Channel:
    """Return the channel of the path. Raises Refused that names the nearest."""
    every, name = channel_set(ask.stores).every(), ask.parts["name"]
    if name not in every:
        raise none_of("name", name, every, status=404, noun="channel")
    return every[name]


def _told(
    connection: Transaction, found: ChannelSet, each: configured.Channel, sent_at: float | None, limits: Limits
) -> Channel:
    mine = found.made(each.name)
    kept = mine.kept if mine and mine.channel is not None else None
    last = outbox.last_done(connection, each.name)
    tests = outbox.of_channels(connection, each.name, outbox.TEST, 0.0)
    has_failed = last is not None and last.status == MessageStatus.FAILED
    again = outbox.retried(connection).get(each.name, Retried(0, ""))
    problem = again.problem or (last.problem if has_failed and last is not None else "")
    return Channel(
        name=each.name, kind=each.KIND, fallback=each.fallback, per_hour=each.per_hour, per_day=each.per_day,
        timeout_seconds=each.timeout_seconds, give_up_seconds=each.give_up_seconds,
        file=STATE_DATABASE if kept else place_of(found, each.name), on=kept.is_on if kept else True,
        severities=[*kept.severities] if kept else [], version=kept.version if kept else 0,
        labels=orjson.loads(kept.labels) if kept and limits is None else {},
        changed_by=kept.changed_by if kept else "", changed_at=at(kept.changed_at) if kept else None,
        waiting=outbox.count_waiting(connection, each.name), held_back=outbox.count_held_back(connection, each.name),
        last_sent_at=at(sent_at), last_failed_at=at(last.done_at) if has_failed and last is not None else None,
        retrying=again.count, problem=problem if limits is None or not problem else WITHHELD,
        last_test=_told_test(tests[0]) if tests and limits is None else None,
    )  # fmt: skip


def _told_test(message: KeptMessage, told: str = "") -> ChannelTest:
    return ChannelTest(
        number=message.number, made_at=at(message.made_at), status=str(message.status), attempts=message.attempts,
        done_at=at(message.done_at), problem=message.problem, told=told,
    )  # fmt: skip


NAME = {"name": "As `name` in /channels says."}
OPERATIONS = (
    Operation(path="/channels", summary="Channels by which alerts reach people, without their secrets.", answer=_list,
              model=Page[Channel], query=Listed, tag=TAG),
    Operation(path="/channels/{name}", summary="One channel.", answer=_one, model=Channel, parts=NAME, tag=TAG),
    Operation(path="/channels/{name}/test", method="POST", summary="Send a test by a channel: `last_test` of the "
              "channel says what became of it.", answer=_test, model=ChannelTest, status=202, parts=NAME, tag=TAG,
              role=CHANGING_ROLE, scope=SCOPE, is_shared=True),
    Operation(path="/channels", method="POST", summary="Make a channel. It is told of alerts within seconds.",
              answer=_add, model=Channel, body=NewChannel, status=201, tag=TAG, role=Role.ADMIN, scope=ADMIN,
              is_shared=True),
    Operation(path="/channels/{name}", method="PUT", summary="Change a channel that was made here.", answer=_change,
              model=Channel, body=ChangedChannel, parts=NAME, tag=TAG, role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/channels/{name}", method="DELETE", summary="Delete a channel that was made here, with its "
              "secrets: what waits for it goes to another one.", answer=_delete, model=GoneChannel, parts=NAME, tag=TAG,
              role=Role.ADMIN, scope=ADMIN, is_shared=True),
    Operation(path="/channels/{name}/switch", method="POST", summary="Switch a channel that was made here off, or on "
              "again.", answer=_switch, model=Channel, body=SwitchedChannel, parts=NAME, tag=TAG, role=Role.ADMIN,
              scope=ADMIN, is_shared=True),
)  # fmt: skip
