"""The process table (/proc/<pid>/stat, io, cmdline)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from collectors.machine.linux.kernel import Kernel
from core.machine.spec import Process, ProcessState
from core.rates import LONGEST_GAP_SECONDS

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4_096
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
STATES = {
    "R": ProcessState.RUNNING,
    "S": ProcessState.SLEEPING,
    "D": ProcessState.DISK,
    "Z": ProcessState.ZOMBIE,
    "T": ProcessState.STOPPED,
    "t": ProcessState.STOPPED,
    "I": ProcessState.IDLE,
    "X": ProcessState.DEAD,
}
INTERPRETERS = ("python", "java", "node", "ruby", "perl", "bash", "sh", "dash", "php", "Rscript", "julia")
KERNEL_THREAD = 0x0020_0000
"""PF_KTHREAD of the flags in /proc/<pid>/stat."""


@dataclass(frozen=True, slots=True)
class Stat:
    """/proc/<pid>/stat, the fields that matter."""

    pid: int
    name: str
    state: str
    flags: int
    cpu_seconds: float
    threads: int
    started_ticks: int
    resident_bytes: int


def parse_stat(text: str) -> Stat:
    """Return the fields. The name stands in brackets and may itself hold spaces and brackets."""
    opening, closing = text.index("("), text.rindex(")")
    words = text[closing + 2 :].split()
    return Stat(
        pid=int(text[:opening]),
        name=text[opening + 1 : closing],
        state=STATES.get(words[0], ProcessState.OTHER),
        flags=int(words[6]),
        cpu_seconds=(int(words[11]) + int(words[12])) / TICKS_PER_SECOND,
        threads=int(words[17]),
        started_ticks=int(words[19]),
        resident_bytes=int(words[21]) * PAGE_BYTES,
    )


def parse_io(text: str) -> tuple[int, int] | None:
    """Return bytes read from and written to storage since the process began; None when the text has none."""
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    if "read_bytes" not in fields or "write_bytes" not in fields:
        return None
    return int(fields["read_bytes"]), int(fields["write_bytes"])


def title(name: str, command: str) -> str:
    """Return what a person calls the process: its program, and for an interpreter the script or module it runs.

    The rest of a command line is never kept: it may hold passwords.
    """
    words = [word for word in command.split("\0") if word]
    if not words:
        return name
    # A program may overwrite its command line with a title of its own: that has no separators.
    program = words[0].split(" ")[0].rpartition("/")[2].rstrip(":") or name
    if not program.startswith(INTERPRETERS):
        return program
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        if rest[0] in ("-m", "-jar") and len(rest) > 1:
            return f"{program} {rest[0]} {rest[1].rpartition('/')[2]}"
        if rest[0] in ("-c", "-e"):
            return f"{program} {rest[0]}"
        rest = rest[1:]
    return f"{program} {rest[0].rpartition('/')[2]}" if rest else program


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    cpu_seconds: float
    moved: tuple[int, int] | None
    title: str
    user: str


class Processes:
    """Looks at every process; what one look learns is kept for the next, by pid and start time."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._seen: dict[tuple[int, int], _Seen] = {}
        self._users: dict[int, str] = {}

    def look(self, at: float) -> list[Process]:
        """Return all processes at `at` monotonic seconds; one that ends while being read is left out."""
        uptime = float((self._kernel.proc("uptime") or "0").split()[0])
        found: list[Process] = []
        seen: dict[tuple[int, int], _Seen] = {}
        for pid in self._kernel.list_proc():
            text = self._kernel.proc(f"{pid}/stat") if pid.isdigit() else None
            if text:
                stat = parse_stat(text)
                found.append(self._process(stat, at, uptime, seen))
        self._seen = seen
        return found

    def _process(self, stat: Stat, at: float, uptime: float, seen: dict[tuple[int, int], _Seen]) -> Process:
        key = (stat.pid, stat.started_ticks)
        before = self._seen.get(key)
        is_kernel_thread = bool(stat.flags & KERNEL_THREAD)
        io = self._kernel.proc(f"{stat.pid}/io") if not is_kernel_thread else None
        now = _Seen(
            at=at,
            cpu_seconds=stat.cpu_seconds,
            moved=parse_io(io) if io else None,
            title=self._title(stat, before),
            user=before.user if before else self._user(stat.pid),
        )
        seen[key] = now
        cpu, read, written = _rates(before, now)
        return Process(
            pid=stat.pid,
            name=now.title,
            user=now.user,
            state=stat.state,
            cpu_ratio=cpu,
            memory_bytes=stat.resident_bytes,
            read_bytes_per_second=read,
            written_bytes_per_second=written,
            threads=stat.threads,
            age_seconds=max(uptime - stat.started_ticks / TICKS_PER_SECOND, 0.0),
            is_kernel_thread=is_kernel_thread,
        )

    def _title(self, stat: Stat, before: _Seen | None) -> str:
        """Return the title; read again while a process is young, since it may just be starting its program."""
        if before is not None and before.title.startswith(stat.name[:4]):
            return before.title
        return title(stat.name, self._kernel.proc(f"{stat.pid}/cmdline") or "")

    def _user(self, pid: int) -> str:
        status = self._kernel.proc(f"{pid}/status") or ""
        start = status.find("\nUid:")
        if start < 0:
            return "?"
        uid = int(status[start + 5 :].split(None, 1)[0])
        if uid not in self._users:
            self._users[uid] = user_name(uid)
        return self._users[uid]


def user_name(uid: int) -> str:
    """Return the name of a user, or the number when the machine does not know it."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _rates(before: _Seen | None, now: _Seen) -> tuple[float | None, float | None, float | None]:
    if before is None or not 0 < now.at - before.at <= LONGEST_GAP_SECONDS:
        return None, None, None
    seconds = now.at - before.at
    cpu = max(now.cpu_seconds - before.cpu_seconds, 0.0) / seconds
    if before.moved is None or now.moved is None:
        return cpu, None, None
    read, written = (max(late - early, 0) / seconds for early, late in zip(before.moved, now.moved, strict=True))
    return cpu, read, written
