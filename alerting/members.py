"""All that fires of an incident now, read where the engine keeps it: a message holds no more than the gravest."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import orjson

from alerting.keeping import CONDITIONS, INCIDENTS
from alerting.notice import Alert
from alerting.words import message_of, title_of
from core.alerts.rule import Rule
from storage.state.alerts import CLOSED, conditions_in, incident_in, last_tick
from storage.state.database import State


def members_of(state: State, incident: int, rules: Mapping[str, Rule], most: int) -> list[Alert]:
    """Return what fires of an incident and is not kept quiet, the gravest first; nothing once it is over.

    Raises StorageUnavailable.
    """
    with state.reading() as connection:
        kept = incident_in(connection, incident)
        if kept is None or kept.stage == CLOSED:
            return []
        members = {key: each for key, each in INCIDENTS.validate_json(kept.body).members.items() if not each.muted_by}
        gravest = heapq.nlargest(most, members.items(), key=lambda each: (each[1].severity, -each[1].since))
        conditions = {each.key: each for each in conditions_in(connection, [key for key, _ in gravest])}
        told_at, steady_at = last_tick(connection)
    found = []
    for key, member in gravest:
        row = conditions.get(key)
        rule = rules.get(row.rule) if row else None
        if row is None or rule is None:
            continue
        labels = tuple((str(name), str(value)) for name, value in orjson.loads(row.labels))
        condition = CONDITIONS.validate_json(row.body)
        found.append(
            Alert(
                rule=rule.name, title=title_of(rule, labels), labels=tuple((dict(labels) | dict(rule.labels)).items()),
                severity=member.severity, since=member.since + told_at - steady_at, value=condition.value,
                text=message_of(rule, labels, condition), runbook=rule.runbook, category=rule.category.value,
            )
        )  # fmt: skip
    return found
