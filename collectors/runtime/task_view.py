"""What a collector tells of its own runs: apart from the runtime, so that collectors can be given it."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.runtime.breaker import BreakerView
from core.model import Run, SourceId


@dataclass(frozen=True, slots=True)
class TaskView:
    """A collector's runs at one moment, as the pipeline collector reports them."""

    collector: str
    interval_seconds: float
    timeout_seconds: float
    last_run: Run | None
    last_success: float | None
    """Epoch seconds at which the last good run began."""
    failures_in_a_row: int
    breaker: BreakerView
    next_run: float | None
    """Epoch seconds; None while nothing is scheduled."""
    durations_seconds: tuple[float, ...]
    """Durations of the newest runs, oldest first."""
    lateness_seconds: tuple[float, ...]
    abandoned_threads: int
    source: SourceId | None = None
    """What it watches, if that is a watched source."""
