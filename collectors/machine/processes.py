"""The process and socket tables: dearer than the rest of the machine, so read less often."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence

from collectors.base import Context, gauges
from collectors.machine.cost import Cost
from collectors.machine.linux.kernel import Kernel
from collectors.machine.linux.processes import Processes
from collectors.machine.linux.sockets import tcp_states
from core.clock import Clock, SystemClock
from core.errors import SourceUnavailable
from core.format import count
from core.machine import metrics
from core.machine.spec import PROCESSES, ZOMBIES, Checks, Process, ProcessState
from core.model import Component, Reading, Sample
from core.tables import table_of

SHOWN_EACH = 60
"""Rows kept for each of: most CPU, most memory."""
STATES = (
    ProcessState.RUNNING, ProcessState.SLEEPING, ProcessState.DISK, ProcessState.IDLE, ProcessState.STOPPED,
    ProcessState.ZOMBIE,
)  # fmt: skip
"""Those that are counted even when no process is in them."""

Look = Callable[[float], Sequence[Process]]


def make(context: Context) -> ProcessCollector:
    """Return the collector of this machine's processes and sockets."""
    return ProcessCollector(context.settings.intervals.processes_seconds, context.stores.clock)


class ProcessCollector:
    """Counts processes and TCP sockets by state and keeps a table of the processes that use most."""

    name = PROCESSES
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
        reading = Reading(samples, [zombies(processes)], [table_of(Process, shown(processes))])
        self._cost.end()
        return reading


def process_samples(processes: Sequence[Process]) -> list[Sample]:
    """Return counts of processes, in all and by state; no process in a state counts zero."""
    states = Counter[str](dict.fromkeys(STATES, 0))
    states.update(process.state for process in processes)
    found = gauges({metrics.PROCESSES: float(len(processes))})
    for state, each in states.items():
        found += gauges({metrics.PROCESSES_BY_STATE: float(each)}, state=state)
    return found


def socket_samples(states: Counter[str] | None) -> list[Sample]:
    """Return counts of TCP sockets by state; none where the system does not show its sockets."""
    found: list[Sample] = []
    for state, each in (states or {}).items():
        found += gauges({metrics.TCP_CONNECTIONS: float(each)}, state=state)
    return found


def zombies(processes: Sequence[Process]) -> Component:
    """Return the component of the process table."""
    dead = sum(process.state == ProcessState.ZOMBIE for process in processes)
    why = count(len(processes), "process", "processes")
    why += f", {count(dead, 'zombie')} among them" if dead else ""
    return Component(Checks.PROCESSES, ZOMBIES.status(dead), why, float(len(processes)), "count")


def shown(processes: Sequence[Process]) -> list[Process]:
    """Return the processes with most CPU and those with most memory, and every zombie, most CPU first.

    Kernel threads are left out while they do nothing.
    """
    candidates = [process for process in processes if not process.is_kernel_thread or process.cpu_ratio]
    by_cpu = sorted(candidates, key=_by_cpu, reverse=True)
    by_memory = sorted(candidates, key=lambda process: process.memory_bytes, reverse=True)
    dead = [process for process in candidates if process.state == ProcessState.ZOMBIE][:SHOWN_EACH]
    kept = {process.pid: process for process in (*by_cpu[:SHOWN_EACH], *by_memory[:SHOWN_EACH], *dead)}
    return sorted(kept.values(), key=_by_cpu, reverse=True)


def _by_cpu(process: Process) -> tuple[float, int]:
    return process.cpu_ratio or 0.0, process.memory_bytes


def _portable_look() -> Look:
    from collectors.machine.portable_processes import look

    return look
