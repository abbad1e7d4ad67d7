"""What of a rule decides when it fires and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NO_DATA_INTERVALS = 3


class Policy(StrEnum):
    """What a rule does when it has nothing to judge by."""

    ALERT = "alert"
    """It fires, with the reason."""
    KEEP = "keep"
    """It stays as it was, for `keep_seconds` at most; then it fires."""
    OK = "ok"
    """It counts as clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations of a rule, in seconds."""

    every_seconds: float = 15.0
    """Between two evaluations."""
    for_seconds: float = 0.0
    """How long the condition must hold before it fires."""
    keep_firing_seconds: float = 0.0
    """How long it must be clear before it is resolved."""
    no_data: Policy = Policy.ALERT
    no_data_intervals: int = NO_DATA_INTERVALS
    """So many evaluations without data are no news."""
    error: Policy = Policy.ALERT
    error_attempts: int = 3
    """So many failed evaluations in a row are no news."""
    error_seconds: float = 0.0
    """Nor are failures for so long."""
    keep_seconds: float = 3_600.0
    """How long at most a rule without data or with an error stays as it was, where its policy is to keep."""
    flap_changes: int = 6
    """So many beginnings and ends within `flap_seconds` are flapping."""
    flap_seconds: float = 1_800.0

    @property
    def no_data_seconds(self) -> float:
        """How long no data is no news."""
        return self.no_data_intervals * self.every_seconds
