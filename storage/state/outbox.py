"""The outbox of alerts as senders use it: what waits for a receiver, who has taken it, and what became of it.

Whoever sends takes a message first: its attempts go up by one in the database, which only one process can do, and it is
due again later. So a message that was taken by a process that died is sent by the next one, and nobody sends one twice
at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import orjson
import sqlalchemy as sa

from storage.state.alert_tables import alert_engine, alert_messages
from storage.state.alerts import KeptMessage, MessageStatus, add_messages
from storage.state.database import Transaction

WAITING = (MessageStatus.QUEUED, MessageStatus.RETRYING)
RATE = "rate limit"
"""`muted_by` of what was held back as its channel was told enough: SUPPRESSED until a digest tells it, then MERGED."""
OF_CHANNELS = 0
"""The incident of messages that are about channels and not about an incident."""
TEST = "test"
"""What a message is about that somebody asked for, to see whether a channel works."""
MOST_ROWS = 2_000

_of = alert_messages.c


def is_engine(connection: Transaction, token: int) -> bool:
    """Return whether no later engine has written."""
    return int(connection.execute(sa.select(alert_engine.c.token)).scalar() or 0) <= token


def waiting_for(connection: Transaction, receiver: str) -> list[KeptMessage]:
    """Return what is to be sent to a receiver, now or later, in the order in which it was made."""
    asked = sa.select(alert_messages).where(_of.receiver == receiver, _of.status.in_(WAITING))
    return _rows(connection, asked.order_by(_of.made_at, _of.incident, _of.number).limit(MOST_ROWS))


def count_waiting(connection: Transaction, receiver: str) -> int:
    """Return how many messages are to be sent to a receiver, now or later."""
    return _count(connection, _of.receiver == receiver, _of.status.in_(WAITING))


def count_held_back(connection: Transaction, receiver: str) -> int:
    """Return how many messages were held back from a receiver and are in no digest yet."""
    return _count(connection, *_held_back(receiver))


def next_due(connection: Transaction, receiver: str) -> float | None:
    """Return when something is to be sent to a receiver next, epoch seconds; None: nothing waits."""
    asked = sa.select(sa.func.min(_of.next_at)).where(_of.receiver == receiver, _of.status.in_(WAITING))
    found = connection.execute(asked).scalar()
    return None if found is None else float(found)


def before(connection: Transaction, message: KeptMessage) -> list[KeptMessage]:
    """Return what was to be told to the receiver of its incident before, in order; of channels: nothing."""
    if message.incident == OF_CHANNELS:
        return []
    asked = sa.select(alert_messages).where(
        _of.incident == message.incident, _of.receiver == message.receiver, _of.number < message.number
    )
    return _rows(connection, asked.order_by(_of.number))


def of_numbers(connection: Transaction, incident: int, numbers: Collection[int]) -> list[KeptMessage]:
    """Return the messages of an incident with these numbers, whoever they are for."""
    asked = sa.select(alert_messages).where(_of.incident == incident, _of.number.in_([*numbers]))
    return _rows(connection, asked)


def take(connection: Transaction, message: KeptMessage, until: float) -> KeptMessage | None:
    """Return the message as taken for an attempt that ends before `until`; None: another process has it."""
    taken = replace(message, status=MessageStatus.RETRYING, attempts=message.attempts + 1, next_at=until)
    return taken if _change(connection, taken, message.attempts) else None


def take_held(connection: Transaction, message: KeptMessage, until: float) -> KeptMessage | None:
    """Return a message that was held back as taken for an attempt that ends before `until`; None: it is no longer."""
    taken = replace(
        message, status=MessageStatus.RETRYING, attempts=message.attempts + 1, next_at=until, done_at=None, muted_by=""
    )
    return taken if _change(connection, taken, message.attempts, (MessageStatus.SUPPRESSED,)) else None


def finish(connection: Transaction, message: KeptMessage) -> bool:
    """Keep what became of a message that was taken; False: it was taken again meanwhile, and nothing is kept."""
    return _change(connection, message, message.attempts)


def give_up(connection: Transaction, message: KeptMessage) -> bool:
    """Keep that a message is given up, also one that was held back; False: it was taken again meanwhile."""
    return _change(connection, message, message.attempts, (*WAITING, MessageStatus.SUPPRESSED))


def finish_all(connection: Transaction, messages: Collection[KeptMessage]) -> None:
    """Keep what became of messages that are not taken by anybody else."""
    for each in messages:
        _change(connection, each, each.attempts, (*WAITING, MessageStatus.SUPPRESSED))


def add_once(connection: Transaction, message: KeptMessage) -> bool:
    """Put a message into the outbox; False: that receiver has it."""
    if _count(connection, *_key(message)):
        return False
    add_messages(connection, [message])
    return True


def next_number(connection: Transaction, incident: int) -> int:
    """Return the number of the next message of an incident."""
    return int(connection.execute(sa.select(sa.func.max(_of.number)).where(_of.incident == incident)).scalar() or 0) + 1


def sent_or_begun(connection: Transaction, receiver: str, since: float) -> int:
    """Return how many messages a receiver was sent since then, and those that are tried again and may yet arrive."""
    is_sent = sa.and_(_of.status == MessageStatus.SENT, _of.done_at >= since)
    is_begun = sa.and_(_of.status.in_(WAITING), _of.attempts > 0)
    return _count(connection, _of.receiver == receiver, sa.or_(is_sent, is_begun))


def held_back(connection: Transaction, receiver: str) -> list[KeptMessage]:
    """Return what was held back from a receiver and is in no digest yet."""
    asked = sa.select(alert_messages).where(*_held_back(receiver)).order_by(_of.made_at).limit(MOST_ROWS)
    return _rows(connection, asked)


def of_channels(connection: Transaction, receiver: str, about: str, since: float) -> list[KeptMessage]:
    """Return messages about channels that were made for a receiver since then, the newest first."""
    where = (_of.incident == OF_CHANNELS, _of.receiver == receiver, _of.about == about, _of.made_at >= since)
    return _rows(connection, sa.select(alert_messages).where(*where).order_by(_of.made_at.desc()))


def waiting_for_others(connection: Transaction, receivers: Collection[str]) -> list[KeptMessage]:
    """Return what waits for receivers that are none of these, what was held back from them too."""
    is_held = sa.and_(_of.status == MessageStatus.SUPPRESSED, _of.muted_by == RATE)
    where = (sa.or_(_of.status.in_(WAITING), is_held), _of.receiver.not_in([*receivers]))
    return _rows(connection, sa.select(alert_messages).where(*where).order_by(_of.made_at).limit(MOST_ROWS))


def note_of_test(receiver: str, who: str) -> str:
    """Return what a test of a channel says."""
    return f"This is a test of the channel {receiver}, asked for by {who}."


def put_test(connection: Transaction, receiver: str, who: str, now: float) -> KeptMessage:
    """Put a message into the outbox that tells nothing but that the channel works, and return it."""
    told = {"severity": "info", "opened_at": now, "members": [], "note": note_of_test(receiver, who)}
    body = orjson.dumps(told).decode()
    number = next_number(connection, OF_CHANNELS)
    message = KeptMessage(
        OF_CHANNELS, number, receiver, TEST, MessageStatus.QUEUED, made_at=now, next_at=now, body=body
    )
    add_messages(connection, [message])
    return message


def find(connection: Transaction, message: KeptMessage) -> KeptMessage | None:
    """Return what became of a message; None: it is not kept any more."""
    rows = _rows(connection, sa.select(alert_messages).where(*_key(message)))
    return rows[0] if rows else None


def last_sent(connection: Transaction) -> Mapping[str, float]:
    """Return when each receiver was last sent something, epoch seconds; one that never was is not there."""
    asked = sa.select(_of.receiver, sa.func.max(_of.done_at)).where(_of.status == MessageStatus.SENT)
    return {str(name): float(at) for name, at in connection.execute(asked.group_by(_of.receiver))}


def last_failed(connection: Transaction) -> Mapping[str, KeptMessage]:
    """Return what was last given up of each receiver; one of which nothing ever was is not there."""
    failed = _of.status == MessageStatus.FAILED
    last = sa.select(_of.receiver, sa.func.max(_of.done_at).label("at")).where(failed).group_by(_of.receiver).subquery()
    is_last = sa.and_(_of.receiver == last.c.receiver, _of.done_at == last.c.at)
    rows = _rows(connection, sa.select(alert_messages).join(last, is_last).where(failed))
    return {each.receiver: each for each in rows}


@dataclass(frozen=True, slots=True)
class Retried:
    """Messages of a receiver that were tried, not delivered, and are tried again."""

    count: int
    problem: str
    """Why one of them was not."""


def retried(connection: Transaction) -> Mapping[str, Retried]:
    """Return what is tried again, by receiver; one of which nothing is, is not there."""
    columns = _of.receiver, sa.func.count(), sa.func.max(_of.problem)
    asked = sa.select(*columns).where(_of.status == MessageStatus.RETRYING, _of.problem != "").group_by(_of.receiver)
    return {str(name): Retried(int(count), str(problem)) for name, count, problem in connection.execute(asked)}


def reached_of(connection: Transaction, incidents: Collection[int]) -> dict[int, list[str]]:
    """Return who got a message of each of these incidents, by name; of one that reached nobody nothing."""
    got = sa.or_(_of.status == MessageStatus.SENT, sa.and_(_of.status == MessageStatus.MERGED, _of.muted_by == RATE))
    asked = sa.select(_of.incident, _of.receiver).where(_of.incident.in_([*incidents]), got).distinct()
    found: dict[int, list[str]] = {}
    for incident, receiver in connection.execute(asked.order_by(_of.incident, _of.receiver)):
        found.setdefault(int(incident), []).append(str(receiver))
    return found


def last_done(connection: Transaction, receiver: str) -> KeptMessage | None:
    """Return what was last sent to a receiver, or could not be; None: nothing ever."""
    where = (_of.receiver == receiver, _of.status.in_([MessageStatus.SENT, MessageStatus.FAILED]))
    rows = _rows(connection, sa.select(alert_messages).where(*where).order_by(_of.done_at.desc()).limit(1))
    return rows[0] if rows else None


def _count(connection: Transaction, *where: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).where(*where)).scalar() or 0)


def _held_back(receiver: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _of.receiver == receiver, _of.status == MessageStatus.SUPPRESSED, _of.muted_by == RATE


def _key(message: KeptMessage) -> tuple[sa.ColumnElement[bool], ...]:
    return _of.incident == message.incident, _of.number == message.number, _of.receiver == message.receiver


def _change(
    connection: Transaction, message: KeptMessage, attempts: int, statuses: Collection[MessageStatus] = WAITING
) -> bool:
    changed = connection.execute(
        sa.update(alert_messages)
        .where(*_key(message), _of.attempts == attempts, _of.status.in_([*statuses]))
        .values(
            status=message.status, attempts=message.attempts, next_at=message.next_at, done_at=message.done_at,
            muted_by=message.muted_by, reply=message.reply, problem=message.problem,
        )
    )  # fmt: skip
    return bool(changed.rowcount)


def _rows(connection: Transaction, asked: sa.Select[tuple[object, ...]]) -> list[KeptMessage]:
    return [KeptMessage(**row._mapping) for row in connection.execute(asked)]
