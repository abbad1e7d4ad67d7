"""What the alert engine tells of itself and of what fires: metrics, and the rows of its newest reading's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import orjson

from core.alerts.expression import Matcher
from core.alerts.matchers import all_hold
from core.metrics import Metric

ALERTS = "alerts"
"""The newest reading of the engine, and its data set."""
HISTORY = "alert_history"
"""Data set whose version moves when an alert begins, changes or ends, and not with each reading."""
ENGINE = "alert engine"
"""The component that says how it is."""
INTERVAL_SECONDS = 5.0
"""Between two readings; at once where an incident changed."""
LATE_SECONDS = 10.0
"""For so long the engine may not tick: then nobody evaluates."""
MOST_TOLD = 500
"""Alerts and incidents of a reading, the gravest first; the metrics and the rules count all of them."""
MOST_RULES = 5_000
"""Rules of a reading, the dearest first."""

TICK_SECONDS = Metric("alerting_tick_seconds", "What the last tick took.")
TICK_AGE_SECONDS = Metric("alerting_tick_age_seconds", "Since the last tick that ended well.")
RULES = Metric("alerting_rules", "Rules that are evaluated.")
RULES_FAILED = Metric("alerting_rules_failed", "Rules whose last evaluation failed.")
CONDITIONS = Metric("alerting_conditions", "Conditions that are known: a rule has one for each set of labels.")
FIRING = Metric("alerting_firing", "Conditions that fire.", "severity")
MUTED = Metric("alerting_muted", "Conditions that fire and are kept quiet.")
INCIDENTS = Metric("alerting_open_incidents", "Incidents that are open.")
QUEUE = Metric("alerting_queue_messages", "Messages that wait to be sent.")
QUEUE_AGE_SECONDS = Metric("alerting_queue_age_seconds", "Since the oldest message that waits was due; 0 without one.")


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """A condition that fires, as of the last tick."""

    TABLE: ClassVar[str] = "firing"

    key: str
    rule: str
    title: str
    severity: str
    category: str
    labels: str
    """All by which silences and routes mean it (core/alerts/labels.py), as JSON."""
    phase: str
    since: float
    """Epoch seconds."""
    value: float | None
    text: str
    muted_by: str
    incident: int
    """0: of none: a person has resolved it, and it fires on."""
    acknowledged_by: str
    """Who has its incident in hand, or put it off; empty: nobody."""
    is_flapping: bool
    follows_readiness: bool = False
    """Its rule reads whether trading may go on: it is a consequence of that, and none of its reasons."""
    is_snoozed: bool = False
    """Its incident is put off, and nobody has it in hand."""
    clear_since: float | None = None
    """Since when it is clear, epoch seconds, where it still fires; None: it is not."""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is open, and what comes next. Times are epoch seconds."""

    TABLE: ClassVar[str] = "incidents"

    incident: int
    group: str
    severity: str
    stage: str
    """open; acknowledged: somebody has it in hand; snoozed: somebody put it off."""
    opened_at: float
    alerts: int
    told: list[str]
    """Receivers that got a message of it, a fallback among them."""
    told_at: float | None
    """When it was last told."""
    acknowledged_by: str
    acknowledged_until: float
    steps_taken: int
    """Of its escalation."""
    next_about: str
    """What is told next, if nothing else happens; empty: nothing, for the reason."""
    next_at: float
    reason: str
    untold: list[str] = field(default_factory=list)
    """Receivers that were to be told, and that nothing has reached yet."""


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule costs."""

    TABLE: ClassVar[str] = "rules"

    rule: str
    every_seconds: float
    cost_seconds: float
    """Of its last evaluation."""
    conditions: int
    pending: int
    """Of them: they hold, not yet for long enough."""
    firing: int
    problem: str
    """Why its last evaluation failed; empty: it did not."""
    lacks: str = ""
    """What there is to say where nothing that it watches has data now; empty: something has."""
    evaluated_at: float = 0.0
    """When it was evaluated last, epoch seconds; 0: not yet since the engine began."""


@dataclass(frozen=True, slots=True)
class Quieting:
    """A silence or a maintenance window that keeps something quiet now."""

    TABLE: ClassVar[str] = "quiet"

    reason: str
    matchers: str
    """Empty: everything."""
    ends: float
    """Epoch seconds."""
    who: str
    why: str
    hidden: int
    """What fires and is kept quiet by it."""


def hidden_by(matchers: Sequence[Matcher], firing: Sequence[FiringAlert]) -> list[FiringAlert]:
    """Return which of these alerts a silence of these matchers would keep quiet."""
    return [each for each in firing if all_hold(matchers, orjson.loads(each.labels))]
