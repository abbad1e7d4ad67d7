"""What alerting wrote down, read back a page at a time: messages, and what happened to alerts. The newest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.alert_tables import alert_history, alert_messages
from storage.state.alerts import HISTORY_COLUMNS, KeptMessage, NumberedRow, numbered
from storage.state.database import Transaction

BEGINS, BETWEEN, ENDS = ("fires",), ("raised", "lowered"), ("resolved",)
"""What rows of the history say of an alert that begins to fire, fires on, and ends."""
_message, _row = alert_messages.c, alert_history.c


@dataclass(frozen=True, slots=True)
class WantedMessages:
    """Which messages are asked for. What is empty leaves nothing out."""

    receiver: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class WantedRows:
    """Which rows of the history are asked for. What is empty leaves nothing out."""

    rule: str = ""
    severity: str = ""
    what: str = ""


def read_messages(connection: Transaction, wanted: WantedMessages, limit: int, skip: int = 0) -> list[KeptMessage]:
    """Return messages, without the `skip` newest ones."""
    newest = (_message.made_at.desc(), _message.incident.desc(), _message.number.desc(), _message.receiver)
    asked = sa.select(alert_messages).where(*_of_messages(wanted)).order_by(*newest).limit(limit).offset(skip)
    return [KeptMessage(**row._mapping) for row in connection.execute(asked)]


def read_rows(connection: Transaction, wanted: WantedRows, limit: int, before: int = 0) -> list[NumberedRow]:
    """Return rows of the history with their numbers; before: only what is older than the row of that number."""
    asked = sa.select(*HISTORY_COLUMNS).where(*_of_rows(wanted)).order_by(_row.id.desc()).limit(limit)
    if before:
        asked = asked.where(_row.id < before)
    return [numbered(row) for row in connection.execute(asked)]


def read_happened(connection: Transaction, what: Collection[str], limit: int, before: int) -> list[NumberedRow]:
    """Return the newest rows of the history, before the row of a number, that say one of these things."""
    asked = sa.select(*HISTORY_COLUMNS).where(_row.id < before, _row.what.in_(sorted(what)))
    return [numbered(row) for row in connection.execute(asked.order_by(_row.id.desc()).limit(limit))]


def known_rules(connection: Transaction) -> list[str]:
    """Return the rules that the history names, by name: each is looked up in the index behind the one before it."""
    first = sa.select(sa.func.min(_row.rule).label("rule")).where(_row.rule != "").cte("known", recursive=True)
    behind = sa.select(sa.func.min(_row.rule)).where(_row.rule > first.c.rule).scalar_subquery()
    known = first.union_all(sa.select(behind).where(first.c.rule.is_not(None)))
    return [str(name) for (name,) in connection.execute(sa.select(known.c.rule).where(known.c.rule.is_not(None)))]


def _of_messages(wanted: WantedMessages) -> list[sa.ColumnElement[bool]]:
    asked = ((_message.receiver, wanted.receiver), (_message.status, wanted.status))
    return [_message.made_at > 0, *(column == value for column, value in asked if value)]


def _of_rows(wanted: WantedRows) -> list[sa.ColumnElement[bool]]:
    asked = ((_row.rule, wanted.rule), (_row.severity, wanted.severity), (_row.what, wanted.what))
    return [_row.id > 0, *(column == value for column, value in asked if value)]


def read_spans(connection: Transaction, limit: int) -> list[NumberedRow]:
    """Return the newest rows of the history that say when alerts began, changed their severity and ended."""
    asked = sa.select(*HISTORY_COLUMNS).where(_row.what.in_([*BEGINS, *BETWEEN, *ENDS]))
    return [numbered(row) for row in connection.execute(asked.order_by(_row.id.desc()).limit(limit))]
