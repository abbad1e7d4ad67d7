"""Processes of this machine, found by name, command line or pid file.

Costs this machine one look at /proc an interval: 10 to 25 ms for 200 processes, below 1 ms with a pid file.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from collectors.base import Context
from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.stopped import is_stopped, told
from collectors.kinds.service import Found, ServiceCollector, WrongAnswer, act, make_service
from core.errors import SourceRejected, SourceUnavailable
from core.format import ago, bytes_, coarse_duration, count, number
from core.kinds.process import spec
from core.kinds.process.source import ProcessSource
from core.kinds.process.spec import Checks, Process
from core.model import Status
from core.net.reach import Deadline
from core.rates import Rates
from core.tables import table_of

__all__ = ["act", "make"]

COMMAND_CHARACTERS = 200


def make(context: Context, source: ProcessSource) -> ServiceCollector:
    """Return the collector of one kind of process."""
    return make_service(context, source, ProcessProbe(source))


class ProcessProbe:
    """Looks for the processes and remembers what they have used."""

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._command = re.compile(source.command) if source.command else None
        self._rates = Rates()
        self._oldest = 0.0
        self._restarted: float | None = None

    def __call__(self, deadline: Deadline, now: float) -> Found:
        """Look once. Raises SourceUnavailable when too few run: one that is stopped does not."""
        at = time.monotonic()
        rows = []
        for process in self._candidates():
            deadline.left()
            if row := self._row(process, at):
                rows.append(row)
        self._rates.forget(at)
        if len(rows) < self._source.at_least:
            raise SourceUnavailable(self._too_few(len(rows)))
        stopped = [(row.pid, row.state) for row in rows if is_stopped(row.state)]
        found = self._found(rows, stopped, now)
        if len(rows) - len(stopped) < self._source.at_least:
            raise WrongAnswer(told(stopped), found)
        return found

    def _candidates(self) -> Iterator[psutil.Process]:
        if not self._source.pidfile:
            yield from psutil.process_iter()
            return
        try:
            text = Path(self._source.pidfile).read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            raise SourceUnavailable(f"there is no pid file {self._source.pidfile}") from None
        except PermissionError:
            raise SourceRejected(f"our user may not read the pid file {self._source.pidfile}") from None
        except OSError as error:
            raise SourceUnavailable(f"{self._source.pidfile}: {error.strerror or error}") from error
        if not text or not text[0].isdigit():
            raise SourceUnavailable(f"the pid file {self._source.pidfile} contains no process id")
        try:
            yield psutil.Process(int(text[0]))
        except psutil.NoSuchProcess:
            raise SourceUnavailable(
                f"process {text[0]} of the pid file {self._source.pidfile} is not running: it ended without cleaning up"
            ) from None

    def _row(self, process: psutil.Process, at: float) -> Process | None:
        """Return the row of a process that is one of those looked for, else None."""
        source = self._source
        try:
            if source.process and process.name() != source.process:
                return None
            command = " ".join(process.cmdline())
            if self._command is not None and (not command or not self._command.search(command)):
                return None
            if process.pid == os.getpid() and not source.pidfile and not source.process:
                return None
            with process.oneshot():
                user, state = process.username(), process.status()
                if source.user and user != source.user:
                    return None
                if state == psutil.STATUS_ZOMBIE:
                    return None
                started, spent = process.create_time(), process.cpu_times()
                busy = self._rates.per_second((process.pid, started), spent.user + spent.system, at)
                resident, threads = process.memory_info().rss, process.num_threads()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        shown = command[:COMMAND_CHARACTERS] or process.name()
        return Process(process.pid, shown, user, started, busy, resident, threads, state)

    def _too_few(self, found: int) -> str:
        wanted = self._source.at_least
        if found == 0:
            return f"no process runs with {self._source.target}"
        return f"{number(found)} of at least {count(wanted, 'process', 'processes')} run with {self._source.target}"

    def _found(self, rows: list[Process], stopped: list[tuple[int, str]], now: float) -> Found:
        busy = [row.cpu_ratio for row in rows if row.cpu_ratio is not None]
        resident = sum(row.resident_bytes for row in rows)
        oldest = min(row.started for row in rows)
        if self._oldest and oldest > self._oldest + 1:
            self._restarted = now
        self._oldest = oldest
        rows.sort(key=lambda row: -row.resident_bytes)
        who = count(len(rows), "process", "processes") if len(rows) > 1 else f"pid {rows[0].pid}"
        return Found(
            f"{who}, up {coarse_duration(now - oldest)}, {bytes_(resident)}",
            None,
            {
                spec.COUNT: float(len(rows)),
                spec.STOPPED: float(len(stopped)),
                spec.RESIDENT: float(resident),
                spec.CPU_RATIO: sum(busy) if busy else None,
                spec.UPTIME: now - oldest,
                spec.THREADS: float(sum(row.threads for row in rows)),
            },
            self._checks(len(rows), stopped, resident, now),
            tables=[table_of(Process, rows[: spec.PROCESSES_SHOWN])],
        )

    def _checks(self, running: int, stopped: list[tuple[int, str]], resident: int, now: float) -> list[Check]:
        source = self._source
        checks = []
        if stopped:
            checks.append(Check(Checks.STOPPED, Status.CRITICAL, told(stopped)))
        if source.at_most is not None:
            why = f"{count(running, 'process', 'processes')}, expected at most {number(source.at_most)}"
            checks.append(bad_if(Checks.COUNT, running > source.at_most, why))
        if source.memory_warning_bytes:
            share = resident / source.memory_warning_bytes
            why = f"{bytes_(resident)} resident, limit {bytes_(source.memory_warning_bytes)}"
            checks.append(judged(Checks.MEMORY, share, why, spec.MEMORY, share))
        if self._restarted is not None:
            old = now - self._restarted
            checks.append(bad_if(Checks.RESTART, spec.RESTARTED.is_bad(old), f"restarted {ago(old)}"))
        return checks
