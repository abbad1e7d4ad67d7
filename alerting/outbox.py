"""What a turn of an incident puts into the outbox: a row for each receiver, with what is told as it is now."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

import orjson

from alerting.changes import Known
from alerting.incidents import Incident, Turn
from alerting.words import message_of, title_of
from core.alerts.rule import Rule
from storage.state.alerts import KeptMessage, MessageStatus

MOST_MEMBERS = 100
"""That a message tells of, the gravest; of the others it says how many there are."""


def rows_of(
    id: int, turn: Turn, at: float, ahead: float, known: Callable[[str], Known | None], rules: Mapping[str, Rule]
) -> list[KeptMessage]:
    """Return the rows of a turn, whose times are epoch seconds: `ahead` of those of the engine by so much.

    known: returns the condition of a key as it is after this tick.
    """
    if not turn.messages:
        return []
    told = _told(turn.incident, ahead, known, rules)
    return [
        KeptMessage(
            id, each.number, receiver, each.about.value,
            MessageStatus.SUPPRESSED if each.muted_by else MessageStatus.QUEUED,
            at, at, orjson.dumps({**told, "severity": each.severity.word}).decode(), each.muted_by,
        )
        for each in turn.messages
        for receiver in each.receivers
    ]  # fmt: skip


def _told(
    incident: Incident, ahead: float, known: Callable[[str], Known | None], rules: Mapping[str, Rule]
) -> Mapping[str, object]:
    """Return what a message tells, as it is now: a later one tells what is then."""
    members = []
    gravest = heapq.nlargest(
        MOST_MEMBERS, incident.members.items(), key=lambda each: (each[1].severity, -each[1].since)
    )
    for key, member in gravest:
        each = known(key)
        rule = rules.get(each.rule) if each else None
        if each is None or rule is None:
            continue
        condition = each.now
        members.append(
            {
                "rule": rule.name, "title": title_of(rule), "labels": dict(each.labels) | dict(rule.labels),
                "severity": member.severity.word, "since": member.since + ahead, "value": condition.value,
                "text": message_of(rule, each.labels, condition), "runbook": rule.runbook,
                "category": rule.category.value, "muted_by": member.muted_by,
            }
        )  # fmt: skip
    return {
        "opened_at": incident.opened_at + ahead, "members": members,
        "more": len(incident.members) - len(gravest), "who": incident.closed_by or incident.acknowledged_by,
    }  # fmt: skip
