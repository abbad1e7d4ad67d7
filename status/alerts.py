"""What the alert engine told last: what fires, of which incidents, by which rules, and how old that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.alerts.spec import (
    ALERTS,
    ENGINE,
    FIRING,
    LATE_SECONDS,
    TICK_AGE_SECONDS,
    FiringAlert,
    OpenIncident,
    Quieting,
    RuleCost,
)
from core.format import duration
from core.model import LiveReading, Status
from core.tables import rows_of
from status.freshness import is_stale

if TYPE_CHECKING:
    from storage.stores import Stores

NOT_EVALUATED = "alerts are not evaluated now"
"""What is told of it to those who may not hear why."""
NEVER = "no alert engine has told of anything yet: one runs where Fundwatch collects, unless alerts.enabled is off"


@dataclass(frozen=True, slots=True)
class AlertsNow:
    """What fires, as of the last evaluation. The gravest alerts and incidents, and the dearest rules, stand first."""

    firing: Sequence[FiringAlert] = ()
    incidents: Sequence[OpenIncident] = ()
    rules: Sequence[RuleCost] = ()
    quiet: Sequence[Quieting] = ()
    evaluated_at: float | None = None
    """Epoch seconds; None: never yet."""
    is_stale: bool = True
    """Whether that is too old to say what fires now: then nobody knows, and nothing is safe."""
    problem: str = NEVER
    """Why it is not evaluated, or what the engine finds wrong with itself; empty: nothing."""
    untold: int = 0
    """Alerts that fire beside these."""
    reading: LiveReading | None = None
    """What says so."""


def alerts_now(stores: Stores) -> AlertsNow:
    """Return what the newest reading of the engine of any machine says."""
    reading = stores.live.readings([ALERTS]).get(ALERTS)
    return alerts_in(reading, stores.clock.now())


def alerts_in(reading: LiveReading | None, now: float) -> AlertsNow:
    """Return what a reading of the engine says at `now` (epoch seconds)."""
    if reading is None:
        return AlertsNow()
    late = reading.value(TICK_AGE_SECONDS) or 0.0
    evaluated_at = reading.ts - late
    firing = rows_of(reading.tables, FiringAlert)
    many = sum(reading.series(FIRING).values())
    return AlertsNow(
        firing, rows_of(reading.tables, OpenIncident), rows_of(reading.tables, RuleCost),
        rows_of(reading.tables, Quieting), evaluated_at,
        is_stale=is_stale(reading, now) or late > LATE_SECONDS,
        problem=_problem(reading, now),
        untold=max(0, round(many) - len(firing)),
        reading=reading,
    )  # fmt: skip


def _problem(reading: LiveReading, now: float) -> str:
    if is_stale(reading, now):
        return f"the alert engine has been silent for {duration(now - reading.ts)}"
    return next((each.why for each in reading.components if each.name == ENGINE and each.status is not Status.OK), "")
