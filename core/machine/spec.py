"""What a machine is judged by, its limits and the rows of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.model import Component

SYSTEM, PROCESSES = "system", "processes"
"""The collectors of a machine."""
ALL_CORES = "total"
"""The label `core` of what tells of all cores together."""
LOOPBACK = "lo"
PRESSURE_WINDOW = "60s"
"""The label `window` of the pressure that is judged."""


class Checks(StrEnum):
    """What a machine is judged by. Each is a component of that name; a disk's name has its mount as well."""

    CPU = "CPU"
    MEMORY = "Memory"
    SWAP = "Swap"
    DISK = "Disk"
    DISK_IO = "Disk I/O"
    NETWORK = "Network"
    LOAD = "Load"
    PRESSURE = "Pressure"
    CLOCK = "Clock"
    PROCESSES = "Processes"


class ProcessState(StrEnum):
    """State of a process."""

    RUNNING = "running"
    SLEEPING = "sleeping"
    DISK = "disk"
    IDLE = "idle"
    STOPPED = "stopped"
    ZOMBIE = "zombie"
    DEAD = "dead"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Pressure:
    """A kind of pressure that is judged."""

    resource: str
    kind: str
    """some: at least one task waits; full: all of them do."""
    limit_ratio: float
    """Share of time that tasks wait: all of the scale."""
    waits: str
    """What happened in that time, as a sentence begins."""

    @property
    def name(self) -> str:
        """Resource and kind, as charts and cards call it."""
        return f"{self.resource} {self.kind}"


PRESSURES = (
    Pressure("cpu", "some", 0.80, "some task waited for a core"),
    Pressure("memory", "full", 0.10, "all tasks waited for memory"),
    Pressure("io", "full", 0.40, "all tasks waited for a disk"),
)
"""Little of it is normal for memory, more for CPU."""
LOAD_LIMIT_PER_CORE = 2.0
"""Tasks running or waiting per core, 5-minute mean: all of the scale. Netdata warns from there."""
PACKET_LOSS = Limit(1.0)
"""Packets an interface loses a second: errors and drops, both ways."""
ZOMBIES = Limit(10)
"""A few zombies come and go; this many mean a parent that does not look after its children."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a component tells of, and how much of its limit is in use."""

    TABLE: ClassVar[str] = "shares"

    check: str
    """One of Checks."""
    component: str
    """Name of the component."""
    subject: str
    """The mount, device, interface or resource that the check is about; empty: the machine."""
    share_ratio: float | None
    """Length of its bar; None where there is no limit."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A component, and what it tells of."""

    component: Component
    share: Share


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system that holds data."""

    TABLE: ClassVar[str] = "mounts"

    path: str
    device: str
    kind: str
    """Its file system."""


class WhyLeftOut(StrEnum):
    """Why a mounted file system is not among the disks, as a sentence tells it."""

    MEMORY = "in memory"
    NETWORK = "on the network"
    IMAGE = "read-only images"
    OTHER = "without a disk"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mounted file system that holds data or could, and is not among the disks."""

    TABLE: ClassVar[str] = "left_out"

    path: str
    kind: str
    """Its file system."""
    why: str
    """One of WhyLeftOut."""


LIMIT_OF = "limit of this container"
"""What the limit of the control group that Fundwatch runs in is called."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process. Rates are None at first sight, and where reading them is not allowed."""

    TABLE: ClassVar[str] = "processes"

    pid: int
    name: str
    user: str
    state: str
    """One of ProcessState, or what else the system calls it."""
    cpu_ratio: float | None
    """Share of one core, so 2.0 is two cores."""
    memory_bytes: int
    """Resident."""
    read_bytes_per_second: float | None
    written_bytes_per_second: float | None
    threads: int
    age_seconds: float
    is_kernel_thread: bool
