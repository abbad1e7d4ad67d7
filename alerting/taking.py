"""What a sender takes from the outbox next, and what it leaves: told by a later message, held back, or told to nobody.

All of it in the transaction that takes the message. It knows no channel but by its limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from alerting.incidents import About
from alerting.notice import DIGEST
from alerting.undelivered import note_of
from core.alerts.labels import where_of
from core.alerts.naming import name_of
from core.alerts.severity import Severity
from core.format import count, cut, first_of, number
from core.settings.channels import Channel
from storage.state import outbox
from storage.state.alerts import KeptMessage, MessageStatus
from storage.state.database import Transaction

HOUR_SECONDS, DAY_SECONDS = 3_600.0, 86_400.0
DIGEST_SECONDS = 60.0
"""After what was held back first, a digest tells it; each further one waits twice as long, up to an hour."""
DIGEST_MEMORY_SECONDS = 6 * HOUR_SECONDS
MOST_IN_DIGEST = 50
MOST_ENDED = 10
"""That a digest names of what is over by now, the gravest; of the others it says how many there are."""
LONGEST_NAME = 80
RESERVE = 2
"""What is critical may be sent so many times as often as the rest: a part that nothing else can use up.

What is urgent has no limit: however much was told before, it needs somebody now.
"""
NEVER_TOLD = "nothing of it was told"
_KINDS: Mapping[str, str] = {
    About.OPENED: "new", About.ESCALATED: "escalated", About.REMINDED: "firing on", About.RESOLVED: "ended",
    About.RAISED: "worse", About.LOWERED: "less severe", About.CHANGED: "changed", About.ACKNOWLEDGED: "acknowledged",
    About.ACK_ENDED: "in nobody's hand any more", About.SNOOZE_ENDED: "no longer snoozed",
}  # fmt: skip
"""What a digest calls the messages that were held back, by what they are about."""
LEASE_SECONDS = 5.0
"""Beyond the deadline of an attempt: after that whoever took it has died."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message for an attempt, and what was to be told to its receiver of its incident before."""

    message: KeptMessage
    before: tuple[KeptMessage, ...] = ()

    @property
    def sent(self) -> tuple[KeptMessage, ...]:
        """Return those that arrived."""
        return tuple(each for each in self.before if each.status == MessageStatus.SENT)


def take_next(connection: Transaction, channel: Channel, now: float) -> Taken | None:
    """Return what is to be sent now by a channel; None: nothing is."""
    waiting = outbox.waiting_for(connection, channel.name)
    newest = _newest(waiting)
    told_by_later = [each for each in waiting if each not in newest]
    outbox.finish_all(connection, [_done(each, MessageStatus.MERGED, now) for each in told_by_later])
    due = [each for each in newest if each.next_at <= now]
    # What was never tried goes first: a receiver that hangs costs the time of an attempt for each that was.
    for message in sorted(due, key=lambda each: (each.attempts > 0, each.made_at, each.number)):
        before = outbox.before(connection, message)
        if why := _why_not(connection, channel, message, before, now):
            outbox.finish_all(connection, [_done(message, MessageStatus.SUPPRESSED, now, why)])
            continue
        if taken := outbox.take(connection, message, now + channel.timeout_seconds + LEASE_SECONDS):
            held = [each for each in before if _is_held(each)]
            outbox.finish_all(connection, [replace(each, status=MessageStatus.MERGED) for each in held])
            return Taken(taken, tuple(before))
    return _digest(connection, channel, now)


def tell_end_to_fallback(connection: Transaction, message: KeptMessage) -> bool:
    """Tell whoever was told of something instead of its channel that it is over. Return whether anybody is."""
    return _hand_end(connection, message, outbox.before(connection, message))


def _hand_end(connection: Transaction, message: KeptMessage, before: Sequence[KeptMessage]) -> bool:
    """Hand an end to those who were handed what it ends: the channel may have another fallback by now, or none."""
    numbers = [each.number for each in before if each.status == MessageStatus.FAILED]
    note = note_of(message.receiver)
    handed = {
        each.receiver
        for each in (outbox.of_numbers(connection, message.incident, numbers) if numbers else ())
        if str(orjson.loads(each.body).get("note", "")).endswith(note)
    }
    told = [outbox.add_once(connection, replace(message, receiver=name)) for name in sorted(handed)]
    return any(told)


def severity_of(message: KeptMessage) -> Severity:
    """Return how bad it is what a message tells."""
    return Severity.of(str(orjson.loads(message.body)["severity"]))


def _newest(waiting: Sequence[KeptMessage]) -> list[KeptMessage]:
    """Return the last message of each incident: it tells all that those before it do, as it is now."""
    last: dict[tuple[int, int], KeptMessage] = {}
    for each in waiting:
        key = (each.incident, each.number if each.incident == outbox.OF_CHANNELS else -1)
        if key not in last or each.number > last[key].number:
            last[key] = each
    return list(last.values())


def _why_not(
    connection: Transaction, channel: Channel, message: KeptMessage, before: Sequence[KeptMessage], now: float
) -> str:
    """Return why a message is not sent; empty: it is."""
    if message.about == About.RESOLVED:
        _hand_end(connection, message, before)
        if before and not _is_heard(before):
            return outbox.RATE if any(_is_held(each) for each in before) else NEVER_TOLD
        if not channel.HOLDS_BACK_ENDS:
            return ""
    is_new = message.attempts == 0 and message.incident != outbox.OF_CHANNELS
    return outbox.RATE if is_new and _is_too_much(connection, channel, message, now) else ""


