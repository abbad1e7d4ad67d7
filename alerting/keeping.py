"""What the engine knows as rows of the state database: all of a tick written, and what an earlier engine left read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson
from pydantic import TypeAdapter

from alerting.changes import Changes, Known, key_of
from alerting.happened import of_incident
from alerting.incidents import About, Incident
from alerting.incidents import moved as incident_moved
from alerting.memory import Memory, Rules
from alerting.outbox import rows_of
from core.alerts.conditions import Condition, moved
from core.format import first_of
from storage.state import alerts as kept
from storage.state.alert_requests import answer_in
from storage.state.alerts import HistoryRow, KeptCondition, KeptIncident
from storage.state.database import Transaction

HURRY_SECONDS = 60.0
"""After the clock was set back what waits to be sent does not wait longer."""
CONDITIONS, INCIDENTS = TypeAdapter(Condition), TypeAdapter(Incident)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a tick is written."""

    at: float
    """By the engine's own time."""
    ahead: float
    """So many seconds the machine's clock is ahead of that."""
    now: float
    """By the machine's clock: who reads the rows has that one, which may have been set since the engine's began."""


@dataclass(frozen=True, slots=True)
class Left:
    """What an earlier engine left, with times of its own."""

    ticked_at: float
    """When it ticked last; 0: none ever did."""
    conditions: Sequence[KeptCondition]
    incidents: Sequence[KeptIncident]
    """Those that are open."""
    resolved: Sequence[KeptIncident]
    """Of each group the last one that a person resolved."""


def take_over(connection: Transaction, token: int, at: float, may_differ_seconds: float) -> Left:
    """Take over with this token, at a time of its engine, and return what is there.

    may_differ_seconds: where the clock was set by more while the last engine ran, all is kept anew with times that
    are later by so much. Where it was set back since, all is kept as if the last tick had been now: nothing that is
    there began in the future. Raises Overtaken when a later one has written.
    """
    last, last_steady = kept.last_tick(connection)
    kept.claim(connection, token)
    left = Left(last, kept.read_conditions(connection), kept.read_incidents(connection), kept.read_resolved(connection))
    if not last:
        return left
    back = max(0.0, last - at)
    drift = last - last_steady if abs(last - last_steady) > may_differ_seconds else 0.0
    if back:
        kept.hurry_messages(connection, at + HURRY_SECONDS)
    if back > may_differ_seconds:
        detail = f"the clock was set back by {back:.0f} s or more while nothing was evaluated"
        kept.add_history(connection, [HistoryRow(at, "clock_jump", detail=detail)])
    return _moved(connection, replace(left, ticked_at=last - back), drift - back) if drift or back else left


def known_of(row: KeptCondition) -> Known:
    """Return the condition of a row."""
    labels = tuple((str(name), str(value)) for name, value in orjson.loads(row.labels))
    return Known(row.rule, labels, CONDITIONS.validate_json(row.body), row.key)


def incident_of(row: KeptIncident) -> Incident:
    """Return the incident of a row."""
    found = INCIDENTS.validate_json(row.body)
    # An earlier version kept the time by which people know it beside it alone.
    return replace(found, began_at=found.began_at or row.opened_at)


def write(connection: Transaction, memory: Memory, rules: Rules, moment: Moment, changes: Changes) -> list[int]:
    """Write everything that a tick changed and return the ids of the incidents that turned."""
    at, now, ahead = moment.at, moment.now, moment.ahead
    if changes.went_back:
        kept.hurry_messages(connection, now + HURRY_SECONDS)
    rows = [_kept(each) for each in changes.conditions.values() if memory.is_worth_keeping(each)]
    kept.write_conditions(connection, rows, changes.gone)
    ids = []
    for id, group, turn in changes.turns:
        ids.append(kept.write_incident(connection, _kept_incident(id, group, turn.incident, ahead)))
        messages = rows_of(
            ids[-1], turn, now, ahead, lambda key: memory.now(key, changes), rules,
            partial(kept.messages_of, connection, id),
        )  # fmt: skip
        kept.add_messages(connection, messages)
        further = [each for each in turn.messages if each.about in (About.ESCALATED, About.EXHAUSTED)]
        changes.history += [
            HistoryRow(at, each.about.value, incident=ids[-1], detail=first_of(each.receivers)) for each in further
        ]
    for answer in changes.answers:
        answer_in(connection, answer.request, answer.why_not, now)
    of = memory.incidents_by_key(changes, ids) if changes.history else {}
    turned = dict(zip(ids, (turn.incident for _, _, turn in changes.turns), strict=True))
    history = [
        of_incident(each, turned[each.incident], memory, changes)
        if each.incident in turned
        else replace(each, incident=_part_of(each, of))
        for each in changes.history
    ]
    kept.add_history(connection, history, now - at)
    return ids


def _moved(connection: Transaction, left: Left, seconds: float) -> Left:
    """Keep all with times that are later by so much, and return it so."""
    conditions = [
        replace(each, body=CONDITIONS.dump_json(moved(CONDITIONS.validate_json(each.body), seconds)).decode())
        for each in left.conditions
    ]
    kept.times_are_moved(connection, left.ticked_at)
    kept.write_conditions(connection, conditions)
    incidents = [_later(each, seconds) for each in left.incidents]
    resolved = [_later(each, seconds) for each in left.resolved]
    for each in (*incidents, *resolved):
        kept.write_incident(connection, each)
    return Left(left.ticked_at, conditions, incidents, resolved)


def _later(row: KeptIncident, seconds: float) -> KeptIncident:
    known = incident_moved(INCIDENTS.validate_json(row.body), seconds)
    return replace(row, body=INCIDENTS.dump_json(known).decode())


def _kept(each: Known) -> KeptCondition:
    body = CONDITIONS.dump_json(each.condition).decode()
    return KeptCondition(each.key, each.rule, orjson.dumps(each.labels).decode(), body)


def _kept_incident(id: int, group: str, known: Incident, ahead: float) -> KeptIncident:
    """Return the row of an incident: its body has the engine's time, its columns are epoch seconds."""
    body = INCIDENTS.dump_json(known).decode()
    closed_at = None if known.closed_at is None else known.closed_at + ahead
    return KeptIncident(group, known.stage.value, known.began_at, closed_at, body, id, known.closed_by, known.severity)


def _part_of(row: HistoryRow, incidents: Mapping[str, int]) -> int:
    """Return the incident of a row: its own, or that of the condition that it is about; 0: none."""
    if row.incident or not row.rule:
        return row.incident
    return incidents.get(key_of(row.rule, tuple(orjson.loads(row.labels).items())), 0)
