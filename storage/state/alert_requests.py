"""What people ask of incidents: rows that the alert engine takes up, in the transaction in which it answers them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from core.errors import ChangeRejected
from core.format import coarse_duration
from storage.state.alert_tables import alert_incidents, alert_requests
from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction

WHO_CHARACTERS, NOTE_CHARACTERS = 80, 500
LONGEST_SECONDS = 31 * 86_400.0
"""For so long at most somebody has an incident in hand."""


class Ask(StrEnum):
    """What can be asked of an incident."""

    ACKNOWLEDGE = "acknowledge"
    """I have it in hand until then; who was told hears that."""
    SNOOZE = "snooze"
    """Not before then; nobody hears that."""
    RESOLVE = "resolve"
    """It is over, whatever still fires of it."""


WAITING, DONE, REFUSED = "waiting", "done", "refused"


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of an incident. Times are epoch seconds."""

    incident: int
    what: Ask
    who: str
    at: float
    until: float = 0.0
    """Of what ends: until when."""
    note: str = ""
    status: str = WAITING
    answered_at: float | None = None
    why_not: str = ""
    id: int = 0


def ask(state: State, request: Request) -> int:
    """Ask for it, and return its number; the engine answers within its next tick or two.

    Raises ChangeRejected that names the field, StorageUnavailable.
    """
    _check(request)
    row = {
        "incident": request.incident, "what": request.what.value, "who": request.who[:WHO_CHARACTERS],
        "at": request.at, "until": request.until, "note": request.note, "status": WAITING,
    }  # fmt: skip
    with state.begin() as connection:
        stage = connection.execute(
            sa.select(alert_incidents.c.closed_at).where(alert_incidents.c.id == request.incident)
        ).first()
        if stage is None:
            raise ChangeRejected("Nothing was asked.", {"incident": f"there is no incident {request.incident}"})
        if stage.closed_at is not None:
            raise ChangeRejected("Nothing was asked.", {"incident": f"incident {request.incident} is over"})
        told = Entry(request.at, request.who, f"alert {request.what} asked for", _target(request), detail=request.note)
        add_entry(connection, told)
        (number,) = connection.execute(sa.insert(alert_requests).values(**row)).inserted_primary_key or (0,)
        return int(number)


def waiting_in(connection: Transaction) -> list[Request]:
    """Return what was asked for and not answered, the oldest first."""
    asked = sa.select(alert_requests).where(alert_requests.c.status == WAITING).order_by(alert_requests.c.id)
    return [_request(row) for row in connection.execute(asked)]


def answer_in(connection: Transaction, request: Request, why_not: str, at: float) -> None:
    """Keep what became of a request, in the audit too. `why_not` empty: it was done."""
    status = REFUSED if why_not else DONE
    values = {"status": status, "answered_at": at, "why_not": why_not}
    connection.execute(sa.update(alert_requests).where(alert_requests.c.id == request.id).values(**values))
    outcome = "failed" if why_not else "done"
    what = f"alert {request.what}"
    add_entry(connection, Entry(at, request.who, what, _target(request), outcome=outcome, detail=why_not))


def requests_of(connection: Transaction, incident: int) -> list[Request]:
    """Return what was asked of an incident, the oldest first."""
    asked = sa.select(alert_requests).where(alert_requests.c.incident == incident).order_by(alert_requests.c.id)
    return [_request(row) for row in connection.execute(asked)]


def _check(request: Request) -> None:
    wrong = {}
    if request.what is not Ask.RESOLVE:
        lasts = request.until - request.at
        if lasts <= 0:
            wrong["until"] = "is over; give a time that is to come"
        elif lasts > LONGEST_SECONDS:
            wrong["until"] = f"is more than {coarse_duration(LONGEST_SECONDS)} away; give an earlier time"
    if len(request.note) > NOTE_CHARACTERS:
        wrong["note"] = f"has more than {NOTE_CHARACTERS} characters; shorten it"
    if wrong:
        raise ChangeRejected("Nothing was asked.", wrong)


def _target(request: Request) -> str:
    return f"incident {request.incident}"


def _request(row: sa.Row[tuple[object, ...]]) -> Request:
    values = dict(row._mapping)
    return Request(**values | {"what": Ask(values["what"])})
