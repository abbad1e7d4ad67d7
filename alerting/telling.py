"""What the engine tells of itself and of what fires: its newest reading, for pages, the API and /metrics."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from alerting.auditor import coming
from alerting.changes import Known
from alerting.engine import Engine
from alerting.incidents import Incident, Stage
from alerting.quiet import Quiet
from alerting.words import message_of, title_of
from core.alerts.labels import alert_labels
from core.alerts.matchers import written
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.spec import (
    CONDITIONS,
    ENGINE,
    FIRING,
    INCIDENTS,
    MOST_RULES,
    MOST_TOLD,
    MUTED,
    QUEUE,
    QUEUE_AGE_SECONDS,
    RULES,
    RULES_FAILED,
    TICK_AGE_SECONDS,
    TICK_SECONDS,
    FiringAlert,
    OpenIncident,
    Quieting,
    RuleCost,
)
from core.format import count
from core.model import Component, Reading, Sample, Status, labels
from core.readiness import READINESS
from core.tables import table_of


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the engine is."""

    tick_seconds: float = 0.0
    tick_age_seconds: float = 0.0
    queued: int = 0
    queue_age_seconds: float = 0.0
    problem: str = ""
    """Why the last tick failed; empty: it did not."""
    faults: Sequence[str] = field(default=())
    """What the auditor found."""
    reached: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Receivers that got a message, by incident."""


@dataclass(frozen=True, slots=True)
class _Fires:
    """What counts of a condition that fires, also where there are too many for a row each."""

    known: Known
    rule: Rule
    severity: Severity
    incident: tuple[int, Incident] | None
    muted_by: str


def reading_of(engine: Engine, quiet: Quiet, pulse: Pulse) -> Reading:
    """Return the newest reading: of what the last tick left that ended well."""
    ahead = engine.ahead_seconds
    firing = [_fires(engine, known, rule) for known, rule in engine.firing]
    gravest = heapq.nsmallest(
        MOST_TOLD, firing, key=lambda each: (-each.severity, -each.known.condition.since, each.known.key)
    )
    by_severity = Counter(each.severity for each in firing)
    hidden = Counter(each.muted_by for each in firing)
    values = {
        TICK_SECONDS: pulse.tick_seconds,
        TICK_AGE_SECONDS: pulse.tick_age_seconds,
        RULES: len(engine.rules),
        RULES_FAILED: len(engine.problems),
        CONDITIONS: sum(engine.conditions.values()),
        MUTED: len(firing) - hidden[""],
        INCIDENTS: len(engine.incidents),
        QUEUE: pulse.queued,
        QUEUE_AGE_SECONDS: pulse.queue_age_seconds,
    }
    return Reading(
        samples=[
            *(Sample(metric, float(value)) for metric, value in values.items()),
            *(Sample(FIRING, float(by_severity[each]), labels(severity=each.word)) for each in Severity),
        ],
        components=[_component(engine, pulse, len(firing))],
        tables=[
            table_of(FiringAlert, [_alert(each, ahead) for each in gravest]),
            table_of(OpenIncident, _incidents(engine, pulse.reached, ahead)),
            table_of(RuleCost, _costs(engine, Counter(each.rule.name for each in firing))),
            table_of(Quieting, _quieting(quiet, hidden)),
        ],
    )


def _incidents(engine: Engine, reached: Mapping[int, Sequence[str]], ahead: float) -> list[OpenIncident]:
    """Return the incidents that are open, the gravest first."""
    found = sorted(engine.incidents.items(), key=lambda each: (-each[1].severity, -each[1].opened_at))
    groups = engine.groups
    return [_incident(id, groups[id], known, reached.get(id, ()), ahead) for id, known in found[:MOST_TOLD]]


def _incident(id: int, group: str, known: Incident, reached: Sequence[str], ahead: float) -> OpenIncident:
    step = coming(known)
    return OpenIncident(
        incident=id,
        group=group,
        severity=known.severity.word,
        stage=known.stage.value,
        opened_at=known.began_at,
        alerts=len(known.members),
        told=[*reached],
        untold=[each for each in known.told if each not in reached],
        told_at=None if known.told_at is None else known.told_at + ahead,
        acknowledged_by=known.acknowledged_by,
        acknowledged_until=known.acknowledged_until + ahead if known.is_held else 0.0,
        steps_taken=known.step,
        next_about=step.about.value if step.about else "",
        next_at=step.at + ahead if step.about else 0.0,
        reason=step.reason,
    )


def _fires(engine: Engine, known: Known, rule: Rule) -> _Fires:
    incident = engine.incident_of(known.key)
    severity = known.condition.severity or rule.conditions[-1][0]
    return _Fires(known, rule, severity, incident, engine.muted_by(known.key))


def _alert(fires: _Fires, ahead: float) -> FiringAlert:
    known, rule, severity, condition = fires.known, fires.rule, fires.severity, fires.known.now
    id, incident = fires.incident or (0, None)
    return FiringAlert(
        key=known.key,
        rule=rule.name,
        title=title_of(rule, known.labels),
        severity=severity.word,
        category=rule.category.value,
        labels=orjson.dumps(alert_labels(rule, known.labels, severity)).decode(),
        phase=condition.phase.value,
        since=condition.since + ahead,
        value=condition.value,
        text=message_of(rule, known.labels, condition),
        muted_by=fires.muted_by,
        incident=id,
        acknowledged_by=incident.acknowledged_by if incident else "",
        is_flapping=condition.is_flapping,
        follows_readiness=rule.reads_readiness or dict(known.labels).get("collector") == READINESS,
        is_snoozed=incident is not None and incident.stage is Stage.SNOOZED,
        clear_since=None if condition.clear_since is None else condition.clear_since + ahead,
    )


def _costs(engine: Engine, fires: Mapping[str, int]) -> list[RuleCost]:
    """Return what the rules cost, the dearest first."""
    conditions, pending, lacking = engine.conditions, engine.pending, engine.lacking
    found = [
        RuleCost(
            name, rule.every, engine.costs_seconds.get(name, 0.0), conditions[name], pending.get(name, 0),
            fires.get(name, 0),
            engine.problems.get(name, ""), lacking.get(name, ""),
            round(engine.evaluated_at[name] + engine.ahead_seconds, 3) if name in engine.evaluated_at else 0.0,
        )
        for name, rule in engine.rules.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.cost_seconds, each.rule))[:MOST_RULES]


def _quieting(quiet: Quiet, hidden: Mapping[str, int]) -> list[Quieting]:
    return [
        Quieting(each.reason, written(each.matchers), each.ends, each.who, each.why, hidden.get(each.reason, 0))
        for each in quiet.active
    ]


def _component(engine: Engine, pulse: Pulse, firing: int) -> Component:
    if pulse.problem:
        why = f"it does not evaluate: {pulse.problem}; what is told of alerts is as of the last tick that ended well"
        return Component(ENGINE, Status.CRITICAL, why, pulse.tick_age_seconds, "seconds")
    if pulse.faults:
        why = "; ".join(pulse.faults)
        return Component(ENGINE, Status.CRITICAL, why, pulse.tick_seconds, "seconds", tuple(pulse.faults))
    does = f"{count(len(engine.rules), 'rule')}, {count(firing, 'alert')} firing"
    if engine.problems:
        name, problem = next(iter(engine.problems.items()))
        more = f" and {len(engine.problems) - 1} more" if len(engine.problems) > 1 else ""
        why = f"{name}{more} cannot be evaluated: {problem}"
        return Component(ENGINE, Status.WARNING, why, pulse.tick_seconds, "seconds")
    return Component(ENGINE, Status.OK, does, pulse.tick_seconds, "seconds")
