"""What is measured of a unit of systemd: its metrics, its checks and their limits."""

from __future__ import annotations

from enum import StrEnum

from core.kinds.service_spec import failed_tries
from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a unit is judged by."""

    STATE = "state"
    RESTARTS = "restarts"
    MEMORY = "memory"
    FROZEN = "frozen"


FLAPPING_SECONDS = 600.0
FLAPPING = Limit(1, 3)
"""Restarts within FLAPPING_SECONDS."""
MEMORY = Limit(0.9)
"""MemoryCurrent over MemoryMax."""

FAILED_TRIES = failed_tries("systemd")
UPTIME = Metric("systemd_uptime_seconds", "Time since the unit became active.")
RESTARTS = Metric("systemd_restarts", "NRestarts: automatic restarts since the unit was loaded.")
MEMORY_USED = Metric("systemd_memory_bytes", "MemoryCurrent.")
TASKS = Metric("systemd_tasks", "TasksCurrent.")
CPU_RATIO = Metric("systemd_cpu_ratio", "CPU of all its processes, from CPUUsageNSec; 1 is one core.")
