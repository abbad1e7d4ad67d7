"""What is known of alerts now: the newest reading of the engine, as somebody may see it, and whether it is of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from core.alerts.severity import Severity
from core.alerts.spec import (
    ENGINE,
    FIRING,
    MUTED,
    FiringAlert,
    OpenIncident,
    Quieting,
    RuleCost,
)
from core.model import LiveReading
from portfolio.alerts import Sight, sight_of
from portfolio.allowed import Limits
from status.alerts import AlertsNow, alerts_now
from status.freshness import is_stale

if TYPE_CHECKING:
    from storage.stores import Stores

RELEASED = 0
"""The incident of what a person has resolved and what fires on."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, as of `evaluated_at`. Times are epoch seconds."""

    now: float
    reading: LiveReading | None
    evaluated_at: float | None
    """When alerts were evaluated last; None: never, as far as is known."""
    problem: str
    """Why that is not now; empty: it is."""
    sight: Sight
    firing: Sequence[FiringAlert]
    incidents: Sequence[OpenIncident]
    costs: Mapping[str, RuleCost]
    fires: Mapping[str, int | None]
    """How many alerts of each rule fire (`Sight.fires`)."""
    quiet: Sequence[Quieting]

    @property
    def of_incident(self) -> Mapping[int, Sequence[FiringAlert]]:
        """Return what fires by the incident that it is part of."""
        found: dict[int, list[FiringAlert]] = {}
        for each in self.firing:
            found.setdefault(each.incident, []).append(each)
        return found

    @property
    def loud(self) -> int:
        """Return how many alerts fire that nothing keeps quiet."""
        if self.reading is None:
            return 0
        if not self.sight.is_whole:
            return sum(not each.muted_by for each in self.firing)
        return max(0, round(sum(self.reading.series(FIRING).values()) - (self.reading.value(MUTED) or 0.0)))

    @property
    def gravest(self) -> Severity | None:
        """Return the highest severity of what fires and nothing keeps quiet."""
        return max((severity_of(each.severity) for each in self.firing if not each.muted_by), default=None)


def know(stores: Stores, limits: Limits) -> Known:
    """Return what somebody with these limits may know of alerts now. Raises StorageUnavailable."""
    now, sight, told = stores.clock.now(), sight_of(stores, limits), alerts_now(stores)
    firing = sight.seen(told.firing)
    return Known(
        now=now,
        reading=told.reading,
        evaluated_at=told.evaluated_at,
        problem=_why_old(told, now, sight) if told.reading else _why_none(stores),
        sight=sight,
        firing=firing,
        incidents=_seen(told.incidents, firing, sight),
        costs={each.rule: each for each in told.rules},
        fires=sight.fires(told.rules, told.firing),
        quiet=told.quiet,
    )


def severity_of(word: str) -> Severity:
    """Return the severity of a word; INFO for none."""
    return Severity.of(word) if word else Severity.INFO


def labels_of(alert: FiringAlert) -> dict[str, str]:
    """Return the labels of an alert."""
    found: dict[str, str] = orjson.loads(alert.labels)
    return found


def _seen(incidents: Sequence[OpenIncident], firing: Sequence[FiringAlert], sight: Sight) -> list[OpenIncident]:
    if sight.is_whole:
        return [*incidents]
    there = {each.incident for each in firing}
    return [each for each in incidents if each.incident in there]


def _why_none(stores: Stores) -> str:
    if stores.live.problem:
        return "Redis does not answer: what fires is not known."
    if not stores.settings.alerts.enabled:
        return "Alerting is switched off here: alerts.enabled in the settings."
    return "Nothing has evaluated alerts yet: python app.py does, and python -m collectors."


def _why_old(told: AlertsNow, now: float, sight: Sight) -> str:
    assert told.reading is not None
    if is_stale(told.reading, now):
        return "The alert engine is silent."
    if not told.is_stale:
        return ""
    why = next((each.why for each in told.reading.components if each.name == ENGINE), "")
    return f"The alert engine: {why}." if why and sight.is_whole else "The alert engine does not evaluate."
