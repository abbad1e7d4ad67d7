"""How quiet the machine is: a figure taken beside other work says more about that work."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable

import psutil

from benchmarks.report import Figure, show

BUSY_PERCENT = 15.0
WAIT_SECONDS = 60
LOOK_SECONDS = 2


def wait_until_quiet() -> None:
    """Wait a minute at most, and print how busy the machine is with other work."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (busy := psutil.cpu_percent(interval=LOOK_SECONDS)) > BUSY_PERCENT and time.monotonic() < deadline:
        pass
    show(Figure("processors busy with other work before", busy, "%", BUSY_PERCENT))


class OtherWork:
    """How busy processors are with what is not ours, from its making on. Processes we start count once they ended."""

    def __init__(self) -> None:
        self._before = _machine_seconds(), _own_seconds(), time.monotonic()

    def figure(self) -> Figure:
        """Return the share of all processors; above its target the times beside it are longer than they would be."""
        machine, own, began = self._before
        seconds = (_machine_seconds() - machine) - (_own_seconds() - own)
        share = seconds / (time.monotonic() - began) / (psutil.cpu_count() or 1)
        return Figure("processors busy with other work meanwhile", max(100 * share, 0.0), "%", BUSY_PERCENT)


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def show_quiet(measured: Callable[[], Iterable[Figure]]) -> None:
    """Show each figure as soon as it is known, on a machine that is quiet, then what else ran and what was missed."""
    wait_until_quiet()
    others = OtherWork()
    missed = []
    for figure in measured():
        show(figure)
        if not figure.is_met:
            missed.append(figure.name.strip())
    show(others.figure())
    print(f"  missed: {'; '.join(missed) or 'none'}", flush=True)
