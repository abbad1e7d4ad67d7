"""Is this machine's clock right? adjtimex(2) knows when a time daemon disciplines it."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collectors.base import gauges
from core.clock import Clock
from core.machine import metrics
from core.model import Sample

STA_UNSYNC = 0x0040
STA_NANO = 0x2000
TIME_ERROR = 5
CONTAINER_MARKS = tuple(
    map(Path, ("/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/var/run/secrets/kubernetes.io"))
)
"""What Docker, Podman, systemd and Kubernetes put into what they run."""


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>; with modes = 0 the kernel only answers."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_sec", ctypes.c_long),
        ("time_usec", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_long * 16),
    )


@dataclass(frozen=True, slots=True)
class Discipline:
    """What the kernel knows of its clock. Without synchronisation its offset is unknown: None."""

    synchronised: bool
    offset_seconds: float | None
    error_seconds: float


def discipline(timex: Timex, state: int) -> Discipline:
    """Return the kernel's answer in seconds; `state` is what adjtimex returned."""
    synchronised = state != TIME_ERROR and not timex.status & STA_UNSYNC
    unit = 1e-9 if timex.status & STA_NANO else 1e-6
    return Discipline(
        synchronised=synchronised,
        offset_seconds=timex.offset * unit if synchronised else None,
        error_seconds=timex.esterror * 1e-6,
    )


def adjtimex() -> Callable[[], Discipline | None]:
    """Return a function that asks the kernel; it returns None where the kernel cannot be asked."""
    if sys.platform != "linux":
        return lambda: None
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "adjtimex", None)

    def ask() -> Discipline | None:
        if call is None:
            return None
        timex = Timex()
        state = call(ctypes.byref(timex))
        return discipline(timex, state) if state >= 0 else None

    return ask


def is_contained() -> bool:
    """Return whether this process runs in a container, whose clock is set by what runs it."""
    return any(mark.exists() for mark in CONTAINER_MARKS)


class WallClock:
    """Samples of the wall clock: its discipline, and by how much it stepped against the monotonic one."""

    def __init__(self, clock: Clock, ask: Callable[[], Discipline | None], is_guest: bool = False) -> None:
        """is_guest: the clock is set from outside, so that nothing can be said where no time daemon is seen."""
        self._is_guest = is_guest
        self._clock = clock
        self._ask = ask
        self._ahead: float | None = None

    def samples(self, at: float) -> list[Sample]:
        del at
        ahead = self._clock.now() - self._clock.monotonic()
        step = ahead - self._ahead if self._ahead is not None else None
        self._ahead = ahead
        known = self._ask()
        found = gauges({metrics.CLOCK_STEP: step})
        if known is None or (self._is_guest and not known.synchronised):
            return found
        return found + gauges(
            {
                metrics.CLOCK_SYNCHRONISED: float(known.synchronised),
                metrics.CLOCK_OFFSET: known.offset_seconds,
                metrics.CLOCK_ERROR: known.error_seconds if known.synchronised else None,
            }
        )
