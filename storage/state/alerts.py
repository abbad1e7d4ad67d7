"""What the alert engine knows and does, kept: all of one tick in one transaction, by the one engine that may.

Bodies are JSON that alerting makes and reads; the columns beside them are what is asked for.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.errors import StorageRejected
from core.format import cut
from storage.state.alert_tables import (
    alert_conditions,
    alert_engine,
    alert_history,
    alert_incidents,
    alert_messages,
)
from storage.state.database import HISTORY_LOCK, State, Transaction, upsert

LINK_KEY_BYTES = 32
KEYS_AT_ONCE = 500
MUTED_BY_CHARACTERS = 255
"""That are kept of what mutes a message."""
CLOSED = "closed"
"""The stage of an incident that is over."""


OF_INCIDENTS = frozenset({
    "acknowledged", "snoozed", "resolved_by_hand", "escalated", "exhausted", "delivered", "undelivered",
})  # fmt: skip
"""What rows of the history tell of a whole incident, of which several portfolios may have alerts."""


class MessageStatus(StrEnum):
    """What became of a message to one receiver."""

    QUEUED = "queued"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    """It was written down and not sent: `muted_by` says why."""
    MERGED = "merged"
    """A later message told it as well."""


@dataclass(frozen=True, slots=True)
class KeptCondition:
    """A condition. `labels`: JSON; `key`: of rule and labels."""

    key: str
    rule: str
    labels: str
    body: str


@dataclass(frozen=True, slots=True)
class KeptIncident:
    """An incident. `id` 0: it gets one."""

    group: str
    stage: str
    opened_at: float
    closed_at: float | None
    body: str
    id: int = 0
    closed_by: str = ""
    """Who resolved it by hand."""
    severity: int = 0
    """How grave it is now; kept is how grave it became."""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message of an incident to one receiver; times in epoch seconds."""

    incident: int
    number: int
    receiver: str
    about: str
    status: str
    made_at: float
    next_at: float
    body: str
    muted_by: str = ""
    attempts: int = 0
    done_at: float | None = None
    reply: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """Something that happened, epoch seconds."""

    at: float
    what: str
    rule: str = ""
    labels: str = "{}"
    severity: str = ""
    incident: int = 0
    who: str = ""
    detail: str = ""

    @property
    def is_of_alert(self) -> bool:
        """Return whether it tells of one alert, and of nothing beside."""
        return bool(self.rule) and self.what not in OF_INCIDENTS


NumberedRow = tuple[int, HistoryRow]
"""A row of history with its id."""


class Overtaken(StorageRejected):
    """Another engine has taken over: nothing was written."""


def check_token(connection: Transaction, token: int, at: float, steady: float) -> None:
    """Write down that the engine with this token ticks. Raises Overtaken when a later one has written.

    at: epoch seconds. steady: the same moment by the engine's own time.
    """
    _write_engine(connection, token, {"ticked_at": at, "steady_at": steady})


def claim(connection: Transaction, token: int) -> None:
    """Take over with this token. Raises Overtaken when a later one has written."""
    _write_engine(connection, token, {})


def times_are_moved(connection: Transaction, ticked_at: float) -> None:
    """Write down that what is kept in an engine's own time has been moved to epoch seconds, its last tick too."""
    connection.execute(sa.update(alert_engine).values(ticked_at=ticked_at, steady_at=ticked_at))


def _write_engine(connection: Transaction, token: int, values: Mapping[str, float]) -> None:
    mine = alert_engine.c.token <= token
    written = {"token": token, **values}
    changed = connection.execute(sa.update(alert_engine).where(alert_engine.c.id == 1, mine).values(written))
    if changed.rowcount:
        return
    if connection.execute(sa.select(alert_engine.c.token)).scalar() is not None:
        raise Overtaken("another alert engine has taken over")
    of_its_own = {"installation": uuid.uuid4().hex, "link_key": secrets.token_hex(LINK_KEY_BYTES)}
    connection.execute(sa.insert(alert_engine).values(id=1, **of_its_own, **written))


def ticked_at(state: State) -> float:
    """Return when an engine last ticked, epoch seconds; 0: never."""
    with state.reading() as connection:
        return float(connection.execute(sa.select(alert_engine.c.ticked_at)).scalar() or 0.0)


