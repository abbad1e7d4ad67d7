"""An outbox on a real state database, filled as the engine fills it, and what became of its messages."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from core.clock import FakeClock
from core.settings.channels import Channel, Channels
from storage.state.alert_tables import alert_messages
from storage.state.alerts import KeptMessage, MessageStatus, add_messages, check_token
from storage.state.database import State

TOKEN = 1
MEMBER: dict[str, Any] = {
    "rule": "cpu", "title": "CPU busy", "labels": {"host": "a"}, "severity": "warning", "since": 1.0, "value": 0.93,
    "text": "CPU 93 % on a", "runbook": "", "category": "system", "muted_by": "",
}  # fmt: skip


class Outbox:
    """What is to be told, and by which channels."""

    def __init__(self, state: State, channels: Channels) -> None:
        self.state = state
        self.channels = dict(channels.every())
        self.clock = FakeClock()
        with state.begin() as connection:
            check_token(connection, TOKEN, self.clock.now(), self.clock.now())

    def channel(self, name: str) -> Channel:
        return self.channels[name]

    def put(self, receiver: str, about: str = "opened", *, incident: int = 1, number: int = 0, **more: Any) -> None:
        """Put a message into the outbox. severity: of it; everything else is of the row."""
        severity = more.pop("severity", "warning")
        members = [] if about == "resolved" else [{**MEMBER, "severity": severity}]
        body = {"severity": severity, "opened_at": self.clock.now() - 60, "who": "", "members": members}
        now = self.clock.now()
        message = KeptMessage(
            incident, number, receiver, about, MessageStatus.QUEUED, now, now, orjson.dumps(body).decode(), **more
        )
        with self.state.begin() as connection:
            add_messages(connection, [message])

    def rows(self, receiver: str = "") -> list[KeptMessage]:
        of = alert_messages.c
        asked = sa.select(alert_messages).order_by(of.incident, of.number, of.receiver)
        with self.state.reading() as connection:
            rows = [KeptMessage(**row._mapping) for row in connection.execute(asked)]
        return [row for row in rows if receiver in ("", row.receiver)]

    def states(self, receiver: str = "") -> list[tuple[str, str]]:
        """Return what each message is about, and what became of it."""
        return [(row.about, row.status) for row in self.rows(receiver)]
