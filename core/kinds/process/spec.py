"""What is measured of processes: their metrics, the rows of their table, their checks and limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.kinds.service_spec import failed_tries
from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What processes are judged by."""

    COUNT = "count"
    MEMORY = "memory"
    RESTART = "restart"
    STOPPED = "stopped"


MEMORY = Limit(1.0)
"""Resident memory over memory_warning_bytes."""
RESTARTED = Limit(600.0, is_floor=True)
"""Seconds since the processes were found to be others than before."""
PROCESSES_SHOWN = 50

FAILED_TRIES = failed_tries("process")
COUNT = Metric("process_count", "Processes that match.")
STOPPED = Metric("process_stopped", "Processes that match and are stopped: they do nothing until they are continued.")
RESIDENT = Metric("process_resident_bytes", "Resident memory of all that match.")
CPU_RATIO = Metric("process_cpu_ratio", "CPU of all that match; 1 is one core.")
UPTIME = Metric("process_uptime_seconds", "Time since the oldest of them started.")
THREADS = Metric("process_threads", "Threads of all that match.")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that matches."""

    TABLE: ClassVar[str] = "processes"

    pid: int
    command: str
    user: str
    started: float
    """Epoch seconds."""
    cpu_ratio: float | None
    """1 is one core; None at first sight."""
    resident_bytes: int
    threads: int
    state: str
