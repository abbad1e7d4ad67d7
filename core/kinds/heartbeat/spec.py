"""What is known of a job that pings: its metrics, the rows of its tables, its states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.metrics import Metric


class Checks(StrEnum):
    """What a job is judged by."""

    PULSE = "pulse"


class JobState(StrEnum):
    """How a job is, by its pings alone."""

    NEW = "new"
    UP = "up"
    RUNNING = "running"
    LATE = "late"
    DOWN = "down"


class RunOutcome(StrEnum):
    """How a run ended."""

    SUCCESS = "success"
    FAIL = "fail"
    RUNNING = "running"
    """It has not ended."""
    NO_END = "no end reported"
    """The next start came before its end."""


AGE = Metric("heartbeat_age_seconds", "Time since the last success.")
LATE = Metric("heartbeat_late_seconds", "How late the next success is.")
DURATION = Metric("heartbeat_duration_seconds", "How long the last success took.")
ROWS = Metric("heartbeat_rows", "Rows of the last success.")
BYTES = Metric("heartbeat_bytes", "Bytes of the last success.")
RUNNING = Metric("heartbeat_running_seconds", "How long the present run has lasted.")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job: a start and its end, or an end alone. Times are epoch seconds."""

    TABLE: ClassVar[str] = "runs"

    began: float | None
    ended: float | None
    outcome: str
    """A RunOutcome."""
    rows: int | None
    """Of the ping that ended it, or of its start, as all that follows."""
    expected: int | None
    """Rows that the job itself expected."""
    bytes: int | None
    files: int | None
    message: str

    @property
    def seconds(self) -> float | None:
        """How long it took, when both start and end were reported."""
        return self.ended - self.began if self.began is not None and self.ended is not None else None

    @property
    def at(self) -> float:
        """When it ended, or began where no end was reported."""
        return self.ended if self.ended is not None else self.began or 0.0

    def expected_rows(self, usual: int | None) -> int | None:
        """Return the rows it should bring: those that the job itself expected, else the `usual` of the settings."""
        return self.expected if self.expected is not None else usual


@dataclass(frozen=True, slots=True)
class About:
    """How a job is and what its newest run that ended reported. Times are epoch seconds."""

    TABLE: ClassVar[str] = "about"

    state: str
    """A JobState."""
    due: float | None
    """When the next success is expected."""
    last_success: float | None
    running_since: float | None
    period_seconds: float
    schedule: str
    """Cron line and time zone; empty: by the period."""
    calendar: str
    grace_seconds: float
    median_seconds: float | None
    """Of the successes among the pings kept."""
    failures: int
    """Among the runs of the pings kept."""
    runs: int
    last_seconds: float | None
    last_rows: int | None
    expected_rows: int | None
    """Of that run."""
    last_bytes: int | None
    last_files: int | None

    @property
    def is_short_of_rows(self) -> bool:
        """Whether its newest run brought fewer rows than expected."""
        return self.last_rows is not None and self.expected_rows is not None and self.last_rows < self.expected_rows
