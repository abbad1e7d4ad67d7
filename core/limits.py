"""From a value to a state: the limits of settings and kinds, and the scale of shares that have none of their own."""

from __future__ import annotations

from dataclasses import dataclass

from core.model import Status

WARNING_SHARE, CRITICAL_SHARE = 0.70, 0.85
FORECAST_SECONDS = 3_600.0
"""From less history than this nothing is foretold: neither when something is full nor how much it grows a day."""


@dataclass(frozen=True, slots=True)
class Limit:
    """From where on a value is a warning and from where on it is critical, in the unit of the value.

    Each takes effect when it is reached. None: there is no such state.
    """

    warning: float | None
    critical: float | None = None
    is_floor: bool = False
    """Whether low values are the bad ones: the time until a disk is full, the rows that arrived."""

    def status(self, value: float) -> Status:
        """Return the state of a value: OK, WARNING or CRITICAL."""
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
    """Return the state of a share of a limit: below 0.70 ok, to 0.85 warning, above critical.

    Unlike a Limit, 0.85 itself is still a warning: "above 85 %" is how the scale is drawn and told.
    """
    if share > CRITICAL_SHARE:
        return Status.CRITICAL
    return Limit(WARNING_SHARE).status(share)
