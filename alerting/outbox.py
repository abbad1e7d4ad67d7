"""What a turn of an incident puts into the outbox: a row for each receiver, with what is told as it is now."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence

import orjson

from alerting.changes import Known
from alerting.incidents import About, Incident, Message, Stage, Turn
from alerting.words import message_of, title_of
from core.alerts.rule import Rule
from storage.state.alerts import KeptMessage, MessageStatus

MOST_MEMBERS = 100
"""That a message tells of, the gravest; of the others it says how many there are."""


def rows_of(
    id: int,
    turn: Turn,
    at: float,
    ahead: float,
    known: Callable[[str], Known | None],
    rules: Mapping[str, Rule],
    before: Callable[[], Sequence[KeptMessage]] = lambda: (),
) -> list[KeptMessage]:
    """Return the rows of a turn, whose times are epoch seconds: `ahead` of those of the engine by so much.

    known: returns the condition of a key as it is after this tick. before: returns the earlier messages of the
    incident, in order: its end tells of what they told last.
    """
    if not turn.messages:
        return []
    told = {"opened_at": turn.incident.began_at, **_told(turn.incident, ahead, known, rules)}
    if turn.incident.stage is Stage.CLOSED and not told["members"]:
        told |= _told_last(before())
    return [
        KeptMessage(
            id, each.number, receiver, each.about.value,
            MessageStatus.SUPPRESSED if each.muted_by else MessageStatus.QUEUED,
            at, at, orjson.dumps({**told, **_of(each, turn.incident, ahead)}).decode(), each.muted_by,
        )
        for each in turn.messages
        for receiver in each.receivers
    ]  # fmt: skip


def _told(
    incident: Incident, ahead: float, known: Callable[[str], Known | None], rules: Mapping[str, Rule]
) -> Mapping[str, object]:
    """Return what a message tells, as it is now: a later one tells what is then."""
    members = []
    # What a person had resolved before fires on beside what he resolves now, and is none of it.
    mine = [each for each in incident.members.items() if not incident.closed_by or each[0] in incident.told_members]
    # What is muted is not told, and takes the place of nothing that is.
    loud = [each for each in mine if not each[1].muted_by]
    mine = loud or mine
    gravest = heapq.nlargest(MOST_MEMBERS, mine, key=lambda each: (each[1].severity, -each[1].since))
    for key, member in gravest:
        each = known(key)
        rule = rules.get(each.rule) if each else None
        if each is None or rule is None:
            continue
        condition = each.now
        members.append(
            {
                "rule": rule.name, "title": title_of(rule, each.labels),
                "labels": dict(each.labels) | dict(rule.labels),
                "severity": member.severity.word, "since": member.since + ahead, "value": condition.value,
                "text": message_of(rule, each.labels, condition), "runbook": rule.runbook,
                "category": rule.category.value, "muted_by": member.muted_by,
                "clear_since": None if condition.clear_since is None else condition.clear_since + ahead,
            }
        )  # fmt: skip
    return {"members": members, "more": len(mine) - len(gravest)}


def _told_last(before: Sequence[KeptMessage]) -> Mapping[str, object]:
    """Return what the last message told of that told of anything."""
    for message in reversed(before):
        body = orjson.loads(message.body)
        if members := [each for each in body.get("members", ()) if not each.get("muted_by")]:
            return {"members": members, "more": body.get("more", 0)}
    return {}


def _of(message: Message, incident: Incident, ahead: float) -> Mapping[str, object]:
    """Return what a message tells beside what fires; of an end that came by itself nobody is told to have made it."""
    told = {"severity": message.severity.word, "said": message.said}
    if message.about is About.RESOLVED:
        fires_on = len(incident.told_members)
        return {**told, "who": incident.closed_by, "fires_on": fires_on, "unproven": message.unproven}
    until = incident.acknowledged_until + ahead if message.about is About.ACKNOWLEDGED else 0.0
    return {**told, "who": incident.acknowledged_by, "until": until}
