"""Messages about alerts: to whom, about what, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from dash import html

from core.alerts.naming import name_of
from dashboard.alerts.known import severity_of
from dashboard.alerts.parts import severity_cell
from dashboard.components.age import local_time
from dashboard.components.table import Cell, Column, cut_cell, data_table, whole_cell
from portfolio.alerts import Sight
from portfolio.withheld import WITHHELD
from storage.state.alerts import KeptMessage, MessageStatus
from storage.state.outbox import OF_CHANNELS, RATE, TEST

if TYPE_CHECKING:
    pass

ID = "messages"
PATH = "/alerts/messages"
ABOUT = {
    "opened": "begins", "changed": "changed", "raised": "worse", "lowered": "less severe", "escalated": "escalated",
    "reminded": "still fires", "acknowledged": "acknowledged", "ack_ended": "acknowledgement ended",
    "snooze_ended": "snooze is over",
    "resolved": "is over", "digest": "digest of what was held back", "undelivered": "could not be delivered",
    TEST: "test",
}  # fmt: skip
STATUS = {
    MessageStatus.QUEUED: ("waiting", "muted"),
    MessageStatus.RETRYING: ("being tried", "warning"),
    MessageStatus.SENT: ("✓ sent", "ok"),
    MessageStatus.FAILED: ("✕ failed", "critical"),
    MessageStatus.SUPPRESSED: ("muted", "muted"),
    MessageStatus.MERGED: ("told by a later one", "muted"),
}
"""Word and tone of what became of a message."""
HELD_BACK = "held back"
_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("to", "To", numeric=False),
    Column("severity", "Severity", numeric=False),
    Column("about", "About", numeric=False),
    Column("text", "What", numeric=False),
    Column("incident", "Incident"),
    Column("state", "State", numeric=False),
    Column("attempts", "Attempts"),
    Column("done", "Done", numeric=False, definition="When it was sent, or given up"),
    Column("reply", "Reply", numeric=False, definition="What the channel answered, or why it could not be sent"),
)


def messages_table(messages: Sequence[KeptMessage], sight: Sight, *, id: str = f"{ID}-rows") -> html.Div:
    """Return a row a message, in the order given; `sight` says what of them may be told."""
    nothing = "No message is like that. One is made when an incident opens, changes or ends, for each channel."
    rows = [_row(each, sight) for each in messages]
    return data_table(id, _COLUMNS, rows, caption="Messages", nothing=nothing, is_page=True)


def seen(messages: Sequence[KeptMessage], sight: Sight) -> list[KeptMessage]:
    """Return the messages that may be told: under limits those about alerts that may be, all of them."""
    return [each for each in messages if sight.is_whole or _is_seen(orjson.loads(each.body), sight)]


def state_of(message: KeptMessage) -> tuple[str, str]:
    """Return what became of a message as a word, and its tone."""
    if message.status == MessageStatus.SUPPRESSED and message.muted_by == RATE:
        return HELD_BACK, "muted"
    return STATUS[MessageStatus(message.status)]


def _is_seen(body: Mapping[str, Any], sight: Sight) -> bool:
    members = body.get("members") or ()
    is_all = bool(members) and not body.get("more", 0)
    return is_all and all(sight.sees(each["rule"], each["labels"]) for each in members)


def _row(message: KeptMessage, sight: Sight) -> dict[str, Any]:
    body = orjson.loads(message.body)
    word, tone = state_of(message)
    of = str(message.incident) if message.incident != OF_CHANNELS else ""
    muted = f": {message.muted_by}" if message.muted_by and word != HELD_BACK and sight.is_whole else ""
    return {
        "at": Cell(local_time(message.made_at), sort=message.made_at),
        "to": message.receiver,
        "severity": severity_cell(severity_of(str(body.get("severity", "")))),
        "about": ABOUT.get(message.about, message.about),
        "text": whole_cell(name_of_message(message, sight)),
        "incident": Cell(html.A(f"#{of}", href=f"/alerts?incident={of}"), sort=float(of)) if of else None,
        "state": Cell(f"{word}{muted}", tone=tone, mark="fw-wraps" if muted else ""),
        "attempts": Cell(str(message.attempts), sort=float(message.attempts)),
        "done": Cell(local_time(message.done_at, "span"), sort=message.done_at) if message.done_at else None,
        "reply": cut_cell(_reply(message, sight), 80, "warning" if message.problem else ""),
    }


def _reply(message: KeptMessage, sight: Sight) -> str:
    """Return what the channel answered: it may repeat what others were told."""
    said = message.problem or message.reply
    return said if sight.is_whole or not said else WITHHELD


def name_of_message(message: KeptMessage, sight: Sight) -> str | None:
    """Return what a message is called, as in what was sent; None: it tells of nothing."""
    body = orjson.loads(message.body)
    members = body.get("members") or ()
    if not members:
        return str(body.get("note") or "") or None
    heard = [each for each in members if not each.get("muted_by")] or members
    gravest = sorted(heard, key=lambda each: -severity_of(str(each["severity"])))
    first = gravest[0]
    text = sight.sentence(first["labels"], str(first["text"]))
    titles = [str(each["title"]) for each in gravest]
    return name_of(titles, int(body.get("more", 0)), text)
