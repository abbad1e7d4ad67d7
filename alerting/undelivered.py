"""What happens to a message that its channel does not deliver: the fallback gets it, and people hear of the channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import orjson

from alerting.happened import of_message
from alerting.notice import UNDELIVERED
from core.alerts.severity import Severity
from core.settings.channels import LOG
from storage.state import outbox
from storage.state.alerts import HistoryRow, KeptMessage, MessageStatus, add_history
from storage.state.database import Transaction

TAKEN_AWAY = "there is no channel of that name any more, or it is switched off"
"""Why what waits for a channel that somebody took away is not delivered."""
TOLD_SECONDS = 3_600.0
"""How often it is told at most that a channel fails."""


def fail(connection: Transaction, message: KeptMessage, fallback: str, channels: Collection[str], now: float) -> None:
    """Keep that a message was not delivered, and why; hand it to the fallback, and tell of the channel."""
    if not outbox.give_up(connection, replace(message, status=MessageStatus.FAILED, done_at=now)):
        return
    detail = f"{message.receiver}: {message.problem}"
    row = HistoryRow(now, UNDELIVERED, incident=message.incident, detail=detail)
    add_history(connection, [of_message(row, message)])
    if message.about == outbox.TEST:
        # Whoever asked for it sees what became of it.
        return
    if fallback in channels and message.about != UNDELIVERED:
        body = orjson.loads(message.body)
        said = note_of(message.receiver)
        body |= {"note": " ".join(each for each in (body.get("note", ""), said) if each)}
        handed = _message(message.incident, message.number, fallback, message.about, body, now)
        outbox.add_once(connection, handed)
    if message.about != UNDELIVERED:
        _tell_of(connection, message.receiver, fallback, channels, message.problem, now)
    elif message.receiver not in channels:
        # Of a channel that is gone nothing is lost: that another one fails is told by the one in its place.
        body = orjson.loads(message.body)
        others = [name for name in channels if name not in (body.get("channel"), LOG)]
        receiver = fallback if fallback in others else next(iter(others), LOG)
        outbox.add_once(connection, _message(message.incident, message.number, receiver, UNDELIVERED, body, now))


def note_of(channel: str) -> str:
    """Return what a message says that a channel did not deliver, and that somebody else gets instead."""
    return f"The channel {channel} did not deliver this."


def _tell_of(
    connection: Transaction, channel: str, fallback: str, channels: Collection[str], problem: str, now: float
) -> None:
    """Tell that a channel fails by its fallback, else by the first other one, else in the log; once an hour."""
    others = [name for name in channels if name not in (channel, LOG)]
    receiver = fallback if fallback in channels else next(iter(others), LOG)
    said = outbox.of_channels(connection, receiver, UNDELIVERED, now - TOLD_SECONDS)
    if any(orjson.loads(each.body).get("channel") == channel for each in said):
        return
    # That somebody took it away is no alarm.
    is_gone = problem == TAKEN_AWAY
    note = f"The channel {channel} does not deliver: {problem}"
    severity = Severity.INFO if is_gone else Severity.CRITICAL
    body = {"severity": severity.word, "opened_at": now, "members": [], "channel": channel, "note": note}
    number = outbox.next_number(connection, outbox.OF_CHANNELS)
    outbox.add_once(connection, _message(outbox.OF_CHANNELS, number, receiver, UNDELIVERED, body, now))


def _message(
    incident: int, number: int, receiver: str, about: str, body: Mapping[str, object], now: float
) -> KeptMessage:
    return KeptMessage(
        incident, number, receiver, about, MessageStatus.QUEUED, made_at=now, next_at=now,
        body=orjson.dumps(body).decode(),
    )  # fmt: skip