def _is_heard(before: Sequence[KeptMessage]) -> bool:
    """Return whether a receiver was told of an incident, by a digest too, or was about to be.

    What was about to be told is told with the end, in one message.
    """
    loud = [each for each in before if each.status != MessageStatus.SUPPRESSED or _is_held(each)]
    was_told = any(each.status == MessageStatus.SENT or _is_digested(each) for each in loud)
    return was_told or bool(loud and loud[-1].status == MessageStatus.MERGED)


def _is_digested(message: KeptMessage) -> bool:
    return message.status == MessageStatus.MERGED and message.muted_by == outbox.RATE


def _is_held(message: KeptMessage) -> bool:
    return message.status == MessageStatus.SUPPRESSED and message.muted_by == outbox.RATE


def _is_too_much(connection: Transaction, channel: Channel, message: KeptMessage, now: float) -> bool:
    severity = severity_of(message)
    if severity >= Severity.URGENT:
        return False
    times = RESERVE if severity >= Severity.CRITICAL else 1
    return any(
        limit and outbox.sent_or_begun(connection, channel.name, now - seconds) >= limit * times
        for limit, seconds in ((channel.per_hour, HOUR_SECONDS), (channel.per_day, DAY_SECONDS))
    )


def _digest(connection: Transaction, channel: Channel, now: float) -> Taken | None:
    """Return one message of all that was held back, when it is time for that.

    Of a single incident that is its newest message, as it would have come; the digest is kept then, and not sent.
    """
    held = outbox.held_back(connection, channel.name)
    if not held or now < _digest_at(connection, channel, held[0].done_at or now, now):
        return None
    until = now + channel.timeout_seconds + LEASE_SECONDS
    newest = max(held, key=lambda each: each.number)
    is_single = newest.incident != outbox.OF_CHANNELS and all(each.incident == newest.incident for each in held)
    digest = KeptMessage(
        outbox.OF_CHANNELS,
        outbox.next_number(connection, outbox.OF_CHANNELS),
        channel.name,
        DIGEST,
        MessageStatus.MERGED if is_single else MessageStatus.QUEUED,
        made_at=now,
        next_at=now,
        body=orjson.dumps(digest_of(held, now)).decode(),
        done_at=now if is_single else None,
    )
    outbox.add_once(connection, digest)
    told = [each for each in held if not is_single or each != newest]
    outbox.finish_all(connection, [replace(each, status=MessageStatus.MERGED) for each in told])
    if not is_single:
        taken = outbox.take(connection, digest, until)
        return Taken(taken) if taken else None
    before = outbox.before(connection, newest)
    taken = outbox.take_held(connection, newest, until)
    return Taken(taken, tuple(before)) if taken else None


def _digest_at(connection: Transaction, channel: Channel, held_at: float, now: float) -> float:
    digests = outbox.of_channels(connection, channel.name, DIGEST, now - DIGEST_MEMORY_SECONDS)
    if not digests:
        return held_at + DIGEST_SECONDS
    pause = min(DIGEST_SECONDS * 2.0 ** len(digests), HOUR_SECONDS)
    return max(held_at + DIGEST_SECONDS, digests[0].made_at + pause)


def digest_of(held: Sequence[KeptMessage], now: float) -> dict[str, object]:
    """Return the body of a message that tells all of these: of each incident what was said last, the worst first."""
    last = {each.incident: each for each in held}
    over = [orjson.loads(each.body) for each in last.values() if each.about == About.RESOLVED]
    over.sort(key=lambda body: -Severity.of(str(body["severity"])))
    firing = [orjson.loads(each.body) for each in last.values() if each.about != About.RESOLVED]
    members = [member for body in firing for member in body.get("members", ()) if not member.get("muted_by")]
    members.sort(key=lambda member: -Severity.of(str(member["severity"])))
    beyond = sum(int(body.get("more", 0)) for body in firing) + len(members[MOST_IN_DIGEST:])
    severity = max((Severity.of(str(body["severity"])) for body in firing), default=Severity.INFO)
    told = f"{count(len(held), 'message')} of {count(len(last), 'incident')}"
    kinds = Counter(_KINDS.get(each.about, "other") for each in held)
    what = ", ".join(f"{number(amount)} {word}" for word, amount in kinds.most_common())
    named = first_of([name for body in over if (name := _name_of_end(body))], MOST_ENDED)
    ended = f"{number(len(over))} ({named})" if named else number(len(over))
    note = f"{told} held back by the limit of the channel ({what}); over by now: {ended}."
    return {
        "severity": severity.word, "opened_at": min((each.made_at for each in held), default=now),
        "members": members[:MOST_IN_DIGEST], "more": beyond, "note": note,
    }  # fmt: skip


def _name_of_end(body: Mapping[str, Any]) -> str:
    """Return what ended is called; empty: that is not known."""
    heard = [each for each in body.get("members", ()) if not each.get("muted_by")]
    if not heard:
        return ""
    titles = [str(each["title"]) for each in heard]
    where = where_of(heard[0]["labels"].items())
    text = f"{titles[0]}: {where}" if where else titles[0]
    return cut(name_of(titles, int(body.get("more", 0)), text), LONGEST_NAME)


def _done(message: KeptMessage, status: MessageStatus, now: float, why: str = "") -> KeptMessage:
    return replace(message, status=status, done_at=now, muted_by=why or message.muted_by)
