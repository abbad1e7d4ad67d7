"""The limits of the control group that we run in (a container's), and what is used of them: cgroup v2 and v1.

/proc in a container tells of the whole host. Where a control group may have less than that, its limit is what runs out
first. A limit holds for everything below the group that has it, so the tightest on the way up is the one that counts.
Files: Linux, Documentation/admin-guide/cgroup-v2.rst; cgroup-v1/memory.rst; scheduler/sched-bwc.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collectors.base import gauges
from collectors.machine.linux.cpu import IDLE, MODES, Averages, Ticks
from collectors.machine.linux.kernel import Kernel, Remembered
from core.machine import metrics
from core.model import Sample
from core.rates import Rates

ROOT = "fs/cgroup"
UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of a page, just below 2⁶³."""
MEAN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Held:
    """A limit, and the folder under /sys of the group that has it: what it uses is counted there."""

    most: float
    """Bytes, or cores."""
    folder: str
    is_second: bool
    """Whether the folder is of cgroup v2."""


def parse_cgroup(text: str) -> dict[str, str]:
    """Return the path of our group by controller, from /proc/self/cgroup; "" is the one of version 2."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            found.update(dict.fromkeys(parts[1].split(","), parts[2]))
    return found


def memory_limit(kernel: Kernel) -> Held | None:
    """Return the tightest memory limit in bytes above us; None: there is none."""
    return _tightest(kernel, "memory", _memory_second, _memory_first)


def cpu_limit(kernel: Kernel) -> Held | None:
    """Return the tightest CPU quota above us, in cores; None: there is none."""
    return _tightest(kernel, "cpu", _cpu_second, _cpu_first)


Reader = Callable[[Kernel, str], float | None]
"""Reads the limit that a folder under /sys sets; None: none."""


def _tightest(kernel: Kernel, controller: str, second: Reader, first: Reader) -> Held | None:
    paths = parse_cgroup(kernel.proc("self/cgroup") or "")
    places = [(mount, paths.get("", "/"), second) for mount in (ROOT, f"{ROOT}/unified")]
    places += [(f"{ROOT}/{controller}", paths.get(controller, "/"), first)]
    found = [
        Held(most, folder, is_second=read is second)
        for mount, path, read in places
        for folder in _upwards(mount, path)
        if (most := read(kernel, folder)) is not None
    ]
    return min(found, key=lambda held: held.most, default=None)


def _upwards(mount: str, path: str) -> list[str]:
    """Return the folders of a group and of all above it: inside a container the mount alone may be there."""
    names = [name for name in path.split("/") if name and name != ".."]
    return [f"{mount}/{'/'.join(names[:count])}".rstrip("/") for count in range(len(names), -1, -1)]


def _memory_second(kernel: Kernel, folder: str) -> float | None:
    return kernel.sys_number(f"{folder}/memory.max")  # "max" is no number


def _memory_first(kernel: Kernel, folder: str) -> float | None:
    limit = kernel.sys_number(f"{folder}/memory.limit_in_bytes")
    return limit if limit is not None and limit < UNLIMITED_BYTES else None


def _cpu_second(kernel: Kernel, folder: str) -> float | None:
    words = (kernel.sys(f"{folder}/cpu.max") or "").split()
    return float(words[0]) / float(words[1]) if len(words) == 2 and words[0] != "max" else None


def _cpu_first(kernel: Kernel, folder: str) -> float | None:
    quota, period = (kernel.sys_number(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period"))
    return quota / period if quota and period and quota > 0 else None


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Memory of a control group, in bytes."""

    total: float
    """All that counts against the limit."""
    inactive_file: float
    """Of it the file cache that the kernel takes back first."""
    file: float
    """Of it the file cache."""

    @property
    def used(self) -> float:
        """What cannot be taken back at once: as `docker stats` and the kubelet (working set) count."""
        return max(self.total - self.inactive_file, 0.0)


def memory_use(kernel: Kernel, held: Held) -> MemoryUse | None:
    """Return what the group of a limit uses; None where it does not tell."""
    name = "memory.current" if held.is_second else "memory.usage_in_bytes"
    total = kernel.sys_number(f"{held.folder}/{name}")
    if total is None:
        return None
    lines = (line.split() for line in (kernel.sys(f"{held.folder}/memory.stat") or "").splitlines())
    fields: Mapping[str, float] = {words[0]: float(words[1]) for words in lines if len(words) == 2}
    names = ("inactive_file", "file") if held.is_second else ("total_inactive_file", "total_cache")
    inactive, file = (fields.get(name, 0.0) for name in names)
    return MemoryUse(total, inactive, file)


def cpu_seconds(kernel: Kernel, held: Held) -> float | None:
    """Return the CPU seconds that the group of a limit has used; None where it does not tell."""
    if held.is_second:
        lines = (kernel.sys(f"{held.folder}/cpu.stat") or "").splitlines()
        used = next((line.split()[1] for line in lines if line.startswith("usage_usec ")), None)
        return float(used) / 1e6 if used else None
    # Counted by a controller of its own, which may be mounted together with the quota's or beside it.
    for folder in (held.folder, held.folder.replace(f"{ROOT}/cpu/", f"{ROOT}/cpuacct/", 1)):
        nanoseconds = kernel.sys_number(f"{folder}/cpuacct.usage")
        if nanoseconds is not None:
            return nanoseconds / 1e9
    return None


class MemoryLimit:
    """The memory limit that holds for us, looked up once a minute, and what is used of it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._held: Remembered[Held | None] = Remembered()

    def look(self, at: float, machine_bytes: float) -> tuple[float, MemoryUse] | None:
        """Return limit and use, in bytes; None where the machine's own memory is what runs out first."""
        if self._held.is_due(at):
            self._held.put(memory_limit(self._kernel), at)
        held = self._held.value
        if held is None or held.most >= machine_bytes:
            return None
        use = memory_use(self._kernel, held)
        return None if use is None else (held.most, use)


class CpuLimit:
    """Samples of the CPU quota that holds for us and the share of it in use; none without a quota."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._held: Remembered[Held | None] = Remembered()
        self._rates = Rates()
        self._averages = Averages()
        self._began: float | None = None
        self._cores = 0.0

    def samples(self, at: float) -> list[Sample]:
        if self._held.is_due(at):
            self._held.put(cpu_limit(self._kernel), at)
        held = self._held.value
        used = cpu_seconds(self._kernel, held) if held else None
        if held is None or used is None:
            return []
        rate = self._rates.step("used", used, at)
        return gauges(
            {
                metrics.CPU_LIMIT: held.most,
                metrics.CPU_OF_LIMIT_RATIO: rate.per_second / held.most if rate else None,
                metrics.CPU_OF_LIMIT_5M_RATIO: self._mean(held.most, used, at),
            }
        )

    def _mean(self, cores: float, used: float, at: float) -> float | None:
        """Return the mean of five minutes: of the seconds that the quota gave, those used."""
        if self._began is None or cores != self._cores:
            self._began, self._cores, self._averages = at, cores, Averages()
        self._averages.add(_as_ticks(used, cores * (at - self._began)), at)
        return self._averages.mean(MEAN_SECONDS)


def _as_ticks(used_seconds: float, given_seconds: float) -> Ticks:
    ticks = [0] * len(MODES)
    ticks[0], ticks[IDLE] = round(used_seconds * 1e6), round((given_seconds - used_seconds) * 1e6)
    return tuple(ticks)
