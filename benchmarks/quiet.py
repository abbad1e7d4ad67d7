"""Waits for a quiet machine: a figure taken beside other work says more about that work."""

from __future__ import annotations

import time

import psutil

from benchmarks.report import Figure, show

BUSY_PERCENT = 15.0
WAIT_SECONDS = 60
LOOK_SECONDS = 2


def wait_until_quiet() -> bool:
    """Wait a minute at most; print and return whether the machine is quiet."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        busy = psutil.cpu_percent(interval=LOOK_SECONDS)
        if busy <= BUSY_PERCENT or time.monotonic() > deadline:
            break
    show(Figure("processors busy with other work before measuring", busy, "%", BUSY_PERCENT))
    if busy > BUSY_PERCENT:
        print("  not quiet: the times below are longer than they would be", flush=True)
    return busy <= BUSY_PERCENT
