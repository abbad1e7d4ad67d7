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
from collectors.judging.checks import Check, bad_if
from collectors.kinds.service import Found, ServiceCollector, act, make_service
from collectors.net.reach import Deadline
from core.errors import SourceRejected, SourceUnavailable
from core.format import ago, bytes_, coarse_duration, count, number
from core.kinds.process.source import ProcessSource
from core.limits import Limit
from core.model import Table
from core.rates import Rates

__all__ = ["act", "make"]

SHOWN = 50
COMMAND_CHARACTERS = 200
RESTARTED_SECONDS = 600.0
"""A process that is not the one seen before is told for this long."""
COLUMNS = ("pid", "command", "user", "started", "cpu_ratio", "resident_bytes", "threads", "state")


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
        """Look once. Raises SourceUnavailable when too few run."""
        at = time.monotonic()
        rows = []
        for process in self._candidates():
            deadline.left()
            if row := self._row(process, at):
                rows.append(row)
        self._rates.forget(at)
        if len(rows) < self._source.at_least:
            raise SourceUnavailable(self._too_few(len(rows)))
        return self._found(rows, now)

    def _candidates(self) -> Iterator[psutil.Process]:
        if not self._source.pidfile:
            yield from psutil.process_iter()
            return
        try:
            text = Path(self._source.pidfile).read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            raise SourceUnavailable(f"there is no pid file {self._source.pidfile}") from None
        except PermissionError:
            raise SourceRejected(f"we may not read the pid file {self._source.pidfile}") from None
        except OSError as error:
            raise SourceUnavailable(f"{self._source.pidfile}: {error.strerror}") from error
        if not text or not text[0].isdigit():
            raise SourceUnavailable(f"the pid file {self._source.pidfile} holds no process id")
        try:
            yield psutil.Process(int(text[0]))
        except psutil.NoSuchProcess:
            raise SourceUnavailable(
                f"process {text[0]} of the pid file {self._source.pidfile} does not run: it ended without cleaning up"
            ) from None

    def _row(self, process: psutil.Process, at: float) -> tuple[object, ...] | None:
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
        return (
            process.pid,
            command[:COMMAND_CHARACTERS] or process.name(),
            user,
            started,
            busy,
            resident,
            threads,
            state,
        )

    def _too_few(self, found: int) -> str:
        wanted = self._source.at_least
        if found == 0:
            return f"no process runs with {self._source.target}"
        return f"{number(found)} of at least {count(wanted, 'process', 'processes')} run with {self._source.target}"

    def _found(self, rows: list[tuple[object, ...]], now: float) -> Found:
        busy = [float(str(row[4])) for row in rows if row[4] is not None]
        resident = sum(int(str(row[5])) for row in rows)
        oldest = min(float(str(row[3])) for row in rows)
        if self._oldest and oldest > self._oldest + 1:
            self._restarted = now
        self._oldest = oldest
        rows.sort(key=lambda row: -int(str(row[5])))
        who = count(len(rows), "process", "processes") if len(rows) > 1 else f"pid {rows[0][0]}"
        return Found(
            f"{who}, up {coarse_duration(now - oldest)}, {bytes_(resident)}",
            None,
            {
                "process_count": float(len(rows)),
                "process_resident_bytes": float(resident),
                "process_cpu_ratio": sum(busy) if busy else None,
                "process_uptime_seconds": now - oldest,
                "process_threads": float(sum(int(str(row[6])) for row in rows)),
            },
            self._checks(len(rows), resident, now),
            {"count": len(rows), "started": oldest},
            tables=[Table("processes", COLUMNS, tuple(rows[:SHOWN]))],
        )

    def _checks(self, running: int, resident: int, now: float) -> list[Check]:
        source = self._source
        checks = []
        if source.at_most is not None:
            told = f"{number(running)} run, and at most {number(source.at_most)} should"
            checks.append(bad_if("count", running > source.at_most, told))
        if source.memory_warning_bytes:
            share = resident / source.memory_warning_bytes
            told = f"{bytes_(resident)} resident, limit {bytes_(source.memory_warning_bytes)}"
            checks.append(Check("memory", Limit(1.0).status(share), told, share))
        if self._restarted is not None:
            old = now - self._restarted
            checks.append(bad_if("restart", old < RESTARTED_SECONDS, f"started anew {ago(old)}"))
        return checks
