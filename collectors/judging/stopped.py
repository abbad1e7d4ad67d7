"""Processes that are there and do nothing: stopped by a signal (state T) or held by a debugger (t)."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from core.format import count, first_of
from core.processes import STOPPED_STATES


def is_stopped(state: str) -> bool:
    """Return whether a process in a state, as psutil names it, does nothing until it is continued."""
    return state in STOPPED_STATES


def stopped_state(pid: int) -> str:
    """Return the state of a stopped process; empty for one that is not, or of which nothing is known."""
    try:
        state = psutil.Process(pid).status()
    except psutil.Error:
        return ""
    return state if is_stopped(state) else ""


def told(stopped: Sequence[tuple[int, str]]) -> str:
    """Return a sentence for stopped processes, given with their states: "pid 7 is stopped (state T): …"."""
    pid, state = stopped[0]
    letters = ", ".join(sorted({STOPPED_STATES[each] for _, each in stopped}))
    if len(stopped) == 1:
        way = f"kill -CONT {pid}" if state == psutil.STATUS_STOPPED else "a debugger holds it"
        return f"pid {pid} is stopped (state {letters}): it does nothing until it is continued ({way})"
    named = first_of([str(each) for each, _ in stopped])
    return f"{count(len(stopped), 'process', 'processes')} are stopped (state {letters}): pids {named}"
