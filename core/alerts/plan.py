"""Who is told of an incident, and when again: what an incident takes along when it opens."""

from __future__ import annotations

from dataclasses import dataclass

from core.alerts.severity import Severity


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of an escalation: so long after the step before, if nobody acknowledged, these are told."""

    wait_seconds: float
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Durations in seconds. An incident keeps the plan that it opened with: what is edited holds for later ones."""

    receivers: tuple[str, ...] = ()
    """Told first."""
    steps: tuple[PlanStep, ...] = ()
    """Of the escalation, in order."""
    rounds: int = 1
    """How often all steps are gone through, 5 at most."""
    wait_seconds: float = 30.0
    """How long a new incident waits for others of its group; one that is critical does not."""
    interval_seconds: float = 300.0
    """The least time between two messages about who joined and left."""
    repeat_seconds: float = 14_400.0
    """After so long without a message it is told again; 0: never."""
    tells_lowered: bool = False
    """Whether a lower severity is told."""
    levels: tuple[tuple[Severity, Plan], ...] = ()
    """What holds instead of all this at a severity."""

    def at(self, severity: Severity) -> Plan:
        """Return what holds for an incident of that severity."""
        return dict(self.levels).get(severity, self)

    def wait(self, severity: Severity) -> float:
        """Return how long an incident of that severity waits before it is told."""
        return 0.0 if severity >= Severity.CRITICAL else self.wait_seconds
