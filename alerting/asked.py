"""What people ask of an incident, done to it: acknowledge, snooze, resolve."""

from __future__ import annotations

from collections.abc import Sequence

from alerting.changes import Answer, Changes
from alerting.incidents import Incident, Message, Stage, Turn, acknowledge, resolve, snooze
from storage.state.alert_requests import Ask, Request
from storage.state.alerts import HistoryRow

HAPPENED = {Ask.ACKNOWLEDGE: "acknowledged", Ask.SNOOZE: "snoozed", Ask.RESOLVE: "resolved_by_hand"}
"""What stands in the history."""


def answered(known: Incident, asked: Sequence[Request], at: float, ahead: float, changes: Changes) -> Turn:
    """Return the incident after what was asked of it, in order; each answer is noted in `changes`.

    ahead: by so many seconds the machine's clock, by which people say until when, is ahead of the engine's time.
    """
    messages: tuple[Message, ...] = ()
    for request in asked:
        turn, why_not = _done(known, request, request.until - ahead, at)
        known, messages = turn.incident, (*messages, *turn.messages)
        changes.answers.append(Answer(request, why_not))
        if not why_not:
            what = HAPPENED[request.what]
            changes.history.append(
                HistoryRow(at, what, incident=request.incident, who=request.who, detail=request.note)
            )
    return Turn(known, messages)


def refused(asked: Sequence[Request], changes: Changes) -> None:
    """Note that these came too late: their incidents are over."""
    changes.answers += [Answer(each, "the incident is over") for each in asked]


def _done(known: Incident, request: Request, until: float, at: float) -> tuple[Turn, str]:
    """Return what became of the incident, and why nothing did."""
    if known.stage is Stage.CLOSED:
        return Turn(known), "the incident is over"
    if request.what is Ask.RESOLVE:
        return resolve(known, request.who or "somebody", at, request.note), ""
    if until <= at:
        return Turn(known), "its time was over before it was taken up"
    if request.what is Ask.SNOOZE:
        return snooze(known, request.who, until), ""
    return acknowledge(known, request.who, until, at, request.note), ""
