"""The process and socket tables: dearer than the rest of the machine, so read less often."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence

from collectors.base import Context, gauges
from collectors.machine.cost import Cost
from collectors.machine.linux.kernel import Kernel
from collectors.machine.linux.processes import Process, Processes
from collectors.machine.linux.sockets import tcp_states
from core.clock import Clock, SystemClock
from core.errors import SourceUnavailable
from core.format import count
from core.limits import Limit
from core.model import Component, Reading, Sample, Table

SHOWN_EACH = 60
"""Rows kept for each of: most CPU, most memory."""
STATES = ("running", "sleeping", "disk", "idle", "stopped", "zombie")
ZOMBIES_WARNING = 10
"""A few zombies come and go; this many mean a parent that does not look after its children."""

COLUMNS = (
    "pid",
    "name",
    "user",
    "state",
    "cpu_ratio",
    "memory_bytes",
    "read_bytes_per_second",
    "written_bytes_per_second",
    "threads",
    "age_seconds",
)

Look = Callable[[float], Sequence[Process]]


def make(context: Context) -> ProcessCollector:
    """Return the collector of this machine's processes and sockets."""
    return ProcessCollector(context.settings.intervals.processes_seconds, context.stores.clock)


class ProcessCollector:
    """Counts processes and TCP sockets by state and keeps a table of the processes that use most."""

    name = "processes"
    timeout_seconds = 10.0

    def __init__(
        self, interval_seconds: float = 15.0, clock: Clock | None = None, kernel: Kernel | None = None
    ) -> None:
        self.interval_seconds = interval_seconds
        self._clock = clock or SystemClock()
        self._kernel = kernel or Kernel()
        self._cost = Cost(self.name, self._kernel)
        self._look: Look = Processes(self._kernel).look if sys.platform == "linux" else _portable_look()

    def collect(self, now: float) -> Reading:
        """Return counts and the table. Raises SourceUnavailable when no process can be seen."""
        del now
        at = self._clock.monotonic()
        samples = self._cost.begin(at)
        processes = self._look(at)
        if not processes:
            raise SourceUnavailable("the process table cannot be read")
        states = tcp_states(self._kernel)
        samples += process_samples(processes) + socket_samples(states)
        reading = Reading(samples, [zombies(processes)], [process_table(processes)])
        self._cost.end()
        return reading


def process_samples(processes: Sequence[Process]) -> list[Sample]:
    """Return counts of processes, in all and by state; no process in a state counts zero."""
    states = Counter(dict.fromkeys(STATES, 0))
    states.update(process.state for process in processes)
    found = gauges({"system_processes": float(len(processes))})
    for state, each in states.items():
        found += gauges({"system_processes_by_state": float(each)}, state=state)
    return found


def socket_samples(states: Counter[str] | None) -> list[Sample]:
    """Return counts of TCP sockets by state; none where the system does not show its sockets."""
    found: list[Sample] = []
    for state, each in (states or {}).items():
        found += gauges({"system_tcp_connections": float(each)}, state=state)
    return found


def zombies(processes: Sequence[Process]) -> Component:
    """Return the component of the process table."""
    dead = sum(process.state == "zombie" for process in processes)
    status = Limit(ZOMBIES_WARNING).status(dead)
    why = count(len(processes), "process", "processes")
    why += f", {count(dead, 'zombie')} among them" if dead else ""
    return Component("Processes", status, why, float(len(processes)), "count")


def process_table(processes: Sequence[Process]) -> Table:
    """Return the processes with most CPU and those with most memory, and every zombie, most CPU first.

    Kernel threads are left out while they do nothing.
    """
    candidates = [process for process in processes if not process.is_kernel_thread or process.cpu_ratio]
    by_cpu = sorted(candidates, key=_by_cpu, reverse=True)
    by_memory = sorted(candidates, key=lambda process: process.resident_bytes, reverse=True)
    dead = [process for process in candidates if process.state == "zombie"][:SHOWN_EACH]
    shown = {process.pid: process for process in (*by_cpu[:SHOWN_EACH], *by_memory[:SHOWN_EACH], *dead)}
    rows = tuple(_row(process) for process in sorted(shown.values(), key=_by_cpu, reverse=True))
    return Table("processes", COLUMNS, rows)


def _by_cpu(process: Process) -> tuple[float, int]:
    return process.cpu_ratio or 0.0, process.resident_bytes


def _row(process: Process) -> tuple[object, ...]:
    return (
        process.pid,
        process.name,
        process.user,
        process.state,
        process.cpu_ratio,
        process.resident_bytes,
        process.read_bytes_per_second,
        process.written_bytes_per_second,
        process.threads,
        process.age_seconds,
    )


def _portable_look() -> Look:
    from collectors.machine.portable_processes import look

    return look
