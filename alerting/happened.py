"""What a row of the history is about that tells of a whole incident: by it the filters of the page find the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from alerting.changes import Changes
from alerting.incidents import Incident
from alerting.memory import Memory
from storage.state.alerts import HistoryRow, KeptMessage


def of_message(row: HistoryRow, message: KeptMessage) -> HistoryRow:
    """Return a row with what its message told of; as it is where that told of no alert."""
    body = orjson.loads(message.body)
    told = [(each["rule"], each["labels"]) for each in body.get("members", ())]
    return _about(row, told, body.get("severity", ""))


def of_incident(row: HistoryRow, incident: Incident, memory: Memory, changes: Changes) -> HistoryRow:
    """Return a row with what fires of its incident, the gravest first; as it is where nothing does."""
    gravest = sorted(incident.members.items(), key=lambda each: (-each[1].severity, each[1].since))
    conditions = (memory.now(key, changes) for key, _ in gravest)
    told = [(each.rule, dict(each.labels)) for each in conditions if each]
    return _about(row, told, incident.severity.word)


def _about(row: HistoryRow, told: Sequence[tuple[str, Mapping[str, str]]], severity: str) -> HistoryRow:
    """Return a row with the rule of its gravest alert, which is the first, and the labels that all of them have."""
    if not told:
        return row
    labels = orjson.dumps(_shared(labels for _, labels in told)).decode()
    return replace(row, rule=told[0][0], labels=labels, severity=severity)


def _shared(some: Iterable[Mapping[str, str]]) -> dict[str, str]:
    first, *others = some
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}