def last_tick(connection: Transaction) -> tuple[float, float]:
    """Return when an engine last ticked, in epoch seconds and by its own time; 0: never."""
    found = connection.execute(sa.select(alert_engine.c.ticked_at, alert_engine.c.steady_at)).one_or_none()
    return (float(found[0]), float(found[1])) if found else (0.0, 0.0)


def installation_in(connection: Transaction) -> str:
    """Return what tells the alerts of this state database from all others; empty before an engine began."""
    return str(connection.execute(sa.select(alert_engine.c.installation)).scalar() or "")


def link_key_in(connection: Transaction) -> str:
    """Return what signs the links of this installation's messages; empty before an engine began."""
    return str(connection.execute(sa.select(alert_engine.c.link_key)).scalar() or "")


def newest_token(connection: Transaction) -> int:
    """Return the token of the engine that wrote last; 0: none ever did."""
    return int(connection.execute(sa.select(alert_engine.c.token)).scalar() or 0)


def read_conditions(connection: Transaction) -> list[KeptCondition]:
    """Return every condition."""
    return [KeptCondition(*row) for row in connection.execute(sa.select(alert_conditions))]


def conditions_in(connection: Transaction, keys: Sequence[str]) -> list[KeptCondition]:
    """Return the conditions of these keys, those that there are."""
    asked = sa.select(alert_conditions)
    parts = (keys[at : at + KEYS_AT_ONCE] for at in range(0, len(keys), KEYS_AT_ONCE))
    return [
        KeptCondition(*row)
        for part in parts
        for row in connection.execute(asked.where(alert_conditions.c.key.in_(part)))
    ]


def write_conditions(connection: Transaction, changed: Sequence[KeptCondition], gone: Iterable[str] = ()) -> None:
    """Keep conditions, and forget those with the keys `gone`."""
    upsert(connection, alert_conditions, [_row(each) for each in changed])
    keys = [*gone]
    if keys:
        connection.execute(sa.delete(alert_conditions).where(alert_conditions.c.key.in_(keys)))


def read_incidents(connection: Transaction, *, closed: bool = False) -> list[KeptIncident]:
    """Return the incidents that are not over; `closed`: those that are."""
    of = alert_incidents.c
    where = of.stage == CLOSED if closed else of.stage != CLOSED
    return [KeptIncident(*row) for row in connection.execute(sa.select(*_INCIDENT).where(where).order_by(of.id))]


def incident_in(connection: Transaction, id: int) -> KeptIncident | None:
    """Return the incident of a number, also one that is over; None: there is none."""
    row = connection.execute(sa.select(*_INCIDENT).where(alert_incidents.c.id == id)).first()
    return KeptIncident(*row) if row is not None else None


def incidents_in(connection: Transaction, ids: Sequence[int]) -> dict[int, KeptIncident]:
    """Return incidents by their numbers, those that there are."""
    rows = connection.execute(sa.select(*_INCIDENT).where(alert_incidents.c.id.in_(ids)))
    return {each.id: each for each in (KeptIncident(*row) for row in rows)}


def read_resolved(connection: Transaction) -> list[KeptIncident]:
    """Return of each group the last incident that a person resolved."""
    of = alert_incidents.c
    last = sa.select(sa.func.max(of.id)).where(of.closed_by != "").group_by(of.group)
    return [KeptIncident(*row) for row in connection.execute(sa.select(*_INCIDENT).where(of.id.in_(last)))]


