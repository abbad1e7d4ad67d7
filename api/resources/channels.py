"""Channels by which alerts reach people: kinds, limits, what came of them, and asking for a test. Never a secret."""

from __future__ import annotations

from pydantic import Field

from access.audit import record_in
from access.viewer import CHANGING_ROLE
from api.models import Answered, Page, Time, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters
from api.problem import none_of
from api.resources.alerts import SCOPE, SOURCE, TAG
from core.settings import channels as configured
from portfolio.allowed import Limits
from portfolio.withheld import WITHHELD
from status.alerts import alerts_now
from storage.state import outbox
from storage.state.alerts import KeptMessage, MessageStatus
from storage.state.database import Transaction


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
    waiting: int = Field(description="Messages that wait to be sent.")
    held_back: int = Field(description="Messages over the limit that come together in one.")
    last_sent_at: Time | None = Field(description="When it last delivered something; null: never, as far as is kept.")
    last_failed_at: Time | None = Field(description="When what was last tried was given up; null: it was delivered.")
    problem: str = Field(description="Why that failed.")
    last_test: ChannelTest | None


def _list(ask: Ask[Listed]) -> Page[Channel]:
    known = [*ask.stores.settings.channels.every().values()]
    part, following = part_of(sorted(known, key=lambda each: each.name), lambda each: (each.name,), ask.begins)
    with ask.stores.state.reading() as connection:
        sent = outbox.last_sent(connection)
        items = [_told(connection, each, sent.get(each.name), ask.viewer.portfolios) for each in part]
    return Page[Channel](items=items, next=following, source=SOURCE)


def _one(ask: Ask[Parameters]) -> Channel:
    channel = _channel(ask)
    with ask.stores.state.reading() as connection:
        sent = outbox.last_sent(connection).get(channel.name)
        return _told(connection, channel, sent, ask.viewer.portfolios)


def _test(ask: Ask[Parameters]) -> ChannelTest:
    channel, who, known = _channel(ask), ask.viewer.name, alerts_now(ask.stores)
    with ask.stores.state.begin() as connection:
        message = outbox.put_test(connection, channel.name, who, ask.now)
        record_in(connection, who=who, what="alert channel tested", target=channel.name, at=ask.now)
    return _told_test(message, known.problem if known.is_stale else "")


def _channel(ask: Ask[Parameters]) -> configured.Channel:
    """Return the channel of the path. Raises Refused that names the nearest."""
    every, name = ask.stores.settings.channels.every(), ask.parts["name"]
    if name not in every:
        raise none_of("name", name, every, status=404, noun="channel")
    return every[name]


def _told(connection: Transaction, each: configured.Channel, sent_at: float | None, limits: Limits) -> Channel:
    last = outbox.last_done(connection, each.name)
    tests = outbox.of_channels(connection, each.name, outbox.TEST, 0.0)
    has_failed = last is not None and last.status == MessageStatus.FAILED
    problem = last.problem if has_failed and last is not None else ""
    return Channel(
        name=each.name, kind=each.KIND, fallback=each.fallback, per_hour=each.per_hour, per_day=each.per_day,
        timeout_seconds=each.timeout_seconds, give_up_seconds=each.give_up_seconds,
        waiting=outbox.count_waiting(connection, each.name), held_back=outbox.count_held_back(connection, each.name),
        last_sent_at=at(sent_at), last_failed_at=at(last.done_at) if has_failed and last is not None else None,
        problem=problem if limits is None or not problem else WITHHELD,
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
)  # fmt: skip
