"""Limits: from where on a value is a warning, and from where on it is critical."""

from __future__ import annotations

from dataclasses import dataclass

from core.model import Status

WARNING_SHARE, CRITICAL_SHARE = 0.70, 0.85

LOAD_LIMIT_PER_CORE = 2.0
"""Tasks running or waiting a core, 5-minute mean. Netdata warns from there."""
PRESSURE_LIMITS = {("cpu", "some"): 0.80, ("memory", "full"): 0.10, ("io", "full"): 0.40}
"""Share of time that some or all tasks stood waiting. Little of it is normal for memory, more for CPU."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Two thresholds in the unit of what they judge, each taking effect when reached; None: there is none."""

    warning: float | None
    critical: float | None = None
    is_floor: bool = False
    """Whether values that are too low are bad."""

    def status(self, value: float) -> Status:
        """Return the state of a value."""
        if self._is_reached(self.critical, value):
            return Status.CRITICAL
        return Status.WARNING if self._is_reached(self.warning, value) else Status.OK

    def is_bad(self, value: float) -> bool:
        """Return whether a value has reached one of them."""
        return self.status(value) is not Status.OK

    def _is_reached(self, threshold: float | None, value: float) -> bool:
        if threshold is None:
            return False
        return value <= threshold if self.is_floor else value >= threshold


def on_scale(share: float) -> Status:
    """Return the state of a share of a limit: below 0.70 ok, to 0.85 warning, above critical."""
    if share > CRITICAL_SHARE:
        return Status.CRITICAL
    return Status.WARNING if share >= WARNING_SHARE else Status.OK