def write_incident(connection: Transaction, incident: KeptIncident) -> int:
    """Keep an incident and return its id."""
    values = {name: value for name, value in _row(incident).items() if name != "id"}
    values["group"] = plain(incident.group)
    if incident.id:
        of = alert_incidents.c
        values["severity"] = sa.case((of.severity < incident.severity, incident.severity), else_=of.severity)
        connection.execute(sa.update(alert_incidents).where(of.id == incident.id).values(values))
        return incident.id
    key = connection.execute(sa.insert(alert_incidents).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def add_messages(connection: Transaction, messages: Sequence[KeptMessage]) -> None:
    """Put messages into the outbox."""
    if messages:
        # What hides an alert is named by labels that anybody may send.
        rows = [_row(each) | {"muted_by": cut(plain(each.muted_by), MUTED_BY_CHARACTERS)} for each in messages]
        connection.execute(sa.insert(alert_messages), rows)


def add_history(connection: Transaction, rows: Sequence[HistoryRow], ahead: float = 0.0) -> None:
    """Write down what happened. ahead: by so many seconds epoch seconds are ahead of the times of these rows."""
    if rows and connection.dialect.name == "postgresql":
        # A number is drawn before its row is there: alone, rows are there in the order in which they are copied.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": HISTORY_LOCK})
    if rows:
        told = [_row(each) | {"at": each.at + ahead, "detail": plain(each.detail)} for each in rows]
        connection.execute(sa.insert(alert_history), told)


def plain(text: str) -> str:
    """Return a text that every state database keeps: PostgreSQL takes none with a NUL."""
    return text.replace("\0", "")


def queue_in(connection: Transaction) -> tuple[int, float | None]:
    """Return how many messages wait to be sent, and since when the first of them is due; None: none waits."""
    of = alert_messages.c
    waiting = of.status.in_([MessageStatus.QUEUED, MessageStatus.RETRYING])
    count, first = connection.execute(sa.select(sa.func.count(), sa.func.min(of.next_at)).where(waiting)).one()
    return int(count), first


def messages_of(connection: Transaction, incident: int) -> list[KeptMessage]:
    """Return every message of an incident in their order."""
    asked = sa.select(alert_messages).where(alert_messages.c.incident == incident).order_by(alert_messages.c.number)
    return [_message(row) for row in connection.execute(asked)]


def message_in(connection: Transaction, incident: int, number: int, receiver: str) -> KeptMessage | None:
    """Return one message of an incident; None: there is none."""
    of = alert_messages.c
    where = (of.incident == incident, of.number == number, of.receiver == receiver)
    row = connection.execute(sa.select(alert_messages).where(*where)).first()
    return _message(row) if row is not None else None


def hurry_messages(connection: Transaction, until: float) -> None:
    """Let what waits to be sent be due then at the latest (epoch seconds): the clock was set back."""
    of = alert_messages.c
    waiting = of.status.in_([MessageStatus.QUEUED, MessageStatus.RETRYING])
    connection.execute(sa.update(alert_messages).where(waiting, of.next_at > until).values(next_at=until))


def read_history(connection: Transaction, most: int, before: int = 0) -> list[NumberedRow]:
    """Return what happened last, the newest first, with ids; `before`: only what is older than that id."""
    of = alert_history.c
    asked = sa.select(*HISTORY_COLUMNS).order_by(of.id.desc()).limit(most)
    if before:
        asked = asked.where(of.id < before)
    return [numbered(row) for row in connection.execute(asked)]


_OF = alert_incidents.c
_AT = alert_history.c
HISTORY_COLUMNS = (_AT.id, _AT.at, _AT.what, _AT.rule, _AT.labels, _AT.severity, _AT.incident, _AT.who, _AT.detail)
_INCIDENT = (_OF.group, _OF.stage, _OF.opened_at, _OF.closed_at, _OF.body, _OF.id, _OF.closed_by)


def history_after(state: State, number: int, limit: int) -> list[NumberedRow]:
    """Return what happened after row `number`, the oldest first. Raises StorageUnavailable."""
    of = alert_history.c
    with state.reading() as connection:
        found = connection.execute(sa.select(*HISTORY_COLUMNS).where(of.id > number).order_by(of.id).limit(limit))
        return [numbered(row) for row in found]


def numbered(row: Sequence[Any]) -> NumberedRow:
    """Return a row of HISTORY_COLUMNS with its number."""
    return int(row[0]), HistoryRow(*row[1:])


def _row(kept: KeptCondition | KeptIncident | KeptMessage | HistoryRow) -> dict[str, Any]:
    """Return what is kept by column: thousands of them in a tick, of which `asdict` would copy each value."""
    return {name: getattr(kept, name) for name in _NAMES[type(kept)]}


_NAMES = {kind: [each.name for each in fields(kind)] for kind in (KeptCondition, KeptIncident, KeptMessage, HistoryRow)}


def _message(row: sa.Row[tuple[object, ...]]) -> KeptMessage:
    return KeptMessage(**row._mapping)
